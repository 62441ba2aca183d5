"""`spacy dualre graph`, called as typer calls it."""

import os
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import srsly
from helpers.graphs import ASPIRIN, COX, document, record, write_lines
from helpers.pipelines import make_examples
from spacy.cli._util import app
from spacy.vocab import Vocab
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.formats import function
from spacy_dualre.formats.jsonl import to_json
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import Place

pytest.importorskip("networkx", reason="the extra 'graph' is not installed")


def graph(*args: Any) -> Any:
    result = CliRunner().invoke(app, ["dualre", "graph", *map(str, args)])
    # The terminal's width has wrapped it
    return result.exit_code, " ".join(result.output.split()).replace("- ", "-")


@pytest.fixture
def triples(tmp_path: Path) -> Path:
    facts = [(ASPIRIN, "INHIBITS", COX, 0.5), (COX, "BINDS", ASPIRIN, 0.8), (ASPIRIN, "BINDS", COX, 0.9)]
    path = tmp_path / "mine.jsonl"
    return write_lines(path, [document(str(number), fact) for number, fact in enumerate(facts)])


def test_a_graph_in_several_formats(triples: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "new" / "kg.json", tmp_path / "kg.html", tmp_path / "kg.csv"]
    code, output = graph(triples, *(arg for path in outputs for arg in ("--output", path)))
    assert code == 0, output
    assert "documents 3 relations 3 edges 3 nodes 2" in output and "left out" not in output
    assert len(srsly.read_json(outputs[0])["edges"]) == 3 and "<title>Know" in outputs[1].read_text("utf8")
    assert (tmp_path / "kg-nodes.csv").exists() and "kg-relationships.csv" in output and not outputs[2].exists()


def test_the_options_decide_what_counts(triples: Path, tmp_path: Path) -> None:
    options = ("--symmetric", "BINDS", "--predicates", "BINDS", "--predicates", "EATS", "--min-score", 0.85)
    code, output = graph(triples, "-o", tmp_path / "kg.json", *options, "--evidence", 0)
    assert code == 0, output
    (edge,) = srsly.read_json(tmp_path / "kg.json")["edges"]
    assert (edge["predicate"], edge["sentences"], edge["score"], edge["evidence"]) == ("BINDS", 1, 0.9, [])
    assert re.search(
        "left out: other predicates 1 left out: score below the minimum 1|"
        "left out: score below the minimum 1 left out: other predicates 1",
        output,
    )
    assert "[DW824] No relation has the predicate EATS. Known predicates: BINDS, INHIBITS." in output
    code, output = graph(triples, "-o", tmp_path / "kg.json", "--symmetric", "BINDS", "--min-support", 2)
    assert code == 0 and "edges 1 left out: too few sentences 1" in output


def test_sigterm_leaves_nothing_unfinished(triples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "kg.json"
    output.write_text("before")

    def killed(path: Path, text: str, **_: Any) -> None:
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Path, "write_text", killed)
    before = signal.getsignal(signal.SIGTERM)
    code, _ = graph(triples, "-o", output)
    assert code == 143 and output.read_text() == "before"
    assert sorted(tmp_path.iterdir()) == sorted([output, triples])
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_extract_writes_is_read(tmp_path: Path) -> None:
    docs = [example.reference for example in make_examples(Vocab())]
    path = write_lines(
        tmp_path / "x.jsonl", [to_json(doc_to_record(doc, str(n), Place(tmp_path))) for n, doc in enumerate(docs)]
    )
    code, output = graph(path, "-o", tmp_path / "kg.json")
    assert code == 0, output
    found = srsly.read_json(tmp_path / "kg.json")
    assert len(found["edges"]) == sum(len(doc._.rels) for doc in docs)
    assert "left out: concepts without an edge 3" in output and "DW823" not in output


