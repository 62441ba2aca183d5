"""Relation extraction for spaCy with instance-adapted predicate descriptions."""

from .annotations.concepts import get_concept_rels as _get_concept_rels
from .annotations.concepts import refuse_concept_rels as _refuse_concept_rels
from .annotations.relations import get_rels as _get_rels
from .annotations.relations import install as _install
from .annotations.relations import set_rels as _set_rels
from .types import Candidate, Relation

__version__ = "0.1.0"
__all__ = ["Candidate", "Relation", "__version__"]

_install("rels", getter=_get_rels, setter=_set_rels)
_install("concept_rels", getter=_get_concept_rels, setter=_refuse_concept_rels)
