"""What every input format shares: where documents are read from, and how one is handed on."""

import gzip
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Protocol, Tuple

from ...records.record import Place, Record, corpus_error

#: Stands for standard input.
STDIN = Path("-")
_BOM = "\ufeff".encode("utf8")

#: A document that has been come upon but not looked into: gives it, or raises CorpusError, which ends no other. It must
#: be called before the next one is taken.
Pending = Callable[[], Record]


class Options(NamedTuple):
    """What the user says of the input. Columns of tables by their names, None: those of the usual names; spans_key: the
    span group with the mentions of Docs, None or missing: ``doc.ents``.
    """

    text_column: Optional[str] = None
    id_column: Optional[str] = None
    spans_key: Optional[str] = None


@dataclass(frozen=True)
class Source:
    """One file, or standard input. name: its path within the folder that was given, "" where it was given itself."""

    path: Path
    name: str = ""
    options: Options = Options()

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The bytes, uncompressed where the name ends with .gz. Raises CorpusError where they cannot be read."""
        try:
            if self.path == STDIN:
                yield sys.stdin.buffer
                return
            with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as file:
                yield file
        except (OSError, EOFError, zlib.error) as err:
            problem = f"cannot be read ({getattr(err, 'strerror', None) or err})"
            raise corpus_error(self.path, problem) from err

    def lines(self) -> Iterator[Tuple[Place, bytes]]:
        """The lines with their ends, without a byte order mark."""
        with self.open() as file:
            for number, line in enumerate(file, 1):
                yield Place(self.path, number), line.removeprefix(_BOM) if number == 1 else line

    def id_of(self, number: int) -> str:
        """The id of a document without one, by the number of its line or its place: unique among all files."""
        return f"{self.name}:{number}" if self.name else str(number)

    @property
    def stem(self) -> str:
        """The id of the only document of a file: its name in the folder, without suffix."""
        path = PurePath(self.name or self.path.name)
        return path.with_name(path.name.removesuffix(".gz")).with_suffix("").as_posix()


class InputFormat(Protocol):
    """A format: a module or an object with these.

    SUFFIXES: the ends of its files' names, each with what must stand near the beginning of such a file (b"": anything).
    """

    @property
    def SUFFIXES(self) -> Dict[str, bytes]: ...  # noqa: N802

    def read(self, source: Source) -> Iterator[Pending]:
        """The documents one after the other. Raises CorpusError where nothing more can be read from the file."""


def plain(id: str, text: str, place: Place, breaks: Tuple[int, ...] = ()) -> Record:
    """A document whose mentions are to be found."""
    return Record(id, text, place, breaks=breaks, mentions_given=False)
