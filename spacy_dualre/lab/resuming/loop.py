"""Training as spaCy's, with a checkpoint at every evaluation."""

import shutil
from pathlib import Path
from typing import IO, Any, Dict, Iterator

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Config, Optimizer, fix_random_seed
from wasabi import Printer

from ...errors import CheckpointError, Errors
from .checkpoint import CHECKPOINT, Checkpoint, check_given
from .given import given_by
from .replay import Replay
from .states import set_training_state, training_state

_SAY = Printer(no_print=True)
#: What the loop takes of [training] as it is.
_LOOP_SETTINGS = (
    "dropout",
    "accumulate_gradient",
    "patience",
    "max_steps",
    "eval_frequency",
    "annotating_components",
    "before_update",
)


def train(nlp: Language, output_path: Path, run: Checkpoint, stdout: IO, stderr: IO) -> None:
    """Train an initialised pipeline as `spacy.training.loop.train` does, with the same output and the same result.

    run: a new one, which replaces what is in the folder; or the one read from the folder's checkpoint, which goes on.
    Raises CheckpointError where it cannot go on: the data or what the components have from their initialisation are
    others, or the pipeline does not take its state.
    """
    config = nlp.config.interpolate()
    given = given_by(nlp, config)
    if run.state is None:
        run.given = given
    else:
        check_given(output_path / CHECKPOINT, run.given, given)
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    optimizer, frozen = training["optimizer"], training["frozen_components"]
    before_to_disk = create_before_to_disk_callback(training["before_to_disk"])
    replay = Replay(run)
    steps = _steps(nlp, config, training, replay)

    def save_models(is_best: bool) -> None:
        with nlp.use_params(optimizer.averages):
            before_to_disk(nlp).to_disk(output_path / DIR_MODEL_LAST)
        if is_best:
            shutil.rmtree(output_path / DIR_MODEL_BEST, ignore_errors=True)
            shutil.copytree(output_path / DIR_MODEL_LAST, output_path / DIR_MODEL_BEST)

    if run.state is None:
        clean_output_dir(output_path)
        (output_path / CHECKPOINT).unlink(missing_ok=True)
    _announce(nlp, training, stdout)
    with nlp.select_pipes(disable=frozen):
        log_step, finalize_logger = training["logger"](nlp, stdout, stderr)
    try:
        for _, info, is_best in steps:
            if is_best is not None:
                is_new = replay.is_over
                replay.report(info)
                with nlp.select_pipes(disable=frozen):
                    update_meta(training, nlp, info)
                # The models come after the checkpoint, which can make them again if they are cut off halfway
                if is_new:
                    run.write(output_path / CHECKPOINT, training_state(nlp, optimizer))
                elif replay.is_over:
                    _restore(nlp, optimizer, run, output_path / CHECKPOINT)
                if replay.is_over:
                    save_models(is_best)
                info["output_path"] = str(output_path / DIR_MODEL_LAST)
            log_step(info if is_best is not None else None)
        replay.finish()
    except Exception as err:
        if run.state is None:
            note = f"Aborting and saving the final best model. Encountered exception: {err!r}"
            stdout.write(_SAY.warn(note) + "\n")
        raise
    finally:
        finalize_logger()
        # A run that could not go on has nothing to save
        if run.state is None:
            save_models(False)
    Checkpoint(run.settings, finished=True).write(output_path / CHECKPOINT, None)
    stdout.write(_SAY.good("Saved pipeline to output directory", output_path / DIR_MODEL_LAST) + "\n")


def _steps(nlp: Language, config: Config, training: Dict[str, Any], replay: Replay) -> Iterator[Any]:
    """The steps of spaCy's loop: (batch, info, whether it is the best so far, None without an evaluation)."""
    train_corpus, dev_corpus = resolve_dot_names(config, [training["train_corpus"], training["dev_corpus"]])
    batcher = replay.batcher(training["batcher"])
    return train_while_improving(
        nlp,
        training["optimizer"],
        replay.batches(create_train_batches(nlp, train_corpus, batcher, training["max_epochs"])),
        replay.evaluate(create_evaluation_callback(nlp, dev_corpus, training["score_weights"])),
        exclude=training["frozen_components"],
        **{name: training[name] for name in _LOOP_SETTINGS},
    )


def _announce(nlp: Language, training: Dict[str, Any], stdout: IO) -> None:
    stdout.write(_SAY.info(f"Pipeline: {nlp.pipe_names}") + "\n")
    if training["frozen_components"]:
        stdout.write(_SAY.info(f"Frozen components: {training['frozen_components']}") + "\n")
    if training["annotating_components"]:
        stdout.write(_SAY.info(f"Set annotations on update for: {training['annotating_components']}") + "\n")
    stdout.write(_SAY.info(f"Initial learn rate: {training['optimizer'].learn_rate}") + "\n")


def _restore(nlp: Language, optimizer: Optimizer, run: Checkpoint, path: Path) -> None:
    try:
        set_training_state(nlp, optimizer, run.state or {})
    except Exception as err:  # so many libraries, so many errors
        raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err
    run.state = None
