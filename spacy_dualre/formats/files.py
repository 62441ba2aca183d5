"""Files of every kind, with errors that name file and line."""

import csv
import gzip
import sys
import zlib
from collections import Counter
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePath
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Type, TypeVar, Union

from pydantic import BaseModel, ValidationError

from ..errors import Errors
from ..records.record import Place, Record

Schema = TypeVar("Schema", bound=BaseModel)
#: Stands for standard input.
STDIN = Path("-")
#: The most characters in a table's cell: a forgotten quote must not fill the memory.
_LONGEST_CELL = 10_000_000
_BOM = "\ufeff".encode("utf8")


class Options(NamedTuple):
    """The user's description of documents to extract from.

    Attributes:
        text_column: Name of the column of a table with the texts; None: one of the usual names.
        id_column: The same for the documents' ids.
        spans_key: The span group with the mentions of Docs; None: ``doc.ents``.
    """

    text_column: Optional[str] = None
    id_column: Optional[str] = None
    spans_key: Optional[str] = None


class Source(NamedTuple):
    """A file, or standard input.

    Attributes:
        path: The file, or STDIN.
        name: Its path within the folder that the user gave, or "" where the user gave the file itself.
        options: The user's description of the documents.
    """

    path: Path
    name: str = ""
    options: Options = Options()

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The bytes, decompressed if the name ends with .gz. Raises CorpusError if they cannot be read."""
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
        """The lines with their ends, without a byte order mark."""
        with self.open() as file:
            for number, line in enumerate(file, 1):
                yield Place(self.path, number), line.removeprefix(_BOM) if number == 1 else line

    def text(self) -> str:
        """All of it as UTF-8, without a byte order mark. CRLF stays, so that offsets hold. Raises as `read_lines`."""
        return "".join(decode_text(line, place) for place, line in self.lines())

    def id_of(self, number: int) -> str:
        """The id of a document that has none, from the number of its line or its position: unique among all files."""
        return f"{self.name}:{number}" if self.name else str(number)

    @property
    def stem(self) -> str:
        """The id of a file's only document: its path in the folder, without suffix."""
        path = PurePath(self.name or self.path.name)
        return path.with_name(path.name.removesuffix(".gz")).with_suffix("").as_posix()


def read_lines(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[Place, str]]:
    """The lines of a UTF-8 file, without their ends (LF or CRLF) and without a byte order mark.

    Other separators of lines stay, since they occur inside texts.

    Raises:
        CorpusError: The file is missing, a folder or empty, or a line is not UTF-8.
    """
    place = None
    for place, line in Source(path).lines():
        yield place, decode_text(line, place).removesuffix("\n").removesuffix("\r")
    if place is None and not may_be_empty:
        raise Place(path).error(Errors.DR323)


def read_blocks(path: Path) -> Iterator[List[Tuple[Place, str]]]:
    """The lines between empty lines, as lists. Raises as `read_lines`."""
    block: List[Tuple[Place, str]] = []
    for place, line in read_lines(path):
        if line.strip():
            block.append((place, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def read_text(path: Path) -> str:
    """The text of a file, see `Source.text`."""
    return Source(path).text()


def decode_text(data: bytes, place: Place) -> str:
    """UTF-8 as text. Raises CorpusError."""
    try:
        return data.decode("utf8")
    except UnicodeDecodeError as err:
        raise place.error(Errors.DR325, problem=err) from err


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write UTF-8 with LF on every system."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def one_line(text: str) -> str:
    """The text with a blank for every tab and line end, so that offsets hold."""
    return text.translate(dict.fromkeys(map(ord, "\t\n\r"), " "))


def count_long_forms(record: Record, lost: Counter) -> None:
    """Count what a format without a place for long forms loses."""
    lost["long form of a mention"] += sum(record.covered(mention) in record.long_forms for mention in record.mentions)


def csv_rows(lines: Iterable[str], **dialect: Any) -> Any:
    """A strict csv.reader of cells as long as documents.

    Unless the dialect names a delimiter, it is the most frequent of comma, semicolon and tab in the first line.
    """
    csv.field_size_limit(_LONGEST_CELL)
    lines = iter(lines)
    first = next(lines, "")
    dialect = {"delimiter": max(",;\t", key=first.count), **dialect}
    return csv.reader(chain([first] if first else [], lines), strict=True, **dialect)


def read_json_lines(path: Path, schema: Type[Schema]) -> Iterator[Tuple[Place, Schema]]:
    """One value for each line that is not blank. Raises CorpusError as `read_lines` and `parse_json`."""
    for place, line in read_lines(path):
        if line.strip():
            yield place, parse_json(line, schema, place)


def parse_json(text: Union[str, bytes], schema: Type[Schema], place: Place) -> Schema:
    """A value of the schema. Raises CorpusError naming the place and the first field that is wrong."""
    try:
        return schema.model_validate_json(text, strict=True)
    except ValidationError as err:
        raise place.error(Errors.DR326, problem=_first_problem(err)) from err


def validate(value: Any, schema: Type[Schema], place: Place, key: str = "", strict: bool = True) -> Schema:
    """The same for a value that is no longer text. key: where the value stands, for messages."""
    try:
        return schema.model_validate(value, strict=strict)
    except ValidationError as err:
        raise place.error(Errors.DR326, problem=_first_problem(err, key)) from err


def _first_problem(err: ValidationError, key: str = "") -> str:
    first: Dict[str, Any] = err.errors(include_url=False, include_context=False)[0]  # type: ignore[assignment]
    where = ".".join(filter(None, [key, *map(str, first["loc"])]))
    return f"{first['msg']} in {where}" if where else first["msg"]


def files_in(path: Path, suffix: str) -> List[Path]:
    """The file itself, or the files of a folder and its subfolders with this suffix, sorted.

    Raises CorpusError if there is none.
    """
    if not path.exists():
        raise Place(path).error(Errors.DR327)
    found = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    if not found:
        raise Place(path).error(Errors.DR328, suffix=suffix)
    return found
