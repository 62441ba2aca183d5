"""Commands under `spacy dualre`: one module each, imported when its command is called."""

from .app import dualre_cli

__all__ = ["dualre_cli"]
