"""Tables: CSV (RFC 4180 in UTF-8, with whichever of comma, semicolon and tab is most frequent in the header) and TSV
(IANA's text/tab-separated-values, without quotes).
"""

import csv
import io
import json
import re
from collections import Counter
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ..annotations.concepts import SEPARATOR
from ..errors import CorpusError, Errors
from ..records.record import Document, MentionRecord, Place, Record, RelationRecord, as_corpus, attempt, sentence_around
from . import Format, jsonl
from .files import Source, count_long_forms, is_offset

_ROLES = ("subject", "object")
_REQUIRED = ("text", "subject", "subject_type", "predicate", "object", "object_type")
_OPTIONAL = ("id", "subject_start", "object_start")
#: Reason to drop a mention.
NOT_FOUND = "surface form is not in the text"
#: Names of columns in a table of texts, in order of preference, ignoring case.
_TEXT_NAMES = ("text", "abstract", "sentence")
_ID_NAMES = ("id", "doc_id", "document_id", "pmid")
#: Maximum number of characters in a cell, so that a missing quote cannot fill the memory.
_LONGEST_CELL = 10_000_000
_SUBJECT, _OBJECT = ([f"{role}_{key}" for key in ("text", "type", "start", "end", "kb_id")] for role in _ROLES)
#: The columns of a written table.
COLUMNS = ("document", *_SUBJECT, "predicate", *_OBJECT, "score", "sentence", "sentence_start")
#: The beginning of a cell that a spreadsheet takes for a formula, unless there is a quote before it.
_FORMULA = r"(?='*[=+\-@\t\r\n])"


def read(path: Path) -> Iterator[Record]:
    """Read a table of relations, one per row, as docs/data.md describes it.

    A surface form that is not in the text, or more than once and without an offset, is dropped with the row's relation.
    Mentions have the id "start-end-type".
    """
    place, columns, rows = _table(Source(path))
    missing = [name for name in _REQUIRED if name not in columns]
    expected = {"required": ", ".join(_REQUIRED), "optional": ", ".join(_OPTIONAL)}
    if missing:
        raise place.error(Errors.DR381, names=", ".join(missing), **expected)
    if len(set(columns)) < len(columns):
        raise place.error(Errors.DR382, **expected)
    records: Dict[str, Record] = {}
    for place, cells in rows:
        if isinstance(cells, CorpusError):
            raise cells
        row = dict(zip(columns, cells))
        record = _record_of(row, place, records)
        subject, object = (_mention(record, row, place, role) for role in _ROLES)
        predicate = row["predicate"].strip()
        if predicate:
            record.add_relation(RelationRecord(predicate, subject, object), place)
    return as_corpus(path, "csv", records.values())


def _table(source: Source, **dialect: Any) -> Tuple[Place, List[str], Iterator[Tuple[Place, Any]]]:
    """Place and names of the columns, and the rows below. Raises CorpusError if the header is missing or damaged."""
    rows = _rows(source, **dialect)
    place, header = next(rows, (Place(source.path), Place(source.path).error(Errors.DR323)))
    if isinstance(header, CorpusError):
        raise header
    return place, [name.strip() for name in header], rows


def _rows(source: Source, **dialect: Any) -> Iterator[Tuple[Place, Any]]:
    """The cells of each row that is not blank, or the error of one that cannot be read or is not as long as the first.

    Lines may end in CR alone. Invalid UTF-8 is detected in each row, so that the others can be read.
    """
    csv.field_size_limit(_LONGEST_CELL)
    decoded = (line.decode("utf8", "surrogateescape") for _, line in source.lines())
    lines = chain.from_iterable(io.StringIO(line, newline="") for line in decoded)
    first = next(lines, "")
    rows = csv.reader(chain([first], lines), strict=True, **{"delimiter": max(",;\t", key=first.count), **dialect})
    n = 0
    while True:
        place = Place(source.path, rows.line_num + 1)
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as err:
            yield place, place.error(Errors.DR380, problem=err)
            continue
        text = "".join(cells)
        n = n or len(cells)
        if any("\udc80" <= character <= "\udcff" for character in text):
            yield place, place.error(Errors.DR325, problem="in one of its cells")
        elif text.strip():
            yield place, cells if len(cells) == n else place.error(Errors.DR342, n=len(cells), expected=n)


def _record_of(row: Dict[str, str], place: Place, records: Dict[str, Record]) -> Record:
    text, id = row["text"], row.get("id", "").strip()
    key = id or text
    if key not in records:
        if not text.strip():
            raise place.error(Errors.DR383)
        records[key] = Record(id or str(place.line), text, place)
        for column in sorted(row.keys() - {*_REQUIRED, *_OPTIONAL}):
            records[key].notes[f"column {column!r} not read"] += 1
    elif text and text != records[key].text:
        raise place.error(Errors.DR384, id=id)
    return records[key]


