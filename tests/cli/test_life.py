"""What a user does with a config that is shipped, from training to a package, with spaCy's commands and ours."""

from pathlib import Path
from typing import Any, List, Tuple

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, save_bert
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from spacy.util import load_config
from spacy.vocab import Vocab
from thinc.api import Config
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre import Relation
from spacy_dualre.annotations.mentions import SPANS_KEY
from spacy_dualre.starter import write_starter
from spacy_dualre.starter.facts import Facts

#: Configs that train. Those that put trained components together are in test_raw_text.py.
CONFIGS = [path for path in sorted((ROOT / "configs").glob("*.cfg")) if not path.stem.startswith("pipeline")]


#: Those of BioRED.
TYPES = ("ChemicalEntity", "GeneOrGeneProduct")


def call(*args: Any) -> str:
    result = CliRunner().invoke(app, list(map(str, args)))
    assert result.exit_code == 0, (args, result.output, result.exception)
    return result.output


def make_corpus(folder: Path, predicates: List[str], types: Tuple[str, str]) -> None:
    """Documents with what the corpora have: ids, and mentions in a span group. Of the first file, as many as `debug
    data` wants.
    """
    docs = []
    for number in range(100):
        doc = make_doc(Vocab(), [("Aspirin", types[0]), ("inhibits", ""), ("COX-1", types[1]), (".", "")])
        subject, object = [
            Span(doc, m.start, m.end, m.label, span_id=id, kb_id=m.text) for m, id in zip(doc.ents, ("e1", "e2"))
        ]
        doc.ents = doc.spans[SPANS_KEY] = [subject, object]
        doc._.rels = [Relation(subject, predicates[number % 2], object)]
        doc.user_data["doc_id"] = str(number)
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "train.spacy")
    DocBin(docs=docs[:4], store_user_data=True).to_disk(folder / "dev.spacy")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("config", [*CONFIGS, Path("init-config.cfg")], ids=lambda path: path.stem)
def test_a_trained_pipeline_takes_every_command(config, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    encoder = save_bert(tmp_path / "encoder", lowercase=True, layers=4, positions=256)
    if not config.exists():
        config = write_starter(tmp_path, Facts(["INHIBITS", "ACTIVATES"], ["CHEMICAL", "GENE"]))[0]
    descriptions = ROOT / "assets" / config.stem / "descriptions.json"
    if not descriptions.exists():
        descriptions = tmp_path / "given.json"
        srsly.write_json(descriptions, DESCRIPTIONS)
    data, trained = tmp_path / "dev.spacy", tmp_path / "training" / "model-last"
    types = TYPES if config.stem in ("biored", "mixed") else ("CHEMICAL", "GENE")
    make_corpus(tmp_path, [name for name in srsly.read_json(descriptions) if name != "no_relation"], types)
    paths = {"train": tmp_path / "train.spacy", "dev": data, "encoder": encoder, "descriptions": descriptions}
    options = [f"--paths.{name}={paths[name]}" for name in load_config(config)["paths"]]
    steps = ("--training.max_steps=2", "--training.eval_frequency=2", "--training.batcher.size=20")
    call("train", config, "--output", trained.parent, *options, *steps)
    nlp = spacy.load(trained)
    assert nlp.create_optimizer().learn_rate >= 0 and nlp.resume_training().learn_rate >= 0
    call("debug", "data", trained / "config.cfg", "--no-format")
    if NAME in nlp.pipe_names:
        take_every_command(trained, tmp_path)
        across = "entity_pairs" not in str(nlp.config["relations"])
        card = (trained / "README.md").read_text()
        assert ("also across sentences" in card) == across and ("Relations across sentences" in card) != across


def take_every_command(trained: Path, folder: Path) -> None:
    data = folder / "dev.spacy"
    call("debug", "config", trained / "config.cfg")
    call("benchmark", "accuracy", trained, data)
    call("find-threshold", trained, data, NAME, "threshold", "rels_f", "--n_trials", 2)
    call("package", trained, folder, "--build", "none")
    sources = {NAME: {"source": str(trained)}}
    Config({"nlp": {"lang": "en", "pipeline": [NAME]}, "components": sources}).to_disk(folder / "all.cfg")
    call("assemble", folder / "all.cfg", folder / "assembled")
    call("dualre", "evaluate", trained, data)
    call("dualre", "card", trained)
