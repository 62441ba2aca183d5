"""Runs: trained in a process of their own, then scored."""

import gc
import os
import shlex
import shutil
import subprocess
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from time import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy
import srsly
import torch
from spacy.language import Language

from ...errors import Errors
from ...instances.descriptions import read_descriptions
from ...pipeline.components import given_mentions
from ...pipeline.loading import load_pipeline
from ...scoring.protocols import Protocol, document_ids, get_protocol
from ...training.reader import rel_corpus
from ..environment import commit, device_name, package_versions
from .clock import read_clock
from .plan import COMPONENT, Plan, Run, train_options
from .result import RunResult, Seconds, is_done, other_settings, result_path

#: Settings that spaCy takes from the environment: they are the plan's already, where it is to have them.
_LEFT_OUT = "SPACY_CONFIG_OVERRIDES"


class RunError(ValueError):
    """A run that failed. Names its log."""


class Training(NamedTuple):
    """What is known of a training. seconds, steps, epochs: see RunResult; command: what was called; settings: the whole
    config; kept: whether the pipeline is to stay, see `discard`.
    """

    training: float
    per_epoch: Optional[float]
    command_seconds: float
    steps: int
    epochs: int
    command: str
    settings: Dict[str, Any]
    kept: bool


def to_do(plan: Plan, runs: Sequence[Run], folder: Path) -> List[Run]:
    """The runs without a result in the folder, each after the one whose trained pipeline it needs, where that is not
    there.

    Raises ValueError for a result or a trained pipeline of other settings.
    """
    found: Dict[str, Run] = {}
    for run in runs:
        if not is_done(result_path(folder, run), plan, run):
            if run.source is not None and not _is_trained(plan, run.source, folder):
                found[run.source.name] = run.source
            found[run.name] = run
    return list(found.values())


def _is_trained(plan: Plan, run: Run, folder: Path) -> bool:
    path = _training_path(folder, run)
    is_done(result_path(folder, run), plan, run)
    if not path.exists():
        return False
    other = other_settings(srsly.read_json(path)["settings"], plan, run)
    if other:
        raise ValueError(Errors.DR708.format(path=path, keys=", ".join(other)))
    return True


def execute(plan: Plan, run: Run, folder: Path, use_gpu: int = -1, keep: bool = False) -> RunResult:
    """Train, if this variant is trained itself, and score. The output goes to NAME.log in the folder; the trained
    pipeline stays there, as NAME/model-best, see `discard`. Raises RunError where training or scoring fails.
    """
    log = folder / f"{run.name}.log"
    try:
        if run.source is None:
            _train(plan, run, folder, use_gpu, keep)
        training = Training(**srsly.read_json(_training_path(folder, run)))
        start = time()
        overrides = plan.of(run.variant) if run.source is not None else {}
        protocol = get_protocol(plan.protocol)
        model = _model(folder, run) / "model-best"
        nlp = load_pipeline(model, overrides)
        new = plan.new_predicates(run.variant)
        _add_predicates(nlp, new, run)
        ids, counts = _count(nlp, Path(plan.data(plan.split)), protocol)
        seconds = time() - start
    except subprocess.CalledProcessError as err:
        raise RunError(Errors.DR709.format(name=run.name, problem=f"exit status {err.returncode}", log=log)) from err
    except Exception as err:
        with log.open("a", encoding="utf8") as file:
            traceback.print_exc(file=file)
        raise RunError(Errors.DR709.format(name=run.name, problem=err, log=log)) from err
    return RunResult(
        variant=run.variant,
        seed=run.seed,
        note=plan.variants[run.variant].note,
        reference=plan.reference,
        corpus=plan.corpus,
        data=plan.data(plan.split),
        split=plan.split,
        protocol=plan.protocol,
        config=plan.config_path,
        common=plan.common,
        overrides=plan.of(run.variant),
        scores=protocol.scores(counts),
        seconds=Seconds(
            training=training.training,
            per_epoch=training.per_epoch,
            command=training.command_seconds,
            evaluation=seconds,
        ),
        steps=training.steps,
        epochs=training.epochs,
        device=device_name(torch.device("cuda", use_gpu) if use_gpu >= 0 else torch.device("cpu")),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=commit(),
        versions=package_versions(),
        command=training.command,
        settings=run.settings,
        new_predicates=new,
        labels=list(protocol.labels),
        documents=dict(zip(ids, counts.tolist())),
    )


def discard(folder: Path, run: Run) -> None:
    """Remove the pipeline that a run reads, but not one that was trained to be kept."""
    training = _training_path(folder, run)
    if not (training.exists() and srsly.read_json(training)["kept"]):
        shutil.rmtree(_model(folder, run), ignore_errors=True)


def _model(folder: Path, run: Run) -> Path:
    return folder / run.training.name


def _training_path(folder: Path, run: Run) -> Path:
    return _model(folder, run) / "training.json"


def _train(plan: Plan, run: Run, folder: Path, use_gpu: int, keep: bool) -> None:
    """Train in a process of its own. What is known of it is written last, beside the pipeline."""
    model, clock_path = _model(folder, run), folder / f"{run.name}.clock.json"
    _free_memory()
    shutil.rmtree(model, ignore_errors=True)
    clock_path.unlink(missing_ok=True)
    options = ["--output", str(model), "--gpu-id", str(use_gpu), *train_options(run, clock_path)]
    command = [sys.executable, "-m", "spacy", "train", plan.config_path, *options]
    try:
        start = time()
        _call(command, folder / f"{run.name}.log")
        end, clock = time(), read_clock(clock_path)
    finally:
        clock_path.unlink(missing_ok=True)
    known = Training(
        training=end - clock.start,
        per_epoch=clock.per_epoch,
        command_seconds=end - start,
        steps=clock.steps,
        epochs=clock.epochs,
        command=shlex.join(["python", *command[1:]]),
        settings=run.settings,
        kept=keep,
    )
    srsly.write_json(_training_path(folder, run), known._asdict())


def _free_memory() -> None:
    """Give back what the pipeline that was scored last has taken, so that the next training can have it."""
    gc.collect()
    torch.cuda.empty_cache()


def _call(command: List[str], log: Path) -> None:
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    environment.pop(_LEFT_OUT, None)
    with log.open("w", encoding="utf8") as output:
        subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=True)


def _add_predicates(nlp: Language, labels: Sequence[str], run: Run) -> None:
    if labels:
        settings = run.settings["initialize"]["components"][COMPONENT]["descriptions"]
        descriptions = read_descriptions(settings["path"])
        component: Any = nlp.get_pipe(COMPONENT)
        for label in labels:
            component.add_label(label, descriptions[label])


def _count(nlp: Language, data: Path, protocol: Protocol) -> Tuple[List[str], numpy.ndarray]:
    """The document ids, and integers (documents, labels, 3)."""
    examples = list(rel_corpus(data)(nlp))
    with given_mentions(nlp):
        for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples])):
            example.predicted = doc
    return document_ids(example.reference for example in examples), protocol.count_examples(examples)
