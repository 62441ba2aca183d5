"""Official scorers, one module with a ``PROTOCOL`` for each corpus: sets of items per document, compared by label.

``jsonl`` does the same for any other corpus.
"""

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, List, NamedTuple, Set, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ...annotations.mentions import doc_name
from ...annotations.relations import get_rels
from ...errors import CorpusError, Errors
from ...records.from_docs import doc_to_record
from ...records.record import Place, Record
from ...types import NEGATIVE, Relation
from ..counting import Scores, count, prf, rel_scores, score

#: Names of the protocols, which are also those of their modules.
PROTOCOLS = ("biored", "chemprot", "jsonl", "scierc", "semeval")


class Item(NamedTuple):
    """A relation as it is counted in a document, with arguments as the protocol identifies, and perhaps sorts, them."""

    predicate: str
    subject: str
    object: str


#: Items by document id.
Items = Dict[str, Set[Item]]


@dataclass(frozen=True)
class Protocol:
    """The official scoring of a corpus, and its format. Errors name the document, or the line of a file."""

    name: str
    labels: Tuple[str, ...]  # the predicates that count; none: `counting` takes those that occur
    from_doc: Callable[[Doc], Set[Item]]  # from Doc._.rels
    read_gold: Callable[[Path], Items]
    read_predicted: Callable[[Path], Items]
    write: Callable[[Iterable[Tuple[str, Doc]], Path], None]  # documents with their ids
    macro: bool = False  # the unweighted mean over the labels in gold, instead of summed counts (micro)
    gold_is_complete: bool = True  # a gold file names even the documents without relations

    def counting(self, labels: Iterable[str]) -> "Protocol":
        """The protocol or, if it has no predicates of its own, the one that counts these."""
        return self if self.labels else replace(self, labels=tuple(sorted({*labels} - {NEGATIVE})))

    def from_docs(self, docs: Iterable[Doc]) -> Items:
        """Take the items from Docs. Raises ValueError as `document_ids` does."""
        docs = list(docs)
        return {id: self.from_doc(doc) for id, doc in zip(document_ids(docs), docs)}

    def count(self, gold: Items, *systems: Items) -> List[numpy.ndarray]:
        """For each system true positives, predicted and gold items: integers (documents, labels, 3).

        The documents are those of gold and of all systems. Raises ValueError for one that complete gold lacks.
        """
        documents = list(dict.fromkeys(id for items in (gold, *systems) for id in items))
        if self.gold_is_complete and len(documents) > len(gold):
            raise ValueError(Errors.DR200.format(doc=documents[len(gold)]))
        return [self._count((gold.get(id, set()), items.get(id, set())) for id in documents) for items in systems]

    def count_examples(self, examples: Iterable[Example]) -> numpy.ndarray:
        """Count the relations of examples: integers (examples, labels, 3)."""
        return self._count((self.from_doc(example.reference), self.from_doc(example.predicted)) for example in examples)

    def _count(self, documents: Iterable[Tuple[Set[Item], Set[Item]]]) -> numpy.ndarray:
        counts = [count(gold, predicted, self.labels) for gold, predicted in documents]
        return numpy.array(counts, dtype="int64").reshape(len(counts), len(self.labels), 3)

    def score_examples(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """The official scores of examples, under the names of `rel_scores`."""
        examples = list(examples)
        protocol = self.counting(predicates_of(examples))
        return rel_scores(protocol.scores(protocol.count_examples(examples)))

    def scores(self, counts: numpy.ndarray) -> Scores:
        """The official scores of counts (documents, labels, 3)."""
        return score(counts.sum(axis=0), self.labels, self.macro)

    def f1(self, totals: numpy.ndarray) -> numpy.ndarray:
        """The official F1 (...) of summed counts (..., labels, 3)."""
        return prf(totals, self.macro)[2]


def get_protocol(name: str) -> Protocol:
    """Get a protocol by name. Raises ValueError naming the known ones."""
    if name not in PROTOCOLS:
        raise ValueError(Errors.DR004.format(name="protocol", value=name, known=", ".join(PROTOCOLS)))
    protocol: Protocol = import_module(f".{name}", __name__).PROTOCOL
    return protocol


def make_protocol_scorer(protocol: str) -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.protocol_scorer.v1``. Raises ValueError for an unknown protocol."""
    return get_protocol(protocol).score_examples


def predicates_of(examples: Iterable[Example]) -> Set[str]:
    """The predicates of the reference and predicted relations."""
    return {
        rel.predicate for example in examples for doc in (example.predicted, example.reference) for rel in get_rels(doc)
    }


def document_ids(docs: Iterable[Doc]) -> List[str]:
    """The ids in ``doc.user_data["doc_id"]``. Raises ValueError if one is missing or occurs twice."""
    ids: Dict[str, None] = {}
    for doc in docs:
        id = str(doc.user_data.get("doc_id") or "")
        if not id or id in ids:
            raise ValueError(Errors.DR204.format(doc=doc_name(doc), problem="twice" if id else "without an id"))
        ids[id] = None
    return list(ids)


def rels_of(doc: Doc, protocol: str, known: Collection[str]) -> List[Relation]:
    """The Doc's relations except negative ones. Raises ValueError for an unknown predicate."""
    rels = [rel for rel in get_rels(doc) if rel.predicate != NEGATIVE]
    for rel in rels:
        if rel.predicate not in known:
            values = {"protocol": protocol, "label": rel.predicate, "labels": ", ".join(known)}
            raise ValueError(Errors.DR201.format(doc=doc_name(doc), **values))
    return rels


def id_error(span: Span, expected: str) -> ValueError:
    """Make the error for a mention whose id the protocol cannot use."""
    place = {"doc": doc_name(span.doc), "text": span.text, "start": span.start_char, "end": span.end_char}
    return ValueError(Errors.DR202.format(**place, id=span.id_, expected=expected))


def to_record(id: str, doc: Doc, path: Path) -> Record:
    """Convert a Doc to write it. Raises CorpusError if a mention is left out."""
    record = doc_to_record(doc, id, Place(path))
    refuse_dropped(record, "mention")
    return record


def refuse_dropped(record: Record, what: str) -> None:
    """Raise CorpusError if a "mention" or "relation" was left out, which would distort the scores."""
    for dropped in record.dropped:
        if dropped.what == what:
            raise CorpusError(Errors.DR220.format(where=dropped.where, what=what, why=dropped.why))
