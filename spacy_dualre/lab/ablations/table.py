"""Results of runs -> a table for each corpus: what every variant reaches, and whether it differs from the reference."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy

from ...errors import Errors
from ...scoring.protocols import get_protocol
from ...scoring.significance import approximate_randomization
from .result import RunResult, different_settings

_Results = Mapping[Path, RunResult]


class Spread(NamedTuple):
    """Of one run each. std: the sample's standard deviation (n - 1); None for one run."""

    mean: float
    std: Optional[float]


@dataclass
class Comparison:
    """Of a variant with the reference, over the seeds that both have. difference: mean of the seeds' differences of the
    official F1 (0 to 1). p_value: see `compare`.
    """

    seeds: List[int]
    difference: float
    p_value: float


@dataclass
class Row:
    """A variant. f: the official F1; all scores are from 0 to 1. f_new: micro F1 of the predicates that are new to some
    variant, None where none is. Seconds and steps are means; seconds_per_epoch is None where no run knows it.
    """

    variant: str
    note: str
    overrides: Dict[str, Any]
    seeds: List[int]
    f: Spread
    f_of_seeds: List[float]
    p: float
    r: float
    macro_f: float
    f_per_type: Dict[str, float]
    f_new: Optional[Spread]
    comparison: Optional[Comparison]
    seconds: float
    seconds_per_epoch: Optional[float]
    steps: float


@dataclass
class Table:
    """Everything that was trained on one corpus from one config with the same common settings."""

    corpus: str
    data: str
    split: str
    protocol: str
    config: str
    common: Dict[str, Any]
    reference: str
    new_predicates: List[str]
    devices: List[str]
    commits: List[str]
    rows: List[Row]

    @property
    def title(self) -> str:
        return f"{Path(self.corpus).name} ({self.split})"

    def to_json(self) -> Dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "rows": [_row_to_json(row) for row in self.rows]}


def _row_to_json(row: Row) -> Dict[str, Any]:
    return {**asdict(row), "f": row.f._asdict(), "f_new": row.f_new and row.f_new._asdict()}


def make_tables(
    results: _Results, samples: int = 10_000, seed: int = 0, reference: Optional[str] = None
) -> List[Table]:
    """A table for each corpus, split, protocol, config and common settings, in the order of the results.

    samples, seed: of the test. reference: the variant that the others are compared with; else that of the newest
    result. Raises ValueError where a run is there twice, seeds of a variant have other settings, runs that are compared
    have other documents, or no run is of the reference that is asked for.
    """
    groups: Dict[str, Dict[Path, RunResult]] = {}
    for path, result in results.items():
        same = (result.corpus, result.data, result.protocol, result.config, sorted(result.common.items()))
        groups.setdefault(json.dumps(same), {})[path] = result
    return [_make_table(group, samples, seed, reference) for group in groups.values()]


def compare(first: Sequence[RunResult], second: Sequence[RunResult], samples: int, seed: int) -> Optional[Comparison]:
    """How far the second variant's F1 is from the first's; None where no seed is common to both.

    p_value: paired approximate randomisation over documents, of the same mean. Only seeds that both have count. What is
    swapped is a whole document with all of its seeds: the outputs of several trainings for one document are no
    independent observations, so that more seeds cannot make a difference significant which rests on few documents. It
    tells whether the difference would hold for other documents; how much it depends on the seed, the standard deviation
    tells. Raises ValueError where documents or labels are not the same.
    """
    pairs = [(a, b) for a in first for b in second if a.seed == b.seed]
    if not pairs:
        return None
    figure = get_protocol(first[0].protocol).f1
    counts_first, counts_second = (numpy.stack([result.counts for result in side], axis=1) for side in zip(*pairs))
    difference = float(numpy.mean([b.scores["f"] - a.scores["f"] for a, b in pairs]))
    p_value = approximate_randomization(
        counts_first, counts_second, lambda totals: figure(totals).mean(axis=-1), samples, seed
    )
    return Comparison([a.seed for a, _ in pairs], difference, p_value)


def _make_table(results: _Results, samples: int, seed: int, asked: Optional[str]) -> Table:
    _check(results)
    newest = max(results.values(), key=lambda result: result.date)
    variants: Dict[str, List[RunResult]] = {}
    for result in sorted(results.values(), key=lambda result: result.seed):
        variants.setdefault(result.variant, []).append(result)
    if asked is not None and asked not in variants:
        raise ValueError(Errors.DR702.format(reference=asked, variants=", ".join(variants)))
    reference = asked or newest.reference
    new = {label for result in results.values() for label in result.new_predicates}
    rows = [
        _make_row(runs, compare(variants.get(reference, []), runs, samples, seed) if name != reference else None, new)
        for name, runs in variants.items()
    ]
    return Table(
        corpus=newest.corpus,
        data=newest.data,
        split=newest.split,
        protocol=newest.protocol,
        config=newest.config,
        common=newest.common,
        reference=reference,
        new_predicates=sorted(new),
        devices=_distinct(result.device for result in results.values()),
        commits=_distinct(result.commit for result in results.values()),
        # The reference, then from best to worst
        rows=sorted(rows, key=lambda row: (row.variant != reference, -row.f.mean)),
    )


