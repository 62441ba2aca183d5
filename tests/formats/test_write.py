"""Predictions, written in every format and read back."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import get_long_forms
from spacy_dualre.formats import all_formats, brat, docbin, function, output_format
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import MentionRecord, Place, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

ROUND_TRIPS = ("jsonl", "bioc", "brat", "spacy")


def document(text, mentions, rels=(), id="d1", sentences=(0,)):
    """An extracted document. mentions: (start, end, type, kb_id). rels: (number, predicate, number, score)."""
    nlp = spacy.blank("en")
    doc = nlp.make_doc(text)
    for token in doc:
        token.is_sent_start = token.idx in sentences
    spans = [
        doc.char_span(start, end, label=type, kb_id=kb, span_id=f"M{n}")
        for n, (start, end, type, kb) in enumerate(mentions)
    ]
    assert None not in spans
    doc.spans["entities"] = spans
    doc._.rels = [Relation(spans[s], predicate, spans[o], score) for s, predicate, o, score in rels]
    return replace(doc_to_record(doc, id, Place(Path("made-up"))), meta={"model": "en_x", "version": "1.0"})


TEXT = "Aspirin lowers COX-1. It spares\nthe COX-2 gene."
ONE = document(
    TEXT,
    [(0, 7, "CHEMICAL", "D1"), (15, 20, "GENE", ""), (36, 41, "GENE", "7,8"), (36, 46, "GENE", "-")],
    [(0, "CPR:4", 1, 0.75), (0, "CPR:3", 2, 0.5)],
    sentences=(0, 22),
)
TWO = document("No relation here.", [], id="d/2")


def write(name, documents, path):
    lost = Counter()
    function(name, "write")(documents, path, lost)
    return dict(+lost)


def read(name, path):
    """The Docs of what was written, by the corpus's own reader."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    if name == "spacy":
        return list(DocBin().from_disk(path).get_docs(nlp.vocab))
    return list(records_to_docs(function(name, "read")(path), nlp, ConversionReport()))


def annotations(doc, with_score=True):
    """Mentions and relations by offsets."""
    mentions = {(m.start_char, m.end_char, m.label_, m.kb_id_) for m in doc.spans["entities"]}
    arguments = [(r.subject, r.predicate, r.object, r.score * with_score) for r in doc._.rels]
    rels = {(s.start_char, s.kb_id_, p, o.start_char, o.kb_id_, score) for s, p, o, score in arguments}
    return doc.text, mentions, rels


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_mentions_and_relations_come_back(tmp_path, name):
    path = tmp_path / ("out" + ([*all_formats()[name].outputs, ""][0]))
    assert write(name, [ONE, TWO], path) == {}
    docs = {doc.user_data["doc_id"]: doc for doc in read(name, path)}
    assert list(docs) in (["d1", "d/2"], ["d/2", "d1"])
    with_score = name != "brat"
    text, mentions, rels = annotations(docs["d1"], with_score)
    assert text == TEXT
    assert mentions == {
        (0, 7, "CHEMICAL", "D1"),
        (15, 20, "GENE", ""),
        (36, 41, "GENE", "7,8"),
        (36, 46, "GENE", "-"),
    }
    assert rels == {(0, "D1", "CPR:4", 15, "", 0.75 * with_score), (0, "D1", "CPR:3", 36, "7,8", 0.5 * with_score)}
    assert annotations(docs["d/2"]) == ("No relation here.", set(), set())
    if name != "brat":
        assert [sentence.start_char for sentence in docs["d1"].sents] == [0, 22]


def test_docs_keep_their_tokens_and_a_folder_gets_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_dualre.records.shards.SHARD_SIZE", 1)
    docbin.write([ONE, TWO], tmp_path / "out", Counter())
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["00001.spacy", "00002.spacy"]
    (doc,) = read("spacy", tmp_path / "out" / "00001.spacy")
    assert tuple((token.idx, token.idx + len(token)) for token in doc) == ONE.tokens
    assert doc.user_data["model"] == "en_x"


