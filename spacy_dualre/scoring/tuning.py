"""Tunes a trained pipeline on annotated documents: its threshold, and which descriptions it reads."""

from collections import Counter
from itertools import accumulate
from typing import Any, Dict, List, Optional, Sequence

import numpy
from scipy.special import softmax
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.mentions import gold_relations
from ..errors import Errors
from ..models.cascade import CLASSIFIER_ALONE, needed
from ..pipeline.pipelines import components_before, find_component, predict_examples
from ..types import Candidate, Cascade, Description, Relation

#: The relations of each Doc.
Predictions = List[List[Relation]]
#: Thresholds with more relations than this per gold one are not tried, as F would be at most 0.4.
_PER_GOLD = 4


def tune(nlp: Language, examples: Sequence[Example], loss: float = 0.001, threshold: bool = False) -> Dict[str, Any]:
    """Set the cascade that reads fewest descriptions, in the component and in the pipeline's config.

    Args:
        examples: Annotated documents other than the test documents.
        loss: F (0 to 1) that the cascade may cost. If none reads less at that price, the component gets none.
        threshold: First set the threshold with the best F.

    Returns:
        The component's rels_f (0 to 1) before, with the new threshold (f_exact) and with the cascade too (f), and how
        many distinct descriptions are read without it and with it, ready for JSON. Candidates that are skipped have
        none to read.

    Raises:
        ValueError: There is no component for relations, or nothing to tune or to tune on.
    """
    name, rel = find_component(nlp)
    if (rel.prediction == "classifier" or not rel.alpha) and not threshold:
        raise ValueError(Errors.DR208.format(name=name))
    rel.cascade = None
    dev = Development(nlp, examples)
    threshold_before, f_before = rel.threshold, dev.f(dev.predict())
    if threshold:
        rel.threshold = dev.best_threshold()
    f_exact = dev.f(dev.predict())
    if not f_exact:
        raise ValueError(Errors.DR210.format(name=name))
    # Without a classifier there is nothing to skip descriptions by
    f = dev.set_cascade(f_exact, f_exact - loss) if rel.alpha else f_exact
    settings = {"threshold": rel.threshold, "cascade": rel.cascade and rel.cascade._asdict()}
    # nlp.config is generated from this
    nlp.get_pipe_config(name).update(settings)
    return {
        "documents": len(dev.docs),
        "candidates": len(dev.candidates),
        "gold": dev.n_gold,
        "threshold_before": threshold_before,
        "f_before": f_before,
        "f_exact": f_exact,
        "f": f,
        **settings,
        "descriptions": dev.count(None),
        "read": dev.count(rel.cascade),
        "skipped": int((~dev.read(rel.cascade).any(axis=1)).sum()),
    }


