"""`spacy dualre benchmark`: the speed and memory use of a trained pipeline."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Dict, List, Tuple

import typer
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..lab.benchmark import Plan, benchmark
from ..pipeline.pipelines import load_pipeline
from ..writing import check_writable, write_json
from .app import WITH_OVERRIDES, Code, Gpu, JsonOutput, Model, config_overrides, dualre_cli, readable_errors


@dualre_cli.command("benchmark", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def benchmark_cli(
    ctx: typer.Context,
    model: Model,
    data_path: Path = typer.Argument(..., metavar="DATA", help="Documents with mentions, .spacy"),
    output: JsonOutput = None,
    repetitions: int = typer.Option(5, min=1, help="How often to measure each part, in turns"),
    limit: int = typer.Option(0, min=0, help="Use at most this many documents; 0: all"),
    threads: int = typer.Option(0, min=0, help="Number of torch threads; 0: its default"),
    prediction: bool = typer.Option(True, help="Measure prediction"),
    naive_candidates: int = typer.Option(64, min=0, help="Candidates for the naive way; 0: none"),
    train: bool = typer.Option(False, "--train", help="Measure a training step, without changing weights"),
    train_batch: int = typer.Option(32, min=1, help="Candidates of a training step"),
    soak: int = typer.Option(0, min=0, help="Watch the memory while this many documents stream through"),
    mentions: int = typer.Option(0, min=0, help="Measure one document with this many mentions, and with half of them"),
    n_process: int = typer.Option(0, min=0, help="Measure nlp.pipe with this many processes against one"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Measure the speed and memory use of a pipeline on documents with mentions, compared with naive use of the same
    weights (everything padded, nothing shared) and with its bare encoders, which are the limit. All figures are medians
    with their range.
    """
    plan = Plan(**{field.name: ctx.params[field.name] for field in fields(Plan)})
    with readable_errors():
        setup_gpu(use_gpu, silent=False)
        check_writable(output)
        report = benchmark(load_pipeline(model, config_overrides(ctx)), model, data_path, plan)
        write_json(output, report)
    print_report(report)


def print_report(report: Dict[str, Any]) -> None:
    """Print a report as tables."""
    settings = {name: value for name, value in report["settings"].items() if name not in ("plan", "versions")}
    _print_values("Settings", settings)
    _print_values("Versions", report["settings"]["versions"])
    if "prediction" in report:
        _print_values("Data", report["prediction"]["counts"])
    for part in ("prediction", "processes", "training"):
        if part in report:
            _print_runs(part, report[part])
    if "soak" in report:
        soak = report["soak"]
        points = {f"MB after {point['documents']} documents": point["resident_mb"] for point in soak["resident"]}
        _print_values("Stream", {**points, **{name: v for name, v in soak.items() if name != "resident"}})
    for document in report.get("mentions", ()):
        _print_values(f"One document with {document['mentions']} mentions", document)


def _print_runs(title: str, part: Dict[str, Any]) -> None:
    msg.divider(title.capitalize())
    rows: List[Tuple[str, ...]] = []
    for run, found in {**part["runs"], **part["ratios"]}.items():
        rows.append((run, "", "", ""))
        for name, spread in found["summary"].items():
            rows.append((f"  {_spell(name)}", *(_number(spread[key]) for key in ("median", "min", "max"))))
    msg.table(rows, header=("", "median", "least", "most"), aligns=("l", "r", "r", "r"))


def _print_values(title: str, values: Dict[str, Any]) -> None:
    msg.divider(title)
    msg.table([(_spell(name), _number(value)) for name, value in values.items()], aligns=("l", "r"))


def _spell(name: str) -> str:
    return name.replace("_per_s", "/s").replace("_percent", " in %").replace("_mb", " in MB").replace("_", " ")


def _number(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
