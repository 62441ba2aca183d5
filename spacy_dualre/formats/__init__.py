"""Corpus formats: one module each, with ``read(path) -> Iterator[Record]``."""

from pathlib import Path
from typing import Callable, Dict, Iterator

from ..records.record import Record
from . import bioc, brat, chemprot, ddi, doccano, jsonl, prodigy, pubtator, scierc, semeval, tables

#: The formats that `spacy dualre convert` knows.
FORMATS: Dict[str, Callable[[Path], Iterator[Record]]] = {
    "bioc": bioc.read,
    "brat": brat.read,
    "chemprot": chemprot.read,
    "chemprot-fine": chemprot.read_fine,
    "chemprot-groups": chemprot.read_groups,
    "csv": tables.read,
    "ddi": ddi.read,
    "doccano": doccano.read,
    "jsonl": jsonl.read,
    "prodigy": prodigy.read,
    "pubtator": pubtator.read,
    "scierc": scierc.read,
    "semeval": semeval.read,
    "semeval-19": semeval.read_19,
}
