"""The JSON of SpERT, in which CoNLL04, ADE and SciERC are distributed with it: a list of tokenized sentences. Indices
are tokens, end exclusive; arguments of relations are positions in the list of entities.

Source: Eberts and Ulges 2020, "Span-based Joint Entity and Relation Extraction with Transformer Pre-training",
https://github.com/lavis-nlp/spert.
"""

from pathlib import Path
from typing import Iterator, List, Set, Union

from pydantic import BaseModel

from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_list, set_id
from .words import record_of_words, stretch


class _Entity(BaseModel):
    type: str
    start: int
    end: int


class _Relation(BaseModel):
    type: str
    head: int
    tail: int


class _Document(OpenSchema):
    tokens: List[str]
    entities: List[_Entity]
    relations: List[_Relation]
    orig_id: Union[int, str, None] = None


def read(path: Path) -> Iterator[Record]:
    """Read a file. A relation's head is its subject. A document's id is ``orig_id`` or its number; see `set_id`."""
    return as_corpus(path, "spert", _records(path))


def _records(path: Path) -> Iterator[Record]:
    place = Place(path)
    seen: Set[str] = set()
    for number, document in enumerate(read_json_list(path, _Document), 1):
        record = record_of_words(str(number), [document.tokens], place)
        set_id(record, seen, number, document.orig_id)
        document.note_unread_keys(record)
        for position, one in enumerate(document.entities):
            start, end = stretch(record.tokens or (), one.start, one.end)
            record.add_mention(MentionRecord(str(position), one.type, start, end))
        for rel in document.relations:
            record.add_relation(RelationRecord(rel.type, str(rel.head), str(rel.tail)))
        yield record


FORMATS = {"spert": Format(read)}
