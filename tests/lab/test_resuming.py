"""`spacy dualre train`: equal to `spacy train`, even if interrupted at any moment and resumed."""

import errno
import json
import os
import random
import re
import resource
import shutil
import signal

import numpy
import pytest
import spacy
import srsly
import torch
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, make_examples, optimizer
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from spacy.util import registry
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre import Relation
from spacy_dualre.lab.resuming import CHECKPOINT, Checkpoint
from spacy_dualre.lab.states import random_states, set_random_states, set_training_state, training_state
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.component import DualEncoderRel
from spacy_dualre.scoring.scorer import make_rel_scorer

pytestmark = pytest.mark.slow

# Evaluations come after steps 0, 7, 14, 21 and 28, anywhere in epochs of three batches; with dropout,
# shuffling, a sample of the negatives and a schedule, so that every state counts
OVERRIDES = {
    "system.seed": 1,
    "training.max_epochs": 0,
    "training.max_steps": 30,
    "training.eval_frequency": 7,
    "training.batcher.size": 9,
    "training.optimizer.learn_rate.initial_rate": 0.003,
    "training.optimizer.learn_rate.warmup_steps": 2,
    "training.optimizer.learn_rate.total_steps": 40,
    "components.dual_encoder_rel.negatives_per_positive": 0.5,
}
# A few steps on a random encoder make no reliable progress, so the scores are fixed
SCORES = {0: 0.1, 7: 0.3, 14: 0.2, 21: 0.4, 28: 0.3}
HOOKS = """
[training.before_update]
@callbacks = "test.before_update.v1"
[training.before_to_disk]
@callbacks = "test.before_to_disk.v1"
"""
SCORER = f"""
[components.dual_encoder_rel.scorer]
@scorers = "test.scores.v1"
{HOOKS}
"""
# Thinc's own layers, moving averages, and batches that grow
TAGGER = f"""
[paths]
train = null
[nlp]
lang = "en"
pipeline = ["tagger"]
[components]
[components.tagger]
factory = "tagger"
[components.tagger.model]
@architectures = "spacy.Tagger.v2"
[components.tagger.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 16
depth = 1
embed_size = 100
window_size = 1
maxout_pieces = 2
subword_features = true
pretrained_vectors = null
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${{paths.train}}
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${{paths.train}}
[training]
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
seed = 0
max_steps = 9
eval_frequency = 4
[training.optimizer]
@optimizers = "Adam.v1"
use_averages = true
[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = {{"@schedules": "compounding.v1", "start": 1, "stop": 3, "compound": 1.2}}
{HOOKS}
"""


#: The step that a training is at, and where it is killed: ("update", "score" or "save", step).
current = {"step": None, "kill": None}


def come_to(place):
    if current["kill"] == (place, current["step"]):
        os.kill(os.getpid(), signal.SIGKILL)


@registry.callbacks("test.before_update.v1")
def make_before_update():
    def before_update(nlp, args):
        current.update(args)
        come_to("update")

    return before_update


@registry.callbacks("test.before_to_disk.v1")
def make_before_to_disk():
    def before_to_disk(nlp):
        come_to("save")
        return nlp

    return before_to_disk


@registry.scorers("test.scores.v1")
def make_scores():
    def scores(examples, **kwargs):
        come_to("score")
        return {**make_rel_scorer()(examples, **kwargs), "rels_f": SCORES[current["step"]]}

    return scores


def run(*args):
    return CliRunner().invoke(app, [*map(str, args)])


def train(arguments, folder, *more):
    result = run("dualre", "train", *arguments, "--output", folder, *more)
    assert result.exit_code == 0, result.output
    return words(result)


