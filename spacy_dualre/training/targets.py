"""What training asks of the model: the candidates of a batch and their gold predicates."""

import random
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.mentions import doc_name, get_corpus, gold_relations
from ..errors import Errors
from ..types import NEGATIVE, Candidate, Pair, Pairs, Relation


class Targets(NamedTuple):
    """The P candidates of a batch and what they should be."""

    candidates: List[Candidate]
    rows: numpy.ndarray  # (P, L), a distribution each: its gold predicates in equal parts, else the negative one


def training_targets(
    examples: Iterable[Example],
    get_candidates: Callable[[Doc], Iterable[Candidate]],
    pairs: Pairs,
    undirected: Set[str],
    labels: Sequence[str],
    negatives_per_positive: Optional[float] = None,
    type_map: Mapping[str, str] = {},
) -> Targets:
    """Collect the candidates of a batch with their gold predicates.

    Args:
        examples: The batch. Predicted Docs that do not name their corpus take over the reference's.
        undirected: Predicates that hold in both directions.
        labels: L predicates, the negative one first.
        negatives_per_positive: Keep this many negatives per positive of the batch, at random; None keeps all. A batch
            without positives keeps one positive's worth.
        type_map: Maps the types of gold mentions to those of the candidates.

    Raises:
        ValueError: A gold predicate is not among the labels.
    """
    found: List[Tuple[Candidate, List[str]]] = []
    for example in examples:
        corpus = get_corpus(example.reference)
        if corpus is not None and get_corpus(example.predicted) is None:
            example.predicted.user_data["corpus"] = corpus
        gold = _gold_predicates(example, gold_relations(example, type_map), pairs, undirected, labels)
        found += [(candidate, gold.get(candidate.about, [])) for candidate in get_candidates(example.predicted)]
    if negatives_per_positive is not None:
        negatives = [i for i, (_, predicates) in enumerate(found) if not predicates]
        positives = [i for i, (_, predicates) in enumerate(found) if predicates]
        n = min(len(negatives), round(negatives_per_positive * max(len(positives), 1)))
        found = [found[i] for i in sorted(positives + random.sample(negatives, n))]
    rows = numpy.zeros((len(found), len(labels)), dtype="float32")
    for row, (_, predicates) in zip(rows, found):
        for predicate in predicates or [NEGATIVE]:
            row[labels.index(predicate)] = 1.0 / max(len(predicates), 1)
    return Targets([candidate for candidate, _ in found], rows)


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
    example: Example, gold: Iterable[Relation], pairs: Pairs, undirected: Set[str], labels: Sequence[str]
) -> Dict[Pair, List[str]]:
    predicates: Dict[Pair, List[str]] = {}
    for rel in gold:
        if rel.predicate not in labels:
            known = ", ".join(label for label in labels if label != NEGATIVE)
            raise ValueError(Errors.DR150.format(doc=doc_name(example.reference), label=rel.predicate, labels=known))
        for pair in relation_pairs(rel, pairs, undirected):
            if rel.predicate not in predicates.setdefault(pair, []):
                predicates[pair].append(rel.predicate)
    return predicates
