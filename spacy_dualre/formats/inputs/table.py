"""Tables with a line of column names: CSV (RFC 4180, with comma, semicolon or tab between the columns) and TSV (IANA's
text/tab-separated-values, without quotes).
"""

import csv
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ...records.record import Place, Record, corpus_error
from ..files import csv_rows
from .source import Pending, Source, plain

#: Names of columns in any case, tried in this order.
TEXT_NAMES = ("text", "abstract", "sentence")
ID_NAMES = ("id", "doc_id", "document_id", "pmid")


@dataclass(frozen=True)
class Table:
    """A kind of table. dialect: what Python's csv.reader needs to know."""

    SUFFIXES: Dict[str, bytes]
    dialect: Dict[str, Any]

    def read(self, source: Source) -> Iterator[Pending]:
        """One document a row that is not blank. Raises CorpusError where there is no column of texts."""
        # Bytes that are no UTF-8 are looked for in each row, so that the others can be read
        lines = (line.decode("utf8", "surrogateescape") for _, line in source.lines())
        rows = csv_rows(lines, **self.dialect)
        columns: Optional[_Columns] = None
        while True:
            place = Place(source.path, rows.line_num + 1)
            try:
                row = next(rows, None)
            except csv.Error as err:
                yield partial(_damaged, place, err)
                continue
            if row is None:
                break
            if columns is None:
                columns = _Columns(row, source, place)
            elif row:
                yield partial(columns.record, row, place)


CSV = Table({".csv": b""}, {})
TSV = Table({".tsv": b"", ".tab": b""}, {"delimiter": "\t", "quoting": csv.QUOTE_NONE})


class _Columns:
    """Where text and id are in the rows of a table."""

    def __init__(self, names: List[str], source: Source, place: Place) -> None:
        self.names = [name.strip() for name in names]
        self.source = source
        options = source.options
        self.id = self._find(options.id_column, ID_NAMES, place)
        text = self._find(options.text_column, TEXT_NAMES, place)
        if text is None and len(names) == 1:
            text = 0
        if text is None:
            raise self._unknown("with the texts", "--text-column", place)
        self.text = text

    def record(self, row: List[str], place: Place) -> Record:
        if len(row) != len(self.names):
            raise corpus_error(place.path, f"{len(row)} columns; expected {len(self.names)}", place.line)
        if any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
            raise corpus_error(place.path, "not UTF-8; save the file as UTF-8", place.line)
        id = row[self.id].strip() if self.id is not None else ""
        return plain(id or self.source.id_of(place.line), row[self.text], place)

    def _find(self, wanted: Optional[str], usual: Sequence[str], place: Place) -> Optional[int]:
        if wanted is not None:
            if wanted not in self.names:
                raise self._unknown(f"{wanted!r}", "--text-column or --id-column", place)
            return self.names.index(wanted)
        lower = [name.lower() for name in self.names]
        return next((lower.index(name) for name in usual if name in lower), None)

    def _unknown(self, what: str, option: str, place: Place) -> Exception:
        problem = f"no column {what} among {', '.join(map(repr, self.names))}; name one with {option}"
        return corpus_error(place.path, problem, place.line)


def _damaged(place: Place, err: csv.Error) -> Record:
    raise corpus_error(place.path, f"damaged table ({err})", place.line)
