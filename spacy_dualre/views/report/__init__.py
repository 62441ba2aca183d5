"""An error report: numbers as JSON, charts, and a page with the worst mistakes."""

from pathlib import Path
from typing import Sequence

from spacy.language import Language
from spacy.training import Example

from ...errors import Errors
from ...pipeline.pipelines import find_component
from ...writing import write_json, write_text
from ..plotting import new_figure
from .charts import plot_calibration, plot_confusion, plot_precision_recall
from .html import make_page
from .numbers import to_json
from .outcomes import find_outcomes


def check_report(folder: Path) -> None:
    """Raise ValueError or ImportError if no report could be written to the folder."""
    if folder.is_file():
        raise ValueError(Errors.DR601.format(path=folder))
    new_figure(1, 1)


def write_report(nlp: Language, examples: Sequence[Example], folder: Path) -> None:
    """Write index.html, report.json and charts on predicted Docs from the pipeline, whose candidates are scored again.

    The numbers are those of ``spacy-dualre.rel_scorer.v1``.

    Raises:
        ValueError: The pipeline has no component for relations, or the folder is a file.
        ImportError: matplotlib is missing.
    """
    check_report(folder)
    _, rel = find_component(nlp)
    outcomes = find_outcomes(rel, examples)
    numbers = to_json(outcomes)
    write_json(folder / "report.json", numbers)
    plot_confusion(numbers["confusion"], folder / "confusion.png")
    plot_precision_recall(numbers["precision_recall"], numbers["all"], folder / "precision_recall.png")
    plot_calibration(numbers["calibration"], folder / "calibration.png")
    write_text(folder / "index.html", make_page(outcomes, numbers))
