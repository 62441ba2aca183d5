"""Which descriptions need not be read, in prediction and in training, by what the classifier makes of candidates."""

from typing import Any

import numpy

from ..types import Cascade


def needed(logits: Any, mask: Any, cascade: Cascade) -> Any:
    """(P, L) which predicates' descriptions are to be read.

    logits: (P, C) from the classifier. mask: (P, L) which predicates are possible. Where the negative predicate has at
    least the probability cascade.negative, none; elsewhere the negative one and the cascade.predicates likeliest
    others. Predicates that the classifier does not know (columns from C on) are read always, and so is the negative
    one if there are any.
    """
    known = logits.shape[1]
    masked = numpy.where(mask[:, :known], logits.astype("float64"), -numpy.inf)
    exp = numpy.exp(masked - masked.max(axis=1, keepdims=True))
    is_open = exp[:, 0] < cascade.negative * exp.sum(axis=1)
    rank = numpy.argsort(numpy.argsort(-masked[:, 1:], axis=1, kind="stable"), axis=1)
    chosen = numpy.zeros(mask.shape, dtype=bool)
    chosen[:, 1:known] = is_open[:, None] & (rank < cascade.predicates)
    chosen[:, known:] = True
    chosen[:, 0] = is_open | (known < mask.shape[1])
    return chosen & mask


def unknown_to_classifier(n_classes: int, mask: Any) -> Any:
    """(P, L) the descriptions to be read where the classifier decides: those that it does not know, and the negative
    one to compare them with.
    """
    chosen = numpy.zeros(mask.shape, dtype=bool)
    chosen[:, n_classes:] = True
    chosen[:, 0] = n_classes < mask.shape[1]
    return chosen & mask


def sample(logits: Any, mask: Any, gold: Any, n: int) -> Any:
    """(P, L) which predicates' descriptions a candidate learns from: gold ones, the negative one and n others, drawn
    without replacement by the classifier's probabilities, so that likely ones come often and none comes never.

    logits: (P, C) from the classifier. mask: (P, L) which predicates are possible. gold: (P, L) booleans. Predicates
    that the classifier does not know (columns from C on) are always among them.
    """
    known = logits.shape[1]
    # The largest of logits with Gumbel noise are such a draw
    noisy = logits + numpy.random.gumbel(size=logits.shape)
    noisy[~mask[:, :known] | gold[:, :known]] = -numpy.inf
    noisy[:, 0] = -numpy.inf
    chosen = numpy.ones(mask.shape, dtype=bool)
    chosen[:, 1:known] = numpy.argsort(numpy.argsort(-noisy[:, 1:], axis=1), axis=1) < n
    return (chosen | gold) & mask
