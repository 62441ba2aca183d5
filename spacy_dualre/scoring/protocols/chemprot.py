"""ChemProt, BioCreative VI track 5: distinct (document, group, Arg1, Arg2) of the five scored groups, micro F1.

A pair may have several groups, each of which counts. Relations of the other groups do not count.
"""

import re
from pathlib import Path
from typing import Iterable, Iterator, Set, Tuple

from spacy.tokens import Doc, Span

from ...formats.chemprot import ALL_GROUPS, GROUPS
from ...formats.files import read_lines
from ...records.record import corpus_error
from ...types import Relation
from .protocol import Item, Items, Protocol, id_error, rels_of, write_lines

_NAME = "chemprot"
_ROW = re.compile(r"([^\t]+)\t([^\t]+)\tArg1:([^\t]+)\tArg2:([^\t]+)")


def from_doc(doc: Doc) -> Set[Item]:
    """The relations by the ids of their mentions. Raises ValueError where a mention has none."""
    return {_item(rel) for rel in rels_of(doc, _NAME, ALL_GROUPS) if rel.predicate in GROUPS}


def _item(rel: Relation) -> Item:
    first, second = rel.subject, rel.object
    # The corpus gives no direction: the chemical is the first argument, whichever stands first in the text
    if second.label_ == "CHEMICAL" and first.label_ != "CHEMICAL":
        first, second = second, first
    return Item(rel.predicate, _id(first), _id(second))


def _id(span: Span) -> str:
    if not span.id_:
        raise id_error(span, _NAME, "the ids that the corpus gives its mentions")
    return span.id_


def read_gold(path: Path) -> Items:
    """``*_gold_standard*.tsv``: document, group, Arg1:id, Arg2:id. Has only the documents with relations."""
    return _read(path, may_be_empty=False)


def read_predicted(path: Path) -> Items:
    """The same format; empty where nothing was found."""
    return _read(path, may_be_empty=True)


def _read(path: Path, may_be_empty: bool) -> Items:
    items: Items = {}
    for number, line in read_lines(path, may_be_empty):
        if not line:
            continue
        row = _ROW.fullmatch(line)
        if row is None:
            problem = "expected four columns: document, group, Arg1:mention, Arg2:mention"
            raise corpus_error(path, problem, number)
        document, group, first, second = row.groups()
        if group not in ALL_GROUPS:
            raise corpus_error(path, f"unknown relation group {group!r}", number)
        found = items.setdefault(document, set())
        if group in GROUPS:
            found.add(Item(group, first, second))
    return items


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """The format of the submissions, which is that of the gold standard."""
    write_lines(path, (line for id, doc in docs for line in _lines(id, doc)))


def _lines(id: str, doc: Doc) -> Iterator[str]:
    for item in sorted(from_doc(doc)):
        yield f"{id}\t{item.predicate}\tArg1:{item.subject}\tArg2:{item.object}"


PROTOCOL = Protocol(_NAME, GROUPS, from_doc, read_gold, read_predicted, write, gold_is_complete=False)