@pytest.mark.parametrize("format", ["csv", "spreadsheet"])
def test_the_table_that_extract_writes_has_the_same_edges(tmp_path: Path, format: str) -> None:
    facts = [
        (ASPIRIN, "INHIBITS", COX, 0.5),
        (("-OH", "CHEMICAL", ""), "BINDS", COX, 0.75),
        (COX, "P", ("=B", "T", "1,2"), 1.0),
    ]
    values = [document(f"+{n}", *facts[n:]) for n in range(2)]
    across = {"subject": "0s", "predicate": "ACROSS", "object": values[0]["rels"][2]["object"], "score": 0.25}
    values[0]["rels"].insert(1, across)
    lines = write_lines(tmp_path / "x.jsonl", values)
    function(format, "write")((record(one) for one in values), tmp_path / "x.csv", Counter())
    for path in (lines, tmp_path / "x.csv"):
        code, output = graph(path, "-o", f"{path}.json")
        assert code == 0 and "documents 2 relations 6" in output, output
    found, expected = (srsly.read_json(tmp_path / name) for name in ("x.csv.json", "x.jsonl.json"))
    assert found == expected


@pytest.mark.parametrize(
    "line, cell, problem",
    [(1, "score", "DR369.*x.csv, line 1"), (2, "0.5", "DR326.*x.csv, line 2.*rels.0.score"), (3, "Aspirin", "line 3")],
)
def test_a_damaged_table_is_named(tmp_path: Path, line: int, cell: str, problem: str) -> None:
    values = [document(str(n), (ASPIRIN, "INHIBITS", COX, 0.5)) for n in range(3)]
    function("csv", "write")((record(one) for one in values), tmp_path / "x.csv", Counter())
    lines = (tmp_path / "x.csv").read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace(cell, "x" if line < 3 else "x,y", 1)
    (tmp_path / "x.csv").write_text("\n".join(lines))
    code, output = graph(tmp_path / "x.csv", "-o", tmp_path / "kg.json")
    assert code == 1 and re.search(problem, output), output
    assert line == 1 or "documents 2 relations 2" in output


def test_broken_lines_fail_at_the_end(triples: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "x"\n' + triples.read_text().splitlines()[0].replace('"0"', '"new"') + "\n[]\n")
    code, output = graph(triples, broken, "-o", tmp_path / "kg.json")
    assert code == 1
    for line in ("line 1", "line 3"):
        assert re.search(f"DR326.*broken.jsonl, {line}", output)
    assert "2 lines or files of the input could not be read" in output
    assert {edge["sentences"] for edge in srsly.read_json(tmp_path / "kg.json")["edges"]} == {1, 2}


def test_what_is_wrong_with_a_mention_is_reported(tmp_path: Path) -> None:
    values = document("a", (ASPIRIN, "P", COX, 0.5), sentences=None)
    values["mentions"].append({"start": 400, "end": 401, "type": "GENE"})
    values.pop("sentences")
    code, output = graph(write_lines(tmp_path / "x.jsonl", [values]), "-o", tmp_path / "kg.json")
    assert code == 0
    assert re.search(
        r"DW826.*: mention: offsets outside of the text, 1 times, first at .*x.jsonl, line 1",
        output,
    )
    assert "[DW823] 1 of 1 documents" in output


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("x.jsonl", "", "x.jsonl: contains no document.*DR831"),
        ("x.jsonl", '{"text": "No relation."}\n', "DR831.*1 documents with 0"),
    ],
)
def test_without_a_relation_nothing_is_written(tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / name).write_text(content)
    code, output = graph(tmp_path / name, "-o", tmp_path / "kg.json")
    assert code == 1 and re.search(problem, output), output
    assert not (tmp_path / "kg.json").exists()


@pytest.mark.parametrize(
    "options, problem",
    [
        (("-o", "{}/kg.docx"), "DR500.*kg.docx"),
        (("-o", "{}/mine.jsonl/kg.json"), "DR824.*mine.jsonl"),
        (("-o", "{}/kg.json", "-o", "{}/kg.json"), "DR832.*kg.json"),
        (("-o", "{}/kg.json", "--base-uri", "mine"), "DR502.*mine"),
        ((), "Missing option"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    triples: Path, tmp_path: Path, options: tuple, problem
) -> None:
    code, output = graph(triples, *(option.format(tmp_path) for option in options))
    assert code in (1, 2) and re.search(problem, output), output
    assert "documents" not in output and not (tmp_path / "kg.json").exists()


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "kg.json", [document("a", (ASPIRIN, "P", COX, 0.5))])
    before = path.read_bytes()
    code, output = graph(path, "-o", path)
    assert code == 1 and "DR832" in output and path.read_bytes() == before
