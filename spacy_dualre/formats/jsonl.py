"""The package's own JSON lines, one document per line, for any corpus and for results.

::

    {"id": "d1", "text": "Aspirin inhibits COX-1.",
     "mentions": [{"start": 0, "end": 7, "type": "CHEMICAL", "id": "T1", "text": "Aspirin", "kb_id": "D001241"},
                  {"start": 17, "end": 22, "type": "GENE", "id": "T2"}],
     "rels": [{"subject": "T1", "predicate": "INHIBITS", "object": "T2", "score": 0.97}],
     "sentences": [0], "tokens": [[0, 7], [8, 16], [17, 22], [22, 23]], "meta": {"source": "made up"}}

Only ``text`` is required. Offsets are characters of the text, end exclusive.

id            unique in the file; by default the line number.
mentions      start, end, type; optional: id (by default "start-end-type"), text (checked), kb_id (several are separated
              by commas; "-": looked up, not found), parts (offsets of the pieces of a discontinuous mention), long_form
              (what the text abbreviates in this document; mentions without kb_id belong to one concept if they have
              the same type and the same long form or else text, ignoring case).
rels          subject, predicate, object; optional: score, 0 to 1. An argument is the id of a mention, or a mention
              without parts: the one in ``mentions`` with the same offsets, type and, if given, kb_id, or a new one.
sentences     sentence starts in ascending order; by default a sentence splitter finds them.
tokens        offsets of the tokens in text order, with nothing but blanks between; by default a tokenizer makes them.
meta          anything, to be put into ``doc.user_data``.

Other keys are errors, since most are typos.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from ..annotations.concepts import SEPARATOR
from ..errors import Errors
from ..records.arguments import Arguments, Key
from ..records.record import (
    Document,
    MentionRecord,
    Offsets,
    Place,
    Record,
    RelationRecord,
    as_corpus,
    attempt,
    free_id,
    split_concepts,
)
from . import Format
from .files import Source, decode_text, parse_json, write_lines


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Argument(_Schema):
    start: int
    end: int
    type: str
    id: Optional[str] = None
    text: Optional[str] = None
    kb_id: Optional[str] = None

    @property
    def key(self) -> Key:
        return (self.start, self.end, self.type)

    @property
    def concepts(self) -> Tuple[str, ...]:
        return split_concepts(self.kb_id or "")


class _Mention(_Argument):
    parts: Optional[List[Offsets]] = None
    long_form: Optional[Annotated[str, Field(min_length=1)]] = None


def _kind_of_argument(value: Any) -> str:
    return "id" if isinstance(value, str) else "mention"


_IdOrArgument = Annotated[
    Union[Annotated[str, Tag("id")], Annotated[_Argument, Tag("mention")]], Discriminator(_kind_of_argument)
]


class _Rel(_Schema):
    subject: _IdOrArgument
    predicate: str
    object: _IdOrArgument
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0


class _Document(_Schema):
    id: Optional[str] = None
    text: str
    mentions: List[_Mention] = []
    rels: List[_Rel] = []
    sentences: Optional[List[int]] = None
    tokens: Optional[List[Offsets]] = None
    meta: Optional[Dict[str, Any]] = None


def read(path: Path) -> Iterator[Record]:
    """Read a corpus."""
    return as_corpus(path, "jsonl", stream(Source(path)))


def stream(source: Source) -> Iterator[Document]:
    """Stream documents. Mentions count as given if there are ``mentions``, even if empty, or ``rels``."""
    for place, line in source.lines():
        if line.strip():
            yield attempt(parse, line, place, source.id_of(place.line))


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write one document per line, without its tokens."""
    write_lines(path, map(dump, records))


def parse(line: Union[str, bytes], place: Place, default_id: str = "") -> Record:
    """Parse a line. The default id is the line number."""
    text = line if isinstance(line, str) else decode_text(line, place)
    return _record(parse_json(text, _Document, place), place, default_id)


def dump(record: Record, tokens: bool = False) -> str:
    """Format a document as a line, without the line end."""
    return json.dumps(to_json(record, tokens), ensure_ascii=False)


def to_json(record: Record, tokens: bool = False) -> Dict[str, Any]:
    """A document as JSON values from which `parse` restores it, except for its place and concept relations.

    Ids that `parse` generates are left out. A mention that is not listed is in its relation only.
    """
    mentions: Dict[str, Dict[str, Any]] = {}
    seen: Set[Key] = set()
    for mention in record.mentions:
        key = (mention.start, mention.end, mention.type)
        has_own_id = key in seen or mention.id != free_id(*key, ())
        seen.add(key)
        mentions[mention.id] = _mention_to_json(mention, record, has_own_id)
    values: Dict[str, Any] = {
        "id": record.id,
        "text": record.text,
        "mentions": [mentions[mention.id] for mention in record.mentions if mention.listed],
        "rels": [_relation_to_json(rel, mentions) for rel in record.relations],
    }
    if record.sentences is not None:
        values["sentences"] = list(record.sentences)
    if tokens and record.tokens is not None:
        values["tokens"] = list(record.tokens)
    return {**values, "meta": record.meta} if record.meta else values


