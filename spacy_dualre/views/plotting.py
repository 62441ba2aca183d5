"""Figures. matplotlib is an extra, and is imported where it is needed."""

from pathlib import Path
from typing import Any

from ..errors import Errors
from ..writing import whole_file


def new_figure(width: float, height: float) -> Any:
    """An empty figure; the sizes are in inches. Raises ImportError where there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ImportError(Errors.DR600.format(problem=err)) from err
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format that the name ends in. Raises as `whole_file`."""
    # Nothing in the file depends on when it was made
    with whole_file(path) as file:
        figure.savefig(file, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
