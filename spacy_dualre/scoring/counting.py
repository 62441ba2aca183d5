"""Precision, recall and F1, counted per label: the arithmetic of all scorers."""

from collections import Counter
from typing import Any, Collection, Dict, Sequence, Tuple

import numpy

Scores = Dict[str, Any]
#: A label, then whatever identifies the item.
Key = Tuple[Any, ...]


def count(gold: Collection[Key], predicted: Collection[Key], labels: Sequence[str]) -> numpy.ndarray:
    """Count true positives, predicted and gold items of each label in distinct keys: integers (labels, 3)."""
    columns = [Counter(key[0] for key in keys) for keys in (set(gold) & set(predicted), predicted, gold)]
    return numpy.array([[column[label] for column in columns] for label in labels], dtype="int64").reshape(-1, 3)


def prf(totals: numpy.ndarray, macro: bool = False) -> Tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Precision, recall and F1 (each ...) of true positives, predicted and gold items (..., labels, 3); 0 if undefined.

    With macro they are averaged over the labels that occur in gold, instead of summing their counts.
    """
    if not macro:
        totals = totals.sum(axis=-2, keepdims=True)
    tp, predicted, gold = numpy.moveaxis(totals, -1, 0)
    quotients = ((tp, predicted), (tp, gold), (2 * tp, predicted + gold))
    occurs = gold > 0
    n = numpy.maximum(occurs.sum(axis=-1), 1)
    p, r, f = ((a * occurs / numpy.maximum(b, 1)).sum(axis=-1) / n for a, b in quotients)
    return p, r, f


def score(totals: numpy.ndarray, labels: Sequence[str], macro: bool = False) -> Scores:
    """Compute p, r and f (see `prf`), macro_f, and per_type: p, r, f, tp, predicted and gold of each label."""
    names = ("p", "r", "f", "tp", "predicted", "gold")
    rows = zip(labels, totals.tolist(), zip(*prf(totals[:, None])))
    per_type = {label: dict(zip(names, (*map(float, of_label), *total))) for label, total, of_label in rows}
    p, r, f = map(float, prf(totals, macro))
    return {"p": p, "r": r, "f": f, "macro_f": float(prf(totals, macro=True)[2]), "per_type": per_type}


def score_keys(gold: Collection[Key], predicted: Collection[Key]) -> Scores:
    """Score distinct keys by the labels that occur in them, see `score`."""
    labels = sorted({key[0] for key in (*gold, *predicted)})
    return score(count(gold, predicted, labels), labels)


def rel_scores(scores: Scores) -> Scores:
    """Rename the result of `score` for spaCy: rels_p, rels_r, rels_f, rels_macro_f and, for each label that occurs,
    rels_per_type. All are None if no label occurs.
    """
    per_type = {
        label: {name: of_label[name] for name in "prf"}
        for label, of_label in scores["per_type"].items()
        if of_label["predicted"] or of_label["gold"]
    }
    named = {"per_type": per_type, **{name: scores[name] for name in ("p", "r", "f", "macro_f")}}
    return {f"rels_{name}": value if per_type else None for name, value in named.items()}
