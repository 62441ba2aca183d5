"""The outcome for each scored pair and each gold relation, from which reports are computed."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Collection, Dict, Hashable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from spacy.training import Example

from ...annotations.mentions import doc_name, get_mentions, gold_relations
from ...annotations.relations import get_rels
from ...candidates.policy import relation_keys
from ...pipeline.component import DualEncoderRel, Scored, join
from ...pipeline.decode import as_relation, decode
from ...pipeline.diagnosis import NO_DESCRIPTION, as_asked, why_uncovered
from ...scoring.scorer import pairs_of_found
from ...types import Relation

#: The number of a document, and the pair of mentions or concepts that a relation in it is about.
Place = Tuple[int, Hashable]
#: A predicate, and the pair that it is about within a document.
_Key = Tuple[str, Hashable]
_KeysOf = Callable[[Relation], Iterable[_Key]]


class Item(NamedTuple):
    """A relation that is gold, predicted or both.

    Attributes:
        probability: The predicate's; None if it was not scored.
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
        items: Each gold or predicted relation once, as the scorer counts them.
        scored: The probability of the likeliest predicate of each scored pair (with multi_label: of all possible ones),
            and whether it is gold.
        pairs: The number of scored pairs.
    """

    documents: int
    labels: Tuple[str, ...]
    items: List[Item] = field(default_factory=list)
    scored: List[Tuple[float, bool]] = field(default_factory=list)
    pairs: int = 0
    symmetric: Collection[str] = ()


def find_outcomes(rel: DualEncoderRel, examples: Sequence[Example]) -> Outcomes:
    """Compare the relations of predicted Docs from the pipeline, scored again, with those of the reference Docs."""
    outcomes = Outcomes(len(examples), rel.labels, symmetric=rel.undirected)
    parts: Dict[int, List[Scored]] = defaultdict(list)
    for part in rel.stream(example.predicted for example in examples):
        # Without the instances, which take the most memory
        parts[id(part.doc)].append(part._replace(instances=[]))
    for number, example in enumerate(examples):
        _add(outcomes, rel, number, example, parts[id(example.predicted)])
    return outcomes


def _add(outcomes: Outcomes, rel: DualEncoderRel, number: int, example: Example, parts: Sequence[Scored]) -> None:
    of_found = pairs_of_found(example, rel.spans_key, rel.candidates.pairs, rel.type_map)
    keys_of = partial(relation_keys, undirected=rel.undirected, pairs=of_found)
    gold_keys_of = partial(relation_keys, undirected=rel.undirected, pairs=rel.candidates.pairs)
    gold = {key: one for one in gold_relations(example, rel.type_map) for key in gold_keys_of(one)}
    predicted = {key: one for one in get_rels(example.predicted) for key in keys_of(one)}
    asked = _asked(rel, parts, keys_of)
    name = doc_name(example.reference)
    possible: Dict[_Key, float] = {}
    best: Dict[_Key, float] = {}
    if parts:
        decisions, odds = rel.candidates.pool(*join(parts))
        for scores, multi_label in ((possible, True), (best, rel.multi_label)):
            # Every predicate above a threshold of 0 has a probability; the best of a key comes last and stays
            found = decode(decisions, odds, list(rel.label_data), 0.0, rel.undirected, multi_label)
            scores.update((key, one.score) for one in sorted(found, key=lambda one: one.score) for key in keys_of(one))
        outcomes.pairs += len(decisions)
        outcomes.scored += [(probability, key in gold) for key, probability in best.items()]
    for key in dict.fromkeys([*gold, *predicted]):
        relation = gold.get(key) or predicted[key]
        is_scored = asked.get(key) or key in predicted
        probability = predicted[key].score if key in predicted else possible.get(key, 0.0 if is_scored else None)
        uncovered = None if is_scored else _why(rel, example, relation, key in asked)
        place = (number, tuple(sorted(key[1])) if isinstance(key[1], frozenset) else key[1])
        outcomes.items.append(Item(relation, name, place, key in gold, key in predicted, probability, uncovered))


def _asked(rel: DualEncoderRel, parts: Sequence[Scored], keys_of: _KeysOf) -> Dict[_Key, bool]:
    """Whether a candidate was asked for each predicate, in either direction of symmetric ones."""
    asked: Dict[_Key, bool] = {}
    for part in parts:
        for candidate, row in zip(part.candidates, part.scores.possible):
            for label, is_possible in zip(rel.label_data, row):
                for key in keys_of(as_relation(candidate, label)):
                    asked[key] = asked.get(key, False) or bool(is_possible)
    return asked


def _why(rel: DualEncoderRel, example: Example, gold: Relation, is_candidate: bool) -> str:
    """Why a gold relation was not scored, in words; its pair may have been scored for other predicates."""
    if gold.predicate not in rel.labels:
        return f"predicate {gold.predicate} not known to the pipeline"
    if is_candidate:
        is_possible = rel.is_possible(gold.predicate, gold.subject, gold.object)
        return "predicate that only other corpora have" if is_possible else NO_DESCRIPTION
    gold = as_asked(gold, rel.undirected, rel.type_pairs)
    mentions = get_mentions(example.predicted, rel.spans_key, rel.type_map)
    # The component excludes types before it consults its policy
    reason = rel.why_not(gold.subject, gold.object)
    return reason or why_uncovered(example.predicted, gold, mentions, rel.candidates, rel.type_pairs)
