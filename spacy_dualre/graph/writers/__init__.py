"""Outputs by the ending of their name, a module for each library or format."""

from importlib import import_module
from pathlib import Path
from typing import Callable, Dict, NamedTuple, Sequence

from ...errors import Errors
from ...writing import check_writable
from ..graph import KnowledgeGraph
from . import neo4j, network, page, rdf
from .naming import DEFAULT, Naming
from .rdf import check_base_uri


class Writer(NamedTuple):
    """needs: the library for it, beyond those that the package needs anyway. files: what it writes for a name."""

    write: Callable[[KnowledgeGraph, Path, Naming], None]
    needs: str = ""
    files: Callable[[Path], Sequence[Path]] = lambda path: [path]


WRITERS: Dict[str, Writer] = {
    ".ttl": Writer(rdf.write_turtle, "rdflib"),
    ".nt": Writer(rdf.write_ntriples, "rdflib"),
    ".graphml": Writer(network.write_graphml, "networkx"),
    ".json": Writer(network.write_node_link, "networkx"),
    ".csv": Writer(neo4j.write, files=neo4j.csv_paths),
    ".html": Writer(page.write, "networkx"),
}

__all__ = ["WRITERS", "Naming", "check_base_uri", "check_output", "write"]


def check_output(path: Path) -> Sequence[Path]:
    """Make the folder, and give the files that would be written.

    Raises ValueError where the name's ending is not known, or nothing can be written there, and ImportError where the
    library for it is missing.
    """
    if path.suffix not in WRITERS:
        raise ValueError(Errors.DR500.format(path=path, known=", ".join(WRITERS)))
    writer = WRITERS[path.suffix]
    check_writable(*writer.files(path))
    try:
        import_module(writer.needs or __name__)
    except ImportError as err:
        raise ImportError(Errors.DR501.format(problem=err)) from err
    return writer.files(path)


def write(graph: KnowledgeGraph, path: Path, naming: Naming = DEFAULT) -> None:
    """Write the graph in the format that the name's ending says.

    naming: how things are called in it. Every file is there as a whole or not at all. Raises as `check_output`, and
    ValueError where the base URI is none.
    """
    check_output(path)
    WRITERS[path.suffix].write(graph, path, naming)
