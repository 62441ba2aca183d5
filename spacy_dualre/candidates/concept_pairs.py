"""Candidates and decisions of a whole document: pairs of concepts, seen through their closest mentions."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span

from ..annotations.concepts import Concept, closest_pairs, get_concepts, tokens_between, with_concept
from ..annotations.mentions import sentence_indices
from ..errors import Errors
from ..types import Candidate, Pair, TypePairs
from .policy import CandidatePolicy, TypePairSetting, check_at_least, check_type_pairs, types_allowed
from .pooling import POOLINGS, pool


@dataclass(frozen=True)
class ConceptPairs:
    """Pairs of concepts, see `concept_pairs`."""

    mention_pairs: int
    pooling: str
    max_tokens: Optional[int]
    type_pairs: TypePairSetting
    directed: bool
    self_pairs: bool

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        mentions_of: Dict[Concept, List[Span]] = {}
        for mention in mentions:
            for concept in get_concepts(mention):
                mentions_of.setdefault(concept, []).append(_standing_for(mention, concept))
        concepts = list(mentions_of)
        sentence_of = sentence_indices(doc)
        for i, first in enumerate(concepts):
            for second in concepts[i if self.self_pairs else i + 1 :]:
                # In either order: which one a mention pair has in the text is not known yet
                if not types_allowed(first.type, second.type, type_pairs, directed=False):
                    continue
                sides = mentions_of[first], mentions_of[second]
                for one, other in closest_pairs(*sides, self.mention_pairs, sentence_of, self.max_tokens):
                    subject, object = sorted((one, other), key=lambda mention: (mention.start, mention.end))
                    for candidate in [(subject, object), (object, subject)] if self.directed else [(subject, object)]:
                        if types_allowed(candidate[0].label_, candidate[1].label_, type_pairs, self.directed):
                            yield Candidate(*candidate)

    def why_not(self, doc: Doc, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        if not types_allowed(subject.label_, object.label_, type_pairs, self.directed):
            return f"type pair {subject.label_}|{object.label_} not allowed"
        subjects, objects = get_concepts(subject), get_concepts(object)
        if not subjects or not objects:
            return "mention without a concept"
        if len({*subjects, *objects}) == 1 and not self.self_pairs:
            return "subject and object are one concept"
        if (subject.start, subject.end) == (object.start, object.end):
            return "subject and object are one mention"
        if self.max_tokens is not None and tokens_between(subject, object) > self.max_tokens:
            return f"closest mentions more than {self.max_tokens} tokens apart"
        return None

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        return [(one, other) for one in get_concepts(subject) for other in get_concepts(object)]

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        return pool(candidates, odds, self.pairs, self.directed, self.pooling)


def concept_pairs(
    mention_pairs: int = 3,
    pooling: str = "max",
    max_tokens: Optional[int] = None,
    type_pairs: TypePairSetting = "learn",
    directed: bool = False,
    self_pairs: bool = False,
) -> CandidatePolicy:
    """Registered as ``spacy-dualre.concept_pairs.v1``: pairs of the concepts of a document, for relations that are
    annotated between concepts and not at a place.

    A concept is a type with one of the ids in ``span.kb_id_`` (commas separate several), or with the surface form in
    lower case where there is none; a mention whose kb_id is "-" or "NIL" stands for no concept. Each pair of concepts
    is asked for by its closest mention pairs, in one sentence or not; their decisions are pooled into one relation, of
    the mention pair that speaks most for it. `Doc._.concept_rels` gives the triples of concepts.

    mention_pairs: how many of the closest mention pairs (fewest sentences apart, then fewest tokens between) stand for
        a pair of concepts.
    pooling: "max" (the surest mention pair decides) or "noisy-or" (each adds to it: 1 - product of (1 - p)).
    max_tokens: the most tokens that may stand between two mentions; None: any number. Text that does not fit into the
        encoder between two distant mentions is left out; both mentions always stay.
    type_pairs: as in `entity_pairs`.
    directed: both orders of a pair; false: each pair once, no predicate has a direction.
    self_pairs: whether a concept may be related to itself, through two of its mentions.
    Raises ValueError for a setting out of range.
    """
    check_at_least(1, mention_pairs=mention_pairs)
    check_at_least(0, max_tokens=max_tokens)
    check_type_pairs(type_pairs)
    if pooling not in POOLINGS:
        raise ValueError(Errors.DR004.format(name="pooling", value=pooling, known=", ".join(POOLINGS)))
    return ConceptPairs(mention_pairs, pooling, max_tokens, type_pairs, directed, self_pairs)


def _standing_for(mention: Span, concept: Concept) -> Span:
    return with_concept(mention, concept.id) if mention.kb_id_ else mention
