"""The knowledge graph: concepts as nodes, relations between them as edges, sentences as their evidence."""

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Collection, List, NamedTuple, Optional, Tuple

from ..annotations.concepts import Concept
from ..records.record import Offsets

#: (subject, predicate, object)
Triple = Tuple[Concept, str, Concept]
#: Certainties are whole multiples of this, so that their sums are exact and the order of documents changes nothing.
_UNIT = 2.0**-40


class Evidence(NamedTuple):
    """A sentence that supports an edge.

    sentence: its text; several sentences, where the mentions stand in different ones. start and end, subject and
    object: where it and the two mentions are in the document, in characters, end exclusive. score: 0 to 1.
    """

    document: str
    sentence: str
    start: int
    end: int
    subject: Offsets
    object: Offsets
    score: float


@dataclass
class Node:
    """A concept. forms: how often each surface form was mentioned. documents: how many mention it."""

    concept: Concept
    forms: Counter = field(default_factory=Counter)
    documents: int = 0

    @property
    def ranked_forms(self) -> List[Tuple[str, int]]:
        """The surface forms and how often each was mentioned, the most frequent first, then in the alphabet's order."""
        return sorted(self.forms.items(), key=lambda item: (-item[1], item[0]))

    @property
    def label(self) -> str:
        """The first of the surface forms."""
        return self.ranked_forms[0][0]

    @property
    def mentions(self) -> int:
        """How often it was mentioned."""
        return sum(self.forms.values())

    @property
    def name(self) -> str:
        """TYPE|id, unique in the graph: a bar in the type is written %7C, and a per cent sign %25."""
        return "{}|{}".format(self.concept.type.replace("%", "%25").replace("|", "%7C"), self.concept.id)


@dataclass
class Edge:
    """A relation between two concepts.

    sentences and documents: how many support it. score: of the best sentence. evidence: the supporting sentences, best
    first, with the best pair of mentions in each; fewer than ``sentences`` where their number is limited. symmetric:
    the predicate has no direction.
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
        """What the edge says."""
        return (self.subject, self.predicate, self.object)

    @property
    def pooled(self) -> float:
        """Noisy-or of all supporting sentences: 1 - prod(1 - score). It takes them for independent."""
        return round(-math.expm1(-self._certainty), 6)

    def add(self, found: Collection[Evidence], limit: Optional[int]) -> None:
        """Add what one document says, a piece of evidence for each sentence, and keep the best."""
        self.documents += 1
        self.sentences += len(found)
        self.score = max(self.score, *(evidence.score for evidence in found))
        self._certainty += sum(_certainty(evidence.score) for evidence in found)
        self.evidence.extend(found)
        # Sorting only now and then makes it cheap
        if limit is not None and len(self.evidence) > 2 * limit:
            self.keep(limit)

    def keep(self, limit: Optional[int]) -> None:
        """Sort the evidence and keep the best."""
        count = len(self.evidence) if limit is None else limit
        self.evidence = heapq.nsmallest(count, self.evidence, key=lambda evidence: (-evidence.score, evidence))


@dataclass
class KnowledgeGraph:
    """Nodes sorted by concept, edges by subject, predicate and object. Every node has an edge."""

    nodes: List[Node]
    edges: List[Edge]


def _certainty(score: float) -> float:
    return round(-math.log1p(-score) / _UNIT) * _UNIT if score < 1 else math.inf
