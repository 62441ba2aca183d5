"""What training asks of the model: the candidates of a batch and their gold predicates."""

import random
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.mentions import doc_name, get_corpus, gold_relations
from ..errors import Errors
from ..types import NEGATIVE, Candidate, Pair, Pairs, Relation


class Targets(NamedTuple):
    """The candidates of a batch and what they should be.

    Attributes:
        candidates: P candidates.
        rows: (P, L), a distribution per candidate: its gold predicates in equal parts, else the negative one.
    """

    candidates: List[Candidate]
    rows: numpy.ndarray


def training_targets(
    examples: Iterable[Example],
    get_candidates: Callable[[Doc], Iterable[Candidate]],
    pairs: Pairs,
    undirected: Set[str],
    labels: Sequence[str],
    negatives_per_positive: Optional[float] = None,
) -> Targets:
    """Collect the candidates of a batch with their gold predicates.

    Args:
        examples: The batch. Predicted Docs that do not name their corpus take over the reference's.
        get_candidates: Gives the candidates of a predicted Doc.
        pairs: Gives the pairs that a relation is about.
        undirected: Predicates that hold in both directions.
        labels: L predicates, the negative one first.
        negatives_per_positive: Keep this many negatives per positive of the batch, at random; None keeps all. A batch
            without positives keeps one positive's worth.

    Returns:
        The candidates and their targets.

    Raises:
        ValueError: A gold predicate is not among the labels.
    """
    candidates: List[Candidate] = []
    targets: List[List[str]] = []
    for example in examples:
        corpus = get_corpus(example.reference)
        if corpus is not None and get_corpus(example.predicted) is None:
            example.predicted.user_data["corpus"] = corpus
        gold = _gold_predicates(example, pairs, undirected, labels)
        for candidate in get_candidates(example.predicted):
            candidates.append(candidate)
            targets.append(gold.get(candidate.about, []))
    if negatives_per_positive is not None:
        kept = _sample_negatives(targets, negatives_per_positive)
        candidates, targets = [candidates[i] for i in kept], [targets[i] for i in kept]
    return Targets(candidates, _rows(targets, labels))


def relation_pairs(rel: Relation, pairs: Pairs, undirected: Set[str]) -> Set[Pair]:
    """The pairs that a relation is about, in both orders if its predicate is undirected."""
    found = set(pairs(rel.subject, rel.object))
    if rel.predicate in undirected:
        found.update(pairs(rel.object, rel.subject))
    return found


def labels_of_corpora(examples: Iterable[Example]) -> Dict[str, List[str]]:
    """The predicates of each corpus, from the documents that name their corpus."""
    found: Dict[str, Set[str]] = {}
    for example in examples:
        corpus = get_corpus(example.reference)
        if corpus is not None:
            found.setdefault(corpus, set()).update(rel.predicate for rel in gold_relations(example))
    return {corpus: sorted(labels) for corpus, labels in sorted(found.items())}


def _gold_predicates(
    example: Example, pairs: Pairs, undirected: Set[str], labels: Sequence[str]
) -> Dict[Pair, List[str]]:
    predicates: Dict[Pair, List[str]] = {}
    for rel in gold_relations(example):
        if rel.predicate not in labels:
            known = ", ".join(label for label in labels if label != NEGATIVE)
            raise ValueError(Errors.DR150.format(doc=doc_name(example.reference), label=rel.predicate, labels=known))
        for pair in relation_pairs(rel, pairs, undirected):
            if rel.predicate not in predicates.setdefault(pair, []):
                predicates[pair].append(rel.predicate)
    return predicates


def _sample_negatives(targets: Sequence[Sequence[str]], negatives_per_positive: float) -> List[int]:
    """The places of all positives and of a sample of the negatives, in order."""
    negatives = [i for i, predicates in enumerate(targets) if not predicates]
    positives = [i for i, predicates in enumerate(targets) if predicates]
    n = min(len(negatives), round(negatives_per_positive * max(len(positives), 1)))
    return sorted(positives + random.sample(negatives, n))


def _rows(targets: Sequence[Sequence[str]], labels: Sequence[str]) -> numpy.ndarray:
    column = {label: i for i, label in enumerate(labels)}
    rows = numpy.zeros((len(targets), len(labels)), dtype="float32")
    for row, predicates in zip(rows, targets):
        for predicate in predicates or [NEGATIVE]:
            row[column[predicate]] = 1.0 / max(len(predicates), 1)
    return rows
