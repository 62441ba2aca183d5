"""Extraction of relations from any number of documents, in a run that can be interrupted and resumed."""

from .extract import Extraction, Tally
from .journal import Journal, part_of, unfinished

__all__ = ["Extraction", "Journal", "Tally", "part_of", "unfinished"]
