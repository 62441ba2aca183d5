"""Commands under `spacy dualre`. Importing this package adds them to spaCy's command line."""

from . import benchmark, convert, evaluate, extract, score, train, tune
from .app import dualre_cli

__all__ = ["benchmark", "convert", "dualre_cli", "evaluate", "extract", "score", "train", "tune"]
