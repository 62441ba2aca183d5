"""CSV files for Neo4j.

Format: https://neo4j.com/docs/operations-manual/current/import/#import-tool-header-format
"""

import csv
import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Sequence

from ...writing import whole_file
from ..knowledge_graph import KnowledgeGraph
from .naming import Naming

_NODES = ("id:ID", "label", "type", "concept", "documents:int", "mentions:int", "forms", ":LABEL")
_RELATIONSHIPS = (
    *(":START_ID", ":END_ID", ":TYPE"),
    *("symmetric:boolean", "sentences:int", "documents:int", "score:double", "pooled:double", "evidence"),
)


def write(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """Write kg-nodes.csv and kg-relationships.csv for the path kg.csv, for `neo4j-admin database import`.

    The type is also the node's label, in which a semicolon, which would separate several labels, becomes a comma.
    Surface forms and evidence are JSON texts.
    """
    nodes, relationships = csv_paths(path)
    names = {node.concept: node.name for node in graph.nodes}
    labels = (node.concept.type.replace(";", ",") for node in graph.nodes)
    _write(nodes, _NODES, ((node.name, *_row(node.to_json()), label) for node, label in zip(graph.nodes, labels)))
    rows = ((names[edge.subject], names[edge.object], *_row(edge.to_json())) for edge in graph.edges)
    _write(relationships, _RELATIONSHIPS, rows)


def csv_paths(path: Path) -> Sequence[Path]:
    """The files of nodes and of relationships."""
    return [path.with_name(f"{path.stem}-{part}.csv") for part in ("nodes", "relationships")]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _row(values: Dict[str, Any]) -> Iterator[Any]:
    for value in values.values():
        yield json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else value