class Development:
    """Annotated documents whose N candidates are scored once, without a cascade, to try settings without the model.

    They have their gold mentions and the annotations of the components before the relations. Raises ValueError if there
    are no gold relations or no candidates.
    """

    def __init__(self, nlp: Language, examples: Sequence[Example]) -> None:
        name, self.rel = find_component(nlp)
        self.examples = examples
        self.n_gold = sum(len(gold_relations(example)) for example in examples)
        if not self.n_gold:
            raise ValueError(Errors.DR206)
        with nlp.select_pipes(enable=components_before(nlp, name)):
            predict_examples(nlp, examples)
        self.docs = [example.predicted for example in examples]
        # Those of nlp.pipe, because others round differently
        self.batches = list(minibatch(self.docs, size=nlp.batch_size))
        self.candidates: List[Candidate] = []
        parts, described = [], []
        numbers: Dict[Description, int] = {}
        lengths: Dict[int, int] = Counter()
        for scored in (scored for docs in self.batches for scored in self.rel.stream(docs, read_all=True)):
            parts.append((scored.odds, scored.scores.logits, scored.scores.possible))
            for row, instance in enumerate(scored.instances, len(self.candidates)):
                for column, group in enumerate(instance.descriptions):
                    described += [(row, column, numbers.setdefault(item, len(numbers))) for item in group]
            self.candidates += scored.candidates
            lengths[id(scored.doc)] += len(scored.candidates)
        if not parts:
            raise ValueError(Errors.DR207.format(name=name))
        self.odds, self.logits, self.possible = map(numpy.concatenate, zip(*parts))
        self._described = numpy.array(described).T
        self._starts = list(accumulate((lengths[id(doc)] for doc in self.docs), initial=0))

    def read(self, cascade: Optional[Cascade]) -> numpy.ndarray:
        """Which predicates' descriptions the component reads with this cascade: booleans (N, L)."""
        if self.rel.prediction == "classifier":
            cascade = CLASSIFIER_ALONE
        return self.possible if cascade is None else needed(self.logits, self.possible, cascade)

    def count(self, cascade: Optional[Cascade]) -> int:
        """How many distinct descriptions the component reads with this cascade."""
        rows, columns, numbers = self._described
        return len(numpy.unique(numbers[self.read(cascade)[rows, columns]]))

    def predict(self, cascade: Optional[Cascade] = None, threshold: Optional[float] = None) -> Predictions:
        """What the component finds with this cascade, and with this threshold instead of its own."""
        odds = numpy.where(self.read(cascade), self.odds, -numpy.inf) if cascade else self.odds
        return [
            self.rel.decide(self.candidates[start:stop], odds[start:stop], threshold) if start < stop else []
            for start, stop in zip(self._starts, self._starts[1:])
        ]

    def f(self, predictions: Predictions) -> float:
        """The rels_f from the component's scorer. Raises ValueError if there is none."""
        self.rel.set_annotations(self.docs, predictions)
        f = self.rel.score(self.examples).get("rels_f")
        if f is None:
            raise ValueError(Errors.DR209.format(name=self.rel.name))
        return float(f)

    def measure(self) -> float:
        """The rels_f of the component's own predictions with its present settings."""
        return self.f([rels for docs in self.batches for rels in self.rel.predict(docs)])

    def best_threshold(self) -> float:
        """The threshold with the best F; among equals, the one nearest to 0.5."""
        everything = self.predict(threshold=0.0)
        likeliest = sorted(rel.score for rels in everything for rel in rels)[-_PER_GOLD * self.n_gold :]
        f_of = {
            threshold: self.f([[rel for rel in rels if rel.score >= threshold] for rels in everything])
            for threshold in (0.5, self.rel.threshold, 1.0, *cuts(numpy.array(likeliest), 100))
        }
        return max(f_of, key=lambda threshold: (f_of[threshold], -abs(threshold - 0.5)))

    def set_cascade(self, f_exact: float, at_least: float) -> float:
        """Set the cascade that reads least, if any saves something. Returns the F of the component's predictions."""
        cascades = [] if self.rel.prediction == "classifier" else self.cheapest_cascades(at_least)
        for cascade in sorted(cascades, key=lambda cascade: (self.count(cascade), -cascade.predicates)):
            if self.count(cascade) < self.count(None):
                self.rel.cascade = cascade
                # The model's batches differ, and so does rounding: in half precision enough to change F
                f = self.measure()
                if f >= at_least:
                    return f
        self.rel.cascade = None
        return f_exact

    def cheapest_cascades(self, at_least: float) -> List[Cascade]:
        """For each number of predicates, the cascade that reads least with an F of at least `at_least`.

        Probabilities of the negative predicate are tried at 50 quantiles. If none is high enough, the cascade skips no
        candidate.
        """
        known = self.logits.shape[1]
        masked = numpy.where(self.possible[:, :known], self.logits.astype("float64"), -numpy.inf)
        tried = cuts(softmax(masked, axis=1)[:, 0], 50)
        return [
            Cascade(n, next((p for p in tried if self.f(self.predict(Cascade(n, p))) >= at_least), 1.0))
            for n in range(1, known)
        ]


def cuts(values: numpy.ndarray, most: int) -> List[float]:
    """Up to `most` ascending numbers that separate values (N,), each just above one of their quantiles.

    Values that agree to 8 decimals count as one. Each number is the shortest decimal between two values, as a config
    keeps fewer digits than a float has.
    """
    values = values.astype("float64").round(8)
    distinct = numpy.unique(values)
    if len(distinct) < 2:
        return []
    quantiles = numpy.quantile(values, numpy.linspace(0, 1, most), method="lower")
    after = numpy.unique(numpy.searchsorted(distinct, quantiles, side="right"))
    return [_between(*distinct[i - 1 : i + 1].tolist()) for i in after if i < len(distinct)]


def _between(low: float, high: float) -> float:
    """The shortest decimal nearest to the middle."""
    middle = low + (high - low) / 2
    return next(round(middle, n) for n in range(1, 18) if low < round(middle, n) < high)
