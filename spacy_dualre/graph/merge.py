"""Merges documents one by one into a knowledge graph. Memory grows with the graph, not with the texts."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import product
from typing import Collection, Dict, Iterator, List, Optional, Set, Tuple

from ..annotations.concepts import SEPARATOR, Concept, concepts_of
from ..records.record import Losses, MentionRecord, Offsets, Record, RelationRecord, sentence_around
from .knowledge_graph import Edge, Evidence, KnowledgeGraph, Node, Triple, by_score


def node_keys(mention: MentionRecord, record: Record) -> List[Concept]:
    """The nodes of a mention: one for each of its concepts, or one for its long or surface form, or none."""
    return concepts_of(mention.type, record.long_form(mention), SEPARATOR.join(mention.concepts))


@dataclass
class Merger:
    """Merges the relations of documents, independently of their order.

    Args:
        min_score: Leave out relations with a lower score.
        predicates: Leave out all others; None: keep all.
        symmetric: Predicates without direction, whose two directions become one edge between the sorted concepts.
        evidence: Sentences to keep per edge; None: all. Counts and scores always cover all.

    Attributes:
        counts: The number of relations ("relations") and, by reason, of those left out.
        dropped: Unusable mentions and relations.
        seen_predicates: Of all relations, including those left out.
    """

    min_score: float = 0.0
    predicates: Optional[Collection[str]] = None
    symmetric: Collection[str] = ()
    evidence: Optional[int] = None
    documents: int = field(default=0, init=False)
    without_sentences: int = field(default=0, init=False)
    counts: Counter = field(default_factory=Counter, init=False)
    dropped: Losses = field(default_factory=Losses, init=False)
    seen_predicates: Set[str] = field(default_factory=set, init=False)
    nodes: Dict[Concept, Node] = field(default_factory=dict, init=False)
    edges: Dict[Triple, Edge] = field(default_factory=dict, init=False)

    def add(self, record: Record) -> None:
        """Merge a document."""
        self.documents += 1
        self.without_sentences += record.sentences is None
        self.dropped.add_dropped(record.dropped)
        self._add_mentions(record)
        mentions = {mention.id: mention for mention in record.mentions}
        found: Dict[Triple, Dict[Offsets, Evidence]] = defaultdict(dict)
        for rel in filter(self._counts, record.relations):
            for triple, evidence in self._evidence(record, rel, mentions[rel.subject], mentions[rel.object]):
                place = (evidence.start, evidence.end)
                best = found[triple].get(place, evidence)
                found[triple][place] = min(best, evidence, key=by_score)
        for triple, of_sentences in found.items():
            edge = self.edges.setdefault(triple, Edge(*triple, symmetric=triple[1] in self.symmetric))
            edge.add(of_sentences.values(), self.evidence)

    def graph(self, min_support: int = 1) -> KnowledgeGraph:
        """The merged graph, without edges with less support and without nodes that have no edge."""
        edges = [edge for _, edge in sorted(self.edges.items()) if edge.sentences >= min_support]
        for edge in edges:
            edge.keep(self.evidence)
        concepts = {concept for edge in edges for concept in (edge.subject, edge.object)}
        return KnowledgeGraph([self.nodes[concept] for concept in sorted(concepts)], edges)

    def _add_mentions(self, record: Record) -> None:
        # Places, not records, since arguments narrowed to one of a mention's concepts have separate records
        places = {
            (key, mention.start, mention.end) for mention in record.mentions for key in node_keys(mention, record)
        }
        for concept, start, end in places:
            node = self.nodes.setdefault(concept, Node(concept))
            node.forms[" ".join(record.text[start:end].split())] += 1
        for concept in {concept for concept, _, _ in places}:
            self.nodes[concept].documents += 1

    def _counts(self, rel: RelationRecord) -> bool:
        self.counts["relations"] += 1
        self.seen_predicates.add(rel.predicate)
        is_other = self.predicates is not None and rel.predicate not in self.predicates
        if is_other or rel.score < self.min_score:
            self.counts["other predicates" if is_other else "score below the minimum"] += 1
            return False
        return True

    def _evidence(
        self, record: Record, rel: RelationRecord, subject: MentionRecord, object: MentionRecord
    ) -> Iterator[Tuple[Triple, Evidence]]:
        """The triples of a relation, one for each pair of its mentions' concepts."""
        pairs = list(product(node_keys(subject, record), node_keys(object, record)))
        self.counts["mentions without a concept"] += not pairs
        places = (subject.start, subject.end), (object.start, object.end)
        start, end = sentence_around(record.text, record.sentences or (), *places)
        for first, second in pairs:
            one, other = places
            if rel.predicate in self.symmetric and second < first:
                first, second, one, other = second, first, other, one
            evidence = Evidence(record.id, record.text[start:end], start, end, one, other, rel.score)
            yield (first, rel.predicate, second), evidence
