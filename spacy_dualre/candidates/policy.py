"""What a candidate policy is, and what all share: which types may be related, when two relations are the same."""

from typing import Container, Hashable, Iterable, Iterator, List, Optional, Protocol, Sequence, Set, Tuple, Union

import numpy
from spacy.tokens import Doc, Span

from ..errors import Errors
from ..types import Candidate, Pair, Pairs, Relation, TypePairs

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


def check_at_least(low: int, **settings: Optional[int]) -> None:
    """Raises ValueError naming the first setting that is no whole number of at least low; None is let pass."""
    for name, value in settings.items():
        if value is not None and (value < low or value != int(value)):
            raise ValueError(Errors.DR002.format(name=name, low=low, value=value))


def check_type_pairs(type_pairs: TypePairSetting) -> None:
    """Raises ValueError where the setting is none of what it may be."""
    if isinstance(type_pairs, str):
        valid = type_pairs in ("learn", "all")
    else:
        valid = bool(type_pairs) and all(len(pair) == 2 and not isinstance(pair, str) for pair in type_pairs)
    if not valid:
        raise ValueError(Errors.DR030.format(value=type_pairs))


def types_allowed(subject: str, object: str, type_pairs: TypePairs, directed: bool) -> bool:
    """Whether a pair of types may be a candidate; in either order if it has no direction."""
    if type_pairs is None or (subject, object) in type_pairs:
        return True
    return not directed and (object, subject) in type_pairs


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
