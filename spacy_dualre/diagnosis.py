"""What the training data holds and what is lost on the way, counted before training starts."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Iterable, List, Optional, Set, Tuple

from spacy.training import Example

from .candidates import CandidatePolicy, align_gold, get_mentions
from .targets import pair_key, relation_pairs
from .types import Relation, TypePairs

#: Shows the counts at the start of a training. As spaCy's own logger it has a handler; silence it by its level.
logger = logging.getLogger("spacy_dualre")
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler())


@dataclass
class Diagnosis:
    """Counts over the training documents."""

    documents: int = 0
    mentions: int = 0
    relations: int = 0
    candidates: int = 0
    positives: int = 0
    #: mentions of each type
    types: Counter = field(default_factory=Counter)
    #: gold relations of each predicate
    predicates: Counter = field(default_factory=Counter)
    #: gold relations without a candidate, by reason
    uncovered: Counter = field(default_factory=Counter)

    @property
    def reasons(self) -> str:
        """The uncovered gold relations in words."""
        return ", ".join(f"{n} {reason}" for reason, n in self.uncovered.most_common())

    def __str__(self) -> str:
        covered = self.relations - sum(self.uncovered.values())
        negatives = 1 - self.positives / self.candidates if self.candidates else 0.0
        lines = [
            f"{self.documents} documents, {self.mentions} mentions, {self.relations} gold relations, "
            f"{self.candidates} candidates",
            f"{covered} of {self.relations} gold relations have a candidate"
            + (f" (not: {self.reasons})" if self.uncovered else ""),
            f"{negatives:.1%} of the candidates are negatives",
            "mentions: " + ", ".join(f"{type} {n}" for type, n in sorted(self.types.items())),
            "gold relations: " + ", ".join(f"{label} {n}" for label, n in sorted(self.predicates.items())),
        ]
        return "\n  ".join(lines)


def diagnose(
    examples: Iterable[Example],
    policy: CandidatePolicy,
    spans_key: Optional[str],
    type_pairs: TypePairs,
    undirected: Set[str],
    is_possible: Callable[[Relation], bool],
) -> Diagnosis:
    """Count documents, mentions, gold relations and candidates, and why gold relations have no candidate.

    is_possible: whether a relation's predicate has a description for its types.
    """
    counts = Diagnosis()
    for example in examples:
        mentions = get_mentions(example.predicted, spans_key)
        counts.documents += 1
        counts.mentions += len(mentions)
        counts.types.update(mention.label_ for mention in mentions)
        found, missing = align_gold(example, spans_key)
        counts.relations += len(found) + len(missing)
        counts.predicates.update(rel.predicate for rel in (*found, *missing))
        counts.uncovered["entity missing on the predicted document"] += len(missing)
        candidates = {pair_key(*candidate) for candidate in policy(example.predicted, mentions, type_pairs)}
        impossible = [rel for rel in found if not is_possible(rel)]
        counts.uncovered["predicate has no description for these types"] += len(impossible)
        possible = [rel for rel in found if is_possible(rel)]
        positives, reasons = _match(example, possible, candidates, policy, type_pairs, undirected)
        counts.candidates += len(candidates)
        counts.positives += len(positives)
        counts.uncovered.update(reasons)
    counts.uncovered = +counts.uncovered
    return counts


def _match(
    example: Example,
    gold: List[Relation],
    candidates: Set,
    policy: CandidatePolicy,
    type_pairs: TypePairs,
    undirected: Set[str],
) -> Tuple[Set, List[str]]:
    positives, reasons = set(), []
    for rel in gold:
        pairs = relation_pairs(rel, undirected)
        if pairs & candidates:
            positives |= pairs & candidates
        else:
            reason = policy.why_not(example.predicted, rel.subject, rel.object, type_pairs)
            reasons.append(reason or "mention listed twice")
    return positives, reasons
