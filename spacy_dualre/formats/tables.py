"""Tables: CSV (RFC 4180 in UTF-8, with whichever of comma, semicolon and tab is most frequent in the header) and TSV
(IANA's text/tab-separated-values, without quotes).

`read` takes a table of relations, one per row, as a spreadsheet saves it::

    id,text,subject,subject_type,predicate,object,object_type
    d1,"Aspirin blocks COX-1, unlike COX-2.",Aspirin,CHEMICAL,INHIBITS,COX-1,GENE
    d1,"Aspirin blocks COX-1, unlike COX-2.",Aspirin,CHEMICAL,,COX-2,GENE

Columns in any order:

text                       of the document or sentence. Rows with the same id or, without ids, the same text belong to
                           one document; the text may be empty after the first of them.
subject, object            surface forms. If one occurs more than once in the text, it needs its offset.
subject_type, object_type
predicate                  empty if the two mentions have no relation.
id                         optional.
subject_start, object_start
                           optional offset of the first character, from 0; may be empty.

Other columns are counted but not read. `stream_csv` and `stream_tsv` take tables of texts, one document per row.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..annotations.concepts import SEPARATOR
from ..errors import CorpusError, Errors
from ..records.record import Document, MentionRecord, Place, Record, RelationRecord, as_corpus, attempt, sentence_around
from . import Format
from .files import Source, count_long_forms, csv_rows, is_offset, read_text

_REQUIRED = ("text", "subject", "subject_type", "predicate", "object", "object_type")
_OPTIONAL = ("id", "subject_start", "object_start")
#: Names of columns in a table of texts, in order of preference, ignoring case.
_TEXT_NAMES = ("text", "abstract", "sentence")
_ID_NAMES = ("id", "doc_id", "document_id", "pmid")
_ARGUMENT = ("text", "type", "start", "end", "kb_id")
#: The columns of a written table.
COLUMNS = (
    "document",
    *(f"subject_{key}" for key in _ARGUMENT),
    "predicate",
    *(f"object_{key}" for key in _ARGUMENT),
    "score",
    "sentence",
)


class _Row(NamedTuple):
    place: Place
    values: Dict[str, str]


def read(path: Path) -> Iterator[Record]:
    """Read a table of relations.

    A surface form that is not in the text, or more than once and without an offset, is dropped with the row's relation.
    Mentions have the id "start-end-type".
    """
    records: Dict[str, Record] = {}
    for row in _relation_rows(path):
        _add(_record_of(row, records), row)
    return as_corpus(path, "csv", records.values())


def _relation_rows(path: Path) -> Iterator[_Row]:
    columns: List[str] = []
    for place, cells in _rows(io.StringIO(read_text(path), newline=""), path):
        if isinstance(cells, CorpusError):
            raise cells
        if not columns:
            columns = [column.strip() for column in cells]
            _check_columns(place, columns)
        elif any(cell.strip() for cell in cells):
            _check_length(cells, columns, place)
            yield _Row(place, dict(zip(columns, cells)))
    if not columns:
        raise Place(path).error(Errors.DR323)


def _rows(lines: Iterable[str], path: Path, **dialect: Any) -> Iterator[Tuple[Place, Any]]:
    """The cells of each row, or the error of a row that cannot be read."""
    rows = csv_rows(lines, **dialect)
    while True:
        place = Place(path, rows.line_num + 1)
        try:
            yield place, next(rows)
        except StopIteration:
            return
        except csv.Error as err:
            yield place, place.error(Errors.DR380, problem=err)


def _check_length(cells: List[str], columns: List[str], place: Place) -> None:
    if len(cells) != len(columns):
        raise place.error(Errors.DR342, n=len(cells), expected=len(columns))


def _check_columns(place: Place, columns: List[str]) -> None:
    missing = [name for name in _REQUIRED if name not in columns]
    expected = {"required": ", ".join(_REQUIRED), "optional": ", ".join(_OPTIONAL)}
    if missing:
        raise place.error(Errors.DR381, names=", ".join(missing), **expected)
    if len(set(columns)) < len(columns):
        raise place.error(Errors.DR382, **expected)


def _record_of(row: _Row, records: Dict[str, Record]) -> Record:
    text, id = row.values["text"], row.values.get("id", "").strip()
    key = id or text
    if key not in records:
        if not text.strip():
            raise row.place.error(Errors.DR383)
        records[key] = Record(id or str(row.place.line), text, row.place)
        for column in sorted(row.values.keys() - {*_REQUIRED, *_OPTIONAL}):
            records[key].notes[f"column {column!r} not read"] += 1
    elif text and text != records[key].text:
        raise row.place.error(Errors.DR384, id=id)
    return records[key]


def _add(record: Record, row: _Row) -> None:
    subject, object = (_mention(record, row, role) for role in ("subject", "object"))
    predicate = row.values["predicate"].strip()
    if predicate:
        record.add_relation(RelationRecord(predicate, subject, object), row.place)


def _mention(record: Record, row: _Row, role: str) -> str:
    """Add the mention, if it is new, or drop it, and return its id."""
    form, type = row.values[role].strip(), row.values[f"{role}_type"].strip()
    start, why = _start(record.text, form, row, role)
    mention = MentionRecord(f"{start}-{start + len(form)}-{type}", type, start, start + len(form))
    if why:
        # Under an id of its own, since the mention may be valid in another row
        mention = MentionRecord(f"{role} {form!r} of line {row.place.line}", type, 0, len(record.text))
        record.add_mention(mention, row.place, why=why)
    elif mention not in record.mentions:
        record.add_mention(mention, row.place, text=form)
    return mention.id


def _start(text: str, form: str, row: _Row, role: str) -> Tuple[int, str]:
    """The start of the surface form, and the reason if it cannot be used."""
    given = row.values.get(f"{role}_start", "").strip()
    if given:
        if not is_offset(given):
            raise row.place.error(Errors.DR385, column=f"{role}_start", value=given)
        return int(given), ""
    if not form:
        return 0, "no surface form"
    places = _places(text, form)
    if not places:
        return 0, "surface form is not in the text"
    if len(places) > 1:
        return 0, "surface form is in the text more than once, give its start"
    return places[0], ""


def _places(text: str, form: str) -> List[int]:
    """The offsets at which a form is not part of a longer word."""
    before = r"(?<![^\W_])" if form[0].isalnum() else ""
    after = r"(?![^\W_])" if form[-1].isalnum() else ""
    return [match.start() for match in re.finditer(f"(?={before}{re.escape(form)}{after})", text)]


def stream_csv(source: Source, **dialect: Any) -> Iterator[Document]:
    """Stream a table of texts, one document for each row that is not blank. Raises CorpusError if it has no texts."""
    # Invalid UTF-8 is detected in each row, so that the others can be read
    lines = (line.decode("utf8", "surrogateescape") for _, line in source.lines())
    columns: Optional[_Columns] = None
    for place, cells in _rows(lines, source.path, **dialect):
        if isinstance(cells, CorpusError):
            yield cells
        elif columns is None:
            columns = _Columns(cells, source, place)
        elif cells:
            yield attempt(columns.record, cells, place)


def stream_tsv(source: Source) -> Iterator[Document]:
    """Like `stream_csv`, with tabs and without quotes."""
    return stream_csv(source, delimiter="\t", quoting=csv.QUOTE_NONE)


class _Columns:
    """The columns of a table that hold the texts and, optionally, the ids."""

    def __init__(self, names: List[str], source: Source, place: Place) -> None:
        self.names = [name.strip() for name in names]
        self.source = source
        self.id = self._find(source.options.id_column, _ID_NAMES, place)
        text = self._find(source.options.text_column, _TEXT_NAMES, place)
        if text is None and len(names) > 1:
            raise place.error(Errors.DR386, names=", ".join(map(repr, self.names)))
        self.text = text or 0

    def record(self, cells: List[str], place: Place) -> Record:
        """Make the document of a row."""
        _check_length(cells, self.names, place)
        if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            raise place.error(Errors.DR325, problem="in one of its cells")
        id = cells[self.id].strip() if self.id is not None else ""
        return Record(id or self.source.id_of(place.line), cells[self.text], place, mentions_given=False)

    def _find(self, wanted: Optional[str], usual: Sequence[str], place: Place) -> Optional[int]:
        if wanted is not None:
            if wanted not in self.names:
                raise place.error(Errors.DR387, name=wanted, names=", ".join(map(repr, self.names)))
            return self.names.index(wanted)
        lower = [name.lower() for name in self.names]
        return next((lower.index(name) for name in usual if name in lower), None)


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write CSV with a row for each relation and the sentences from its first to its last argument.

    This is for spreadsheets and databases: `read` does not take it back.
    """
    with path.open("w", encoding="utf8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for record in records:
            count_long_forms(record, lost)
            mentions = {mention.id: mention for mention in record.mentions}
            for rel in record.relations:
                rows.writerow(_row(record, mentions[rel.subject], rel, mentions[rel.object]))
            lost["document without relations, not in the table"] += not record.relations


def _row(record: Record, subject: MentionRecord, rel: RelationRecord, object: MentionRecord) -> List[Any]:
    start, end = sentence_around(record.text, record.sentences or (), *((m.start, m.end) for m in (subject, object)))
    first, second = ([record.covered(m), m.type, m.start, m.end, SEPARATOR.join(m.concepts)] for m in (subject, object))
    return [record.id, *first, rel.predicate, *second, rel.score, record.text[start:end]]


FORMATS = {
    "csv": Format(read, stream_csv, write, {".csv": b""}, (".csv",)),
    "tsv": Format(stream=stream_tsv, inputs={".tsv": b"", ".tab": b""}),
}
