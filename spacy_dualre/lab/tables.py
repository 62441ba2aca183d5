"""Tables of ablations: the scores of each variant, and whether they differ from the reference's."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Collection, Dict, List, Optional, Sequence, Tuple

import numpy
from pydantic import BaseModel

from ..errors import Errors
from ..formats.files import read_json_lines
from ..scoring.counting import prf
from ..scoring.protocols import get_protocol
from ..scoring.significance import approximate_randomization

#: Settings by dotted key.
Overrides = Dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """What the runs of one table share: corpus, config, and the settings common to all variants."""

    corpus: str
    split: str
    protocol: str
    config: str
    common: Overrides

    @property
    def data(self) -> Path:
        """The scored documents."""
        return Path(self.corpus) / f"{self.split}.spacy"


class RunResult(BaseModel):
    """The result of a run, a line of JSON."""

    setup: Setup
    variant: str
    seed: int
    note: str
    reference: str
    overrides: Overrides  # in which the variant differs from the common ones
    new_predicates: List[str] = []
    scores: Dict[str, float]
    seconds: float  # from the start of the training to its last evaluation
    device: str
    commit: str
    versions: Dict[str, str] = {}
    labels: List[str] = []  # of the counts; none: those of the protocol
    documents: Dict[str, List[List[int]]]  # by id: true positives, predicted and gold items of each label

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.seed}"

    @property
    def counts(self) -> numpy.ndarray:
        """Integers of shape (documents, labels, 3)."""
        return numpy.array(list(self.documents.values()))


@dataclass
class Row:
    """A variant, with its cells by their headings, None if empty.

    Scores are from 0 to 1, and means over the seeds. "std" is the sample standard deviation (n - 1), "new F1" the micro
    F1 of the predicates that are new to some variant.
    """

    variant: str
    note: str
    overrides: Overrides
    seeds: List[int]
    f_of_seeds: List[float]
    figures: Dict[str, Optional[float]]


@dataclass
class Table:
    """The variants trained on one corpus from one config with the same common settings."""

    setup: Setup
    reference: str
    new_predicates: List[str]
    devices: List[str]
    commits: List[str]
    rows: List[Row]

    @property
    def title(self) -> str:
        return f"{Path(self.setup.corpus).name} ({self.setup.split})"

    @property
    def cells(self) -> List[Tuple[str, ...]]:
        """The headings and the rows as text: scores in per cent, the difference in points."""
        rows = ((row.variant, *(_to_cell(*figure) for figure in row.figures.items())) for row in self.rows)
        return [("variant", *self.rows[0].figures), *rows]


def read_results(paths: Sequence[Path]) -> List[RunResult]:
    """Read the results in files and folders. Raises ValueError if there are none, or one is damaged."""
    files = (file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*"))))
    chosen = (file for file in files if file.name.endswith((".run.json", ".jsonl.gz")))
    found = [result for file in chosen for _, result in read_json_lines(file, RunResult)]
    if not found:
        raise ValueError(Errors.DR710.format(paths=", ".join(map(str, paths))))
    return found


def make_tables(results: Sequence[RunResult], reference: Optional[str] = None, samples: int = 10_000) -> List[Table]:
    """Make a table for each setup, with tests against the reference, by default that of the first result.

    Raises:
        ValueError: A run occurs twice, the seeds of a variant have different settings, the runs of a table are about
            different documents, or the reference has no result.
    """
    groups: Dict[str, List[RunResult]] = {}
    for result in results:
        groups.setdefault(json.dumps(asdict(result.setup), sort_keys=True), []).append(result)
    return [_make_table(group, reference, samples) for group in groups.values()]


def compare(first: Sequence[RunResult], second: Sequence[RunResult], samples: int) -> Optional[Tuple[float, float]]:
    """The mean difference of the official F1 of two variants over their common seeds (None without any), and its
    p-value, by paired approximate randomisation over documents.

    A document is swapped with all of its seeds: the predictions of several trainings for one document are not
    independent, so more seeds cannot make a difference significant that rests on few documents. The p-value tells
    whether the difference would hold for other documents, the standard deviation how much it depends on the seed.
    """
    pairs = [(a, b) for a in first for b in second if a.seed == b.seed]
    if not pairs:
        return None
    figure = get_protocol(first[0].setup.protocol).f1
    one, other = (numpy.stack([result.counts for result in side], axis=1) for side in zip(*pairs))
    difference = float(numpy.mean([b.scores["f"] - a.scores["f"] for a, b in pairs]))
    return difference, approximate_randomization(one, other, lambda totals: figure(totals).mean(axis=-1), samples)


def _make_table(results: Sequence[RunResult], asked: Optional[str], samples: int) -> Table:
    first = results[0]
    variants: Dict[str, List[RunResult]] = {}
    for run in sorted(results, key=lambda result: result.seed):
        others = variants.setdefault(run.variant, [])
        if any(other.seed == run.seed for other in others):
            raise ValueError(Errors.DR711.format(name=run.name, corpus=run.setup.corpus))
        if others and others[0].overrides != run.overrides:
            raise ValueError(Errors.DR718.format(name=run.name, other=others[0].name))
        if list(run.documents) != list(first.documents) or (run.counts[..., 2] != first.counts[..., 2]).any():
            raise ValueError(Errors.DR712.format(name=run.name, other=first.name))
        others.append(run)
    if asked is not None and asked not in variants:
        raise ValueError(Errors.DR702.format(reference=asked, variants=", ".join(variants)))
    reference = asked or first.reference
    new = sorted({label for result in results for label in result.new_predicates})
    compared = variants.get(reference, [])
    rows = [_make_row(runs, [] if runs is compared else compared, new, samples) for runs in variants.values()]
    return Table(
        setup=first.setup,
        reference=reference,
        new_predicates=new,
        devices=list(dict.fromkeys(result.device for result in results)),
        commits=list(dict.fromkeys(result.commit for result in results)),
        # The reference, then from best to worst
        rows=sorted(rows, key=lambda row: (row.variant != reference, -fmean(row.f_of_seeds))),
    )


def _make_row(runs: Sequence[RunResult], reference: Sequence[RunResult], new: Collection[str], samples: int) -> Row:
    f = [run.scores["f"] for run in runs]
    difference, p_value = compare(reference, runs, samples) or (None, None)
    figures = {
        "F1": fmean(f),
        "std": _std(f),
        "seeds": len(runs),
        "difference": difference,
        "p": p_value,
        "P": fmean(run.scores["p"] for run in runs),
        "R": fmean(run.scores["r"] for run in runs),
        "macro F1": fmean(run.scores["macro_f"] for run in runs),
        "training s": fmean(run.seconds for run in runs),
    }
    if new:
        labels = runs[0].labels or get_protocol(runs[0].setup.protocol).labels
        chosen = [label in new for label in labels]
        f_new = [float(prf(run.counts[:, chosen].sum(axis=0))[2]) for run in runs]
        figures.update({"new F1": fmean(f_new), "new std": _std(f_new)})
    return Row(runs[0].variant, runs[0].note, runs[0].overrides, [run.seed for run in runs], f, figures)


def _std(values: Sequence[float]) -> Optional[float]:
    return stdev(values) if len(values) > 1 else None


def _to_cell(heading: str, value: Optional[float]) -> str:
    if value is None:
        return ""
    own = {"seeds": f"{value}", "difference": f"{100 * value:+.2f}", "p": f"{value:.4f}", "training s": f"{value:.0f}"}
    return own.get(heading, f"{100 * value:.2f}")


def to_markdown(tables: Sequence[Table]) -> str:
    """The tables with their captions as Markdown."""
    return "\n".join(_to_markdown(table) for table in tables)


def _to_markdown(table: Table) -> str:
    setup = table.setup
    header, *rows = ("| " + " | ".join(row) + " |" for row in table.cells)
    new = f" New F1: micro F1 of {', '.join(table.new_predicates)}." if table.new_predicates else ""
    lines = [
        f"## {table.title}",
        "",
        f"Official scores (`{setup.protocol}`) on `{setup.data.as_posix()}`, in per cent: means over seeds, and the "
        f"standard deviation of F1. Difference: of F1 to `{table.reference}`, over the seeds that both have; p: paired "
        f"approximate randomisation over documents, not corrected for the number of comparisons.{new}",
        "",
        header,
        "|---|" + "---:|" * (header.count("|") - 2),
        *rows,
        "",
        *(f"- `{row.variant}`: {_describe(row)}" for row in table.rows),
        "",
        f"Config `{setup.config}`{' with ' if setup.common else ''}{_settings(setup.common)}. "
        f"Commit: {', '.join(table.commits)}. Device: {', '.join(table.devices)}.",
        "",
    ]
    return "\n".join(lines)


def _describe(row: Row) -> str:
    return " ".join(filter(None, (row.note, f"({_settings(row.overrides)})" if row.overrides else ""))) or "as it is"


def _settings(overrides: Overrides) -> str:
    return ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in overrides.items())
