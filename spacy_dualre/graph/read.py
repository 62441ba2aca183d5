"""The documents of several files, one after another, past what is broken in them."""

from hashlib import blake2b
from pathlib import Path
from typing import Callable, Iterable, Iterator, Set, Tuple

import srsly
from spacy.vocab import Vocab

from ..errors import CorpusError
from ..formats.files import read_raw_lines
from ..formats.jsonl import parse, to_json
from ..records.record import Place, Record, corpus_error
from ..training.reader import read_docs


def read_documents(paths: Iterable[Path], broken: Callable[[CorpusError], None]) -> Iterator[Record]:
    """The documents of files in the format of `spacy_dualre.formats.jsonl`, or .spacy, and their relations.

    broken: gets an error naming file and line for each that cannot be read, and reading goes on behind it. It also gets
    every document that comes for the second time, with the same id and text: what it says must not count twice.
    """
    seen: Set[bytes] = set()
    for path in paths:
        try:
            for place, line in _lines(path):
                yield from _documents(place, line, seen, broken)
        except CorpusError as err:
            broken(err)


def _lines(path: Path) -> Iterator[Tuple[Place, bytes]]:
    if path.suffix == ".spacy":
        yield from _lines_of_docs(path)
        return
    for number, line in read_raw_lines(path):
        if line.strip():
            yield Place(path, number), line


def _lines_of_docs(path: Path) -> Iterator[Tuple[Place, bytes]]:
    for number, doc in enumerate(read_docs(path, Vocab()), 1):
        yield Place(path), srsly.json_dumps(to_json(doc, str(doc.user_data.get("doc_id", number)))).encode()


def _documents(place: Place, line: bytes, seen: Set[bytes], broken: Callable[[CorpusError], None]) -> Iterator[Record]:
    try:
        record = parse(line, place)
        # Of each document this much is remembered
        key = blake2b(f"{record.id}\0{record.text}".encode(), digest_size=16).digest()
        if key in seen:
            raise corpus_error(place.path, f"document {record.id} occurs twice", place.line)
    except CorpusError as err:
        broken(err)
    else:
        seen.add(key)
        yield record
