"""Which descriptions to read, in prediction and in training, judged by the classifier."""

from typing import Any

import numpy

from ..types import Cascade

#: If the classifier decides: only predicates that it does not know are read, and the negative one to compare them with.
CLASSIFIER_ALONE = Cascade(predicates=0, negative=0.0)


def needed(logits: Any, mask: Any, cascade: Cascade) -> Any:
    """Choose the descriptions that prediction reads, booleans (P, L).

    Predicates that the classifier does not know, those from column C of its logits (P, C) on, are always read, and the
    negative one with them. `mask` (P, L) has the possible predicates.
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


def sample(logits: Any, mask: Any, gold: Any, n: int) -> Any:
    """Choose the descriptions that a candidate learns from, booleans (P, L): `gold`, the negative one and n others.

    The others are drawn without replacement by the classifier's probabilities, so that likely ones come often.
    Predicates that it does not know, those from column C of the logits (P, C) on, are always chosen.
    """
    known = logits.shape[1]
    # The largest logits with Gumbel noise are such a draw
    noisy = logits + numpy.random.gumbel(size=logits.shape)
    noisy[~mask[:, :known] | gold[:, :known]] = -numpy.inf
    noisy[:, 0] = -numpy.inf
    chosen = numpy.ones(mask.shape, dtype=bool)
    chosen[:, 1:known] = numpy.argsort(numpy.argsort(-noisy[:, 1:], axis=1), axis=1) < n
    return (chosen | gold) & mask
