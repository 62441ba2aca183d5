"""Tables drawn as a plot."""

from pathlib import Path
from typing import Any, Sequence

from ...errors import Errors
from ...writing import whole_file
from .table import Table

_FORMATS = (".png", ".svg", ".pdf")


def plot_tables(tables: Sequence[Table], path: Path) -> None:
    """Plot the F1 of every variant: seeds as points, mean and standard deviation as a bar, the reference as a line.

    Raises ValueError for another format or a file that cannot be written, ImportError if matplotlib is missing.
    """
    if path.suffix not in _FORMATS:
        raise ValueError(Errors.DR713.format(path=path))
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ImportError(Errors.DR703.format(problem=err)) from err
    heights = [1.2 + 0.35 * len(table.rows) for table in tables]
    figure = Figure(figsize=(8, sum(heights)), layout="constrained")
    panels = figure.subplots(len(tables), 1, squeeze=False, height_ratios=heights)
    for axes, table in zip(panels[:, 0], tables):
        _draw(axes, table)
    # Without dates, equal figures give equal files
    with whole_file(path) as file:
        figure.savefig(file, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw(axes: Any, table: Table) -> None:
    for y, row in enumerate(table.rows):
        color = "tab:orange" if row.variant == table.reference else "tab:blue"
        axes.plot([100 * f for f in row.f_of_seeds], [y] * len(row.f_of_seeds), ".", color=color, alpha=0.5)
        axes.errorbar(100 * row.f.mean, y, xerr=100 * (row.f.std or 0), fmt="|", color=color, capsize=3)
        if row.variant == table.reference:
            axes.axvline(100 * row.f.mean, color=color, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(table.rows)), [row.variant for row in table.rows])
    axes.invert_yaxis()
    axes.set_xlabel("official F1")
    axes.set_title(table.title)
