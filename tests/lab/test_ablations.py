"""Ablations: real runs through the project file, and made-up results for everything that needs no training."""

import gzip
import itertools
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import pytest
import srsly
from helpers.commands import dualre, match
from helpers.paths import ROOT
from spacy.util import load_config

from spacy_dualre.errors import CorpusError
from spacy_dualre.lab.ablations import plan_trainings, read_plan
from spacy_dualre.lab.environment import commit
from spacy_dualre.lab.tables import RunResult, compare, make_tables, read_results, to_markdown
from spacy_dualre.scoring.protocols import get_protocol

pytestmark = pytest.mark.slow

CORPORA = ("demo", "chemprot", "biored", "scierc", "semeval")
REL = "components.dual_encoder_rel"
LABELS = get_protocol("chemprot").labels
PLAN = {
    "config": "configs/{corpus}.cfg",
    "corpus": "corpus/demo",
    "protocol": "jsonl",
    "seeds": [0, 1],
    "reference": "full",
    "overrides": {
        f"{REL}.model.run.max_length": 96,
        f"{REL}.model.transformer_config": {},
        "corpora.train.limit": 6,
        "corpora.dev.limit": 3,
        "training.max_epochs": 2,
        "training.eval_frequency": 1,
    },
    "variants": {
        "full": {},
        "shared": {"overrides": {f"{REL}.model.network.shared_encoder": True}, "note": "One encoder."},
    },
}
NEW = {"new_predicates": ["ACTIVATES", "INHIBITS"]}
CLASSIFIED = {"trained_as": "shared", "overrides": {f"{REL}.prediction": "classifier"}}


def write_plan(path, **changes):
    srsly.write_json(path, {**PLAN, **changes})
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory, encoder):
    """A copy of the project with a random encoder and the demo corpus' dev documents as both splits."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("project.yml", "configs", "assets/demo"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    shutil.copytree(encoder, folder / "assets" / "random")
    corpus = folder / "corpus" / "demo"
    assert dualre("convert", "jsonl", ROOT / "assets/demo/dev.jsonl", corpus / "dev.spacy").exit_code == 0
    shutil.copy(corpus / "dev.spacy", corpus / "train.spacy")
    return folder


@pytest.fixture
def inside(project, monkeypatch):
    """The project as the working directory."""
    monkeypatch.chdir(project)
    return project


# Real runs


@pytest.fixture(scope="module")
def trained(project):
    """The output and folder of the project's command, run on two variants with two seeds."""
    write_plan(project / "plan.json", variants={"classified": CLASSIFIED, **PLAN["variants"], "new": NEW})
    variables = ("--vars.plan", "plan.json", "--vars.encoder", "assets/random")
    command = [sys.executable, "-m", "spacy", "project", "run", "ablations", ".", *variables]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout, project / "training" / "demo" / "ablations"


def test_results_of_real_runs(trained):
    output, folder = trained
    results = {(result.variant, result.seed): result for result in read_results([folder])}
    assert set(results) == {(name, seed) for name in ("full", "shared", "classified", "new") for seed in (0, 1)}
    for (variant, seed), result in results.items():
        protocol = get_protocol("jsonl").counting(result.labels)
        assert len(protocol.labels) == 5
        assert result.scores["f"] == pytest.approx(float(protocol.f1(result.counts.sum(axis=0))))
        assert result.counts.shape == (26, 5, 3) and result.counts[..., 2].sum() == 133
        config = load_config(folder / "runs" / f"{'shared' if variant == 'classified' else variant}-{seed}.cfg")
        assert config["training"]["seed"] == seed
        network = config["components"]["dual_encoder_rel"]["model"]["network"]
        assert network.get("shared_encoder", False) == (variant in ("shared", "classified"))
        assert (result.setup.split, result.setup.data) == ("dev", Path("corpus/demo/dev.spacy"))
        assert config["components"]["dual_encoder_rel"]["model"]["run"]["max_length"] == 96
        assert result.versions["spacy"] and result.commit and result.seconds >= 0
    assert results["full", 0].scores != results["full", 1].scores
    assert results["new", 0].new_predicates == ["ACTIVATES", "INHIBITS"]
    # They were not there in training, and are predicted
    predicates = re.search(r"gold relations: (.*)", (folder / "runs" / "new-0.log").read_text())[1]
    assert "AGONIST_OF" in predicates and "ACTIVATES" not in predicates and "INHIBITS" not in predicates
    assert sum(results["new", seed].counts[:, [0, 3], 1].sum() for seed in (0, 1)) > 0
    assert results["shared", 0].scores != results["classified", 0].scores
    assert "shared-1: F1" in output
    # Models are not kept
    assert {path.name.partition(".")[2] for path in (folder / "runs").iterdir()} == {"run.json", "log", "cfg"}


