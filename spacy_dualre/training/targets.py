"""What training asks of the model: the candidates of a batch and the gold predicates of each."""

import random
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.mentions import doc_name, get_corpus, gold_relations
from ..candidates.policy import CandidatePolicy
from ..errors import Errors
from ..types import NEGATIVE, Pair, Relation


def relation_pairs(rel: Relation, policy: CandidatePolicy, undirected: Set[str]) -> Set[Pair]:
    """What a relation is about, as the policy sees it: both orders for an undirected predicate."""
    pairs = set(policy.pairs(rel.subject, rel.object))
    if rel.predicate in undirected:
        pairs.update(policy.pairs(rel.object, rel.subject))
    return pairs


def gold_predicates(
    example: Example, policy: CandidatePolicy, undirected: Set[str], labels: Sequence[str]
) -> Dict[Pair, List[str]]:
    """The gold predicates of each pair, as the policy sees pairs; in both directions for an undirected predicate.

    Raises ValueError for a predicate that is not among the labels.
    """
    predicates: Dict[Pair, List[str]] = {}
    for rel in gold_relations(example):
        if rel.predicate not in labels:
            known = ", ".join(label for label in labels if label != NEGATIVE)
            raise ValueError(Errors.DR150.format(doc=doc_name(example), label=rel.predicate, labels=known))
        for pair in relation_pairs(rel, policy, undirected):
            if rel.predicate not in predicates.setdefault(pair, []):
                predicates[pair].append(rel.predicate)
    return predicates


def labels_of_corpora(examples: Iterable[Example]) -> Dict[str, List[str]]:
    """The predicates of each corpus, of the documents that say which one they are from."""
    found: Dict[str, Set[str]] = {}
    for example in examples:
        corpus = get_corpus(example.reference)
        if corpus is not None:
            found.setdefault(corpus, set()).update(rel.predicate for rel in gold_relations(example))
    return {corpus: sorted(labels) for corpus, labels in sorted(found.items())}


def training_corpora(examples: Iterable[Example]) -> Dict[Doc, Optional[str]]:
    """The corpus of each predicted Doc: the reference's where it says none itself, as one made from a text does."""
    return {e.predicted: get_corpus(e.predicted) or get_corpus(e.reference) for e in examples}


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
