"""`spacy dualre ablations`: train the variants of a plan and compare them."""

import shutil
from pathlib import Path
from typing import List, Optional

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu

from ..lab.ablations import execute, plan_trainings, read_plan, to_do
from .app import WITH_OVERRIDES, Gpu, command, msg
from .results import write_tables


@command("ablations", context_settings=WITH_OVERRIDES)
def ablations_cli(
    ctx: typer.Context,
    plan_path: Path = typer.Argument(..., metavar="PLAN", help="The plan, such as configs/ablations.json"),
    output: Path = typer.Option(..., "--output", "-o", help="Folder for results, logs and tables"),
    config: Optional[str] = typer.Option(None, help="Training config, instead of the plan's"),
    corpus: Optional[str] = typer.Option(None, help="Folder with train.spacy and dev.spacy, instead of the plan's"),
    protocol: Optional[str] = typer.Option(None, help="Scoring protocol, instead of the plan's"),
    seeds: List[int] = typer.Option([], "--seed", help="Seed, instead of the plan's. May be repeated"),
    variants: List[str] = typer.Option(
        [], "--variant", help="Run only this variant, and those that share its training. May be repeated"
    ),
    keep_models: bool = typer.Option(False, "--keep-models", help="Keep the trained pipelines"),
    use_gpu: Gpu = -1,
) -> None:
    """Train the variants of a plan with each seed, score them officially, and write tables. Runs whose result is in the
    output folder already are not repeated, and a training that was cut off goes on. Further options override config
    settings for all variants, as in `spacy train`.
    """
    setup_gpu(use_gpu, silent=False)
    overrides = parse_config_overrides(ctx.args)
    plan = read_plan(plan_path, overrides, config=config, corpus=corpus, protocol=protocol, seeds=seeds)
    folder = output / "runs"
    missing = [(training, to_do(plan, training, folder)) for training in plan_trainings(plan, variants)]
    folder.mkdir(parents=True, exist_ok=True)
    total, left = sum(len(training.scored) for training, _ in missing), sum(len(todo) for _, todo in missing)
    msg.info(f"{total} runs, {total - left} of them done already")
    failed = []
    for training, todo in missing:
        if not todo:
            continue
        msg.text(f"{training.name} ...")
        try:
            for result in execute(plan, training, todo, folder, use_gpu):
                msg.good(f"{result.name}: F1 {100 * result.scores['f']:.2f}, trained for {result.seconds:.0f} s")
            if not keep_models:
                shutil.rmtree(folder / training.name, ignore_errors=True)
        except ValueError as err:
            msg.fail(str(err))
            failed.append(training.name)
    if len(failed) < len(missing):
        write_tables([folder], output / "table.md", output / "table.json")
        msg.good(f"Wrote table.md and table.json to {output}")
    if failed:
        msg.fail(f"{len(failed)} of {len(missing)} trainings failed: {', '.join(failed)}", exits=1)
