"""Each output is read back with a library of its own and says the same."""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.graphs import document, merge, nasty_graph
from lxml import etree

from spacy_dualre.errors import CorpusError
from spacy_dualre.graph import KnowledgeGraph, check_base_uri, check_output, write
from spacy_dualre.graph.writers import csv_paths

BASE = "https://example.org/graph/"
NAMES = {"v": f"{BASE}vocabulary#"}


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return nasty_graph()


def xml_text(value: Any) -> Any:
    return re.sub("[\u0001]", "\ufffd", value) if isinstance(value, str) else value


@pytest.mark.parametrize("ending", [".ttl", ".nt"])
def test_rdf(graph: KnowledgeGraph, tmp_path: Path, ending: str) -> None:
    rdflib = pytest.importorskip("rdflib", reason="the extra 'graph' is not installed")
    write(graph, tmp_path / f"kg{ending}", BASE)
    rdf = rdflib.Graph().parse(tmp_path / f"kg{ending}")
    query = """SELECT ?subject ?predicate ?object ?sentences ?documents ?score ?pooled WHERE {
        ?s ?p ?o . ?s v:concept ?subject . ?p rdfs:label ?predicate . ?o v:concept ?object .
        [] a rdf:Statement ; rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ;
            v:sentences ?sentences ; v:documents ?documents ; v:score ?score ; v:pooled ?pooled }"""
    rows = {tuple(value.toPython() for value in row) for row in rdf.query(query, initNs=NAMES)}
    assert rows == {
        (e.subject.id, e.predicate, e.object.id, e.sentences, e.documents, e.score, e.pooled) for e in graph.edges
    }
    assert len(rows) == len(graph.edges)
    query = "SELECT ?c ?l ?t ?n WHERE { ?x v:concept ?c ; rdfs:label ?l ; v:form [ v:text ?t ; v:mentions ?n ] }"
    forms = {tuple(value.toPython() for value in row) for row in rdf.query(query, initNs=NAMES)}
    assert forms == {(node.concept.id, node.label, *form) for node in graph.nodes for form in node.ranked_forms}


def test_rdf_has_the_evidence(graph: KnowledgeGraph, tmp_path: Path) -> None:
    rdflib = pytest.importorskip("rdflib", reason="the extra 'graph' is not installed")
    write(graph, tmp_path / "kg.nt")
    lines = (tmp_path / "kg.nt").read_bytes().splitlines()
    assert lines == sorted(lines), "the same in every process"
    names = "document sentence start end subjectStart subjectEnd objectStart objectEnd score"
    query = "PREFIX v: <urn:x-spacy-dualre:vocabulary#> SELECT {} WHERE {{ [] v:evidence ?e . {} }}".format(
        " ".join(f"?{name}" for name in names.split()), " ".join(f"?e v:{name} ?{name} ." for name in names.split())
    )
    found = {tuple(value.toPython() for value in row) for row in rdflib.Graph().parse(tmp_path / "kg.nt").query(query)}
    assert found == {(*one[:4], *one.subject, *one.object, one.score) for e in graph.edges for one in e.evidence}


def test_rdf_says_which_predicates_are_symmetric(graph: KnowledgeGraph, tmp_path: Path) -> None:
    rdflib = pytest.importorskip("rdflib", reason="the extra 'graph' is not installed")
    write(graph, tmp_path / "kg.ttl", BASE)
    rdf = rdflib.Graph().parse(tmp_path / "kg.ttl")
    assert list(rdf.subjects(rdflib.RDF.type, rdflib.OWL.SymmetricProperty)) == [
        rdflib.URIRef(f"{BASE}predicate/BINDS")
    ]


@pytest.mark.parametrize("value", ["", "graph/", "https://example.org/graph", "https://example.org/a b/", "http://a/#"])
def test_a_base_that_cannot_start_names_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="DR502"):
        check_base_uri(value)


