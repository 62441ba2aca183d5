"""Relation extraction for spaCy with instance-adapted predicate descriptions."""

from .extension import install as _install_extension
from .types import Candidate, Relation

__version__ = "0.1.0"
__all__ = ["Candidate", "Relation", "__version__"]

_install_extension()
