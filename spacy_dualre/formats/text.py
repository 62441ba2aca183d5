"""Text files in UTF-8: one document each, whose id is the file's name without suffix."""

from typing import Iterator

from ..records.record import Document, Place, Record, attempt
from . import Format
from .files import Source


def stream(source: Source) -> Iterator[Document]:
    """The one document. Line ends stay as they are, so that offsets hold."""
    yield attempt(lambda: Record(source.stem, source.text(), Place(source.path), mentions_given=False))


FORMATS = {"text": Format(stream=stream, inputs={".txt": b""})}
