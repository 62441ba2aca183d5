"""JSON lines, for corpora without a protocol of their own: distinct (subject, predicate, object) of each document, by
offsets and types of the mentions, micro F1 over all predicates that occur.
"""

from collections import Counter
from pathlib import Path
from typing import Iterable, Set, Tuple

from spacy.tokens import Doc

from ...annotations.relations import get_rels
from ...formats import jsonl
from ...types import NEGATIVE
from ...writing import whole_file
from . import Item, Items, Protocol, refuse_dropped, to_record


def from_doc(doc: Doc) -> Set[Item]:
    """The relations by the offsets and types of their mentions."""
    return {
        Item(
            rel.predicate,
            _mention(rel.subject.start_char, rel.subject.end_char, rel.subject.label_),
            _mention(rel.object.start_char, rel.object.end_char, rel.object.label_),
        )
        for rel in get_rels(doc)
        if rel.predicate != NEGATIVE
    }


def _mention(start: int, end: int, type: str) -> str:
    return f"{start}-{end} {type}"


def read(path: Path) -> Items:
    """Read gold or predicted relations. Raises CorpusError for a mention or relation that cannot be used."""
    items: Items = {}
    for record in jsonl.read(path):
        refuse_dropped(record, "mention")
        refuse_dropped(record, "relation")
        place = {mention.id: _mention(mention.start, mention.end, mention.type) for mention in record.mentions}
        rels = (rel for rel in record.relations if rel.predicate != NEGATIVE)
        items[record.id] = {Item(rel.predicate, place[rel.subject], place[rel.object]) for rel in rels}
    return items


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """Write mentions and relations."""
    with whole_file(path) as file:
        jsonl.write((to_record(id, doc, path) for id, doc in docs), file, Counter())


PROTOCOL = Protocol("jsonl", (), from_doc, read, read, write)
