"""Official scoring protocols, one module with a ``PROTOCOL`` for each corpus."""

from importlib import import_module
from typing import Callable

from ...errors import Errors
from ..counting import Scores
from .protocol import Item, Items, Protocol, document_ids

__all__ = ["PROTOCOLS", "Item", "Items", "Protocol", "document_ids", "get_protocol", "make_protocol_scorer"]

#: Names of the protocols, which are also those of their modules.
PROTOCOLS = ("biored", "chemprot", "scierc", "semeval")


def get_protocol(name: str) -> Protocol:
    """Get a protocol by name. Raises ValueError naming the known ones."""
    if name not in PROTOCOLS:
        raise ValueError(Errors.DR004.format(name="protocol", value=name, known=", ".join(PROTOCOLS)))
    protocol: Protocol = import_module(f".{name}", __name__).PROTOCOL
    return protocol


def make_protocol_scorer(protocol: str) -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.protocol_scorer.v1``. Raises ValueError for an unknown protocol."""
    return get_protocol(protocol).score_examples
