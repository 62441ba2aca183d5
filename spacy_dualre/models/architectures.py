"""The registered model architectures."""

from typing import Any, Dict, Optional, Sequence

from thinc.api import Model

from ..types import Instance, RelScores
from .dual_encoder import dual_encoder


def dual_encoder_v1(
    name: str,
    tokenizer_config: Dict[str, Any] = {},
    transformer_config: Dict[str, Any] = {},
    shared_encoder: bool = False,
    cls_fusion: bool = True,
    dropout: float = 0.1,
    frozen_layers: int = 0,
    frozen_embeddings: bool = False,
    max_length: Optional[int] = None,
    batch_tokens: int = 2000,
    mixed_precision: bool = False,
    grad_scaler_config: Dict[str, Any] = {},
) -> Model[Sequence[Instance], RelScores]:
    """Registered as ``spacy-dualre.DualEncoder.v1``: the dual encoder of arXiv 2503.17799.

    All of them are stored with the trained model and cannot be changed when it is loaded.

    name: an encoder's name on the hub or a local folder; loaded at initialisation, never before.
    tokenizer_config, transformer_config: settings passed to the tokenizer's and the encoder's ``from_pretrained``, such
    as {"num_hidden_layers": 4}, which keeps the first four layers.
    shared_encoder: one encoder for input and descriptions in place of two.
    cls_fusion: whether a description's representation sees the input's [CLS].
    dropout: of both representations; the encoder's own is set in transformer_config.
    frozen_layers: this many of the lowest layers, and with them all embeddings, are not trained.
    frozen_embeddings: the word embeddings are not trained; the markers' are, unless layers are frozen too.
    max_length: pieces of a sequence; None: the encoder's limit.
    batch_tokens: pieces, padding included, that go through an encoder at once.
    mixed_precision, grad_scaler_config: as in spacy-transformers; without effect on a CPU.
    """
    return dual_encoder(
        name,
        tokenizer_config,
        transformer_config,
        network_config={
            "shared_encoder": shared_encoder,
            "cls_fusion": cls_fusion,
            "dropout": dropout,
            "frozen_layers": frozen_layers,
            "frozen_embeddings": frozen_embeddings,
            "batch_tokens": batch_tokens,
        },
        max_length=max_length,
        mixed_precision=mixed_precision,
        grad_scaler_config=grad_scaler_config,
    )
