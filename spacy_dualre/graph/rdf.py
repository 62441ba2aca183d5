"""Writes RDF in a small vocabulary with rdflib, an extra that is only imported when needed.

Details of an edge belong to a named `rdf:Statement` about it instead of a quoted triple: RDF-star is not part of RDF
1.1, and many stores and libraries, including rdflib, support no version of it or a different draft.
"""

import re
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import Errors
from ..writing import whole_file
from .knowledge_graph import Edge, KnowledgeGraph, Naming, Node

if TYPE_CHECKING:
    from rdflib import URIRef

_BASE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`#?]*[/:]|[A-Za-z][A-Za-z0-9+.-]*:")
_EVIDENCE = "document sentence start end subjectStart subjectEnd objectStart objectEnd score".split()


def check_base_uri(value: str) -> None:
    """Raise ValueError if URIs cannot start with the value."""
    if not _BASE.fullmatch(value):
        raise ValueError(Errors.DR502.format(value=value))


def write_rdf(graph: KnowledgeGraph, path: Path, naming: Naming, format: str) -> None:
    """Write "turtle" (https://www.w3.org/TR/turtle/) or "nt", N-Triples (https://www.w3.org/TR/n-triples/)."""
    check_base_uri(naming.base_uri)
    rdf = _Rdf(naming.base_uri)
    for node in graph.nodes:
        rdf.add_node(node)
    for edge in graph.edges:
        rdf.add_edge(edge)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        rdf.graph.serialize(file, format=format, encoding="utf-8")


class _Rdf:
    """Collects the triples of a graph."""

    def __init__(self, base_uri: str) -> None:
        import rdflib

        self.lib = rdflib
        self.base_uri = base_uri
        self.terms = rdflib.Namespace(f"{base_uri}vocabulary#")
        self.graph = rdflib.Graph()
        for prefix, namespace in (("v", self.terms), ("predicate", f"{base_uri}predicate/"), ("skos", rdflib.SKOS)):
            self.graph.bind(prefix, namespace)

    def add_node(self, node: Node) -> None:
        """Add a concept with its type and surface forms."""
        concept, values = self._name("concept", *node.concept), node.to_json()
        self._add(concept, self.lib.RDF.type, self._name("type", node.concept.type))
        self._add(concept, self.lib.RDFS.label, self.lib.Literal(values["label"]))
        self._add_values(concept, **{name: values[name] for name in ("concept", "documents", "mentions")})
        for form, count in values["forms"].items():
            resource = self._name("form", *node.concept, form)
            self._add(concept, self.lib.SKOS.altLabel, self.lib.Literal(form))
            self._add(concept, self.terms.form, resource)
            self._add_values(resource, text=form, mentions=count)

    def add_edge(self, edge: Edge) -> None:
        """Add the edge itself, and a statement about it."""
        rdf, predicate = self.lib.RDF, self._name("predicate", edge.predicate)
        triple = self._name("concept", *edge.subject), predicate, self._name("concept", *edge.object)
        self._add(*triple)
        self._add(predicate, self.lib.RDFS.label, self.lib.Literal(edge.predicate))
        if edge.symmetric:
            self._add(predicate, rdf.type, self.lib.OWL.SymmetricProperty)
        statement = self._digest("statement", edge.triple)
        self._add(statement, rdf.type, rdf.Statement)
        for role, value in zip((rdf.subject, rdf.predicate, rdf.object), triple):
            self._add(statement, role, value)
        values = edge.to_json()
        self._add_values(statement, **{name: values[name] for name in ("sentences", "documents", "score", "pooled")})
        for evidence in edge.evidence:
            resource = self._digest("evidence", (edge.triple, evidence))
            self._add(statement, self.terms.evidence, resource)
            self._add(resource, rdf.type, self.terms.Evidence)
            places = (*evidence[:4], *evidence.subject, *evidence.object, evidence.score)
            self._add_values(resource, **dict(zip(_EVIDENCE, places)))

    def _add(self, subject: Any, predicate: Any, object: Any) -> None:
        self.graph.add((subject, predicate, object))

    def _add_values(self, resource: "URIRef", **values: Any) -> None:
        for name, value in values.items():
            self._add(resource, self.terms[name], self.lib.Literal(value))

    def _name(self, *parts: str) -> "URIRef":
        return self.lib.URIRef(self.base_uri + "/".join(quote(part, safe="") for part in parts))

    def _digest(self, kind: str, value: Any) -> "URIRef":
        return self._name(kind, blake2b(repr(value).encode(), digest_size=16).hexdigest())
