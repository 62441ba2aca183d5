"""The commands under `spacy dualre`, called as typer calls them."""

import json
from pathlib import Path

import pytest
import srsly
from conftest import make_examples
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "assets" / "demo" / "demo_development"


def dualre(*args):
    return CliRunner().invoke(app, ["dualre", *map(str, args)])


@pytest.fixture
def pipeline(trained, tmp_path):
    """A pipeline and documents on disk."""
    nlp = trained(threshold=0.0)
    nlp.to_disk(tmp_path / "pipeline")
    docs = [example.reference for example in make_examples(nlp.vocab)]
    for number, doc in enumerate(docs):
        doc.user_data["doc_id"] = f"D{number}"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    return tmp_path


def test_convert_writes_the_same_bytes_twice_and_reports(tmp_path):
    outputs = []
    for name in ("a", "b"):
        result = dualre("convert", "chemprot", DEMO, tmp_path / f"{name}.spacy", "--report", tmp_path / "report.json")
        assert result.exit_code == 0, result.output
        outputs.append((tmp_path / f"{name}.spacy").read_bytes())
    assert outputs[0] == outputs[1]
    report = srsly.read_json(tmp_path / "report.json")
    assert (report["documents"], report["mentions"], report["relations"]) == (26, 372, 133)
    assert "relations: 133" in result.output


def test_convert_with_scispacy(tmp_path):
    pytest.importorskip("scispacy", reason="the extra 'biomed' is not installed")
    options = ("--tokenizer", "scispacy", "--splitter", "pysbd")
    result = dualre("convert", "chemprot", DEMO, tmp_path / "out.spacy", *options)
    assert result.exit_code == 0, result.output
    assert "relations: 133" in result.output


@pytest.mark.parametrize(
    "args, problem",
    [
        (("chemport", DEMO), "DR101.*chemport.*chemprot"),
        (("chemprot", "missing"), "DR100.*missing"),
        (("chemprot", DEMO / "demo_development_abstracts.tsv"), "DR100.*no such folder"),
        (("chemprot", DEMO, "--tokenizer", "words"), "DR102.*words"),
        (("chemprot", DEMO, "--splitter", "words"), "DR102.*words"),
    ],
)
def test_convert_names_what_is_wrong(tmp_path, args, problem, match):
    result = dualre("convert", *args[:2], tmp_path / "out.spacy", *args[2:])
    assert result.exit_code == 1
    match(problem, result.output)
    assert not (tmp_path / "out.spacy").exists()


def test_evaluate_prints_a_table_and_writes_json(pipeline):
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--output", pipeline / "scores.json")
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(pipeline / "scores.json")
    # Threshold 0: every one of the 7 candidates becomes a relation, each of the 4 gold relations has one with some
    # predicate.
    assert scores["documents"] == 3
    right = round(scores["rels_p"] * 7)
    assert scores["rels_r"] == pytest.approx(right / 4)
    assert "all (micro)" in result.output
    assert f"{100 * scores['rels_f']:.1f}" in result.output


def test_evaluate_without_gold_mentions_needs_the_pipeline_to_find_them(pipeline):
    args = ("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--no-gold-mentions", "-o", pipeline / "s.json")
    assert dualre(*args).exit_code == 0
    assert srsly.read_json(pipeline / "s.json")["rels_r"] == 0.0


def test_extract_writes_one_document_a_line(pipeline):
    output = pipeline / "out" / "rels.jsonl"
    result = dualre("extract", pipeline / "pipeline", pipeline / "data.spacy", output, "--show", "1")
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in output.read_text(encoding="utf8").splitlines()]
    assert [record["id"] for record in records] == ["D0", "D1", "D2"]
    assert [len(record["rels"]) for record in records] == [2, 3, 2]
    for record in records:
        for rel in record["rels"]:
            for span in (rel["subject"], rel["object"]):
                assert record["text"][span["start"] : span["end"]] == span["text"]
            assert rel["subject"]["type"] == "CHEMICAL" and rel["object"]["type"] == "GENE"
            assert 0 <= rel["score"] <= 1
    assert "Document D0" in result.output and "Document D1" not in result.output


@pytest.mark.parametrize("command, n", [("evaluate", 0), ("extract", 1)])
def test_missing_files_are_named(pipeline, command, n, match):
    output = (pipeline / "out.jsonl",) * n
    result = dualre(command, pipeline / "no-pipeline", pipeline / "data.spacy", *output)
    assert result.exit_code == 1
    match("DR120.*no-pipeline", result.output)
    result = dualre(command, pipeline / "pipeline", pipeline / "no-data.spacy", *output)
    assert result.exit_code == 1
    match("DR120.*no-data", result.output)


@pytest.fixture
def match():
    """Search in output that the terminal's width has wrapped."""
    import re

    def search(pattern, output):
        assert re.search(pattern, " ".join(output.split()).replace("- ", "-")), output

    return search
