"""The numbers of a report, from the outcomes. Nothing here draws."""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Tuple

from spacy.scorer import PRFScore

from ...annotations.concepts import tokens_between
from ...annotations.mentions import sentence_indices
from ...types import NEGATIVE, Relation
from .outcomes import Item, Outcomes, Scored

#: The column of gold relations that were not asked for.
NO_CANDIDATE = "no candidate"
_TOKENS = (0, 5, 10, 20, 40)
_LENGTHS = (10, 20, 30, 40, 60)
_BINS = 10


class Calibration(NamedTuple):
    """Bins of equal width. Each: n, mean probability, and how many of it are gold (0 to 1). error: the expected
    calibration error, the mean distance of the two, weighed by n (Guo et al., 2017).
    """

    bins: List[Dict[str, float]]
    error: float


def to_json(outcomes: Outcomes) -> Dict[str, Any]:
    """All numbers of a report."""
    items = outcomes.items
    missed = [item for item in items if item.is_gold and not item.is_predicted]
    calibration = calibrate(outcomes.scored)
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
        "calibration": calibration._asdict(),
        "per_type_pair": table(items, type_pair),
        "per_tokens_between": table(items, token_distance, _names(_TOKENS)),
        "per_sentences_apart": table(items, sentence_distance),
        "per_sentence_length": table(items, sentence_length, _names(_LENGTHS)),
    }


def prf(items: Iterable[Item]) -> Dict[str, float]:
    """P, R and F (0 to 1) with counts. Gold relations without a candidate are false negatives."""
    score = PRFScore()
    for item in items:
        score.tp += item.is_gold and item.is_predicted
        score.fp += not item.is_gold
        score.fn += not item.is_predicted
    counts = {"right": score.tp, "predicted": score.tp + score.fp, "gold": score.tp + score.fn}
    # spaCy adds 1e-100 to every denominator
    return {"p": score.precision, "r": score.recall, "f": score.fscore, **counts}


def confusion(outcomes: Outcomes) -> Dict[str, Any]:
    """Counts: a row for each gold, a column for each predicted predicate, both with the negative one, and a column for
    gold relations without a candidate.

    A place with several gold or predicted predicates counts the right ones first, then the others one against one.
    """
    rows = [NEGATIVE, *outcomes.labels]
    columns = [*rows, NO_CANDIDATE]
    counts: Counter = Counter()
    places: Dict[Any, Tuple[List[str], List[str]]] = {}
    for item in outcomes.items:
        predicate = item.relation.predicate
        if item.is_gold and item.is_predicted:
            counts[predicate, predicate] += 1
        elif item.uncovered is not None:
            counts[predicate, NO_CANDIDATE] += 1
        else:
            places.setdefault(item.place, ([], []))[not item.is_gold].append(predicate)
    for gold, predicted in places.values():
        for i in range(max(len(gold), len(predicted))):
            counts[gold[i] if i < len(gold) else NEGATIVE, predicted[i] if i < len(predicted) else NEGATIVE] += 1
    busy = {item.place for item in outcomes.items if item.uncovered is None}
    counts[NEGATIVE, NEGATIVE] = max(outcomes.pairs - len(busy), 0)
    rows += sorted({gold for gold, _ in counts} - set(rows))
    return {"rows": rows, "columns": columns, "counts": [[counts[row, column] for column in columns] for row in rows]}


def precision_recall(scored: Sequence[Scored], n_gold: int) -> List[Dict[str, float]]:
    """Precision and recall at every threshold at which one more gold relation is found, from the highest on. Gold
    relations without a candidate are never found, so the recall may not reach 1.
    """
    points: List[Dict[str, float]] = []
    found = right = 0
    ranked = sorted(scored, key=lambda one: -one.probability)
    for i, one in enumerate(ranked):
        found += 1
        right += one.is_gold
        # Equal probabilities are found together
        if i + 1 < len(ranked) and ranked[i + 1].probability == one.probability:
            continue
        if right and (not points or right > points[-1]["right"]):
            points.append({"threshold": one.probability, "p": right / found, "r": right / n_gold, "right": right})
    return points


def average_precision(points: Sequence[Dict[str, float]]) -> float:
    """The mean precision over all gold relations, 0 for those that no threshold finds."""
    before = [0.0, *(point["r"] for point in points)]
    return sum(point["p"] * (point["r"] - r) for point, r in zip(points, before))


def calibrate(scored: Iterable[Scored]) -> Calibration:
    """How often what has a certain probability is gold, over everything that could have been found."""
    members: List[List[Scored]] = [[] for _ in range(_BINS)]
    for one in scored:
        members[min(int(one.probability * _BINS), _BINS - 1)].append(one)
    bins, error = [], 0.0
    total = sum(map(len, members))
    for group in filter(None, members):
        mean = sum(one.probability for one in group) / len(group)
        gold = sum(one.is_gold for one in group) / len(group)
        bins.append({"n": len(group), "probability": mean, "gold": gold})
        error += len(group) / total * abs(mean - gold)
    return Calibration(bins, error)


def table(items: Sequence[Item], group: Callable[[Relation], str], order: Sequence[str] = ()) -> List[Dict[str, Any]]:
    """P, R and F of each group of relations, in the given order or by name; what is gold is grouped as it is there."""
    groups: Dict[str, List[Item]] = {name: [] for name in order}
    for item in items:
        groups.setdefault(group(item.relation), []).append(item)
    names = list(order) or sorted(groups)
    return [{"group": name, **prf(groups[name])} for name in names if groups[name]]


def type_pair(rel: Relation) -> str:
    """The types of subject and object."""
    return f"{rel.subject.label_}|{rel.object.label_}"


def token_distance(rel: Relation) -> str:
    """How many tokens stand between the mentions."""
    return _bin(tokens_between(rel.subject, rel.object), _TOKENS)


def sentence_distance(rel: Relation) -> str:
    """How many sentences the mentions are apart: 0 in the same one."""
    sentence_of = sentence_indices(rel.subject.doc)
    first, second = sorted((rel.subject, rel.object), key=lambda span: (span.start, span.end))
    return str(max(sentence_of[second.start] - sentence_of[first.end - 1], 0))


def sentence_length(rel: Relation) -> str:
    """How many tokens the subject's sentence has."""
    sentence_of = sentence_indices(rel.subject.doc)
    return _bin(sentence_of.count(sentence_of[rel.subject.start]), _LENGTHS)


def _bin(value: int, edges: Sequence[int]) -> str:
    return _names(edges)[sum(value > edge for edge in edges)]


def _names(edges: Sequence[int]) -> List[str]:
    low = [0, *(edge + 1 for edge in edges)]
    return [f"{a} to {b}" if a < b else str(b) for a, b in zip(low, edges)] + [f"more than {edges[-1]}"]
