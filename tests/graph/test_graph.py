"""Relations of documents merged into a graph, with numbers that a reader can recompute."""

import json
from pathlib import Path
from typing import List

import pytest
from helpers.graphs import ASPIRIN, COX, document, edges_of, merge, record, write_lines
from helpers.pipelines import make_doc
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_dualre.annotations.concepts import Concept
from spacy_dualre.graph import Merger, read_documents
from spacy_dualre.graph.knowledge_graph import Evidence

ASPIRIN_NODE, COX_NODE = Concept("CHEMICAL", "aspirin"), Concept("GENE", "P23219")


def test_counts_and_scores_of_an_edge() -> None:
    graph = merge(
        [
            document("a", (ASPIRIN, "INHIBITS", COX, 0.5), (ASPIRIN, "INHIBITS", COX, 0.8)),
            document("b", (("aspirin", "CHEMICAL", ""), "INHIBITS", ("PTGS1", "GENE", "P23219"), 0.6)),
        ]
    )
    (edge,) = graph.edges
    assert edge.triple == (ASPIRIN_NODE, "INHIBITS", COX_NODE)
    assert (edge.sentences, edge.documents, edge.score) == (3, 2, 0.8)
    # 1 - 0.5 * 0.2 * 0.4
    assert edge.pooled == 0.96
    sentence = "Aspirin acts on COX-1."
    assert edge.evidence == [
        Evidence("a", sentence, 23, 45, (23, 30), (39, 44), 0.8),
        Evidence("b", "aspirin acts on PTGS1.", 0, 22, (0, 7), (16, 21), 0.6),
        Evidence("a", sentence, 0, 22, (0, 7), (16, 21), 0.5),
    ]


def test_nodes_have_their_forms_and_documents() -> None:
    other = ("ASPIRIN", "CHEMICAL", "")
    graph = merge(
        [
            document("a", (ASPIRIN, "INHIBITS", COX, 0.5), (other, "INHIBITS", COX, 0.8)),
            document("b", (other, "INHIBITS", ("Cox  1", "GENE", "P23219"), 0.6)),
        ]
    )
    aspirin, cox = graph.nodes
    assert (aspirin.concept, aspirin.label, aspirin.documents, aspirin.mentions) == (ASPIRIN_NODE, "ASPIRIN", 2, 3)
    assert aspirin.ranked_forms == [("ASPIRIN", 2), ("Aspirin", 1)]
    assert (cox.concept, cox.ranked_forms) == (COX_NODE, [("COX-1", 2), ("Cox 1", 1)])


def test_of_equally_frequent_forms_the_first_in_the_alphabet_is_the_label() -> None:
    graph = merge([document("a", (("b", "T", "1"), "P", COX, 1.0), (("a", "T", "1"), "P", COX, 1.0))])
    assert [node.label for node in graph.nodes] == ["COX-1", "a"]


def test_surface_forms_are_one_node_whatever_their_case_and_blanks() -> None:
    mentions = [(form, "GENE", "") for form in ("CysLT1 receptor", "cyslt1  Receptor", "CYSLT1\nreceptor")]
    graph = merge([document("a", *((ASPIRIN, "P", mention, 0.5) for mention in mentions))])
    assert [node.concept.id for node in graph.nodes] == ["aspirin", "cyslt1 receptor"]


def test_a_mention_of_several_concepts_gives_an_edge_for_each() -> None:
    graph = merge([document("a", (ASPIRIN, "INHIBITS", ("COX-1/2", "GENE", "P1,P2"), 0.5))])
    assert [edge.object.id for edge in graph.edges] == ["P1", "P2"]
    assert [node.mentions for node in graph.nodes] == [1, 1, 1]


def test_a_mention_without_a_concept_gives_no_edge_and_is_counted() -> None:
    merger = Merger()
    merger.add(record(document("a", (ASPIRIN, "INHIBITS", ("it", "GENE", "-"), 0.5))))
    assert merger.graph().edges == []
    assert merger.counts["mentions without a concept"] == 1