def words(result):
    """The output without colours and line breaks."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split()).replace("- ", "-")


def train_until(place, step, *args):
    """Train in a separate process, which is killed at a place in a step."""
    child = os.fork()
    if child == 0:
        current["kill"] = place, step
        train(*args)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def assert_same_models(left, right):
    """Compare the bytes of all files of both models."""
    left, right = files(left), files(right)
    assert left.keys() == right.keys() and {"model-best/meta.json", "model-last/meta.json"} < left.keys()
    assert [name for name in left if left[name] != right[name]] == []


def files(folder):
    paths = [path for name in ("model-best", "model-last") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def table(output):
    """The part of the output about evaluations."""
    found = re.search(r"E # W? ?LOSS.*(?=✔ Saved)", output)
    assert found, output
    return found.group()


def write_data(path, n=3):
    """Annotated documents."""
    docs = [example.reference for example in make_examples(spacy.blank("en").vocab)][:n]
    for doc in docs:
        for token in doc:
            token.tag_ = token.ent_type_ or "O"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def make_arguments(folder, encoder):
    """The arguments of a training on data in a folder."""
    data, descriptions = write_data(folder / "data.spacy"), folder / "descriptions.json"
    # With words of its own, which a run resumed after the last evaluation does not see
    dev = make_doc(spacy.blank("en").vocab, [("Zileuton", "CHEMICAL"), ("inhibits", ""), ("ALOX5", "GENE")])
    dev._.rels = [Relation(dev.ents[0], "INHIBITS", dev.ents[1])]
    DocBin(docs=[dev], store_user_data=True).to_disk(folder / "dev.spacy")
    srsly.write_json(descriptions, DESCRIPTIONS)
    config = folder / "config.cfg"
    config.write_text((ROOT / "configs" / "default.cfg").read_text(encoding="utf8") + SCORER, encoding="utf8")
    paths = {"train": data, "dev": folder / "dev.spacy", "encoder": encoder, "descriptions": descriptions}
    overrides = {**OVERRIDES, **{f"paths.{name}": path for name, path in paths.items()}}
    return [config, *(word for name in overrides for word in (f"--{name}", overrides[name]))]


@pytest.fixture(scope="module")
def arguments(encoder, tmp_path_factory):
    return make_arguments(tmp_path_factory.mktemp("data"), encoder)


@pytest.fixture(scope="module")
def whole(arguments, tmp_path_factory):
    """The folder and the output of an uninterrupted training. Not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(arguments, folder)


@pytest.fixture
def half(arguments, tmp_path):
    """The folder of a training that was killed after the evaluation at step 14."""
    train_until("update", 19, arguments, tmp_path / "half")
    return tmp_path / "half"


