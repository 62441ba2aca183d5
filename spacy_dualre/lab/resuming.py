"""Resumable training: spaCy's loop, with a checkpoint at every evaluation."""

import json
import os
import shutil
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import torch
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example, loop
from spacy.util import dict_to_dot, registry, resolve_dot_names
from thinc.api import Config, Optimizer, fix_random_seed

from ..errors import DAMAGED, CheckpointError, Errors
from .states import random_states, set_random_states, set_training_state, training_state

#: The name of the checkpoint in the output folder.
CHECKPOINT = "checkpoint.pt"
#: What reading a damaged file, or restoring another pipeline's state, raises.
_DAMAGED = (*DAMAGED, AttributeError, EOFError)
#: Sections of a config in which a value may name a file that the training reads.
_WITH_FILES = ("paths.", "corpora.", "initialize.")


@dataclass
class Checkpoint:
    """The history of a training, and its state."""

    settings: Dict[str, str]  # see `settings_of`
    evaluations: List[Dict[str, Any]] = field(default_factory=list)  # the report of each
    epochs: List[Dict[str, Any]] = field(default_factory=list)  # the random states before each
    state: Optional[Dict[str, Any]] = None  # see `training_state`; None if there is nothing to restore
    finished: bool = False

    def write(self, path: Path, state: Optional[Dict[str, Any]]) -> None:
        """Write to a file, with another state. If interrupted, the old file stays. Raises OSError on a full disk."""
        # Scores may be of number types that torch.load would refuse
        values = {**vars(self), "evaluations": json.dumps(self.evaluations, default=float), "state": state}
        unfinished = path.with_name(f"{path.name}.tmp")
        try:
            with unfinished.open("wb") as file:
                torch.save(values, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except RuntimeError as err:
            # torch's, where it closes what it could not write
            raise err.__context__ or err from None
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read a checkpoint. Raises CheckpointError if it is damaged."""
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            return cls(**{**values, "evaluations": json.loads(values["evaluations"])})
        except _DAMAGED as err:
            raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err


def settings_of(config: Config) -> Dict[str, str]:
    """The settings of a config as JSON by dotted key, such as {"training.seed": "0"}. Names of files come with a
    checksum of what is in them.
    """
    # srsly's JSON rounds numbers
    return {name: json.dumps(value) + _contents(name, value) for name, value in dict_to_dot(config).items()}


def _contents(name: str, value: Any) -> str:
    if not (name.startswith(_WITH_FILES) and isinstance(value, str) and value and Path(value).exists()):
        return ""
    checksum = 0
    for path in [Path(value), *sorted(Path(value).rglob("*"))]:
        if path.is_file():
            checksum = zlib.crc32(path.read_bytes(), checksum)
    return f" with checksum {checksum:08x}"


def find_run(path: Path, settings: Dict[str, str]) -> Checkpoint:
    """The run of a checkpoint, or a new one if there is no such file. Raises CheckpointError naming the settings that
    differ, or if the file is damaged.
    """
    if not path.exists():
        return Checkpoint(settings)
    run = Checkpoint.read(path)
    changed = [
        f"{name} (then {then}, now {now})"
        for name in {**run.settings, **settings}
        if (then := run.settings.get(name, "not set")) != (now := settings.get(name, "not set"))
    ]
    if changed:
        raise CheckpointError(Errors.DR721.format(path=path, different=", ".join(changed)))
    return run


def train(nlp: Language, output_path: Path, run: Checkpoint, stdout: IO, stderr: IO) -> None:
    """Train an initialised pipeline as `spacy.training.loop.train` does, with the same result.

    A new run replaces the models and the checkpoint in the output folder; one read from its checkpoint is resumed.

    Raises:
        CheckpointError: The training data have changed, or the state does not fit the pipeline.
        OSError: Something cannot be written. What was written before stays.
    """
    config, path = nlp.config.interpolate(), output_path / CHECKPOINT
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(config, [training["train_corpus"], training["dev_corpus"]])
    optimizer, frozen = training["optimizer"], training["frozen_components"]
    before_to_disk = loop.create_before_to_disk_callback(training["before_to_disk"])
    evaluate = loop.create_evaluation_callback(nlp, dev_corpus, training["score_weights"])
    known = iter([(then["score"], then["other_scores"]) for then in run.evaluations])

    def save_models(is_best: bool) -> None:
        with nlp.use_params(optimizer.averages):
            before_to_disk(nlp).to_disk(output_path / loop.DIR_MODEL_LAST)
        if is_best:
            shutil.rmtree(output_path / loop.DIR_MODEL_BEST, ignore_errors=True)
            shutil.copytree(output_path / loop.DIR_MODEL_LAST, output_path / loop.DIR_MODEL_BEST)

    if run.state is None:
        loop.clean_output_dir(output_path)
        path.unlink(missing_ok=True)
    with nlp.select_pipes(disable=frozen):
        log_step, finalize_logger = training["logger"](nlp, stdout, stderr)
    names = ("dropout", "accumulate_gradient", "patience", "max_steps", "eval_frequency", "before_update")
    steps = loop.train_while_improving(
        nlp,
        optimizer,
        _batches(nlp, train_corpus, training, run),
        lambda: next(known, None) or evaluate(),
        exclude=frozen,
        annotating_components=training["annotating_components"],
        **{name: training[name] for name in names},
    )
    is_full = False
    try:
        for info, is_best in _resumed(nlp, optimizer, steps, run, path):
            if is_best is not None:
                with nlp.select_pipes(disable=frozen):
                    loop.update_meta(training, nlp, info)
                # The models come after the checkpoint, from which they can be written again after an interruption
                if run.state is None:
                    save_models(is_best)
                info["output_path"] = str(output_path / loop.DIR_MODEL_LAST)
            log_step(info if is_best is not None else None)
    except OSError:
        is_full = True
        raise
    finally:
        finalize_logger()
        # A run that could not be resumed has nothing to save
        if run.state is None and not is_full:
            save_models(False)
    replace(run, epochs=[], finished=True).write(path, None)


def _batches(nlp: Language, corpus: Callable, training: Dict[str, Any], run: Checkpoint) -> Iterator[Tuple[int, Any]]:
    """spaCy's batches with their epochs. Epochs that the run began earlier are shuffled and batched as then."""
    known = iter(list(run.epochs))

    def start_epoch() -> None:
        if states := next(known, None):
            set_random_states(states)
        else:
            run.epochs.append(random_states())

    def batcher(examples: Iterable[Example]) -> Iterator[Any]:
        yield from training["batcher"](examples)
        # spaCy shuffles for the next epoch as soon as this returns
        start_epoch()

    start_epoch()
    yield from loop.create_train_batches(nlp, corpus, batcher, training["max_epochs"])


def _resumed(
    nlp: Language, optimizer: Optimizer, steps: Iterable, run: Checkpoint, path: Path
) -> Iterator[Tuple[Dict[str, Any], Optional[bool]]]:
    """spaCy's reports of the steps, and whether they are the best; None without an evaluation.

    Up to the run's state the steps go through the same batches with all components switched off, and report what they
    did then. From there on each evaluation writes the run to the path.
    """
    past = list(run.evaluations)
    switched_off = nlp.select_pipes(disable=nlp.pipe_names if past else [])
    earlier = 0
    for _, info, is_best in steps:
        number = len(info["checkpoints"])
        if is_best is not None and number <= len(past):
            then = past[number - 1]
            if (info["step"], info["words"]) != (then["step"], then["words"]):
                raise CheckpointError(Errors.DR722.format(path=path, step=then["step"]))
            earlier = then["seconds"] - info["seconds"]
            info.update(then)
            if number == len(past):
                switched_off.restore()
                try:
                    set_training_state(nlp, optimizer, run.state or {})
                except _DAMAGED as err:
                    raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err
                run.state = None
        elif is_best is not None:
            info["seconds"] += earlier
            run.evaluations.append({name: value for name, value in info.items() if name != "checkpoints"})
            run.write(path, training_state(nlp, optimizer))
        yield info, is_best
    if run.state is not None:
        raise CheckpointError(Errors.DR722.format(path=path, step=past[-1]["step"]))
