"""spaCy's training loop, with a checkpoint at every evaluation."""

import shutil
from itertools import repeat
from pathlib import Path
from timeit import default_timer as timer
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Tuple

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    create_evaluation_callback,
    create_train_batches,
    subdivide_batch,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Optimizer, fix_random_seed
from wasabi import Printer

from ...errors import CheckpointError, Errors
from .checkpoint import CHECKPOINT, Checkpoint, check_given
from .checksums import checksum, given_by
from .states import random_states, set_random_states, set_training_state, training_state

Evaluate = Callable[[], Tuple[float, Dict[str, Any]]]
_SAY = Printer(no_print=True)


def train(nlp: Language, output_path: Path, run: Checkpoint, stdout: IO, stderr: IO) -> None:
    """Train an initialised pipeline as `spacy.training.loop.train` does, with the same output and result.

    A new run replaces the models and the checkpoint in the output folder; one read from its checkpoint is resumed.

    Raises:
        CheckpointError: The data or the initialised components have changed, or the state does not fit the pipeline.
    """
    config = nlp.config.interpolate()
    given = given_by(nlp, config)
    if run.state is not None:
        check_given(output_path / CHECKPOINT, run.given, given)
    run.given = given
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(config, [training["train_corpus"], training["dev_corpus"]])
    loop = _Loop(nlp, output_path, run, training)
    if run.state is None:
        clean_output_dir(output_path)
        (output_path / CHECKPOINT).unlink(missing_ok=True)
    _announce(nlp, training, stdout)
    with nlp.select_pipes(disable=training["frozen_components"]):
        log_step, finalize_logger = training["logger"](nlp, stdout, stderr)
    try:
        loop.go_through(
            _replayable(run, nlp, train_corpus, training),
            create_evaluation_callback(nlp, dev_corpus, training["score_weights"]),
            log_step,
        )
    except Exception as err:
        if run.state is None:
            note = f"Aborting and saving the final best model. Encountered exception: {err!r}"
            stdout.write(_SAY.warn(note) + "\n")
        raise
    finally:
        finalize_logger()
        # A run that could not be resumed has nothing to save
        if run.state is None:
            loop.save_models(False)
    Checkpoint(run.settings, finished=True).write(output_path / CHECKPOINT, None)
    stdout.write(_SAY.good("Saved pipeline to output directory", output_path / DIR_MODEL_LAST) + "\n")


def _replayable(
    run: Checkpoint, nlp: Language, corpus: Callable, training: Dict[str, Any]
) -> Iterator[Tuple[int, List[Example]]]:
    """spaCy's batches with their epochs. Epochs that the run began earlier are shuffled and batched as then."""
    known = iter(list(run.epochs))

    def start_epoch() -> None:
        states = next(known, None)
        if states is not None:
            set_random_states(states)
        else:
            run.epochs.append(random_states())

    def batcher(examples: Iterable[Example]) -> Iterator[Any]:
        yield from training["batcher"](examples)
        # spaCy shuffles for the next epoch as soon as this returns
        start_epoch()

    start_epoch()
    yield from create_train_batches(nlp, corpus, batcher, training["max_epochs"])


