"""What is kept of runs: a file for each, or all that their tables need in one."""

import json
import lzma
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence

import numpy
from pydantic import BaseModel, ConfigDict
from spacy.util import dict_to_dot, load_config

from ...errors import Errors
from ...formats.files import parse_json, read_text, validate
from ...records.record import Place
from ...writing import whole_file, write_text
from .plan import Overrides, Plan, Run, missing_at

SUFFIX = ".run.json"
#: The files of `pack_results`.
RUNS, COUNTS = "runs.json", "counts.json.xz"
#: What tables can do without.
_LEFT_OUT = {"settings", "versions", "documents"}


class Setup(BaseModel):
    """What runs must share to stand in one table.

    Attributes:
        data: The path of the documents that are scored.
        common: Settings that all variants share, by dotted keys of the config.
    """

    corpus: str
    data: str
    split: str
    protocol: str
    config: str
    common: Overrides


class RunResult(BaseModel):
    """The result of a run.

    Attributes:
        overrides: How the variant differs from the common settings.
        new_predicates: Predicates that were added after training.
        scores: Official p, r and f, and macro_f, from 0 to 1.
        f_per_type: F1 of each label.
        seconds: "training": from the first step until everything is saved, evaluations included; "per_epoch": the
            mean, if training went beyond its first epoch; "command": the training process; "evaluation": prediction and
            counting.
        settings: The whole config; empty if it was not kept.
        documents: For each document id the true positives, predicted and gold items of each label.
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


#: Results by where they are from, for messages.
Results = Mapping[str, RunResult]


def result_path(folder: Path, run: Run) -> Path:
    """The file of a run's result."""
    return folder / f"{run.name}{SUFFIX}"


def write_result(path: Path, result: RunResult) -> None:
    """Write a run's result. The file is there as a whole or not at all."""
    write_text(path, result.model_dump_json() + "\n")


def read_result(path: Path) -> RunResult:
    """Read what `write_result` wrote.

    Raises:
        CorpusError: Names the file and what is wrong with it.
    """
    return parse_json(read_text(path), RunResult, Place(path))


def read_results(paths: Sequence[Path]) -> Dict[str, RunResult]:
    """Read the results in files and folders, packed ones included.

    Raises:
        ValueError: There is none, or a file is damaged.
    """
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
    """shared: the fields that all runs have in common. runs: the others of each."""

    shared: Dict[str, Any]
    runs: List[Dict[str, Any]]


def pack_results(results: Results, folder: Path) -> None:
    """Write all that the tables of these results need: the runs as JSON, and their counts per document, compressed."""
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
    """Whether the run's result is in the file.

    Raises:
        ValueError: The result there is of other documents or settings.
    """
    if not path.exists():
        return False
    result = read_result(path)
    there = {**result.setup.model_dump(include={"corpus", "data", "protocol"}), **result.settings}
    wanted = {"corpus": plan.corpus, "data": plan.data(plan.split), "protocol": plan.protocol, **run.settings}
    check_settings(path, there, wanted, plan, run)
    return True


def check_settings(path: Path, there: Dict[str, Any], wanted: Dict[str, Any], plan: Plan, run: Run) -> None:
    """Check that what is in a file was made with the wanted settings.

    A setting that is missing there, and that neither config nor plan gives, is newer than the file: its default keeps
    what was so before there was a choice.

    Raises:
        ValueError: Names the settings that differ.
    """
    given = {**dict_to_dot(load_config(Path(plan.config_path))), **run.overrides}
    newer = [key for key in given if missing_at(there, key) is not None and missing_at(wanted, key) is None]
    different = [*_different(there, wanted), *newer]
    if different:
        raise ValueError(Errors.DR708.format(path=path, keys=", ".join(different)))


def different_settings(first: RunResult, second: RunResult) -> List[str]:
    """The settings in which two seeds of a variant differ, as far as both are known."""
    whole = {key for key in _different(first.settings, second.settings) if key != "training.seed"}
    keys = {*first.overrides, *second.overrides}
    unknown = {key for key in keys for run in (first, second) if missing_at(run.settings, key) is not None}
    return sorted(whole | {key for key in unknown if first.overrides.get(key) != second.overrides.get(key)})


def _different(first: Dict[str, Any], second: Dict[str, Any], section: str = "") -> Iterator[str]:
    """Dotted keys that two configs both have, with different values."""
    for key in first:
        if key in second and first[key] != second[key]:
            if isinstance(first[key], dict) and isinstance(second[key], dict):
                yield from _different(first[key], second[key], f"{section}{key}.")
            else:
                yield f"{section}{key}"
