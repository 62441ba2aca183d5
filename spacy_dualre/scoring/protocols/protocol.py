"""What the official scorers have in common: sets of items per document, compared label by label."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, List, NamedTuple, Set, Tuple

import numpy
from spacy.tokens import Doc, Span

from ...annotations.relations import get_rels
from ...errors import Errors
from ...types import NEGATIVE, Relation
from ...writing import whole_file

Scores = Dict[str, Any]


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
        """One integer array (documents, labels, 3) per system: true positives, predicted and gold items.

        All are over the same documents in the same order. A gold document without predictions has its false negatives.
        Predictions for another document are false positives where a gold file does not name every document; else the
        id must be wrong: raises ValueError naming it.
        """
        documents = list(dict.fromkeys(id for items in (gold, *systems) for id in items))
        if self.gold_is_complete and len(documents) > len(gold):
            raise ValueError(Errors.DR200.format(doc=documents[len(gold)]))
        shape = (len(documents), len(self.labels), 3)
        return [
            numpy.array(
                [self.count_document(gold.get(id, set()), items.get(id, set())) for id in documents], dtype="int64"
            ).reshape(shape)
            for items in systems
        ]

    def count_document(self, gold: Set[Item], predicted: Set[Item]) -> numpy.ndarray:
        """Integers (labels, 3): true positives, predicted and gold items of one document."""
        columns = [Counter(item.predicate for item in items) for items in (gold & predicted, predicted, gold)]
        return numpy.array([[column[label] for column in columns] for label in self.labels], dtype="int64")

    def scores(self, counts: numpy.ndarray) -> Scores:
        """The official p, r and f (0 to 1) of counts (documents, labels, 3); macro_f, the unweighted mean over the
        labels, where not all count over those in gold; per_type ({label: p, r, f, tp, predicted, gold}).
        """
        totals = counts.sum(axis=0)
        p, r, f = self._figures(totals)
        rows = zip(self.labels, totals.tolist(), zip(*_prf(totals)))
        names = ("p", "r", "f", "tp", "predicted", "gold")
        per_type = {label: dict(zip(names, (*map(float, prf), *total))) for label, total, prf in rows}
        averaged = [score["f"] for score in per_type.values() if self.macro or score["gold"]]
        macro_f = sum(averaged) / len(averaged) if averaged else 0.0
        return {"p": float(p), "r": float(r), "f": float(f), "macro_f": macro_f, "per_type": per_type}

    def f1(self, totals: numpy.ndarray) -> numpy.ndarray:
        """The official F1 (...) of counts that are summed over documents (..., labels, 3)."""
        return self._figures(totals)[2]

    def _figures(self, totals: numpy.ndarray) -> Tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        if self.macro:
            p, r, f = _prf(totals)
            return p.mean(axis=-1), r.mean(axis=-1), f.mean(axis=-1)
        return _prf(totals.sum(axis=-2))


def _prf(totals: numpy.ndarray) -> Tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Precision, recall and F1 (...) of true positives, predicted and gold items (..., 3); 0 where undefined."""
    tp, predicted, gold = numpy.moveaxis(totals, -1, 0)
    return _ratio(tp, predicted), _ratio(tp, gold), _ratio(2 * tp, predicted + gold)


def _ratio(part: numpy.ndarray, whole: numpy.ndarray) -> numpy.ndarray:
    # part is 0 wherever whole is
    return part / numpy.maximum(whole, 1)


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
