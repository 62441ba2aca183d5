"""The registered model architectures."""

from typing import Any, Dict, Optional

from thinc.api import Model

from ..types import Query, RelScores
from .dual_encoder import dual_encoder
from .runner import Engine

#: Settings of a model that a trained one can be read with, see `dual_encoder_v1`.
READ_WITH = ("@architectures", "max_length", "batch_tokens", "precision", "description_memory", "compiled")


def dual_encoder_v1(
    name: str,
    tokenizer_config: Dict[str, Any] = {},
    transformer_config: Dict[str, Any] = {},
    shared_encoder: bool = False,
    cls_fusion: bool = True,
    mean_fusion: bool = False,
    alike_at_start: bool = False,
    dropout: float = 0.1,
    frozen_layers: int = 0,
    frozen_embeddings: bool = False,
    gradient_checkpointing: bool = False,
    max_length: Optional[int] = None,
    mixed_precision: bool = False,
    grad_scaler_config: Dict[str, Any] = {},
    batch_tokens: Optional[int] = None,
    precision: str = "float32",
    description_memory: int = 10_000,
    compiled: bool = False,
) -> Model[Query, RelScores]:
    """Registered as ``spacy-dualre.DualEncoder.v1``: the dual encoder of arXiv 2503.17799.

    What the network is, is stored with the trained model and cannot be changed when it is loaded:

    name: an encoder's name on the hub or a local folder; loaded at initialisation, never before.
    tokenizer_config, transformer_config: settings passed to the tokenizer's and the encoder's ``from_pretrained``, such
    as {"num_hidden_layers": 4}, which keeps the first four layers.
    shared_encoder: one encoder for input and descriptions in place of two.
    cls_fusion: whether a description's representation sees the input's [CLS].
    mean_fusion: both representations are the mean of their sequence's states plus the projection of those of the marked
    mentions, which starts at zero: what a sentence encoder makes of texts and descriptions is compared from the first
    step.
    alike_at_start: the projection of the descriptions starts as a copy of that of the texts.
    dropout: of both representations; the encoder's own is set in transformer_config.
    frozen_layers: this many of the lowest layers, and with them all embeddings, are not trained.
    frozen_embeddings: the word embeddings are not trained; the markers' are, unless layers are frozen too.
    gradient_checkpointing: training computes the encoders' layers twice and keeps less of them in memory.

    How it is run, can be changed, as in ``spacy.load(path, config={"components.dual_encoder_rel.model.precision":
    "int8"})``:

    max_length: the most pieces of a sequence; None: the encoder's limit, for a trained model what it was trained with.
    mixed_precision, grad_scaler_config: of training, on a GPU as in spacy-transformers; on a CPU bfloat16, where it has
    instructions for it, else without effect.
    batch_tokens: pieces, padding included, that go through an encoder at once; None: 2,000 on a CPU, 16,000 on a GPU.
    precision: of the encoders in prediction: "float32", "bfloat16", "float16", or "int8" on a CPU. What is stored is
    float32 always.
    description_memory: how many descriptions' vectors (width x 4 bytes each) are kept from batch to batch in
    prediction.
    compiled: whether torch compiles the encoders for prediction; needs a C++ compiler on a CPU.
    Raises ValueError for an unknown precision.
    """
    return _dual_encoder(levitated=False, **locals())


def packed_dual_encoder_v1(
    name: str,
    tokenizer_config: Dict[str, Any] = {},
    transformer_config: Dict[str, Any] = {},
    shared_encoder: bool = False,
    cls_fusion: bool = True,
    mean_fusion: bool = False,
    alike_at_start: bool = False,
    dropout: float = 0.1,
    frozen_layers: int = 0,
    frozen_embeddings: bool = False,
    gradient_checkpointing: bool = False,
    max_length: Optional[int] = None,
    mixed_precision: bool = False,
    grad_scaler_config: Dict[str, Any] = {},
    batch_tokens: Optional[int] = None,
    precision: str = "float32",
    description_memory: int = 10_000,
    compiled: bool = False,
) -> Model[Query, RelScores]:
    """Registered as ``spacy-dualre.PackedDualEncoder.v1``: the dual encoder with the candidates of a text in one pass.

    The markers do not stand in the text but beside it ("levitated"): each shares the position of its mention's first or
    last piece and sees the words of its candidate's sentences and their context, and the markers of its candidate; the
    text does not see them. The approximation of PURE (Zhong & Chen, 2021) and PL-Marker (Ye et al., 2022). Candidates
    of a sentence share a pass over it and its context; those across sentences share one over the whole text, or over
    blocks of it of max_length pieces, which overlap by half.

    Descriptions and heads are those of ``spacy-dualre.DualEncoder.v1``, and so are the settings and what is stored: a
    pipeline trained with that one can be read with this one, as in ``spacy.load(path, config={
    "components.dual_encoder_rel.model.@architectures": "spacy-dualre.PackedDualEncoder.v1"})``. Needs an encoder with
    absolute positions (BERT, RoBERTa, ELECTRA and the like).
    """
    return _dual_encoder(levitated=True, **locals())


def _dual_encoder(
    *,
    levitated: bool,
    name: str,
    tokenizer_config: Dict[str, Any],
    transformer_config: Dict[str, Any],
    max_length: Optional[int],
    mixed_precision: bool,
    grad_scaler_config: Dict[str, Any],
    batch_tokens: Optional[int],
    precision: str,
    description_memory: int,
    compiled: bool,
    **network_config: Any,
) -> Model[Query, RelScores]:
    return dual_encoder(
        name,
        tokenizer_config,
        transformer_config,
        network_config=network_config,
        grad_scaler_config=grad_scaler_config,
        engine=Engine(batch_tokens, precision, description_memory, compiled, levitated, mixed_precision, max_length),
    )
