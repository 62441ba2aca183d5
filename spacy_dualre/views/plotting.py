"""Figures with matplotlib, an extra that is only imported when needed."""

from pathlib import Path
from typing import Any

from ..errors import Errors
from ..writing import whole_file


def new_figure(width: float, height: float) -> Any:
    """Make an empty figure with a size in inches. Raises ImportError if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ImportError(Errors.DR600.format(problem=err)) from err
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format given by the path's suffix. Raises ValueError if it cannot be written."""
    # Without dates, equal figures give equal files
    with whole_file(path) as file:
        figure.savefig(file, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
