"""The HTML page of a report, with the worst mistakes drawn in their sentences."""

from collections import defaultdict
from typing import Any, Collection, Dict, Iterable, List, Mapping, Sequence

from ...annotations.mentions import sentence_indices
from ..templating import environment
from ..visualize.drawing import draw, type_colors
from ..visualize.options import Options
from .outcomes import Item, Outcomes, Place

#: Mistakes of each kind on the page.
WORST = 20


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
    colors = type_colors(
        span.label_ for item in outcomes.items for span in (item.relation.subject, item.relation.object)
    )
    worst = {
        kind: [(_caption(item, at[item.place]), _draw(item, colors, outcomes.symmetric)) for item in items]
        for kind, items in worst_mistakes(outcomes).items()
    }
    return environment.get_template("report.html").render(numbers=numbers, worst=worst, n=WORST)


def _caption(item: Item, same_place: Sequence[Item]) -> str:
    rel = item.relation
    probability = "" if item.probability is None else f" {item.probability:.3f}"
    if item.uncovered is not None:
        outcome = f"gold {rel.predicate}, not scored: {item.uncovered}"
    elif item.is_gold:
        predicted = _predicates(one for one in same_place if one.is_predicted)
        outcome = f"gold {rel.predicate}{probability}, predicted {predicted}"
    else:
        gold = _predicates(one for one in same_place if one.is_gold)
        outcome = f"predicted {rel.predicate}{probability}, gold {gold}"
    return f"{item.document}: {rel.subject.text} → {rel.object.text}: {outcome}"


def _predicates(items: Iterable[Item]) -> str:
    return ", ".join(sorted({item.relation.predicate for item in items})) or "no relation"


def _draw(item: Item, colors: Mapping[str, str], symmetric: Collection[str]) -> List[Any]:
    rel = item.relation._replace(score=item.probability or 0.0)
    sentence_of = sentence_indices(rel.subject.doc)
    shown = {sentence_of[span.start] for span in (rel.subject, rel.object)}
    options = Options(colors=colors, scores=item.probability is not None, symmetric=symmetric)
    return draw(rel.subject.doc, (), [rel], options, shown)
