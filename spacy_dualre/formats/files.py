"""Reading and writing of text, JSON lines and XML, with errors that name file and line."""

import gzip
import sys
import zlib
from collections import Counter
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple, Type, TypeVar

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from ..errors import Errors
from ..records.record import Place, Record

Schema = TypeVar("Schema", bound=BaseModel)
#: The columns of a line.
Row = Tuple[Place, List[str]]
#: Standard input.
STDIN = Path("-")
#: In XML nothing is fetched, and no entity in a text expanded.
_SAFELY = {"resolve_entities": False, "load_dtd": False, "no_network": True, "huge_tree": False}
#: A .gz file may unpack to this many bytes or to this many times its size, whichever is more. Texts come to 20 times.
_UNPACKED, _TIMES = 50_000_000, 50
_BOM = "\ufeff".encode("utf8")


class OpenSchema(BaseModel):
    """A schema with other keys, which are noted but not read."""

    model_config = ConfigDict(extra="allow")

    def note_unread_keys(self, record: Record) -> None:
        """Note the other keys, except empty ones and, with an underscore, Prodigy's bookkeeping."""
        for key, value in (self.model_extra or {}).items():
            if value not in (None, "", [], {}) and not key.startswith("_"):
                record.notes[f"key {key!r} not read"] += 1


class Options(NamedTuple):
    """The user's description of documents to extract from: where a table or a Doc holds what; None for the usual."""

    text_column: Optional[str] = None
    id_column: Optional[str] = None
    spans_key: Optional[str] = None


class Source(NamedTuple):
    """A file, or standard input, with its path within the folder that the user gave; "" without such a folder."""

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
                if isinstance(file, gzip.GzipFile):
                    self._check_size(file)
                yield file
        except (OSError, EOFError, zlib.error) as err:
            raise Place(self.path).error(Errors.DR324, problem=getattr(err, "strerror", None) or err) from err

    def _check_size(self, file: gzip.GzipFile) -> None:
        """Raise CorpusError if a file unpacks to far more than texts do. Nothing is kept of what is read for this."""
        limit = max(_UNPACKED, _TIMES * self.path.stat().st_size)
        with suppress(OSError, EOFError, zlib.error):  # named where it is read
            file.seek(limit)
            if file.read(1):
                raise Place(self.path).error(Errors.DR339, limit=limit // 10**6)
        file.seek(0)

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
    """Iterate over the lines of a UTF-8 file without LF, CRLF and a byte order mark; other separators are kept.

    Raises CorpusError for a file that cannot be read or is empty, and for a line that is not UTF-8.
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


def count_lost_in_tools(record: Record, lost: Counter) -> None:
    """Count what tools for annotation have no place for."""
    count_long_forms(record, lost)
    lost["concept of a mention"] += sum(len(mention.concepts) for mention in record.mentions)
    lost["discontinuous mention, written as a whole"] += sum(bool(mention.parts) for mention in record.mentions)
    lost["relation between concepts"] += len(record.concept_relations)
    lost["score of a relation"] += sum(rel.score < 1 for rel in record.relations)


def set_id(record: Record, seen: Set[str], number: int, *ids: Any) -> None:
    """Set a document's id, the first of some that is a text or whole number, or else the document's number or line,
    which is appended if the id occurs again, as in documents annotated by several people.
    """
    # A bool is an int too
    record.id = next(str(id) for id in (*ids, number) if type(id) in (str, int) and id != "")
    if record.id in seen:
        record.notes["document id occurs again, number appended"] += 1
    while record.id in seen:
        record.id += f"-{number}"
    seen.add(record.id)


def read_json_lines(path: Path, schema: Type[Schema]) -> Iterator[Tuple[Place, Schema]]:
    """Iterate over the values of all lines that are not blank. Raises as `read_lines` and `parse_json`."""
    for place, line in read_lines(path):
        if line.strip():
            yield place, parse_json(line, schema, place)


def parse_json(value: Any, schema: Type[Schema], place: Place, key: str = "", strict: bool = True) -> Schema:
    """Parse JSON text, or a value from JSON whose key is given for messages.

    Raises CorpusError naming the place and the first wrong field.
    """
    parse = schema.model_validate_json if isinstance(value, (str, bytes)) else schema.model_validate
    try:
        return parse(value, strict=strict)
    except ValidationError as err:
        first: Any = err.errors(include_url=False, include_context=False)[0]
        where = ".".join(filter(None, [key, *map(str, first["loc"])]))
        problem = f"{first['msg']} in {where}" if where else first["msg"]
        raise place.error(Errors.DR326, problem=problem) from err


def read_json_list(path: Path, schema: Type[Schema]) -> List[Schema]:
    """The values of a JSON list, which is read as a whole. Raises as `read_lines` and `parse_json`."""
    return parse_json(read_text(path), RootModel[List[schema]], Place(path)).root  # type: ignore[valid-type]


def files_in(path: Path, suffix: str) -> List[Path]:
    """The file itself, or the sorted files with this suffix in a folder and its subfolders. Raises CorpusError."""
    if not path.exists():
        raise Place(path).error(Errors.DR327)
    found = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    if not found:
        raise Place(path).error(Errors.DR328, suffix=suffix)
    return found


def read_elements(file: BinaryIO, path: Path, *tags: str) -> Iterator[Tuple[Place, Any]]:
    """Iterate over the XML elements with these tags. Each is freed when the next one is taken.

    Raises CorpusError naming file and line if the XML is damaged.
    """
    from lxml import etree

    try:
        for _, element in etree.iterparse(file, tag=tags, remove_comments=True, remove_pis=True, **_SAFELY):
            yield Place(path, element.sourceline or 0), element
            element.clear()
            parent = element.getparent()
            while parent is not None and parent[0] is not element:
                del parent[0]
    except etree.XMLSyntaxError as err:
        raise Place(path, err.lineno or 0).error(Errors.DR329, problem=err.msg) from err


def parse_xml(text: str, path: Path) -> Any:
    """The outermost element, whatever encoding the text declares. Raises as `read_elements`."""
    from lxml import etree

    try:
        return etree.fromstring(text.encode(), etree.XMLParser(encoding="utf8", **_SAFELY))
    except etree.XMLSyntaxError as err:
        raise Place(path, err.lineno or 0).error(Errors.DR329, problem=err.msg) from err