def test_pubtator_has_relations_between_concepts_and_says_what_it_lost(tmp_path):
    lost = write("pubtator", [ONE, TWO], tmp_path / "out.pubtator")
    assert lost == {
        "text with tabs or line ends, replaced by blanks": 1,
        "text of one sentence, with a blank added at its end": 1,
        "mention without concept, given its text in lower case as one": 1,
        "score of a relation": 2,
    }
    doc, _ = read("pubtator", tmp_path / "out.pubtator")
    assert doc.text == TEXT.replace("\n", " ")
    found = {(rel.subject.id, rel.predicate, rel.object.id) for rel in doc._.concept_rels}
    assert found == {("D1", "CPR:4", "cox-1"), ("D1", "CPR:3", "7"), ("D1", "CPR:3", "8")}


def test_long_forms_are_the_concepts_of_pubtator_are_kept_in_docs_and_counted_elsewhere(tmp_path):
    short = document("ASA lowers COX-1.", [(0, 3, "CHEMICAL", ""), (11, 16, "GENE", "")], [(0, "CPR:4", 1, 0.5)])
    short.long_forms["ASA"] = "Acetylsalicylic acid"
    write("pubtator", [short], tmp_path / "out.pubtator")
    assert "CPR:4\tacetylsalicylic acid\tcox-1" in (tmp_path / "out.pubtator").read_text()
    write("spacy", [short], tmp_path / "out.spacy")
    assert get_long_forms(read("spacy", tmp_path / "out.spacy")[0]) == {"ASA": "Acetylsalicylic acid"}
    for name in ("bioc", "brat", "csv"):
        assert write(name, [short], tmp_path / name)["long form of a mention"] == 1


@pytest.mark.parametrize("name", ["bioc", "pubtator"])
def test_concepts_that_would_be_read_as_several_are_counted(tmp_path, name):
    variant = document("V7L hits B now.", [(0, 3, "X", "p|SUB|V|7|L"), (9, 10, "X", "9;8")])
    assert write(name, [variant], tmp_path / "out")["concept with ; or |, which separate concepts"] == 1
    (doc,) = read(name, tmp_path / "out")
    assert [span.kb_id_ for span in doc.spans["entities"]] == ["p|SUB|V|7|L", "9,8"]


@pytest.mark.parametrize("not_found", ["-", "NIL"])
def test_pubtator_leaves_relations_of_what_was_not_found_out(tmp_path, not_found):
    one = document("A hits B now.", [(0, 1, "X", not_found), (7, 8, "X", "9")], [(0, "HITS", 1, 0.9)], id="a|b")
    lost = write("pubtator", [one], tmp_path / "out.pubtator")
    assert lost["relation of a mention that was looked up and not found, left out"] == 1
    assert lost["document id with a tab, line end or |, replaced by a blank"] == 1
    (doc,) = read("pubtator", tmp_path / "out.pubtator")
    assert doc.user_data["doc_id"] == "a b" and not doc._.rels


