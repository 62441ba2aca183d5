"""One run: trained in a process of its own, then scored."""

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
from typing import List, Tuple

import numpy
import spacy
import torch

from ..corpora.reader import rel_corpus
from ..environment import commit, device_name, package_versions
from ..errors import Errors
from ..protocols import Protocol, document_ids, get_protocol
from ..protocols.scorer import count_examples
from .clock import read_clock
from .plan import Plan, Run, train_options
from .result import RunResult, Seconds

#: Settings that spaCy takes from the environment: they are the plan's already, where it is to have them.
_LEFT_OUT = "SPACY_CONFIG_OVERRIDES"


class RunError(ValueError):
    """A run that failed. Names its log."""


def execute(plan: Plan, run: Run, folder: Path, use_gpu: int = -1, keep: bool = False) -> RunResult:
    """Train and score. The output goes to NAME.log in the folder; keep: the trained pipeline stays there too, as
    NAME/model-best. Raises RunError where training or scoring fails.
    """
    model, clock_path, log = (folder / f"{run.name}{suffix}" for suffix in ("", ".clock.json", ".log"))
    _free_memory()
    shutil.rmtree(model, ignore_errors=True)
    clock_path.unlink(missing_ok=True)
    options = ["--output", str(model), "--gpu-id", str(use_gpu), *train_options(run, clock_path)]
    command = [sys.executable, "-m", "spacy", "train", plan.config_path, *options]
    try:
        start = time()
        _train(command, log)
        end, clock = time(), read_clock(clock_path)
        protocol = get_protocol(plan.protocol)
        ids, counts = _count(model / "model-best", Path(plan.data(plan.split)), protocol)
        scored = time()
    except subprocess.CalledProcessError as err:
        raise RunError(Errors.DR157.format(name=run.name, problem=f"exit status {err.returncode}", log=log)) from err
    except Exception as err:
        with log.open("a", encoding="utf8") as file:
            traceback.print_exc(file=file)
        raise RunError(Errors.DR157.format(name=run.name, problem=err, log=log)) from err
    finally:
        clock_path.unlink(missing_ok=True)
        if not keep:
            shutil.rmtree(model, ignore_errors=True)
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
            training=end - clock.start, per_epoch=clock.per_epoch, command=end - start, evaluation=scored - end
        ),
        steps=clock.steps,
        epochs=clock.epochs,
        device=device_name(torch.device("cuda", use_gpu) if use_gpu >= 0 else torch.device("cpu")),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=commit(),
        versions=package_versions(),
        command=shlex.join(["python", *command[1:]]),
        settings=run.settings,
        labels=list(protocol.labels),
        documents=dict(zip(ids, counts.tolist())),
    )


def _free_memory() -> None:
    """Give back what the pipeline that was scored last has taken, so that the next training can have it."""
    gc.collect()
    torch.cuda.empty_cache()


def _train(command: List[str], log: Path) -> None:
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    environment.pop(_LEFT_OUT, None)
    with log.open("w", encoding="utf8") as output:
        subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=True)


def _count(model: Path, data: Path, protocol: Protocol) -> Tuple[List[str], numpy.ndarray]:
    """The document ids, and integers (documents, labels, 3)."""
    nlp = spacy.load(model)
    examples = list(rel_corpus(data)(nlp))
    for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples])):
        example.predicted = doc
    return document_ids(example.reference for example in examples), count_examples(protocol, examples)
