"""UBIAI's JSON export of relations. A relation gives the first tokens of its arguments, which are UBIAI's own.

Source: https://ubiai.gitbook.io/ubiai-documentation/, and https://github.com/walidamamou/relation_extraction_transformer.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set

from pydantic import BaseModel

from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_list, set_id


class _Entity(BaseModel):
    text: Optional[str] = None
    start: int
    end: int
    token_start: int
    entityLabel: str


class _Relation(BaseModel):
    head: int
    child: int
    relationLabel: str


class _Document(OpenSchema):
    documentName: Optional[str] = None
    document: str
    tokens: List[_Entity]
    relations: List[_Relation] = []


def read(path: Path) -> Iterator[Record]:
    """Read a file. The head of a relation is its subject; where several mentions start at a token, it is the first's.

    A document's id is its name or number; see `set_id`.
    """
    return as_corpus(path, "ubiai", _records(path))


def _records(path: Path) -> Iterator[Record]:
    place = Place(path)
    seen: Set[str] = set()
    for number, document in enumerate(read_json_list(path, _Document), 1):
        record = Record("", document.document, place)
        set_id(record, seen, number, document.documentName)
        document.note_unread_keys(record)
        ids: Dict[int, List[str]] = {}
        for position, entity in enumerate(document.tokens, 1):
            mention = MentionRecord(f"T{position}", entity.entityLabel, entity.start, entity.end)
            record.add_mention(mention, text=entity.text)
            ids.setdefault(entity.token_start, []).append(mention.id)
        for rel in document.relations:
            arguments = [ids.get(token, [f"token {token}"]) for token in (rel.head, rel.child)]
            if max(map(len, arguments)) > 1:
                record.notes["relation of a token at which several mentions start, read as the first's"] += 1
            record.add_relation(RelationRecord(rel.relationLabel, arguments[0][0], arguments[1][0]))
        yield record


FORMATS = {"ubiai": Format(read)}
