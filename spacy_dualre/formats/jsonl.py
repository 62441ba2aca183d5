"""The package's own JSON lines: one document a line, to bring any corpus in and to take results out.

::

    {"id": "d1", "text": "Aspirin inhibits COX-1.",
     "mentions": [{"start": 0, "end": 7, "type": "CHEMICAL", "id": "T1", "text": "Aspirin", "kb_id": "D001241"},
                  {"start": 17, "end": 22, "type": "GENE", "id": "T2"}],
     "rels": [{"subject": "T1", "predicate": "INHIBITS", "object": "T2", "score": 0.97}],
     "sentences": [0], "tokens": [[0, 7], [8, 16], [17, 22], [22, 23]], "meta": {"source": "made up"}}

Only ``text`` is required. Offsets are characters of the text, end exclusive.

id            of a document: unique in the file; without it, the number of its line.
mentions      start, end, type; optional: id (without it "start-end-type"), text (checked), kb_id (a comma separates
              several; "-": looked up, not found), parts (pairs of offsets, the pieces of a discontinuous mention),
              long_form (what the mention's text is short for in this document: without kb_id, mentions are of one
              concept if type and long form, or else text, are the same but for case).
rels          subject, predicate, object; optional: score, 0 to 1. An argument is the id of a mention, or a mention
              itself, without parts: the one of ``mentions`` with the same offsets, type and, where it is given,
              kb_id, or else one more.
sentences     where every sentence starts, ascending; without it, a sentence splitter decides.
tokens        offsets of the tokens in text order, without gaps but blanks; without it, a tokenizer decides.
meta          anything; it goes into ``doc.user_data``.

Keys that are not in this list are errors, since most are slips of the pen.
"""

import json
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from spacy.tokens import Doc

from ..annotations.concepts import NO_CONCEPT, SEPARATOR, get_long_forms
from ..annotations.mentions import SPANS_KEY
from ..annotations.relations import rels_to_json, span_to_json
from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, corpus_error, distinct
from .files import parse_json, read_json_lines

#: start, end, type
_Key = Tuple[int, int, str]


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
    def key(self) -> _Key:
        return (self.start, self.end, self.type)

    @property
    def concepts(self) -> Tuple[str, ...]:
        ids = dict.fromkeys(id.strip() for id in (self.kb_id or "").split(SEPARATOR))
        found = tuple(id for id in ids if id not in ("", NO_CONCEPT))
        return found or ((NO_CONCEPT,) if NO_CONCEPT in ids else ())


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
    """The documents of a file.

    Raises CorpusError naming file, line and key for what is not of the schema above: no JSON, an unknown key, a wrong
    type, a score outside of 0 to 1, sentences or tokens that do not fit the text, a document that occurs twice.
    """
    origin = {"corpus": "jsonl", "split": path.stem}
    for record in distinct(path, (_record(document, place) for place, document in read_json_lines(path, _Document))):
        record.meta = {**origin, **record.meta}
        yield record


def parse(line: Union[str, bytes], place: Place, default_id: str = "") -> Record:
    """The document of one line. default_id: in place of the line's number. Raises CorpusError naming the place."""
    return _record(parse_json(line, _Document, place), place, default_id)


def from_json(values: Dict[str, Any], place: Place) -> Record:
    """The document of JSON values, as `to_json` gives them. Raises CorpusError naming the place."""
    # As text, for there a list may be a pair
    return parse(json.dumps(values), place)


def to_json(doc: Doc, doc_id: str, spans_key: Optional[str] = SPANS_KEY, tokens: bool = False) -> Dict[str, Any]:
    """A Doc as JSON values that `read` takes: id, text, mentions, rels and, where the Doc has them, sentences, and
    tokens, if asked for.

    A mention has the long form that ``doc._.abbreviations`` gives for its text. The mentions are those of
    ``doc.spans[spans_key]``, or ``doc.ents`` where there is no such group, each once. An id that several of them share,
    as an entity ruler gives them, is left out, since it does not tell which is meant.
    """
    spans = dict.fromkeys(doc.spans[spans_key] if spans_key in doc.spans else doc.ents)
    long_forms = get_long_forms(doc)
    mentions = [
        {**span_to_json(span), **({"long_form": long_forms[span.text]} if span.text in long_forms else {})}
        for span in spans
    ]
    rels = rels_to_json(doc)
    _remove_shared_ids([*mentions, *(rel[role] for rel in rels for role in ("subject", "object"))])
    values: Dict[str, Any] = {"id": doc_id, "text": doc.text, "mentions": mentions, "rels": rels}
    if len(doc) and doc.has_annotation("SENT_START"):
        values["sentences"] = [sentence.start_char for sentence in doc.sents]
    if tokens:
        values["tokens"] = [(token.idx, token.idx + len(token)) for token in doc]
    return values