def test_csv_has_a_row_for_each_relation(tmp_path):
    assert write("csv", [ONE, TWO], tmp_path / "out.csv") == {"document without relations, not in the table": 1}
    with (tmp_path / "out.csv").open(encoding="utf8", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["document"] == "d1" and first["predicate"] == "CPR:4" and first["score"] == "0.75"
    assert (first["subject_text"], first["subject_kb_id"], first["object_start"]) == ("Aspirin", "D1", "15")
    assert first["sentence"] == "Aspirin lowers COX-1."
    assert second["sentence"] == TEXT


@pytest.mark.parametrize("text", ["=1+1", "+A", "-OH", "@x", "'=1"])
def test_formulas_are_quoted_for_spreadsheets_alone(tmp_path, text):
    one = document(
        f"{text} hits B now.", [(0, len(text), "X", ""), (len(text) + 6, len(text) + 7, "X", "")], [(0, "P", 1, 0.5)]
    )
    for name, quote in (("csv", ""), ("spreadsheet", "'")):
        write(name, [one], tmp_path / f"{name}.csv")
        with (tmp_path / f"{name}.csv").open(encoding="utf8", newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["subject_text"], row["sentence"]) == (quote + text, quote + one.text)
        assert (row["object_text"], row["score"], row["sentence_start"]) == ("B", "0.5", "0")


@pytest.mark.parametrize("id", ["../../up", "..", ".", "/root", "a\0b", "", "x" * 400, "a b:c?", "C:\\x", "d/" * 600])
def test_brat_files_stay_in_their_folder(tmp_path, id):
    (tmp_path / "in").mkdir()
    lost = write("brat", [replace(TWO, id=id or "e")] * 2, tmp_path / "in" / "out")
    assert lost["document id that occurs twice, with a number appended"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["out"]
    assert len(list((tmp_path / "in" / "out").rglob("*.ann"))) == 2


@pytest.mark.parametrize("ids", [("a", "a.txt/b", "a.ann/b/c"), ("a.txt/b", "a", "a.txt"), ("a/b", "a", "a.TXT/b")])
def test_brat_files_and_folders_have_different_names(tmp_path, ids):
    write("brat", [replace(TWO, id=id) for id in ids], tmp_path / "out")
    found = [record.id for record in brat.read(tmp_path / "out")]
    assert sorted(unquote(id) for id in found) == sorted(ids)


def test_brat_parts_a_mention_at_line_ends_and_names_without_blanks(tmp_path):
    one = document("Low\nlevel hits B now.", [(0, 9, "big thing", ""), (15, 16, "X", "")], [(0, "A B", 1, 1.0)])
    lost = write("brat", [one, replace(TWO, text="", tokens=(), sentences=())], tmp_path / "out")
    assert lost == {
        "type, predicate or concept with blanks, replaced by _": 2,
        "document without text, left out": 1,
    }
    assert (tmp_path / "out" / "d1.ann").read_text() == (
        "T1\tbig_thing 0 3;4 9\tLow level\nT2\tX 15 16\tB\nR1\tA_B Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes R1\tscore 1.0\n"
    )
    (doc,) = read("brat", tmp_path / "out")
    assert [span.text for span in doc.spans["entities"]] == ["Low\nlevel", "B"]


WORDS = st.lists(st.text("aé\U0001f600Z.-|", min_size=1, max_size=4), min_size=2, max_size=8)
BLANKS = st.sampled_from([" ", "  ", "\n", "\r\n", "\t"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUND_TRIPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, blank=BLANKS, data=st.data())
def test_any_text_comes_back(tmp_path_factory, name, words, blank, data):
    text = blank.join(words)
    ends = [len(blank.join(words[: n + 1])) for n in range(len(words))]
    first, second = data.draw(st.tuples(*[st.integers(0, len(words) - 1)] * 2))
    mentions = [MentionRecord(f"M{n}", "X", ends[n] - len(words[n]), ends[n]) for n in sorted({first, second})]
    rels = [RelationRecord("P", mentions[0].id, mentions[-1].id, 0.5)]
    one = Record("d", text, Place(Path("made-up")), mentions, rels, sentences=(0,))
    path = tmp_path_factory.mktemp("any") / ("out" + [*all_formats()[name].outputs, ""][0])
    write(name, [one], path)
    (doc,) = read(name, path)
    assert doc.text == text
    found = [(mention.start_char, mention.end_char) for mention in doc.spans["entities"]]
    assert found == [(mention.start, mention.end) for mention in mentions]
    ((subject, _, object, _),) = doc._.rels
    assert (subject.start_char, object.start_char) == (mentions[0].start, mentions[-1].start)


def test_the_format_is_said_by_the_name_or_by_the_user():
    assert output_format(Path("a/b.PubTator")) is function("pubtator", "write")
    assert output_format(Path("a/b"), "brat") is function("brat", "write")
    with pytest.raises(ValueError, match="DR321.*--to"):
        output_format(Path("folder"))
    with pytest.raises(ValueError, match="DR004.*rdf"):
        output_format(Path("x.jsonl"), "rdf")
