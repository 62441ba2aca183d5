"""BioC, XML and JSON, see `corpora.bioc`. Annotations are given mentions; in a document without any they are to be
found.
"""

from functools import partial
from typing import Iterator

from ...records.record import Record
from .. import bioc
from .source import Pending, Source

SUFFIXES = {".xml": b"<collection", ".json": b""}


def read(source: Source) -> Iterator[Pending]:
    """One document for each of the collection."""
    with source.open() as file:
        for parse in bioc.pending(file, source.path):
            yield partial(_record, parse)


def _record(parse: Pending) -> Record:
    record = parse()
    record.mentions_given = bool(record.mentions or record.dropped)
    # Not the document's own
    del record.meta["corpus"], record.meta["split"]
    return record