def test_result_and_table_are_those_of_spacy_train(arguments, whole, tmp_path):
    folder, output = whole
    tmp_path.joinpath("out").mkdir()
    result = run("train", *arguments, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert_same_models(tmp_path / "out", folder)
    assert table(words(result)) == table(output)


@pytest.mark.parametrize(
    "kills",
    [
        [("update", 1)],
        [("update", 15)],
        [("update", 30)],
        # Before and after the checkpoint of an evaluation is written
        [("score", 21)],
        [("save", 21)],
        [("update", 9), ("update", 19)],
        [("save", 7), ("score", 14)],
    ],
    ids=str,
)
def test_what_goes_on_is_as_if_it_had_not_been_killed(arguments, whole, tmp_path, kills):
    for number, (place, step) in enumerate(kills):
        train_until(place, step, arguments, tmp_path, *["--resume"][:number])
    output = train(arguments, tmp_path, "--resume")
    assert "Resuming after step" in output
    assert_same_models(tmp_path, whole[0])
    assert table(output) == table(whole[1])


def test_models_that_were_cut_off_halfway_are_made_again(arguments, whole, tmp_path):
    # The best so far
    train_until("save", 21, arguments, tmp_path)
    for name in ("model-best", "model-last"):
        (tmp_path / name / "config.cfg").unlink()
        (tmp_path / name / NAME / "cfg").write_bytes(b"half")
    train(arguments, tmp_path, "--resume")
    assert_same_models(tmp_path, whole[0])


def test_checkpoint_that_is_cut_off_leaves_the_one_before(tmp_path):
    class Cut:
        def __reduce__(self):
            raise KeyboardInterrupt

    Checkpoint({"a": "1"}, state={}).write(tmp_path / CHECKPOINT, {"weights": 1})
    with pytest.raises(KeyboardInterrupt):
        Checkpoint({"a": "2"}).write(tmp_path / CHECKPOINT, {"weights": 2, "more": Cut()})
    assert Checkpoint.read(tmp_path / CHECKPOINT) == Checkpoint({"a": "1"}, state={"weights": 1})


@pytest.mark.parametrize("size", [0, 100, 50_000, 300_000])
def test_on_a_full_disk_the_checkpoint_before_stays(arguments, whole, half, size):
    """The disk is full for files of more than this size: first the models, or only the next checkpoint."""
    before = (half / CHECKPOINT).read_bytes()
    child = os.fork()
    if child == 0:
        # The kernel says so by a signal too, which Python ignores
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        result = run("dualre", "train", *arguments, "--output", half, "--resume")
        said = re.search(r"DR723.*/half: the training stopped \([^)]*File too large.*\).*--resume", words(result))
        os._exit(0 if said and isinstance(result.exception, SystemExit) and result.exit_code == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert {path.name for path in half.iterdir()} <= {CHECKPOINT, "model-best", "model-last"}
    assert (half / CHECKPOINT).read_bytes() == before
    assert table(train(arguments, half, "--resume")) == table(whole[1])
    assert_same_models(half, whole[0])


@pytest.mark.parametrize("function", ["spacy.language.Language.to_disk", "shutil.copytree"])
def test_on_a_full_disk_the_models_are_made_later(arguments, whole, tmp_path, monkeypatch, function):
    err = OSError(errno.ENOSPC, "No space left on device")
    if function == "shutil.copytree":
        err = shutil.Error([("from", "to", str(err)), ("other", "to", str(err))])

    def fail(*args, **settings):
        raise err

    monkeypatch.setattr(function, fail)
    result = run("dualre", "train", *arguments, "--output", tmp_path)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert re.search(r"DR723.*the training stopped \(\[Errno 28\] No space left on device\)", words(result))
    assert {path.name for path in tmp_path.iterdir()} <= {CHECKPOINT, "model-last"}
    monkeypatch.undo()
    assert table(train(arguments, tmp_path, "--resume")) == table(whole[1])
    assert_same_models(tmp_path, whole[0])


def test_an_output_that_is_a_file_is_named(arguments, tmp_path):
    (tmp_path / "file").touch()
    result = run("dualre", "train", *arguments, "--output", tmp_path / "file")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit) and "/file" in words(result)


def test_steps_before_the_checkpoint_are_not_trained_again(arguments, half, monkeypatch):
    steps, update = [], DualEncoderRel.update
    monkeypatch.setattr(DualEncoderRel, "update", lambda *a, **kw: steps.append(current["step"]) or update(*a, **kw))
    train(arguments, half, "--resume")
    assert steps == list(range(15, 31))


def test_patience_counts_from_the_best_step_before(arguments, tmp_path):
    # The best is step 7 until step 21: the training is over after step 16
    options = ("--training.patience", "9")
    output = train(arguments, tmp_path / "whole", *options)
    train_until("update", 15, arguments, tmp_path / "killed", *options)
    assert table(train(arguments, tmp_path / "killed", *options, "--resume")) == table(output)
    assert_same_models(tmp_path / "killed", tmp_path / "whole")


def test_training_of_adapters_goes_on(arguments, tmp_path):
    model = "--components.dual_encoder_rel.model"
    options = (f"{model}.network.lora_rank", "2", f"{model}.run.store_frozen", "false")
    output = train(arguments, tmp_path / "whole", *options)
    train_until("update", 19, arguments, tmp_path / "killed", *options)
    assert table(train(arguments, tmp_path / "killed", *options, "--resume")) == table(output)
    assert_same_models(tmp_path / "killed", tmp_path / "whole")


def test_any_pipeline_of_spacys_goes_on(tmp_path):
    (tmp_path / "tagger.cfg").write_text(TAGGER, encoding="utf8")
    filled = run("init", "fill-config", tmp_path / "tagger.cfg", tmp_path / "filled.cfg")
    assert filled.exit_code == 0, filled.output
    arguments = [tmp_path / "filled.cfg", "--paths.train", write_data(tmp_path / "data.spacy")]
    output = train(arguments, tmp_path / "whole")
    train_until("update", 7, arguments, tmp_path / "killed")
    assert table(train(arguments, tmp_path / "killed", "--resume")) == table(output)
    assert_same_models(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize(
    "option, value, problem",
    [
        ("--paths.train", "none.spacy", "none.spacy"),
        ("--paths.descriptions", "none.json", r"\[DR\d+\].*none.json"),
        ("--paths.encoder", "configs", r"\[DR102\].*configs"),
        ("--components.dual_encoder_rel.prediction", "guess", "DR004.*'guess'"),
    ],
)
def test_what_training_cannot_start_from_is_said_in_a_line(arguments, tmp_path, monkeypatch, option, value, problem):
    # A folder without an encoder
    monkeypatch.chdir(ROOT)
    result = run("dualre", "train", *arguments, "--output", tmp_path, option, value)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert re.search(f"✘.*{problem}", words(result))


def test_finished_training_stays_as_it_is(arguments, whole):
    before = files(whole[0])
    output = train(arguments, whole[0], "--resume")
    assert "This training is finished" in output and "Initializing" not in output
    assert files(whole[0]) == before
    assert Checkpoint.read(whole[0] / CHECKPOINT).state is None


def test_without_a_checkpoint_it_starts_from_the_beginning(arguments, whole, tmp_path):
    output = train(arguments, tmp_path, "--resume")
    assert "No checkpoint in" in output and table(output) == table(whole[1])


def test_without_resume_it_starts_anew(arguments, whole, half):
    train_until("update", 0, arguments, half)
    assert not (half / CHECKPOINT).exists() and not (half / "model-best").exists()
    assert table(train(arguments, half)) == table(whole[1])


def refused(arguments, folder, *more):
    """The output of a refused training, which must leave the models alone."""
    before = files(folder)
    result = run("dualre", "train", *arguments, "--output", folder, "--resume", *more)
    assert result.exit_code == 1, result.output
    assert files(folder) == before
    return words(result)


def test_other_settings_are_refused(arguments, half):
    output = refused(arguments, half, "--training.max_steps", "40", "--training.dropout", "0.2")
    assert "DR721" in output
    assert "training.max_steps (then 30, now 40), training.dropout (then not set, now 0.2)." in output


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 100])
def test_damaged_checkpoint_is_named(arguments, half, damage):
    (half / CHECKPOINT).write_bytes(damage((half / CHECKPOINT).read_bytes()))
    assert "DR720" in refused(arguments, half)