class _Loop:
    """`spacy.training.loop.train_while_improving`, except that it can start from a checkpoint."""

    def __init__(self, nlp: Language, output_path: Path, run: Checkpoint, training: Dict[str, Any]) -> None:
        self.nlp = nlp
        self.output_path = output_path
        self.run = run
        self.training = training
        self.optimizer: Optimizer = training["optimizer"]
        self.before_to_disk = create_before_to_disk_callback(training["before_to_disk"])
        self.results: List[Tuple[float, int]] = [(info["score"], info["step"]) for info in run.evaluations]
        self.losses: Dict[str, float] = {}
        self.words = 0
        self.data = 0
        self.start = timer() - (run.evaluations[-1]["seconds"] if run.evaluations else 0)

    def go_through(
        self, batches: Iterable[Tuple[int, List[Example]]], evaluate: Evaluate, log_step: Callable[[Any], None]
    ) -> None:
        """Train step by step. Steps up to the checkpoint are skipped, and their evaluations logged again."""
        dropout = self.training["dropout"]
        dropouts = repeat(dropout) if isinstance(dropout, float) else dropout
        last = self.results[-1][1] if self.results else -1
        step = -1
        for step, (epoch, batch) in enumerate(batches):
            self.data = checksum(batch, self.data)
            self.words += sum(len(example) for example in batch)
            drop = next(dropouts)
            if step > last:
                self._update(step, epoch, batch, drop)
            self.optimizer.step_schedules()
            if step > last:
                log_step(self._evaluate(step, epoch, evaluate) if step % self.training["eval_frequency"] == 0 else None)
            elif step == last:
                self._resume(log_step)
            if step >= last and self._is_over(step):
                return
        if step < last:
            raise self._other_data()

    def save_models(self, is_best: bool) -> None:
        """Save the last model, and as the best one too if it is."""
        with self.nlp.use_params(self.optimizer.averages):
            self.before_to_disk(self.nlp).to_disk(self.output_path / DIR_MODEL_LAST)
        if is_best:
            shutil.rmtree(self.output_path / DIR_MODEL_BEST, ignore_errors=True)
            shutil.copytree(self.output_path / DIR_MODEL_LAST, self.output_path / DIR_MODEL_BEST)

    def _resume(self, log_step: Callable[[Any], None]) -> None:
        """Restore the checkpoint's state, and write its models again."""
        if self.data != self.run.evaluations[-1]["data"]:
            raise self._other_data()
        try:
            set_training_state(self.nlp, self.optimizer, self.run.state or {})
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as err:
            path = self.output_path / CHECKPOINT
            raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err
        self.run.state = None
        for i, info in enumerate(self.run.evaluations, 1):
            log_step(self._reported({**info, "checkpoints": self.results[:i]}))
        self.save_models(self.results[-1][0] == max(self.results)[0])

    def _update(self, step: int, epoch: int, batch: List[Example], drop: float) -> None:
        training, frozen = self.training, self.training["frozen_components"]
        if training["before_update"]:
            training["before_update"](self.nlp, {"step": step, "epoch": epoch})
        options: Dict[str, Any] = {"sgd": False, "exclude": frozen, "annotates": training["annotating_components"]}
        for part in subdivide_batch(batch, training["accumulate_gradient"]):
            self.nlp.update(part, drop=drop, losses=self.losses, **options)
        pipes: List[Tuple[str, Any]] = self.nlp.pipeline
        for name, pipe in pipes:
            is_trainable = getattr(pipe, "is_trainable", False) and pipe.model not in (True, False, None)
            if name not in frozen and is_trainable:
                pipe.finish_update(self.optimizer)

    def _evaluate(self, step: int, epoch: int, evaluate: Evaluate) -> Dict[str, Any]:
        """Evaluate, and write checkpoint and models. Returns the logger's info."""
        # Changes nothing without averages
        with self.nlp.use_params(self.optimizer.averages):
            score, other_scores = evaluate()
        self.results.append((score, step))
        info = {"step": step, "epoch": epoch, "score": score, "other_scores": other_scores, "losses": self.losses}
        info.update(seconds=int(timer() - self.start), words=self.words)
        self.run.evaluations.append({**info, "data": self.data})
        info = self._reported({**info, "checkpoints": self.results})
        # The models come after the checkpoint, from which they can be written again after an interruption
        self.run.write(self.output_path / CHECKPOINT, training_state(self.nlp, self.optimizer))
        self.save_models(score == max(self.results)[0])
        self.losses = {}
        return info

    def _reported(self, info: Dict[str, Any]) -> Dict[str, Any]:
        with self.nlp.select_pipes(disable=self.training["frozen_components"]):
            update_meta(self.training, self.nlp, info)
        return {**info, "output_path": str(self.output_path / DIR_MODEL_LAST)}

    def _is_over(self, step: int) -> bool:
        patience, max_steps = self.training["patience"], self.training["max_steps"]
        # The earliest of equal scores is the best
        best = -max((score, -step) for score, step in self.results)[1]
        return bool(patience and step - best >= patience or max_steps and step >= max_steps)

    def _other_data(self) -> CheckpointError:
        then = self.run.evaluations[-1]
        return CheckpointError(Errors.DR722.format(step=then["step"], then=then["words"], now=self.words))


def _announce(nlp: Language, training: Dict[str, Any], stdout: IO) -> None:
    lines = {
        "Pipeline": nlp.pipe_names,
        "Frozen components": training["frozen_components"],
        "Set annotations on update for": training["annotating_components"],
        "Initial learn rate": training["optimizer"].learn_rate,
    }
    for name, value in lines.items():
        if value != []:
            stdout.write(_SAY.info(f"{name}: {value}") + "\n")
