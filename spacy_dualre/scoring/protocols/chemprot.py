"""ChemProt, BioCreative VI track 5: distinct (document, group, Arg1, Arg2) of the five scored groups, micro F1.

A pair may have several groups, each of which counts. Other groups do not count.
"""

from functools import partial
from pathlib import Path
from typing import Iterable, Set, Tuple

from spacy.tokens import Doc

from ...formats.chemprot import ALL_GROUPS, GROUPS, read_gold_standard
from ...types import Relation
from ...writing import write_text
from . import Item, Items, Protocol, id_error, rels_of

_NAME = "chemprot"


def from_doc(doc: Doc) -> Set[Item]:
    """The relations by the ids of their mentions. Raises ValueError for a mention without id."""
    return {_item(rel) for rel in rels_of(doc, _NAME, ALL_GROUPS) if rel.predicate in GROUPS}


def _item(rel: Relation) -> Item:
    # Relations have no direction: the chemical is the first argument
    arguments = sorted((rel.subject, rel.object), key=lambda span: span.label_ != "CHEMICAL")
    for span in arguments:
        if not span.id_:
            raise id_error(span, "the ids that the corpus gives its mentions")
    return Item(rel.predicate, *(span.id_ for span in arguments))


def read_gold(path: Path, may_be_empty: bool = False) -> Items:
    """Read ``*_gold_standard*.tsv``, which has only the documents with relations."""
    items: Items = {}
    for document, rel in read_gold_standard(path, may_be_empty):
        found = items.setdefault(document, set())
        if rel.predicate in GROUPS:
            found.add(Item(rel.predicate, rel.subject, rel.object))
    return items


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """Write the format of submissions, which is that of the gold standard."""
    items = ((id, *item) for id, doc in docs for item in sorted(from_doc(doc)))
    lines = (f"{id}\t{group}\tArg1:{first}\tArg2:{second}\n" for id, group, first, second in items)
    write_text(path, "".join(lines))


PROTOCOL = Protocol(
    _NAME, GROUPS, from_doc, read_gold, partial(read_gold, may_be_empty=True), write, gold_is_complete=False
)
