"""Official scoring protocols: one module for each corpus, with a ``PROTOCOL``."""

from typing import Dict

from ...errors import Errors
from . import biored, chemprot, scierc, semeval
from .protocol import Item, Items, Protocol, document_ids

__all__ = ["PROTOCOLS", "Item", "Items", "Protocol", "document_ids", "get_protocol"]

#: The protocols by name.
PROTOCOLS: Dict[str, Protocol] = {
    module.PROTOCOL.name: module.PROTOCOL for module in (biored, chemprot, scierc, semeval)
}


def get_protocol(name: str) -> Protocol:
    """Raises ValueError naming the known ones."""
    if name not in PROTOCOLS:
        raise ValueError(Errors.DR004.format(name="protocol", value=name, known=", ".join(PROTOCOLS)))
    return PROTOCOLS[name]
