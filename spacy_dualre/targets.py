"""What training asks of the model: the candidates of a batch and the gold predicates of each."""

import random
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Span
from spacy.training import Example

from .candidates import align_gold, mention_key
from .errors import Errors
from .types import NEGATIVE, Relation

PairKey = Tuple[Tuple[int, int, str], Tuple[int, int, str]]


def pair_key(subject: Span, object: Span) -> PairKey:
    """What makes a pair of mentions of one Doc."""
    return (mention_key(subject), mention_key(object))


def relation_pairs(rel: Relation, undirected: Set[str]) -> Set[PairKey]:
    """The ordered pairs of mentions between which a relation holds: both orders for an undirected predicate."""
    pairs = {pair_key(rel.subject, rel.object)}
    if rel.predicate in undirected:
        pairs.add(pair_key(rel.object, rel.subject))
    return pairs


def gold_predicates(
    example: Example, spans_key: Optional[str], undirected: Set[str], labels: Sequence[str]
) -> Dict[PairKey, List[str]]:
    """The gold predicates of each pair of mentions of the predicted Doc; in both directions for an undirected
    predicate.

    Raises ValueError for a predicate that is not among the labels.
    """
    predicates: Dict[PairKey, List[str]] = {}
    for rel in align_gold(example, spans_key)[0]:
        if rel.predicate not in labels:
            known = ", ".join(label for label in labels if label != NEGATIVE)
            raise ValueError(Errors.DR041.format(doc=doc_name(example), label=rel.predicate, labels=known))
        for pair in relation_pairs(rel, undirected):
            if rel.predicate not in predicates.setdefault(pair, []):
                predicates[pair].append(rel.predicate)
    return predicates


def target_rows(targets: Sequence[Sequence[str]], labels: Sequence[str]) -> Any:
    """(P, L) distributions: a candidate's gold predicates share its row; without any it is the negative one's."""
    column = {label: i for i, label in enumerate(labels)}
    rows = numpy.zeros((len(targets), len(labels)), dtype="float32")
    for row, predicates in zip(rows, targets):
        for predicate in predicates or [NEGATIVE]:
            row[column[predicate]] = 1.0 / max(len(predicates), 1)
    return rows


def sample_negatives(targets: Sequence[Sequence[str]], negatives_per_positive: float) -> List[int]:
    """The places of all positives and of a random sample of the negatives, in order. A batch without positives keeps
    one positive's worth.
    """
    negatives = [i for i, predicates in enumerate(targets) if not predicates]
    positives = [i for i, predicates in enumerate(targets) if predicates]
    n = min(len(negatives), round(negatives_per_positive * max(len(positives), 1)))
    return sorted(positives + random.sample(negatives, n))


def doc_name(example: Example) -> str:
    """The document's id if it has one, else the beginning of its text."""
    return str(example.reference.user_data.get("doc_id") or repr(example.reference.text[:40]))
