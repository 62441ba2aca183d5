"""Relations of any number of documents, one after the other, in a work that can be cut off and goes on."""

from .extract import Extraction, Tally
from .journal import Journal, part_of

__all__ = ["Extraction", "Journal", "Tally", "part_of"]
