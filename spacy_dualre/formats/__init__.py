"""File formats, one module each. A module declares what it can do in ``FORMATS``, and is found by being here."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..errors import Errors
from ..records.record import Document, Record


class Format(NamedTuple):
    """What can be done with a format.

    Attributes:
        read: Reads a corpus from a path. Raises CorpusError at the first error.
        stream: Reads documents to extract from, one at a time, from a `Source`, and goes on after damaged ones.
        write: Writes records to a file or folder that does not exist yet and counts what the format has no place for.
        inputs: Endings of files to stream, each with bytes that must occur near the beginning of such a file.
        outputs: Endings of files to write; empty for a format that writes a folder, or has no ending of its own.
    """

    read: Optional[Callable[[Path], Iterator[Record]]] = None
    stream: Optional[Callable[[Any], Iterator[Document]]] = None
    write: Optional[Callable[..., None]] = None
    inputs: Dict[str, bytes] = {}
    outputs: Tuple[str, ...] = ()


_KINDS = {"read": "corpus format", "stream": "input format", "write": "output format"}


@cache
def all_formats() -> Dict[str, Format]:
    """Collect the formats of all modules in this package under their names on the command line."""
    modules = (import_module(f".{module.name}", __name__) for module in iter_modules(__path__))
    formats = {name: format for module in modules for name, format in getattr(module, "FORMATS", {}).items()}
    return dict(sorted(formats.items()))


def names(what: str) -> List[str]:
    """The formats that can do this: "read", "stream" or "write"."""
    return [name for name, format in all_formats().items() if getattr(format, what)]


def function(name: str, what: str) -> Any:
    """A format's function. Raises ValueError naming the formats that have one."""
    known = names(what)
    if name not in known:
        raise ValueError(Errors.DR004.format(name=_KINDS[what], value=name, known=", ".join(known)))
    return getattr(all_formats()[name], what)


def output_format(path: Path, name: Optional[str] = None) -> Any:
    """The function that writes the named format or, without a name, the format of the path's ending."""
    fitting = [known for known, format in all_formats().items() if path.name.lower().endswith(format.outputs)]
    if name is None and not fitting:
        raise ValueError(Errors.DR321.format(path=path, known=", ".join(names("write"))))
    return function(fitting[0] if name is None else name, "write")
