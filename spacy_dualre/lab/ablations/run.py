"""Runs: each trained in a separate process, then scored."""

import gc
import os
import shutil
import subprocess
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from time import time
from typing import Any, Dict, List, Sequence

import srsly
import torch
from spacy.language import Language
from spacy.util import load_config

from ...errors import Errors
from ...instances.descriptions import read_descriptions
from ...pipeline.pipelines import load_pipeline, predict_examples
from ...scoring.protocols import document_ids, get_protocol
from ...training.reader import rel_corpus
from ..environment import commit, device_name, package_versions
from .clock import CALLBACK
from .plan import COMPONENT, Plan, Run
from .result import RunResult, check_settings, is_done, result_path, setup_of

#: spaCy's overrides from the environment, which the plan already includes.
_LEFT_OUT = "SPACY_CONFIG_OVERRIDES"


class RunError(ValueError):
    """A run that failed. Names its log."""


def to_do(plan: Plan, runs: Sequence[Run], folder: Path) -> List[Run]:
    """The runs without a result in the folder, each preceded by the run that trains its pipeline if that is missing.

    Raises:
        ValueError: A result or a trained pipeline in the folder was made with other settings.
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
    if path.exists():
        check_settings(path, srsly.read_json(path)["settings"], run.settings)
    return path.exists()


def execute(plan: Plan, run: Run, folder: Path, use_gpu: int = -1) -> RunResult:
    """Train, if the variant is trained itself, and score.

    The folder receives the output (NAME.log) and the trained pipeline (NAME/model-best), see `discard`.

    Raises:
        RunError: Training or scoring failed.
    """
    log = folder / f"{run.name}.log"
    try:
        if run.source is None:
            _train(run, Path(plan.config), folder, use_gpu)
        return _score(plan, run, folder, torch.device("cuda", use_gpu) if use_gpu >= 0 else torch.device("cpu"))
    except subprocess.CalledProcessError as err:
        raise RunError(Errors.DR709.format(name=run.name, problem=f"exit status {err.returncode}", log=log)) from err
    except Exception as err:  # whatever a pipeline raises, the other runs continue
        with log.open("a", encoding="utf8") as file:
            traceback.print_exc(file=file)
        raise RunError(Errors.DR709.format(name=run.name, problem=err, log=log)) from err


def discard(folder: Path, run: Run) -> None:
    """Remove the pipeline that a run loads."""
    shutil.rmtree(_training_path(folder, run).parent, ignore_errors=True)


def _training_path(folder: Path, run: Run) -> Path:
    """The record of a training, beside the pipeline."""
    return folder / run.training.name / "training.json"


def _train(run: Run, config: Path, folder: Path, use_gpu: int) -> None:
    """Train in a separate process. The record of the training is written last."""
    record = _training_path(folder, run)
    model, clock_path, own_config = (record.parent / name for name in ("", "clock.json", "config.cfg"))
    # Free the memory of the pipeline scored last
    gc.collect()
    torch.cuda.empty_cache()
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir()
    clock = {"training.before_update": {"@callbacks": CALLBACK, "path": str(clock_path)}}
    load_config(config, overrides={**run.overrides, **clock}, interpolate=False).to_disk(own_config)
    options = ["--output", str(model), "--gpu-id", str(use_gpu)]
    start = time()
    _call([sys.executable, "-m", "spacy", "train", str(own_config), *options], folder / f"{run.name}.log")
    end, course = time(), srsly.read_json(clock_path)
    epochs = course["epochs"]
    seconds = {"training": end - epochs[0], "command": end - start}
    if len(epochs) > 1:
        # The last epoch may have been cut short
        seconds["per_epoch"] = (epochs[-1] - epochs[0]) / (len(epochs) - 1)
    known = {"seconds": seconds, "steps": course["steps"], "epochs": len(epochs)}
    srsly.write_json(record, {"known": known, "settings": run.settings})


def _call(command: List[str], log: Path) -> None:
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    environment.pop(_LEFT_OUT, None)
    with log.open("w", encoding="utf8") as output:
        subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=True)


def _score(plan: Plan, run: Run, folder: Path, device: torch.device) -> RunResult:
    record = _training_path(folder, run)
    known = srsly.read_json(record)["known"]
    protocol = get_protocol(plan.protocol)
    start = time()
    nlp = load_pipeline(record.parent / "model-best", plan.of(run.variant) if run.source is not None else {})
    new = plan.new_predicates(run.variant)
    _add_predicates(nlp, new, run)
    examples = list(rel_corpus(Path(plan.data(plan.split)))(nlp))
    predict_examples(nlp, examples)
    ids, counts = document_ids(example.reference for example in examples), protocol.count_examples(examples)
    scores = protocol.scores(counts)
    per_type = scores.pop("per_type")
    return RunResult(
        setup=setup_of(plan),
        variant=run.variant,
        seed=run.seed,
        note=plan.variants[run.variant].note,
        reference=plan.reference,
        overrides=plan.of(run.variant),
        new_predicates=new,
        scores=scores,
        f_per_type={label: score["f"] for label, score in per_type.items()},
        device=device_name(device),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=commit(),
        versions=package_versions(),
        labels=list(protocol.labels),
        settings=run.settings,
        documents=dict(zip(ids, counts.tolist())),
        **{**known, "seconds": {**known["seconds"], "evaluation": time() - start}},
    )


def _add_predicates(nlp: Language, labels: Sequence[str], run: Run) -> None:
    if labels:
        settings = run.settings["initialize"]["components"][COMPONENT]["descriptions"]
        descriptions = read_descriptions(settings["path"])
        component: Any = nlp.get_pipe(COMPONENT)
        for label in labels:
            component.add_label(label, descriptions[label])
