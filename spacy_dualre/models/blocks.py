"""The blocks of a model's settings in a config, and their defaults."""

from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from typing import Any, Dict, Optional, Type, TypeVar

from ..errors import Errors, Unavailable

#: float32 is what is trained and stored.
PRECISIONS = ("float32", "bfloat16", "int8")
Settings = TypeVar("Settings", "NetworkSettings", "RunSettings")


@dataclass(frozen=True)
class NetworkSettings:
    """``[model.network]``: what a trained network is. Stored with it; cannot be changed at loading."""

    shared_encoder: bool = False  # one for texts and descriptions instead of two
    cls_fusion: bool = True  # the representation of a description sees the text's [CLS]
    types_as_words: bool = False  # markers are made of their types' words, see `MarkedEmbedding`: any type will do
    mean_fusion: bool = False  # sequences are the mean of their states, plus a projection that starts at zero
    learned_negative: bool = False  # a vector of its own stands for the negative predicate, in place of a description
    frozen_descriptions: bool = False  # the encoder of descriptions is not trained, and reads each of them once
    dropout: float = 0.1  # of both representations; the encoder's own is set in transformer_config
    frozen_embeddings: bool = False  # those of words are not trained; those of the markers are
    lora_rank: int = 0  # of the adapters that are trained in place of the pretrained weights; 0: no adapters
    gradient_checkpointing: bool = False  # compute the layers twice in training and keep less in memory

    def __post_init__(self) -> None:
        if self.frozen_descriptions and self.shared_encoder:
            raise ValueError(Errors.DR112)
        if type(self.lora_rank) is not int or self.lora_rank < 0:
            raise ValueError(Errors.DR002.format(name="lora_rank", low=0, value=self.lora_rank))
        if self.lora_rank and find_spec("peft") is None:
            raise Unavailable(Errors.DR110)


@dataclass(frozen=True)
class RunSettings:
    """``[model.run]``: how a network is run. May be changed when a trained pipeline is loaded."""

    packed: bool = False  # candidates share a pass over their text, see `pad_levitated`
    max_length: Optional[int] = None  # pieces of a sequence; None: the encoder's limit, or as it was trained
    batch_tokens: Optional[int] = None  # pieces, padding included, at once; None: 2,000 on a CPU, 16,000 on a GPU
    precision: str = "float32"  # of the encoders in prediction: one of PRECISIONS, int8 on a CPU only
    description_memory: int = 10_000  # how many descriptions' vectors prediction remembers
    mixed_precision: bool = False  # train in float16 on a GPU, in bfloat16 on a CPU with instructions for it
    store_frozen: bool = True  # store the weights that are not trained, too; False: load them from `name`

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
