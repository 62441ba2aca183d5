"""Counts and comparisons of the benchmark; times are not tested."""

from functools import partial

import numpy
import pytest
import spacy
import srsly
import torch
from helpers.commands import dualre, match
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, make_examples
from spacy.tokens import DocBin

from spacy_dualre.lab.benchmark import measure, prediction
from spacy_dualre.lab.benchmark.memory import make_doc as make_long_doc
from spacy_dualre.lab.benchmark.memory import measure_mentions, measure_soak
from spacy_dualre.lab.benchmark.training import measure_training, training_batches
from spacy_dualre.lab.benchmark.workload import Workload
from spacy_dualre.lab.benchmark.yardsticks import naive_batch, on_device, score
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.models.stages import STAGES
from spacy_dualre.types import Query

pytestmark = pytest.mark.slow

PACKED = {"packed": True}
NO_DROPOUT = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}
#: Every chemical with every gene in each sentence of the three documents: 2, 2 + 1, 2
CANDIDATES = [
    (0, "Aspirin", "COX-1"),
    (0, "Aspirin", "COX-3"),
    (1, "Isoprenaline", "ADRB1"),
    (1, "warfarin", "ADRB1"),
    (1, "Propranolol", "ADRB2"),
    (2, "losartan", "CYP2C9"),
    (2, "losartan", "AGTR1"),
]


def make_workload(nlp, times=1):
    return Workload(nlp, NAME, [example for _ in range(times) for example in make_examples(nlp.vocab)])


def pieces(workload, text):
    return len(workload.batches.pieces.tokenizer(text, add_special_tokens=False)["input_ids"])


def description_pieces(workload):
    texts = [
        t.format(subject=subject, object=object) for _, subject, object in CANDIDATES for t in DESCRIPTIONS.values()
    ]
    # Four markers, [CLS] and [SEP]
    return sum(pieces(workload, text) + 6 for text in texts)


@pytest.mark.parametrize("times", [1, 2])
def test_counts_are_those_of_the_data(trained, times):
    workload = make_workload(trained(context=100), times)
    counts = workload.count(workload.batch(*workload.instances()))
    # Duplicates are read once
    expected = {"documents": 3 * times, "words": 25 * times, "candidates": 7 * times, "texts": 7, "descriptions": 21}
    assert {name: counts[name] for name in expected} == expected
    texts = [example.reference.text for example in workload.examples]
    assert counts["text_tokens"] == sum(pieces(workload, texts[doc]) + 6 for doc, _, _ in CANDIDATES)
    assert counts["description_tokens"] == description_pieces(workload)


def test_counts_of_packed_texts_are_those_of_their_passes(trained):
    workload = make_workload(trained(model=PACKED, context=100))
    counts = workload.count(workload.batch(*workload.instances()))
    assert [counts[name] for name in ("candidates", "texts", "descriptions")] == [7, 3, 21]
    texts = [example.reference.text for example in workload.examples]
    assert counts["text_tokens"] == sum(pieces(workload, text) + 2 for text in texts) + 4 * 7
    assert counts["description_tokens"] == description_pieces(workload)


def both(workload, instances, read, per_batch=32):
    """The naive batch and that of the bare encoders, in tensors."""
    made = (naive_batch(workload.batches, instances, read, per_batch), workload.batch(instances, read))
    return [on_device(batch, workload.device) for batch in made]


def test_classifier_reads_no_descriptions(trained):
    workload = make_workload(trained(prediction="classifier"))
    instances, read = workload.instances()
    counts = workload.count(workload.batch(instances, read))
    assert [counts[name] for name in ("texts", "descriptions", "description_tokens")] == [7, 0, 0]
    expected = workload.runner.score(Query(instances, similarity=False)).logits
    for batch in both(workload, instances, read):
        assert batch.descriptions is None and (batch.description_index == -1).all()
        similarity, logits = score(workload.network, batch)
        assert similarity is None
        numpy.testing.assert_allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize("model", [{}, PACKED, {"max_length": 16}, {**PACKED, "max_length": 16}])
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
    found = workload.runner.score(Query(instances))
    naive, bare = both(workload, instances, read, per_batch=5)
    longest, room = workload.batches.max_length, 4 if "packed" in model else 0
    assert [tuple(batch.ids.shape) for batch in naive.texts] == [(n, longest + room) for n in (5, 5, 4)]
    # 14 candidates with 4 templates each: nothing is shared
    assert sum(len(batch.ids) for batch in naive.descriptions) == 56
    assert {batch.ids.shape[1] for batch in naive.descriptions} == {longest}
    # Cut to 16 pieces some come out equal, and go through the encoder once
    n_bare = sum(len(batch.ids) for batch in bare.descriptions)
    assert n_bare == 28 if longest > 16 else n_bare < 28
    for batch in (naive, bare):
        similarity, logits = score(workload.network, batch)
        numpy.testing.assert_allclose(similarity, found.similarity, atol=1e-5)
        numpy.testing.assert_allclose(logits, found.logits, atol=1e-5)


