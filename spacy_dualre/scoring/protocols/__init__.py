"""Official scoring protocols: one module for each corpus, with a ``PROTOCOL``."""

from typing import Callable, Dict

from ...errors import Errors
from ..counting import Scores
from . import biored, chemprot, scierc, semeval
from .protocol import Item, Items, Protocol, document_ids

__all__ = ["PROTOCOLS", "Item", "Items", "Protocol", "document_ids", "get_protocol", "make_protocol_scorer"]

#: The protocols by name.
PROTOCOLS: Dict[str, Protocol] = {
    module.PROTOCOL.name: module.PROTOCOL for module in (biored, chemprot, scierc, semeval)
}


def get_protocol(name: str) -> Protocol:
    """Raises ValueError naming the known ones."""
    if name not in PROTOCOLS:
        raise ValueError(Errors.DR004.format(name="protocol", value=name, known=", ".join(PROTOCOLS)))
    return PROTOCOLS[name]


def make_protocol_scorer(protocol: str) -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.protocol_scorer.v1``. Raises ValueError for an unknown protocol."""
    return get_protocol(protocol).score_examples
