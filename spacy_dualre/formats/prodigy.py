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


class _Token(BaseModel):
    start: int
    end: int
    text: Optional[str] = None


class _Span(_Token):
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
    tokens: List[_Token] = []
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
    for token in example.tokens:
        if token.text not in (None, record.text[token.start : token.end]):
            raise place.error(Errors.DR358, start=token.start, end=token.end, token=token.text)
    for span in example.spans:
        record.add_mention(span.mention, text=span.text)
    for relation in example.relations:
        head = relation.head_span or _span_at(relation.head, example)
        child = relation.child_span or _span_at(relation.child, example)
        if head is None or child is None:
            detail = f"relation {relation.label} of tokens {relation.head} and {relation.child}"
            record.drop("relation", "argument is not a token", detail=detail)
            continue
        subject, object = (_argument(record, span, example.spans) for span in (head, child))
        record.add_relation(RelationRecord(relation.label, subject, object))
    return record


def _span_at(index: int, example: _Example) -> Optional[_Span]:
    """The span that contains a token, preferably as its last, or else the token; None if there is no such token."""
    if not 0 <= index < len(example.tokens):
        return None
    token = example.tokens[index]
    holding = [span for span in example.spans if span.start <= token.start and token.end <= span.end]
    if not holding:
        return _Span(start=token.start, end=token.end)
    return min(holding, key=lambda span: (span.end != token.end, span.end - span.start))


def _argument(record: Record, argument: _Span, spans: List[_Span]) -> str:
    """The id of a mention with the offsets and preferably the label of an argument, added if there is none."""
    same = [span for span in spans if (span.start, span.end) == (argument.start, argument.end)]
    if same:
        return next((span for span in same if span.label == argument.label), same[0]).mention.id
    new = argument.model_copy(update={"label": argument.label or TOKEN})
    spans.append(new)
    record.notes["argument that is not a span, made a mention"] += 1
    record.add_mention(new.mention, text=new.text)
    return new.mention.id


FORMATS = {"prodigy": Format(read)}
