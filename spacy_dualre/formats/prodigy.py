"""Prodigy's annotations of relations (recipe rel.manual, interface "relations"), as ``prodigy db-out`` writes them.

JSON lines, one example per line: ``text``; ``tokens`` with start and end; ``spans`` with start, end and label;
``relations`` from ``head`` to ``child`` with a label; ``answer``; other keys are not read. ``head`` and ``child`` are
indices of tokens, the last one of a span; ``head_span`` and ``child_span`` have their offsets and labels, null for a
token outside of spans. Offsets are characters, end exclusive.

Source: https://prodi.gy/docs/api-interfaces#relations
"""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Optional, Set, Union

from pydantic import BaseModel, ConfigDict

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import note_unread_keys, read_json_lines
from .jsonl import check_tokens

#: The type of a mention that is a token without a label.
TOKEN = "TOKEN"


class _Token(BaseModel):
    start: int
    end: int
    text: Optional[str] = None


class _Span(BaseModel):
    start: int
    end: int
    label: Optional[str] = None
    text: Optional[str] = None

    @property
    def mention_id(self) -> str:
        return f"{self.start}-{self.end}-{self.label or ''}"


class _Relation(BaseModel):
    head: int
    child: int
    label: str
    head_span: Optional[_Span] = None
    child_span: Optional[_Span] = None


class _Example(BaseModel):
    model_config = ConfigDict(extra="allow")

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
    occurs again, as in examples annotated by several people. Examples without an answer count as accepted; others that
    were not accepted are counted. ``meta["prodigy"]`` is Prodigy's own ``meta``.
    """
    return as_corpus(path, "prodigy", _records(path))


def _records(path: Path) -> Iterator[Record]:
    seen: Set[str] = set()
    not_accepted: Counter = Counter()
    record = None
    for place, example in read_json_lines(path, _Example):
        if example.answer in ("reject", "ignore"):
            not_accepted[f"examples not taken: answer is {example.answer}"] += 1
            continue
        if record is not None:
            yield record
        record = _record(example, place, seen)
        record.notes += not_accepted
        not_accepted.clear()
    if record is None:
        raise Place(path).error(Errors.DR359, n=not_accepted.total())
    record.notes += not_accepted
    yield record


def _record(example: _Example, place: Place, seen: Set[str]) -> Record:
    record = Record(_id(example, place), example.text, place)
    if example.meta:
        record.meta["prodigy"] = example.meta
    if record.id in seen:
        record.notes["document id occurs again, line number appended"] += 1
    while record.id in seen:
        record.id += f"-{place.line}"
    seen.add(record.id)
    if example.answer is None:
        record.notes["no answer, taken as accepted"] += 1
    note_unread_keys(record, example)
    if example.tokens:
        _add_tokens(record, example.tokens)
    for span in example.spans:
        _add_mention(record, span)
    spans = list(example.spans)
    for relation in example.relations:
        _add_relation(record, relation, spans, example.tokens)
    return record


def _id(example: _Example, place: Place) -> str:
    for id in ((example.meta or {}).get("id"), example.id):
        # A bool is an int too
        if type(id) in (str, int) and id != "":
            return str(id)
    return str(place.line)


def _add_tokens(record: Record, tokens: List[_Token]) -> None:
    record.tokens = tuple((token.start, token.end) for token in tokens)
    check_tokens(record.tokens, record.text, record.place)
    for token in tokens:
        if token.text not in (None, record.text[token.start : token.end]):
            raise record.place.error(Errors.DR358, start=token.start, end=token.end, token=token.text)


def _add_mention(record: Record, span: _Span) -> None:
    record.add_mention(MentionRecord(span.mention_id, span.label or "", span.start, span.end), text=span.text)


def _add_relation(record: Record, relation: _Relation, spans: List[_Span], tokens: List[_Token]) -> None:
    head = relation.head_span or _span_at(relation.head, spans, tokens)
    child = relation.child_span or _span_at(relation.child, spans, tokens)
    if head is None or child is None:
        detail = f"relation {relation.label} of tokens {relation.head} and {relation.child}"
        record.drop("relation", "argument is not a token", detail=detail)
        return
    subject, object = _argument(record, head, spans), _argument(record, child, spans)
    record.add_relation(RelationRecord(relation.label, subject, object))


def _span_at(index: int, spans: List[_Span], tokens: List[_Token]) -> Optional[_Span]:
    """The span that contains a token, preferably as its last, or else the token; None if there is no such token."""
    if not 0 <= index < len(tokens):
        return None
    token = tokens[index]
    holding = [span for span in spans if span.start <= token.start and token.end <= span.end]
    if not holding:
        return _Span(start=token.start, end=token.end)
    return min(holding, key=lambda span: (span.end != token.end, span.end - span.start))


def _argument(record: Record, argument: _Span, spans: List[_Span]) -> str:
    """The id of a mention with the offsets and preferably the label of an argument, added if there is none."""
    same = [span for span in spans if (span.start, span.end) == (argument.start, argument.end)]
    if same:
        return next((span for span in same if span.label == argument.label), same[0]).mention_id
    new = argument.model_copy(update={"label": argument.label or TOKEN})
    spans.append(new)
    record.notes["argument that is not a span, made a mention"] += 1
    _add_mention(record, new)
    return new.mention_id


FORMATS = {"prodigy": Format(read)}
