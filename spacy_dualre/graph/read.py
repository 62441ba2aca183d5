"""Reads the documents of several files, skipping broken ones."""

from hashlib import blake2b
from pathlib import Path
from typing import Callable, Iterable, Iterator, Set

from ..annotations.mentions import SPANS_KEY
from ..errors import CorpusError, Errors
from ..formats import docbin, jsonl, tables
from ..formats.files import Options, Source
from ..records.record import Document, Place, Record


def read_documents(paths: Iterable[Path], broken: Callable[[CorpusError], None]) -> Iterator[Record]:
    """Read documents with their relations from JSON lines (see `formats.jsonl`), .spacy files or tables (.csv).

    Args:
        broken: Called with an error naming file and line for each document that cannot be read, and for each duplicate
            (same id and text), which must not count twice. Reading continues with the next.
    """
    seen: Set[bytes] = set()
    for path in paths:
        for document in _documents(path):
            if isinstance(document, Record):
                key = blake2b(f"{document.id}\0{document.text}".encode(), digest_size=16).digest()
                if key not in seen:
                    seen.add(key)
                    yield document
                    continue
                document = document.place.error(Errors.DR302, id=document.id)
            broken(document)


def _documents(path: Path) -> Iterator[Document]:
    """The documents of a file, with an error for each that cannot be read, or for the file."""
    document = None
    streams = {".spacy": docbin.stream, ".csv": tables.stream_relations}
    stream = streams.get(Path(path.name.removesuffix(".gz")).suffix.lower(), jsonl.stream)
    try:
        for document in stream(Source(path, options=Options(spans_key=SPANS_KEY))):
            yield document
        if document is None:
            raise Place(path).error(Errors.DR303)
    except CorpusError as err:
        yield err
