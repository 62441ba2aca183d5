"""A table of relations, one a row, as CSV: what a spreadsheet saves.

::

    id,text,subject,subject_type,predicate,object,object_type
    d1,"Aspirin blocks COX-1, unlike COX-2.",Aspirin,CHEMICAL,INHIBITS,COX-1,GENE
    d1,"Aspirin blocks COX-1, unlike COX-2.",Aspirin,CHEMICAL,,COX-2,GENE

UTF-8, comma or semicolon or tab between the columns (whichever the header has most of), RFC 4180's double quotes.
Columns in any order:

text                       of the document or sentence. Rows with the same id, or, without ids, the same text, are of
                           one document; the text may be left empty after the first of them.
subject, object            surface forms. One that is in the text more than once needs its offset.
subject_type, object_type
predicate                  empty: both are mentions, and have no relation.
id                         optional.
subject_start, object_start
                           optional, or empty: offset of the first character, from 0.

Other columns are not read, which is noted.
"""

import csv
import io
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

from ..records.record import MentionRecord, Place, Record, RelationRecord, corpus_error, distinct
from .files import csv_rows, read_text

_REQUIRED = ("text", "subject", "subject_type", "predicate", "object", "object_type")
_OPTIONAL = ("id", "subject_start", "object_start")


class _Row(NamedTuple):
    place: Place
    values: Dict[str, str]


def read(path: Path) -> Iterator[Record]:
    """The documents of a file, in the order of their first rows.

    A surface form that is not in the text, or there more than once without an offset, is dropped and counted, and so
    are the relations of its row. Mentions have the id "start-end-type".
    Raises CorpusError naming file and line for a header without the columns above, a row of another length, an offset
    that is no number, a row without a document, and two texts under one id.
    """
    records: Dict[str, Record] = {}
    for row in _rows(path):
        _add(_record_of(row, records), row)
    if not records:
        raise corpus_error(path, "holds no row under the header")
    yield from distinct(path, records.values())


def _rows(path: Path) -> Iterator[_Row]:
    reader = csv_rows(io.StringIO(read_text(path), newline=""))
    line = 1
    try:
        columns = [column.strip() for column in next(reader, [])]
        _check_columns(path, columns)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(columns):
                    raise corpus_error(path, f"{len(cells)} cells, the header has {len(columns)}", line)
                yield _Row(Place(path, line), dict(zip(columns, cells)))
            line = reader.line_num + 1
    except csv.Error as err:
        raise corpus_error(path, f"not CSV ({err})", line) from err


def _check_columns(path: Path, columns: List[str]) -> None:
    missing = [name for name in _REQUIRED if name not in columns]
    if missing or len(set(columns)) < len(columns):
        problem = f"the header has no column {', '.join(missing)}" if missing else "the header has a column twice"
        raise corpus_error(path, f"{problem}; expected {', '.join(_REQUIRED)} and perhaps {', '.join(_OPTIONAL)}", 1)


def _record_of(row: _Row, records: Dict[str, Record]) -> Record:
    text, id = row.values["text"], row.values.get("id", "").strip()
    key = id or text
    if key not in records:
        if not text.strip():
            raise corpus_error(row.place.path, "no text, and no row before with this id that has one", row.place.line)
        records[key] = Record(id or str(row.place.line), text, row.place)
        records[key].meta = {"corpus": "csv", "split": row.place.path.stem}
        for column in sorted(row.values.keys() - {*_REQUIRED, *_OPTIONAL}):
            records[key].notes[f"column {column!r} not read"] += 1
    elif text and text != records[key].text:
        raise corpus_error(row.place.path, f"the document {id} had another text before", row.place.line)
    return records[key]


def _add(record: Record, row: _Row) -> None:
    subject, object = (_mention(record, row, role) for role in ("subject", "object"))
    predicate = row.values["predicate"].strip()
    if predicate:
        record.add_relation(RelationRecord(predicate, subject, object), row.place)


def _mention(record: Record, row: _Row, role: str) -> str:
    """The id of the mention, which is added where it is new, or dropped."""
    form, type = row.values[role].strip(), row.values[f"{role}_type"].strip()
    start, why = _start(record.text, form, row, role)
    mention = MentionRecord(f"{start}-{start + len(form)}-{type}", type, start, start + len(form))
    if why:
        # Under an id of its own: another row may know better
        mention = MentionRecord(f"{role} {form!r} of line {row.place.line}", type, 0, len(record.text))
        record.add_mention(mention, row.place, why=why)
    elif mention not in record.mentions:
        record.add_mention(mention, row.place, text=form)
    return mention.id


def _start(text: str, form: str, row: _Row, role: str) -> Tuple[int, str]:
    """Where the surface form stands, and why it cannot be used, if so."""
    given = row.values.get(f"{role}_start", "").strip()
    if given:
        if not given.isdecimal() or len(given) > 9:
            raise corpus_error(row.place.path, f"{role}_start is {given!r}, no offset", row.place.line)
        return int(given), ""
    places = _places(text, form)
    if not places:
        return 0, "surface form is not in the text" if form else "no surface form"
    if len(places) > 1:
        return 0, "surface form is in the text more than once, give its start"
    return places[0], ""


def _places(text: str, form: str) -> List[int]:
    """The offsets of a form where it is no part of a longer word."""
    places: List[int] = []
    position = text.find(form) if form else -1
    while position >= 0:
        end = position + len(form)
        inside = (position and text[position - 1].isalnum() and form[0].isalnum()) or (
            text[end : end + 1].isalnum() and form[-1].isalnum()
        )
        if not inside:
            places.append(position)
        position = text.find(form, position + 1)
    return places
