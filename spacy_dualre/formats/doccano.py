"""doccano's export of sequence labelling with relations, JSON lines. Offsets are code points, so that a project with
grapheme offsets must be exported without that setting.

Source: https://doccano.github.io/doccano/, and doccano's backend/data_export.
"""

from pathlib import Path
from typing import Iterator, List, Union

from pydantic import BaseModel

from ..records.record import MentionRecord, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_lines


class _Entity(BaseModel):
    id: int
    label: str
    start_offset: int
    end_offset: int


class _Relation(BaseModel):
    from_id: int
    to_id: int
    type: str


class _Document(OpenSchema):
    id: Union[int, str, None] = None
    text: str
    entities: List[_Entity]
    relations: List[_Relation] = []


def read(path: Path) -> Iterator[Record]:
    """Read a file. ``from_id`` is the subject of a relation, ``to_id`` its object; mentions keep doccano's ids."""
    return as_corpus(path, "doccano", _records(path))


def _records(path: Path) -> Iterator[Record]:
    for place, document in read_json_lines(path, _Document):
        record = Record(str(place.line if document.id is None else document.id), document.text, place)
        document.note_unread_keys(record)
        for entity in document.entities:
            record.add_mention(MentionRecord(str(entity.id), entity.label, entity.start_offset, entity.end_offset))
        for relation in document.relations:
            record.add_relation(RelationRecord(relation.type, str(relation.from_id), str(relation.to_id)))
        yield record


FORMATS = {"doccano": Format(read)}
