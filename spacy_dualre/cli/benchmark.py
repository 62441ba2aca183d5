"""`spacy dualre benchmark`: the speed and memory use of a trained pipeline."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu

from ..lab.benchmark import benchmark
from ..pipeline.pipelines import load_pipeline
from ..writing import check_writable, write_json
from .app import WITH_OVERRIDES, Code, Gpu, JsonOutput, Model, command, msg


@command("benchmark", context_settings=WITH_OVERRIDES)
def benchmark_cli(
    ctx: typer.Context,
    model: Model,
    data_path: Path = typer.Argument(..., metavar="DATA", help="Documents with mentions, .spacy"),
    output: JsonOutput = None,
    repetitions: int = typer.Option(5, min=1, help="How often to measure each part, in turns"),
    limit: int = typer.Option(0, min=0, help="Use at most this many documents; 0: all"),
    naive_candidates: int = typer.Option(64, min=0, help="Candidates for the naive way; 0: none"),
    train: int = typer.Option(0, min=0, help="Measure a training step of this many candidates too; no weight changes"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Measure the speed and memory use of a pipeline on documents with mentions, compared with naive use of the same
    weights (everything padded, nothing shared) and with its bare encoders, which are the limit. All figures are medians
    with their range.
    """
    setup_gpu(use_gpu, silent=False)
    check_writable(output)
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    report = benchmark(nlp, model, data_path, repetitions, limit, naive_candidates, train)
    write_json(output, report)
    print_report(report)


def print_report(report: Dict[str, Any]) -> None:
    """Print a report as tables."""
    peak = {"peak_memory_mb": report["peak_memory_mb"]}
    for title, values in (("Settings", report["settings"]), ("Data", report["counts"]), ("Process", peak)):
        msg.divider(title)
        msg.table([(_spell(name), _number(value)) for name, value in values.items()], aligns=("l", "r"))
    for part in ("prediction", "training"):
        rows: List[Tuple[str, ...]] = []
        for run, figures in report.get(part, {}).items():
            rows.append((run, "", "", ""))
            for name, spread in figures.items():
                rows.append((f"  {_spell(name)}", *(_number(spread[key]) for key in ("median", "min", "max"))))
        if rows:
            msg.divider(part.capitalize())
            msg.table(rows, header=("", "median", "least", "most"), aligns=("l", "r", "r", "r"))


def _spell(name: str) -> str:
    return name.replace("_per_s", "/s").replace("_percent", " in %").replace("_mb", " in MB").replace("_", " ")


def _number(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
