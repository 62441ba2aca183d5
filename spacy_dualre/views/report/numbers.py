"""Computes the numbers of a report from the outcomes."""

from collections import Counter, defaultdict
from itertools import groupby, zip_longest
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

from ...scoring.counting import Scores, count, score
from ...types import NEGATIVE, Relation
from .outcomes import Item, Outcomes, Place

#: The column for unscored gold relations.
NO_CANDIDATE = "no candidate"


def to_json(outcomes: Outcomes) -> Dict[str, Any]:
    """All numbers of a report."""
    items = outcomes.items
    missed = Counter(item.uncovered for item in items if not item.is_predicted)
    return {
        "documents": outcomes.documents,
        "pairs": outcomes.pairs,
        "all": table(items, lambda rel: "all", ["all"])["all"],
        "false_negatives": {"scored": missed.pop(None, 0), "no_candidate": dict(missed)},
        "confusion": confusion(outcomes),
        "precision_recall": precision_recall(outcomes.scored, sum(item.is_gold for item in items)),
        "per_predicate": table(items, lambda rel: rel.predicate, outcomes.labels),
        "per_type_pair": table(items, lambda rel: f"{rel.subject.label_}|{rel.object.label_}"),
    }


def table(items: Sequence[Item], group: Callable[[Relation], str], groups: Iterable[str] = ()) -> Scores:
    """P, R and F1 (0 to 1) with counts for each group of relations, and for the given groups in any case.

    Gold relations without a candidate are false negatives.
    """
    keys = [(group(item.relation), i) for i, item in enumerate(items)]
    gold = [key for key, item in zip(keys, items) if item.is_gold]
    predicted = [key for key, item in zip(keys, items) if item.is_predicted]
    names = sorted({*groups, *(name for name, _ in keys)})
    return score(count(gold, predicted, names), names)["per_type"]


def confusion(outcomes: Outcomes) -> Dict[str, Any]:
    """Count pairs by gold predicate (rows) and predicted predicate (columns).

    If a place has several gold or predicted predicates, the correct ones are counted first, the others paired off. The
    last column is for gold relations without a candidate, the last rows are for predicates unknown to the pipeline.
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


def precision_recall(scored: Iterable[Tuple[float, bool]], n_gold: int) -> List[Dict[str, float]]:
    """Precision and recall at each threshold that finds another gold relation, in descending order.

    Recall may stay below 1, as gold relations without a candidate are never found.
    """
    points: List[Dict[str, float]] = []
    found = correct = 0
    for threshold, tied in groupby(sorted(scored, reverse=True), key=lambda one: one[0]):
        gold = [is_gold for _, is_gold in tied]
        found += len(gold)
        correct += sum(gold)
        if any(gold):
            points.append({"threshold": threshold, "p": correct / found, "r": correct / n_gold})
    return points