def test_table_of_real_runs(trained):
    _, folder = trained
    (table,) = srsly.read_json(folder / "table.json")["tables"]
    assert {row["variant"] for row in table["rows"]} == {"full", "shared", "classified", "new"}
    assert all(row["figures"]["p"] is not None for row in table["rows"][1:])
    text = (folder / "table.md").read_text()
    assert "## demo (dev)" in text and "- `shared`: One encoder." in text and "| full |" in text


def test_later_call_repeats_nothing_and_goes_on_after_a_failed_run(trained, inside):
    _, folder = trained
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.run.json")}
    broken = {"broken": {"overrides": {f"{REL}.model.run.max_length": 9}}}
    plan = write_plan(inside / "plan.json", variants={**broken, **PLAN["variants"]}, seeds=[0])
    result = dualre("ablations", plan, "--output", folder, "--paths.encoder", "assets/random")
    assert result.exit_code == 1
    log = folder / "runs" / "broken-0.log"
    match(r"DR709.*broken-0.*\(exit status 1\).*broken-0.log", result.output)
    match("1 of 3 trainings failed: broken-0", result.output)
    assert "DR104" in log.read_text()
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.run.json")} == before
    assert "shared" in result.output and "difference" in result.output


def test_one_that_is_trained_as_another_by_itself(inside, tmp_path):
    """A pipeline that was kept is scored without training again, and refused if its settings differ."""
    cascade = {"trained_as": "shared", "overrides": {f"{REL}.cascade": {"predicates": 1, "negative": 0.1}}}
    threshold = {"trained_as": "shared", "overrides": {f"{REL}.threshold": 0.01}}
    plan = write_plan(inside / "plan.json", variants={**PLAN["variants"], "cascade": cascade}, seeds=[0])
    command = ("ablations", plan, "--output", tmp_path, "--paths.encoder", "assets/random", "--variant")
    assert dualre(*command, "cascade", "--keep-models").exit_code == 0
    kept = tmp_path / "runs" / "shared-0" / "model-best" / "meta.json"
    before = kept.stat().st_mtime_ns
    write_plan(plan, variants={**PLAN["variants"], "cascade": cascade, "threshold": threshold}, seeds=[0])
    assert dualre(*command, "threshold", "--keep-models").exit_code == 0
    assert kept.stat().st_mtime_ns == before
    shared, by_cascade, by_threshold = (
        read_results([tmp_path / "runs" / f"{name}-0.run.json"])[0] for name in ("shared", "cascade", "threshold")
    )
    assert by_cascade.counts[..., 1].sum() < shared.counts[..., 1].sum() < by_threshold.counts[..., 1].sum()
    for result in tmp_path.glob("runs/*.run.json"):
        result.unlink()
    result = dualre(*command, "cascade", "--training.max_epochs", 1)
    assert result.exit_code == 1
    match("DR709.*shared-0", result.output)
    match("DR721.*training.max_epochs", (tmp_path / "runs" / "shared-0.log").read_text())
    assert kept.exists() and not list(tmp_path.glob("runs/*.run.json"))


# Made-up results


def made(variant, seed, counts, corpus="corpus/demo", **changes):
    """The result of a run that never happened, with counts (documents, labels, 3)."""
    counts = numpy.asarray(counts)
    scores = get_protocol("chemprot").scores(counts)
    setup = {"corpus": corpus, "split": "dev", "protocol": "chemprot", "config": "configs/demo.cfg", "common": {}}
    values = {
        "setup": setup,
        "note": "",
        "reference": "full",
        "overrides": {},
        "scores": {name: scores[name] for name in ("p", "r", "f", "macro_f")},
        "seconds": 10.0 + seed,
        "device": "abacus",
        "commit": "0",
        "documents": {f"d{i}": rows for i, rows in enumerate(counts.tolist())},
    }
    return RunResult.model_validate({"variant": variant, "seed": seed, **values, **changes})


