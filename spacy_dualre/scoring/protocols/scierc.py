"""SciERC: distinct directed (subject span, object span, label) of each document, micro F1.

Spans are tokens of the document, end inclusive. CONJUNCTION and COMPARE have no direction.
"""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Iterable, Sequence, Set, Tuple

from spacy.tokens import Doc

from ...errors import Errors
from ...formats import scierc
from ...records.record import Place, Record
from ...types import NEGATIVE
from ...writing import whole_file
from . import Item, Items, Protocol, rels_of, to_record

_NAME = "scierc"
SYMMETRIC = ("CONJUNCTION", "COMPARE")
LABELS = ("USED-FOR", "FEATURE-OF", "PART-OF", "HYPONYM-OF", "EVALUATE-FOR", *SYMMETRIC)


def from_doc(doc: Doc) -> Set[Item]:
    """The relations by the tokens of their mentions. The Doc must have the tokens of the corpus."""
    return {
        _item((rel.subject.start, rel.subject.end - 1, rel.object.start, rel.object.end - 1, rel.predicate))
        for rel in rels_of(doc, _NAME, LABELS)
    }


def _item(row: Sequence) -> Item:
    spans = [(row[0], row[1]), (row[2], row[3])]
    if row[4] in SYMMETRIC:
        spans.sort()
    return Item(row[4], *(f"{start}-{end}" for start, end in spans))


def read_gold(path: Path, predicted: bool = False) -> Items:
    """Read "relations" from JSON lines. If predicted, PURE's and DyGIE++'s "predicted_relations" are preferred."""
    items: Items = {}
    for place, document in scierc.read_documents(path):
        if document.doc_key in items:
            raise place.error(Errors.DR302, id=document.doc_key)
        has_predicted = predicted and document.predicted_relations is not None
        rows = document.predicted_relations if has_predicted else document.relations
        if rows is None:
            key = "predicted_relations" if predicted else "relations"
            raise place.error(Errors.DR222, id=document.doc_key, key=key)
        last = sum(map(len, document.sentences)) - 1
        items[document.doc_key] = {_checked(row, last, place) for sentence in rows for row in sentence}
    return items


def _checked(row: Sequence, last: int, place: Place) -> Item:
    if not (0 <= row[0] <= row[1] <= last and 0 <= row[2] <= row[3] <= last):
        raise place.error(Errors.DR223, last=last)
    if row[4] not in LABELS:
        raise place.error(Errors.DR225, label=row[4], known=", ".join(LABELS))
    return _item(row)


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """Write JSON lines with doc_key, sentences and predicted_relations. Raises ValueError for an unknown predicate."""
    with whole_file(path) as file:
        scierc.write((_to_record(id, doc, path) for id, doc in docs), file, Counter())


def _to_record(id: str, doc: Doc, path: Path) -> Record:
    rels_of(doc, _NAME, LABELS)
    record = to_record(id, doc, path)
    return replace(record, relations=[rel for rel in record.relations if rel.predicate != NEGATIVE])


PROTOCOL = Protocol(_NAME, LABELS, from_doc, read_gold, partial(read_gold, predicted=True), write)
