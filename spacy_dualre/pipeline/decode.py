"""Scores to relations."""

from typing import Any, Dict, Hashable, List, Sequence, Set

import numpy
from thinc.api import get_array_module
from thinc.types import Floats2d

from ..annotations.concepts import Concept, with_concept
from ..annotations.mentions import mention_key
from ..types import Candidate, Relation, RelScores

#: The heads that may decide.
PREDICTIONS = ("similarity", "classifier", "joint")


def log_odds(scores: RelScores, prediction: str, alpha: float) -> Floats2d:
    """How far each predicate's score lies above the negative one's; the best one above 0 is the paper's arg max.

    "joint" weighs the classifier by alpha and the similarity by 1 - alpha (the normalisers of their softmaxes cancel).
    Predicates that the classifier does not know are judged by similarity alone.

    Returns:
        (P, L), the negative predicate in column 0; -inf for predicates that are impossible or were not read.
    """
    xp = get_array_module(scores.similarity)
    odds = scores.similarity - scores.similarity[:, :1]
    if prediction != "similarity":
        weight = alpha if prediction == "joint" else 1.0
        known = scores.logits.shape[1]
        classified = scores.logits - scores.logits[:, :1]
        odds = xp.concatenate([weight * classified + (1 - weight) * odds[:, :known], odds[:, known:]], axis=1)
    return xp.where(scores.possible if prediction == "classifier" else scores.read, odds, -xp.inf)


def probabilities(odds: numpy.ndarray) -> numpy.ndarray:
    """1 / (1 + exp(-odds)): the probability of a predicate against the negative one; 0 for odds of -inf."""
    return numpy.where(odds == -numpy.inf, 0.0, 1 / (1 + numpy.exp(-numpy.clip(odds, -80, 80))))


def decode(
    candidates: Sequence[Candidate],
    odds: Any,
    labels: Sequence[str],
    threshold: float,
    undirected: Set[str],
    multi_label: bool,
) -> List[Relation]:
    """The distinct relations among the P candidates of a Doc, each with its best score.

    Args:
        odds: (P, L) from `log_odds`, on the CPU.
        labels: L predicates, the negative one first.
        undirected: Predicates without direction. Their relations have the first mention in the text as subject, and
            the two directions count as one.
        multi_label: Take every predicate that reaches the threshold instead of the best one only.
    """
    probs = probabilities(odds)
    chosen = (probs > 0) & (probs >= threshold)
    chosen[:, 0] = False
    if not multi_label:
        # By the odds: several probabilities may be 1.0 in floating point
        chosen &= numpy.arange(len(labels)) == 1 + odds[:, 1:].argmax(axis=1, keepdims=True)
    found: Dict[Hashable, Relation] = {}
    for row, column in numpy.argwhere(chosen):
        label, about = labels[column], candidates[row].about
        key = (label, frozenset(about) if label in undirected else about)
        score = float(probs[row, column])
        if key not in found or found[key].score < score:
            found[key] = in_text_order(as_relation(candidates[row], label, score), undirected)
    return list(found.values())


def as_relation(candidate: Candidate, label: str, score: float = 1.0) -> Relation:
    """The relation that a candidate stands for; a mention of several concepts is narrowed to the candidate's."""
    subject, object = (
        with_concept(mention, about.id) if isinstance(about, Concept) and mention.kb_id_ else mention
        for mention, about in zip(candidate[:2], candidate.about)
    )
    return Relation(subject, label, object, score)


def in_text_order(rel: Relation, undirected: Set[str]) -> Relation:
    """The relation with its first mention in the text as subject, if its predicate is undirected."""
    if rel.predicate in undirected and mention_key(rel.object) < mention_key(rel.subject):
        return rel._replace(subject=rel.object, object=rel.subject)
    return rel
