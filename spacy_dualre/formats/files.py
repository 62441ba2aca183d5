"""Reading and writing of text, JSON lines and CSV, with errors that name file and line."""

import csv
import gzip
import sys
import zlib
from collections import Counter
from contextlib import contextmanager
from itertools import chain, groupby
from pathlib import Path, PurePath
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Type, TypeVar, Union

from pydantic import BaseModel, ValidationError

from ..errors import Errors
from ..records.record import Place, Record

Schema = TypeVar("Schema", bound=BaseModel)
#: Standard input.
STDIN = Path("-")
#: Maximum number of characters in a cell, so that a missing quote cannot fill the memory.
_LONGEST_CELL = 10_000_000
_BOM = "\ufeff".encode("utf8")


class Options(NamedTuple):
    """The user's description of documents to extract from.

    Attributes:
        text_column: The column of a table that holds the texts; None to look for the usual names.
        id_column: Likewise, for document ids.
        spans_key: The span group that holds the mentions of Docs; None for ``doc.ents``.
    """

    text_column: Optional[str] = None
    id_column: Optional[str] = None
    spans_key: Optional[str] = None


class Row(NamedTuple):
    """The columns of a line."""

    place: Place
    columns: List[str]


class Source(NamedTuple):
    """A file, or standard input.

    Attributes:
        path: The file, or STDIN.
        name: Its path within the folder that the user gave; "" if the user gave the file itself.
    """

    path: Path
    name: str = ""
    options: Options = Options()

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Open it in binary mode, decompressing .gz. Raises CorpusError if it cannot be read."""
        if self.path.is_dir():
            raise Place(self.path).error(Errors.DR322)
        try:
            if self.path == STDIN:
                yield sys.stdin.buffer
                return
            with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as file:
                yield file
        except (OSError, EOFError, zlib.error) as err:
            raise Place(self.path).error(Errors.DR324, problem=getattr(err, "strerror", None) or err) from err

    def lines(self) -> Iterator[Tuple[Place, bytes]]:
        """Iterate over the lines with their ends, without a byte order mark."""
        with self.open() as file:
            for number, line in enumerate(file, 1):
                yield Place(self.path, number), line.removeprefix(_BOM) if number == 1 else line

    def text(self) -> str:
        """The UTF-8 text without a byte order mark. CRLF is kept, so that offsets hold. Raises as `read_lines`."""
        return "".join(decode_text(line, place) for place, line in self.lines())

    def id_of(self, number: int) -> str:
        """An id for a document without one, from its line or position, unique among all files."""
        return f"{self.name}:{number}" if self.name else str(number)

    @property
    def stem(self) -> str:
        """The id of a file's only document: its path within the folder, without suffix."""
        path = PurePath(self.name or self.path.name)
        return path.with_name(path.name.removesuffix(".gz")).with_suffix("").as_posix()


def read_lines(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[Place, str]]:
    """Iterate over the lines of a UTF-8 file without LF, CRLF and a byte order mark.

    Other line separators are kept, since they occur inside texts. Raises CorpusError for a file that cannot be read or
    is empty, and for a line that is not UTF-8.
    """
    place = None
    for place, line in Source(path).lines():
        yield place, decode_text(line, place).removesuffix("\n").removesuffix("\r")
    if place is None and not may_be_empty:
        raise Place(path).error(Errors.DR323)


def read_blocks(path: Path) -> Iterator[List[Tuple[Place, str]]]:
    """Iterate over the groups of lines between blank lines. Raises as `read_lines`."""
    for is_block, lines in groupby(read_lines(path), lambda line: bool(line[1].strip())):
        if is_block:
            yield list(lines)


def read_text(path: Path) -> str:
    """The text of a file, as `Source.text`."""
    return Source(path).text()


def is_offset(text: str) -> bool:
    """Whether a text is a number that can be an offset."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def decode_text(data: bytes, place: Place) -> str:
    """Decode UTF-8. Raises CorpusError."""
    try:
        return data.decode("utf8")
    except UnicodeDecodeError as err:
        raise place.error(Errors.DR325, problem=err) from err


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write UTF-8 with LF on all systems."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def one_line(text: str) -> str:
    """Replace each tab and line end with a blank, so that offsets hold."""
    return text.translate(dict.fromkeys(map(ord, "\t\n\r"), " "))


def count_long_forms(record: Record, lost: Counter) -> None:
    """Count the long forms that a format cannot hold."""
    lost["long form of a mention"] += sum(record.covered(mention) in record.long_forms for mention in record.mentions)


def note_unread_keys(record: Record, document: BaseModel) -> None:
    """Note the keys that a schema lacks, except empty ones and, with an underscore, Prodigy's bookkeeping."""
    for key, value in (document.model_extra or {}).items():
        if value not in (None, "", [], {}) and not key.startswith("_"):
            record.notes[f"key {key!r} not read"] += 1


def csv_rows(lines: Iterable[str], **dialect: Any) -> Any:
    """A strict csv.reader. The default delimiter is the most frequent of comma, semicolon and tab in the first line."""
    csv.field_size_limit(_LONGEST_CELL)
    lines = iter(lines)
    first = next(lines, "")
    dialect = {"delimiter": max(",;\t", key=first.count), **dialect}
    return csv.reader(chain([first] if first else [], lines), strict=True, **dialect)


def read_json_lines(path: Path, schema: Type[Schema]) -> Iterator[Tuple[Place, Schema]]:
    """Iterate over the values of all lines that are not blank. Raises as `read_lines` and `parse_json`."""
    for place, line in read_lines(path):
        if line.strip():
            yield place, parse_json(line, schema, place)


def parse_json(text: Union[str, bytes], schema: Type[Schema], place: Place) -> Schema:
    """Parse a value of a schema. Raises CorpusError naming the place and the first wrong field."""
    try:
        return schema.model_validate_json(text, strict=True)
    except ValidationError as err:
        raise place.error(Errors.DR326, problem=_first_problem(err)) from err


def validate(value: Any, schema: Type[Schema], place: Place, key: str = "", strict: bool = True) -> Schema:
    """Like `parse_json`, for a value that is parsed already and whose key is given for messages."""
    try:
        return schema.model_validate(value, strict=strict)
    except ValidationError as err:
        raise place.error(Errors.DR326, problem=_first_problem(err, key)) from err


def _first_problem(err: ValidationError, key: str = "") -> str:
    first: Dict[str, Any] = err.errors(include_url=False, include_context=False)[0]  # type: ignore[assignment]
    where = ".".join(filter(None, [key, *map(str, first["loc"])]))
    return f"{first['msg']} in {where}" if where else first["msg"]


def files_in(path: Path, suffix: str) -> List[Path]:
    """The file itself, or the sorted files with this suffix in a folder and its subfolders. Raises CorpusError."""
    if not path.exists():
        raise Place(path).error(Errors.DR327)
    found = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    if not found:
        raise Place(path).error(Errors.DR328, suffix=suffix)
    return found
