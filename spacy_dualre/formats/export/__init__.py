"""What was extracted, in the formats of others: one module each, with ``SUFFIXES`` and ``write``."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Protocol, Tuple

from ...errors import Errors
from . import bioc, brat, docbin, jsonl, pubtator, table


class OutputFormat(Protocol):
    """A format: a module with these. SUFFIXES: the ends of its files' names, none where it is a folder."""

    @property
    def SUFFIXES(self) -> Tuple[str, ...]: ...  # noqa: N802

    def write(self, documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
        """Write documents, JSON values of `corpora.jsonl` with tokens, to a file or folder that is not there yet.

        lost: counts what the format cannot hold, and how. One document after the other is in memory, unless the
        module says otherwise.
        """


#: Formats by name.
FORMATS: Dict[str, OutputFormat] = {
    "jsonl": jsonl,
    "csv": table,
    "bioc": bioc,
    "pubtator": pubtator,
    "brat": brat,
    "spacy": docbin,
}


def output_format(path: Path, name: Optional[str] = None) -> OutputFormat:
    """The format of this name; None: the one that the path's suffix says. Raises ValueError where there is none."""
    if name is not None:
        if name not in FORMATS:
            raise ValueError(Errors.DR004.format(name="output format", value=name, known=", ".join(FORMATS)))
        return FORMATS[name]
    for format in FORMATS.values():
        if path.name.lower().endswith(format.SUFFIXES):
            return format
    raise ValueError(Errors.DR321.format(path=path, known=", ".join(FORMATS)))
