"""Writes RDF in a small vocabulary with rdflib, an extra that is only imported when needed.

Details of an edge belong to a named `rdf:Statement` about it instead of a quoted triple: RDF-star is not part of RDF
1.1, and many stores and libraries, including rdflib, support no version of it or a different draft.
"""

import re
from hashlib import blake2b
from pathlib import Path
from typing import Any, Tuple
from urllib.parse import quote

from ..errors import Errors
from ..writing import whole_file
from .knowledge_graph import KnowledgeGraph

#: Not a registered namespace, hence "x-".
BASE_URI = "urn:x-spacy-dualre:"
_BASE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`#?]*[/:]|[A-Za-z][A-Za-z0-9+.-]*:")
_EVIDENCE = "document sentence start end subjectStart subjectEnd objectStart objectEnd score".split()


def check_base_uri(value: str) -> None:
    """Raise ValueError if URIs cannot start with the value."""
    if not _BASE.fullmatch(value):
        raise ValueError(Errors.DR502.format(value=value))


def write_rdf(graph: KnowledgeGraph, path: Path, base_uri: str, format: str) -> None:
    """Write "turtle" (https://www.w3.org/TR/turtle/) or "nt", N-Triples (https://www.w3.org/TR/n-triples/)."""
    from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

    check_base_uri(base_uri)
    terms = Namespace(f"{base_uri}vocabulary#")
    rdf = Graph()
    for prefix, namespace in (("v", terms), ("predicate", f"{base_uri}predicate/"), ("skos", SKOS)):
        rdf.bind(prefix, namespace)

    def name(*parts: str) -> URIRef:
        return URIRef(base_uri + "/".join(quote(part, safe="") for part in parts))

    def digest(kind: str, value: Any) -> URIRef:
        return name(kind, blake2b(repr(value).encode(), digest_size=16).hexdigest())

    def describe(resource: URIRef, *properties: Tuple[URIRef, Any], **values: Any) -> None:
        for property, value in (*properties, *((terms[key], Literal(value)) for key, value in values.items())):
            rdf.add((resource, property, value))

    for node in graph.nodes:
        concept = name("concept", *node.concept)
        described = (RDF.type, name("type", node.concept.type)), (RDFS.label, Literal(node.label))
        describe(concept, *described, concept=node.concept.id, documents=node.documents, mentions=node.mentions)
        for form, count in node.ranked_forms:
            resource = name("form", *node.concept, form)
            describe(concept, (SKOS.altLabel, Literal(form)), (terms.form, resource))
            describe(resource, text=form, mentions=count)
    for edge in graph.edges:
        subject, object = (name("concept", *concept) for concept in (edge.subject, edge.object))
        predicate, statement = name("predicate", edge.predicate), digest("statement", edge.triple)
        describe(subject, (predicate, object))
        describe(predicate, (RDFS.label, Literal(edge.predicate)))
        if edge.symmetric:
            describe(predicate, (RDF.type, OWL.SymmetricProperty))
        roles = (RDF.subject, subject), (RDF.predicate, predicate), (RDF.object, object)
        counts = {key: getattr(edge, key) for key in ("sentences", "documents", "score", "pooled")}
        describe(statement, (RDF.type, RDF.Statement), *roles, **counts)
        for evidence in edge.evidence:
            resource = digest("evidence", (edge.triple, evidence))
            places = (*evidence[:4], *evidence.subject, *evidence.object, evidence.score)
            describe(statement, (terms.evidence, resource))
            describe(resource, (RDF.type, terms.Evidence), **dict(zip(_EVIDENCE, places)))
    text = rdf.serialize(format=format, encoding="utf-8")
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        # rdflib writes N-Triples in the order of a set
        file.writelines(sorted(text.splitlines(keepends=True)) if format == "nt" else [text])
