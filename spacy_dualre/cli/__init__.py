"""Commands under `spacy dualre`. Importing this package adds them to spaCy's command line."""

from . import convert, evaluate, extract, score, tune
from .app import dualre_cli

__all__ = ["convert", "dualre_cli", "evaluate", "extract", "score", "tune"]
