"""Pairs of mentions as candidates."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import product
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span

from ..annotations.concepts import Concept, get_concepts, with_concept
from ..annotations.mentions import mention_key, sentence_indices
from ..types import Candidate, Pair, TypePairs
from .policy import CandidatePolicy, TypePairSetting, check_at_least, check_type_pairs, mention_pairs, types_allowed
from .pooling import pool


@dataclass(frozen=True)
class EntityPairs:
    """Ordered pairs of mentions, see `entity_pairs`."""

    max_sentences: Optional[int]
    max_tokens: Optional[int]
    type_pairs: TypePairSetting
    directed: bool
    overlapping: bool
    concepts: bool

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        if self.concepts:
            # A candidate is about one pair
            mentions = [one for mention in mentions for one in _one_for_each_concept(mention)]
        sentence_of = sentence_indices(doc)
        spans = [_sentences(mention, sentence_of) for mention in mentions]
        first = [start for start, _ in spans]
        widest = max((end - start for start, end in spans), default=0)
        for i, subject in enumerate(mentions):
            low, high = 0, len(mentions)
            if self.max_sentences is not None:
                low = bisect_left(first, spans[i][0] - self.max_sentences - widest)
                high = bisect_right(first, spans[i][1] + self.max_sentences)
            for j in range(low if self.directed else max(low, i + 1), high):
                if i != j and self._reason(subject, mentions[j], spans[i], spans[j], type_pairs) is None:
                    yield Candidate(subject, mentions[j])

    def why_not(self, doc: Doc, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        sentence_of = sentence_indices(doc)
        return self._reason(
            subject, object, _sentences(subject, sentence_of), _sentences(object, sentence_of), type_pairs
        )

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        linked = product(_linked(subject), _linked(object)) if self.concepts else ()
        return list(linked) or mention_pairs(subject, object)

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        return pool(candidates, odds, self.pairs, self.directed) if self.concepts else (candidates, odds)

    def _reason(
        self,
        subject: Span,
        object: Span,
        subject_sentences: Tuple[int, int],
        object_sentences: Tuple[int, int],
        type_pairs: TypePairs,
    ) -> Optional[str]:
        if mention_key(subject) == mention_key(object):
            return "subject and object are one mention"
        if not types_allowed(subject.label_, object.label_, type_pairs, self.directed):
            return f"type pair {subject.label_}|{object.label_} not allowed"
        if self.concepts and len(_linked(subject)) == 1 and _linked(subject) == _linked(object):
            return "subject and object are one concept"
        if self.max_sentences is not None:
            apart = max(object_sentences[0] - subject_sentences[1], subject_sentences[0] - object_sentences[1])
            if apart > self.max_sentences:
                return (
                    "other sentence" if self.max_sentences == 0 else f"more than {self.max_sentences} sentences apart"
                )
        between = max(object.start - subject.end, subject.start - object.end)
        if self.max_tokens is not None and between > self.max_tokens:
            return f"more than {self.max_tokens} tokens apart"
        if not self.overlapping and between < 0:
            return "overlapping mentions"
        return None


def entity_pairs(
    max_sentences: Optional[int] = 0,
    max_tokens: Optional[int] = None,
    type_pairs: TypePairSetting = "learn",
    directed: bool = True,
    overlapping: bool = True,
    concepts: bool = False,
) -> CandidatePolicy:
    """Registered as ``spacy-dualre.entity_pairs.v1``: pairs of mentions.

    max_sentences: how many sentences the two may be apart; 0: in the same sentence; None: anywhere in the Doc.
    max_tokens: the most tokens that may stand between the two; None: any number.
    type_pairs: "learn" (the pairs of types that have a relation in the training data), "all", or a list such as
        [["CHEMICAL", "GENE"]].
    directed: both orders of a pair; false: each pair once, the first mention in the text as subject.
    overlapping: whether nested, crossing and identical spans (of different types) may be a pair.
    concepts: a relation between two mentions with an id in ``span.kb_id_`` is one of their concepts. A gold one holds
        for every pair of mentions of the same two concepts, and what is found comes out once, on the mention pair that
        speaks most for it. Mentions without an id stand for themselves, as all do without this setting; in
        `concept_pairs` they stand for their surface form, and few mention pairs for two concepts.
    Raises ValueError for a setting out of range.
    """
    check_at_least(0, max_sentences=max_sentences, max_tokens=max_tokens)
    check_type_pairs(type_pairs)
    return EntityPairs(max_sentences, max_tokens, type_pairs, directed, overlapping, concepts)


def _linked(mention: Span) -> List[Concept]:
    """The concepts that a mention's ids name."""
    return get_concepts(mention) if mention.kb_id_ else []


def _one_for_each_concept(mention: Span) -> List[Span]:
    return [with_concept(mention, concept.id) for concept in _linked(mention)] or [mention]


def _sentences(mention: Span, sentence_of: Sequence[int]) -> Tuple[int, int]:
    return (sentence_of[mention.start], sentence_of[mention.end - 1])
