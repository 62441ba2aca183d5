"""Text files, UTF-8: each is one document, its id the name of the file without suffix."""

from functools import partial
from typing import Iterator

from ...records.record import Place, Record
from ..files import decode_text
from .source import Pending, Source, plain

SUFFIXES = {".txt": b""}


def read(source: Source) -> Iterator[Pending]:
    """The one document. Line ends stay as they are, so that offsets hold."""
    data = b"".join(line for _, line in source.lines())
    yield partial(_record, source, data)


def _record(source: Source, data: bytes) -> Record:
    place = Place(source.path)
    return plain(source.stem, decode_text(data, place), place)
