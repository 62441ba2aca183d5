"""Control characters of texts and names from documents never reach the terminal: it would obey them."""

import re
from pathlib import Path

import pytest
import srsly
from helpers.commands import dualre
from helpers.pipelines import NAME, make_doc, make_examples
from spacy.tokens import DocBin

import spacy_dualre.cli
from spacy_dualre.cli.app import print_scores
from spacy_dualre.errors import visible

#: Sets the title of the window, then clears the screen, in the 8-bit form too.
HOSTILE = "\x1b]0;x\x07\x1b[2J\x9b2Jy"
SHOWN = r"\x1b]0;x\x07\x1b[2J\x9b2Jy"
#: Those that the commands themselves print are colours.
COLOURS = re.compile(r"\x1b\[[\d;]*m")


def test_control_characters_become_visible():
    assert visible(HOSTILE) == SHOWN
    assert visible("a\tb\nc\u00e9\u202f\U0001f600") == "a\tb\nc\u00e9\u202f\U0001f600"
    assert visible("\0\r\x7f\x85") == r"\x00\r\x7f\x85"


def test_only_one_module_prints():
    for path in Path(spacy_dualre.cli.__file__).parent.glob("*.py"):
        prints = re.search(r"\bwasabi\b|\bprint\(|typer\.s?echo", path.read_text(encoding="utf8"))
        assert bool(prints) == (path.name == "app.py"), path


@pytest.fixture
def folder(trained, tmp_path):
    nlp = trained(threshold=0.0)
    nlp.to_disk(tmp_path / "pipeline")
    doc = make_doc(nlp.vocab, [(HOSTILE, "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE")], [(0, "INHIBITS", 1)])
    doc.user_data["doc_id"] = HOSTILE
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "data.spacy")
    DocBin(docs=[doc, doc], store_user_data=True).to_disk(tmp_path / "twice.spacy")
    mention = {"start": 0, "end": 1, "type": HOSTILE}
    mentions = [{**mention, "id": "a"}, {**mention, "id": HOSTILE, "text": "other"}]
    srsly.write_jsonl(tmp_path / "data.jsonl", [{"id": HOSTILE, "text": f"{HOSTILE}. " * 3, "mentions": mentions}])
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        ("extract", "pipeline", "data.spacy", "out.jsonl", "--show", "1"),
        ("extract", "pipeline", "data.jsonl", "out.jsonl", "--max-length", "40"),
        ("extract", "pipeline", HOSTILE, "out.jsonl"),
        ("explain", "pipeline", "data.spacy"),
        ("explain", "pipeline", "data.spacy", "--json"),
        ("explain", "pipeline", "data.spacy", "--subject", HOSTILE + "!"),
        ("try", f"[{re.sub('[][]', '', HOSTILE)}|CHEMICAL] and [b|GENE].", "--pipeline", "pipeline"),
        ("try", HOSTILE, "--pipeline", "pipeline"),
        ("convert", "jsonl", "data.jsonl", "out.spacy"),
        ("convert", "jsonl", "data.jsonl", "out.spacy", "--strict"),
        ("evaluate", "pipeline", "twice.spacy", "--protocol", "semeval", "--predictions", "out.txt"),
        ("graph", HOSTILE, "--output", "out.ttl"),
    ],
    ids=lambda args: " ".join(args[:1] + args[4:]).partition("\x1b")[0],
)
def test_what_commands_print_is_harmless(folder, monkeypatch, args):
    monkeypatch.chdir(folder)
    output = COLOURS.sub("", dualre(*args).output)
    assert visible(output) == output
    assert "x1b" in output or "--json" in args and r"\u001b" in output


def test_warnings_and_reports_of_a_training_are_harmless(make_nlp, caplog):
    nlp = make_nlp()
    examples = make_examples(nlp.vocab)
    example = examples[0]
    for doc in (example.reference, example.predicted):
        doc.ents = [type(ent)(doc, ent.start, ent.end, label=HOSTILE) for ent in doc.ents]
    example.reference._.rels = [rel._replace(predicate=HOSTILE) for rel in example.reference._.rels]
    with pytest.warns(UserWarning) as warned:
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp)
    said = [str(one.message) for one in warned] + [record.getMessage() for record in caplog.records]
    assert all(visible(text) == text for text in said) and any("x1b" in text for text in said)


def test_tables_are_harmless(capsys):
    score = {"p": 1.0, "r": 1.0, "f": 1.0}
    scores = {"rels_per_type": {HOSTILE: score}, "rels_macro_f": 1.0, "documents": 1}
    print_scores({**scores, **{f"rels_{name}": value for name, value in score.items()}})
    output = COLOURS.sub("", capsys.readouterr().out)
    assert SHOWN in output and visible(output) == output
