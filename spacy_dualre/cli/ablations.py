"""`spacy dualre ablations`: train the variants of a plan and compare them."""

from pathlib import Path
from typing import List, Optional

import typer
from spacy.cli._util import setup_gpu
from spacy.util import ENV_VARS
from wasabi import msg

from ..errors import Warnings
from ..lab.ablations.plan import Plan, Run, plan_runs, read_plan
from ..lab.ablations.plot import plot_tables
from ..lab.ablations.result import read_results, result_path, write_result
from ..lab.ablations.run import RunError, discard, execute, to_do
from ..lab.ablations.table import Table, make_tables, to_json, to_markdown
from ..writing import write_json, write_text
from .app import WITH_OVERRIDES, Gpu, config_overrides, dualre_cli, readable_errors
from .results import print_tables

#: The largest share of a training after its last evaluation that causes no warning.
_MOST_UNSCORED = 0.1


@dualre_cli.command("ablations", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def ablations_cli(
    ctx: typer.Context,
    plan_path: Path = typer.Argument(..., metavar="PLAN", help="The plan, such as configs/ablations.json"),
    output: Path = typer.Option(..., "--output", "-o", help="Folder for results, logs, tables and plot"),
    config: Optional[str] = typer.Option(None, help="Training config, instead of the plan's"),
    corpus: Optional[str] = typer.Option(None, help="Folder with train.spacy and dev.spacy, instead of the plan's"),
    protocol: Optional[str] = typer.Option(None, help="Scoring protocol, instead of the plan's"),
    seeds: Optional[List[int]] = typer.Option(None, "--seed", help="Seed, instead of the plan's. May be repeated"),
    variants: Optional[List[str]] = typer.Option(
        None, "--variant", help="Run only this variant, and the one it is trained as. May be repeated"
    ),
    keep_models: bool = typer.Option(False, "--keep-models", help="Keep the trained pipelines"),
    use_gpu: Gpu = -1,
) -> None:
    """Train the variants of a plan with each seed, score them officially, and write tables and a plot. Runs whose
    result is already in the output folder are not repeated. Further options override config settings for all variants,
    as in `spacy train`.
    """
    with readable_errors():
        setup_gpu(use_gpu, silent=False)
        overrides = config_overrides(ctx, ENV_VARS.CONFIG_OVERRIDES)
        changes = {"config": config, "corpus": corpus, "protocol": protocol, "seeds": seeds or None}
        plan = read_plan(plan_path, overrides, **changes)
        runs, same = plan_runs(plan, variants or None)
        folder = output / "runs"
        missing = to_do(plan, runs, folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in same:
            msg.warn(Warnings.DW821.format(name=name))
        total = len({run.name for run in [*runs, *missing]})
        msg.info(f"{total} runs, {total - len(missing)} of them done already")
        # An earlier call may have kept some
        kept = {run.training.name for run in missing} - {run.name for run in missing if run.source is None}
        failed = []
        for done, run in enumerate(missing, 1):
            if not run_and_report(plan, run, folder, use_gpu):
                failed.append(run)
            needed = {later.training.name for later in missing[done:]} | kept
            if not keep_models and run.training.name not in needed:
                discard(folder, run)
        if len(failed) < total:
            print_tables(write_tables(output, folder))
        if failed:
            msg.fail(f"{len(failed)} of {total} runs failed: {', '.join(run.name for run in failed)}", exits=1)


def run_and_report(plan: Plan, run: Run, folder: Path, use_gpu: int) -> bool:
    """Execute a run and write its result to the folder. Returns whether it succeeded."""
    msg.text(f"{run.name} ...")
    try:
        result = execute(plan, run, folder, use_gpu)
    except RunError as err:
        msg.fail(str(err))
        return False
    write_result(result_path(folder, run), result)
    msg.good(f"{run.name}: F1 {100 * result.scores['f']:.2f} after {result.seconds['training']:.0f} s")
    frequency = run.settings["training"]["eval_frequency"]
    # spaCy evaluates every `frequency` steps, counted from 0
    unscored = (result.steps - 1) % frequency
    if run.source is None and unscored > _MOST_UNSCORED * result.steps:
        values = {"name": run.name, "n": unscored, "total": result.steps, "frequency": frequency}
        msg.warn(Warnings.DW822.format(**values))
    return True


def write_tables(output: Path, folder: Path) -> List[Table]:
    """Write tables of all runs in the folder and, if matplotlib is installed, a plot."""
    tables = make_tables(read_results([folder]))
    write_text(output / "table.md", to_markdown(tables))
    write_json(output / "table.json", to_json(tables))
    try:
        plot_tables(tables, output / "table.png")
    except ImportError as err:
        msg.warn(str(err))
    msg.good(f"Wrote {', '.join(path.name for path in sorted(output.glob('table.*')))} to {output}")
    return tables
