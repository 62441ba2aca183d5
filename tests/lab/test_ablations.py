"""Ablations: real runs through the project file, and made-up results for everything that needs no training."""

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
from spacy.tokens import DocBin

from spacy_dualre.errors import CorpusError
from spacy_dualre.lab.ablations.clock import training_clock
from spacy_dualre.lab.ablations.plan import plan_runs, read_plan
from spacy_dualre.lab.ablations.result import COUNTS, RUNS, RunResult, read_result, read_results, write_result
from spacy_dualre.lab.ablations.run import RunError
from spacy_dualre.lab.ablations.table import compare, make_tables, to_markdown
from spacy_dualre.lab.environment import commit
from spacy_dualre.scoring.protocols import get_protocol

pytestmark = pytest.mark.slow

CORPORA = ("demo", "chemprot", "biored", "scierc", "semeval")
REL = "components.dual_encoder_rel"
LABELS = get_protocol("chemprot").labels
PLAN = {
    "config": "configs/{corpus}.cfg",
    "corpus": "corpus/demo",
    "protocol": "chemprot",
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
NEW = {"new_predicates": ["CPR:3", "CPR:9"]}
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
    assert dualre("convert", "chemprot", ROOT / "assets/demo/demo_development", corpus / "dev.spacy").exit_code == 0
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
    results = {(result.variant, result.seed): result for result in read_results([folder]).values()}
    assert set(results) == {(name, seed) for name in ("full", "shared", "classified", "new") for seed in (0, 1)}
    for (variant, seed), result in results.items():
        protocol = get_protocol("chemprot")
        assert result.scores["f"] == pytest.approx(float(protocol.f1(result.counts.sum(axis=0))))
        assert result.counts.shape == (26, 5, 3) and result.counts[..., 2].sum() == 133
        # Every step was evaluated, and the last row of the log says which it was
        log = folder / "runs" / f"{'shared' if variant == 'classified' else variant}-{seed}.log"
        rows = re.findall(r"^ +(\d+) +(\d+) ", log.read_text(), re.MULTILINE)
        assert (result.epochs, result.steps) == (2, int(rows[-1][1]) + 1)
        assert 0 < result.seconds["per_epoch"] < result.seconds["training"] < result.seconds["command"]
        assert result.settings["training"]["seed"] == seed
        settings = result.settings["components"]["dual_encoder_rel"]
        assert settings["model"]["network"]["shared_encoder"] == (variant in ("shared", "classified"))
        assert settings["prediction"] == ("classifier" if variant == "classified" else "similarity")
        assert (result.setup.split, result.setup.data) == ("dev", str(Path("corpus/demo/dev.spacy")))
        assert result.settings["components"]["dual_encoder_rel"]["model"]["run"]["max_length"] == 96
        assert result.versions["spacy"] and result.commit
    assert results["full", 0].scores != results["full", 1].scores
    new = results["new", 0]
    assert new.new_predicates == new.settings["corpora"]["train"]["without"] == ["CPR:3", "CPR:9"]
    # They were not there in training, and are predicted
    predicates = re.search(r"gold relations: (.*)", (folder / "runs" / "new-0.log").read_text())[1]
    assert "CPR:" in predicates and "CPR:3" not in predicates and "CPR:9" not in predicates
    assert sum(results["new", seed].counts[:, [0, 4], 1].sum() for seed in (0, 1)) > 0
    shared, classified = results["shared", 0], results["classified", 0]
    assert (shared.steps, shared.seconds["training"]) == (classified.steps, classified.seconds["training"])
    assert shared.scores != classified.scores
    assert "shared-1: F1" in output
    # Models are not kept
    assert {path.name.partition(".")[2] for path in (folder / "runs").iterdir()} == {"run.json", "log"}


def test_table_and_plot_of_real_runs(trained):
    pytest.importorskip("matplotlib", reason="the extra 'plots' is not installed")
    _, folder = trained
    (table,) = srsly.read_json(folder / "table.json")["tables"]
    assert {row["variant"] for row in table["rows"]} == {"full", "shared", "classified", "new"}
    assert all(row["comparison"]["seeds"] == [0, 1] for row in table["rows"][1:])
    text = (folder / "table.md").read_text()
    assert "## demo (dev)" in text and "- `shared`: One encoder." in text and "| full |" in text
    assert (folder / "table.png").read_bytes().startswith(b"\x89PNG")


def test_later_call_repeats_nothing_and_goes_on_after_a_failed_run(trained, inside):
    _, folder = trained
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.run.json")}
    # The random encoder has one layer
    broken = {"broken": {"overrides": {f"{REL}.model.network.frozen_layers": 9}}}
    plan = write_plan(inside / "plan.json", variants={**broken, **PLAN["variants"]}, seeds=[0])
    result = dualre("ablations", plan, "--output", folder, "--paths.encoder", "assets/random")
    assert result.exit_code == 1
    log = folder / "runs" / "broken-0.log"
    match(r"DR709.*broken-0 failed \(exit status 1\).*broken-0.log", result.output)
    match("1 of 3 runs failed: broken-0", result.output)
    assert "DR107" in log.read_text()
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.run.json")} == before
    assert "shared" in result.output and "difference" in result.output


def test_one_that_is_trained_as_another_by_itself(inside, tmp_path):
    """The source is trained along with it, reused if kept, and refused if its settings differ."""
    cascade = {"trained_as": "shared", "overrides": {f"{REL}.cascade": {"predicates": 1, "negative": 0.1}}}
    threshold = {"trained_as": "shared", "overrides": {f"{REL}.threshold": 0.01}}
    variants = {**PLAN["variants"], "cascade": cascade, "threshold": threshold}
    plan = write_plan(inside / "plan.json", variants=variants, seeds=[0])
    command = ("ablations", plan, "--output", tmp_path, "--paths.encoder", "assets/random", "--variant")
    assert dualre(*command, "cascade", "--keep-models").exit_code == 0
    kept = tmp_path / "runs" / "shared-0" / "training.json"
    before = kept.stat().st_mtime_ns
    assert dualre(*command, "threshold").exit_code == 0
    assert kept.stat().st_mtime_ns == before
    shared, by_cascade, by_threshold = (
        read_result(tmp_path / "runs" / f"{name}-0.run.json") for name in ("shared", "cascade", "threshold")
    )
    assert by_cascade.counts[..., 1].sum() < shared.counts[..., 1].sum() < by_threshold.counts[..., 1].sum()
    for result in tmp_path.glob("runs/*.run.json"):
        result.unlink()
    result = dualre(*command, "cascade", "--training.max_epochs", 1)
    assert result.exit_code == 1
    match(r"DR708.*shared-0/training.json.*\(training.max_epochs\)", result.output)
    assert kept.exists() and not list(tmp_path.glob("runs/*.run.json"))


# Made-up results


def made(variant, seed, counts, corpus="corpus/demo", **changes):
    """The result of a run that never happened, with counts (documents, labels, 3)."""
    counts = numpy.asarray(counts)
    scores = get_protocol("chemprot").scores(counts)
    values = {
        "setup": {
            "corpus": corpus,
            "data": f"{corpus}/dev.spacy",
            "split": "dev",
            "protocol": "chemprot",
            "config": "configs/demo.cfg",
            "common": {},
        },
        "note": "",
        "reference": "full",
        "overrides": {},
        "f_per_type": {label: score["f"] for label, score in scores.pop("per_type").items()},
        "scores": scores,
        "seconds": {"training": 10.0 + seed, "command": 12.0, "evaluation": 1.0},
        "steps": 4,
        "epochs": 1,
        "device": "abacus",
        "date": "2026-01-01T00:00:00+00:00",
        "commit": "0",
        "settings": {"training": {"eval_frequency": 1}},
        "labels": list(LABELS),
        "documents": {f"d{i}": rows for i, rows in enumerate(counts.tolist())},
    }
    return RunResult.model_validate({"variant": variant, "seed": seed, **values, **changes})


def random_counts(seed, documents=40, right=0.5, wrong=0.5):
    """Gold is the same for all seeds."""
    gold = numpy.random.default_rng(0).integers(0, 3, (documents, len(LABELS)))
    rng = numpy.random.default_rng(seed + 1)
    tp = rng.binomial(gold, right)
    return numpy.stack([tp, tp + rng.binomial(2, wrong, gold.shape), gold], axis=-1)


def named(*results):
    return {f"{number}.run.json": result for number, result in enumerate(results)}


def test_table_against_numpy():
    counts = {
        (name, seed): random_counts(10 * i + seed, right=right)
        for i, (name, right) in enumerate([("full", 0.6), ("other", 0.5)])
        for seed in (0, 1, 2)
    }
    # One run is missing
    del counts["other", 1]
    results = named(*(made(name, seed, table) for (name, seed), table in counts.items()))
    (table,) = make_tables(results, samples=2000)

    def f1(table):
        tp, predicted, gold = table.sum(axis=(0, 1))
        return 2 * tp / (predicted + gold)

    f = {run: f1(table) for run, table in counts.items()}
    full, other = table.rows
    assert (full.variant, full.seeds, full.comparison) == ("full", [0, 1, 2], None)
    values = [f["full", seed] for seed in (0, 1, 2)]
    assert (full.f.mean, full.f.std) == pytest.approx((sum(values) / 3, numpy.sqrt(numpy.var(values) * 3 / 2)))
    assert full.f_of_seeds == pytest.approx(values)
    assert (full.seconds, full.seconds_per_epoch, full.steps) == (11.0, None, 4)
    tp, predicted, gold = numpy.array([counts["full", seed].sum(axis=(0, 1)) for seed in (0, 1, 2)]).T
    assert (full.p, full.r) == pytest.approx(((tp / predicted).mean(), (tp / gold).mean()))
    assert other.seeds == other.comparison.seeds == [0, 2]
    differences = [f["other", seed] - f["full", seed] for seed in (0, 2)]
    assert other.comparison.difference == pytest.approx(numpy.mean(differences))
    assert 0 < other.comparison.p_value <= 1
    cells = [cell.strip() for cell in to_markdown([table]).splitlines()[7].strip("|").split("|")]
    assert cells[:5] == [
        "other",
        f"{100 * other.f.mean:.2f}",
        f"{100 * other.f.std:.2f}",
        "2",
        f"{100 * other.comparison.difference:+.2f}",
    ]


def test_table_with_another_reference():
    results = named(made("full", 0, random_counts(0)), made("other", 0, random_counts(10, right=0.3)))
    (table,) = make_tables(results, samples=100)
    (back,) = make_tables(results, samples=100, reference="other")
    assert [row.variant for row in back.rows] == ["other", "full"] and back.reference == "other"
    assert back.rows[1].comparison.difference == pytest.approx(-table.rows[1].comparison.difference)
    with pytest.raises(ValueError, match="DR702.*'none'.*full, other"):
        make_tables(results, reference="none")


def test_new_predicates_have_a_score_of_their_own():
    results = [made("full", seed, random_counts(seed, right=0.9)) for seed in (0, 1)]
    new = [made("new", seed, random_counts(seed, right=0.2), new_predicates=[LABELS[1]]) for seed in (0, 1)]
    (table,) = make_tables(named(*results, *new), samples=10)
    assert table.new_predicates == [LABELS[1]]
    for row, runs in zip(table.rows, (results, new), strict=True):
        expected = [run.f_per_type[LABELS[1]] for run in runs]
        assert row.f_new.mean == pytest.approx(numpy.mean(expected))
        assert row.f_new.std == pytest.approx(numpy.std(expected, ddof=1))
    text = to_markdown([table])
    assert f"micro F1 of {LABELS[1]}" in text and f"| {100 * table.rows[1].f_new.mean:.2f} |" in text
    assert "new F1" not in to_markdown(make_tables(named(*results), samples=10))


def test_same_runs_do_not_differ_and_other_ones_do():
    def runs(name, right, seeds=(0, 1)):
        return [made(name, seed, random_counts(seed, right=right)) for seed in seeds]

    same = compare(runs("full", 0.5), runs("same", 0.5), 2000, 0)
    assert (same.difference, same.p_value) == (0, 1)
    better = compare(runs("full", 0.3), runs("better", 0.9), 2000, 0)
    assert better.difference > 0.2 and better.p_value < 0.001
    assert compare(runs("full", 0.5), runs("other", 0.5, seeds=[7]), 2000, 0) is None


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
    found = compare(full, other, 10_000, 0)
    assert abs(found.difference) == pytest.approx(ways[0])
    assert 0.05 < exact < 0.95 and found.p_value == pytest.approx(exact, abs=0.015)


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
    same = compare(runs("full", 0, 100), runs("other", 33, 34), 2000, 0)
    assert abs(same.difference) < 0.01 and same.p_value > 0.5


def test_seeds_of_a_variant_with_other_settings_are_refused():
    def run(seed, settings, **changes):
        return made("full", seed, random_counts(seed), settings={"training": {"seed": seed, **settings}}, **changes)

    (table,) = make_tables(named(run(0, {"steps": 4}), run(1, {"steps": 4, "newer": None})), samples=10)
    assert table.rows[0].seeds == [0, 1]
    with pytest.raises(ValueError, match=r"DR718.*1.run.json.*0.run.json.*training.steps"):
        make_tables(named(run(0, {"steps": 4}), run(1, {"steps": 5})))
    with pytest.raises(ValueError, match=r"DR718.*training.steps"):
        make_tables(named(run(0, {"steps": None}), run(1, {"steps": {"of": 4}})))
    with pytest.raises(ValueError, match=r"DR718.*\(alpha\)"):
        make_tables(named(made("full", 0, random_counts(0), overrides={"alpha": 1}, settings={}), run(1, {})))
    # An override that says what the other's config says
    assert make_tables(named(run(0, {"steps": 4}, overrides={"training.steps": 4}), run(1, {"steps": 4})), samples=10)


def test_more_seeds_that_say_the_same_do_not_make_a_difference_more_significant():
    def runs(name, of, seeds):
        return [made(name, seed, random_counts(of)) for seed in range(seeds)]

    one, five = (compare(runs("full", 1, n), runs("other", 2, n), 2000, 0).p_value for n in (1, 5))
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
    assert [table["corpus"] for table in srsly.read_json(outputs[1])["tables"]] == ["corpus/demo", "corpus/other"]


def test_packed_results_make_the_same_tables(tmp_path, inside):
    """Two tables, of different corpora, and the same variant and seed in both."""
    for name, documents in (("demo", 40), ("other", 30)):
        for variant, seed in itertools.product(("full", "new"), (0, 1)):
            counts = random_counts(seed + len(name + variant), documents)
            result = made(variant, seed, counts, f"corpus/{name}", new_predicates=[LABELS[1]] * (variant == "new"))
            write_result(tmp_path / "runs" / f"{name}-{variant}-{seed}.run.json", result)
    packed, tables = tmp_path / "packed", [tmp_path / "one.json", tmp_path / "other.json"]
    assert dualre("results", tmp_path / "runs", "--json", tables[0], "--pack", packed).exit_code == 0
    assert dualre("results", packed, "--json", tables[1]).exit_code == 0
    assert srsly.read_json(tables[0]) == srsly.read_json(tables[1])
    assert {path.name for path in packed.iterdir()} == {RUNS, COUNTS}
    for damage in (lambda: (packed / COUNTS).write_bytes(b"none"), (packed / COUNTS).unlink):
        damage()
        result = dualre("results", packed)
        assert result.exit_code == 1
        match(f"DR724.*{COUNTS}", result.output)


@pytest.mark.parametrize("folder", sorted(path.parent for path in (ROOT / "assets" / "results").rglob(RUNS)))
def test_tables_of_this_repository_are_made_of_its_runs(folder):
    """All figures of the tables beside the runs, except p-values, which take long."""
    text = to_markdown(make_tables(read_results([folder]), samples=1))
    assert without_p_values(text) == without_p_values((folder / "table.md").read_text(encoding="utf8"))


def without_p_values(markdown):
    return re.sub(r"([+-]\d+\.\d\d) \| [01]\.\d{4} \|", r"\1 | p |", markdown)


@pytest.mark.parametrize("suffix, start", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_plot_is_written(tmp_path, suffix, start):
    pytest.importorskip("matplotlib", reason="the extra 'plots' is not installed")
    write_result(tmp_path / "a.run.json", made("full", 0, random_counts(0)))
    result = dualre("results", tmp_path, "--plot", tmp_path / f"plot.{suffix}")
    assert result.exit_code == 0, result.output
    assert (tmp_path / f"plot.{suffix}").read_bytes().startswith(start)


def test_plot_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_result(tmp_path / "a.run.json", made("full", 0, random_counts(0)))
    result = dualre("results", tmp_path, "--plot", tmp_path / "plot.png")
    assert result.exit_code == 1
    match(r"DR703.*spacy-dualre\[plots\]", result.output)


@pytest.mark.parametrize(
    "second, problem",
    [
        (made("full", 0, random_counts(1)), "DR711.*0.run.json and 1.run.json"),
        (made("other", 0, random_counts(1, documents=39)), "DR712.*1.run.json"),
        (made("other", 0, random_counts(1) + [0, 0, 1]), "DR712.*1.run.json"),
    ],
)
def test_results_that_do_not_fit_together(second, problem):
    with pytest.raises(ValueError, match=problem):
        make_tables(named(made("full", 0, random_counts(0)), second))


def test_results_that_cannot_be_read(tmp_path):
    result = dualre("results", tmp_path)
    assert result.exit_code == 1
    match("DR710", result.output)
    (tmp_path / "a.run.json").write_text('{"variant": "full"}')
    with pytest.raises(CorpusError, match="a.run.json: Field required in setup"):
        read_result(tmp_path / "a.run.json")


# Interrupted and failing calls, with pretended training


@pytest.fixture
def pretend(monkeypatch):
    """Give every run made-up results or the chosen exception. Returns the executed names, and the exceptions."""
    names, problems = [], {}

    def execute(plan, run, *args):
        names.append(run.name)
        if run.name in problems:
            raise problems[run.name]
        return made(run.variant, run.seed, random_counts(run.seed), plan.corpus, settings=run.settings)

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
    problems["full-0"] = RunError("no luck, see runs/full-0.log")
    result = dualre("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    assert result.exit_code == 1
    match("no luck, see runs/full-0.log", result.output)
    assert names == ["full-0", "shared-0", "full-1", "shared-1"]
    # Compared over the seed that both have
    (table,) = srsly.read_json(tmp_path / "out" / "table.json")["tables"]
    assert table["rows"][1]["comparison"]["seeds"] == [1]


def test_results_of_other_settings_are_not_taken_for_these(inside, tmp_path, pretend):
    names, _ = pretend
    command = ("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    assert dualre(*command, "--seed", "3").exit_code == 0
    assert names == ["full-3", "shared-3"]
    result = dualre(*command, "--seed", "3", "--training.dropout", "0.2")
    assert result.exit_code == 1
    match(r"DR708.*full-3.run.json.*other settings \(training.dropout\)", result.output)


def test_tables_are_written_without_matplotlib(inside, tmp_path, pretend, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = dualre("ablations", write_plan(tmp_path / "plan.json"), "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    match("DR703", result.output)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"runs", "table.md", "table.json"}


@pytest.mark.parametrize("steps, frequency, n", [(9, 4, 0), (8, 4, 3), (40, 13, 0), (41, 13, 1), (4, 9, 3)])
def test_steps_after_the_last_evaluation_are_told(inside, tmp_path, monkeypatch, steps, frequency, n):
    plan = write_plan(tmp_path / "plan.json", seeds=[0])
    monkeypatch.setattr(
        "spacy_dualre.cli.ablations.execute", lambda *args: made("full", 0, random_counts(0), steps=steps)
    )
    options = ("--variant", "full", "--training.eval_frequency", frequency)
    output = dualre("ablations", plan, "-o", tmp_path / "out", *options).output
    told = f"full-0: the last {n} of {steps} steps were never scored" in " ".join(output.split())
    assert told == (n == 3), output


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
    assert table["rows"][1]["comparison"]["seeds"] == [1]


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
        ({"seeds": [1, 1]}, "DR704"),
        ({"seeds": [-1]}, "plan.json: .* greater than or equal to 0 in seeds.0"),
        ({"reference": "none"}, "DR702.*'none'.*full, shared"),
        ({"variants": {"full": {}, "a/b": {}}}, "plan.json: String should match pattern.*variants.a/b"),
        ({"protocol": "none"}, "DR004.*none"),
        ({"corpus": "corpus/none"}, "DR005.*none"),
        ({"config": "configs/none.cfg"}, "DR005.*none.cfg"),
        ({"overrides": {"training.seed": 3}}, "DR705.*training.seed"),
        ({"overrides": {"training.batch": 3}}, "DR706.*no setting 'training.batch'.*batcher"),
        ({"overrides": {"paths.description": "x"}}, "DR706.*no setting 'paths.description'.*descriptions"),
        ({"variants": {"full": {}, "x": {"overrides": {f"{REL}.alpa": 1}}}}, "DR706.*'x'.*alpa.*alpha"),
        ({"variants": {"full": {}, "x": {"overrides": {f"{REL}.alpha": 2}}}}, "DR707.*'x'.*DR001.*alpha"),
        ({"variants": {"full": {}, "x": {"overrides": {"paths.descriptions": "none.json"}}}}, "DR707.*none.json"),
        ({"variants": {"full": {}, "x": {"overrides": {"training.max_steps": "all"}}}}, "DR707.*max_steps"),
        ({"variants": {"full": {}, "x": {"trained_as": "y"}}}, "DR715.*'x'.*'y'"),
        ({"variants": {"full": {}, "x": {"trained_as": "x"}}}, "DR715"),
        ({"variants": {"full": {}, "x": {"new_predicates": ["CPR:33"]}}}, "DR716.*'x'.*CPR:33"),
        *(
            ({"variants": {"full": {}, "x": {"trained_as": "full", "overrides": {key: value}}}}, "DR715")
            for key, value in {
                "training.dropout": 0.2,
                f"{REL}.sampled_predicates": 2,
                f"{REL}.max_candidates_per_batch": 2,
                f"{REL}.model.network.cls_fusion": False,
                f"{REL}.model": {},
                REL: {},
            }.items()
        ),
    ],
)
def test_bad_plans_are_refused_before_anything_is_trained(inside, tmp_path, pretend, changes, problem):
    names, _ = pretend
    result = dualre("ablations", write_plan(tmp_path / "plan.json", **changes), "--output", tmp_path / "out")
    assert result.exit_code == 1
    match(problem, result.output)
    assert not names and not (tmp_path / "out").exists()


def test_config_with_a_callback_where_the_clock_is_needed(inside, tmp_path):
    callback = '\n[training.before_update]\n@callbacks = "spacy-dualre.training_clock.v1"\npath = "x"\n'
    config = tmp_path / "own.cfg"
    config.write_text((ROOT / "configs" / "demo.cfg").read_text() + callback)
    plan = read_plan(write_plan(tmp_path / "plan.json"), config=str(config))
    with pytest.raises(ValueError, match="DR705.*own.cfg: training.before_update"):
        plan_runs(plan)


def test_corpus_without_documents(inside, tmp_path):
    for split in ("train", "dev"):
        DocBin(store_user_data=True).to_disk(tmp_path / f"{split}.spacy")
    with pytest.raises(ValueError, match="DR714.*dev.spacy"):
        read_plan(write_plan(tmp_path / "plan.json"), corpus=str(tmp_path))


def test_variant_that_changes_nothing_is_left_out(inside, tmp_path, pretend):
    names, _ = pretend
    # As in the demo's config
    variants = {"full": {}, "no-context": {"overrides": {f"{REL}.context": 0}}}
    plan = write_plan(tmp_path / "plan.json", variants=variants, seeds=[0])
    result = dualre("ablations", plan, "--output", tmp_path / "out")
    assert result.exit_code == 0 and names == ["full-0"]
    match("DW821.*no-context", result.output)


@pytest.mark.parametrize("corpus", CORPORA)
def test_plan_of_this_repository_suits_every_corpus(project, tmp_path, monkeypatch, corpus):
    monkeypatch.chdir(ROOT)
    folder = tmp_path / corpus
    shutil.copytree(project / "corpus" / "demo", folder)
    runs, same = plan_runs(read_plan(ROOT / "configs" / "ablations.json", corpus=str(folder)))
    assert len(same) >= 1 and "frozen-embeddings" in same
    assert runs[0].name == "full-0" and len({run.variant for run in runs}) == len(runs) / 3
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


def test_clock_remembers_when_epochs_began(tmp_path, monkeypatch):
    times = iter([100.0, 103.0, 110.0, 114.0, 120.0])
    monkeypatch.setattr("spacy_dualre.lab.ablations.clock.time", lambda: next(times))
    tick = training_clock(str(tmp_path / "clock.json"))
    for step, epoch in enumerate((0, 0, 1, 1, 2)):
        tick(None, {"step": step, "epoch": epoch})
    assert srsly.read_json(tmp_path / "clock.json") == {"epochs": [100.0, 110.0, 120.0], "steps": 5}


def test_pipeline_that_another_run_needs_is_trained_again(inside, tmp_path, pretend):
    names, _ = pretend
    command = ("ablations", "--output", tmp_path / "out", "--seed", "0")
    assert dualre(*command, write_plan(tmp_path / "plan.json")).exit_code == 0
    names.clear()
    more = write_plan(tmp_path / "plan.json", variants={"classified": CLASSIFIED, **PLAN["variants"]})
    assert dualre(*command, more).exit_code == 0
    assert names == ["shared-0", "classified-0"]
    names.clear()
    training = tmp_path / "out" / "runs" / "shared-0" / "training.json"
    training.parent.mkdir()
    (run,) = plan_runs(read_plan(more, {}, seeds=[0]), ["shared"])[0]
    srsly.write_json(training, {"settings": run.settings})
    (tmp_path / "out" / "runs" / "classified-0.run.json").unlink()
    assert dualre(*command, more).exit_code == 0
    # An earlier call has kept it
    assert names == ["classified-0"] and training.exists()


def test_variant_of_one_that_is_left_out_is_trained_as_the_reference(inside, tmp_path):
    variants = {"full": {}, "same": {}, "classified": {**CLASSIFIED, "trained_as": "same"}}
    runs, same = plan_runs(read_plan(write_plan(tmp_path / "plan.json", variants=variants)))
    assert same == ["same"]
    assert [(run.name, run.training.name) for run in runs][:2] == [("full-0", "full-0"), ("classified-0", "full-0")]
