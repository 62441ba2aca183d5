"""Prodigy's annotations of relations (recipe rel.manual, interface "relations"), as ``prodigy db-out`` writes them.

``head`` and ``child`` are indices of tokens, the last one of a span; ``head_span`` and ``child_span`` are null for a
token outside of spans. Source: https://prodi.gy/docs/api-interfaces#relations
"""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Optional, Set, Union

from pydantic import BaseModel

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_lines
from .jsonl import check_tokens

#: The type of a mention that is a token without a label.
TOKEN = "TOKEN"


class _Span(BaseModel):
    """A span, or a token, which has no label."""

    start: int
    end: int
    text: Optional[str] = None
    label: Optional[str] = None

    @property
    def mention(self) -> MentionRecord:
        id = f"{self.start}-{self.end}-{self.label or ''}"
        return MentionRecord(id, self.label or "", self.start, self.end)


class _Relation(BaseModel):
    head: int
    child: int
    label: str
    head_span: Optional[_Span] = None
    child_span: Optional[_Span] = None


class _Example(OpenSchema):
    text: str
    id: Union[str, int, None] = None
    tokens: List[_Span] = []
    spans: List[_Span] = []
    relations: List[_Relation] = []
    answer: Optional[Literal["accept", "reject", "ignore"]] = None
    meta: Optional[Dict[str, Any]] = None


def read(path: Path) -> Iterator[Record]:
    """Read the accepted examples of a file. The head of a relation is its subject, the child its object.

    Mentions have the id "start-end-label". An argument that is not a span becomes a mention with its own label, or the
    type "TOKEN". A document's id is ``meta.id``, ``id`` or its line number; the line number is appended if the id
    occurs again, as in examples annotated by several people. Examples without an answer count as accepted.
    """
    return as_corpus(path, "prodigy", _records(path))


def _records(path: Path) -> Iterator[Record]:
    examples = list(read_json_lines(path, _Example))
    accepted = [(place, example) for place, example in examples if example.answer in (None, "accept")]
    if not accepted:
        raise Place(path).error(Errors.DR359, n=len(examples))
    others = [example.answer for _, example in examples if example.answer in ("reject", "ignore")]
    not_taken = Counter(f"examples not taken: answer is {answer}" for answer in others)
    seen: Set[str] = set()
    for place, example in accepted:
        record = _record(example, place, seen)
        record.notes += not_taken
        not_taken.clear()
        yield record


def _record(example: _Example, place: Place, seen: Set[str]) -> Record:
    # A bool is an int too
    ids = [str(id) for id in ((example.meta or {}).get("id"), example.id) if type(id) in (str, int) and id != ""]
    record = Record(ids[0] if ids else str(place.line), example.text, place)
    if example.meta:
        record.meta["prodigy"] = example.meta
    if record.id in seen:
        record.notes["document id occurs again, line number appended"] += 1
    while record.id in seen:
        record.id += f"-{place.line}"
    seen.add(record.id)
    if example.answer is None:
        record.notes["no answer, taken as accepted"] += 1
    example.note_unread_keys(record)
    if example.tokens:
        record.tokens = tuple((token.start, token.end) for token in example.tokens)
        check_tokens(record.tokens, record.text, place)
    for span in example.spans:
        record.add_mention(span.mention, text=span.text)
    for relation in example.relations:
        subject = _argument(record, example, relation.head, relation.head_span)
        object = _argument(record, example, relation.child, relation.child_span)
        record.add_relation(RelationRecord(relation.label, subject, object))
    return record


def _argument(record: Record, example: _Example, index: int, argument: Optional[_Span]) -> str:
    """The id of a mention with the offsets and preferably the label of an argument, added if there is none.

    Without its span, it is the span that contains its token, preferably as its last, or else the token.
    """
    if argument is None:
        if not 0 <= index < len(example.tokens):
            return f"token {index}"
        token = example.tokens[index]
        holding = [span for span in example.spans if span.start <= token.start and token.end <= span.end] or [token]
        argument = min(holding, key=lambda span: (span.end != token.end, span.end - span.start))
    place = (argument.start, argument.end)
    same = [span for span in example.spans if (span.start, span.end) == place]
    if same:
        return next((span for span in same if span.label == argument.label), same[0]).mention.id
    new = argument.model_copy(update={"label": argument.label or TOKEN})
    example.spans.append(new)
    record.notes["argument that is not a span, made a mention"] += 1
    record.add_mention(new.mention, text=new.text)
    return new.mention.id


FORMATS = {"prodigy": Format(read)}
