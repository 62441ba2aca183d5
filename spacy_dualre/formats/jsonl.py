"""The package's own JSON lines, one document per line, for any corpus and for results; docs/data.md describes the keys.

Mentions without kb_id belong to one concept if they have the same type and the same long form or else text, ignoring
case. An argument of a relation that is no id is the mention with the same offsets, type and, if given, kb_id, or a new
one.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

from pydantic import BaseModel, ConfigDict, Field

from ..annotations.concepts import SEPARATOR, split_concepts
from ..errors import Errors
from ..records.arguments import Arguments, free_id
from ..records.record import Document, MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus, attempt
from . import Format
from .files import Source, decode_text, parse_json, write_lines


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Argument(_Schema):
    """A mention as the argument of a relation."""

    start: int
    end: int
    type: str
    id: Optional[str] = None
    text: Optional[str] = None
    kb_id: Optional[str] = None

    def mention(self, parts: Tuple[Offsets, ...] = ()) -> MentionRecord:
        """The same as in a record."""
        return MentionRecord(self.id or "", self.type, self.start, self.end, split_concepts(self.kb_id or ""), parts)


class _Mention(Argument):
    parts: Optional[Tuple[Offsets, ...]] = None
    long_form: Optional[Annotated[str, Field(min_length=1)]] = None


_IdOrArgument = Annotated[Union[Argument, str], Field(union_mode="left_to_right")]


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
    sentences: Optional[Tuple[int, ...]] = None
    tokens: Optional[Tuple[Offsets, ...]] = None
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


def parse(line: Union[str, bytes], place: Place, default_id: str = "", strict: bool = True) -> Record:
    """Parse a line. The default id is the line number. Unless strict, numbers may be texts."""
    document = parse_json(line if isinstance(line, str) else decode_text(line, place), _Document, place, strict=strict)
    text = document.text
    for before, start in zip([-1, *(document.sentences or ())], document.sentences or ()):
        if not before < start < len(text):
            raise place.error(Errors.DR357, start=start)
    if document.tokens is not None:
        check_tokens(document.tokens, text, place)
    record = Record(
        document.id or default_id or str(place.line),
        text,
        place,
        sentences=document.sentences,
        tokens=document.tokens,
        meta=document.meta or {},
        mentions_given=bool({"mentions", "rels"} & document.model_fields_set),
    )
    inline = [one for rel in document.rels for one in (rel.subject, rel.object) if isinstance(one, Argument)]
    arguments = Arguments(record, (mention.id for mention in (*document.mentions, *inline)))
    for mention in document.mentions:
        arguments.add(mention.mention(mention.parts or ()), mention.text)
        short, long = text[mention.start : mention.end], mention.long_form
        if long and record.long_forms.setdefault(short, long) != long:
            record.drop("long form", "the same text had a different one before", detail=f"mention {mention.start}")
    for rel in document.rels:
        _add_relation(record, rel, arguments)
    return record


def dump(record: Record, tokens: bool = False) -> str:
    """Format a document as a line, without the line end."""
    return json.dumps(to_json(record, tokens), ensure_ascii=False)


def to_json(record: Record, tokens: bool = False) -> Dict[str, Any]:
    """A document as JSON values from which `parse` restores it, except for its place and concept relations.

    Ids that `parse` generates are left out. A mention that is not listed is in its relation only.
    """
    arguments: Dict[str, Dict[str, Any]] = {}
    mentions: List[Dict[str, Any]] = []
    seen: Set[Tuple[int, int, str]] = set()
    for mention in record.mentions:
        text = record.covered(mention)
        argument = {"start": mention.start, "end": mention.end, "text": text, "type": mention.type}
        if mention.key in seen or mention.id != free_id(*mention.key, ()):
            argument["id"] = mention.id
        if mention.concepts:
            argument["kb_id"] = SEPARATOR.join(mention.concepts)
        seen.add(mention.key)
        arguments[mention.id] = argument
        if mention.listed:
            parts = {"parts": list(mention.parts)} if mention.parts else {}
            long_form = {"long_form": record.long_forms[text]} if text in record.long_forms else {}
            mentions.append({**argument, **parts, **long_form})
    rels = [
        {**vars(rel), "subject": arguments[rel.subject], "object": arguments[rel.object]} for rel in record.relations
    ]
    values: Dict[str, Any] = {"id": record.id, "text": record.text, "mentions": mentions, "rels": rels}
    if record.sentences is not None:
        values["sentences"] = list(record.sentences)
    if tokens and record.tokens is not None:
        values["tokens"] = list(record.tokens)
    return {**values, "meta": record.meta} if record.meta else values


def check_tokens(tokens: Sequence[Offsets], text: str, place: Place) -> None:
    """Raise CorpusError unless the tokens are in text order, do not overlap, and leave out nothing but blanks."""
    position = 0
    for start, end in tokens:
        if not position <= start < end <= len(text):
            raise place.error(Errors.DR355, start=start, end=end)
        if text[position:start].strip():
            raise place.error(Errors.DR356, start=position, end=start)
        position = end
    if text[position:].strip():
        raise place.error(Errors.DR356, start=position, end=len(text))


def _add_relation(record: Record, rel: _Rel, arguments: Arguments) -> None:
    ids: List[str] = []
    for argument in (rel.subject, rel.object):
        if isinstance(argument, str):
            ids.append(argument)
            continue
        mention, is_known = argument.mention(), argument.id in arguments.ids
        why = "id of an argument is that of another mention" if is_known and mention.key not in arguments.at else ""
        if argument.text not in (None, record.covered(mention)):
            why = "offsets of an argument do not match the text"
        if why:
            record.drop("relation", why, detail=f"relation {rel.predicate}")
            return
        n = len(arguments.ids)
        ids.append(arguments.id_of(mention))
        if argument.id not in (None, "", ids[-1]) and len(arguments.ids) == n:
            record.notes["id of an argument is not that of its mention"] += 1
    record.add_relation(RelationRecord(rel.predicate, ids[0], ids[1], rel.score))


FORMATS = {"jsonl": Format(read, stream, write, {".jsonl": b"", ".ndjson": b""}, (".jsonl", ".ndjson"))}
