"""Corpus formats: one module each, with ``read(path) -> Iterator[Record]``."""

from pathlib import Path
from typing import Callable, Dict, Iterator

from . import chemprot
from .record import Record

#: The formats that `spacy dualre convert` knows.
FORMATS: Dict[str, Callable[[Path], Iterator[Record]]] = {"chemprot": chemprot.read}
