"""One decision for each pair that several candidates are about."""

from typing import Callable, Dict, Hashable, List, Sequence, Tuple

import numpy

from ..types import Candidate, Pairs


def pool(
    candidates: Sequence[Candidate], odds: numpy.ndarray, pairs: Pairs, directed: bool, pooling: str = "max"
) -> Tuple[Sequence[Candidate], numpy.ndarray]:
    """The decision on a pair is pooled from its candidates; it is shown on the one that speaks most for the pooled best
    predicate.

    odds: (P, L) log odds, the negative predicate first. pairs: what a candidate is about, exactly one pair. directed:
    whether the two orders of a pair are decided apart. Returns the D distinct pairs' candidates and (D, L).
    """
    rows: Dict[Hashable, List[int]] = {}
    for i, candidate in enumerate(candidates):
        (pair,) = pairs(*candidate)
        rows.setdefault(pair if directed else frozenset(pair), []).append(i)
    pooled = numpy.array([POOLINGS[pooling](odds[of_pair]) for of_pair in rows.values()])
    shown = [
        candidates[of_pair[int(odds[of_pair, 1 + row[1:].argmax()].argmax())]]
        for of_pair, row in zip(rows.values(), pooled)
    ]
    return shown, pooled.reshape(len(rows), odds.shape[1])


def noisy_or(odds: numpy.ndarray) -> numpy.ndarray:
    """(P, L) log odds of p -> (L,) log odds of 1 - product of (1 - p)."""
    with numpy.errstate(divide="ignore"):
        # 1 - p = exp(-softplus(odds)), so that s is minus the logarithm of the product
        s = numpy.logaddexp(0.0, odds.astype("float64")).sum(axis=0)
        return s + numpy.log(-numpy.expm1(-s))


POOLINGS: Dict[str, Callable[[numpy.ndarray], numpy.ndarray]] = {
    "max": lambda odds: odds.max(axis=0),
    "noisy-or": noisy_or,
}
