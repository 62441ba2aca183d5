"""What is kept of a run: one JSON file each."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy
from pydantic import BaseModel, ConfigDict
from spacy.util import load_config

from ...errors import Errors
from ...formats.files import parse_json, read_text
from ...records.record import Place
from ...writing import write_text
from .plan import Overrides, Plan, Run

SUFFIX = ".run.json"


class Seconds(BaseModel):
    """training: from the first step until everything is saved, evaluations on dev included. per_epoch: None where
    training did not go beyond its first epoch. command: the whole process. evaluation: to predict and count.
    """

    model_config = ConfigDict(extra="forbid")

    training: float
    per_epoch: Optional[float]
    command: float
    evaluation: float


class RunResult(BaseModel):
    """One run. common: settings of all variants. overrides: of this one. settings: the whole config. new_predicates:
    those that were added after training. scores: p, r, f (official, 0 to 1), macro_f and per_type, see
    `Protocol.scores`. documents: {document id: true positives, predicted and gold items of each label}.
    """

    model_config = ConfigDict(extra="forbid")

    variant: str
    seed: int
    note: str
    reference: str
    corpus: str
    data: str
    split: str
    protocol: str
    config: str
    common: Overrides
    overrides: Overrides
    scores: Dict[str, Any]
    seconds: Seconds
    steps: int
    epochs: int
    device: str
    date: str
    commit: str
    versions: Dict[str, str]
    command: str
    settings: Dict[str, Any]
    new_predicates: List[str] = []
    labels: List[str]
    documents: Dict[str, List[List[int]]]

    @property
    def unscored(self) -> int:
        """The steps after the last evaluation on dev: spaCy evaluates every eval_frequency steps, counted from 0."""
        return (self.steps - 1) % self.settings["training"]["eval_frequency"]

    @property
    def counts(self) -> numpy.ndarray:
        """Integers (documents, labels, 3)."""
        return numpy.array(list(self.documents.values()), dtype="int64").reshape(-1, len(self.labels), 3)


def result_path(folder: Path, run: Run) -> Path:
    """Where a run's result is kept."""
    return folder / f"{run.name}{SUFFIX}"


def write_result(path: Path, result: RunResult) -> None:
    """A line for each key. The file is there as a whole or not at all."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in result.model_dump().items())
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_result(path: Path) -> RunResult:
    """Raises CorpusError naming the file and what is wrong with it."""
    return parse_json(read_text(path), RunResult, Place(path))


def read_results(paths: Sequence[Path]) -> Dict[Path, RunResult]:
    """The results of these files and of all in these folders. Raises ValueError where there is none."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob(f"*{SUFFIX}")))]
    if not files:
        raise ValueError(Errors.DR710.format(paths=", ".join(map(str, paths))))
    return {path: read_result(path) for path in files}


def is_done(path: Path, plan: Plan, run: Run) -> bool:
    """Whether the run's result is there. Raises ValueError where it is that of other settings. See `other_settings`."""
    if not path.exists():
        return False
    result = read_result(path)
    there = {"corpus": result.corpus, "data": result.data, "protocol": result.protocol}
    wanted = {"corpus": plan.corpus, "data": plan.data(plan.split), "protocol": plan.protocol}
    other = [key for key in wanted if there[key] != wanted[key]] + other_settings(result.settings, plan, run)
    if other:
        raise ValueError(Errors.DR708.format(path=path, keys=", ".join(other)))
    return True


def other_settings(there: Dict[str, Any], plan: Plan, run: Run) -> List[str]:
    """Where the run's settings are not those, by dotted keys.

    A setting that is not there, and that neither config nor plan names, is newer: it has its default here, which is
    what was before there was a choice.
    """
    wanted = flat(run.settings)
    named = {*flat(load_config(Path(plan.config_path))), *flat(run.overrides)}
    known = {**{key: value for key, value in wanted.items() if key not in named}, **flat(there)}
    return [key for key in {**wanted, **known} if known.get(key) != wanted.get(key)]


def different_settings(first: RunResult, second: RunResult) -> List[str]:
    """What differs between two runs of a variant beside the seed, by dotted keys. A setting that only one of them knows
    and that it was not given is newer than the other, see `other_settings`.
    """
    settings, others = flat(first.settings), flat(second.settings)
    common = {key for key in {*settings, *others} if _has(settings, key) and _has(others, key)} - {"training.seed"}
    different = {key for key in common if settings.get(key) != others.get(key)}
    given = {*first.overrides, *second.overrides} - common
    return sorted(different | {key for key in given if first.overrides.get(key) != second.overrides.get(key)})


def _has(settings: Dict[str, Any], key: str) -> bool:
    """Whether a config by dotted keys has it, as a value, a section, or within what is a value there."""
    return any(f"{key}.".startswith(f"{own}.") or own.startswith(f"{key}.") for own in settings)


def flat(settings: Dict[str, Any], prefix: str = "") -> Dict[str, Any]:
    """A config by dotted keys."""
    found: Dict[str, Any] = {}
    for key, value in settings.items():
        found.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value})
    return found
