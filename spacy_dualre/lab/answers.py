"""Pairs of mentions of annotated documents, and what a component's model answers when it is asked about them."""

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.training import Example

from ..annotations.mentions import ASKED, gold_relations, mention_key, with_type
from ..annotations.relations import labels_of, restore
from ..candidates.policy import mention_pairs
from ..pipeline.pipelines import components_before, find_component, predict_examples
from ..types import Candidate


class Asked(NamedTuple):
    """A pair of mentions that the model is asked about: a candidate of the component, one of a gold relation, or
    both.
    """

    document: int
    candidate: Candidate
    is_candidate: bool
    gold: Set[str]


class Answers(NamedTuple):
    """P pairs of mentions with their log odds (P, 1 + L), the negative predicate first; -inf where there are none."""

    labels: List[str]
    pairs: List[Asked]
    odds: numpy.ndarray

    def select(self, labels: Sequence[str], keep: Callable[[Asked], Any]) -> "Answers":
        """Those about these predicates, and the pairs to keep."""
        rows = [row for row, pair in enumerate(self.pairs) if keep(pair)]
        columns = [0, *(1 + self.labels.index(label) for label in labels)]
        return Answers(list(labels), [self.pairs[row] for row in rows], self.odds[numpy.ix_(rows, columns)])

    def minus(self, offsets: Any) -> "Answers":
        """With this taken from the log odds of each of the L predicates."""
        return self._replace(odds=self.odds - numpy.concatenate([[0.0], offsets]))


def ask(nlp: Language, examples: Sequence[Example]) -> Answers:
    """Ask about the component's candidates and all gold pairs, in the order of the documents, each of them once.

    A gold pair has the direction of its relation. The model has no answer for mentions of types that it does not know.
    """
    name, rel = find_component(nlp)
    with nlp.select_pipes(enable=components_before(nlp, name)):
        predict_examples(nlp, examples)
    pairs: List[Asked] = []
    for number, example in enumerate(examples):
        doc = example.predicted
        # Its corpus reader may have restricted it to some predicates
        doc.user_data.pop(ASKED, None)
        gold: Dict[Any, Tuple[Candidate, Set[str]]] = {}
        for candidate, predicate in _gold(example):
            gold.setdefault(_place(candidate), (candidate, set()))[1].add(predicate)
        for candidate in rel.get_candidates(doc):
            _, of_pair = gold.pop(_place(candidate), (candidate, set()))
            pairs.append(Asked(number, candidate, True, of_pair))
        pairs += [Asked(number, candidate, False, of_pair) for candidate, of_pair in gold.values()]
    known = [
        row
        for row, pair in enumerate(pairs)
        if all(rel.has_marker(with_type(mention, rel.type_map)) for mention in pair.candidate[:2])
    ]
    odds = numpy.full((len(pairs), 1 + len(rel.labels)), -numpy.inf)
    parts = rel.score_candidates((pairs[row].candidate for row in known), read_all=True)
    odds[known] = numpy.concatenate([odds[:0], *(part.odds for part in parts)])
    return Answers(list(rel.labels), pairs, odds)


def _gold(example: Example) -> Iterator[Tuple[Candidate, str]]:
    doc = example.predicted
    for rel in gold_relations(example):
        # On the predicted Doc, whose sentences the components before have found
        subject, object = (
            restore(doc, span.start_char, span.end_char, labels_of(span)) for span in (rel.subject, rel.object)
        )
        assert subject is not None and object is not None
        yield Candidate(subject, object, mention_pairs(subject, object)[0]), rel.predicate


def _place(candidate: Candidate) -> Tuple[Any, Any]:
    return mention_key(candidate.subject), mention_key(candidate.object)


def calibrated(answers: Answers) -> Answers:
    """Take from each predicate's log odds what their mean over the pairs lies above the mean of all predicates."""
    odds = answers.odds[:, 1:]
    n = numpy.isfinite(odds).sum(axis=0)
    means = numpy.where(numpy.isfinite(odds), odds, 0.0).sum(axis=0) / numpy.maximum(n, 1)
    return answers.minus(means - means.sum() / max((n > 0).sum(), 1))


def both(answers: Answers) -> Dict[str, Answers]:
    """The answers as they are, and calibrated."""
    return {"plain": answers, "calibrated": calibrated(answers)}
