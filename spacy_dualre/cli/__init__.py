"""Commands under `spacy dualre`. Importing this package adds them to spaCy's command line."""

from . import (
    ablations,
    benchmark,
    card,
    convert,
    evaluate,
    explain,
    extract,
    graph,
    init_config,
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
    "card",
    "convert",
    "dualre_cli",
    "evaluate",
    "explain",
    "extract",
    "graph",
    "init_config",
    "results",
    "score",
    "train",
    "tune",
    "visualize",
]
