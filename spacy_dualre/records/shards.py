"""Docs <-> .spacy files, and the seeded split of corpora without a development set."""

import hashlib
from pathlib import Path
from typing import Any, Iterator, List, Optional, Union

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..annotations.concepts import get_long_forms
from ..annotations.relations import get_rels, set_rels
from ..errors import DAMAGED, CorpusError, Errors
from ..writing import whole_file
from .record import Place

#: Documents per file of a folder.
SHARD_SIZE = 1000


class DocWriter:
    """Context manager that writes Docs to a .spacy file or, under any other name, to a folder of files of 1,000 Docs.

    The same Docs give the same bytes. Earlier shards in the folder are removed. After an error, so is what was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_folder = path.suffix != ".spacy"
        self.documents = 0
        self._written: List[Path] = []
        self._docs = DocBin(store_user_data=True)

    def add(self, doc: Doc) -> None:
        """Add one Doc."""
        self._docs.add(doc)
        self.documents += 1
        if self.is_folder and len(self._docs) == SHARD_SIZE:
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
        path = self.path / f"{len(self._written) + 1:05}.spacy" if self.is_folder else self.path
        if self.is_folder and not self._written:
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
    for doc in docs_from_bytes(data, vocab, Place(path)):
        if isinstance(doc, CorpusError):
            raise doc
        yield doc


def docs_from_bytes(data: bytes, vocab: Vocab, place: Place) -> Iterator[Union[Doc, CorpusError]]:
    """Read Docs, or the errors of those whose ``user_data`` are damaged, from the bytes of a .spacy file.

    Raises CorpusError naming the place if the file is damaged.
    """
    try:
        for number, doc in enumerate(DocBin().from_bytes(data).get_docs(vocab), 1):
            yield _checked(doc, number, place)
    except DAMAGED as err:
        raise place.error(Errors.DR304, problem=err) from err


def _checked(doc: Doc, number: int, place: Place) -> Union[Doc, CorpusError]:
    try:
        set_rels(doc, get_rels(doc))
        get_long_forms(doc)
        list(doc.user_data.get("breaks", ()))
    except DAMAGED as err:
        return place.error(Errors.DR310, number=number, id=doc.user_data.get("doc_id", ""), problem=err)
    return doc


def is_held_out(text: str, fraction: float, seed: int) -> bool:
    """Whether a text belongs to the held-out fraction (0 to 1) of a corpus, whatever the order of its documents."""
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < fraction * 2**64