def _mention(record: Record, row: Dict[str, str], place: Place, role: str) -> str:
    """Add the mention, if it is new, or drop it, and return its id."""
    form, type = row[role].strip(), row[f"{role}_type"].strip()
    given = row.get(f"{role}_start", "").strip()
    if given and not is_offset(given):
        raise place.error(Errors.DR385, column=f"{role}_start", value=given)
    starts = [int(given)] if given else places_of(record.text, form) if form else []
    if len(starts) != 1:
        many = "surface form is in the text more than once, give its start"
        why = many if starts else NOT_FOUND if form else "no surface form"
        # Under an id of its own, since the mention may be valid in another row
        mention = MentionRecord(f"{role} {form!r} of line {place.line}", type, 0, len(record.text))
        record.add_mention(mention, place, why=why)
        return mention.id
    end = starts[0] + len(form)
    mention = MentionRecord(f"{starts[0]}-{end}-{type}", type, starts[0], end)
    if mention not in record.mentions:
        record.add_mention(mention, place, text=form)
    return mention.id


def places_of(text: str, form: str, flags: int = 0) -> List[int]:
    """The offsets at which a form is not part of a longer word, with flags of regular expressions."""
    before = r"(?<![^\W_])" if form[0].isalnum() else ""
    after = r"(?![^\W_])" if form[-1].isalnum() else ""
    return [match.start() for match in re.finditer(f"(?={before}{re.escape(form)}{after})", text, flags)]


def stream_csv(source: Source, **dialect: Any) -> Iterator[Document]:
    """Stream a table of texts, one document for each row that is not blank. Raises CorpusError if it has no texts."""
    place, names, rows = _table(source, **dialect)
    id_at = _column(names, source.options.id_column, _ID_NAMES, place)
    text_at = _column(names, source.options.text_column, _TEXT_NAMES, place)
    if text_at is None:
        raise place.error(Errors.DR386, names=", ".join(map(repr, names)))
    for place, cells in rows:
        if isinstance(cells, CorpusError):
            yield cells
        else:
            id = cells[id_at].strip() if id_at is not None else ""
            yield Record(id or source.id_of(place.line), cells[text_at], place, mentions_given=False)


def stream_tsv(source: Source) -> Iterator[Document]:
    """Like `stream_csv`, with tabs and without quotes."""
    return stream_csv(source, delimiter="\t", quoting=csv.QUOTE_NONE)


def _column(names: List[str], wanted: Optional[str], usual: Sequence[str], place: Place) -> Optional[int]:
    if wanted is not None:
        if wanted not in names:
            raise place.error(Errors.DR387, name=wanted, names=", ".join(map(repr, names)))
        return names.index(wanted)
    lower = [name.lower() for name in names]
    return next((lower.index(name) for name in usual if name in lower), None)


def write(records: Iterable[Record], path: Path, lost: Counter, quote: str = "") -> None:
    """Write CSV with a row for each relation and the sentences from its first to its last argument.

    This is for spreadsheets and databases, and for `stream_relations`: `read` does not take it back. The quote is put
    before cells that a spreadsheet would take for formulas.
    """
    with path.open("w", encoding="utf8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for record in records:
            count_long_forms(record, lost)
            mentions = {mention.id: mention for mention in record.mentions}
            for rel in record.relations:
                arguments = mentions[rel.subject], mentions[rel.object]
                places = ((mention.start, mention.end) for mention in arguments)
                start, end = sentence_around(record.text, record.sentences or (), *places)
                subject, object = (
                    [record.covered(m), m.type, m.start, m.end, SEPARATOR.join(m.concepts)] for m in arguments
                )
                cells = (record.id, *subject, rel.predicate, *object, rel.score, record.text[start:end], start)
                rows.writerow(re.sub(rf"\A{_FORMULA}", quote, str(cell)) for cell in cells)
            lost["document without relations, not in the table"] += not record.relations


def stream_relations(source: Source) -> Iterator[Document]:
    """Stream the documents of a table that `write` wrote. Their texts are the sentences of relations, and blanks.

    Raises CorpusError for another table.
    """
    place, header, rows = _table(source)
    if header != list(COLUMNS):
        raise place.error(Errors.DR369, columns=", ".join(COLUMNS))
    for id, of_document in groupby(rows, lambda row: row[1] if isinstance(row[1], CorpusError) else row[1][:1]):
        if isinstance(id, CorpusError):
            yield id
        else:
            yield attempt(_from_sentences, list(of_document))


def _from_sentences(rows: List[Tuple[Place, List[str]]]) -> Record:
    text = ""
    edges: Set[int] = set()
    rels = []
    for place, cells in rows:
        row = {name: re.sub(rf"\A'{_FORMULA}", "", cell) for name, cell in zip(COLUMNS, cells)}
        if not is_offset(row["sentence_start"]) or int(row["sentence_start"]) > _LONGEST_CELL:
            raise place.error(Errors.DR385, column="sentence_start", value=row["sentence_start"])
        start = int(row["sentence_start"])
        end = start + len(row["sentence"])
        text = text[:start].ljust(start) + row["sentence"] + text[end:]
        edges |= {start, end}
        subject, object = ({key.split("_", 1)[1]: row[key] for key in keys} for keys in (_SUBJECT, _OBJECT))
        rels.append({"subject": subject, "predicate": row["predicate"], "object": object, "score": row["score"]})
    document = {"id": row["document"], "text": text, "rels": rels, "sentences": sorted(edges - {len(text)})}
    return jsonl.parse(json.dumps(document), rows[0][0], strict=False)


FORMATS = {
    "csv": Format(read, stream_csv, write, {".csv": b""}, (".csv",)),
    "spreadsheet": Format(write=partial(write, quote="'")),
    "tsv": Format(stream=stream_tsv, inputs={".tsv": b"", ".tab": b""}),
}