def test_prediction_has_all_figures_of_all_repetitions(trained):
    workload = make_workload(trained(model={"precision": "bfloat16"}), times=2)
    found = prediction.measure_prediction(workload, repetitions=2, naive_candidates=3)
    assert found["counts"]["candidates"] == 14 and found["counts"]["tokens"] == sum(
        found["counts"][name] for name in ("text_tokens", "description_tokens")
    )
    bare = ["bare encoders, float32", "bare encoders, bfloat16"]
    assert list(found["runs"]) == ["pipeline", *bare, "naive"]
    assert list(found["ratios"]) == [*(f"pipeline / {name}" for name in bare), "pipeline / naive"]
    for run in found["runs"].values():
        assert len(run["repetitions"]) == 2
        for name, spread in run["summary"].items():
            values = [figures[name] for figures in run["repetitions"]]
            assert spread == {"median": sum(values) / 2, "min": min(values), "max": max(values)}
    for i, figures in enumerate(found["runs"]["pipeline"]["repetitions"]):
        # Each starts cold: in the one slice that there is, nothing is known
        assert figures["description_memory_hits_percent"] == 0
        shares = [figures[f"time_in_{name.replace(' ', '_')}_percent"] for name in (*STAGES, "other")]
        assert sum(shares) == pytest.approx(100)
        naive = found["runs"]["naive"]["repetitions"][i]
        assert naive["candidates_per_s"] == pytest.approx(3 / naive["seconds"])
        speedup = found["ratios"]["pipeline / naive"]["repetitions"][i]["speedup"]
        assert speedup == pytest.approx(figures["candidates_per_s"] / naive["candidates_per_s"])
        for name in bare:
            seconds = found["runs"][name]["repetitions"][i]["seconds"]
            share = found["ratios"][f"pipeline / {name}"]["repetitions"][i]["share_of_limit"]
            assert share == pytest.approx(seconds / figures["seconds"])


def test_a_run_starts_cold_and_remembers_within(trained):
    nlp = trained()
    workload = make_workload(nlp, times=2)
    # The second batch has the same documents as the first
    nlp.batch_size = 3
    found = prediction.measure_prediction(workload, repetitions=2, naive_candidates=0)
    for figures in found["runs"]["pipeline"]["repetitions"]:
        assert figures["description_memory_hits_percent"] == 50


def test_pipe_leaves_out_other_components(trained):
    nlp = trained(threshold=0.0)
    ruler = nlp.add_pipe("entity_ruler", first=True, config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "GENE", "pattern": "Aspirin"}])
    workload = make_workload(nlp)
    docs = list(workload.pipe(workload.fresh_docs()))
    assert docs[0].ents[0].label_ == "CHEMICAL" and docs[0]._.rels
    assert nlp.pipe_names == ["entity_ruler", NAME]


def test_training_changes_no_weight_and_the_naive_step_has_the_same_loss(trained):
    nlp = trained(model=NO_DROPOUT, max_candidates_per_batch=3)
    workload = make_workload(nlp)
    before = nlp.get_pipe(NAME).model.to_bytes()
    found = measure_training(workload, repetitions=2, batch_size=3)
    assert nlp.get_pipe(NAME).model.to_bytes() == before
    losses = [[figures["loss"] for figures in found["runs"][name]["repetitions"]] for name in found["runs"]]
    numpy.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert losses[0][0] != losses[0][1]
    ratios = found["ratios"]["training step / naive training step"]["repetitions"]
    for ratio, step, naive in zip(ratios, *(run["repetitions"] for run in found["runs"].values())):
        assert ratio["speedup"] == pytest.approx(naive["seconds"] / step["seconds"])


@pytest.mark.parametrize("settings", [{"alpha": 1.0}, {"model": {**PACKED, **NO_DROPOUT}}])
def test_training_of_one_head_and_of_packed_texts(trained, settings):
    workload = make_workload(trained(**{"model": NO_DROPOUT, **settings}))
    found = measure_training(workload, repetitions=1, batch_size=32)
    step, naive = (run["repetitions"][0]["loss"] for run in found["runs"].values())
    assert step == pytest.approx(naive, rel=1e-5)


@pytest.mark.parametrize("size, expected", [(3, [3, 3]), (7, [7]), (10, [7])])
def test_training_batches_are_full_if_any_is(trained, size, expected):
    workload = make_workload(trained())
    batches = training_batches(workload, size)
    assert [len(workload.rel.training_targets(batch).candidates) for batch in batches] == expected


def test_stream_is_looked_at_after_each_tenth(trained):
    found = measure_soak(make_workload(trained()), 20)
    values = [point["resident_mb"] for point in found["resident"]]
    assert [point["documents"] for point in found["resident"]] == list(range(2, 21, 2))
    assert found["after_warm_up_mb"] == values[0]
    assert found["largest_growth_mb"] == max(values) - values[0] >= 0


def test_mentions_of_two_types_take_turns(trained):
    workload = make_workload(trained())
    doc = make_long_doc(workload, 6)
    assert [ent.label_ for ent in doc.ents] == ["CHEMICAL", "GENE"] * 3
    assert not doc.has_annotation("SENT_START")
    found = measure_mentions(workload, 8)
    # Each of n / 2 chemicals with each of n / 2 genes
    assert [(run["mentions"], run["candidates"]) for run in found] == [(4, 4), (8, 16)]
    for run in found:
        assert run["seconds_per_candidate"] == run["seconds"] / run["candidates"]


