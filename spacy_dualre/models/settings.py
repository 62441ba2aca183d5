"""The settings of the network and of how it is run. Light: no torch."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Optional, Type, TypeVar

from ..errors import Errors

#: float32 is what is trained and stored.
PRECISIONS = ("float32", "bfloat16", "int8")
Settings = TypeVar("Settings", "NetworkSettings", "RunSettings")


@dataclass(frozen=True)
class NetworkSettings:
    """``[model.network]``: what a trained network is. Stored with it; cannot be changed at loading.

    Attributes:
        shared_encoder: One encoder for texts and descriptions instead of two.
        cls_fusion: Let the representation of a description see the text's [CLS].
        mean_fusion: Represent a sequence by the mean of its states plus the projection of those of the marked mentions,
            which starts at zero: the knowledge of a sentence encoder counts from the first step.
        dropout: Of both representations; the encoder's own is set in transformer_config.
        frozen_embeddings: Do not train the word embeddings; those of the markers are.
        gradient_checkpointing: In training, compute the encoders' layers twice and keep less of them in memory.
    """

    shared_encoder: bool = False
    cls_fusion: bool = True
    mean_fusion: bool = False
    dropout: float = 0.1
    frozen_embeddings: bool = False
    gradient_checkpointing: bool = False


@dataclass(frozen=True)
class RunSettings:
    """``[model.run]``: how a network is run. May be changed when a trained pipeline is loaded.

    Attributes:
        packed: All candidates of a sentence, and all across sentences of a text, share one pass over the text. Their
            markers are beside the text ("levitated"), as in PURE (Zhong & Chen, 2021) and PL-Marker (Ye et al., 2022):
            each has the position of its mention's first or last piece, sees its candidate's sentences and their context
            and the markers of its candidate, and is not seen by the text. Needs absolute positions (BERT, RoBERTa).
        max_length: The most pieces of a sequence; None for the encoder's limit, or what the pipeline was trained with.
        batch_tokens: Pieces, padding included, that go through an encoder at once; None for 2,000 on a CPU and 16,000
            on a GPU.
        precision: Of the encoders in prediction: "float32", "bfloat16" or "int8" (CPU). float32 is stored in any case.
        description_memory: How many descriptions' vectors (width x 4 bytes each) prediction remembers.
        mixed_precision: Train in half precision: float16 on a GPU, bfloat16 on a CPU with instructions for it.
    """

    packed: bool = False
    max_length: Optional[int] = None
    batch_tokens: Optional[int] = None
    precision: str = "float32"
    description_memory: int = 10_000
    mixed_precision: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(Errors.DR100.format(allowed=PRECISIONS, value=self.precision))


#: The defaults as configs show them.
NETWORK: Dict[str, Any] = asdict(NetworkSettings())
RUN: Dict[str, Any] = asdict(RunSettings())


def settings_from(kind: Type[Settings], block: str, values: Dict[str, Any]) -> Settings:
    """Settings of a config block. Raises ValueError if one is unknown or out of range."""
    known = [field.name for field in fields(kind)]
    for name in values:
        if name not in known:
            raise ValueError(Errors.DR109.format(block=block, name=name, known=", ".join(known)))
    return kind(**values)
