"""What became of every pair that was asked for and of every gold relation: all that a report is computed from."""

from dataclasses import dataclass
from typing import Any, Collection, Dict, Hashable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import minibatch

from ..candidates import get_mentions, gold_relations, mention_pairs
from ..decode import by_doc, canonical, log_odds, probabilities
from ..diagnosis import as_asked, why_uncovered
from ..extension import get_rels
from ..pipeline import DualEncoderRel
from ..scorer import pairs_of_found
from ..targets import doc_name
from ..types import Pairs, Relation

#: The number of a document, and what a relation of it is about, as the candidates see it.
Place = Tuple[int, Hashable]
#: A predicate and what it is said about, within a document.
_Key = Tuple[str, Hashable]


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
    was asked for its likeliest predicate or, where there may be several, all. pairs: how many were asked for.
    symmetric: predicates without direction.
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
        odds_of = _odds(rel, [example for _, example in batch])
        for number, example in batch:
            _add(outcomes, rel, number, example, odds_of.get(id(example.predicted)))
    return outcomes


def _odds(rel: DualEncoderRel, examples: Sequence[Example]) -> Dict[int, Tuple[Sequence, Any]]:
    """For each Doc that has candidates what is decided on, pooled, and the log odds (P, L)."""
    candidates = (candidate for example in examples for candidate in rel.get_candidates(example.predicted))
    slices = (
        (chunk, rel.model.ops.to_numpy(log_odds(scores, rel.prediction, rel.alpha)))
        for chunk, _, scores in rel.model_scores(candidates, rel.cascade)
    )
    return {id(of_doc[0].subject.doc): rel.candidates.pool(of_doc, odds) for of_doc, odds in by_doc(slices)}


def _add(
    outcomes: Outcomes, rel: DualEncoderRel, number: int, example: Example, scored: Optional[Tuple[Sequence, Any]]
) -> None:
    of_gold = rel.candidates.pairs
    of_found = pairs_of_found(example, rel.spans_key, of_gold)
    gold = {key: r for r in gold_relations(example) for key in _keys(rel, r, of_gold)}
    predicted = {key: r for r in get_rels(example.predicted) for key in _keys(rel, r, of_found)}
    probability, best = _probabilities(rel, *scored, of_found) if scored is not None else ({}, {})
    outcomes.pairs += len(scored[0]) if scored is not None else 0
    outcomes.scored += [Scored(key[0], (number, key[1]), value, key in gold) for key, value in best.items()]
    mentions = get_mentions(example.predicted, rel.spans_key)
    for key in dict.fromkeys([*gold, *predicted]):
        relation = gold.get(key) or predicted[key]
        is_scored = key in probability or key in predicted
        item = Item(
            relation,
            doc_name(example),
            (number, key[1]),
            is_gold=key in gold,
            is_predicted=key in predicted,
            probability=predicted[key].score if key in predicted else probability.get(key),
            uncovered=None if is_scored else _why(rel, example, relation, mentions),
        )
        outcomes.items.append(item)


def _why(rel: DualEncoderRel, example: Example, gold: Relation, mentions: Sequence[Span]) -> str:
    """Why a gold relation has no candidate, in words."""
    if gold.predicate not in rel.labels:
        return f"predicate {gold.predicate} not known to the pipeline"
    gold = as_asked(gold, rel.undirected, rel.type_pairs)
    on_doc = why_uncovered(example.predicted, gold, mentions, rel.candidates, rel.type_pairs)
    # The component leaves types out before it asks its policy
    return rel.why_not(gold.subject, gold.object) or on_doc


def _probabilities(
    rel: DualEncoderRel, decisions: Sequence, odds: Any, pairs: Pairs
) -> Tuple[Dict[_Key, float], Dict[_Key, float]]:
    """The probability of everything that was scored, and of what could be decided: the likeliest predicate of each
    pair or, where there may be several, all. Of the two orders of a symmetric predicate the likelier one counts.
    """
    everything: Dict[_Key, float] = {}
    best: Dict[_Key, float] = {}
    labels = list(rel.label_data)
    for candidate, row, of_row in zip(decisions, odds, probabilities(odds)):
        likeliest = 1 + int(row[1:].argmax())
        for column in range(1, len(labels)):
            value = float(of_row[column])
            for key in _keys(rel, Relation(candidate.subject, labels[column], candidate.object), pairs):
                everything[key] = max(everything.get(key, 0.0), value)
                if rel.multi_label or column == likeliest:
                    best[key] = max(best.get(key, 0.0), value)
    return everything, best


def _keys(rel: DualEncoderRel, relation: Relation, pairs: Pairs) -> Iterable[_Key]:
    """The predicate with each of the pairs that a relation is about, those without a direction in one order."""
    relation = canonical(relation, rel.undirected)
    about = pairs(relation.subject, relation.object)
    for pair in about or mention_pairs(relation.subject, relation.object):
        # A pair of concepts has no order in the text
        yield relation.predicate, tuple(sorted(pair)) if relation.predicate in rel.undirected else pair  # type: ignore