def test_node_link_json(graph: KnowledgeGraph, tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx", reason="the extra 'graph' is not installed")
    write(graph, tmp_path / "kg.json")
    network = networkx.node_link_graph(json.loads((tmp_path / "kg.json").read_text(encoding="utf8")), edges="edges")
    assert [(d["type"], d["concept"], d["label"], d["documents"], d["forms"]) for _, d in network.nodes(data=True)] == [
        (*node.concept, node.label, node.documents, dict(node.forms)) for node in graph.nodes
    ]
    names = {node.concept: node.name for node in graph.nodes}
    found = sorted(
        (s, d["predicate"], o, d["sentences"], d["score"], d["pooled"], d["symmetric"], d["evidence"])
        for s, o, d in network.edges(data=True)
    )
    assert found == sorted(
        (names[e.subject], e.predicate, names[e.object], e.sentences, e.score, e.pooled, e.symmetric)
        + ([json.loads(json.dumps(one._asdict())) for one in e.evidence],)
        for e in graph.edges
    )


def test_graphml(graph: KnowledgeGraph, tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx", reason="the extra 'graph' is not installed")
    write(graph, tmp_path / "kg.graphml")
    etree.parse(tmp_path / "kg.graphml")
    network = networkx.read_graphml(tmp_path / "kg.graphml", force_multigraph=True)
    names = {node.concept: xml_text(node.name) for node in graph.nodes}
    assert set(network) == set(names.values())
    for node in graph.nodes:
        values = network.nodes[names[node.concept]]
        assert (values["label"], values["documents"]) == (xml_text(node.label), node.documents)
        assert json.loads(values["forms"]) == {form: n for form, n in node.forms.items()}
    found = {(s, d["predicate"], o, d["sentences"], d["score"], d["pooled"]) for s, o, d in network.edges(data=True)}
    assert found == {
        (names[e.subject], xml_text(e.predicate), names[e.object], e.sentences, e.score, e.pooled) for e in graph.edges
    }
    assert network.number_of_edges() == len(graph.edges)
    assert sum(len(json.loads(d["evidence"])) for *_, d in network.edges(data=True)) == 4


def test_csv_for_neo4j(graph: KnowledgeGraph, tmp_path: Path) -> None:
    write(graph, tmp_path / "kg.csv")
    assert check_output(tmp_path / "kg.csv") == [tmp_path / "kg-nodes.csv", tmp_path / "kg-relationships.csv"]
    nodes, relationships = (
        list(csv.DictReader(path.open(encoding="utf8", newline=""))) for path in csv_paths(tmp_path / "kg.csv")
    )
    assert [(row["id:ID"], row["label"], row["type"], row["concept"], json.loads(row["forms"])) for row in nodes] == [
        (node.name, node.label, *node.concept, dict(node.forms)) for node in graph.nodes
    ]
    # A semicolon would make two labels
    assert all(row[":LABEL"] == row["type"].replace(";", ",") and ";" not in row[":LABEL"] for row in nodes)
    names = {node.concept: node.name for node in graph.nodes}
    assert [(row[":START_ID"], row[":TYPE"], row[":END_ID"], float(row["pooled:double"])) for row in relationships] == [
        (names[e.subject], e.predicate, names[e.object], e.pooled) for e in graph.edges
    ]
    assert [row["symmetric:boolean"] for row in relationships] == [str(e.symmetric).lower() for e in graph.edges]
    assert [len(json.loads(row["evidence"])) for row in relationships] == [e.sentences for e in graph.edges]


def test_a_line_end_in_a_name_ends_no_row(tmp_path: Path) -> None:
    write(merge([document("a", (("x", "P", "c\rd"), "R", ("y", "Q", "e"), 0.5))]), tmp_path / "kg.csv")
    rows = list(csv.DictReader((tmp_path / "kg-nodes.csv").open(encoding="utf8", newline="")))
    assert [row["concept"] for row in rows] == ["c\rd", "e"]


def test_names_of_nodes_are_unique() -> None:
    pairs = [("A|B", "C"), ("A", "B|C"), ("A%7CB", "C"), ("A%25", "c"), ("A%", "c")]
    mentions = [("x", type, id) for type, id in pairs]
    graph = merge([document("a", *((mention, "P", mentions[0], 0.5) for mention in mentions))])
    assert len({node.name for node in graph.nodes}) == len(graph.nodes) == len(pairs)


@pytest.mark.parametrize("ending", [".ttl", ".nt", ".graphml", ".json", ".csv", ".html"])
def test_the_same_graph_gives_the_same_files(tmp_path: Path, ending: str) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        write(nasty_graph(), tmp_path / name / f"kg{ending}")
    for path in check_output(tmp_path / "1" / f"kg{ending}"):
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_an_output_that_cannot_be_written_is_refused(graph: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "folder.ttl").mkdir()
    (tmp_path / "file").touch()
    for name, problem in (("kg.docx", "DR500.*kg.docx.*ttl"), ("folder.ttl", "DR824.*folder"), ("file/kg.nt", "DR824")):
        with pytest.raises(ValueError, match=problem):
            write(graph, tmp_path / name)
    with pytest.raises(ValueError) as info:
        check_output(tmp_path / "kg")
    assert not isinstance(info.value, CorpusError)


@pytest.mark.parametrize("ending", [".html", ".json", ".csv"])
def test_pages_and_tables_need_no_extra(
    graph: KnowledgeGraph, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("networkx", "rdflib"):
        monkeypatch.setitem(sys.modules, name, None)
    write(graph, tmp_path / f"kg{ending}")
    assert all(path.stat().st_size for path in check_output(tmp_path / f"kg{ending}"))


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdflib", None)
    with pytest.raises(ImportError, match=r"DR501.*rdflib.*spacy-dualre\[graph\]"):
        check_output(tmp_path / "kg.ttl")
