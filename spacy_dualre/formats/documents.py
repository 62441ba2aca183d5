"""Documents to extract from: a file, standard input, or a folder with files of any formats."""

import os
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

    An error that ends a file is one more document, and the next file follows. After iteration, `skipped` counts the
    files in no known format. Raises ValueError if the path does not exist, or the format is unknown.
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
        is_folder = self.path.is_dir()
        # A link to a folder, which may form a cycle, is not followed
        inside = (path for path in self.path.rglob("*") if path.is_symlink() or not path.is_dir())
        for path in sorted(inside) if is_folder else [self.path]:
            format = self._format(path)
            if format is None:
                self.skipped.add(f"file in no known format ({path.suffix or path.name})", path)
                continue
            # A name may be no UTF-8, which an id must be
            name = os.fsencode(path.relative_to(self.path).as_posix()).decode("utf8", "replace") if is_folder else ""
            try:
                yield from function(format, "stream")(Source(path, name, self.options))
            except CorpusError as err:
                yield err

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
