"""Which (subject, object) pairs of a Doc are asked for. Policies are registered and never see gold relations."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import product
from typing import (
    Container,
    Hashable,
    Iterable,
    Iterator,
    List,
    Optional,
    Protocol,
    Sequence,
    Set,
    Tuple,
    Union,
)

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from .concepts import Concept, get_concepts, with_concept
from .errors import Errors
from .extension import get_rels
from .pooling import pool
from .types import NEGATIVE, Candidate, Pair, Pairs, Relation, TypePairs

#: Key in ``doc.user_data``: (start, stop) of the candidates that count, where a batcher has shared a Doc out.
CANDIDATE_RANGE = "spacy_dualre_candidate_range"
TypePairSetting = Union[str, List[List[str]]]


class CandidatePolicy(Protocol):
    """What ``[components.dual_encoder_rel.candidates]`` must resolve to."""

    @property
    def type_pairs(self) -> TypePairSetting:
        """Pairs of types: "learn" (those with a relation in the training data), "all", or a list of them."""
        ...

    @property
    def directed(self) -> bool:
        """False: each pair of mentions comes once, so no predicate has a direction."""
        ...

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        """The candidates among the mentions, which are distinct and in text order. type_pairs None: no restriction."""
        ...

    def why_not(self, doc: Doc, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        """The reason why this pair of mentions is no candidate, in words; None if it is one."""
        ...

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        """What a relation between these mentions is about; a candidate is about one pair."""
        ...

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        """One decision for each pair that the candidates of a Doc are about, from their log odds (P, L)."""
        ...


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


def check_at_least(low: int, **settings: Optional[int]) -> None:
    """Raises ValueError naming the first setting that is no whole number of at least low; None is let pass."""
    for name, value in settings.items():
        if value is not None and (value < low or value != int(value)):
            raise ValueError(Errors.DR003.format(name=name, low=low, value=value))


def check_type_pairs(type_pairs: TypePairSetting) -> None:
    """Raises ValueError where the setting is none of what it may be."""
    if isinstance(type_pairs, str):
        valid = type_pairs in ("learn", "all")
    else:
        valid = bool(type_pairs) and all(len(pair) == 2 and not isinstance(pair, str) for pair in type_pairs)
    if not valid:
        raise ValueError(Errors.DR005.format(value=type_pairs))


def types_allowed(subject: str, object: str, type_pairs: TypePairs, directed: bool) -> bool:
    """Whether a pair of types may be a candidate; in either order if it has no direction."""
    if type_pairs is None or (subject, object) in type_pairs:
        return True
    return not directed and (object, subject) in type_pairs


def get_mentions(doc: Doc, spans_key: Optional[str]) -> List[Span]:
    """The distinct mentions of a Doc in text order: the span group spans_key, or ``doc.ents`` where there is no such
    group, so that what was trained on span groups also reads what an NER finds.
    """
    spans = doc.spans[spans_key] if spans_key in doc.spans else doc.ents
    distinct = {mention_key(span): span for span in spans if span.start < span.end}
    return [distinct[key] for key in sorted(distinct)]


def mention_key(span: Span) -> Tuple[int, int, str]:
    """What makes a mention: token offsets and type. Sorts in text order."""
    return (span.start, span.end, span.label_)


def mention_pairs(subject: Span, object: Span) -> List[Pair]:
    """The one pair of these mentions: character offsets and types, whatever the tokens."""
    one, other = ((span.start_char, span.end_char, span.label_) for span in (subject, object))
    return [(one, other)]


def relation_keys(rel: Relation, undirected: Container[str], pairs: Pairs = mention_pairs) -> Set[Tuple[str, Hashable]]:
    """What makes two relations the same, for each of the pairs that it is about: the predicate and the pair, in either
    order if the predicate has no direction. One that is about none, such as one of a mention without a concept, is
    about its mentions: it counts.
    """
    return {
        (rel.predicate, frozenset(pair) if rel.predicate in undirected else pair)
        for pair in pairs(rel.subject, rel.object) or mention_pairs(rel.subject, rel.object)
    }


def sentence_indices(doc: Doc) -> List[int]:
    """For each token the number of its sentence; all 0 where the Doc has no sentence boundaries."""
    if not doc.has_annotation("SENT_START"):
        return [0] * len(doc)
    indices, current = [], -1
    for token in doc:
        current += bool(token.is_sent_start) or current < 0
        indices.append(current)
    return indices


def given_type_pairs(
    setting: TypePairSetting, gold: Iterable[Relation] = (), symmetric: Container[str] = ()
) -> TypePairs:
    """The restriction that a policy's setting means; None: no restriction.

    gold and its symmetric predicates are read for "learn" alone; where there is no gold relation, nothing is
    restricted.
    """
    if setting == "all":
        return None
    if not isinstance(setting, str):
        return frozenset((subject, object) for subject, object in setting)
    pairs = set()
    for rel in gold:
        pairs.add((rel.subject.label_, rel.object.label_))
        if rel.predicate in symmetric:
            pairs.add((rel.object.label_, rel.subject.label_))
    return frozenset(pairs) or None


def get_corpus(doc: Doc) -> Optional[str]:
    """The corpus that a Doc says it is from, as converted ones do; what is no text is a note of the user's own."""
    corpus = doc.user_data.get("corpus")
    return corpus if isinstance(corpus, str) else None


def gold_relations(example: Example) -> List[Relation]:
    """The reference's relations, without those that say that there is none."""
    return [rel for rel in get_rels(example.reference) if rel.predicate != NEGATIVE]


def _linked(mention: Span) -> List[Concept]:
    """The concepts that a mention's ids name."""
    return get_concepts(mention) if mention.kb_id_ else []


def _one_for_each_concept(mention: Span) -> List[Span]:
    return [with_concept(mention, concept.id) for concept in _linked(mention)] or [mention]


def _sentences(mention: Span, sentence_of: Sequence[int]) -> Tuple[int, int]:
    return (sentence_of[mention.start], sentence_of[mention.end - 1])
