"""An error report: numbers as JSON, and a page with charts and the worst mistakes drawn in their sentences."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Mapping, Sequence

from spacy.language import Language
from spacy.training import Example

from ...annotations.mentions import sentence_indices
from ...pipeline.pipelines import find_component
from ...writing import write_json, write_text
from ..templating import environment
from ..visualize.drawing import Options, draw, type_colors
from .numbers import to_json
from .outcomes import Item, Outcomes, Place, find_outcomes

#: Mistakes of each kind on the page.
WORST = 20


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


def worst_mistakes(outcomes: Outcomes, n: int = WORST) -> Dict[str, List[Item]]:
    """Up to n mistakes of each kind: the most probable false positives, the false negatives whose gold predicate is
    least probable, and gold relations without a candidate.
    """
    wrong = [item for item in outcomes.items if not item.is_gold]
    missed = [item for item in outcomes.items if not item.is_predicted]
    scored = [item for item in missed if item.uncovered is None]
    return {
        "false_positives": sorted(wrong, key=lambda item: -(item.probability or 0))[:n],
        "false_negatives": sorted(scored, key=lambda item: item.probability or 0)[:n],
        "no_candidate": [item for item in missed if item.uncovered is not None][:n],
    }


def make_page(outcomes: Outcomes, numbers: Dict[str, Any]) -> str:
    """Make the page."""
    at: Dict[Place, List[Item]] = defaultdict(list)
    for item in outcomes.items:
        at[item.place].append(item)
    relations = (item.relation for item in outcomes.items)
    colors = type_colors(span.label_ for rel in relations for span in (rel.subject, rel.object))
    worst = {
        kind: [(_caption(item, at[item.place]), _draw(item, colors, outcomes.symmetric)) for item in items]
        for kind, items in worst_mistakes(outcomes).items()
    }
    return environment.get_template("report.html").render(numbers=numbers, worst=worst, n=WORST)


def _caption(item: Item, same_place: Sequence[Item]) -> str:
    rel = item.relation
    kind, other = ("gold", "predicted") if item.is_gold else ("predicted", "gold")
    others = {one.relation.predicate for one in same_place if (one.is_predicted if item.is_gold else one.is_gold)}
    found = f"{other} {', '.join(sorted(others)) or 'no relation'}"
    outcome = found if item.uncovered is None else f"not scored: {item.uncovered}"
    probability = "" if item.probability is None else f" {item.probability:.3f}"
    return f"{item.document}: {rel.subject.text} → {rel.object.text}: {kind} {rel.predicate}{probability}, {outcome}"


def _draw(item: Item, colors: Mapping[str, str], symmetric: Collection[str]) -> Iterator[str]:
    rel = item.relation._replace(score=item.probability or 0.0)
    sentence_of = sentence_indices(rel.subject.doc)
    shown = {sentence_of[span.start] for span in (rel.subject, rel.object)}
    options = Options(colors=colors, scores=item.probability is not None, symmetric=symmetric)
    return draw(rel.subject.doc, (), [rel], options, shown)
