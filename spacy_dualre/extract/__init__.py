"""Extraction of relations from any number of documents, in a run that can be interrupted and resumed."""

from .extract import Extraction, Tally
from .given import check_finds_mentions
from .journal import Journal, part_of, unfinished

__all__ = ["Extraction", "Journal", "Tally", "check_finds_mentions", "part_of", "unfinished"]
