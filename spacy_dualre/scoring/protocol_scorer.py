"""The official figures within spaCy: for training and ``nlp.evaluate``."""

from functools import partial
from typing import Any, Callable, Iterable

import numpy
from spacy.training import Example

from .protocols import get_protocol
from .protocols.protocol import Protocol, Scores


def make_protocol_scorer(protocol: str) -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.protocol_scorer.v1``. Raises ValueError for an unknown protocol."""
    return partial(score_by_protocol, get_protocol(protocol))


def score_by_protocol(protocol: Protocol, examples: Iterable[Example], **kwargs: Any) -> Scores:
    """Score ``Doc._.rels`` of the predicted against the reference Docs, each example as one document.

    Returns what `to_rel_scores` does.
    """
    return to_rel_scores(protocol, count_examples(protocol, examples))


def count_examples(protocol: Protocol, examples: Iterable[Example]) -> numpy.ndarray:
    """Integers (examples, labels, 3): true positives, predicted and gold items."""
    counts = [
        protocol.count_document(protocol.from_doc(example.reference), protocol.from_doc(example.predicted))
        for example in examples
    ]
    return numpy.array(counts, dtype="int64").reshape(len(counts), len(protocol.labels), 3)


def to_rel_scores(protocol: Protocol, counts: numpy.ndarray) -> Scores:
    """Scores under the names that spaCy's training knows: rels_p, rels_r and rels_f, the official figures (0 to 1);
    rels_macro_f; rels_per_type ({predicate: {p, r, f}}) of the predicates that occur. All None where neither side has
    any relation that counts.

    counts: (documents, labels, 3).
    """
    names = ("p", "r", "f", "macro_f")
    if not counts.any():
        return {"rels_per_type": None, **{f"rels_{name}": None for name in names}}
    scores = protocol.scores(counts)
    per_type = {
        label: {name: score[name] for name in ("p", "r", "f")}
        for label, score in scores["per_type"].items()
        if score["predicted"] or score["gold"]
    }
    return {"rels_per_type": per_type, **{f"rels_{name}": scores[name] for name in names}}
