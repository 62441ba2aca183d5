"""A folder to start from: what is in it, what is refused, and that a pipeline comes out of it."""

from pathlib import Path

import pytest
import spacy
import srsly
from helpers.commands import match
from helpers.paths import ROOT
from helpers.pipelines import NAME
from spacy.cli._util import app
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.instances.descriptions import read_descriptions
from spacy_dualre.starter import write_starter

OPTIONS = ("--labels", "WORKS_FOR, KNOWS", "--types", "PERSON,FIRM", "--symmetric", "KNOWS")
PEOPLE = ["Ada Byron", "Dora Finch", "Emil Berg", "Finn Holt", "Gina Ross", "Hugo Lane", "Ida Moor", "Jan Vale"]


def command(*args):
    return CliRunner().invoke(app, [*map(str, args)])


def document(person, i):
    text = f"{person} works for Firm{i} and knows Carl Moss."
    spans = [(person, "PERSON"), (f"Firm{i}", "FIRM"), ("Carl Moss", "PERSON")]
    mentions = [
        {"id": str(n), "start": text.index(name), "end": text.index(name) + len(name), "type": type}
        for n, (name, type) in enumerate(spans)
    ]
    rels = [("0", "WORKS_FOR", "1"), ("0", "KNOWS", "2")]
    return {
        "text": text,
        "mentions": mentions,
        "rels": [dict(zip(("subject", "predicate", "object"), r)) for r in rels],
    }


@pytest.mark.slow
def test_from_the_folder_to_a_pipeline(tmp_path, monkeypatch, encoder):
    result = command("dualre", "init-config", *OPTIONS, "--output", tmp_path / "new")
    assert result.exit_code == 0 and "Now fill in" in result.output, result.output
    monkeypatch.chdir(tmp_path / "new")
    Path("data").mkdir()
    srsly.write_jsonl("data/annotated.jsonl", [document(person, i) for i, person in enumerate(PEOPLE)])
    planned = command("project", "run", "all", ".", "--dry")
    assert planned.exit_code == 0, planned.output
    converted = ("data/annotated.jsonl", "corpus/train.spacy", "--dev", "corpus/dev.spacy", "--dev-fraction", "0.4")
    assert command("dualre", "convert", "jsonl", *converted).exit_code == 0

    overrides = {"paths.encoder": encoder, "training.max_steps": 2, "training.eval_frequency": 1}
    config = load_config("config.cfg", overrides=overrides, interpolate=False)
    with pytest.raises(ValueError, match="DR041.*WORKS_FOR.*still has to be written"):
        init_nlp(config)
    text = Path("descriptions.json").read_text(encoding="utf8")
    Path("descriptions.json").write_text(text.replace("TODO: ", ""), encoding="utf8")
    nlp = init_nlp(config)
    Path("training").mkdir(exist_ok=True)
    train(nlp, Path("training"))
    rel = spacy.load("training/model-last").get_pipe(NAME)
    assert (set(rel.labels), rel.symmetric, rel.spans_key) == ({"WORKS_FOR", "KNOWS"}, {"KNOWS"}, "entities")


def test_pairs_of_types_go_into_config_and_descriptions(tmp_path):
    pairs = [("PERSON", "FIRM"), ("PERSON", "PERSON")]
    config, descriptions, _ = write_starter(tmp_path, ["KNOWS"], ["PERSON", "FIRM"], pairs)
    relations = load_config(config, interpolate=False)["relations"]
    assert relations["candidates"]["type_pairs"] == [["PERSON", "FIRM"], ["PERSON", "PERSON"]]
    texts = srsly.read_json(descriptions)
    assert list(texts) == ["no_relation", "KNOWS"] and set(texts["KNOWS"]) == {"PERSON|FIRM", "PERSON|PERSON"}
    with pytest.raises(ValueError, match="DR041.*still has to be written"):
        read_descriptions(descriptions)


@pytest.mark.parametrize(
    "changed, problem",
    [
        (("--labels", ","), "DR800.*predicates"),
        (("--types", "A,A"), "DR800.*types.*A, A"),
        (("--labels", "no_relation"), "DR167"),
        (("--symmetric", "LIKES"), "DR801.*symmetric.*LIKES.*WORKS_FOR, KNOWS"),
        (("--type-pairs", "PERSON|DOG"), "DR801.*type pairs.*DOG"),
        (("--type-pairs", "PERSON"), "DR801.*''.*PERSON"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path, changed, problem):
    result = command("dualre", "init-config", *OPTIONS, *changed, "--output", tmp_path / "new")
    assert result.exit_code == 1
    match(problem, result.output)
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "descriptions.json").write_text("mine")
    with pytest.raises(ValueError, match="DR802.*descriptions.json"):
        write_starter(tmp_path, ["KNOWS"], ["PERSON"])
    assert [path.name for path in tmp_path.iterdir()] == ["descriptions.json"]


def test_the_config_is_that_of_the_folder_configs():
    packaged = ROOT / "spacy_dualre" / "starter" / "default.cfg"
    assert packaged.read_bytes() == (ROOT / "configs" / "default.cfg").read_bytes()
