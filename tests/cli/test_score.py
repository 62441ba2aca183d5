"""`spacy dualre evaluate --protocol` and `spacy dualre score`, called as typer calls them."""

import pytest
import srsly
from helpers.commands import dualre
from helpers.pipelines import NAME, make_examples
from spacy.tokens import DocBin, Span
from spacy.vocab import Vocab

from spacy_dualre.pipeline.component import DualEncoderRel
from spacy_dualre.scoring.protocols import get_protocol

CHEMPROT = get_protocol("chemprot")
GROUPS = {"INHIBITS": "CPR:4", "ACTIVATES": "CPR:3"}
DESCRIPTIONS = {group: f"{{subject}} {name.lower()} {{object}}" for name, group in GROUPS.items()}
GOLD = "D0\tCPR:4\tArg1:T0\tArg2:T1\nD1\tCPR:3\tArg1:T0\tArg2:T1\nD1\tCPR:4\tArg1:T3\tArg2:T4\n"
#: One right and one wrong
HALF = "D0\tCPR:4\tArg1:T0\tArg2:T1\nD1\tCPR:9\tArg1:T0\tArg2:T1\n"


def as_chemprot(doc, number):
    """The same document with the ids and predicates of ChemProt."""
    rels = doc._.rels
    doc.ents = [Span(doc, m.start, m.end, label=m.label, span_id=f"T{i}") for i, m in enumerate(doc.ents)]
    of_place = {mention.start: mention for mention in doc.ents}
    doc._.rels = [(of_place[rel.subject.start], GROUPS[rel.predicate], of_place[rel.object.start], 1.0) for rel in rels]
    doc.user_data["doc_id"] = f"D{number}"
    return doc


def save(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def pipeline(make_nlp, tmp_path):
    """A pipeline with threshold 0, so that each candidate becomes a relation, and its three documents, on disk."""
    nlp = make_nlp(threshold=0.0)
    examples = make_examples(nlp.vocab)
    for number, example in enumerate(examples):
        as_chemprot(example.reference, number)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    nlp.to_disk(tmp_path / "pipeline")
    save(tmp_path / "data.spacy", [example.reference for example in examples])
    return tmp_path


@pytest.fixture
def files(tmp_path):
    for name, content in (("gold.tsv", GOLD), ("half.tsv", HALF), ("none.tsv", "")):
        (tmp_path / name).write_text(content, encoding="utf8")
    return tmp_path


# evaluate


def test_evaluate_writes_predictions_that_score_the_same(pipeline):
    predictions = pipeline / "new" / "predictions.tsv"
    args = ("--protocol", "chemprot", "--predictions", predictions, "-o", pipeline / "scores.json")
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", *args)
    assert result.exit_code == 0, result.output
    assert "official" in result.output and "95 % interval" in result.output
    scores = srsly.read_json(pipeline / "scores.json")
    assert scores["protocol"] == "chemprot" and scores["documents"] == 3
    assert sum(map(len, CHEMPROT.read_predicted(predictions).values())) == 7

    result = dualre("score", "chemprot", pipeline / "data.spacy", predictions, "-o", pipeline / "again.json")
    assert result.exit_code == 0, result.output
    (again,) = srsly.read_json(pipeline / "again.json")["predictions"]
    assert {key: again[key] for key in again if key.startswith("rels_") and key != "rels_f_interval"} == {
        key: scores[key] for key in scores if key.startswith("rels_") and key != "rels_f_interval"
    }
    low, high = scores["rels_f_interval"]
    assert 0 <= low <= scores["rels_f"] <= high <= 1


def test_evaluate_names_what_is_missing_for_predictions(pipeline):
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--predictions", pipeline / "p.tsv")
    assert result.exit_code == 1 and "DR821" in result.output
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--protocol", "bc5cdr")
    assert result.exit_code == 1 and "DR004" in result.output and "biored" in result.output


@pytest.mark.parametrize("id, problem", [("", "without an id"), ("D0", "twice")])
def test_documents_that_cannot_be_told_apart_are_said_before_the_work(pipeline, id, problem, monkeypatch):
    docs = [as_chemprot(example.reference, 0) for example in make_examples(Vocab())]
    docs[1].user_data["doc_id"] = id
    data = save(pipeline / "same.spacy", docs[:2])
    monkeypatch.setattr(DualEncoderRel, "predict", lambda *_: pytest.fail("worked"))
    args = ("--protocol", "chemprot", "--predictions", pipeline / "p.tsv")
    result = dualre("evaluate", pipeline / "pipeline", data, *args)
    assert result.exit_code == 1 and "DR204" in result.output and problem in " ".join(result.output.split())
    assert not (pipeline / "p.tsv").exists()
    result = dualre("score", "chemprot", data, data)
    assert result.exit_code == 1 and "DR204" in result.output


# score


def test_score_by_hand(files):
    result = dualre("score", "chemprot", files / "gold.tsv", files / "half.tsv", "-o", files / "new" / "scores.json")
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(files / "new" / "scores.json")
    assert scores["protocol"] == "chemprot" and "p_value" not in scores
    (half,) = scores["predictions"]
    # TP 1, FP 1, FN 2
    assert (half["rels_p"], half["rels_r"]) == (1 / 2, pytest.approx(1 / 3))
    assert half["rels_f"] == pytest.approx(2 / 5)
    assert set(half["rels_per_type"]) == {"CPR:3", "CPR:4", "CPR:9"}
    assert "40.0" in result.output and "differs" not in result.output


def test_score_of_two_compares_them(files):
    args = ("chemprot", files / "gold.tsv", files / "half.tsv", files / "gold.tsv", "-o", files / "scores.json")
    result = dualre("score", *args)
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(files / "scores.json")
    assert scores["difference"] == pytest.approx(3 / 5)
    # The files are equal in D0, so all that can be swapped is D1: every difference is as large
    assert scores["p_value"] == 1.0
    assert "F1 differs by +60.00, p = 1.0000" in result.output
    dualre("score", *args[:2], *args[3:1:-1], *args[4:])
    assert srsly.read_json(files / "scores.json")["difference"] == pytest.approx(-3 / 5)


def test_score_where_nothing_was_found(files):
    result = dualre("score", "chemprot", files / "gold.tsv", files / "none.tsv", "-o", files / "scores.json")
    assert result.exit_code == 0, result.output
    (none,) = srsly.read_json(files / "scores.json")["predictions"]
    assert (none["rels_p"], none["rels_r"], none["rels_f"], none["rels_f_interval"]) == (0, 0, 0, [0, 0])


@pytest.mark.parametrize(
    "protocol, gold, predictions, code",
    [
        ("bc5cdr", "gold.tsv", "half.tsv", "DR004"),
        ("chemprot", "missing.tsv", "half.tsv", "DR324"),
        ("chemprot", "gold.tsv", "missing.tsv", "DR324"),
        ("chemprot", "none.tsv", "half.tsv", "DR323"),
        ("scierc", "gold.tsv", "half.tsv", "DR326"),
    ],
)
def test_score_names_what_is_wrong(files, protocol, gold, predictions, code):
    result = dualre("score", protocol, files / gold, files / predictions)
    assert result.exit_code == 1 and code in result.output
