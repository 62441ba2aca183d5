"""Computes the numbers of a report from the outcomes."""

import math
from collections import Counter, defaultdict
from itertools import groupby, zip_longest
from statistics import fmean
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

from spacy.scorer import PRFScore

from ...annotations.concepts import tokens_between
from ...annotations.mentions import sentence_indices
from ...types import NEGATIVE, Relation
from .outcomes import Item, Outcomes, Place, Scored

#: The column for unscored gold relations.
NO_CANDIDATE = "no candidate"
#: Bins of distances and sentence lengths in tokens, by upper end.
_TOKENS = {0: "0", 5: "1 to 5", 10: "6 to 10", 20: "11 to 20", 40: "21 to 40", math.inf: "more than 40"}
_LENGTHS = {10: "0 to 10", 20: "11 to 20", 30: "21 to 30", 40: "31 to 40", 60: "41 to 60", math.inf: "more than 60"}
#: Bins of the calibration.
_BINS = 10


def to_json(outcomes: Outcomes) -> Dict[str, Any]:
    """All numbers of a report."""
    items = outcomes.items
    missed = [item for item in items if item.is_gold and not item.is_predicted]
    curve = precision_recall(outcomes.scored, sum(item.is_gold for item in items))
    return {
        "documents": outcomes.documents,
        "pairs": outcomes.pairs,
        "all": prf(items),
        "false_negatives": {
            "scored": sum(item.uncovered is None for item in missed),
            "no_candidate": dict(Counter(item.uncovered for item in missed if item.uncovered is not None)),
        },
        "confusion": confusion(outcomes),
        "precision_recall": {"points": curve, "average_precision": average_precision(curve)},
        "calibration": calibrate(outcomes.scored),
        "per_type_pair": table(items, lambda rel: f"{rel.subject.label_}|{rel.object.label_}"),
        "per_tokens_between": table(items, token_distance, _TOKENS.values()),
        "per_sentences_apart": table(items, sentence_distance),
        "per_sentence_length": table(items, sentence_length, _LENGTHS.values()),
    }


def prf(items: Iterable[Item]) -> Dict[str, float]:
    """P, R and F (0 to 1) with counts, where gold relations without a candidate are false negatives."""
    score = PRFScore()
    for item in items:
        score.tp += item.is_gold and item.is_predicted
        score.fp += not item.is_gold
        score.fn += not item.is_predicted
    counts = {"correct": score.tp, "predicted": score.tp + score.fp, "gold": score.tp + score.fn}
    return {**score.to_dict(), **counts}


def confusion(outcomes: Outcomes) -> Dict[str, Any]:
    """Count pairs by gold predicate (rows) and predicted predicate (columns).

    If a place has several gold or predicted predicates, the correct ones are counted first, the others paired off. The
    first row and column are the negative predicate's, the last column that of gold relations without a candidate, and
    the last rows those of predicates unknown to the pipeline.
    """
    rows = [NEGATIVE, *outcomes.labels]
    columns = [*rows, NO_CANDIDATE]
    counts: Counter = Counter()
    mistakes: Dict[Place, Tuple[List[str], List[str]]] = defaultdict(lambda: ([], []))
    for item in outcomes.items:
        predicate = item.relation.predicate
        if item.uncovered is not None:
            counts[predicate, NO_CANDIDATE] += 1
        elif item.is_gold and item.is_predicted:
            counts[predicate, predicate] += 1
        else:
            mistakes[item.place][not item.is_gold].append(predicate)
    for gold, predicted in mistakes.values():
        counts.update(zip_longest(gold, predicted, fillvalue=NEGATIVE))
    busy = {item.place for item in outcomes.items if item.uncovered is None}
    counts[NEGATIVE, NEGATIVE] = max(outcomes.pairs - len(busy), 0)
    rows += sorted({gold for gold, _ in counts} - set(rows))
    return {"rows": rows, "columns": columns, "counts": [[counts[row, column] for column in columns] for row in rows]}


def precision_recall(scored: Iterable[Scored], n_gold: int) -> List[Dict[str, float]]:
    """Precision and recall at each threshold that finds another gold relation, in descending order.

    Recall may stay below 1, as gold relations without a candidate are never found.
    """
    points: List[Dict[str, float]] = []
    found = correct = 0
    ranked = sorted(scored, key=lambda one: -one.probability)
    for threshold, tied in groupby(ranked, key=lambda one: one.probability):
        gold = [one.is_gold for one in tied]
        found += len(gold)
        correct += sum(gold)
        if any(gold):
            points.append({"threshold": threshold, "p": correct / found, "r": correct / n_gold, "correct": correct})
    return points


def average_precision(points: Sequence[Dict[str, float]]) -> float:
    """The mean precision over all gold relations, 0 for those that no threshold finds."""
    before = [0.0, *(point["r"] for point in points)]
    return sum(point["p"] * (point["r"] - r) for point, r in zip(points, before))


def calibrate(scored: Iterable[Scored]) -> Dict[str, Any]:
    """Compare probabilities with the share of gold in bins of equal width.

    Returns:
        "bins" with size "n", mean "probability" and share of "gold"; and "error", the expected calibration error: the
        mean distance of the two, weighted by n (Guo et al., 2017).
    """

    def bin_of(one: Scored) -> int:
        return min(int(one.probability * _BINS), _BINS - 1)

    bins = []
    for _, group in groupby(sorted(scored, key=bin_of), key=bin_of):
        members = list(group)
        mean, gold = fmean(one.probability for one in members), fmean(one.is_gold for one in members)
        bins.append({"n": len(members), "probability": mean, "gold": gold})
    total = sum(one["n"] for one in bins)
    return {"bins": bins, "error": sum(one["n"] / total * abs(one["probability"] - one["gold"]) for one in bins)}


def table(items: Sequence[Item], group: Callable[[Relation], str], order: Iterable[str] = ()) -> List[Dict[str, Any]]:
    """P, R and F of each group of relations, in the given order or sorted by name."""
    groups: Dict[str, List[Item]] = defaultdict(list)
    for item in items:
        groups[group(item.relation)].append(item)
    return [{"group": name, **prf(groups[name])} for name in order or sorted(groups) if name in groups]


def token_distance(rel: Relation) -> str:
    """The bin of the number of tokens between the mentions."""
    return _bin(tokens_between(rel.subject, rel.object), _TOKENS)


def sentence_distance(rel: Relation) -> str:
    """The distance of the mentions in sentences."""
    sentence_of = sentence_indices(rel.subject.doc)
    first, second = sorted((rel.subject, rel.object), key=lambda span: (span.start, span.end))
    return str(max(sentence_of[second.start] - sentence_of[first.end - 1], 0))


def sentence_length(rel: Relation) -> str:
    """The bin of the number of tokens in the subject's sentence."""
    sentence_of = sentence_indices(rel.subject.doc)
    return _bin(sentence_of.count(sentence_of[rel.subject.start]), _LENGTHS)


def _bin(value: int, bins: Mapping[float, str]) -> str:
    return next(name for end, name in bins.items() if value <= end)