def write_result(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(result.model_dump_json() + "\n")


def random_counts(seed, documents=40, right=0.5, wrong=0.5):
    """Gold is the same for all seeds."""
    gold = numpy.random.default_rng(0).integers(0, 3, (documents, len(LABELS)))
    rng = numpy.random.default_rng(seed + 1)
    tp = rng.binomial(gold, right)
    return numpy.stack([tp, tp + rng.binomial(2, wrong, gold.shape), gold], axis=-1)


def test_table_against_numpy():
    counts = {
        (name, seed): random_counts(10 * i + seed, right=right)
        for i, (name, right) in enumerate([("full", 0.6), ("other", 0.5)])
        for seed in (0, 1, 2)
    }
    # One run is missing
    del counts["other", 1]
    results = [made(name, seed, table) for (name, seed), table in counts.items()]
    (table,) = make_tables(results, samples=2000)

    def f1(table):
        tp, predicted, gold = table.sum(axis=(0, 1))
        return 2 * tp / (predicted + gold)

    f = {run: f1(table) for run, table in counts.items()}
    full, other = table.rows
    assert (full.variant, full.seeds, full.figures["difference"]) == ("full", [0, 1, 2], None)
    values = [f["full", seed] for seed in (0, 1, 2)]
    assert (full.figures["F1"], full.figures["std"]) == pytest.approx(
        (sum(values) / 3, numpy.sqrt(numpy.var(values) * 3 / 2))
    )
    assert full.f_of_seeds == pytest.approx(values)
    assert full.figures["training s"] == 11.0
    tp, predicted, gold = numpy.array([counts["full", seed].sum(axis=(0, 1)) for seed in (0, 1, 2)]).T
    assert (full.figures["P"], full.figures["R"]) == pytest.approx(((tp / predicted).mean(), (tp / gold).mean()))
    assert other.seeds == [0, 2]
    differences = [f["other", seed] - f["full", seed] for seed in (0, 2)]
    assert other.figures["difference"] == pytest.approx(numpy.mean(differences))
    assert 0 < other.figures["p"] <= 1
    cells = [cell.strip() for cell in to_markdown([table]).splitlines()[7].strip("|").split("|")]
    assert cells[:5] == [
        "other",
        "{:.2f}".format(100 * other.figures["F1"]),
        "{:.2f}".format(100 * other.figures["std"]),
        "2",
        "{:+.2f}".format(100 * other.figures["difference"]),
    ]


def test_table_with_another_reference():
    results = [made("full", 0, random_counts(0)), made("other", 0, random_counts(10, right=0.3))]
    (table,) = make_tables(results, samples=100)
    (back,) = make_tables(results, samples=100, reference="other")
    assert [row.variant for row in back.rows] == ["other", "full"] and back.reference == "other"
    assert back.rows[1].figures["difference"] == pytest.approx(-table.rows[1].figures["difference"])
    with pytest.raises(ValueError, match="DR702.*'none'.*full, other"):
        make_tables(results, reference="none")


def test_new_predicates_have_a_score_of_their_own():
    results = [made("full", seed, random_counts(seed, right=0.9)) for seed in (0, 1)]
    new = [made("new", seed, random_counts(seed, right=0.2), new_predicates=[LABELS[1]]) for seed in (0, 1)]
    (table,) = make_tables([*results, *new], samples=10)
    assert table.new_predicates == [LABELS[1]]
    for row, runs in zip(table.rows, (results, new), strict=True):
        scores = (get_protocol("chemprot").scores(run.counts) for run in runs)
        expected = [found["per_type"][LABELS[1]]["f"] for found in scores]
        assert row.figures["new F1"] == pytest.approx(numpy.mean(expected))
        assert row.figures["new std"] == pytest.approx(numpy.std(expected, ddof=1))
    text = to_markdown([table])
    assert f"micro F1 of {LABELS[1]}" in text and "| {:.2f} |".format(100 * table.rows[1].figures["new F1"]) in text
    assert "new F1" not in to_markdown(make_tables(results, samples=10))


def test_same_runs_do_not_differ_and_other_ones_do():
    def runs(name, right, seeds=(0, 1)):
        return [made(name, seed, random_counts(seed, right=right)) for seed in seeds]

    assert compare(runs("full", 0.5), runs("same", 0.5), 2000) == (0, 1)
    difference, p_value = compare(runs("full", 0.3), runs("better", 0.9), 2000)
    assert difference > 0.2 and p_value < 0.001
    assert compare(runs("full", 0.5), runs("other", 0.5, seeds=[7]), 2000) is None


def test_p_value_is_that_of_the_mean_difference():
    """Against all ways of swapping the documents, computed here."""
    counts = {name: [random_counts(start + seed, 8) for seed in (0, 1)] for name, start in (("full", 0), ("other", 10))}
    full, other = ([made(name, seed, table) for seed, table in enumerate(tables)] for name, tables in counts.items())

    def difference(swapped):
        f = []
        for a, b in zip(*counts.values()):
            sides = numpy.where(swapped, b, a), numpy.where(swapped, a, b)
            tp, predicted, gold = numpy.moveaxis(numpy.array([side.sum(axis=(0, 1)) for side in sides]), -1, 0)
            f.append(numpy.subtract(*(2 * tp / (predicted + gold))))
        return abs(numpy.mean(f))

    ways = [difference(numpy.array(way)[:, None, None]) for way in itertools.product((False, True), repeat=8)]
    exact = numpy.mean(numpy.array(ways) >= ways[0] - 1e-12)
    found, p_value = compare(full, other, 10_000)
    assert abs(found) == pytest.approx(ways[0])
    assert 0.05 < exact < 0.95 and p_value == pytest.approx(exact, abs=0.015)


def test_seed_that_finds_nothing_counts_as_the_others_do():
    """Nearly equal means do not differ, even if one of the seeds predicts nothing."""

    def runs(name, *found):
        rows = numpy.zeros((100, len(LABELS), 3), dtype=int)
        rows[:, 0, 2] = 1
        results = []
        for seed, n in enumerate(found):
            own = rows.copy()
            own[:n, 0, :2] = 1
            results.append(made(name, seed, own))
        return results

    # F1 of 0 and 1 against 0.5 twice
    difference, p_value = compare(runs("full", 0, 100), runs("other", 33, 34), 2000)
    assert abs(difference) < 0.01 and p_value > 0.5


def test_seeds_of_a_variant_with_other_settings_are_refused():
    results = [made("full", seed, random_counts(seed), overrides={"alpha": seed}) for seed in (0, 1)]
    with pytest.raises(ValueError, match=r"DR718.*full-1 and full-0"):
        make_tables(results)


def test_more_seeds_that_say_the_same_do_not_make_a_difference_more_significant():
    def runs(name, of, seeds):
        return [made(name, seed, random_counts(of)) for seed in range(seeds)]

    one, five = (compare(runs("full", 1, n), runs("other", 2, n), 2000) for n in (1, 5))
    assert one == five


def test_each_corpus_has_its_table(tmp_path, inside):
    for name in ("demo", "other"):
        folder = tmp_path / name / "runs"
        folder.mkdir(parents=True)
        for seed in (0, 1):
            for variant in ("full", "static"):
                result = made(variant, seed, random_counts(seed + len(name + variant)), corpus=f"corpus/{name}")
                write_result(folder / f"{variant}-{seed}.run.json", result)
    outputs = [tmp_path / "new" / f"table.{kind}" for kind in ("md", "json")]
    result = dualre("results", tmp_path / "demo", tmp_path / "other", "-o", outputs[0], "--json", outputs[1])
    assert result.exit_code == 0, result.output
    assert result.output.count("static") == 2
    assert re.findall("^## (.*)", outputs[0].read_text(), re.MULTILINE) == ["demo (dev)", "other (dev)"]
    assert [table["setup"]["corpus"] for table in srsly.read_json(outputs[1])["tables"]] == [
        "corpus/demo",
        "corpus/other",
    ]


def test_packed_results_make_the_same_tables(tmp_path, inside):
    """Two tables, of different corpora, and the same variant and seed in both."""
    lines = []
    for name, documents in (("demo", 40), ("other", 30)):
        for variant, seed in itertools.product(("full", "new"), (0, 1)):
            counts = random_counts(seed + len(name + variant), documents)
            result = made(variant, seed, counts, f"corpus/{name}", new_predicates=[LABELS[1]] * (variant == "new"))
            path = tmp_path / "runs" / f"{name}-{variant}-{seed}.run.json"
            write_result(path, result)
            lines.append(path.read_bytes())
    packed, tables = tmp_path / "packed" / "runs.jsonl.gz", [tmp_path / "one.json", tmp_path / "other.json"]
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(b"".join(lines)))
    assert dualre("results", tmp_path / "runs", "--json", tables[0]).exit_code == 0
    assert dualre("results", packed.parent, "--json", tables[1]).exit_code == 0
    assert srsly.read_json(tables[0]) == srsly.read_json(tables[1])
    packed.write_bytes(b"none")
    result = dualre("results", packed)
    assert result.exit_code == 1
    match("DR324.*runs.jsonl.gz", result.output)


