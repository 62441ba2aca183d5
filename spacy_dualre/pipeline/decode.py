"""Scores -> relations."""

from itertools import groupby
from typing import Any, Container, Dict, Hashable, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple, Union

import numpy
from thinc.api import get_array_module
from thinc.types import Floats2d

from ..annotations.mentions import mention_key
from ..candidates.policy import mention_pairs, relation_keys
from ..types import Candidate, Pairs, Relation, RelScores

PREDICTIONS = ("similarity", "classifier", "joint")
Threshold = Union[float, Dict[str, float]]
#: What a config may say: pairs in place of a dict, because a config's keys cannot hold a colon, as CPR:3 does.
ThresholdSetting = Union[float, Dict[str, float], List[List[Union[str, float]]]]
#: The key of a threshold dict for every predicate that it does not name.
OTHER = "*"


def log_odds(scores: RelScores, prediction: str, alpha: float) -> Floats2d:
    """(P, L) how far each predicate's score lies above the negative one's, column 0; -inf for impossible predicates.

    The best predicate above 0 is the paper's arg max. prediction: which head's scores are taken; "joint" weighs the
    classifier's by alpha and the similarity by 1 - alpha (their softmaxes' normalisers cancel in the difference).
    Predicates that the classifier does not know are judged by similarity alone.
    """
    xp = get_array_module(scores.similarity)
    odds = scores.similarity - scores.similarity[:, :1]
    if prediction != "similarity":
        weight = alpha if prediction == "joint" else 1.0
        known = scores.logits.shape[1]
        classified = scores.logits - scores.logits[:, :1]
        odds = xp.concatenate([weight * classified + (1 - weight) * odds[:, :known], odds[:, known:]], axis=1)
    return xp.where(scores.mask, odds, -xp.inf)


def probabilities(odds: Floats2d) -> Floats2d:
    """1 / (1 + exp(-odds)): the probability of a predicate against the negative one. 0 for impossible predicates."""
    xp = get_array_module(odds)
    return xp.where(odds == -xp.inf, 0.0, 1 / (1 + xp.exp(-xp.clip(odds, -80, 80))))


def decode(
    candidates: Sequence[Candidate],
    odds: Any,
    labels: Sequence[str],
    thresholds: Sequence[float],
    symmetric: Set[str],
    multi_label: bool,
) -> List[Relation]:
    """The relations among the candidates, which may be of several Docs.

    odds: (P, L) from `log_odds`, on the CPU. labels: L, the negative one first. thresholds: L probabilities.
    multi_label: every predicate that reaches its threshold, not only the best. A symmetric predicate comes out with the
    first mention in the text as its subject, once for each direction that has it: `best_of_each` joins them.
    """
    probs = probabilities(odds)
    chosen = (probs > 0) & (probs >= numpy.asarray(thresholds))
    chosen[:, 0] = False
    if not multi_label:
        # Sure predicates have the same probability, 1.0, in floating point: the best one is found by the odds.
        best = numpy.zeros_like(chosen)
        best[numpy.arange(len(odds)), 1 + odds[:, 1:].argmax(axis=1)] = True
        chosen &= best
    return [
        canonical(
            Relation(candidates[row].subject, labels[column], candidates[row].object, float(probs[row, column])),
            symmetric,
        )
        for row, column in numpy.argwhere(chosen)
    ]


def by_doc(slices: Iterable[Tuple[List[Candidate], Any]]) -> Iterator[Tuple[List[Candidate], Any]]:
    """Slices of candidates that come Doc by Doc, with their log odds -> all those of each Doc, one Doc at a time."""
    pieces = (piece for chunk, odds in slices for piece in _runs(chunk, odds))
    for _, of_doc in groupby(pieces, key=lambda piece: piece[0]):
        candidates: List[Candidate] = []
        rows: List[Any] = []
        for _, some, odds in of_doc:
            candidates.extend(some)
            rows.append(odds)
        yield candidates, numpy.concatenate(rows)


def _runs(chunk: List[Candidate], odds: Any) -> Iterator[Tuple[int, List[Candidate], Any]]:
    start = 0
    for doc, run in groupby(chunk, key=lambda candidate: id(candidate.subject.doc)):
        candidates = list(run)
        yield doc, candidates, odds[start : start + len(candidates)]
        start += len(candidates)


def best_of_each(
    rels: Iterable[Relation], symmetric: Container[str] = (), pairs: Pairs = mention_pairs
) -> List[Relation]:
    """The distinct relations among the decisions of one Doc, each with its best score.

    pairs: what each is about, exactly one pair (`CandidatePolicy.pairs`); of a symmetric predicate in either order.
    """
    best: Dict[Hashable, Relation] = {}
    for rel in rels:
        (key,) = relation_keys(rel, symmetric, pairs)
        if key not in best or best[key].score < rel.score:
            best[key] = rel
    return list(best.values())


def canonical(rel: Relation, symmetric: Iterable[str]) -> Relation:
    """The relation with its first mention in the text as subject, if its predicate is symmetric."""
    if rel.predicate in symmetric and mention_key(rel.object) < mention_key(rel.subject):
        return rel._replace(subject=rel.object, object=rel.subject)
    return rel


def as_threshold(setting: ThresholdSetting) -> Threshold:
    """The threshold that a setting means."""
    if not isinstance(setting, list):
        return setting
    return {str(label): float(value) for label, value in setting}


def threshold_row(
    threshold: Union[float, Mapping[str, float]], labels: Sequence[str], default: float = 0.5
) -> List[float]:
    """One threshold for each label, from a number or a dict per predicate."""
    if isinstance(threshold, (int, float)):
        return [float(threshold)] * len(labels)
    return [float(threshold.get(label, threshold.get(OTHER, default))) for label in labels]
