"""From raw text to relations: mentions that the pipeline finds, in training, in one pipeline, and in scores."""

import warnings

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, make_examples
from spacy.cli._util import app
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_model_from_config
from thinc.api import Adam
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.pipeline.component import DualEncoderRel

CONFIGS = ROOT / "configs"
TEXTS = [
    ("Aspirin", "inhibits", "COX1"),
    ("Losartan", "activates", "AT1"),
    ("Warfarin", "inhibits", "CYP2"),
    ("Codeine", "activates", "OPRM"),
]


def command(*args):
    result = CliRunner().invoke(app, [*map(str, args)])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def folder(tmp_path, encoder):
    """Documents of a sentence with a relation each, descriptions, and default.cfg with a few steps."""
    vocab = spacy.blank("xx").vocab
    docs = []
    for subject, verb, obj in TEXTS:
        words = [(subject, "CHEMICAL"), (verb, ""), (obj, "GENE"), (".", "")]
        docs.append(make_doc(vocab, words, [(0, verb.upper(), 1)]))
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    srsly.write_json(tmp_path / "descriptions.json", DESCRIPTIONS)
    return tmp_path


def config(folder, encoder, **changes):
    paths = {"train": folder / "data.spacy", "dev": folder / "data.spacy", "encoder": encoder}
    paths["descriptions"] = folder / "descriptions.json"
    overrides = {f"paths.{name}": str(path) for name, path in paths.items()}
    overrides |= {"training.max_steps": 2, "training.eval_frequency": 1, "training.max_epochs": 0}
    return load_config(CONFIGS / "default.cfg", overrides={**overrides, **changes}, interpolate=False)


def with_ruler(config, rules, annotating):
    """The config with a ruler before the component, which finds the mentions of the training documents."""
    config["nlp"]["lang"] = "xx"
    config["nlp"]["pipeline"] = ["sentencizer", "entity_ruler", NAME]
    config["components"]["sentencizer"] = {"factory": "sentencizer"}
    config["components"]["entity_ruler"] = {"source": str(rules)}
    config["training"]["frozen_components"] = ["sentencizer", "entity_ruler"]
    config["training"]["annotating_components"] = annotating
    for name in ("train", "dev"):
        config["corpora"][name]["gold_mentions"] = False
        config["corpora"][name]["annotating_components"] = annotating
    return config