def test_mentions_are_where_the_component_reads_them(trained):
    nlp = trained()
    nlp.get_pipe(NAME).spans_key = "entities"
    assert measure_mentions(make_workload(nlp), 4)[1]["candidates"] == 4


def test_mentions_are_of_concepts_of_their_own(trained):
    candidates = {"@misc": "spacy-dualre.concept_pairs.v1", "type_pairs": [["CHEMICAL", "GENE"]]}
    nlp = trained()
    nlp.get_pipe(NAME).candidates = spacy.registry.resolve({"candidates": candidates})["candidates"]
    assert measure_mentions(make_workload(nlp), 4)[1]["candidates"] > 0


def test_repetitions_take_turns():
    calls = []
    seconds = {"a": (1.0, 2.0, 9.0), "b": (2.0, 1.0, 3.0)}

    def run(name, repetition):
        calls.append((name, repetition))
        return {"seconds": seconds[name][repetition]}

    found = measure.take_turns({n: partial(run, n) for n in "ab"}, 3, [measure.Ratio("a", "b", "x", "seconds")])
    assert calls == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert found["runs"]["b"]["repetitions"] == [{"seconds": 2.0}, {"seconds": 1.0}, {"seconds": 3.0}]
    assert found["runs"]["b"]["summary"] == {"seconds": {"median": 2.0, "min": 1.0, "max": 3.0}}
    assert found["ratios"]["a / b"]["repetitions"] == [{"x": 0.5}, {"x": 2.0}, {"x": 3.0}]
    assert found["ratios"]["a / b"]["summary"] == {"x": {"median": 2.0, "min": 0.5, "max": 3.0}}


@pytest.mark.parametrize("n, total, expected", [(3, 10, [0, 3, 6]), (5, 3, [0, 1, 2]), (0, 3, [])])
def test_samples_are_spread_evenly(n, total, expected):
    assert measure.evenly(n, total) == expected


def test_peak_memory_is_seen():
    measure.release_memory()
    before = measure.resident_mb()
    with measure.measured(torch.device("cpu"), documents=3) as figures:
        held = numpy.ones(8_000_000)
    assert figures["peak_memory_mb"] - before > 50 and held.size
    assert figures.keys() == {"seconds", "documents_per_s", "peak_memory_mb"}
    assert figures["documents_per_s"] == 3 / figures["seconds"]


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with measure.threads(before + 1) as n:
        assert n == torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with measure.threads(0) as n:
        assert n == before


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
    options = (
        "--repetitions 2 --limit 2 --threads 1 --naive-candidates 2 --train --train-batch 3 --soak 10 --mentions 4"
    )
    output = saved / "new" / "benchmark.json"
    result = dualre(
        "benchmark", saved / "pipeline", saved / "data.spacy", *options.split(), "--n-process", 2, "--output", output
    )
    assert result.exit_code == 0, result.output
    report = srsly.read_json(output)
    assert set(report) == {"settings", "prediction", "training", "soak", "mentions", "processes"}
    settings = report["settings"]
    assert settings["architecture"] == "spacy-dualre.DualEncoder.v1"
    assert (settings["threads"], settings["precision"], settings["batch_tokens"]) == (1, "float32", 2000)
    assert settings["device"] and settings["versions"]["torch"] == torch.__version__
    network = get_network(spacy.load(saved / "pipeline").get_pipe(NAME).model)
    assert settings["parameters"] == sum(p.numel() for p in network.parameters())
    assert settings["plan"]["repetitions"] == 2
    # The first two documents
    assert report["prediction"]["counts"]["candidates"] == 5
    for part in ("prediction", "training", "processes"):
        assert all(len(run["repetitions"]) == 2 for run in report[part]["runs"].values())
    assert list(report["processes"]["ratios"]) == ["2 processes / 1 process"]
    for name in ("candidates/s", "description memory hits in %", "share of limit", "speedup", "largest growth in MB"):
        assert name in result.output
    assert {path: path.read_bytes() for path in before} == before


def test_command_measures_what_is_asked_for(saved):
    output = saved / "benchmark.json"
    args = ("--no-prediction", "--mentions", 4, "--output", output)
    result = dualre("benchmark", saved / "pipeline", saved / "data.spacy", *args)
    assert result.exit_code == 0, result.output
    assert set(srsly.read_json(output)) == {"settings", "mentions"}


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


def test_mentions_without_candidates(trained):
    nlp = trained()
    # One word stands between the two in the data, four in the made-up document
    policy = {"@misc": "spacy-dualre.entity_pairs.v1", "max_tokens": 2}
    nlp.get_pipe(NAME).candidates = spacy.registry.resolve({"candidates": policy})["candidates"]
    with pytest.raises(ValueError) as error:
        measure_mentions(make_workload(nlp), 8)
    match("DR701.*4 mentions.*CHEMICAL, GENE", str(error.value))
