"""The cascade that reads least and still finds nearly as much."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

import numpy

from ...types import Cascade, Relation
from .cuts import cuts
from .development import Development, Predictions

#: How many probabilities are tried, at most, and each how many of them first.
_GRID, _STEP = 200, 16


@dataclass
class Tried:
    """A cascade, the F (0 to 1) of what it finds, the distinct descriptions that it reads, whether F is high enough."""

    predicates: int
    negative: float
    f: float
    descriptions: int
    within_loss: bool

    @property
    def cascade(self) -> Cascade:
        """The setting."""
        return Cascade(self.predicates, self.negative)


class Search:
    """Tries cascades on scores that are known, with the component's present threshold."""

    def __init__(self, dev: Development) -> None:
        self.dev = dev
        self._odds = dev.per_doc(dev.odds)
        self._decided: List[Dict[bytes, List[Relation]]] = [{} for _ in dev.docs]

    def predict(self, read: numpy.ndarray) -> Predictions:
        """The relations of each Doc where only these descriptions (N, L) are read."""
        return [self._decide(doc, rows) for doc, rows in enumerate(self.dev.per_doc(read))]

    def _decide(self, doc: int, read: numpy.ndarray) -> List[Relation]:
        known, key = self._decided[doc], read.tobytes()
        if key not in known:
            known[key] = self.dev.decide(doc, numpy.where(read, self._odds[doc], -numpy.inf))
        return known[key]

    def tried(self, cascade: Cascade, at_least: float) -> Tried:
        """What becomes of this cascade."""
        read = self.dev.read(cascade)
        f = self.dev.f(self.predict(read))
        return Tried(*cascade, f, self.dev.count(read), f >= at_least)

    def frontier(self, at_least: float) -> List[Tried]:
        """For each number of predicates the cascade that reads least with an F of at least at_least, else the one with
        the best F.

        With more skipped, less is read. The probabilities are quantiles of the classifier's own: every sixteenth from
        the lowest up until F is high enough, then those between it and the one before by bisection. F may fall and
        rise again within sixteen steps, so what is found may be a few descriptions from the least.
        """
        grid = [*cuts(self._negative(), _GRID), 1.0]
        n_known = self.dev.logits.shape[1] - 1
        return [self._cheapest(predicates, grid, at_least) for predicates in range(1, n_known + 1)]

    def _negative(self) -> numpy.ndarray:
        """(N,) the classifier's probability of the negative predicate among those that are possible."""
        masked = numpy.where(
            self.dev.mask[:, : self.dev.logits.shape[1]], self.dev.logits.astype("float64"), -numpy.inf
        )
        exp: Any = numpy.exp(masked - masked.max(axis=1, keepdims=True))
        return exp[:, 0] / exp.sum(axis=1)

    def _cheapest(self, predicates: int, grid: List[float], at_least: float) -> Tried:
        def tried(i: int) -> Tried:
            return self.tried(Cascade(predicates, grid[i]), at_least)

        last = len(grid) - 1
        best: Optional[Tried] = None
        failed = -1
        for i in [*range(0, last, _STEP), last]:
            found = tried(i)
            if found.within_loss:
                return self._bisect(tried, failed, i, found)
            failed = i
            best = found if best is None or found.f > best.f else best
        assert best is not None
        return best

    def _bisect(self, tried: Any, failed: int, i: int, found: Tried) -> Tried:
        while i - failed > 1:
            middle = (failed + i) // 2
            lower = tried(middle)
            if lower.within_loss:
                i, found = middle, lower
            else:
                failed = middle
        return found
