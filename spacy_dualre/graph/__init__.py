"""Relations of many documents merged into one knowledge graph, and written in formats that others read."""

from .graph import Edge, Evidence, KnowledgeGraph, Node
from .merge import Merger
from .read import read_documents
from .writers import WRITERS, Naming, check_base_uri, check_output, write

__all__ = [
    "WRITERS",
    "Edge",
    "Evidence",
    "KnowledgeGraph",
    "Merger",
    "Naming",
    "Node",
    "check_base_uri",
    "check_output",
    "read_documents",
    "write",
]
