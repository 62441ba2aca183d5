"""doccano's export of sequence labelling with relations, JSON lines, and what it imports as such. Offsets are code
points, so that a project with grapheme offsets must be exported without that setting.

Source: https://doccano.github.io/doccano/, and doccano's backend/data_export and backend/data_import.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Union

from pydantic import BaseModel

from ..records.record import MentionRecord, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, count_lost_in_tools, read_json_lines, write_lines


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


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write a file to import. doccano exports the ids of documents again, and refuses documents without text."""
    write_lines(path, _lines(records, lost))


def _lines(records: Iterable[Record], lost: Counter) -> Iterator[str]:
    for record in records:
        count_lost_in_tools(record, lost)
        lost["document without text, left out"] += not record.text
        if record.text:
            yield json.dumps(_to_json(record), ensure_ascii=False)


def _to_json(record: Record) -> Dict[str, Any]:
    ids = {mention.id: number for number, mention in enumerate(record.mentions)}
    entities = [
        {"id": ids[one.id], "label": one.type, "start_offset": one.start, "end_offset": one.end}
        for one in record.mentions
    ]
    relations = [
        {"from_id": ids[rel.subject], "to_id": ids[rel.object], "type": rel.predicate} for rel in record.relations
    ]
    return {"id": record.id, "text": record.text, "entities": entities, "relations": relations}


FORMATS = {"doccano": Format(read, write=write)}
