"""The outcome for each scored pair and each gold relation, from which reports are computed."""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Collection, Dict, Hashable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, cast

import numpy
from spacy.training import Example

from ...annotations.mentions import doc_name, get_mentions, gold_relations
from ...annotations.relations import get_rels
from ...candidates.policy import relation_keys
from ...pipeline.component import DualEncoderRel, join
from ...pipeline.component import Scored as ScoredCandidates
from ...pipeline.decode import as_relation, probabilities
from ...pipeline.diagnosis import NO_DESCRIPTION, as_asked, why_uncovered
from ...scoring.scorer import pairs_of_found
from ...types import Pairs, Relation

#: The number of a document, and the pair of mentions or concepts that a relation in it is about.
Place = Tuple[int, Hashable]
#: A predicate, and the pair that it is about within a document.
_Key = Tuple[str, Hashable]


class Scored(NamedTuple):
    """A predicate that might be found at a place, with its probability (0 to 1)."""

    predicate: str
    place: Place
    probability: float
    is_gold: bool


class Item(NamedTuple):
    """A relation that is gold, predicted or both.

    Attributes:
        document: The document's id.
        probability: The predicate's, 0 to 1; None if it was not scored.
        uncovered: Why a gold relation was not scored, in words; None if it was.
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
    """The outcomes on some documents.

    Attributes:
        labels: The pipeline's predicates.
        items: Each gold or predicted relation once, as the scorer counts them.
        scored: The likeliest predicate of each scored pair or, with multi_label, all possible ones.
        pairs: The number of scored pairs.
        symmetric: Predicates without direction.
    """

    documents: int
    labels: Tuple[str, ...]
    items: List[Item] = field(default_factory=list)
    scored: List[Scored] = field(default_factory=list)
    pairs: int = 0
    symmetric: Collection[str] = ()


class _Probabilities(NamedTuple):
    """Probabilities in a document: of all possible predicates, and of the `best`, which may become relations."""

    possible: Dict[_Key, float]
    best: Dict[_Key, float]
    impossible: Set[_Key]
    pairs: int


def find_outcomes(rel: DualEncoderRel, examples: Sequence[Example]) -> Outcomes:
    """Compare the relations of predicted Docs from the pipeline, scored again, with those of the reference Docs."""
    outcomes = Outcomes(len(examples), rel.labels, symmetric=rel.undirected)
    by_doc = groupby(rel.stream(example.predicted for example in examples), key=lambda part: part.doc)
    scored_docs = ((doc, list(parts)) for doc, parts in by_doc)
    doc, parts = next(scored_docs, (None, []))
    for number, example in enumerate(examples):
        if doc is example.predicted:
            _add(outcomes, rel, number, example, parts)
            doc, parts = next(scored_docs, (None, []))
        else:
            _add(outcomes, rel, number, example, [])
    return outcomes


def _add(
    outcomes: Outcomes, rel: DualEncoderRel, number: int, example: Example, parts: Sequence[ScoredCandidates]
) -> None:
    of_found = pairs_of_found(example, rel.spans_key, rel.candidates.pairs)
    gold = {key: one for one in gold_relations(example) for key in _keys(rel, one, rel.candidates.pairs)}
    predicted = {key: one for one in get_rels(example.predicted) for key in _keys(rel, one, of_found)}
    found = _probabilities(rel, parts, of_found) if parts else _Probabilities({}, {}, set(), 0)
    outcomes.pairs += found.pairs
    outcomes.scored += [Scored(key[0], (number, key[1]), value, key in gold) for key, value in found.best.items()]
    for key in dict.fromkeys([*gold, *predicted]):
        relation = gold.get(key) or predicted[key]
        is_scored = key in found.possible or key in predicted
        item = Item(
            relation,
            doc_name(example),
            (number, key[1]),
            is_gold=key in gold,
            is_predicted=key in predicted,
            probability=predicted[key].score if key in predicted else found.possible.get(key),
            uncovered=None if is_scored else _why(rel, example, relation, key in found.impossible),
        )
        outcomes.items.append(item)


def _why(rel: DualEncoderRel, example: Example, gold: Relation, is_impossible: bool) -> str:
    """Why a gold relation was not scored, in words; its pair may have been scored for other predicates."""
    if is_impossible and not rel.is_possible(gold.predicate, gold.subject, gold.object):
        return NO_DESCRIPTION
    if is_impossible:
        return "predicate that only other corpora have"
    if gold.predicate not in rel.labels:
        return f"predicate {gold.predicate} not known to the pipeline"
    gold = as_asked(gold, rel.undirected, rel.type_pairs)
    mentions = get_mentions(example.predicted, rel.spans_key)
    # The component excludes types before it consults its policy
    return rel.why_not(gold.subject, gold.object) or why_uncovered(
        example.predicted, gold, mentions, rel.candidates, rel.type_pairs
    )


def _probabilities(rel: DualEncoderRel, parts: Sequence[ScoredCandidates], pairs: Pairs) -> _Probabilities:
    """The probabilities of a document's candidates. For symmetric predicates, the likelier direction counts."""
    candidates, odds = join(parts)
    # Not `read`, since a cascade skips descriptions of possible predicates
    possible = dict(zip(candidates, numpy.concatenate([part.scores.possible for part in parts])))
    decisions, odds = rel.candidates.pool(candidates, odds)
    found = _Probabilities({}, {}, set(), len(decisions))
    for candidate, row, values in zip(decisions, odds, probabilities(cast(Any, odds)).tolist()):
        # All candidates of a pair have the same types
        columns = numpy.flatnonzero(possible[candidate][1:]) + 1
        likeliest = max(columns, key=row.__getitem__, default=None)
        for column, label in list(enumerate(rel.label_data))[1:]:
            keys = list(_keys(rel, as_relation(candidate, label), pairs))
            if column not in columns:
                found.impossible.update(keys)
                continue
            for key in keys:
                found.possible[key] = max(found.possible.get(key, 0.0), values[column])
                if rel.multi_label or column == likeliest:
                    found.best[key] = max(found.best.get(key, 0.0), values[column])
    return found


def _keys(rel: DualEncoderRel, relation: Relation, pairs: Pairs) -> Iterator[_Key]:
    """The scorer's keys, with the pairs of undirected predicates sorted."""
    for predicate, pair in relation_keys(relation, rel.undirected, pairs):
        yield predicate, tuple(sorted(pair)) if isinstance(pair, frozenset) else pair
