"""An error report: numbers as JSON, pictures, and a page with the worst mistakes."""

from pathlib import Path
from typing import Sequence

from spacy.language import Language
from spacy.training import Example

from ...errors import Errors
from ...pipeline.components import find_component
from ...writing import write_json, write_text
from ..plotting import new_figure
from .numbers import to_json
from .outcomes import find_outcomes
from .page import make_page
from .plots import plot_all


def check_report(folder: Path) -> None:
    """Raises ValueError or ImportError where a report could not be written to the folder."""
    if folder.is_file():
        raise ValueError(Errors.DR601.format(path=folder))
    new_figure(1, 1)


def write_report(nlp: Language, examples: Sequence[Example], folder: Path) -> None:
    """Write index.html, report.json and the pictures. examples: predicted by the pipeline; their candidates are scored
    once more. The numbers are those of ``spacy-dualre.rel_scorer.v1``.

    Raises ValueError where the pipeline finds no relations or the folder is a file, ImportError without matplotlib.
    """
    check_report(folder)
    _, rel = find_component(nlp)
    outcomes = find_outcomes(nlp, rel, examples)
    numbers = to_json(outcomes)
    write_json(folder / "report.json", numbers)
    plot_all(numbers, folder)
    write_text(folder / "index.html", make_page(outcomes, numbers))