@pytest.mark.parametrize("folder", sorted(path.parent for path in (ROOT / "assets" / "results").rglob("*.jsonl.gz")))
def test_tables_of_this_repository_are_made_of_its_runs(folder):
    """All figures of the tables beside the runs, except p-values, which take long."""
    text = to_markdown(make_tables(read_results([folder]), samples=1))
    assert without_p_values(text) == without_p_values((folder / "table.md").read_text(encoding="utf8"))


def without_p_values(markdown):
    return re.sub(r"([+-]\d+\.\d\d) \| [01]\.\d{4} \|", r"\1 | p |", markdown)


@pytest.mark.parametrize(
    "second, problem",
    [
        (made("full", 0, random_counts(1)), "DR711.*full-0 on corpus/demo"),
        (made("other", 0, random_counts(1, documents=39)), "DR712.*other-0"),
        (made("other", 0, random_counts(1) + [0, 0, 1]), "DR712.*other-0"),
    ],
)
def test_results_that_do_not_fit_together(second, problem):
    with pytest.raises(ValueError, match=problem):
        make_tables([made("full", 0, random_counts(0)), second])


def test_results_that_cannot_be_read(tmp_path):
    result = dualre("results", tmp_path)
    assert result.exit_code == 1
    match("DR710", result.output)
    (tmp_path / "a.run.json").write_text('{"variant": "full"}')
    with pytest.raises(CorpusError, match="a.run.json, line 1: Field required in setup"):
        read_results([tmp_path / "a.run.json"])


