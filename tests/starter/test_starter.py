"""A folder to start from: what is in it, what is refused, and that a pipeline comes out of it."""

from pathlib import Path

import pytest
import spacy
import srsly
from helpers.commands import match
from helpers.paths import ROOT
from helpers.pipelines import NAME
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin, Span
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from spacy.vocab import Vocab
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre import Relation
from spacy_dualre.instances.descriptions import read_descriptions
from spacy_dualre.starter import write_starter
from spacy_dualre.starter.facts import Facts, find_facts

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
    assert result.exit_code == 0 and "fill in" in result.output, result.output
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
    config, descriptions, _ = write_starter(tmp_path, Facts(["KNOWS"], ["PERSON", "FIRM"], pairs))
    relations = load_config(config, interpolate=False)["relations"]
    assert relations["candidates"]["type_pairs"] == [["PERSON", "FIRM"], ["PERSON", "PERSON"]]
    texts = srsly.read_json(descriptions)
    assert list(texts) == ["no_relation", "KNOWS"] and set(texts["KNOWS"]) == {"PERSON|FIRM", "PERSON|PERSON"}
    with pytest.raises(ValueError, match="DR041.*still has to be written"):
        read_descriptions(descriptions)


def people(text, *rels, key="entities"):
    """A Doc in which words in capitals are people and words that begin with one firms. rels: words and predicate."""
    doc = Doc(Vocab(), words=text.split(" "), sent_starts=[i == 0 for i in range(len(text.split(" ")))])
    spans = {
        token.text: Span(doc, token.i, token.i + 1, label="PERSON" if token.text.isupper() else "FIRM")
        for token in doc
        if token.text[0].isupper()
    }
    if key is None:
        doc.ents = list(spans.values())
    else:
        doc.spans[key] = list(spans.values())
    doc._.rels = [Relation(spans[subject], predicate, spans[object]) for subject, predicate, object in rels]
    return doc


@pytest.mark.parametrize("key", ["entities", "sc", None])
def test_facts_of_documents(key):
    texts = [
        ("ADA founded Acme with BO", ("ADA", "FOUNDED", "Acme"), ("ADA", "KNOWS", "BO"), ("BO", "KNOWS", "ADA")),
        ("Beta was set up by CY", ("CY", "FOUNDED", "Beta")),
        ("Gamma was set up by DI", ("DI", "FOUNDED", "Gamma")),
        ("EVA visited Delta", ("EVA", "no_relation", "Delta")),
        ("FOX { } leads Eta", ("FOX", "LEADS", "Eta")),
        ("GIL { } leads Rho", ("GIL", "LEADS", "Rho")),
    ]
    facts = find_facts([people(*text, key=key) for text in texts])
    assert facts.labels == ["FOUNDED", "KNOWS", "LEADS"] and facts.types == ["PERSON", "FIRM"]
    assert facts.type_pairs == [("PERSON", "FIRM"), ("PERSON", "PERSON")]
    assert (facts.symmetric, facts.one_way, facts.spans_key) == (["KNOWS"], [], key)
    # ADA with Acme, BO with Acme, ADA with BO and BO with ADA, and one in each of the others
    assert facts.candidates == 9
    assert facts.drafts == {
        "FOUNDED": "{object} was set up by {subject}.",
        "KNOWS": "{subject} has the relation knows to {object}.",
        "LEADS": "{subject} has the relation leads to {object}.",
    }


def test_a_phrase_that_is_as_frequent_elsewhere_is_no_draft():
    """ "and" stands in 3 of 12 pairs for the predicate, "joins" in all of its 2: 9/12/4 against 4/2."""
    docs = [people("ADA and Acme", *[("ADA", "JOINS", "Acme")][: i < 3]) for i in range(12)]
    docs += [people("ADA joins Acme", ("ADA", "JOINS", "Acme")) for _ in range(2)]
    assert find_facts(docs).drafts == {"JOINS": "{subject} joins {object}."}


def test_predicates_that_keep_the_order_of_the_text_are_named():
    docs = [people("ADA likes BO", ("ADA", "LIKES", "BO")) for _ in range(19)]
    assert find_facts(docs).one_way == []
    docs.append(people("ADA likes BO", ("ADA", "LIKES", "BO")))
    assert find_facts(docs).one_way == ["LIKES"]
    docs += [people("ADA likes BO", ("BO", "LIKES", "ADA")) for _ in range(3)]
    assert find_facts(docs).one_way == []
    # The types tell the direction
    assert find_facts([people("ADA leads Acme", ("ADA", "LEADS", "Acme")) for _ in range(30)]).one_way == []


