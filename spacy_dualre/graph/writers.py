"""Writes knowledge graphs in the format given by a file's suffix."""

import csv
import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from ..errors import Errors
from ..writing import check_writable, for_xml, whole_file, write_text
from .knowledge_graph import KnowledgeGraph
from .page import write_page
from .rdf import BASE_URI, write_rdf

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

    Raises ValueError for an unknown suffix or a path that is not writable, ImportError for a missing library.
    """
    if path.suffix not in WRITERS:
        raise ValueError(Errors.DR500.format(path=path, known=", ".join(WRITERS)))
    paths = csv_paths(path) if path.suffix == ".csv" else [path]
    check_writable(*paths)
    if path.suffix in _NEEDS and find_spec(_NEEDS[path.suffix]) is None:
        raise ImportError(Errors.DR501.format(problem=_NEEDS[path.suffix]))
    return paths


def csv_paths(path: Path) -> Sequence[Path]:
    """The CSV files of nodes and of relationships: kg-nodes.csv and kg-relationships.csv for kg.csv."""
    return [path.with_name(f"{path.stem}-{part}.csv") for part in ("nodes", "relationships")]


def _node_link(graph: KnowledgeGraph) -> Dict[str, Any]:
    """A directed multigraph as networkx's `node_link_graph(data, edges="edges")` reads it."""
    names = {node.concept: node.name for node in graph.nodes}
    edges = [
        {"source": names[edge.subject], "target": names[edge.object], **edge.to_json(), "key": f"e{i}"}
        for i, edge in enumerate(graph.edges)
    ]
    nodes = [{"id": node.name, **node.to_json()} for node in graph.nodes]
    return {"directed": True, "multigraph": True, "graph": {}, "nodes": nodes, "edges": edges}


def _write_node_link(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    write_text(path, json.dumps(_node_link(graph), ensure_ascii=False, indent=1) + "\n")


def _write_graphml(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    """GraphML (http://graphml.graphdrawing.org/specification.html), with forms and evidence as JSON strings."""
    import networkx

    values = _node_link(graph)
    for part in (*values["nodes"], *values["edges"]):
        flat = zip(part, _flat(part, dict, list))
        part.update((key, for_xml(value) if isinstance(value, str) else value) for key, value in flat)
    with whole_file(path) as file:
        networkx.write_graphml(networkx.node_link_graph(values, edges="edges"), file, named_key_ids=True)


def _write_csv(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    """CSV for `neo4j-admin database import`, with forms and evidence as JSON strings."""
    values = _node_link(graph)
    # The type is also the node's label, in which a semicolon would separate several labels
    nodes = ([*_flat(node, bool, dict, list), node["type"].replace(";", ",")] for node in values["nodes"])
    edges = (_flat(edge, bool, dict, list)[:-1] for edge in values["edges"])
    for part, header, rows in zip(csv_paths(path), (_NODES, _RELATIONSHIPS), (nodes, edges)):
        with whole_file(part) as unfinished, unfinished.open("w", encoding="utf8", newline="") as file:
            csv.writer(file).writerows([header, *rows])


def _flat(values: Dict[str, Any], *types: type) -> List[Any]:
    """The values, those of these types as JSON strings."""
    return [json.dumps(one, ensure_ascii=False) if isinstance(one, types) else one for one in values.values()]


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
