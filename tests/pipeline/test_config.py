"""Entry points, the factory's settings, and spaCy's commands that read and write configs and pipelines."""

import configparser
import inspect
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, make_examples
from spacy.cli.debug_config import debug_config
from spacy.cli.init_config import fill_config
from spacy.tokens import DocBin
from spacy.util import load_config, registry
from thinc.api import Config, ConfigValidationError

from spacy_dualre.formats import chemprot, semeval
from spacy_dualre.pipeline.factory import make_dual_encoder_rel
from spacy_dualre.scoring.protocols import biored, scierc
from spacy_dualre.types import Cascade

NAME = "dual_encoder_rel"
DECLARED = configparser.ConfigParser()
DECLARED.read(ROOT / "setup.cfg")
ENTRY_POINTS = [
    (group, *(part.strip() for part in line.split("=")))
    for group, lines in DECLARED["options.entry_points"].items()
    for line in lines.strip().splitlines()
]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
#: The corpora of configs/mixed.cfg.
MIXED = ("chemprot", "biored")
#: Those that train no relations.
PARTS = {"ner", "ner_transformer", "pipeline", "pipeline_ruler", "pipeline_scispacy", "spancat", "spancat_transformer"}
#: A value for each setting that is not its default.
SETTINGS = {
    "spans_key": "all",
    "type_map": {"CHEM": "CHEMICAL"},
    "alpha": 0.25,
    "prediction": "joint",
    "threshold": 0.75,
    "symmetric": ["INHIBITS"],
    "max_candidates_per_batch": 7,
    "negatives_per_positive": 3.0,
    "sampled_predicates": 2,
    "predicates_per_corpus": True,
    "multi_label": True,
    "context": 33,
    "description_mode": "static",
    "cascade": {"predicates": 2, "negative": 0.75},
}


def spacy_command(*args, **kwargs):
    """Run a command of spaCy in a process of its own, which imports our package only if spaCy finds it."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


@pytest.mark.parametrize("group, name, value", ENTRY_POINTS)
def test_entry_point_resolves(group, name, value):
    (found,) = entry_points(group=group, name=name)
    assert found.value == value
    assert callable(found.load())
    if group not in ("spacy_factories", "spacy_cli"):
        assert registry.get(group.split("_", 1)[1], name) is found.load()


def test_every_registered_kind_is_declared():
    groups = {group for group, _, _ in ENTRY_POINTS}
    needed = {"spacy_factories", "spacy_architectures", "spacy_misc", "spacy_readers", "spacy_scorers", "spacy_cli"}
    assert needed <= groups


@pytest.mark.slow
def test_component_is_found_without_importing_the_package():
    code = """
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("dual_encoder_rel")
print(nlp.make_doc("A b")._.rels)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "()", result.stderr


def test_every_setting_reaches_the_component(make_nlp):
    component = make_nlp(**SETTINGS).get_pipe(NAME)
    given = {name for name in inspect.signature(make_dual_encoder_rel).parameters} - {"nlp", "name"}
    assert given == set(SETTINGS) | {"model", "candidates", "scorer"}
    kinds = {"symmetric": set, "cascade": lambda value: Cascade(**value)}
    for name, value in SETTINGS.items():
        assert getattr(component, name) == kinds.get(name, lambda value: value)(value), name


def test_model_candidates_and_scorer_reach_the_component(make_nlp):
    component = make_nlp(
        model={"max_length": 99},
        candidates={"@misc": "spacy-dualre.entity_pairs.v1", "max_tokens": 5},
        scorer=None,
    ).get_pipe(NAME)
    assert component.model.attrs["max_length"] == 99
    assert component.candidates.max_tokens == 5
    assert component.scorer is None


def test_config_round_trip(make_nlp):
    nlp = make_nlp(**SETTINGS)
    config = Config().from_str(nlp.config.to_str())
    again = spacy.blank("xx").from_config(config).get_pipe(NAME)
    assert {name: getattr(again, name) for name in SETTINGS} == {
        name: getattr(nlp.get_pipe(NAME), name) for name in SETTINGS
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in CONFIGS if not path.stem.startswith("pipeline")], ids=lambda path: path.stem
)
def test_configs_are_complete(path, tmp_path, encoder, monkeypatch):
    monkeypatch.chdir(ROOT)
    fill_config(tmp_path / "filled.cfg", path)
    data = tmp_path / "data.spacy"
    DocBin().to_disk(data)
    srsly.write_json(tmp_path / "descriptions.json", DESCRIPTIONS)
    given = {"train": data, "dev": data, "encoder": encoder, "descriptions": tmp_path / "descriptions.json"}
    needed = load_config(path)["paths"]
    debug_config(tmp_path / "filled.cfg", overrides={f"paths.{name}": str(given[name]) for name in needed})


