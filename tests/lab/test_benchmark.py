"""Counts and comparisons of the benchmark; times are not tested."""

from dataclasses import replace
from functools import partial

import numpy
import pytest
import spacy
import srsly
import torch
from helpers.commands import dualre, match
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, make_examples
from spacy.tokens import DocBin

from spacy_dualre.lab import measure
from spacy_dualre.lab.benchmark import Workload, measure_prediction, measure_training, training_batches
from spacy_dualre.lab.naive import naive_batch, on_device, score
from spacy_dualre.models.dual_encoder import get_runner
from spacy_dualre.models.runner import Runner
from spacy_dualre.types import Query

pytestmark = pytest.mark.slow

PACKED = {"packed": True}
NO_DROPOUT = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


def make_workload(nlp, times=1):
    return Workload(nlp, NAME, [example for _ in range(times) for example in make_examples(nlp.vocab)])


@pytest.mark.parametrize("times", [1, 2])
def test_counts_are_those_of_the_data(trained, times):
    workload = make_workload(trained(context=100), times)
    counts = workload.count(workload.batch(*workload.instances()))
    # Duplicates are read once
    expected = {"documents": 3 * times, "words": 25 * times, "candidates": 7 * times, "texts": 7, "descriptions": 21}
    assert {name: counts[name] for name in expected} == expected


def test_counts_of_packed_texts_are_those_of_their_passes(trained):
    workload = make_workload(trained(model=PACKED, context=100))
    counts = workload.count(workload.batch(*workload.instances()))
    assert [counts[name] for name in ("candidates", "texts", "descriptions")] == [7, 3, 21]


def both(workload, instances, read, per_batch=32):
    """The naive batch and that of the bare encoders, in tensors."""
    made = (naive_batch(workload.batches, instances, read, per_batch), workload.batch(instances, read))
    return [on_device(batch, workload.device) for batch in made]


def test_classifier_reads_no_descriptions(trained):
    workload = make_workload(trained(prediction="classifier"))
    instances, read = workload.instances()
    counts = workload.count(workload.batch(instances, read))
    assert [counts[name] for name in ("texts", "descriptions")] == [7, 0]
    expected = get_runner(workload.rel.model).score(Query(instances, similarity=False)).logits
    for batch in both(workload, instances, read):
        assert batch.descriptions is None and (batch.description_index == -1).all()
        similarity, logits = score(workload.network, batch)
        assert similarity is None
        numpy.testing.assert_allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    "model", [{}, PACKED, {"max_length": 16}, {**PACKED, "max_length": 16}, {**PACKED, "types_as_words": True}]
)
@pytest.mark.parametrize("shared", [False, True])
def test_naive_bare_and_pipeline_score_alike(make_nlp, model, shared):
    nlp = make_nlp(model={**model, "shared_encoder": shared})
    templates = [DESCRIPTIONS["ACTIVATES"], "{object} is stimulated by {subject}."]
    descriptions = {
        **DESCRIPTIONS,
        "ACTIVATES": {"CHEMICAL|GENE": templates},
        "BINDS": {"GENE|GENE": "{subject} binds {object}."},
    }
    examples = make_examples(nlp.vocab)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=descriptions)
    workload = make_workload(nlp, times=2)
    instances, read = workload.instances()
    assert read.tolist() == [[True, True, True, False]] * 14
    found = get_runner(workload.rel.model).score(Query(instances))
    naive, bare = both(workload, instances, read, per_batch=5)
    longest = workload.batches.max_length
    assert [tuple(batch.ids.shape) for batch in naive.texts] == [(n, longest) for n in (5, 5, 4)]
    # 14 candidates with 4 templates each: nothing is shared
    assert sum(len(batch.ids) for batch in naive.descriptions) == 56
    assert {batch.ids.shape[1] for batch in naive.descriptions} == {longest}
    # Cut to 16 pieces some come out equal, and go through the encoder once
    n_bare = sum(len(batch.ids) for batch in bare.descriptions)
    assert n_bare == 28 if longest > 16 else n_bare < 28
    # The naive way has the markers in the text
    in_text = Runner(workload.network, replace(workload.batches, packed=False), "float32", 0).score(Query(instances))
    for batch, expected in ((naive, in_text), (bare, found)):
        similarity, logits = score(workload.network, batch)
        numpy.testing.assert_allclose(similarity, expected.similarity, atol=1e-5)
        numpy.testing.assert_allclose(logits, expected.logits, atol=1e-5)


