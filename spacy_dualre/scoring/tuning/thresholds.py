"""The thresholds with the best F."""

from typing import Dict, List

import numpy

from ...annotations.mentions import gold_relations
from ...pipeline.decode import OTHER, Threshold, threshold_row
from .cuts import cuts
from .development import Development

#: How many thresholds are tried, at most: for all predicates together, for one, and how often each one's turn comes.
_OVERALL, _EACH, _ROUNDS = 100, 20, 3
#: Only the likeliest relations matter, so many for each gold one: F is at most 0.4 where more come out.
_PER_GOLD = 4
_LEAST = 1e-9


class ThresholdSearch:
    """Tries thresholds on relations that are decided once: a threshold only leaves out those with a lower score."""

    def __init__(self, dev: Development) -> None:
        self.dev = dev
        self.labels = list(dev.rel.labels)
        self._all = dev.predict(threshold=0.0)

    def f(self, threshold: Threshold) -> float:
        """F (0 to 1) with this threshold, everything being read."""
        row = dict(zip(self.labels, threshold_row(threshold, self.labels)))
        return self.dev.f([[rel for rel in rels if rel.score >= row[rel.predicate]] for rels in self._all])

    def overall(self) -> float:
        """The number with the best F; of equal ones the nearest to 0.5."""
        scores = [rel.score for rels in self._all for rel in rels]
        return self._best({}, OTHER, [0.5, *self._cuts(scores, self.dev.n_gold, _OVERALL)])

    def per_predicate(self, start: float) -> Threshold:
        """A number for each predicate: from the same one for all, each in its turn takes a better one where that makes
        F rise, until none does.
        """
        found: Dict[str, float] = {OTHER: start}
        options = {label: self._options(label) for label in self.labels}
        for _ in range(_ROUNDS):
            before = dict(found)
            for label in self.labels:
                better = self._best(found, label, options[label])
                if self.f({**found, label: better}) > self.f(found) + _LEAST:
                    found[label] = better
            if found == before:
                break
        return found if len(found) > 1 else start

    def _options(self, label: str) -> List[float]:
        scores = [rel.score for rels in self._all for rel in rels if rel.predicate == label]
        gold = (rel for example in self.dev.examples for rel in gold_relations(example))
        n_gold = sum(rel.predicate == label for rel in gold)
        return [0.5, *self._cuts(scores, n_gold, _EACH)]

    def _cuts(self, scores: List[float], n_gold: int, most: int) -> List[float]:
        likeliest = sorted(scores)[-_PER_GOLD * max(n_gold, 1) :]
        # 1.0 leaves out whatever is not certain
        return [*cuts(numpy.array(likeliest), most), 1.0] if likeliest else []

    def _best(self, found: Dict[str, float], label: str, options: List[float]) -> float:
        rated = [(self.f({**found, label: option}), option) for option in options]
        best = max(f for f, _ in rated)
        return min((option for f, option in rated if f > best - _LEAST), key=lambda option: abs(option - 0.5))
