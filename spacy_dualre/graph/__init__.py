"""Merges relations of many documents into a knowledge graph, and writes it in common formats."""

from .knowledge_graph import Edge, Evidence, KnowledgeGraph, Node
from .merge import Merger
from .rdf import BASE_URI, check_base_uri
from .read import read_documents
from .writers import WRITERS, check_output, write

__all__ = [
    "BASE_URI",
    "WRITERS",
    "Edge",
    "Evidence",
    "KnowledgeGraph",
    "Merger",
    "Node",
    "check_base_uri",
    "check_output",
    "read_documents",
    "write",
]
