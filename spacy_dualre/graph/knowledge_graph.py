"""The knowledge graph: concepts as nodes, relations between them as edges, sentences as evidence."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Tuple

from ..annotations.concepts import Concept
from ..records.record import Offsets

#: (subject, predicate, object)
Triple = Tuple[Concept, str, Concept]
#: Certainties are multiples of this, so that sums are exact and independent of the order of documents.
_UNIT = 2.0**-40


class Evidence(NamedTuple):
    """A sentence that supports an edge, or several if the mentions are in different ones.

    All offsets (of the sentence, subject and object) are characters of the document, end exclusive.
    """

    document: str
    sentence: str
    start: int
    end: int
    subject: Offsets
    object: Offsets
    score: float


def by_score(evidence: Evidence) -> Tuple[float, Evidence]:
    """The order of evidence: best first."""
    return -evidence.score, evidence


@dataclass
class Node:
    """A concept, with the counts of its mentions by surface form, and the number of documents that mention it."""

    concept: Concept
    forms: Counter = field(default_factory=Counter)
    documents: int = 0

    @property
    def ranked_forms(self) -> List[Tuple[str, int]]:
        """The surface forms with their counts, by descending frequency, then alphabetically."""
        return sorted(self.forms.items(), key=lambda item: (-item[1], item[0]))

    @property
    def label(self) -> str:
        """The most frequent surface form."""
        return self.ranked_forms[0][0]

    @property
    def mentions(self) -> int:
        return self.forms.total()

    @property
    def name(self) -> str:
        """TYPE|id, unique in the graph. "|" and "%" in the type are escaped as %7C and %25."""
        return "{}|{}".format(self.concept.type.replace("%", "%25").replace("|", "%7C"), self.concept.id)

    def to_json(self) -> Dict[str, Any]:
        """The node as JSON values."""
        concept = {"label": self.label, "type": self.concept.type, "concept": self.concept.id}
        return {**concept, "documents": self.documents, "mentions": self.mentions, "forms": dict(self.ranked_forms)}


@dataclass
class Edge:
    """A relation between two concepts, with the numbers of sentences and documents that support it, the best score, and
    the (best) sentences, best first, each with its best pair of mentions.
    """

    subject: Concept
    predicate: str
    object: Concept
    symmetric: bool = False
    sentences: int = 0
    documents: int = 0
    score: float = 0.0
    evidence: List[Evidence] = field(default_factory=list)
    _certainty: float = field(default=0.0, repr=False)

    @property
    def triple(self) -> Triple:
        return (self.subject, self.predicate, self.object)

    @property
    def pooled(self) -> float:
        """Noisy-or over all supporting sentences as if they were independent: 1 - prod(1 - score)."""
        return round(-math.expm1(-self._certainty), 6)

    def add(self, found: Collection[Evidence], limit: Optional[int]) -> None:
        """Add the evidence of one document, at most one per sentence, and keep the best."""
        self.documents += 1
        self.sentences += len(found)
        self.score = max(self.score, *(evidence.score for evidence in found))
        self._certainty += sum(_certainty(evidence.score) for evidence in found)
        self.evidence.extend(found)
        if limit is not None:
            self.keep(limit)

    def keep(self, limit: Optional[int]) -> None:
        """Sort the evidence and keep the best."""
        self.evidence = sorted(self.evidence, key=by_score)[:limit]

    def to_json(self) -> Dict[str, Any]:
        """The edge as JSON values, without its subject and object."""
        names = ("predicate", "symmetric", "sentences", "documents", "score", "pooled")
        evidence = [evidence._asdict() for evidence in self.evidence]
        return {**{name: getattr(self, name) for name in names}, "evidence": evidence}


@dataclass
class KnowledgeGraph:
    """Nodes sorted by concept, edges by subject, predicate and object. Every node has an edge."""

    nodes: List[Node]
    edges: List[Edge]


def _certainty(score: float) -> float:
    return round(-math.log1p(-score) / _UNIT) * _UNIT if score < 1 else math.inf
