"""The official scores within spaCy: for training and ``nlp.evaluate``."""

from functools import partial
from typing import Any, Callable, Iterable

import numpy
from spacy.training import Example

from .counting import Scores, rel_scores
from .protocols import get_protocol
from .protocols.protocol import Protocol


def make_protocol_scorer(protocol: str) -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.protocol_scorer.v1``. Raises ValueError for an unknown protocol."""
    return partial(score_by_protocol, get_protocol(protocol))


def score_by_protocol(protocol: Protocol, examples: Iterable[Example], **kwargs: Any) -> Scores:
    """Score ``Doc._.rels`` of the predicted against the reference Docs; returns what `to_rel_scores` does."""
    return to_rel_scores(protocol, count_examples(protocol, examples))


def count_examples(protocol: Protocol, examples: Iterable[Example]) -> numpy.ndarray:
    """True positives, predicted and gold items, integers (examples, labels, 3)."""
    counts = [
        protocol.count_document(protocol.from_doc(example.reference), protocol.from_doc(example.predicted))
        for example in examples
    ]
    return numpy.array(counts, dtype="int64").reshape(len(counts), len(protocol.labels), 3)


def to_rel_scores(protocol: Protocol, counts: numpy.ndarray) -> Scores:
    """The official scores under the names of `rel_scores`, from counts (documents, labels, 3)."""
    return rel_scores(protocol.scores(counts))
