"""Writers of knowledge graphs by file ending, one module per library or format."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Callable, Dict, NamedTuple, Sequence

from ...errors import Errors
from ...writing import check_writable
from ..knowledge_graph import KnowledgeGraph
from . import neo4j, network, page, rdf
from .naming import DEFAULT, Naming
from .rdf import check_base_uri

__all__ = ["WRITERS", "Naming", "check_base_uri", "check_output", "write"]


class Writer(NamedTuple):
    """How files with one ending are written.

    Attributes:
        write: Writes the graph.
        needs: A library that it needs from the extra "graph".
        files: Which files it writes for a path.
    """

    write: Callable[[KnowledgeGraph, Path, Naming], None]
    needs: str = ""
    files: Callable[[Path], Sequence[Path]] = lambda path: [path]


WRITERS: Dict[str, Writer] = {
    ".ttl": Writer(partial(rdf.write, format="turtle"), "rdflib"),
    ".nt": Writer(partial(rdf.write, format="nt"), "rdflib"),
    ".graphml": Writer(network.write_graphml, "networkx"),
    ".json": Writer(network.write_node_link, "networkx"),
    ".csv": Writer(neo4j.write, files=neo4j.csv_paths),
    ".html": Writer(page.write),
}


def check_output(path: Path) -> Sequence[Path]:
    """Check that a graph can be written to a path, and create its folder.

    Returns:
        The files that would be written.

    Raises:
        ValueError: The ending is unknown, or nothing can be written there.
        ImportError: The library for this format is missing.
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
    """Write a graph in the format of the path's ending. Files are complete or not there at all.

    Raises:
        ValueError: As `check_output`, or the base URI cannot be one.
        ImportError: The library for this format is missing.
    """
    check_output(path)
    WRITERS[path.suffix].write(graph, path, naming)
