"""Merges relations of many documents into a knowledge graph, and writes it in common formats."""

from .knowledge_graph import Edge, Evidence, KnowledgeGraph, Naming, Node
from .merge import Merger
from .rdf import check_base_uri
from .read import read_documents
from .writers import WRITERS, check_output, write

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