# Interrupted and failing calls, with pretended training


@pytest.fixture
def pretend(monkeypatch):
    """Give every run made-up results or the chosen exception. Returns the executed names, and the exceptions."""
    names, problems = [], {}

    def execute(plan, training, variants, folder, use_gpu):
        names.append(training.name)
        if training.name in problems:
            raise problems[training.name]
        (folder / f"{training.name}.cfg").write_text(training.config.to_str())
        results = []
        for variant in variants:
            changes = {"setup": plan.setup, "overrides": plan.of(variant)}
            results.append(made(variant, training.seed, random_counts(training.seed), plan.corpus, **changes))
            write_result(folder / f"{results[-1].name}.run.json", results[-1])
        return results

    monkeypatch.setattr("spacy_dualre.cli.ablations.execute", execute)
    return names, problems


def test_call_that_was_cut_off_goes_on(inside, tmp_path, pretend):
    names, problems = pretend
    command = ("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    problems["full-1"] = KeyboardInterrupt()
    assert dualre(*command).exit_code != 0
    assert names == ["full-0", "shared-0", "full-1"]
    names.clear(), problems.clear()
    result = dualre(*command)
    assert result.exit_code == 0, result.output
    assert names == ["full-1", "shared-1"]
    match("4 runs, 2 of them done already", result.output)
    assert (tmp_path / "out" / "table.md").exists()


def test_others_go_on_after_a_failed_run(inside, tmp_path, pretend):
    names, problems = pretend
    problems["full-0"] = ValueError("no luck, see runs/full-0.log")
    result = dualre("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    assert result.exit_code == 1
    match("no luck, see runs/full-0.log", result.output)
    assert names == ["full-0", "shared-0", "full-1", "shared-1"]
    # Compared over the seed that both have
    (table,) = srsly.read_json(tmp_path / "out" / "table.json")["tables"]
    assert [row["seeds"] for row in table["rows"]] == [[1], [0, 1]] and table["rows"][1]["figures"]["difference"] == 0


@pytest.mark.parametrize("change", [("--training.dropout", "0.2"), ("--protocol", "scierc")])
def test_results_of_other_settings_are_not_taken_for_these(inside, tmp_path, pretend, change):
    names, _ = pretend
    command = ("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    assert dualre(*command, "--seed", "3").exit_code == 0
    assert names == ["full-3", "shared-3"]
    result = dualre(*command, "--seed", "3", *change)
    assert result.exit_code == 1
    match(r"DR708.*full-3.run.json.*other settings", result.output)


def test_results_of_a_config_that_was_changed_are_not_taken_for_these(inside, tmp_path, pretend):
    config = tmp_path / "own.cfg"
    shutil.copy("configs/demo.cfg", config)
    command = ("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out", "--config", config)
    assert dualre(*command).exit_code == 0
    config.write_text(config.read_text() + "\n[nlp.other]\n")
    result = dualre(*command)
    assert result.exit_code == 1
    match(r"DR708.*full-0.run.json", result.output)


def test_runs_of_one_variant_alone(inside, tmp_path, pretend):
    names, _ = pretend
    command = ("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    result = dualre(*command, "--variant", "shared")
    assert result.exit_code == 0, result.output
    assert names == ["shared-0", "shared-1"]
    # Its reference comes from another call
    names.clear()
    assert dualre(*command, "--variant", "full", "--seed", "1").exit_code == 0
    assert names == ["full-1"]
    (table,) = srsly.read_json(tmp_path / "out" / "table.json")["tables"]
    assert [(row["variant"], row["seeds"]) for row in table["rows"]] == [("full", [1]), ("shared", [0, 1])]
    assert table["rows"][1]["figures"]["difference"] == 0


def test_unknown_variant(inside, tmp_path, pretend):
    result = dualre("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out", "--variant", "none")
    assert result.exit_code == 1
    match("DR717.*'none'.*full, shared", result.output)


# Plans


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"seed": [1]}, "DR326.*plan.json: Extra inputs are not permitted in seed"),
        ({"variants": {"full": {"override": {}}}}, "DR326.*not permitted in variants.full.override"),
        ({"seeds": []}, "DR326.*in seeds"),
        ({"seeds": [-1]}, "plan.json: .* greater than or equal to 0 in seeds.0"),
        ({"reference": "none"}, "DR702.*'none'.*full, shared"),
        ({"variants": {"full": {}, "a/b": {}}}, "plan.json: String should match pattern.*variants.a/b"),
        ({"protocol": "none"}, "DR004.*none"),
        ({"corpus": "corpus/none"}, "DR005.*none"),
        ({"config": "configs/none.cfg"}, "DR005.*none.cfg"),
        ({"overrides": {"trainings.seed": 3}}, "trainings"),
        ({"variants": {"full": {}, "x": {"trained_as": "y"}}}, "DR715.*'x'.*'y'"),
        ({"variants": {"full": {}, "x": {"trained_as": "x"}}}, "DR715"),
        ({"variants": {"full": {}, "x": {"new_predicates": ["CPR:33"]}}}, "DR716.*'x'.*CPR:33"),
        ({"variants": {"full": {}, "x": {"trained_as": "full", "overrides": {"training.dropout": 0.2}}}}, "DR715"),
    ],
)
def test_bad_plans_are_refused_before_anything_is_trained(inside, tmp_path, pretend, changes, problem):
    names, _ = pretend
    result = dualre("ablations", write_plan(tmp_path / "plan.json", **changes), "--output", tmp_path / "out")
    assert result.exit_code == 1
    match(problem, result.output)
    assert not names and not (tmp_path / "out").exists()


