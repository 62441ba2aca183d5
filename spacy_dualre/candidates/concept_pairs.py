"""Pairs of the concepts of a whole document as candidates, seen through their closest mentions."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span

from ..annotations.concepts import Concept, closest_pairs, get_concepts
from ..annotations.mentions import mention_key, sentence_indices
from ..types import Candidate, Pair, TypePairs
from .policy import TypePairSetting, check_at_least, check_type_pairs, partners, pool, types_allowed


@dataclass(frozen=True)
class ConceptPairs:
    """Registered as ``spacy-dualre.concept_pairs.v1``: pairs of concepts, for relations annotated per document.

    A concept is a type with one of the ids in ``span.kb_id_`` (commas separate several) or, for mentions without an id,
    with the surface form in lower case; a mention whose kb_id is "-" or "NIL" has no concept. Each pair of concepts is
    represented by its closest mention pairs, in one sentence or not. Their decisions are pooled into one relation, on
    the mention pair that speaks most for it. `Doc._.concept_rels` gives the triples of concepts.

    Args:
        mention_pairs: How many of the closest mention pairs (fewest sentences apart, then fewest tokens between)
            represent a pair of concepts. The strongest of them decides.
        max_tokens: The most tokens between two mentions; None for any number. Text between distant mentions that does
            not fit into the encoder is left out; both mentions always stay.
        type_pairs: As in `EntityPairs`.
        directed: Ask for both orders of a pair. If false, each pair comes once and no predicate has a direction.

    Raises:
        ValueError: A setting is out of range.
    """

    mention_pairs: int = 3
    max_tokens: Optional[int] = None
    type_pairs: TypePairSetting = "learn"
    directed: bool = False

    def __post_init__(self) -> None:
        check_at_least(1, mention_pairs=self.mention_pairs)
        check_at_least(0, max_tokens=self.max_tokens)
        check_type_pairs(self.type_pairs)

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        mentions_of: Dict[Concept, List[Span]] = {}
        for mention in mentions:
            for concept in get_concepts(mention):
                mentions_of.setdefault(concept, []).append(mention)
        sentence_of = sentence_indices(doc)
        concepts = list(mentions_of)
        # Which concept comes first in the text depends on the mention pair
        partners_of = partners([concept.type for concept in concepts], type_pairs, directed=False)
        pairs = ((one, concepts[j]) for i, one in enumerate(concepts) for j in partners_of[one.type] if i < j)
        for pair in pairs:
            sides = mentions_of[pair[0]], mentions_of[pair[1]]
            for one, other in closest_pairs(*sides, self.mention_pairs, sentence_of, self.max_tokens):
                orders = [Candidate(one, other, pair), Candidate(other, one, pair[::-1])]
                orders.sort(key=lambda candidate: mention_key(candidate.subject))
                for candidate in orders if self.directed else orders[:1]:
                    types = candidate.subject.label_, candidate.object.label_
                    if types_allowed(*types, type_pairs, self.directed):
                        yield candidate

    def why_not(self, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        if not types_allowed(subject.label_, object.label_, type_pairs, self.directed):
            return f"type pair {subject.label_}|{object.label_} not allowed"
        subjects, objects = get_concepts(subject), get_concepts(object)
        if not subjects or not objects:
            return "mention without a concept"
        if len({*subjects, *objects}) == 1:
            return "subject and object are one concept"
        if (subject.start, subject.end) == (object.start, object.end):
            return "subject and object are one mention"
        between = max(object.start - subject.end, subject.start - object.end)
        if self.max_tokens is not None and between > self.max_tokens:
            return f"closest mentions more than {self.max_tokens} tokens apart"
        return None

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        return [(one, other) for one in get_concepts(subject) for other in get_concepts(object)]

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        return pool(candidates, odds, self.directed)


#: The name that configs and Python use.
concept_pairs = ConceptPairs
