"""OpenNRE's text files, such as those of NYT10, Wiki80 and Wiki20m: JSON lines with a sentence, two entities and their
relation. Positions are characters of ``text`` or tokens of ``token``, end exclusive.

Source: Han et al. 2019, "OpenNRE: An Open and Extensible Toolkit for Neural Relation Extraction",
https://github.com/thunlp/OpenNRE.
"""

from pathlib import Path
from typing import Iterator, List, Optional, Tuple, Union

from pydantic import AliasChoices, BaseModel, Field

from ..annotations.concepts import split_concepts
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from ..types import NEGATIVE
from . import Format
from .files import OpenSchema, read_json_lines
from .semeval import OTHER, TYPE
from .words import record_of_words, stretch

#: What stands for no relation, in NYT10 and the like, SemEval and TACRED.
_NEGATIVES = ("NA", OTHER, NEGATIVE)


class _Entity(BaseModel):
    pos: Tuple[int, int]
    id: Optional[str] = None


class _Instance(OpenSchema):
    text: Union[str, List[str]] = Field(validation_alias=AliasChoices("text", "token"))
    h: _Entity
    t: _Entity
    relation: str


def read(path: Path) -> Iterator[Record]:
    """Read a file. A document is a line, with its number as the id and the mentions h and t.

    Names of entities are those of a knowledge base and need not be in the text.
    """
    return as_corpus(path, "opennre", (_record(one, place) for place, one in read_json_lines(path, _Instance)))


def _record(instance: _Instance, place: Place) -> Record:
    id, text = str(place.line), instance.text
    if isinstance(text, str):
        record = Record(id, text, place, sentences=(0,) if text else ())
    else:
        record = record_of_words(id, [text], place)
    instance.note_unread_keys(record)
    for role, entity in (("h", instance.h), ("t", instance.t)):
        start, end = entity.pos if record.tokens is None else stretch(record.tokens, *entity.pos)
        record.add_mention(MentionRecord(role, TYPE, start, end, split_concepts(entity.id or "")))
    if instance.relation in _NEGATIVES:
        record.notes["explicit negative pairs"] += 1
    else:
        record.add_relation(RelationRecord(instance.relation, "h", "t"))
    return record


FORMATS = {"opennre": Format(read)}
