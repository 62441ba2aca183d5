"""Counts what the training data holds and what gets lost on the way, before training starts."""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Callable, Container, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations.mentions import get_mentions, gold_relations
from ..candidates.policy import CandidatePolicy, types_allowed
from ..training.targets import relation_pairs
from ..types import Candidate, Pair, Relation, TypePairs

#: Shows the counts at the start of a training; silence it by its level.
logger = logging.getLogger("spacy_dualre")
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler())

#: How many types and predicates are listed.
LISTED = 20
#: Why a gold relation between the mentions of a candidate is not covered by it.
NO_DESCRIPTION = "predicate has no description for these types"


@dataclass
class Diagnosis:
    """Counts over the training documents: mentions by type, gold relations by predicate, those without a candidate
    by reason.
    """

    documents: int = 0
    candidates: int = 0
    positives: int = 0
    mentions: Counter = field(default_factory=Counter)
    relations: Counter = field(default_factory=Counter)
    uncovered: Counter = field(default_factory=Counter)

    @property
    def reasons(self) -> str:
        """The reasons in words, most frequent first."""
        return ", ".join(f"{n} {reason}" for reason, n in self.uncovered.most_common())

    def __str__(self) -> str:
        n = self.relations.total()
        negatives = 1 - self.positives / self.candidates if self.candidates else 0.0
        lines = [
            f"{self.documents} documents, {self.mentions.total()} mentions, {n} gold relations, "
            f"{self.candidates} candidates",
            f"{n - self.uncovered.total()} of {n} gold relations have a candidate"
            + (f" (not: {self.reasons})" if self.uncovered else ""),
            f"{negatives:.1%} of the candidates are negatives",
            f"mentions: {_listed(self.mentions)}",
            f"gold relations: {_listed(self.relations)}",
        ]
        return "\n  ".join(lines)


def _listed(counts: Counter) -> str:
    """The most frequent names, first and with how often they occur, and what the others are together."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{name} {n}" for name, n in ordered[:LISTED]]
    others = [n for _, n in ordered[LISTED:]]
    return ", ".join([*named, f"{len(others)} others {sum(others)}"] if others else named)


def diagnose(
    examples: Iterable[Example],
    policy: CandidatePolicy,
    spans_key: Optional[str],
    type_pairs: TypePairs,
    undirected: Set[str],
    is_possible: Callable[[str, Span, Span], bool],
    type_map: Mapping[str, str] = {},
) -> Diagnosis:
    """Count; `is_possible` tells whether a predicate has a description for the types of two mentions."""
    counts = Diagnosis()
    for example in examples:
        mentions = get_mentions(example.predicted, spans_key, type_map)
        gold = gold_relations(example, type_map)
        counts.documents += 1
        counts.mentions.update(mention.label_ for mention in mentions)
        counts.relations.update(rel.predicate for rel in gold)
        about: Dict[Pair, List[Candidate]] = defaultdict(list)
        for candidate in policy(example.predicted, mentions, type_pairs):
            counts.candidates += 1
            about[candidate.about].append(candidate)
        positives: Set[Candidate] = set()
        for rel in gold:
            pairs = relation_pairs(rel, policy.pairs, undirected)
            covering = [candidate for pair in pairs for candidate in about[pair]]
            possible = [candidate for candidate in covering if is_possible(rel.predicate, *candidate[:2])]
            positives.update(possible)
            if covering and not possible:
                counts.uncovered[NO_DESCRIPTION] += 1
            elif not covering:
                asked = as_asked(rel, undirected, type_pairs)
                counts.uncovered[why_uncovered(example.predicted, asked, mentions, policy, type_pairs)] += 1
        counts.positives += len(positives)
    return counts


def as_asked(rel: Relation, undirected: Container[str], type_pairs: TypePairs) -> Relation:
    """Turn an undirected relation round if only its reverse pair of types may be a candidate."""
    if rel.predicate in undirected and types_allowed(rel.object.label_, rel.subject.label_, type_pairs, directed=True):
        return rel._replace(subject=rel.object, object=rel.subject)
    return rel


def why_uncovered(
    doc: Doc, rel: Relation, mentions: Sequence[Span], policy: CandidatePolicy, type_pairs: TypePairs
) -> str:
    """Say in words why a gold relation has no candidate."""
    on_doc = {(span.start_char, span.end_char, span.label_): span for span in mentions}
    arguments = []
    for gold in (rel.subject, rel.object):
        found = on_doc.get((gold.start_char, gold.end_char, gold.label_))
        if found is None:
            return "entity missing on the predicted document"
        arguments.append(Span(doc, found.start, found.end, label=found.label, kb_id=gold.kb_id))
    reason = policy.why_not(arguments[0], arguments[1], type_pairs)
    return reason or "mention listed twice, or of another concept on the predicted document"
