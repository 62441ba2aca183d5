"""Prodigy's annotations of relations (recipe rel.manual, interface "relations"), as ``prodigy db-out`` writes them, and
as it takes them to be corrected.

``head`` and ``child`` are indices of tokens, the last one of a span; ``head_span`` and ``child_span`` are null for a
token outside of spans. Source: https://prodi.gy/docs/api-interfaces#relations
"""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Literal, Optional, Set, Union

import spacy
from pydantic import BaseModel
from spacy.tokens import Doc, Span

from ..annotations.mentions import SPANS_KEY
from ..annotations.relations import get_rels
from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from ..records.to_docs import ConversionReport, records_to_docs
from . import Format
from .files import OpenSchema, count_lost_in_tools, read_json_lines, set_id, write_lines
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
    type "TOKEN". A document's id is ``meta.id``, ``id`` or its line number; see `set_id`. Examples without an answer
    count as accepted.
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
    record = Record("", example.text, place)
    set_id(record, seen, place.line, (example.meta or {}).get("id"), example.id)
    if example.meta:
        record.meta["prodigy"] = example.meta
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


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write examples without an answer. A token ends where a mention starts or ends."""
    write_lines(path, _lines(records, lost))


def _lines(records: Iterable[Record], lost: Counter) -> Iterator[str]:
    nlp = spacy.blank("xx")
    for record in records:
        count_lost_in_tools(record, lost)
        for doc in records_to_docs([replace(record, concept_relations=[])], nlp, ConversionReport()):
            yield json.dumps(_to_json(doc, {**record.meta, "id": record.id}), ensure_ascii=False)


def _to_json(doc: Doc, meta: Dict[str, Any]) -> Dict[str, Any]:
    tokens = [
        {"text": one.text, "start": one.idx, "end": one.idx + len(one), "id": one.i, "ws": bool(one.whitespace_)}
        for one in doc
    ]
    spans = list(map(_span, doc.spans[SPANS_KEY]))
    relations = []
    for subject, predicate, object, _ in get_rels(doc):
        tips = {"head": subject.end - 1, "child": object.end - 1}
        relations.append({**tips, "head_span": _span(subject), "child_span": _span(object), "label": predicate})
    return {"text": doc.text, "meta": meta, "tokens": tokens, "spans": spans, "relations": relations}


def _span(span: Span) -> Dict[str, Any]:
    offsets = {"start": span.start_char, "end": span.end_char, "token_start": span.start, "token_end": span.end - 1}
    return {**offsets, "label": span.label_}


FORMATS = {"prodigy": Format(read, write=write)}