def check_tokens(tokens: Sequence[Offsets], text: str, place: Place) -> None:
    """Raises CorpusError unless the tokens are in text order, apart, and hold all characters but blanks."""
    position = 0
    for start, end in tokens:
        if not position <= start < end <= len(text):
            problem = f"token {start} to {end} is empty, outside of the text or not behind the token before it"
            raise corpus_error(place.path, problem, place.line)
        _check_gap(position, start, text, place)
        position = end
    _check_gap(position, len(text), text, place)


def _check_gap(start: int, end: int, text: str, place: Place) -> None:
    if text[start:end].strip():
        raise corpus_error(place.path, f"characters {start} to {end} of the text are in no token", place.line)


def _remove_shared_ids(values: List[Dict[str, Any]]) -> None:
    owners: Dict[str, Set[_Key]] = {}
    for value in values:
        owners.setdefault(value.get("id", ""), set()).add((value["start"], value["end"], value["type"]))
    for value in values:
        if len(owners[value.get("id", "")]) > 1:
            value.pop("id", None)


def _record(document: _Document, place: Place, default_id: str = "") -> Record:
    record = Record(
        document.id or default_id or str(place.line),
        document.text,
        place,
        sentences=_sentences(document, place),
        tokens=_tokens(document, place),
        meta=document.meta or {},
        mentions_given=bool({"mentions", "rels"} & document.model_fields_set),
    )
    mentions = _Mentions(record, document)
    for mention in document.mentions:
        mentions.add(mention, _parts(record, mention))
        _add_long_form(record, mention)
    for rel in document.rels:
        _add_relation(record, rel, mentions)
    return record


def _sentences(document: _Document, place: Place) -> Optional[Tuple[int, ...]]:
    if document.sentences is None:
        return None
    before = -1
    for start in document.sentences:
        if not before < start < len(document.text):
            problem = f"sentence start {start} is outside of the text or not behind the one before it"
            raise corpus_error(place.path, problem, place.line)
        before = start
    return tuple(document.sentences)


def _tokens(document: _Document, place: Place) -> Optional[Tuple[Offsets, ...]]:
    if document.tokens is None:
        return None
    check_tokens(document.tokens, document.text, place)
    return tuple(document.tokens)


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
        record.drop("long form", "the same text had another one before", detail=f"mention {mention.start}")


def _add_relation(record: Record, rel: _Rel, mentions: "_Mentions") -> None:
    for argument in (rel.subject, rel.object):
        why = mentions.why_no_argument(argument)
        if why:
            record.drop("relation", why, detail=f"relation {rel.predicate}")
            return
    subject, object = mentions.id_of(rel.subject), mentions.id_of(rel.object)
    record.add_relation(RelationRecord(rel.predicate, subject, object, rel.score))


class _Mentions:
    """The mentions of one record: those of the document's list and those that only its relations name."""

    def __init__(self, record: Record, document: _Document) -> None:
        self.record = record
        arguments = [argument for rel in document.rels for argument in (rel.subject, rel.object)]
        given = [*document.mentions, *(argument for argument in arguments if not isinstance(argument, str))]
        self.given = {mention.id for mention in given}
        self.by_id: Dict[str, _Argument] = {}
        self.ids: Dict[_Key, List[str]] = {}

    def add(self, mention: _Argument, parts: Tuple[Offsets, ...] = ()) -> str:
        """Add or drop a mention and give its id."""
        id = mention.id or self._free_id(mention)
        if id not in self.by_id:
            self.by_id[id] = mention
            self.ids.setdefault(mention.key, []).append(id)
        value = MentionRecord(id, mention.type, mention.start, mention.end, mention.concepts, parts)
        self.record.add_mention(value, text=mention.text)
        return id

    def why_no_argument(self, argument: Union[str, _Argument]) -> Optional[str]:
        """What an argument says of itself that cannot be, if anything."""
        if isinstance(argument, str):
            return None
        if argument.text not in (None, self.record.text[argument.start : argument.end]):
            return "offsets of an argument do not match the text"
        if argument.key not in self.ids and argument.id in self.by_id:
            return "id of an argument is that of another mention"
        return None

    def id_of(self, argument: Union[str, _Argument]) -> str:
        """The id of the mention that an argument stands for, which is added where there is none."""
        if isinstance(argument, str):
            return argument
        same = [id for id in self.ids.get(argument.key, ()) if self._agree(argument, self.by_id[id])]
        if argument.id in same:
            return argument.id
        if same:
            if argument.id:
                self.record.notes["id of an argument is not that of its mention"] += 1
            return same[0]
        return self.add(argument.model_copy(update={"id": None}) if argument.id in self.by_id else argument)

    def _agree(self, argument: _Argument, mention: _Argument) -> bool:
        # An argument may stand for one of several concepts of its mention: then it is one more mention
        return not argument.kb_id or argument.concepts == mention.concepts

    def _free_id(self, mention: _Argument) -> str:
        # Two mentions may be alike in all that the id is made of
        start = id = f"{mention.start}-{mention.end}-{mention.type}"
        for number in count(2):
            if id not in self.given and id not in self.by_id:
                break
            id = f"{start}-{number}"
        return id
