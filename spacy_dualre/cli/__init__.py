"""Commands under `spacy dualre`. Importing this package adds them to spaCy's command line.

spaCy imports it for every command of its own, so a command imports what it needs when it is called.
"""

from . import (  # noqa: F401
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

__all__ = ["dualre_cli"]