def test_state_of_another_pipeline_is_refused(arguments, half):
    checkpoint = Checkpoint.read(half / CHECKPOINT)
    del checkpoint.state["networks"][0]["classifier.bias"]
    checkpoint.write(half / CHECKPOINT, checkpoint.state)
    assert "DR720" in refused(arguments, half)


@pytest.mark.parametrize("n", [1, 2])
def test_other_documents_are_refused(encoder, tmp_path, n):
    arguments = make_arguments(tmp_path, encoder)
    train_until("update", 19, arguments, tmp_path / "half")
    write_data(tmp_path / "data.spacy", n)
    assert "DR721" in refused(arguments, tmp_path / "half")


def other_descriptions(folder):
    texts = srsly.read_json(folder / "descriptions.json")
    srsly.write_json(folder / "descriptions.json", {**texts, "INHIBITS": "{subject} slows {object}."})


def descriptions_in_another_order(folder):
    texts = srsly.read_json(folder / "descriptions.json")
    (folder / "descriptions.json").write_text(json.dumps(dict(reversed(texts.items()))))


def other_dev_documents(folder):
    write_data(folder / "dev.spacy", 1)


def other_types(folder):
    nlp = spacy.blank("en")
    docs = list(DocBin().from_disk(folder / "data.spacy").get_docs(nlp.vocab))
    docs[-1].ents = [Span(docs[-1], span.start, span.end, "DRUG") for span in docs[-1].ents]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "data.spacy")


@pytest.mark.parametrize(
    "change, named",
    [
        (other_descriptions, "paths.descriptions"),
        (descriptions_in_another_order, "paths.descriptions"),
        (other_dev_documents, "paths.dev"),
        (other_types, "paths.train"),
    ],
)
def test_other_content_of_the_same_files_is_refused(encoder, tmp_path, change, named):
    arguments = make_arguments(tmp_path, encoder)
    train_until("update", 19, arguments, tmp_path / "half")
    change(tmp_path)
    output = refused(arguments, tmp_path / "half")
    found = re.search(r"DR721.*half/checkpoint.pt.*files: ([\w.]+) \(then [^()]+ with checksum [^()]+\)\.", output)
    assert found and found[1] == named


def test_random_states_bring_the_same_numbers():
    def draw():
        return random.random(), numpy.random.random(), numpy.random.normal(), torch.rand(1).item()

    states = random_states()
    numbers = draw()
    assert draw() != numbers
    set_random_states(states)
    assert draw() == numbers


def test_step_without_candidates_moves_the_weights_by_their_moments(trained, tmp_path):
    """As in an uninterrupted run, where there have been gradients before."""
    left, right = trained(), trained()
    sgds = [optimizer(), optimizer()]
    left.update(make_examples(left.vocab), sgd=sgds[0])
    Checkpoint({}).write(tmp_path / CHECKPOINT, training_state(left, sgds[0]))
    set_training_state(right, sgds[1], Checkpoint.read(tmp_path / CHECKPOINT).state)
    networks = [get_network(nlp.get_pipe(NAME).model) for nlp in (left, right)]
    before = networks[0].classifier.weight.clone()
    for nlp, sgd in zip((left, right), sgds):
        nlp.get_pipe(NAME).finish_update(sgd)
    assert not torch.equal(networks[0].classifier.weight, before)
    for one, other in zip(networks[0].parameters(), networks[1].parameters()):
        assert torch.equal(one, other)
