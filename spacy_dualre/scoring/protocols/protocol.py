"""What the official scorers have in common: sets of items per document, compared label by label."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, List, NamedTuple, Set, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ...annotations.relations import get_rels
from ...errors import Errors
from ...types import NEGATIVE, Relation
from ...writing import whole_file
from ..counting import Scores, count, prf, rel_scores, score


class Item(NamedTuple):
    """What is counted within one document. subject and object are what the protocol tells arguments apart by, in the
    order of the relation or, where it has no direction, sorted, so that equal items are the same relation.
    """

    predicate: str
    subject: str
    object: str


#: Document id -> its items.
Items = Dict[str, Set[Item]]


@dataclass(frozen=True)
class Protocol:
    """How the makers of a corpus count.

    labels: the predicates that count. macro: the official figure is the unweighted mean over all labels, even those
    that do not occur; else true positives, predicted and gold items are summed over them (micro). gold_is_complete: a
    gold file names every document, even those without relations.
    from_doc: the items of ``doc._.rels``. read_gold, read_predicted: the items of a file in the makers' format.
    write: predictions, (document id, Doc) each, in the makers' format.
    from_doc and write raise ValueError naming the document, read_gold and read_predicted CorpusError naming the line.
    """

    name: str
    labels: Tuple[str, ...]
    from_doc: Callable[[Doc], Set[Item]]
    read_gold: Callable[[Path], Items]
    read_predicted: Callable[[Path], Items]
    write: Callable[[Iterable[Tuple[str, Doc]], Path], None]
    macro: bool = False
    gold_is_complete: bool = True

    def from_docs(self, docs: Iterable[Doc]) -> Items:
        """The items of each Doc, by the document ids in ``doc.user_data["doc_id"]``. Raises ValueError where there is
        none, or the same twice.
        """
        docs = list(docs)
        return {id: self.from_doc(doc) for id, doc in zip(document_ids(docs), docs)}

    def count(self, gold: Items, *systems: Items) -> List[numpy.ndarray]:
        """Count each system's items, over the same documents in the same order.

        A gold document without predictions has its false negatives. Predictions for a document that is not in gold are
        false positives, unless gold is complete: then its id must be wrong.

        Returns:
            For each system true positives, predicted and gold items, integers (documents, labels, 3).

        Raises:
            ValueError: A system names a document that is missing from complete gold.
        """
        documents = list(dict.fromkeys(id for items in (gold, *systems) for id in items))
        if self.gold_is_complete and len(documents) > len(gold):
            raise ValueError(Errors.DR200.format(doc=documents[len(gold)]))
        return [self._count((gold.get(id, set()), items.get(id, set())) for id in documents) for items in systems]

    def count_examples(self, examples: Iterable[Example]) -> numpy.ndarray:
        """Count ``Doc._.rels`` of each example's predicted and reference Doc: integers (examples, labels, 3)."""
        return self._count((self.from_doc(example.reference), self.from_doc(example.predicted)) for example in examples)

    def _count(self, documents: Iterable[Tuple[Set[Item], Set[Item]]]) -> numpy.ndarray:
        counts = [count(gold, predicted, self.labels) for gold, predicted in documents]
        return numpy.array(counts, dtype="int64").reshape(-1, len(self.labels), 3)

    def score_examples(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """The official scores of ``Doc._.rels``, each example a document, under the names of `rel_scores`."""
        return rel_scores(self.scores(self.count_examples(examples)))

    def scores(self, counts: numpy.ndarray) -> Scores:
        """The official scores of counts (documents, labels, 3), as `scoring.counting.score` returns them."""
        return score(counts.sum(axis=0), self.labels, self.macro)

    def f1(self, totals: numpy.ndarray) -> numpy.ndarray:
        """The official F1 (...) of counts that are summed over documents (..., labels, 3)."""
        return prf(totals, self.macro)[2]


def document_ids(docs: Iterable[Doc]) -> List[str]:
    """What files call each document: ``doc.user_data["doc_id"]``. Raises ValueError where there is none, or the same
    twice.
    """
    ids: Dict[str, None] = {}
    for doc in docs:
        id = str(doc.user_data.get("doc_id") or "")
        if not id or id in ids:
            raise ValueError(Errors.DR204.format(doc=_name(doc), problem="twice" if id else "without an id"))
        ids[id] = None
    return list(ids)


def rels_of(doc: Doc, protocol: str, known: Collection[str]) -> List[Relation]:
    """The Doc's relations, without those that say that there is none. Raises ValueError for an unknown predicate."""
    rels = [rel for rel in get_rels(doc) if rel.predicate != NEGATIVE]
    for rel in rels:
        if rel.predicate not in known:
            values = {"protocol": protocol, "label": rel.predicate, "labels": ", ".join(known)}
            raise ValueError(Errors.DR201.format(doc=_name(doc), **values))
    return rels


def id_error(span: Span, protocol: str, expected: str) -> ValueError:
    """An error that names the document and a mention whose id the protocol cannot use."""
    place = {"doc": _name(span.doc), "text": span.text, "start": span.start_char, "end": span.end_char}
    return ValueError(Errors.DR202.format(**place, id=span.id_, protocol=protocol, expected=expected))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """UTF-8 with LF on every system. Raises as `whole_file`."""
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def _name(doc: Doc) -> str:
    return str(doc.user_data.get("doc_id") or repr(doc.text[:40]))
