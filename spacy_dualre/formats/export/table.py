"""CSV (RFC 4180, UTF-8) with one relation in each row, for spreadsheets and databases. No reader takes it back."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List

from ...records.record import sentence_around
from .record import count_long_forms

SUFFIXES = (".csv",)

_ARGUMENT = ("text", "type", "start", "end", "kb_id")
COLUMNS = (
    "document",
    *(f"subject_{key}" for key in _ARGUMENT),
    "predicate",
    *(f"object_{key}" for key in _ARGUMENT),
    "score",
    "sentence",
)


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """A row of names, then a row for each relation. sentence: from that of the first argument to that of the second."""
    with path.open("w", encoding="utf8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for document in documents:
            count_long_forms(document, lost)
            rows.writerows(_row(document, rel) for rel in document["rels"])
            lost["document without relations, in no row"] += not document["rels"]


def _row(document: Dict[str, Any], rel: Dict[str, Any]) -> List[Any]:
    subject, object = ([rel[role].get(key, "") for key in _ARGUMENT] for role in ("subject", "object"))
    return [document["id"], *subject, rel["predicate"], *object, rel["score"], _sentence(document, rel)]


def _sentence(document: Dict[str, Any], rel: Dict[str, Any]) -> str:
    places = [(argument["start"], argument["end"]) for argument in (rel["subject"], rel["object"])]
    start, end = sentence_around(document["text"], document.get("sentences") or (), *places)
    return document["text"][start:end]
