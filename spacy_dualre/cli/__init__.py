"""Commands under `spacy dualre`. Importing this package adds them to spaCy's command line."""

from . import (
    ablations,
    benchmark,
    convert,
    evaluate,
    explain,
    extract,
    graph,
    results,
    score,
    train,
    tune,
    visualize,
)
from .app import dualre_cli

__all__ = [
    "ablations",
    "benchmark",
    "convert",
    "dualre_cli",
    "evaluate",
    "explain",
    "extract",
    "graph",
    "results",
    "score",
    "train",
    "tune",
    "visualize",
]
