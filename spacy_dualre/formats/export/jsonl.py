"""The package's own JSON lines, see `corpora.jsonl`, which holds everything. Tokens are left out."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable

SUFFIXES = (".jsonl", ".ndjson")


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """One document a line."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        for document in documents:
            file.write(line(document))


def line(document: Dict[str, Any]) -> str:
    """A document as its line, end included."""
    values = {key: value for key, value in document.items() if key != "tokens"}
    return json.dumps(values, ensure_ascii=False) + "\n"
