"""Reading text files line by line, with errors that name file and line."""

import csv
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, Tuple, Type, TypeVar, Union

from pydantic import BaseModel, ValidationError

from ..records.record import Place, corpus_error

Schema = TypeVar("Schema", bound=BaseModel)
#: Characters of a table's cell, at most: a forgotten quote must not fill the memory.
_LONGEST_CELL = 10_000_000
_BOM = "\ufeff".encode("utf8")


def read_lines(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[int, str]]:
    """The lines of a UTF-8 file, numbered from 1, without their ends (LF or CRLF) and without a byte order mark.

    Nothing but these ends a line: separators that occur inside texts stay. Raises CorpusError where the file is
    missing, a folder, empty or, at a line, not UTF-8.
    """
    for number, line in read_raw_lines(path, may_be_empty):
        try:
            text = line.decode("utf8")
        except UnicodeDecodeError as err:
            raise corpus_error(path, f"not UTF-8 ({err}); save the file as UTF-8", number) from err
        yield number, text.removesuffix("\n").removesuffix("\r")


def read_raw_lines(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[int, bytes]]:
    """The lines of a file as they are, numbered from 1, but for a byte order mark. Raises as `read_lines`, except that
    they may be anything.
    """
    if path.is_dir():
        raise corpus_error(path, "is a folder; expected a file")
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield number, line.removeprefix(_BOM) if number == 1 else line
    except OSError as err:
        raise corpus_error(path, f"cannot be read ({err.strerror})") from err
    if not number and not may_be_empty:
        raise corpus_error(path, "is empty")


def read_text(path: Path) -> str:
    """A whole UTF-8 file, without a byte order mark; CRLF stays, so that offsets hold. Raises as `read_lines`."""
    for _ in read_lines(path, may_be_empty=True):
        pass
    return decode_text(path.read_bytes(), Place(path))


def decode_text(data: bytes, place: Place) -> str:
    """Text of UTF-8, without a byte order mark. Raises CorpusError naming the place."""
    try:
        return data.removeprefix(_BOM).decode("utf8")
    except UnicodeDecodeError as err:
        raise corpus_error(place.path, f"not UTF-8 ({err}); save the file as UTF-8", place.line) from err


def csv_rows(lines: Iterable[str], **dialect: Any) -> Any:
    """Python's csv.reader, strict, of cells as long as documents are. Where the dialect does not name the delimiter, it
    is that of comma, semicolon and tab of which the first line has most.
    """
    csv.field_size_limit(_LONGEST_CELL)
    lines = iter(lines)
    first = next(lines, "")
    dialect = {"delimiter": max(",;\t", key=first.count), **dialect}
    return csv.reader(chain([first] if first else [], lines), strict=True, **dialect)


def read_json_lines(path: Path, schema: Type[Schema]) -> Iterator[Tuple[Place, Schema]]:
    """One value of the schema for each line that is not blank.

    Raises CorpusError naming line and field for what is not JSON or not of the schema.
    """
    for number, line in read_lines(path):
        if line.strip():
            yield Place(path, number), parse_json(line, schema, Place(path, number))


def parse_json(text: Union[str, bytes], schema: Type[Schema], place: Place) -> Schema:
    """A value of the schema. Raises CorpusError naming the place and the first field that is not as it should be."""
    return _checked(lambda: schema.model_validate_json(text, strict=True), place)


def validate(value: Any, schema: Type[Schema], place: Place, key: str = "") -> Schema:
    """The same of a value that is no text any more. key: where it stands, for messages."""
    return _checked(lambda: schema.model_validate(value, strict=True), place, key)


def _checked(validated: Callable[[], Schema], place: Place, key: str = "") -> Schema:
    try:
        return validated()
    except ValidationError as err:
        first = err.errors(include_url=False, include_context=False)[0]
        where = ".".join(filter(None, [key, *map(str, first["loc"])]))
        problem = f"{first['msg']} in {where}" if where else first["msg"]
        raise corpus_error(place.path, problem, place.line) from err


def files_in(path: Path, suffix: str) -> List[Path]:
    """The file itself, or the files of a folder and its subfolders with this suffix, sorted.

    Raises CorpusError where there is none.
    """
    if not path.exists():
        raise corpus_error(path, "no such file or folder")
    found = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    if not found:
        raise corpus_error(path, f"no file *{suffix} in this folder")
    return found