@pytest.mark.parametrize("corpus", CORPORA)
def test_plan_of_this_repository_suits_every_corpus(project, tmp_path, monkeypatch, corpus):
    monkeypatch.chdir(ROOT)
    folder = tmp_path / corpus
    shutil.copytree(project / "corpus" / "demo", folder)
    trainings = plan_trainings(read_plan(ROOT / "configs" / "ablations.json", corpus=str(folder)))
    assert trainings[0].name == "full-0" and len({training.name for training in trainings}) == len(trainings)
    texts = srsly.read_json(ROOT / "assets" / corpus / "descriptions.json")
    several = srsly.read_json(ROOT / "assets" / corpus / "descriptions_several.json")
    assert first_templates(several) == texts


def first_templates(texts):
    """Descriptions with two templates each, cut down to the first."""
    if isinstance(texts, dict):
        return {key: first_templates(value) for key, value in texts.items()}
    first, second = texts
    assert first != second
    return first


def test_commit_of_the_code_or_its_version(monkeypatch):
    if (ROOT / ".git").exists():
        head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert commit().removesuffix("-dirty") == head.stdout.strip()
    monkeypatch.setenv("PATH", "")
    assert commit() == version("spacy-dualre")


def test_variant_that_shares_a_training_is_scored_with_it(inside, tmp_path, pretend):
    names, _ = pretend
    command = ("ablations", "--output", tmp_path / "out", "--seed", "0")
    assert dualre(*command, write_plan(tmp_path / "plan.json")).exit_code == 0
    names.clear()
    more = write_plan(tmp_path / "plan.json", variants={"classified": CLASSIFIED, **PLAN["variants"]})
    assert dualre(*command, more).exit_code == 0
    assert names == ["shared-0"]
    assert {path.name for path in tmp_path.glob("out/runs/*.json")} == {
        f"{name}-0.run.json" for name in ("full", "shared", "classified")
    }
