"""Annotated documents, with what a model that reads everything makes of their candidates."""

from itertools import accumulate
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ...annotations.mentions import gold_relations
from ...errors import Errors
from ...models.cascade import needed, unknown_to_classifier
from ...models.runner import number
from ...pipeline.component import DualEncoderRel
from ...pipeline.components import components_before, given_mentions
from ...pipeline.decode import Threshold, log_odds
from ...types import Candidate, Cascade, Description, Instance, Relation

#: The relations of each Doc.
Predictions = List[List[Relation]]


class Development:
    """D Docs with N candidates in all, scored once without a cascade; settings are then tried without the model.

    of_doc: the candidates of each Doc. odds: (N, L) log odds. logits: (N, C) from the classifier. mask: (N, L) which
    predicates are possible. descriptions: (N, L, K) numbers of the n_descriptions distinct ones, -1 where there is
    none. n_gold: relations in the reference Docs.
    """

    def __init__(self, nlp: Language, name: str, examples: Sequence[Example]) -> None:
        """The Docs get what the components before the named one write, but keep their mentions, and are scored in the
        batches of ``nlp.pipe``.

        Raises ValueError where there is nothing to tune on: no gold relation, no candidate or no score.
        """
        rel: Any = nlp.get_pipe(name)
        self.rel: DualEncoderRel = rel
        self.examples = list(examples)
        self.batch_size = nlp.batch_size
        self.n_gold = sum(len(gold_relations(example)) for example in self.examples)
        if not self.n_gold:
            raise ValueError(Errors.DR206)
        with given_mentions(nlp), nlp.select_pipes(enable=components_before(nlp, name)):
            for example, doc in zip(self.examples, nlp.pipe([example.predicted for example in self.examples])):
                example.predicted = doc
        self.docs: List[Doc] = [example.predicted for example in self.examples]
        self.of_doc: List[List[Candidate]] = []
        self._read_all()
        self._starts = list(accumulate(map(len, self.of_doc), initial=0))
        self._known: Dict[Any, float] = {}

    def _read_all(self) -> None:
        parts: List[Tuple[numpy.ndarray, ...]] = []
        numbers: Dict[Description, int] = {}
        to_numpy = self.rel.model.ops.to_numpy
        for docs in minibatch(self.docs, size=self.batch_size):
            of_doc = [list(self.rel.get_candidates(doc)) for doc in docs]
            self.of_doc += of_doc
            candidates = (candidate for some in of_doc for candidate in some)
            for _, instances, scores in self.rel.model_scores(candidates, None):
                odds = log_odds(scores, self.rel.prediction, self.rel.alpha)
                arrays = map(to_numpy, (odds, scores.logits, scores.mask))
                parts.append((*arrays, _number(instances, numbers)))
        if not parts:
            raise ValueError(Errors.DR207.format(name=self.rel.name))
        self.odds, self.logits, self.mask, self.descriptions = (_join(arrays) for arrays in zip(*parts))
        self.n_descriptions = len(numbers)

    # What is read

    def read(self, cascade: Optional[Cascade]) -> numpy.ndarray:
        """(N, L) which predicates' descriptions the component reads with this setting."""
        if self.rel.prediction == "classifier":
            return unknown_to_classifier(self.logits.shape[1], self.mask)
        return self.mask if cascade is None else needed(self.logits, self.mask, cascade)

    def count(self, read: numpy.ndarray) -> int:
        """How many distinct descriptions these are: what an engine that forgets none encodes."""
        seen = numpy.zeros(self.n_descriptions + 1, dtype=bool)
        # -1 is the last one
        seen[self.descriptions[read]] = True
        return int(seen[:-1].sum())

    # What is found

    def per_doc(self, rows: numpy.ndarray) -> List[numpy.ndarray]:
        """Rows of all N candidates -> those of each Doc."""
        return [rows[start:stop] for start, stop in zip(self._starts, self._starts[1:])]

    def decide(self, doc: int, odds: numpy.ndarray, threshold: Optional[Threshold] = None) -> List[Relation]:
        """The relations of one Doc, by number, as the component decides; threshold in place of its own."""
        return self.rel.decide(self.of_doc[doc], odds, threshold) if len(odds) else []

    def predict(self, threshold: Optional[Threshold] = None) -> Predictions:
        """The relations where everything is read."""
        return [self.decide(doc, odds, threshold) for doc, odds in enumerate(self.per_doc(self.odds))]

    def f(self, predictions: Predictions) -> float:
        """rels_f (0 to 1) of the component's scorer. Raises ValueError where it gives none."""
        # Most settings find what another one has found
        key = tuple(map(tuple, predictions))
        if key not in self._known:
            self.rel.set_annotations(self.docs, predictions)
            self._known[key] = self._score()
        return self._known[key]

    def measure(self) -> float:
        """The same of what the component itself predicts with the settings that it has now."""
        for _ in self.rel.pipe(self.docs, batch_size=self.batch_size):
            pass
        return self._score()

    def _score(self) -> float:
        scores = self.rel.score(self.examples)
        if scores.get("rels_f") is None:
            raise ValueError(Errors.DR209.format(name=self.rel.name))
        return float(scores["rels_f"])


def _number(instances: Sequence[Instance], numbers: Dict[Description, int]) -> numpy.ndarray:
    """(P, L, K) the numbers of the descriptions, which are added to those that there are."""
    distinct, index = number([instance.descriptions for instance in instances])
    known = numpy.array([numbers.setdefault(item, len(numbers)) for item in distinct] + [-1])
    return known[index]


def _join(arrays: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """One array of the rows of all; the last axis of three may be shorter in some, and is filled up with -1."""
    if arrays[0].ndim < 3:
        return numpy.concatenate(arrays)
    widest = max(array.shape[2] for array in arrays)
    fill = [((0, 0), (0, 0), (0, widest - array.shape[2])) for array in arrays]
    return numpy.concatenate([numpy.pad(array, width, constant_values=-1) for array, width in zip(arrays, fill)])
