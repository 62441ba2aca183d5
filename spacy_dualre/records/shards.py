"""Docs <-> .spacy files, and the seeded split of corpora without a development set."""

import hashlib
from pathlib import Path
from typing import Any, Iterator, List, Optional

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import DAMAGED, Errors
from ..writing import whole_file
from .record import Place


class DocWriter:
    """Context manager that writes Docs to a .spacy file or, with a shard_size, to a folder of files of that many Docs.

    The same Docs give the same bytes. Earlier shards in the folder are removed. After an error, so is what was written.
    """

    def __init__(self, path: Path, shard_size: int = 0) -> None:
        self.path = path
        self.shard_size = shard_size
        self.documents = 0
        self._written: List[Path] = []
        self._docs = DocBin(store_user_data=True)

    def add(self, doc: Doc) -> None:
        """Add one Doc."""
        self._docs.add(doc)
        self.documents += 1
        if self.shard_size and len(self._docs) == self.shard_size:
            self._write()

    def __enter__(self) -> "DocWriter":
        return self

    def __exit__(self, error: Optional[type], *_: Any) -> None:
        # A part of a corpus must not be taken for the whole
        for path in self._written if error else ():
            path.unlink()
        if not error and (len(self._docs) or not self._written):
            self._write()

    def _write(self) -> None:
        path = self.path / f"{len(self._written) + 1:05}.spacy" if self.shard_size else self.path
        if self.shard_size and not self._written:
            for old in self.path.glob("[0-9]" * 5 + ".spacy"):
                old.unlink()
        with whole_file(path) as file:
            self._docs.to_disk(file)
        self._written.append(path)
        self._docs = DocBin(store_user_data=True)


def read_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a .spacy file. Raises CorpusError if it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise Place(path).error(Errors.DR304, problem=err.strerror) from err
    yield from docs_from_bytes(data, vocab, Place(path))


def docs_from_bytes(data: bytes, vocab: Vocab, place: Place) -> Iterator[Doc]:
    """Read Docs from the bytes of a .spacy file. Raises CorpusError naming the place if they are damaged."""
    try:
        yield from DocBin().from_bytes(data).get_docs(vocab)
    except DAMAGED as err:
        raise place.error(Errors.DR304, problem=err) from err


def is_held_out(text: str, fraction: float, seed: int) -> bool:
    """Whether a text belongs to the held-out fraction (0 to 1) of a corpus, whatever the order of its documents."""
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < fraction * 2**64
