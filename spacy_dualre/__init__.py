"""Relation extraction for spaCy with instance-adapted predicate descriptions."""

from .annotations import concepts as _concepts
from .annotations import relations as _relations
from .types import Candidate, Relation

__version__ = "0.1.0"
__all__ = ["Candidate", "Relation", "__version__"]

_relations.install("rels", getter=_relations.get_rels, setter=_relations.set_rels)
_relations.install("rels_json", getter=_relations.rels_to_json, setter=_relations.set_rels)
_relations.install("concept_rels", getter=_concepts.get_concept_rels, setter=_concepts.refuse_concept_rels)
