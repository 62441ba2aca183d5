"""Figures. matplotlib is an extra, and is imported where it is needed."""

from pathlib import Path
from typing import Any

from .errors import Errors


def new_figure(width: float, height: float) -> Any:
    """An empty figure; the sizes are in inches. Raises ImportError where there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ImportError(Errors.DR161.format(problem=err)) from err
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format that the name ends in."""
    # Nothing in the file depends on when it was made
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