def test_a_sentence_counts_once_with_its_best_pair_of_mentions() -> None:
    text = "Aspirin, that is Aspirin, acts on COX-1."
    spans = [(0, 7, "CHEMICAL"), (17, 24, "CHEMICAL"), (34, 39, "GENE")]
    mentions = [{"id": str(i), "start": s, "end": e, "type": t} for i, (s, e, t) in enumerate(spans)]
    rels = [{"subject": s, "predicate": "P", "object": "2", "score": p} for s, p in (("0", 0.5), ("1", 0.75))]
    (edge,) = merge([{"id": "a", "text": text, "mentions": mentions, "rels": rels, "sentences": [0]}]).edges
    assert (edge.sentences, edge.score, edge.pooled) == (1, 0.75, 0.75)
    assert edge.evidence == [Evidence("a", text, 0, 40, (17, 24), (34, 39), 0.75)]


def test_evidence_reaches_over_the_sentences_of_both_mentions() -> None:
    text = "We gave aspirin. It was late. COX-1 fell. So what?"
    values = {
        "mentions": [{"id": "s", "start": 8, "end": 15, "type": "C"}, {"id": "o", "start": 30, "end": 35, "type": "G"}],
        "rels": [{"subject": "s", "predicate": "P", "object": "o"}],
    }
    (edge,) = merge([{"text": text, "sentences": [0, 17, 30, 42], **values}]).edges
    assert edge.evidence[0].sentence == "We gave aspirin. It was late. COX-1 fell."
    merger = Merger()
    merger.add(record({"text": text, **values}))
    (edge,) = merger.graph().edges
    assert edge.evidence[0].sentence == text and merger.without_sentences == 1


def test_both_directions_of_a_symmetric_predicate_are_one_edge() -> None:
    both = [document("a", (ASPIRIN, "BINDS", COX, 0.5)), document("b", (COX, "BINDS", ASPIRIN, 0.8))]
    assert len(merge(both).edges) == 2
    (edge,) = merge(both, symmetric=["BINDS"]).edges
    assert edge.triple == (ASPIRIN_NODE, "BINDS", COX_NODE) and edge.symmetric
    assert (edge.sentences, edge.documents, edge.pooled) == (2, 2, 0.9)
    # The subject of the evidence is the edge's
    assert [one.sentence[slice(*one.subject)] for one in edge.evidence] == ["Aspirin", "Aspirin"]


def test_both_directions_in_one_sentence_support_a_symmetric_edge_once() -> None:
    values = document("a", (ASPIRIN, "BINDS", COX, 0.5))
    values["rels"].append({"subject": "0o", "predicate": "BINDS", "object": "0s", "score": 0.75})
    (edge,) = merge([values], symmetric=["BINDS"]).edges
    assert (edge.sentences, edge.pooled) == (1, 0.75)


def test_what_is_left_out_is_counted() -> None:
    facts = [(ASPIRIN, "INHIBITS", COX, 0.4), (ASPIRIN, "INHIBITS", COX, 0.5), (ASPIRIN, "BINDS", COX, 0.9)]
    merger = Merger(min_score=0.5, predicates=["INHIBITS"])
    merger.add(record(document("a", *facts)))
    (edge,) = merger.graph().edges
    assert (edge.sentences, edge.score) == (1, 0.5)
    assert merger.counts == {"relations": 3, "score below the minimum": 1, "other predicates": 1} | {
        "mentions without a concept": 0
    }
    assert merger.graph(min_support=2).nodes == [] and len(merger.edges) == 1 and len(merger.nodes) == 2


def test_the_best_evidence_is_kept_and_the_counts_stay() -> None:
    documents = [document(str(i), (ASPIRIN, "P", COX, i / 100)) for i in range(20)]
    (everything,), (some,), (none,) = (merge(documents, evidence=n).edges for n in (None, 3, 0))
    assert [one.document for one in some.evidence] == ["19", "18", "17"]
    assert len(everything.evidence) == 20 and none.evidence == []
    for edge in (some, none):
        assert (edge.sentences, edge.documents, edge.pooled) == (20, 20, everything.pooled)


