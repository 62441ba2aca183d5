"""Reads the documents of several files, skipping broken ones."""

from hashlib import blake2b
from pathlib import Path
from typing import Callable, Iterable, Iterator, Set

from ..annotations.mentions import SPANS_KEY
from ..errors import CorpusError, Errors
from ..formats import docbin, jsonl
from ..formats.files import Options, Source
from ..records.record import Document, Place, Record


def read_documents(paths: Iterable[Path], broken: Callable[[CorpusError], None]) -> Iterator[Record]:
    """Read documents with their relations from JSON lines (see `formats.jsonl`) or .spacy files.

    Args:
        broken: Called with an error naming file and line for each document that cannot be read, and for each duplicate
            (same id and text), which must not count twice. Reading continues with the next.
    """
    seen: Set[bytes] = set()
    for path in paths:
        for document in _documents(path):
            try:
                yield _new(document, seen)
            except CorpusError as err:
                broken(err)


def _documents(path: Path) -> Iterator[Document]:
    source = Source(path, options=Options(spans_key=SPANS_KEY))
    is_empty = True
    try:
        for document in (docbin if path.suffix == ".spacy" else jsonl).stream(source):
            is_empty = False
            yield document
    except CorpusError as err:
        yield err
    else:
        if is_empty:
            yield Place(path).error(Errors.DR303)


def _new(document: Document, seen: Set[bytes]) -> Record:
    if isinstance(document, CorpusError):
        raise document
    key = blake2b(f"{document.id}\0{document.text}".encode(), digest_size=16).digest()
    if key in seen:
        raise document.place.error(Errors.DR302, id=document.id)
    seen.add(key)
    return document
