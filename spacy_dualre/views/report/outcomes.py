"""What became of every pair that was asked for and of every gold relation: all that a report is computed from."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Collection, Dict, Hashable, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import minibatch

from ...annotations.mentions import doc_name, get_mentions, gold_relations
from ...annotations.relations import get_rels
from ...candidates.policy import mention_pairs
from ...pipeline.component import DualEncoderRel
from ...pipeline.decode import as_relation, in_text_order, probabilities
from ...pipeline.diagnosis import NO_DESCRIPTION, as_asked, why_uncovered
from ...scoring.scorer import pairs_of_found
from ...types import Candidate, Pairs, Relation

#: The number of a document, and what a relation of it is about, as the candidates see it.
Place = Tuple[int, Hashable]
#: A predicate and what it is said about, within a document.
_Key = Tuple[str, Hashable]


class _Decisions(NamedTuple):
    """What is decided on in a Doc, pooled: D candidates, their log odds (D, L), and which predicates each was asked for
    (D, L): those with a description for its types that its corpus may have.
    """

    candidates: Sequence[Candidate]
    odds: Any
    possible: List[List[bool]]


class _Probabilities(NamedTuple):
    """The probability of everything that was asked for, and of what could be decided: the likeliest predicate of each
    pair or, where there may be several, all. impossible: what candidates were not asked for.
    """

    everything: Dict[_Key, float]
    best: Dict[_Key, float]
    impossible: Set[_Key]


class Scored(NamedTuple):
    """What could have been found: the probability (0 to 1) of a predicate at a place, and whether it is gold."""

    predicate: str
    place: Place
    probability: float
    is_gold: bool


class Item(NamedTuple):
    """A relation that is gold, predicted or both. uncovered: why a gold one has no candidate, in words; None: it has
    one. probability: the predicate's, 0 to 1; None without a candidate. document: its id.
    """

    relation: Relation
    document: str
    place: Place
    is_gold: bool
    is_predicted: bool
    probability: Optional[float]
    uncovered: Optional[str]


@dataclass
class Outcomes:
    """items: each gold or predicted relation once, as the scorer counts them. scored: as Scored, for every pair that
    was asked for its likeliest predicate or, where there may be several, all that are possible. pairs: how many were
    asked for. symmetric: predicates without direction.
    """

    documents: int
    labels: Tuple[str, ...]
    items: List[Item]
    scored: List[Scored]
    pairs: int
    symmetric: Collection[str] = ()


def find_outcomes(nlp: Language, rel: DualEncoderRel, examples: Sequence[Example]) -> Outcomes:
    """Compare the relations of the predicted Docs, which have gone through the pipeline, with the reference's, and
    score their candidates.
    """
    outcomes = Outcomes(len(examples), rel.labels, [], [], 0, rel.undirected)
    numbered = list(enumerate(examples))
    for batch in minibatch(numbered, size=nlp.batch_size):
        decisions_of = {id(d.candidates[0].subject.doc): d for d in _decisions(rel, [example for _, example in batch])}
        for number, example in batch:
            _add(outcomes, rel, number, example, decisions_of.get(id(example.predicted)))
    return outcomes


def _decisions(rel: DualEncoderRel, examples: Sequence[Example]) -> Iterator[_Decisions]:
    """Those of each Doc that has candidates."""
    stream = rel.stream(example.predicted for example in examples)
    for _, of_doc in groupby(stream, key=lambda scored: scored.doc):
        parts = list(of_doc)
        candidates = [candidate for part in parts for candidate in part.candidates]
        # Not what was read: what a cascade leaves out was asked for
        of_each = [row.tolist() for part in parts for row in part.scores.possible]
        possible: Dict[Candidate, List[bool]] = dict(zip(candidates, of_each))
        decisions, pooled = rel.candidates.pool(candidates, numpy.concatenate([part.odds for part in parts]))
        # The candidates of a pair have the same types, so any of them stands for the others
        yield _Decisions(decisions, pooled, [possible[candidate] for candidate in decisions])


def _add(
    outcomes: Outcomes, rel: DualEncoderRel, number: int, example: Example, decisions: Optional[_Decisions]
) -> None:
    of_gold = rel.candidates.pairs
    of_found = pairs_of_found(example, rel.spans_key, of_gold)
    gold = {key: r for r in gold_relations(example) for key in _keys(rel, r, of_gold)}
    predicted = {key: r for r in get_rels(example.predicted) for key in _keys(rel, r, of_found)}
    scored = _Probabilities({}, {}, set())
    if decisions is not None:
        scored = _probabilities(rel, decisions, of_found)
        outcomes.pairs += len(decisions.candidates)
    outcomes.scored += [Scored(key[0], (number, key[1]), value, key in gold) for key, value in scored.best.items()]
    mentions = get_mentions(example.predicted, rel.spans_key)
    for key in dict.fromkeys([*gold, *predicted]):
        relation = gold.get(key) or predicted[key]
        is_scored = key in scored.everything or key in predicted
        item = Item(
            relation,
            doc_name(example),
            (number, key[1]),
            is_gold=key in gold,
            is_predicted=key in predicted,
            probability=predicted[key].score if key in predicted else scored.everything.get(key),
            uncovered=None if is_scored else _why(rel, example, relation, mentions, key in scored.impossible),
        )
        outcomes.items.append(item)


def _why(rel: DualEncoderRel, example: Example, gold: Relation, mentions: Sequence[Span], impossible: bool) -> str:
    """Why a gold relation has no candidate, in words. impossible: its pair is one, but not for its predicate."""
    if impossible:
        return _why_impossible(rel, gold)
    if gold.predicate not in rel.labels:
        return f"predicate {gold.predicate} not known to the pipeline"
    gold = as_asked(gold, rel.undirected, rel.type_pairs)
    on_doc = why_uncovered(example.predicted, gold, mentions, rel.candidates, rel.type_pairs)
    # The component leaves types out before it asks its policy
    return rel.why_not(gold.subject, gold.object) or on_doc


def _why_impossible(rel: DualEncoderRel, gold: Relation) -> str:
    if rel.is_possible(gold.predicate, gold.subject, gold.object):
        return "predicate that only other corpora have"
    return NO_DESCRIPTION


def _probabilities(rel: DualEncoderRel, decisions: _Decisions, pairs: Pairs) -> _Probabilities:
    """Of the two orders of a symmetric predicate the likelier one counts."""
    found = _Probabilities({}, {}, set())
    labels = list(rel.label_data)
    for candidate, odds, possible, of_row in zip(*decisions, probabilities(decisions.odds)):
        columns = range(1, len(labels))
        likeliest = max(filter(possible.__getitem__, columns), key=odds.__getitem__, default=None)
        for column in columns:
            value = float(of_row[column])
            keys = _keys(rel, as_relation(candidate, labels[column]), pairs)
            if not possible[column]:
                found.impossible.update(keys)
                continue
            for key in keys:
                found.everything[key] = max(found.everything.get(key, 0.0), value)
                if rel.multi_label or column == likeliest:
                    found.best[key] = max(found.best.get(key, 0.0), value)
    return found


def _keys(rel: DualEncoderRel, relation: Relation, pairs: Pairs) -> Iterable[_Key]:
    """The predicate with each of the pairs that a relation is about, those without a direction in one order."""
    relation = in_text_order(relation, rel.undirected)
    about = pairs(relation.subject, relation.object)
    for pair in about or mention_pairs(relation.subject, relation.object):
        # A pair of concepts has no order in the text
        yield relation.predicate, tuple(sorted(pair)) if relation.predicate in rel.undirected else pair  # type: ignore
