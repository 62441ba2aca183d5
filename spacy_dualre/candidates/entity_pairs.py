"""Pairs of mentions as candidates."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import product
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc, Span

from ..annotations.concepts import get_concepts
from ..annotations.mentions import mention_key, sentence_indices
from ..types import Candidate, Pair, TypePairs
from .policy import TypePairSetting, check_at_least, check_type_pairs, mention_pairs, partners, pool, types_allowed


@dataclass(frozen=True)
class EntityPairs:
    """Registered as ``spacy-dualre.entity_pairs.v1``: pairs of mentions.

    Args:
        max_sentences: How many sentences apart the two may be: 0 for the same sentence, None for anywhere in the Doc.
        max_tokens: The most tokens between the two; None for any number.
        type_pairs: "learn" (pairs of types that are related in the training data), "all", or a list such as
            [["CHEMICAL", "GENE"]].
        directed: Ask for both orders of a pair. If false, each pair comes once with the first mention as subject.
        overlapping: Whether nested, crossing and identical spans (of different types) may be a pair.
        concepts: A relation between two mentions with an id in ``span.kb_id_`` is one between their concepts. A gold
            relation then holds for every mention pair of the same two concepts, and a predicted one comes out once,
            on the mention pair that speaks most for it. Mentions without an id stand for themselves, as all do
            without this setting. See `ConceptPairs` for whole documents.

    Raises:
        ValueError: A setting is out of range.
    """

    max_sentences: Optional[int] = 0
    max_tokens: Optional[int] = None
    type_pairs: TypePairSetting = "learn"
    directed: bool = True
    overlapping: bool = True
    concepts: bool = False

    def __post_init__(self) -> None:
        check_at_least(0, max_sentences=self.max_sentences, max_tokens=self.max_tokens)
        check_type_pairs(self.type_pairs)

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        sentence_of = sentence_indices(doc)
        first = [sentence_of[mention.start] for mention in mentions]
        last = [sentence_of[mention.end - 1] for mention in mentions]
        widest = max((end - start for start, end in zip(first, last)), default=0)
        partners_of = partners([mention.label_ for mention in mentions], type_pairs, self.directed)
        for i, subject in enumerate(mentions):
            of_type = partners_of[subject.label_]
            low, high = 0 if self.directed else i + 1, len(mentions)
            if self.max_sentences is not None:
                low = max(low, bisect_left(first, first[i] - self.max_sentences - widest))
                high = bisect_right(first, last[i] + self.max_sentences)
            for j in of_type[bisect_left(of_type, low) : bisect_left(of_type, high)]:
                if i != j and self._reason(subject, mentions[j], sentence_of, type_pairs) is None:
                    for pair in self._distinct_pairs(subject, mentions[j]):
                        yield Candidate(subject, mentions[j], pair)

    def why_not(self, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        return self._reason(subject, object, sentence_indices(subject.doc), type_pairs)

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        # A mention without an id has no linked concept
        one, other = (get_concepts(m) if self.concepts and m.kb_id_ else [] for m in (subject, object))
        return list(product(one, other)) or mention_pairs(subject, object)

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        return pool(candidates, odds, self.directed) if self.concepts else (candidates, odds)

    def _distinct_pairs(self, subject: Span, object: Span) -> List[Pair]:
        return [pair for pair in self.pairs(subject, object) if pair[0] != pair[1]]

    def _reason(self, subject: Span, object: Span, sentence_of: Sequence[int], type_pairs: TypePairs) -> Optional[str]:
        if mention_key(subject) == mention_key(object):
            return "subject and object are one mention"
        if not types_allowed(subject.label_, object.label_, type_pairs, self.directed):
            return f"type pair {subject.label_}|{object.label_} not allowed"
        if self.concepts and not self._distinct_pairs(subject, object):
            return "subject and object are one concept"
        first, last = (subject, object) if subject.start <= object.start else (object, subject)
        apart = sentence_of[last.start] - sentence_of[first.end - 1]
        if self.max_sentences is not None and apart > self.max_sentences:
            return "other sentence" if not self.max_sentences else f"more than {self.max_sentences} sentences apart"
        between = last.start - first.end
        if self.max_tokens is not None and between > self.max_tokens:
            return f"more than {self.max_tokens} tokens apart"
        if not self.overlapping and between < 0:
            return "overlapping mentions"
        return None


#: The name that configs and Python use.
entity_pairs = EntityPairs