def _make_row(runs: Sequence[RunResult], comparison: Optional[Comparison], new: Collection[str]) -> Row:
    f = [run.scores["f"] for run in runs]
    epochs = [run.seconds.per_epoch for run in runs if run.seconds.per_epoch is not None]
    return Row(
        variant=runs[0].variant,
        note=runs[0].note,
        overrides=runs[0].overrides,
        seeds=[run.seed for run in runs],
        f=_spread(f),
        f_of_seeds=f,
        p=_mean(run.scores["p"] for run in runs),
        r=_mean(run.scores["r"] for run in runs),
        macro_f=_mean(run.scores["macro_f"] for run in runs),
        f_per_type={label: _mean(run.scores["per_type"][label]["f"] for run in runs) for label in runs[0].labels},
        f_new=_spread([_micro_f(run, new) for run in runs]) if new else None,
        comparison=comparison,
        seconds=_mean(run.seconds.training for run in runs),
        seconds_per_epoch=_mean(epochs) if epochs else None,
        steps=_mean(run.steps for run in runs),
    )


def _check(results: _Results) -> None:
    """Raises ValueError where a run is there twice, where the seeds of a variant have other settings, or where
    documents, gold or labels differ.
    """
    seen: Dict[Tuple[str, int], Path] = {}
    first_of: Dict[str, Path] = {}
    first_path, first = next(iter(results.items()))
    for path, result in results.items():
        run = (result.variant, result.seed)
        if run in seen:
            raise ValueError(Errors.DR711.format(first=seen[run], second=path))
        seen[run] = path
        other = first_of.setdefault(result.variant, path)
        keys = different_settings(result, results[other])
        if keys:
            raise ValueError(Errors.DR718.format(path=path, other=other, keys=", ".join(keys)))
        same = list(result.documents) == list(first.documents) and result.labels == first.labels
        if not same or (result.counts[..., 2] != first.counts[..., 2]).any():
            raise ValueError(Errors.DR712.format(path=path, other=first_path))


def _spread(values: Sequence[float]) -> Spread:
    return Spread(_mean(values), float(numpy.std(values, ddof=1)) if len(values) > 1 else None)


def _micro_f(run: RunResult, labels: Collection[str]) -> float:
    chosen = [i for i, label in enumerate(run.labels) if label in labels]
    true, predicted, gold = run.counts[:, chosen].sum(axis=(0, 1))
    return 2 * true / max(predicted + gold, 1)


def _mean(values: Iterable[float]) -> float:
    return float(numpy.mean(list(values)))


def _distinct(values: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(values))


# As text

HEADER = ("variant", "F1", "std", "seeds", "difference", "p", "P", "R", "macro F1", "training s", "s/epoch")
NEW_HEADER = ("new F1", "std")


def header(table: Table) -> Tuple[str, ...]:
    """What the cells of a table's rows are."""
    return (*HEADER, *NEW_HEADER) if table.new_predicates else HEADER


def to_cells(row: Row) -> Tuple[str, ...]:
    """A row as text: scores in per cent, the difference in points."""
    found = row.comparison
    compared = (f"{100 * found.difference:+.2f}", f"{found.p_value:.4f}") if found is not None else ("", "")
    seconds = f"{row.seconds:.0f}", f"{row.seconds_per_epoch:.1f}" if row.seconds_per_epoch is not None else ""
    scores = _percent(row.p), _percent(row.r), _percent(row.macro_f)
    new = _spread_cells(row.f_new) if row.f_new is not None else ()
    return (row.variant, *_spread_cells(row.f), str(len(row.seeds)), *compared, *scores, *seconds, *new)


def _spread_cells(spread: Spread) -> Tuple[str, str]:
    return _percent(spread.mean), _percent(spread.std) if spread.std is not None else ""


def to_markdown(tables: Sequence[Table]) -> str:
    """All tables with what they are about, as Markdown."""
    return "\n".join(_to_markdown(table) for table in tables)


def _to_markdown(table: Table) -> str:
    common = ", ".join(_setting(*item) for item in table.common.items())
    lines = [
        f"## {table.title}",
        "",
        f"Official scores (`{table.protocol}`) on `{table.data}`, in per cent: means over seeds, and the standard "
        f"deviation of F1. Difference: of F1 to `{table.reference}`, over the seeds that both have; p: paired "
        "approximate randomisation over documents, not corrected for the number of comparisons."
        + (f" New F1: micro F1 of {', '.join(table.new_predicates)}." if table.new_predicates else ""),
        "",
        "| " + " | ".join(header(table)) + " |",
        "|---|" + "---:|" * (len(header(table)) - 1),
        *("| " + " | ".join(to_cells(row)) + " |" for row in table.rows),
        "",
        *(f"- `{row.variant}`: {_describe(row)}" for row in table.rows),
        "",
        f"Config `{table.config}` with {common}. "
        f"Commit: {', '.join(table.commits)}. Device: {', '.join(table.devices)}.",
        "",
    ]
    return "\n".join(lines)


def _describe(row: Row) -> str:
    settings = ", ".join(_setting(*item) for item in row.overrides.items())
    return " ".join(part for part in (row.note, f"({settings})" if settings else "") if part) or "as it is"


def _setting(key: str, value: Any) -> str:
    return f"`{key} = {json.dumps(value)}`"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
