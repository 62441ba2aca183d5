"""`spacy dualre train`: as `spacy train`, and as if nothing had happened after it was cut off at any moment."""

import os
import pkgutil
import re
import shutil
import signal
from pathlib import Path

import pytest
import spacy
import srsly
from conftest import DESCRIPTIONS, make_examples
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.training import CHECKPOINT, Checkpoint

ROOT = Path(__file__).parent.parent
# Evaluations are after steps 0, 7, 14, 21 (the best) and 28. Four batches an epoch, so that they are anywhere in it;
# dropout, shuffling, a sample of the negatives and a schedule, so that every state counts; some batches come out empty
OVERRIDES = {
    "system.seed": 1,
    "training.max_epochs": 0,
    "training.max_steps": 30,
    "training.eval_frequency": 7,
    "training.batcher.size": 6,
    "training.optimizer.learn_rate.initial_rate": 0.003,
    "training.optimizer.learn_rate.warmup_steps": 2,
    "training.optimizer.learn_rate.total_steps": 40,
    "components.dual_encoder_rel.negatives_per_positive": 0.5,
}
UPDATE = "spacy_dualre.pipeline.DualEncoderRel.finish_update"
# Thinc's own layers, moving averages, and batches that grow
TAGGER = """
[paths]
train = null
[nlp]
lang = "en"
pipeline = ["tagger"]
[components.tagger]
factory = "tagger"
[components.tagger.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 16
depth = 1
embed_size = 100
window_size = 1
maxout_pieces = 2
subword_features = true
pretrained_vectors = null
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
[training]
train_corpus = "corpora.train"
dev_corpus = "corpora.train"
seed = 0
max_steps = 9
eval_frequency = 4
[training.optimizer]
@optimizers = "Adam.v1"
use_averages = true
[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = {"@schedules": "compounding.v1", "start": 1, "stop": 3, "compound": 1.2}
"""


def run(*args):
    return CliRunner().invoke(app, [*map(str, args)])


def train(arguments, folder, *more):
    result = run("dualre", "train", *arguments, "--output", folder, *more)
    assert result.exit_code == 0, result.output
    return words(result)


def words(result):
    """The output without what the terminal's width does to it."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split()).replace("- ", "-")


def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def train_until(name, n, *args):
    """Train in a process of its own, which is killed as it calls for the nth time what is so called."""
    original, calls = pkgutil.resolve_name(name), iter(range(1, 1000))
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(name, lambda *args, **kwargs: (kill if next(calls) == n else original)(*args, **kwargs))
            train(*args)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def assert_same_models(left, right):
    """The bytes of all files of both models."""
    left, right = files(left), files(right)
    assert left.keys() == right.keys() and {"model-best/meta.json", "model-last/meta.json"} < left.keys()
    assert [name for name in left if left[name] != right[name]] == []


def files(folder):
    paths = [path for name in ("model-best", "model-last") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def table(output):
    """What is said of the evaluations."""
    found = re.search(r"E # W? ?LOSS.*(?=✔ Saved)", output)
    assert found, output
    return found.group()


@pytest.fixture
def data(tmp_path):
    """Three documents on disk."""
    docs = [example.reference for example in make_examples(spacy.blank("en").vocab)]
    for doc in docs:
        for token in doc:
            token.tag_ = token.ent_type_ or "O"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


@pytest.fixture
def arguments(encoder, data):
    """What to train, on what."""
    descriptions = data.with_name("descriptions.json")
    srsly.write_json(descriptions, DESCRIPTIONS)
    paths = {"train": data, "dev": data, "encoder": encoder, "descriptions": descriptions}
    overrides = {**OVERRIDES, **{f"paths.{name}": path for name, path in paths.items()}}
    return [ROOT / "configs" / "default.cfg", *(word for name in overrides for word in (f"--{name}", overrides[name]))]


def test_result_and_output_are_those_of_spacy_train(arguments, tmp_path):
    outputs = [train(arguments, tmp_path / "a")]
    result = run("train", *arguments, "--output", tmp_path / "b")
    assert result.exit_code == 0, result.output
    assert_same_models(tmp_path / "a", tmp_path / "b")
    assert outputs[0].replace(f"{tmp_path}/a", "") == words(result).replace(f"{tmp_path}/b", "")


@pytest.mark.parametrize(
    "kills",
    [
        [(UPDATE, 2)],
        [(UPDATE, 16)],
        [(UPDATE, 31)],
        [("spacy_dualre.training.loop.training_state", 4)],
        [("spacy_dualre.training.checkpoint.os.fsync", 4)],
        [("spacy.language.Language.to_disk", 4)],
        [("spacy_dualre.training.loop.shutil.copytree", 4)],
        [(UPDATE, 10), (UPDATE, 20)],
    ],
    ids=str,
)
def test_what_goes_on_is_as_if_it_had_not_been_killed(arguments, tmp_path, kills):
    expected = train(arguments, tmp_path / "whole")
    for number, (name, n) in enumerate(kills):
        train_until(name, n, arguments, tmp_path / "killed", *["--resume"][:number])
    output = train(arguments, tmp_path / "killed", "--resume")
    assert "Going on after step" in output
    assert_same_models(tmp_path / "killed", tmp_path / "whole")
    assert table(output) == table(expected)
