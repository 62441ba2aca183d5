"""Merges relations of many documents into a knowledge graph, and writes it in common formats."""

from .knowledge_graph import KnowledgeGraph
from .merge import Merger
from .rdf import BASE_URI, check_base_uri
from .read import read_documents
from .writers import check_output, write

__all__ = ["BASE_URI", "KnowledgeGraph", "Merger", "check_base_uri", "check_output", "read_documents", "write"]
