"""An error report: numbers as JSON, and a page with charts and the worst mistakes."""

from pathlib import Path
from typing import Sequence

from spacy.language import Language
from spacy.training import Example

from ...pipeline.pipelines import find_component
from ...writing import write_json, write_text
from .html import make_page
from .numbers import to_json
from .outcomes import find_outcomes


def write_report(nlp: Language, examples: Sequence[Example], folder: Path) -> None:
    """Write index.html and report.json on predicted Docs from the pipeline, whose candidates are scored again.

    The numbers are those of ``spacy-dualre.rel_scorer.v1``.

    Raises:
        ValueError: The pipeline has no component for relations, or the folder cannot be written to.
    """
    _, rel = find_component(nlp)
    outcomes = find_outcomes(rel, examples)
    numbers = to_json(outcomes)
    write_json(folder / "report.json", numbers)
    write_text(folder / "index.html", make_page(outcomes, numbers))
