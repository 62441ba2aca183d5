"""Tables of results: the scores of each variant, and whether they differ from the reference's."""

import json
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
from pydantic import BaseModel

from ...errors import Errors
from ...scoring.protocols import get_protocol
from ...scoring.significance import approximate_randomization
from .result import Results, RunResult, Setup, different_settings


class Spread(BaseModel):
    """Mean and sample standard deviation (n - 1; None for one run)."""

    mean: float
    std: Optional[float]


class Comparison(BaseModel):
    """A variant against the reference: the mean difference of the official F1 (0 to 1) over their common seeds."""

    seeds: List[int]
    difference: float
    p_value: float


class Row(BaseModel):
    """A variant. Scores are from 0 to 1; figures without a spread are means over the seeds.

    Attributes:
        f_new: Micro F1 of the predicates that are new to some variant; None if there are none.
        seconds_per_epoch: None if no training went beyond its first epoch.
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


class Table(BaseModel):
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


def make_tables(results: Results, samples: int = 10_000, seed: int = 0, reference: Optional[str] = None) -> List[Table]:
    """Make a table for each setup, with tests against the reference, by default that of the newest result.

    Raises:
        ValueError: A run occurs twice, the seeds of a variant have different settings, the runs of a table are about
            different documents, or the reference has no result.
    """
    groups: Dict[str, Dict[str, RunResult]] = {}
    for name, result in results.items():
        groups.setdefault(json.dumps(result.setup.model_dump(), sort_keys=True), {})[name] = result
    return [_make_table(group, samples, seed, reference) for group in groups.values()]


def compare(first: Sequence[RunResult], second: Sequence[RunResult], samples: int, seed: int) -> Optional[Comparison]:
    """Compare the F1 of two variants by paired approximate randomisation over documents.

    Only common seeds count; without any the result is None. A document is swapped with all of its seeds: the
    predictions of several trainings for one document are not independent, so more seeds cannot make a difference
    significant that rests on few documents. The p-value tells whether the difference would hold for other documents,
    the standard deviation how much it depends on the seed.
    """
    pairs = [(a, b) for a in first for b in second if a.seed == b.seed]
    if not pairs:
        return None
    figure = get_protocol(first[0].setup.protocol).f1
    counts_first, counts_second = (numpy.stack([result.counts for result in side], axis=1) for side in zip(*pairs))
    difference = _mean(b.scores["f"] - a.scores["f"] for a, b in pairs)
    p_value = approximate_randomization(
        counts_first, counts_second, lambda totals: figure(totals).mean(axis=-1), samples, seed
    )
    return Comparison(seeds=[a.seed for a, _ in pairs], difference=difference, p_value=p_value)


def _make_table(results: Results, samples: int, seed: int, asked: Optional[str]) -> Table:
    _check_documents(results)
    variants = _by_variant(results)
    newest = max(results.values(), key=lambda result: result.date)
    reference = asked or newest.reference
    if asked is not None and asked not in variants:
        raise ValueError(Errors.DR702.format(reference=asked, variants=", ".join(variants)))
    new = sorted({label for result in results.values() for label in result.new_predicates})
    rows = [
        _make_row(runs, compare(variants.get(reference, []), runs, samples, seed) if name != reference else None, new)
        for name, runs in variants.items()
    ]
    return Table(
        setup=newest.setup,
        reference=reference,
        new_predicates=new,
        devices=list(dict.fromkeys(result.device for result in results.values())),
        commits=list(dict.fromkeys(result.commit for result in results.values())),
        # The reference, then from best to worst
        rows=sorted(rows, key=lambda row: (row.variant != reference, -row.f.mean)),
    )


def _check_documents(results: Results) -> None:
    (first_name, first), *others = results.items()
    for name, other in others:
        same = list(other.documents) == list(first.documents) and other.labels == first.labels
        if not same or (other.counts[..., 2] != first.counts[..., 2]).any():
            raise ValueError(Errors.DR712.format(path=name, other=first_name))


def _by_variant(results: Results) -> Dict[str, List[RunResult]]:
    """The runs of each variant, sorted by seed."""
    variants: Dict[str, Dict[int, str]] = {}
    for name, run in sorted(results.items(), key=lambda item: item[1].seed):
        others = variants.setdefault(run.variant, {})
        if run.seed in others:
            raise ValueError(Errors.DR711.format(first=others[run.seed], second=name))
        others[run.seed] = name
        first = next(iter(others.values()))
        keys = different_settings(results[first], run)
        if keys:
            raise ValueError(Errors.DR718.format(path=name, other=first, keys=", ".join(keys)))
    return {variant: [results[name] for name in names.values()] for variant, names in variants.items()}


def _make_row(runs: Sequence[RunResult], comparison: Optional[Comparison], new: Collection[str]) -> Row:
    f = [run.scores["f"] for run in runs]
    epochs = [run.seconds["per_epoch"] for run in runs if "per_epoch" in run.seconds]
    return Row(
        variant=runs[0].variant,
        note=runs[0].note,
        overrides=runs[0].overrides,
        seeds=[run.seed for run in runs],
        f=_spread(f),
        f_of_seeds=f,
        **{name: _mean(run.scores[name] for run in runs) for name in ("p", "r", "macro_f")},
        f_per_type={label: _mean(run.f_per_type[label] for run in runs) for label in runs[0].labels},
        f_new=_spread([_micro_f(run, new) for run in runs]) if new else None,
        comparison=comparison,
        seconds=_mean(run.seconds["training"] for run in runs),
        seconds_per_epoch=_mean(epochs) if epochs else None,
        steps=_mean(run.steps for run in runs),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=_mean(values), std=float(numpy.std(values, ddof=1)) if len(values) > 1 else None)


def _micro_f(run: RunResult, labels: Collection[str]) -> float:
    chosen = [i for i, label in enumerate(run.labels) if label in labels]
    true, predicted, gold = run.counts[:, chosen].sum(axis=(0, 1))
    return 2 * true / max(predicted + gold, 1)


def _mean(values: Iterable[float]) -> float:
    return float(numpy.mean(list(values)))


# As text

_HEADER = ("variant", "F1", "std", "seeds", "difference", "p", "P", "R", "macro F1", "training s", "s/epoch")
_NEW_HEADER = ("new F1", "std")


def header(table: Table) -> Tuple[str, ...]:
    """The headings of `to_cells`."""
    return (*_HEADER, *_NEW_HEADER) if table.new_predicates else _HEADER


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


def to_json(tables: Sequence[Table]) -> Dict[str, Any]:
    """The tables as JSON values."""
    return {"tables": [{**table.setup.model_dump(), **table.model_dump(exclude={"setup"})} for table in tables]}


def to_markdown(tables: Sequence[Table]) -> str:
    """The tables with their captions as Markdown."""
    return "\n".join(_to_markdown(table) for table in tables)


def _to_markdown(table: Table) -> str:
    new = f" New F1: micro F1 of {', '.join(table.new_predicates)}." if table.new_predicates else ""
    lines = [
        f"## {table.title}",
        "",
        f"Official scores (`{table.setup.protocol}`) on `{table.setup.data}`, in per cent: means over seeds, and the "
        f"standard deviation of F1. Difference: of F1 to `{table.reference}`, over the seeds that both have; p: paired "
        f"approximate randomisation over documents, not corrected for the number of comparisons.{new}",
        "",
        "| " + " | ".join(header(table)) + " |",
        "|---|" + "---:|" * (len(header(table)) - 1),
        *("| " + " | ".join(to_cells(row)) + " |" for row in table.rows),
        "",
        *(f"- `{row.variant}`: {_describe(row)}" for row in table.rows),
        "",
        f"Config `{table.setup.config}` with {_settings(table.setup.common)}. "
        f"Commit: {', '.join(table.commits)}. Device: {', '.join(table.devices)}.",
        "",
    ]
    return "\n".join(lines)


def _describe(row: Row) -> str:
    return " ".join(filter(None, (row.note, f"({_settings(row.overrides)})" if row.overrides else ""))) or "as it is"


def _settings(overrides: Dict[str, Any]) -> str:
    return ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in overrides.items())


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
