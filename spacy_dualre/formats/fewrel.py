"""FewRel: a JSON object with a list of instances for each predicate, which are tokenized sentences with two entities.

Source: Han et al. 2018, "FewRel: A Large-Scale Supervised Few-Shot Relation Classification Dataset",
https://github.com/thunlp/FewRel.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from pydantic import RootModel

from ..annotations.concepts import split_concepts
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, parse_json, read_text
from .semeval import TYPE
from .words import name_predicate, names_beside, record_of_words, stretch

#: Name, id, and the tokens of each occurrence.
_Entity = Tuple[str, Optional[str], List[List[int]]]


class _Instance(OpenSchema):
    tokens: List[str]
    h: _Entity
    t: _Entity


class _Instances(RootModel):
    root: Dict[str, List[_Instance]]


def read(path: Path) -> Iterator[Record]:
    """Read a file. The names of predicates are those of ``pid2name.json`` beside it.

    A document is an instance, with the id "predicate-number". Its mentions, h and t, are the first occurrences.
    """
    return as_corpus(path, "fewrel", _records(path))


def _records(path: Path) -> Iterator[Record]:
    place = Place(path)
    names = names_beside(path, "pid2name.json")
    for id, instances in parse_json(read_text(path), _Instances, place).root.items():
        for number, instance in enumerate(instances, 1):
            record = record_of_words(f"{id}-{number}", [instance.tokens], place)
            instance.note_unread_keys(record)
            _add_mention(record, "h", instance.h)
            _add_mention(record, "t", instance.t)
            record.add_relation(RelationRecord(name_predicate(id, names, record), "h", "t"))
            yield record


def _add_mention(record: Record, role: str, entity: _Entity) -> None:
    _, id, occurrences = entity
    indices = occurrences[0] if occurrences else []
    first, end = min(indices, default=0), max(indices, default=-1) + 1
    if len(occurrences) > 1:
        record.notes["further occurrences of an entity not read"] += 1
    if len({*indices}) < end - first:
        record.notes["mention of tokens with others between them, read as a whole"] += 1
    start, end = stretch(record.tokens or (), first, end)
    record.add_mention(MentionRecord(role, TYPE, start, end, split_concepts(id or "")))


FORMATS = {"fewrel": Format(read)}