def _mention_to_json(mention: MentionRecord, record: Record, has_own_id: bool) -> Dict[str, Any]:
    text = record.covered(mention)
    values = {"start": mention.start, "end": mention.end, "text": text, "type": mention.type}
    if has_own_id:
        values["id"] = mention.id
    if mention.concepts:
        values["kb_id"] = SEPARATOR.join(mention.concepts)
    if mention.parts:
        values["parts"] = list(mention.parts)
    if text in record.long_forms:
        values["long_form"] = record.long_forms[text]
    return values


def _relation_to_json(rel: RelationRecord, mentions: Dict[str, Dict[str, Any]]) -> Dict[str, Any]:
    subject, object = (
        {key: value for key, value in mentions[id].items() if key not in ("parts", "long_form")}
        for id in (rel.subject, rel.object)
    )
    return {"subject": subject, "predicate": rel.predicate, "object": object, "score": rel.score}


def check_tokens(tokens: Sequence[Offsets], text: str, place: Place) -> None:
    """Raise CorpusError unless the tokens are in text order, do not overlap, and leave out nothing but blanks."""
    position = 0
    for start, end in tokens:
        if not position <= start < end <= len(text):
            raise place.error(Errors.DR355, start=start, end=end)
        _check_gap(position, start, text, place)
        position = end
    _check_gap(position, len(text), text, place)


def _check_gap(start: int, end: int, text: str, place: Place) -> None:
    if text[start:end].strip():
        raise place.error(Errors.DR356, start=start, end=end)


def _record(document: _Document, place: Place, default_id: str) -> Record:
    _check_sentences(document.sentences or (), document.text, place)
    if document.tokens is not None:
        check_tokens(document.tokens, document.text, place)
    record = Record(
        document.id or default_id or str(place.line),
        document.text,
        place,
        sentences=None if document.sentences is None else tuple(document.sentences),
        tokens=None if document.tokens is None else tuple(document.tokens),
        meta=document.meta or {},
        mentions_given=bool({"mentions", "rels"} & document.model_fields_set),
    )
    inline = [one for rel in document.rels for one in (rel.subject, rel.object) if not isinstance(one, str)]
    arguments = Arguments(record, (mention.id for mention in (*document.mentions, *inline)))
    for mention in document.mentions:
        arguments.add(mention.key, mention.id, mention.concepts, _parts(record, mention), mention.text)
        _add_long_form(record, mention)
    for rel in document.rels:
        _add_relation(record, rel, arguments)
    return record


def _check_sentences(starts: Sequence[int], text: str, place: Place) -> None:
    for before, start in zip([-1, *starts], starts):
        if not before < start < len(text):
            raise place.error(Errors.DR357, start=start)


def _parts(record: Record, mention: _Mention) -> Tuple[Offsets, ...]:
    if not mention.parts:
        return ()
    edges = [edge for part in mention.parts for edge in part]
    whole = (edges[0], edges[-1]) == (mention.start, mention.end)
    if not whole or edges != sorted(edges) or any(start == end for start, end in mention.parts):
        detail = f"mention {mention.start} to {mention.end}"
        record.drop("parts of a mention", "do not go from its start to its end in text order", detail=detail)
        return ()
    return tuple(mention.parts) if len(mention.parts) > 1 else ()


def _add_long_form(record: Record, mention: _Mention) -> None:
    short = record.text[mention.start : mention.end]
    if mention.long_form and record.long_forms.setdefault(short, mention.long_form) != mention.long_form:
        record.drop("long form", "the same text had a different one before", detail=f"mention {mention.start}")


def _add_relation(record: Record, rel: _Rel, arguments: Arguments) -> None:
    ids: List[str] = []
    for argument in (rel.subject, rel.object):
        if isinstance(argument, str):
            ids.append(argument)
            continue
        why = _why_no_argument(argument, arguments)
        if why:
            record.drop("relation", why, detail=f"relation {rel.predicate}")
            return
        n = len(arguments.by_id)
        ids.append(arguments.id_of(argument.key, argument.id, argument.concepts))
        if argument.id not in (None, "", ids[-1]) and len(arguments.by_id) == n:
            record.notes["id of an argument is not that of its mention"] += 1
    record.add_relation(RelationRecord(rel.predicate, ids[0], ids[1], rel.score))


def _why_no_argument(argument: _Argument, arguments: Arguments) -> str:
    """What contradicts the text or another mention in an argument, if anything."""
    if argument.text not in (None, arguments.record.text[argument.start : argument.end]):
        return "offsets of an argument do not match the text"
    if argument.key not in arguments.at and argument.id in arguments.by_id:
        return "id of an argument is that of another mention"
    return ""


FORMATS = {"jsonl": Format(read, stream, write, {".jsonl": b"", ".ndjson": b""}, (".jsonl", ".ndjson"))}