def test_prediction_has_all_figures_of_all_repetitions(trained):
    workload = make_workload(trained(model={"precision": "bfloat16"}), times=2)
    counts, found = measure_prediction(workload, repetitions=2, naive_candidates=3)
    assert counts["candidates"] == 14
    ratios = ["pipeline / bare encoders", "pipeline / naive"]
    assert list(found) == ["pipeline", "bare encoders", "naive", *ratios]
    for figures in found.values():
        for spread in figures.values():
            values = spread["repetitions"]
            assert len(values) == 2
            assert (spread["median"], spread["min"], spread["max"]) == (sum(values) / 2, min(values), max(values))
    # Each starts cold: in the one slice that there is, nothing is known
    assert found["pipeline"]["description_memory_hits_percent"]["repetitions"] == [0, 0]
    for name, n in (("pipeline", 14), ("bare encoders", 14), ("naive", 3)):
        figures = found[name]
        for seconds, speed in zip(figures["seconds"]["repetitions"], figures["candidates_per_s"]["repetitions"]):
            assert speed == pytest.approx(n / seconds)
    speeds = {name: figures["candidates_per_s"]["repetitions"] for name, figures in found.items() if name not in ratios}
    for ratio in ratios:
        other = speeds[ratio.removeprefix("pipeline / ")]
        expected = [one / two for one, two in zip(speeds["pipeline"], other)]
        assert found[ratio]["times_as_fast"]["repetitions"] == pytest.approx(expected)


def test_a_run_starts_cold_and_remembers_within(trained):
    nlp = trained()
    workload = make_workload(nlp, times=2)
    # The second batch has the same documents as the first
    nlp.batch_size = 3
    _, found = measure_prediction(workload, repetitions=2, naive_candidates=0)
    assert found["pipeline"]["description_memory_hits_percent"]["repetitions"] == [50, 50]


def test_other_components_are_left_out(trained):
    nlp = trained(threshold=0.0)
    ruler = nlp.add_pipe("entity_ruler", first=True, config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "GENE", "pattern": "Aspirin"}])
    workload = make_workload(nlp)
    docs = workload.fresh_docs()
    workload.exhaust(docs)
    assert docs[0].ents[0].label_ == "CHEMICAL" and docs[0]._.rels
    assert nlp.pipe_names == ["entity_ruler", NAME]


def test_training_changes_no_weight_and_the_naive_step_has_the_same_loss(trained):
    nlp = trained(model=NO_DROPOUT, max_candidates_per_batch=3)
    workload = make_workload(nlp)
    before = nlp.get_pipe(NAME).model.to_bytes()
    found = measure_training(workload, repetitions=2, batch_size=3)
    assert nlp.get_pipe(NAME).model.to_bytes() == before
    assert list(found) == ["training step", "naive training step", "training step / naive training step"]
    losses = [found[name]["loss"]["repetitions"] for name in ("training step", "naive training step")]
    numpy.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert losses[0][0] != losses[0][1]


def losses_of_training(nlp):
    found = measure_training(make_workload(nlp), repetitions=1, batch_size=32)
    return [found[name]["loss"]["median"] for name in ("training step", "naive training step")]


def test_training_of_one_head(trained):
    loss, naive = losses_of_training(trained(model=NO_DROPOUT, alpha=1.0))
    assert loss == pytest.approx(naive, rel=1e-5)


def test_naive_training_of_packed_texts_has_the_markers_in_them(trained):
    loss, naive = losses_of_training(trained(model={**PACKED, **NO_DROPOUT}))
    in_text, _ = losses_of_training(trained(model=NO_DROPOUT))
    assert naive == pytest.approx(in_text, rel=1e-5) and loss != pytest.approx(in_text, rel=1e-5)


