"""One decision for each pair that several candidates are about."""

from typing import Dict, Hashable, List, Sequence, Tuple

import numpy

from ..types import Candidate


def pool(
    candidates: Sequence[Candidate], odds: numpy.ndarray, directed: bool
) -> Tuple[Sequence[Candidate], numpy.ndarray]:
    """Pool the candidates of a Doc: for each predicate the strongest candidate of a pair decides.

    Args:
        candidates: P candidates.
        odds: (P, L) log odds, the negative predicate first.
        directed: Whether the two orders of a pair are decided apart.

    Returns:
        For each of the D distinct pairs the candidate that speaks most for its best predicate, and (D, L).
    """
    rows: Dict[Hashable, List[int]] = {}
    for i, candidate in enumerate(candidates):
        rows.setdefault(candidate.about if directed else frozenset(candidate.about), []).append(i)
    pooled = numpy.array([odds[of_pair].max(axis=0) for of_pair in rows.values()]).reshape(len(rows), odds.shape[1])
    shown = [
        candidates[of_pair[int(odds[of_pair, 1 + row[1:].argmax()].argmax())]]
        for of_pair, row in zip(rows.values(), pooled)
    ]
    return shown, pooled
