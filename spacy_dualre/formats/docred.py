"""DocRED and Re-DocRED: a JSON list of documents with relations between entities. Positions are tokens of a sentence,
end exclusive.

Source: Yao et al. 2019, "DocRED: A Large-Scale Document-Level Relation Extraction Dataset",
https://github.com/thunlp/DocRED, and https://github.com/tonytan48/Re-DocRED.
"""

import re
from collections import Counter
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from pydantic import BaseModel

from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_list, set_id
from .words import name_predicate, names_beside, record_of_words, stretch


class _Mention(BaseModel):
    name: Optional[str] = None
    sent_id: int
    pos: Tuple[int, int]
    type: str


class _Label(BaseModel):
    h: int
    t: int
    r: str
    evidence: Optional[List[Any]] = None


class _Document(OpenSchema):
    title: str
    sents: List[List[str]]
    vertexSet: List[List[_Mention]]
    labels: Optional[List[_Label]] = None


def read(path: Path) -> Iterator[Record]:
    """Read a file. The names of predicates are those of ``rel_info.json`` beside it.

    A document's id is its title; see `set_id`. Entities are concepts "title#number", with underscores for blanks and
    commas, and their mentions have the id "entity-number".
    """
    return as_corpus(path, "docred", _records(path))


def _records(path: Path) -> Iterator[Record]:
    place = Place(path)
    names = names_beside(path, "rel_info.json")
    seen: Set[str] = set()
    for number, document in enumerate(read_json_list(path, _Document), 1):
        record = record_of_words(document.title, document.sents, place)
        set_id(record, seen, number, document.title)
        document.note_unread_keys(record)
        _add_mentions(record, document)
        _add_relations(record, document, names)
        yield record


def _concept(record: Record, entity: int) -> str:
    # Commas separate concepts, and blanks around them are cut off
    return re.sub(r"[\s,]+", "_", f"{record.id}#{entity}")


def _add_mentions(record: Record, document: _Document) -> None:
    sentences = pairwise(accumulate(map(len, document.sents), initial=0))
    tokens: Dict[int, Tuple[Offsets, ...]] = {
        number: (record.tokens or ())[first:end] for number, (first, end) in enumerate(sentences)
    }
    for entity, mentions in enumerate(document.vertexSet):
        for number, one in enumerate(mentions):
            start, end = stretch(tokens.get(one.sent_id, ()), *one.pos)
            concepts = (_concept(record, entity),)
            record.add_mention(MentionRecord(f"{entity}-{number}", one.type, start, end, concepts), text=one.name)


def _add_relations(record: Record, document: _Document, names: Dict[str, str]) -> None:
    record.notes["document without labels"] += document.labels is None
    for label in document.labels or ():
        record.notes["evidence of a relation not read"] += bool(label.evidence)
        subject, object = (_concept(record, entity) for entity in (label.h, label.t))
        record.add_concept_relation(RelationRecord(name_predicate(label.r, names, record), subject, object))
    # Without counts of 0
    record.notes += Counter()


FORMATS = {"docred": Format(read)}