MENTIONS = st.tuples(
    st.sampled_from(["a", "A", "b"]), st.sampled_from(["T", "U"]), st.sampled_from(["", "1", "1,2", "-"])
)
FACTS = st.tuples(MENTIONS, st.sampled_from(["P", "Q"]), MENTIONS, st.floats(0, 1))
DOCUMENTS = st.lists(st.lists(FACTS, max_size=4), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.randoms(use_true_random=False), st.sampled_from([None, 1, 2]))
def test_the_order_of_the_documents_changes_nothing(facts: List, random, evidence) -> None:
    documents = [document(str(number), *some) for number, some in enumerate(facts)]
    graph = merge(documents, symmetric=["P"], evidence=evidence)
    random.shuffle(documents)
    other = merge(documents, symmetric=["P"], evidence=evidence)
    assert edges_of(graph) == edges_of(other) and graph.nodes == other.nodes


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS)
def test_counts_add_up(facts: List) -> None:
    graph = merge(document(str(number), *some) for number, some in enumerate(facts))
    for edge in graph.edges:
        assert len(edge.evidence) == edge.sentences >= edge.documents == len({one.document for one in edge.evidence})
        assert edge.score == edge.evidence[0].score
        doubt = 1.0
        for one in edge.evidence:
            doubt *= 1 - one.score
        assert edge.pooled == pytest.approx(1 - doubt, abs=1e-6) and edge.pooled >= round(edge.score, 6) - 1e-6
    ends = {concept for edge in graph.edges for concept in (edge.subject, edge.object)}
    assert {node.concept for node in graph.nodes} == ends
    assert all(node.mentions >= node.documents >= 1 for node in graph.nodes)


# Reading


def read(*paths: Path) -> tuple:
    errors: List[str] = []
    records = list(read_documents(paths, lambda err: errors.append(str(err))))
    return [record.id for record in records], errors


def test_broken_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    good = [json.dumps(document(name, (ASPIRIN, "P", COX, 0.5))).encode() for name in "abc"]
    lines = [good[0], b'{"id": ', b"", good[1], b'{"text": "x", "colour": "red"}', b'{"text": "\xff"}', good[2], b"[1]"]
    path.write_bytes(b"\n".join(lines))
    ids, errors = read(tmp_path / "missing.jsonl", path)
    assert ids == ["a", "b", "c"]
    for problem, error in zip(
        ["missing.jsonl", *(f"mine.jsonl, line {n}:" for n in (2, 5, 6, 8))], errors, strict=True
    ):
        assert problem in error


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    ids, (error,) = read(tmp_path / "empty.jsonl")
    assert ids == []
    assert "DR303" in error and "empty.jsonl" in error


def test_a_document_given_twice_counts_once(tmp_path: Path) -> None:
    same, other = document("a", (ASPIRIN, "P", COX, 0.5)), document("a", (COX, "P", ASPIRIN, 0.5))
    first = write_lines(tmp_path / "1.jsonl", [same])
    second = write_lines(tmp_path / "2.jsonl", [other, same])
    ids, (error,) = read(first, second)
    # The same id in two files need not be the same document
    assert ids == ["a", "a"]
    assert "2.jsonl, line 2: document a occurs twice" in error


def test_docs_are_read_too(tmp_path: Path) -> None:
    doc = make_doc(Vocab(), [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE")], [(0, "INHIBITS", 1)])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    merger = Merger()
    for one in read_documents([tmp_path / "docs.spacy"], pytest.fail):
        merger.add(one)
    (edge,) = merger.graph().edges
    assert edge.evidence == [Evidence("1", "Aspirin inhibits COX-1", 0, 22, (0, 7), (17, 22), 1.0)]
    (tmp_path / "bad.spacy").write_bytes(b"no DocBin")
    ids, (error,) = read(tmp_path / "bad.spacy")
    assert "bad.spacy: cannot be read as .spacy" in error
