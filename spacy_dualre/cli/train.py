"""`spacy dualre train`: `spacy train` that can be resumed."""

import logging
import shutil
import sys
from pathlib import Path

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu
from spacy.training.initialize import init_nlp
from spacy.training.loop import DIR_MODEL_LAST
from spacy.util import logger

from ..errors import CheckpointError, Errors
from ..lab.resuming import CHECKPOINT, Checkpoint, find_run, settings_of, train
from ..pipeline.configs import read_config
from .app import WITH_OVERRIDES, Code, Gpu, dualre_cli, msg, readable_errors


@dualre_cli.command("train", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def train_cli(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="Path to config file", exists=True, allow_dash=True),
    output_path: Path = typer.Option(..., "--output", "--output-path", "-o", help="Folder to store the pipeline in"),
    resume: bool = typer.Option(False, "--resume", help="Continue from the checkpoint in the output folder, if any"),
    verbose: bool = typer.Option(False, "--verbose", "-V", "-VV", help="Display more information for debugging"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Train as `spacy train` does, with the same options and results, but write a checkpoint to the output folder at
    every evaluation, from which --resume continues an interrupted training.
    """
    if verbose:
        logger.setLevel(logging.DEBUG)
    overrides = parse_config_overrides(ctx.args)
    with readable_errors():
        output_path.mkdir(parents=True, exist_ok=True)
    msg.info(f"Saving to output directory: {output_path}")
    setup_gpu(use_gpu)
    with readable_errors():
        config = read_config(config_path, overrides)
        settings = settings_of(config)
        run = find_run(output_path / CHECKPOINT, settings) if resume else Checkpoint(settings)
    if run.finished:
        msg.good("This training is finished, there is nothing to resume", output_path)
        return
    if run.state is not None:
        msg.info(f"Resuming after step {run.evaluations[-1]['step']}, from {output_path / CHECKPOINT}")
    elif resume:
        msg.info(f"No checkpoint in {output_path}: starting from the beginning")
    msg.divider("Initializing pipeline")
    with readable_errors():
        nlp = init_nlp(config, use_gpu=use_gpu)
    msg.good("Initialized pipeline")
    msg.divider("Training pipeline")
    try:
        train(nlp, output_path, run, sys.stdout, sys.stderr)
    except CheckpointError as err:
        msg.fail(str(err), exits=1)
    except OSError as err:
        # shutil's has those of all files
        problem = err.args[0][0][-1] if isinstance(err, shutil.Error) else err
        msg.fail(Errors.DR723.format(path=output_path, problem=problem), exits=1)
    msg.good("Saved pipeline to output directory", output_path / DIR_MODEL_LAST)
