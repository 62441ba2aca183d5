"""Text files in UTF-8, one document each. Its id is the file name without suffix."""

from typing import Iterator

from ..records.record import Document, Place, Record, attempt
from . import Format
from .files import Source


def stream(source: Source) -> Iterator[Document]:
    """Stream the one document, with its line ends unchanged."""
    yield attempt(lambda: Record(source.stem, source.text(), Place(source.path), mentions_given=False))


FORMATS = {"text": Format(stream=stream, inputs={".txt": b""})}
