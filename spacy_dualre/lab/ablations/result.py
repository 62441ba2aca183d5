"""Results of runs: one file each, or packed together as far as tables need them."""

import json
import lzma
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy
from pydantic import BaseModel, ConfigDict
from spacy.util import dict_to_dot

from ...errors import Errors
from ...formats.files import parse_json, read_text, validate
from ...records.record import Place
from ...writing import whole_file, write_text
from .plan import Overrides, Plan, Run

SUFFIX = ".run.json"
#: The files of `pack_results`.
RUNS, COUNTS = "runs.json", "counts.json.xz"
#: Fields that tables do not need.
_LEFT_OUT = {"settings", "versions", "documents"}


class Setup(BaseModel):
    """What the runs of one table share: the scored documents (`data`) and the settings common to all variants."""

    corpus: str
    data: str
    split: str
    protocol: str
    config: str
    common: Overrides


class RunResult(BaseModel):
    """The result of a run.

    Attributes:
        overrides: Settings in which the variant differs from the common ones.
        new_predicates: Predicates added after training.
        scores: Official p, r and f, and macro_f, from 0 to 1.
        seconds: "training": from the first step until everything is saved, evaluations included; "per_epoch": the
            mean, if training went beyond its first epoch; "command": the training process; "evaluation": prediction and
            counting.
        settings: The whole config; empty in packed results.
        documents: True positives, predicted and gold items of each label, by document id.
    """

    model_config = ConfigDict(extra="forbid")

    setup: Setup
    variant: str
    seed: int
    note: str
    reference: str
    overrides: Overrides
    new_predicates: List[str] = []
    scores: Dict[str, float]
    f_per_type: Dict[str, float]
    seconds: Dict[str, float]
    steps: int
    epochs: int
    device: str
    date: str
    commit: str
    labels: List[str]
    versions: Dict[str, str] = {}
    settings: Dict[str, Any] = {}
    documents: Dict[str, List[List[int]]]

    @property
    def counts(self) -> numpy.ndarray:
        """Integers of shape (documents, labels, 3)."""
        return numpy.array(list(self.documents.values()), dtype="int64").reshape(-1, len(self.labels), 3)


def setup_of(plan: Plan) -> Setup:
    """The setup of a plan's runs."""
    own = plan.model_dump(include={"corpus", "split", "protocol", "config"})
    return Setup(data=plan.data(plan.split), common=plan.common, **own)


#: Results by their source, for messages.
Results = Mapping[str, RunResult]


def result_path(folder: Path, run: Run) -> Path:
    """The file of a run's result."""
    return folder / f"{run.name}{SUFFIX}"


def write_result(path: Path, result: RunResult) -> None:
    """Write a result as JSON."""
    write_text(path, result.model_dump_json() + "\n")


def read_result(path: Path) -> RunResult:
    """Read a result. Raises CorpusError if it is damaged."""
    return parse_json(read_text(path), RunResult, Place(path))


def read_results(paths: Sequence[Path]) -> Dict[str, RunResult]:
    """Read the results in files and folders, packed ones included. Raises ValueError if there are none."""
    found: Dict[str, RunResult] = {}
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*.json")):
            if file.name.endswith(SUFFIX):
                found[str(file)] = read_result(file)
            elif file.name == RUNS:
                found.update(_unpack(file))
    if not found:
        raise ValueError(Errors.DR710.format(paths=", ".join(map(str, paths))))
    return found


class _Packed(BaseModel):
    #: The fields that all runs have in common, and the others of each run.
    shared: Dict[str, Any]
    runs: List[Dict[str, Any]]


def pack_results(results: Results, folder: Path) -> None:
    """Write what tables need: the runs as JSON, and their counts per document, compressed."""
    runs = [result.model_dump(exclude=_LEFT_OUT) for result in results.values()]
    shared = {key: value for key, value in runs[0].items() if all(run[key] == value for run in runs)}
    own = [json.dumps({key: value for key, value in run.items() if key not in shared}) for run in runs]
    text = '{{\n"shared": {},\n"runs": [\n{}\n]\n}}\n'.format(json.dumps(shared, indent=1), ",\n".join(own))
    write_text(folder / RUNS, text)
    with whole_file(folder / COUNTS) as file:
        counts = json.dumps([result.documents for result in results.values()])
        file.write_bytes(lzma.compress(counts.encode("utf8")))


def _unpack(path: Path) -> Dict[str, RunResult]:
    packed = parse_json(read_text(path), _Packed, Place(path))
    try:
        counts = json.loads(lzma.decompress(path.with_name(COUNTS).read_bytes()))
        runs = [{**run, "documents": documents} for run, documents in zip(packed.runs, counts, strict=True)]
    except (OSError, lzma.LZMAError, ValueError) as err:
        raise ValueError(Errors.DR724.format(path=path.with_name(COUNTS), problem=err)) from err
    found = [validate({**packed.shared, **run}, RunResult, Place(path)) for run in runs]
    return {f"{path}, run {number}": result for number, result in enumerate(found, 1)}


def is_done(path: Path, plan: Plan, run: Run) -> bool:
    """Whether the file has the run's result. Raises ValueError if it is of other documents or settings."""
    if not path.exists():
        return False
    result = read_result(path)
    keys = {"corpus", "data", "protocol"}
    there = {**result.setup.model_dump(include=keys), **result.settings}
    check_settings(path, there, {**setup_of(plan).model_dump(include=keys), **run.settings})
    return True


def check_settings(path: Path, there: Dict[str, Any], wanted: Dict[str, Any]) -> None:
    """Raise ValueError naming the settings in which a file differs from the wanted ones."""
    keys = _different(there, wanted)
    if keys:
        raise ValueError(Errors.DR708.format(path=path, keys=", ".join(keys)))


def different_settings(first: RunResult, second: RunResult) -> List[str]:
    """The settings in which two seeds of a variant differ; in packed results only the overrides are known."""
    if not (first.settings and second.settings):
        return _different(first.overrides, second.overrides)
    return [key for key in _different(first.settings, second.settings) if key != "training.seed"]


def _different(first: Dict[str, Any], second: Dict[str, Any]) -> List[str]:
    first, second = dict_to_dot(first), dict_to_dot(second)
    return [key for key in {**first, **second} if first.get(key) != second.get(key)]
