"""Documents to extract from: a file, standard input, or a folder with files of any formats."""

from pathlib import Path
from typing import Iterator, Optional

from ..errors import CorpusError, Errors
from ..records.record import Document, Losses
from . import all_formats, function, names
from .files import STDIN, Options, Source

#: Number of bytes within which a file must show its format, after comments and a DOCTYPE.
_HEAD = 65536


class Documents:
    """The documents of a file, of standard input (Path("-")), or of a folder and its subfolders in sorted order.

    An error that ends a file is one more document, and the next file follows.

    Args:
        path: The file or folder.
        format: Name of the input format; None to go by the file names.
        options: The user's description of the documents.

    Attributes:
        skipped: Counts of the files of the folder in no known format, complete after iteration.

    Raises:
        ValueError: The path does not exist, or the format is unknown.
    """

    def __init__(self, path: Path, format: Optional[str] = None, options: Optional[Options] = None) -> None:
        if format is not None:
            function(format, "stream")
        if path != STDIN and not path.exists():
            raise ValueError(Errors.DR005.format(path=path, hint="Expected a file or folder of documents."))
        self.path = path
        self.options = options or Options()
        self.skipped = Losses()
        self._given = format
        if not path.is_dir() and self._format(path) is None:
            raise ValueError(Errors.DR320.format(path=path, known=", ".join(names("stream"))))

    def __iter__(self) -> Iterator[Document]:
        for source in self._sources():
            format = self._format(source.path)
            if format is None:
                reason = f"file in no known format ({source.path.suffix or source.path.name})"
                self.skipped.add(reason, source.path)
                continue
            try:
                yield from function(format, "stream")(source)
            except CorpusError as err:
                yield err

    def _sources(self) -> Iterator[Source]:
        if not self.path.is_dir():
            yield Source(self.path, options=self.options)
            return
        for path in _walk(self.path):
            yield Source(path, path.relative_to(self.path).as_posix(), self.options)

    def _format(self, path: Path) -> Optional[str]:
        if self._given is not None or path == STDIN:
            return self._given
        suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
        starts = {name: format.inputs[suffix] for name, format in all_formats().items() if suffix in format.inputs}
        if not any(starts.values()):
            return next(iter(starts), None)
        try:
            with Source(path).open() as file:
                head = file.read(_HEAD)
        except CorpusError:
            return next(iter(starts))  # reading it will raise this error again
        return next((name for name, start in starts.items() if start in head), None)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        # A link to a folder may form a cycle
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path
