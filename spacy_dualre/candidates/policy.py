"""What a candidate policy is, and what all policies share: which types may be related, and when relations are equal."""

from collections.abc import Container, Hashable, Iterator, Sequence
from typing import Dict, List, Optional, Protocol, Set, Tuple, Union, runtime_checkable

import numpy
from spacy.tokens import Doc, Span

from ..errors import Errors
from ..types import Candidate, Pair, Pairs, Relation, TypePairs

TypePairSetting = Union[str, List[List[str]]]


@runtime_checkable  # spaCy before 3.8.13 asks whether what a config resolves to is one
class CandidatePolicy(Protocol):
    """What ``[components.dual_encoder_rel.candidates]`` must resolve to."""

    @property
    def type_pairs(self) -> TypePairSetting:
        """Pairs of types: "learn" (those related in the training data), "all", or a list."""

    @property
    def directed(self) -> bool:
        """False if each pair comes once, so that no predicate has a direction."""

    def __call__(self, doc: Doc, mentions: Sequence[Span], type_pairs: TypePairs) -> Iterator[Candidate]:
        """Yield the candidates among distinct mentions in text order. It never sees gold relations."""

    def why_not(self, subject: Span, object: Span, type_pairs: TypePairs) -> Optional[str]:
        """Say in words why two mentions are not a candidate; None if they are one."""

    def pairs(self, subject: Span, object: Span) -> List[Pair]:
        """Return the pairs that a relation between these mentions is about."""

    def pool(self, candidates: Sequence[Candidate], odds: numpy.ndarray) -> Tuple[Sequence[Candidate], numpy.ndarray]:
        """Make one decision per pair from the log odds (P, L) of all candidates of a Doc."""


def check_at_least(low: int, **settings: Optional[int]) -> None:
    """Raise ValueError for the first setting that is not a whole number of at least `low`. None is allowed."""
    for name, value in settings.items():
        if value is not None and (value < low or value != int(value)):
            raise ValueError(Errors.DR002.format(name=name, low=low, value=value))


def check_type_pairs(type_pairs: TypePairSetting) -> None:
    """Raise ValueError unless the setting is "learn", "all" or a list of pairs."""
    if isinstance(type_pairs, str):
        valid = type_pairs in ("learn", "all")
    else:
        valid = bool(type_pairs) and all(len(pair) == 2 and not isinstance(pair, str) for pair in type_pairs)
    if not valid:
        raise ValueError(Errors.DR030.format(value=type_pairs))


def types_allowed(subject: str, object: str, type_pairs: TypePairs, directed: bool) -> bool:
    """Whether a pair of types may be a candidate, in either order if undirected."""
    return type_pairs is None or (subject, object) in type_pairs or (not directed and (object, subject) in type_pairs)


def partners(types: Sequence[str], type_pairs: TypePairs, directed: bool) -> Dict[str, List[int]]:
    """For each type, the numbers of those among `types` that it may be paired with, so that no others are tried."""
    return {
        type: [i for i, other in enumerate(types) if types_allowed(type, other, type_pairs, directed)]
        for type in set(types)
    }


def given_type_pairs(
    setting: TypePairSetting, gold: Sequence[Relation] = (), symmetric: Container[str] = ()
) -> TypePairs:
    """Resolve a policy's `type_pairs` setting; None allows all pairs.

    They are learnt from the gold relations, those of symmetric predicates in both orders; without any, all are allowed.
    """
    if setting == "all":
        return None
    if not isinstance(setting, str):
        return frozenset((subject, object) for subject, object in setting)
    pairs = {(rel.subject.label_, rel.object.label_) for rel in gold}
    pairs |= {(rel.object.label_, rel.subject.label_) for rel in gold if rel.predicate in symmetric}
    return frozenset(pairs) or None


def mention_pairs(subject: Span, object: Span) -> List[Pair]:
    """The pair of these two mentions as character offsets and types, whatever the tokens."""
    one, other = ((span.start_char, span.end_char, span.label_) for span in (subject, object))
    return [(one, other)]


def relation_keys(rel: Relation, undirected: Container[str], pairs: Pairs = mention_pairs) -> Set[Tuple[str, Hashable]]:
    """What makes two relations equal: the predicate with each pair that the relation is about.

    The order of a pair does not count if the predicate is undirected. A relation about no pair, such as one of a
    mention without a concept, is about its mentions, so that it still counts.
    """
    return {
        (rel.predicate, frozenset(pair) if rel.predicate in undirected else pair)
        for pair in pairs(rel.subject, rel.object) or mention_pairs(rel.subject, rel.object)
    }


def pool(
    candidates: Sequence[Candidate], odds: numpy.ndarray, directed: bool
) -> Tuple[Sequence[Candidate], numpy.ndarray]:
    """Pool the P candidates of a Doc: for each predicate the strongest candidate of a pair decides.

    `odds` are log odds (P, L), the negative predicate first; the two orders of a pair are decided apart if `directed`.
    Returns for each of the D distinct pairs the candidate that speaks most for its best predicate, and (D, L).
    """
    rows: Dict[Hashable, List[int]] = {}
    for i, candidate in enumerate(candidates):
        rows.setdefault(candidate.about if directed else frozenset(candidate.about), []).append(i)
    pooled = numpy.array([odds[of_pair].max(axis=0) for of_pair in rows.values()]).reshape(len(rows), odds.shape[1])
    shown = [
        candidates[of_pair[int(odds[of_pair, 1 + row[1:].argmax()].argmax())]]
        for of_pair, row in zip(rows.values(), pooled)
    ]
    return shown, pooled