@pytest.fixture
def rules(tmp_path):
    """A ruler that finds three of the four subjects, and takes a verb for a gene."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    names = [("CHEMICAL", name) for name in ("Aspirin", "Losartan", "Warfarin")]
    names += [("GENE", name) for name in ("COX1", "AT1", "CYP2", "OPRM", "activates")]
    nlp.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": name} for label, name in names])
    nlp.to_disk(tmp_path / "rules")
    return tmp_path / "rules"


def test_training_on_the_mentions_of_annotating_components(folder, encoder, rules, monkeypatch):
    seen = []
    original = DualEncoderRel.training_targets

    def spy(self, examples):
        targets = original(self, examples)
        for candidate, row in zip(*targets, strict=True):
            gold = [label for label, share in zip(self.labels, row[1:], strict=True) if share]
            seen.append((candidate.subject.text, candidate.object.text, *gold))
        return targets

    monkeypatch.setattr(DualEncoderRel, "training_targets", spy)
    settings = with_ruler(config(folder, encoder), rules, ["sentencizer", "entity_ruler"])
    with pytest.warns(UserWarning, match="DW163.*1 of 4 gold relations.*entity missing on the predicted document"):
        nlp = init_nlp(settings)
    (folder / "out").mkdir()
    train(nlp, folder / "out")
    # The wrong mention makes a negative, the missed one no candidate; the others keep their gold predicates
    expected = {("Aspirin", "COX1", "INHIBITS"), ("Losartan", "AT1", "ACTIVATES"), ("Losartan", "activates")}
    assert set(seen) == expected | {("Warfarin", "CYP2", "INHIBITS")}
    doc = spacy.load(folder / "out" / "model-last")("Losartan activates AT1.")
    assert [ent.text for ent in doc.ents] == ["Losartan", "activates", "AT1"]


def test_training_where_nobody_finds_the_mentions_says_what_to_do(folder, encoder):
    settings = config(folder, encoder)
    settings["corpora"]["train"]["gold_mentions"] = False
    with warnings.catch_warnings(), pytest.raises(ValueError, match="DR169.*annotating_components"):
        warnings.simplefilter("ignore")
        init_nlp(settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ner", "spancat", "ner_transformer", "spancat_transformer"])
def test_one_pipeline_takes_raw_text(folder, encoder, name, trained):
    mentions = name.split("_")[0]
    # The encoder is a random one
    overrides = {"nlp.lang": "xx", "paths.train": str(folder / "data.spacy")} | (
        {"paths.encoder": encoder} if name != mentions else {}
    )
    settings = load_config(CONFIGS / f"{name}.cfg", overrides=overrides, interpolate=True)
    finder = load_model_from_config(settings, auto_fill=True)
    examples = list(Corpus(folder / "data.spacy")(finder))
    for example in examples:
        example.reference.spans["entities"] = list(example.reference.ents)
    finder.initialize(lambda: examples)
    sgd = Adam(0.005)
    learnt, rounds = 0.0, 0
    while learnt < 1.0 and rounds < 20:
        for _ in range(20):
            finder.update(examples, sgd=sgd)
        scores = finder.evaluate(examples)
        learnt, rounds = scores["ents_f" if mentions == "ner" else "spans_entities_f"], rounds + 1
    finder.to_disk(folder / mentions)
    trained(spans_key="entities" if mentions == "spancat" else None, threshold=0.0).to_disk(folder / "relations")
    options = ("--paths.mentions", folder / mentions, "--components.mentions.component", mentions)
    options += ("--paths.relations", folder / "relations")
    command("assemble", CONFIGS / "pipeline.cfg", folder / "pipeline", "--nlp.lang", "xx", *options)

    nlp = spacy.load(folder / "pipeline")
    assert nlp.pipe_names == ["sentencizer", "mentions", NAME]
    (rel,) = nlp("Aspirin inhibits COX1 .")._.rels
    assert (rel.subject.text, rel.subject.label_, rel.object.text) == ("Aspirin", "CHEMICAL", "COX1")
    scores = folder / "scores.json"
    result = command(
        "dualre", "evaluate", folder / "pipeline", folder / "data.spacy", "--no-gold-mentions", "-o", scores
    )
    assert "mentions" in result.output
    assert srsly.read_json(scores)["ents_f"] == 1.0
    lines = folder / "rels.jsonl"
    command("dualre", "extract", folder / "pipeline", folder / "data.spacy", lines, "--no-gold-mentions")
    assert [len(record["mentions"]) for record in srsly.read_jsonl(lines)] == [2] * 4


def test_relations_learnt_from_span_groups_read_the_entities_of_an_ner(trained):
    nlp = trained(threshold=0.0)
    rel = nlp.get_pipe(NAME)
    rel.spans_key = "entities"
    doc = make_doc(nlp.vocab, [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE")])
    assert len(rel(doc)._.rels) == 1
    doc.spans["entities"] = []
    assert rel(doc)._.rels == ()


def test_an_ner_and_abbreviations_of_scispacy(folder, trained):
    pytest.importorskip("scispacy", reason="the extra 'biomed' is not installed")
    # A ruler in place of scispaCy's own pipelines, which have to be downloaded
    finder = spacy.blank("xx")
    names = [("CHEMICAL", "Acetylsalicylic acid"), ("CHEMICAL", "ASA"), ("GENE", "COX1")]
    finder.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": name} for label, name in names])
    finder.to_disk(folder / "finder")
    trained(threshold=0.0).to_disk(folder / "relations")
    options = ("--paths.mentions", folder / "finder", "--components.mentions.component", "entity_ruler")
    options += ("--paths.relations", folder / "relations", "--code", CONFIGS / "scispacy_components.py")
    with warnings.catch_warnings():
        # The ruler has no word vectors
        warnings.simplefilter("ignore")
        command("assemble", CONFIGS / "pipeline_scispacy.cfg", folder / "pipeline", "--nlp.lang", "xx", *options)
    nlp = spacy.load(folder / "pipeline")
    (doc,) = nlp.pipe(["Acetylsalicylic acid (ASA) inhibits COX1 . ASA inhibits COX1 ."])
    assert len(doc._.rels) == 3
    # Which predicates a random network gives is no matter: the short form is of the concept of the long one
    assert {rel.subject.text for rel in doc._.rels} == {"Acetylsalicylic acid", "ASA"}
    assert {(rel.subject.id, rel.object.id) for rel in doc._.concept_rels} == {("acetylsalicylic acid", "cox1")}
    assert sum(len(rel.evidence) for rel in doc._.concept_rels) == 3
    DocBin(docs=[doc], store_user_data=True).to_bytes()


def test_a_list_of_names_in_a_config(folder, trained):
    trained(threshold=0.0, spans_key="entities").to_disk(folder / "relations")
    patterns = [{"label": "CHEMICAL", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX1"}]
    srsly.write_json(folder / "names.json", patterns)
    options = ("--paths.patterns", folder / "names.json", "--paths.relations", folder / "relations")
    command("assemble", CONFIGS / "pipeline_ruler.cfg", folder / "pipeline", "--nlp.lang", "xx", *options)
    (rel,) = spacy.load(folder / "pipeline")("Aspirin inhibits COX1.")._.rels
    assert (rel.subject.text, rel.object.text) == ("Aspirin", "COX1")


def test_relations_are_added_to_a_pipeline_that_finds_mentions(rules, trained):
    nlp = spacy.load(rules)
    nlp.add_pipe(NAME, source=trained(threshold=0.0))
    (rel,) = nlp("Aspirin inhibits COX1.")._.rels
    assert (rel.subject.text, rel.object.text) == ("Aspirin", "COX1")


def test_training_without_the_span_group_warns(make_nlp):
    nlp = make_nlp(spans_key="entites")
    examples = make_examples(nlp.vocab)
    with pytest.warns(UserWarning, match="DW170.*entites.*doc.ents"):
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
