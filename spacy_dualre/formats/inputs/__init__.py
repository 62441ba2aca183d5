"""Documents to extract from: one module per format, each an `InputFormat`."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Dict, Iterator, Optional

from ...errors import CorpusError, Errors
from ...records.record import Record
from . import bioc, docbin, jsonl, pubmed, table, text
from .source import STDIN, InputFormat, Options, Pending, Source

#: Formats by name. The first one that a file's name and beginning fit is taken.
FORMATS: Dict[str, InputFormat] = {
    "text": text,
    "jsonl": jsonl,
    "csv": table.CSV,
    "tsv": table.TSV,
    "pubmed": pubmed,
    "bioc": bioc,
    "spacy": docbin,
}
#: Bytes of a file in which the format shows, behind comments and a DOCTYPE.
_HEAD = 65536


class Documents:
    """The documents of a file, of standard input (Path("-")) or of a folder and its subfolders in sorted order.

    format: its name in FORMATS; None: by each file's name. skipped: files of the folder in no known format, by reason,
    with the first of each, counted while they are passed. Raises ValueError where there is no such path or format, or
    none can be told.
    """

    def __init__(self, path: Path, format: Optional[str] = None, options: Optional[Options] = None) -> None:
        if format is not None and format not in FORMATS:
            raise ValueError(Errors.DR004.format(name="input format", value=format, known=", ".join(FORMATS)))
        if path != STDIN and not path.exists():
            raise ValueError(Errors.DR005.format(path=path, hint="Expected a file or folder of documents."))
        self.path = path
        self.options = options or Options()
        self.skipped: Counter = Counter()
        self.skipped_first: Dict[str, Path] = {}
        self._given = FORMATS[format] if format is not None else None
        if not path.is_dir() and self._format(path) is None:
            raise ValueError(Errors.DR320.format(path=path, known=", ".join(FORMATS)))

    def __iter__(self) -> Iterator[Pending]:
        """What cannot be read of a file is one more document that raises CorpusError; the next file follows."""
        for source in self._sources():
            format = self._format(source.path)
            if format is None:
                reason = f"file in no known format ({source.path.suffix or source.path.name})"
                self.skipped[reason] += 1
                self.skipped_first.setdefault(reason, source.path)
                continue
            try:
                yield from format.read(source)
            except CorpusError as err:
                yield partial(_fail, err)

    def _sources(self) -> Iterator[Source]:
        if not self.path.is_dir():
            yield Source(self.path, options=self.options)
            return
        for path in _walk(self.path):
            yield Source(path, path.relative_to(self.path).as_posix(), self.options)

    def _format(self, path: Path) -> Optional[InputFormat]:
        if self._given is not None or path == STDIN:
            return self._given
        suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
        fitting = [format for format in FORMATS.values() if suffix in format.SUFFIXES]
        if not any(format.SUFFIXES[suffix] for format in fitting):
            return fitting[0] if fitting else None
        try:
            with Source(path).open() as file:
                head = file.read(_HEAD)
        except CorpusError:
            return fitting[0]  # which says what is wrong when it reads the file
        return next((format for format in fitting if format.SUFFIXES[suffix] in head), None)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        # A link to a folder may lead back here
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path


def _fail(err: CorpusError) -> Record:
    raise err