@pytest.mark.parametrize("size, expected", [(3, [3, 3]), (7, [7]), (10, [7])])
def test_training_batches_are_full_if_any_is(trained, size, expected):
    workload = make_workload(trained())
    batches = training_batches(workload, size)
    assert [len(workload.rel.training_targets(batch).candidates) for batch in batches] == expected


def test_repetitions_take_turns():
    calls = []
    speeds = {"a": (1.0, 2.0, 9.0), "b": (2.0, 1.0, 3.0)}

    def run(name, repetition):
        calls.append((name, repetition))
        return {"candidates_per_s": speeds[name][repetition]}

    found = measure.take_turns({n: partial(run, n) for n in "ab"}, 3, [("a", "b")])
    assert calls == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    spread = {"median": 2.0, "min": 1.0, "max": 3.0, "repetitions": [2.0, 1.0, 3.0]}
    assert found["b"] == {"candidates_per_s": spread}
    spread = {"median": 2.0, "min": 0.5, "max": 3.0, "repetitions": [0.5, 2.0, 3.0]}
    assert found["a / b"] == {"times_as_fast": spread}


def test_time_and_peak_memory_are_measured():
    with measure.measured(torch.device("cpu"), documents=3) as figures:
        held = numpy.ones(8_000_000)
    assert figures.keys() == {"seconds", "documents_per_s"}
    assert figures["documents_per_s"] == 3 / figures["seconds"]
    assert measure.peak_memory_mb() > held.nbytes / 1024**2


# The command


@pytest.fixture
def saved(trained, tmp_path):
    """A pipeline and documents on disk."""
    nlp = trained()
    nlp.to_disk(tmp_path / "pipeline")
    write(tmp_path / "data.spacy", [example.reference for example in make_examples(nlp.vocab)])
    return tmp_path


def write(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def test_command_writes_and_prints_everything(saved):
    before = {path: path.read_bytes() for path in (saved / "pipeline").rglob("*") if path.is_file()}
    options = "--repetitions 2 --limit 2 --naive-candidates 2 --train 3"
    output = saved / "new" / "benchmark.json"
    result = dualre("benchmark", saved / "pipeline", saved / "data.spacy", *options.split(), "--output", output)
    assert result.exit_code == 0, result.output
    report = srsly.read_json(output)
    assert set(report) == {"settings", "counts", "prediction", "training", "peak_memory_mb"}
    settings = report["settings"]
    assert (settings["precision"], settings["batch_tokens"]) == ("float32", 2000)
    assert settings["device"] and settings["versions"]["torch"] == torch.__version__
    # The first two documents
    assert report["counts"]["candidates"] == 5
    for part in ("prediction", "training"):
        assert all(len(run["seconds"]["repetitions"]) == 2 for name, run in report[part].items() if "/" not in name)
    for name in ("candidates/s", "description memory hits in %", "times as fast", "peak memory in MB"):
        assert name in result.output
    assert {path: path.read_bytes() for path in before} == before


def without_mentions(folder):
    nlp = spacy.blank("en")
    return folder / "pipeline", write(folder / "empty.spacy", [make_doc(nlp.vocab, [("Nothing", "")])])


def without_component(folder):
    spacy.blank("en").to_disk(folder / "blank")
    return folder / "blank", folder / "data.spacy"


@pytest.mark.parametrize(
    "paths, problem",
    [
        (lambda folder: (folder / "missing", folder / "data.spacy"), "DR005.*missing"),
        (lambda folder: (folder / "pipeline", folder / "missing.spacy"), "DR005.*missing"),
        (without_component, "DR172.*dual_encoder_rel.*none"),
        (without_mentions, "DR700.*no candidates in 1 documents.*doc.ents"),
    ],
)
def test_command_names_what_is_wrong(saved, paths, problem):
    result = dualre("benchmark", *paths(saved))
    assert result.exit_code == 1
    match(problem, result.output)
