"""What the training data holds and what is lost on the way, counted before training starts."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Iterable, List, Optional, Sequence, Set, cast

from spacy.tokens import Doc, Span
from spacy.training import Example

from .candidates import CandidatePolicy, get_mentions, gold_relations
from .targets import relation_pairs
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
        gold = gold_relations(example)
        counts.relations += len(gold)
        counts.predicates.update(rel.predicate for rel in gold)
        candidates = Counter(
            pair for candidate in policy(example.predicted, mentions, type_pairs) for pair in policy.pairs(*candidate)
        )
        counts.candidates += candidates.total()
        positives = set()
        for rel in gold:
            covered = relation_pairs(rel, policy, undirected) & candidates.keys()
            if not is_possible(rel):
                counts.uncovered["predicate has no description for these types"] += 1
            elif covered:
                positives |= covered
            else:
                counts.uncovered[why_uncovered(example.predicted, rel, mentions, policy, type_pairs)] += 1
        counts.positives += sum(candidates[pair] for pair in positives)
    return counts


def why_uncovered(
    doc: Doc, rel: Relation, mentions: Sequence[Span], policy: CandidatePolicy, type_pairs: TypePairs
) -> str:
    """Why a gold relation has no candidate, in words."""
    on_doc = {(span.start_char, span.end_char, span.label_): span for span in mentions}
    arguments = [on_doc.get((span.start_char, span.end_char, span.label_)) for span in (rel.subject, rel.object)]
    if None in arguments:
        return "entity missing on the predicted document"
    subject, object = (
        Span(doc, found.start, found.end, label=found.label, kb_id=gold.kb_id)
        for found, gold in zip(cast(List[Span], arguments), (rel.subject, rel.object))
    )
    return (
        policy.why_not(doc, subject, object, type_pairs)
        or "mention listed twice, or of another concept on the predicted document"
    )
