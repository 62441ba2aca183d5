"""RDF, by rdflib, in a small vocabulary. It is an extra, and is imported where it is needed.

What is known of an edge hangs on an `rdf:Statement` about it that has a name of its own, and not on a quoted triple:
RDF-star is not part of RDF 1.1, and many stores and libraries, rdflib among them, do not read it or read another draft.
"""

import re
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict
from urllib.parse import quote

from ...annotations.concepts import Concept
from ...errors import Errors
from ...writing import whole_file
from ..graph import Edge, Evidence, KnowledgeGraph, Node
from .naming import Naming

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

_BASE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`#?]*[/:]|[A-Za-z][A-Za-z0-9+.-]*:")


def write_turtle(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """Turtle: https://www.w3.org/TR/turtle/"""
    _write(graph, path, naming.base_uri, "turtle")


def write_ntriples(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """N-Triples, a triple a line: https://www.w3.org/TR/n-triples/"""
    _write(graph, path, naming.base_uri, "nt")


def check_base_uri(value: str) -> None:
    """Raises ValueError where names of resources cannot start with it."""
    if not _BASE.fullmatch(value):
        raise ValueError(Errors.DR502.format(value=value))


def to_rdf(graph: KnowledgeGraph, base_uri: str) -> "Graph":
    """The triples of the graph. Raises ValueError where the base URI is none."""
    check_base_uri(base_uri)
    vocabulary = _Vocabulary(base_uri)
    for node in graph.nodes:
        vocabulary.add_node(node)
    for edge in graph.edges:
        vocabulary.add_edge(edge)
    return vocabulary.rdf


def _write(graph: KnowledgeGraph, path: Path, base_uri: str, format: str) -> None:
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        to_rdf(graph, base_uri).serialize(file, format=format, encoding="utf-8")


class _Vocabulary:
    """The names of things, and the triples made of them."""

    def __init__(self, base_uri: str) -> None:
        import rdflib

        self.lib = rdflib
        self.base_uri = base_uri
        self.terms = rdflib.Namespace(f"{base_uri}vocabulary#")
        self.rdf = rdflib.Graph()
        for prefix, namespace in (("v", self.terms), ("predicate", f"{base_uri}predicate/"), ("skos", rdflib.SKOS)):
            self.rdf.bind(prefix, namespace)

    def add_node(self, node: Node) -> None:
        """A concept, typed by its type, with its surface forms."""
        concept = self._concept(node.concept)
        self._add(concept, self.lib.RDF.type, self._name("type", node.concept.type))
        self._add(concept, self.lib.RDFS.label, self.lib.Literal(node.label))
        self._add_values(concept, concept=node.concept.id, documents=node.documents, mentions=node.mentions)
        for form, count in node.ranked_forms:
            resource = self._name("form", node.concept.type, node.concept.id, form)
            self._add(concept, self.lib.SKOS.altLabel, self.lib.Literal(form))
            self._add(concept, self.terms.form, resource)
            self._add_values(resource, text=form, mentions=count)

    def add_edge(self, edge: Edge) -> None:
        """The edge itself, and a statement about it."""
        subject, predicate, object = (
            self._concept(edge.subject),
            self._name("predicate", edge.predicate),
            self._concept(edge.object),
        )
        self._add(subject, predicate, object)
        self._add(predicate, self.lib.RDFS.label, self.lib.Literal(edge.predicate))
        if edge.symmetric:
            self._add(predicate, self.lib.RDF.type, self.lib.OWL.SymmetricProperty)
        statement = self._digest("statement", edge.triple)
        rdf = self.lib.RDF
        self._add(statement, rdf.type, rdf.Statement)
        for role, value in ((rdf.subject, subject), (rdf.predicate, predicate), (rdf.object, object)):
            self._add(statement, role, value)
        self._add_values(
            statement, sentences=edge.sentences, documents=edge.documents, score=edge.score, pooled=edge.pooled
        )
        for evidence in edge.evidence:
            self._add(statement, self.terms.evidence, self._evidence(edge, evidence))

    def _evidence(self, edge: Edge, evidence: Evidence) -> "URIRef":
        resource = self._digest("evidence", (edge.triple, evidence))
        values: Dict[str, Any] = {
            "document": evidence.document,
            "sentence": evidence.sentence,
            "start": evidence.start,
            "end": evidence.end,
            "subjectStart": evidence.subject[0],
            "subjectEnd": evidence.subject[1],
            "objectStart": evidence.object[0],
            "objectEnd": evidence.object[1],
            "score": evidence.score,
        }
        self._add(resource, self.lib.RDF.type, self.terms.Evidence)
        self._add_values(resource, **values)
        return resource

    def _add(self, subject: Any, predicate: Any, object: Any) -> None:
        self.rdf.add((subject, predicate, object))

    def _add_values(self, resource: "URIRef", **values: Any) -> None:
        for name, value in values.items():
            self._add(resource, self.terms[name], self.lib.Literal(value))

    def _concept(self, concept: Concept) -> "URIRef":
        return self._name("concept", concept.type, concept.id)

    def _name(self, *parts: str) -> "URIRef":
        return self.lib.URIRef(self.base_uri + "/".join(quote(part, safe="") for part in parts))

    def _digest(self, kind: str, value: Any) -> "URIRef":
        return self._name(kind, blake2b(repr(value).encode(), digest_size=16).hexdigest())
