"""File formats: one module each, which reads, streams and writes it as far as the format goes.

``read(path) -> Iterator[Record]`` reads a corpus to convert and stops at the first error. ``stream(source) ->
Iterator[Document]`` reads documents to extract from, one at a time, past damaged ones. ``write(records, path, lost)``
writes predictions to a file or folder that does not exist yet and counts what the format has no place for.

A format has a line in FORMATS and is imported when it is used.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ..errors import Errors


class Format(NamedTuple):
    """A format by the name that the command line gives it.

    Attributes:
        module: Its module in this package.
        functions: Names of the module's functions: "read", "stream" and "write", or "read_" and so on with more behind.
        inputs: Endings of files to stream, each with the bytes that must stand near the beginning of such a file.
        outputs: Endings of files to write; none: it writes a folder.
    """

    module: str
    functions: Tuple[str, ...]
    inputs: Dict[str, bytes] = {}
    outputs: Tuple[str, ...] = ()

    def find(self, what: str) -> Optional[str]:
        """The name of the function that can do this, if there is one."""
        return next((name for name in self.functions if name.partition("_")[0] == what), None)


FORMATS: Dict[str, Format] = {
    "bioc": Format("bioc", ("read", "stream", "write"), {".xml": b"<collection", ".json": b""}, (".json",)),
    "brat": Format("brat", ("read", "write")),
    "chemprot": Format("chemprot", ("read",)),
    "chemprot-fine": Format("chemprot", ("read_fine",)),
    "chemprot-groups": Format("chemprot", ("read_groups",)),
    "csv": Format("tables", ("read", "stream_csv", "write"), {".csv": b""}, (".csv",)),
    "ddi": Format("ddi", ("read",)),
    "doccano": Format("doccano", ("read",)),
    "jsonl": Format("jsonl", ("read", "stream", "write"), {".jsonl": b"", ".ndjson": b""}, (".jsonl", ".ndjson")),
    "prodigy": Format("prodigy", ("read",)),
    "pubmed": Format("pubmed", ("stream",), {".xml": b"<Pubmed"}),
    "pubtator": Format("pubtator", ("read", "write"), {}, (".pubtator",)),
    "scierc": Format("scierc", ("read",)),
    "semeval": Format("semeval", ("read",)),
    "semeval-19": Format("semeval", ("read_19",)),
    "spacy": Format("docbin", ("stream", "write"), {".spacy": b""}, (".spacy",)),
    "text": Format("text", ("stream",), {".txt": b""}),
    "tsv": Format("tables", ("stream_tsv",), {".tsv": b"", ".tab": b""}),
}
_KINDS = {"read": "corpus format", "stream": "input format", "write": "output format"}


def names(what: str) -> List[str]:
    """The formats with a function of this kind: "read", "stream" or "write"."""
    return [name for name, format in FORMATS.items() if format.find(what)]


def function(name: str, what: str) -> Any:
    """A format's function of this kind. Raises ValueError naming the formats that have one."""
    known = names(what)
    if name not in known:
        raise ValueError(Errors.DR004.format(name=_KINDS[what], value=name, known=", ".join(known)))
    format = FORMATS[name]
    return getattr(import_module(f".{format.module}", __name__), str(format.find(what)))


def output_format(path: Path, name: Optional[str] = None) -> Any:
    """The function that writes the named format, or the one of the path's ending. Raises ValueError without either."""
    if name is None:
        fitting = (name for name, format in FORMATS.items() if path.name.lower().endswith(format.outputs))
        name = next(fitting, None)
    if name is None:
        raise ValueError(Errors.DR321.format(path=path, known=", ".join(names("write"))))
    return function(name, "write")
