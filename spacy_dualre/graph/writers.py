"""Writes knowledge graphs in the format given by a file's suffix."""

import csv
import json
import re
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Sequence

from ..errors import Errors
from ..writing import check_writable, whole_file, write_text
from .knowledge_graph import KnowledgeGraph
from .page import write_page
from .rdf import BASE_URI, write_rdf

# Characters that XML 1.0 cannot hold; they become U+FFFD
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Headers of Neo4j's import tool:
#: https://neo4j.com/docs/operations-manual/current/import/#import-tool-header-format
_NODES = ("id:ID", "label", "type", "concept", "documents:int", "mentions:int", "forms", ":LABEL")
_RELATIONSHIPS = (
    *(":START_ID", ":END_ID", ":TYPE"),
    *("symmetric:boolean", "sentences:int", "documents:int", "score:double", "pooled:double", "evidence"),
)


def write(graph: KnowledgeGraph, path: Path, base_uri: str = BASE_URI) -> None:
    """Write a graph in the format given by the path's suffix. Raises like `check_output`, and for bad base URIs."""
    check_output(path)
    WRITERS[path.suffix](graph, path, base_uri)


def check_output(path: Path) -> Sequence[Path]:
    """Check that a graph can be written to a path, and create its folder. Returns the files that would be written.

    Raises:
        ValueError: The suffix is unknown, or the path is not writable.
        ImportError: The library for this format is missing.
    """
    if path.suffix not in WRITERS:
        raise ValueError(Errors.DR500.format(path=path, known=", ".join(WRITERS)))
    paths = csv_paths(path) if path.suffix == ".csv" else [path]
    check_writable(*paths)
    if path.suffix in _NEEDS:
        try:
            import_module(_NEEDS[path.suffix])
        except ImportError as err:
            raise ImportError(Errors.DR501.format(problem=err)) from err
    return paths


def csv_paths(path: Path) -> Sequence[Path]:
    """The CSV files of nodes and of relationships: kg-nodes.csv and kg-relationships.csv for kg.csv."""
    return [path.with_name(f"{path.stem}-{part}.csv") for part in ("nodes", "relationships")]


def _node_link(graph: KnowledgeGraph) -> Dict[str, Any]:
    """A directed multigraph as networkx's `node_link_graph(data, edges="edges")` reads it, with edge keys e0, e1 ..."""
    names = {node.concept: node.name for node in graph.nodes}
    edges = [
        {**edge.to_json(), "source": names[edge.subject], "target": names[edge.object], "key": f"e{i}"}
        for i, edge in enumerate(graph.edges)
    ]
    nodes = [{**node.to_json(), "id": node.name} for node in graph.nodes]
    return {"directed": True, "multigraph": True, "graph": {}, "nodes": nodes, "edges": edges}


def _write_node_link(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    write_text(path, json.dumps(_node_link(graph), ensure_ascii=False, indent=1) + "\n")


def _write_graphml(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    """GraphML (http://graphml.graphdrawing.org/specification.html), with forms and evidence as JSON strings."""
    import networkx

    values = _node_link(graph)
    for part in (*values["nodes"], *values["edges"]):
        part.update((key, _xml(_flat(value))) for key, value in part.items())
    with whole_file(path) as file:
        networkx.write_graphml(networkx.node_link_graph(values, edges="edges"), file, named_key_ids=True)


def _write_csv(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    """CSV for `neo4j-admin database import`, with forms and evidence as JSON strings."""
    # The type is also the node's label, in which a semicolon would separate several labels
    names = {node.concept: node.name for node in graph.nodes}
    nodes = ((node.name, *_row(node.to_json()), node.concept.type.replace(";", ",")) for node in graph.nodes)
    edges = ((names[edge.subject], names[edge.object], *_row(edge.to_json())) for edge in graph.edges)
    for part, header, rows in zip(csv_paths(path), (_NODES, _RELATIONSHIPS), (nodes, edges)):
        with whole_file(part) as unfinished, unfinished.open("w", encoding="utf8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _row(values: Dict[str, Any]) -> Iterator[Any]:
    return (json.dumps(value) if isinstance(value, bool) else _flat(value) for value in values.values())


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _xml(value: Any) -> Any:
    return _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value


#: Suffixes with functions of graph, path and base URI.
WRITERS: Dict[str, Callable[[KnowledgeGraph, Path, str], None]] = {
    ".ttl": partial(write_rdf, format="turtle"),
    ".nt": partial(write_rdf, format="nt"),
    ".graphml": _write_graphml,
    ".json": _write_node_link,
    ".csv": _write_csv,
    ".html": write_page,
}
#: Libraries from the extra "graph".
_NEEDS = {".ttl": "rdflib", ".nt": "rdflib", ".graphml": "networkx"}