@pytest.mark.slow
@pytest.mark.parametrize("with_dev", [True, False])
def test_from_data_to_a_pipeline(tmp_path, monkeypatch, encoder, with_dev):
    names = ["ADA", "BO", "CY", "DI", "EVA", "FOX", "GIL", "HAL", "IDA", "JO", "KIM", "LU"]
    docs = [people(f"{name} works for Acme{i}", (name, "WORKS_FOR", f"Acme{i}")) for i, name in enumerate(names)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    dev = ("--dev", tmp_path / "data.spacy") if with_dev else ()
    result = command("dualre", "init-config", "--data", tmp_path / "data.spacy", *dev, "--output", tmp_path / "new")
    assert result.exit_code == 0 and "WORKS_FOR" in result.output, result.output
    monkeypatch.chdir(tmp_path / "new")
    n = [len(DocBin().from_disk(f"corpus/{name}.spacy")) for name in ("train", "dev")]
    assert n == [12, 12] if with_dev else sum(n) == 12 and 0 < n[1] < n[0]
    assert srsly.read_json("descriptions.json")["WORKS_FOR"] == "{subject} works for {object}."
    planned = command("project", "run", "all", ".", "--dry")
    assert planned.exit_code == 0 and "convert" not in planned.output, planned.output

    training = load_config("config.cfg")["training"]
    assert (training["max_epochs"], training["eval_frequency"], training["batcher"]["size"]) == (40, 4, 64)
    overrides = {"paths.encoder": encoder, "training.max_steps": 2, "training.eval_frequency": 1}
    nlp = init_nlp(load_config("config.cfg", overrides=overrides, interpolate=False))
    Path("training").mkdir(exist_ok=True)
    train(nlp, Path("training"))
    rel = spacy.load("training/model-last").get_pipe(NAME)
    assert (set(rel.labels), rel.spans_key) == ({"WORKS_FOR"}, "entities")


def test_options_take_precedence_over_the_data(tmp_path):
    docs = [people("ADA likes BO", ("ADA", "LIKES", "BO")), people("ADA leads Acme", ("ADA", "LEADS", "Acme"))]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    paths = ("--data", tmp_path / "data.spacy", "--dev", tmp_path / "data.spacy", "--output", tmp_path / "new")
    result = command("dualre", "init-config", *paths, "--labels", "LIKES,OWNS", "--symmetric", "LIKES")
    assert result.exit_code == 0, result.output
    texts = srsly.read_json(tmp_path / "new" / "descriptions.json")
    assert list(texts) == ["no_relation", "LIKES", "OWNS"]
    assert texts["OWNS"]["PERSON|FIRM"].startswith("TODO: ")
    relations = load_config(tmp_path / "new" / "config.cfg", interpolate=False)["relations"]
    assert relations["symmetric"] == ["LIKES"]


@pytest.mark.parametrize("docs", [[], [people("ADA likes BO", ("ADA", "LIKES", "BO"))]])
def test_too_few_documents_are_named(tmp_path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    result = command("dualre", "init-config", "--data", tmp_path / "data.spacy", "--output", tmp_path / "new")
    assert result.exit_code == 1 and not (tmp_path / "new").exists()
    match("DR803.*data.spacy: too few documents", result.output)


def test_relations_across_sentences_leave_no_candidate_and_no_conversion(tmp_path):
    doc = people("ADA left . Acme mourned", ("ADA", "LEFT", "Acme"))
    doc[3].is_sent_start = True
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "data.spacy")
    paths = ("--data", tmp_path / "data.spacy", "--dev", tmp_path / "data.spacy", "--output", tmp_path / "new")
    result = command("dualre", "init-config", *paths)
    assert result.exit_code == 0, result.output
    match("Pairs of mentions to train on: 0", result.output)
    assert srsly.read_yaml(tmp_path / "new" / "project.yml")["workflows"]["all"] == ["train", "evaluate", "extract"]


def test_documents_without_relations_are_refused(tmp_path):
    DocBin(docs=[people("ADA met BO")] * 2, store_user_data=True).to_disk(tmp_path / "data.spacy")
    paths = ("--data", tmp_path / "data.spacy", "--dev", tmp_path / "data.spacy", "--output", tmp_path / "new")
    result = command("dualre", "init-config", *paths)
    assert result.exit_code == 1 and not (tmp_path / "new").exists()
    match("DR174.*No Doc._.rels in 2", result.output)


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
        write_starter(tmp_path, Facts(["KNOWS"], ["PERSON"]))
    assert [path.name for path in tmp_path.iterdir()] == ["descriptions.json"]


def test_the_config_is_that_of_the_folder_configs():
    packaged = ROOT / "spacy_dualre" / "starter" / "default.cfg"
    assert packaged.read_bytes() == (ROOT / "configs" / "default.cfg").read_bytes()
