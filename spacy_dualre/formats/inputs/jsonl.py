"""JSON lines of `corpora.jsonl`, of which ``text`` is enough. Where ``mentions`` is there, if only as [], they are
given.
"""

from functools import partial
from typing import Iterator

from ...records.record import Place, Record
from .. import jsonl
from ..files import decode_text
from .source import Pending, Source

SUFFIXES = {".jsonl": b"", ".ndjson": b""}


def read(source: Source) -> Iterator[Pending]:
    """One document a line that is not blank."""
    for place, line in source.lines():
        if line.strip():
            yield partial(_record, source, line, place)


def _record(source: Source, line: bytes, place: Place) -> Record:
    return jsonl.parse(decode_text(line, place), place, source.id_of(place.line))
