"""Figures. matplotlib is an extra, so it is only imported when a figure is made."""

from pathlib import Path
from typing import Any

from ..errors import Errors
from ..writing import whole_file


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of a size in inches. Raises ImportError if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ImportError(Errors.DR600.format(problem=err)) from err
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format of the path's ending. Raises ValueError if it cannot be written."""
    # No dates, so that the same figure gives the same file
    with whole_file(path) as file:
        figure.savefig(file, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
