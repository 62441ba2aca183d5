"""CSV for Neo4j.

Format: https://neo4j.com/docs/operations-manual/current/import/#import-tool-header-format
"""

import csv
import json
from pathlib import Path
from typing import Any, Iterable, Sequence

from ...writing import whole_file
from ..graph import KnowledgeGraph
from .naming import Naming
from .network import edge_values, node_values

_NODES = ("id:ID", "label", "type", "concept", "documents:int", "mentions:int", "forms", ":LABEL")
_RELATIONSHIPS = (
    *(":START_ID", ":END_ID", ":TYPE"),
    *("symmetric:boolean", "sentences:int", "documents:int", "score:double", "pooled:double", "evidence"),
)


def write(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """For the name kg.csv the files kg-nodes.csv and kg-relationships.csv, for `neo4j-admin database import`.

    The type is also the node's label, where a semicolon, which would separate several, becomes a comma. Surface forms
    and evidence are JSON texts.
    """
    nodes, relationships = csv_paths(path)
    names = {node.concept: node.name for node in graph.nodes}
    _write(nodes, _NODES, ((node.name, *_row(node_values(node)), _label(node.concept.type)) for node in graph.nodes))
    edges = ((names[edge.subject], names[edge.object], *_row(edge_values(edge))) for edge in graph.edges)
    _write(relationships, _RELATIONSHIPS, edges)


def csv_paths(path: Path) -> Sequence[Path]:
    """The files of nodes and of relationships."""
    return [path.with_name(f"{path.stem}-{part}.csv") for part in ("nodes", "relationships")]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _row(values: dict) -> Iterable[Any]:
    for value in values.values():
        yield json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else value


def _label(type: str) -> str:
    return type.replace(";", ",")