def test_misspelt_setting_in_a_config_is_named(tmp_path, capsys):
    # The first one is the component's
    wrong = re.sub("^spans_key = ", "span_key = ", (ROOT / "configs/default.cfg").read_text(), flags=re.MULTILINE)
    wrong = wrong.replace("span_key = null", "spans_key = null", 1)
    (tmp_path / "wrong.cfg").write_text(wrong)
    # Earlier versions of spaCy raise the error, later ones print it
    with pytest.raises((SystemExit, ConfigValidationError)) as caught:
        fill_config(tmp_path / "filled.cfg", tmp_path / "wrong.cfg")
    output = capsys.readouterr()
    assert "span_key" in output.out + output.err + str(caught.value)


def make_corpus(folder: Path) -> Path:
    nlp = spacy.blank("en")
    docs = [example.reference for example in make_examples(nlp.vocab)]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "data.spacy")
    return folder / "data.spacy"


@pytest.mark.slow
def test_init_labels_writes_a_descriptions_file(tmp_path, encoder):
    data = make_corpus(tmp_path)
    srsly.write_json(tmp_path / "descriptions.json", DESCRIPTIONS)
    overrides = ["--paths.train", data, "--paths.dev", data, "--paths.encoder", encoder]
    overrides += ["--paths.descriptions", tmp_path / "descriptions.json"]
    result = spacy_command("init", "labels", "configs/default.cfg", tmp_path / "labels", *overrides, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    descriptions = registry.get("readers", "spacy-dualre.read_descriptions.v1")(tmp_path / "labels" / f"{NAME}.json")
    assert descriptions == DESCRIPTIONS


@pytest.mark.slow
def test_default_config_trains_on_own_data(tmp_path, encoder):
    data = make_corpus(tmp_path)
    srsly.write_json(tmp_path / "descriptions.json", DESCRIPTIONS)
    overrides = ["--paths.train", data, "--paths.dev", data, "--paths.encoder", encoder]
    overrides += ["--paths.descriptions", tmp_path / "descriptions.json", "--training.max_epochs", "2"]
    result = spacy_command("train", "configs/default.cfg", "--output", tmp_path / "out", *overrides, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 documents, 11 mentions, 4 gold relations, 7 candidates" in result.stdout + result.stderr
    assert spacy.load(tmp_path / "out" / "model-best").get_pipe(NAME).is_initialized


@pytest.mark.slow
def test_assemble_and_package(trained, tmp_path):
    nlp = trained(threshold=0.0)
    nlp.to_disk(tmp_path / "pipeline")
    config = {
        "nlp": {"lang": "xx", "pipeline": [NAME]},
        "components": {NAME: {"source": str(tmp_path / "pipeline")}},
    }
    Config(config).to_disk(tmp_path / "config.cfg")
    assembled = spacy_command("assemble", tmp_path / "config.cfg", tmp_path / "assembled")
    assert assembled.returncode == 0, assembled.stdout + assembled.stderr
    loaded = spacy.load(tmp_path / "assembled")
    doc = make_examples(loaded.vocab)[0].predicted
    assert len(loaded(doc)._.rels) == 2

    (tmp_path / "packages").mkdir()
    package = spacy_command(
        "package", tmp_path / "assembled", tmp_path / "packages", "--name", "rels", "--build", "none"
    )
    assert package.returncode == 0, package.stdout + package.stderr
    folder = next((tmp_path / "packages").glob("xx_rels-*"))
    meta = srsly.read_json(folder / "meta.json")
    assert any(requirement.startswith("spacy-dualre") for requirement in meta["requirements"])
    packaged = spacy.load(folder / "xx_rels" / folder.name)
    assert "INHIBITS" in packaged.get_pipe(NAME).labels


@pytest.mark.slow
def test_import_is_silent():
    # spaCy itself may warn
    code = "import spacy, warnings; warnings.simplefilter('error'); import spacy_dualre"
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


#: The predicates of each corpus, beside the negative one.
PREDICATES = {
    "biored": biored.LABELS,
    "chemprot": chemprot.GROUPS,
    "demo": {rel["predicate"] for doc in srsly.read_jsonl(ROOT / "assets/demo/train.jsonl") for rel in doc["rels"]},
    "mixed": (*chemprot.GROUPS, *biored.LABELS),
    "scierc": scierc.LABELS,
    "semeval": semeval.NAMES,
}


def test_each_corpus_has_a_config_and_descriptions():
    folders = {path.parent.name for path in (ROOT / "assets").glob("*/descriptions.json")}
    assert folders == {path.stem for path in CONFIGS} - {"default", *PARTS} == {*PREDICATES, "general"}


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*/open.json")), ids=lambda path: path.parent.name)
def test_a_general_pipeline_has_other_descriptions_of_the_same_predicates(path):
    read = registry.get("readers", "spacy-dualre.read_descriptions.v1")
    assert set(read(path)) == set(PREDICATES[path.parent.name])


def test_what_a_general_pipeline_holds_out_is_described():
    read = registry.get("readers", "spacy-dualre.read_descriptions.v1")
    config = load_config(ROOT / "configs" / "general.cfg")
    assert set(config["relations"]["unseen"]) < set(read(ROOT / "assets" / "general" / "descriptions.json"))


@pytest.mark.parametrize("corpus", PREDICATES)
def test_descriptions_of_assets_are_usable(corpus):
    read = registry.get("readers", "spacy-dualre.read_descriptions.v1")
    assert set(read(ROOT / "assets" / corpus / "descriptions.json")) == {"no_relation", *PREDICATES[corpus]}


@pytest.mark.parametrize("labels, n", [("groups", 11), ("fine", 23)])
def test_all_labels_of_chemprot_are_described(labels, n):
    texts = registry.get("readers", "spacy-dualre.read_descriptions.v1")(
        ROOT / "assets" / "chemprot" / f"descriptions_{labels}.json"
    )
    assert len(texts) == n + 1 and (labels == "fine" or set(texts) == {"no_relation", *chemprot.ALL_GROUPS})


def test_descriptions_with_the_direction_in_the_label_exchange_subject_and_object():
    read = registry.get("readers", "spacy-dualre.read_descriptions.v1")
    texts = read(ROOT / "assets" / "semeval" / "descriptions19.json")
    assert set(texts) == {"no_relation"} | {f"{name}({pair})" for name in semeval.NAMES for pair in ("e1,e2", "e2,e1")}
    exchange = {"{subject}": "{object}", "{object}": "{subject}"}
    for name in semeval.NAMES:
        exchanged = re.sub(r"{\w+}", lambda match: exchange[match[0]], texts[f"{name}(e1,e2)"])
        assert exchanged == texts[f"{name}(e2,e1)"]


@pytest.mark.parametrize("corpus", sorted(set(PREDICATES) - {"demo", "mixed"}))
def test_configs_of_corpora_train_for_the_official_figure(corpus):
    config = load_config(ROOT / "configs" / f"{corpus}.cfg", interpolate=True)
    scorer = config["components"][NAME]["scorer"]
    assert scorer == {"@scorers": "spacy-dualre.protocol_scorer.v1", "protocol": corpus}
    assert callable(registry.resolve({"scorer": scorer})["scorer"])


def test_biored_has_descriptions_for_the_pairs_of_types_that_are_asked_for():
    config = load_config(ROOT / "configs" / "biored.cfg", interpolate=True)
    texts = srsly.read_json(ROOT / "assets" / "biored" / "descriptions.json")
    described = {
        frozenset(pair.split("|")) for name, by_types in texts.items() if name in biored.LABELS for pair in by_types
    }
    asked_for = {frozenset(pair) for pair in config["training"]["batcher"]["candidates"]["type_pairs"]}
    assert described == asked_for
    assert not asked_for & set(biored.IGNORED)


def test_the_mixed_config_asks_for_what_its_corpora_and_descriptions_have():
    mixed, *own = (load_config(ROOT / "configs" / f"{name}.cfg", interpolate=True) for name in ("mixed", *MIXED))
    asked_for, *of_own = (
        {tuple(pair) for pair in config["training"]["batcher"]["candidates"]["type_pairs"]} for config in (mixed, *own)
    )
    assert {frozenset(pair) for pair in asked_for} == {frozenset(pair) for pairs in of_own for pair in pairs}
    texts, *of_corpora = (srsly.read_json(ROOT / "assets" / name / "descriptions.json") for name in ("mixed", *MIXED))
    assert texts == {**of_corpora[1], **of_corpora[0], "no_relation": texts["no_relation"]}
    assert set(mixed["training"]["batcher"]["symmetric"]) == set(biored.LABELS)
    # Unlike pairs of concepts, those of mentions have the direction that is asked for
    described = {tuple(pair.split("|")) for name in biored.LABELS for pair in texts[name]}
    assert described == asked_for - {("CHEMICAL", "GENE")}
