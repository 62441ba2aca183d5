"""A report as a page, with the worst mistakes marked in their sentences."""

from typing import Any, Collection, Dict, Iterable, List, Sequence

from ...annotations.mentions import mention_key, sentence_indices
from ...types import Relation
from ..templating import environment
from ..visualize.drawing import draw, type_colors
from ..visualize.options import Options
from .outcomes import Item, Outcomes, Place

#: Mistakes of each kind on the page.
WORST = 20
_WIDTH = 760

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Error report</title>
    <style>
        body { font-family: Arial, 'Liberation Sans', Helvetica, sans-serif; color: #1f2937; max-width: 860px;
               margin: 2rem auto; padding: 0 1rem; line-height: 1.4 }
        h2 { margin: 2.5rem 0 0.5rem 0; font-size: 1.2rem }
        table { border-collapse: collapse; margin: 0.5rem 0 }
        th, td { padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid #e5e7eb; text-align: right }
        th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere }
        img { max-width: 100%; max-height: 420px }
        .mistake { margin: 0 0 1.2rem 0; padding: 0.6rem 0.8rem; border: 1px solid #e5e7eb; border-radius: 6px }
        .mistake p { margin: 0 0 0.3rem 0; font-size: 0.9rem; overflow-wrap: anywhere }
        .note { color: #6b7280; font-size: 0.9rem }
    </style>
</head>
<body>
<h1>Error report</h1>
<p>{{ numbers.documents }} documents, {{ numbers.all.gold }} gold relations, {{ numbers.all.predicted }} predicted,
{{ numbers.all.right }} of them right: P {{ numbers.all.p|percent }}, R {{ numbers.all.r|percent }},
F1 {{ numbers.all.f|percent }}. {{ numbers.pairs }} pairs were scored.</p>
<p>False negatives: {{ numbers.false_negatives.scored }} were scored and not decided
{%- for reason, n in numbers.false_negatives.no_candidate.items() %}; {{ n }} had no candidate ({{ reason }})
{%- endfor %}.</p>
<h2>Confusion</h2>
<p><img src="confusion.png" alt="Confusion matrix"></p>
<h2>Precision and recall</h2>
<p><img src="precision_recall.png" alt="Precision-recall curve"></p>
<h2>Calibration</h2>
<p><img src="calibration.png" alt="Calibration curve"></p>
{%- for title, rows in tables %}
<h2>{{ title }}</h2>
<table>
<tr><th></th><th>gold</th><th>predicted</th><th>right</th><th>P</th><th>R</th><th>F1</th></tr>
{%- for row in rows %}
<tr><td>{{ row.group }}</td><td>{{ row.gold }}</td><td>{{ row.predicted }}</td><td>{{ row.right }}</td>
<td>{{ row.p|percent }}</td><td>{{ row.r|percent }}</td><td>{{ row.f|percent }}</td></tr>
{%- endfor %}
</table>
{%- endfor %}
{%- for title, note, mistakes in lists %}
<h2>{{ title }}</h2>
<p class="note">{{ note }}</p>
{%- for mistake in mistakes %}
<div class="mistake"><p>{{ mistake.text }}</p>
{%- for picture in mistake.pictures %}
{{ picture }}
{%- endfor %}
</div>
{%- else %}
<p>None.</p>
{%- endfor %}
{%- endfor %}
</body>
</html>
"""

_TEMPLATE = environment.from_string(_PAGE)
_TABLES = {
    "per_type_pair": "Per pair of types",
    "per_tokens_between": "Per tokens between the mentions",
    "per_sentences_apart": "Per sentences between the mentions (0: the same)",
    "per_sentence_length": "Per tokens of the subject's sentence",
}


def worst_mistakes(outcomes: Outcomes, n: int = WORST) -> Dict[str, List[Item]]:
    """The n surest false positives, the n false negatives whose gold predicate has the least probability, and n gold
    relations without a candidate.
    """
    items = outcomes.items
    wrong = [item for item in items if not item.is_gold]
    missed = [item for item in items if not item.is_predicted]
    scored = [item for item in missed if item.uncovered is None]
    return {
        "false_positives": sorted(wrong, key=lambda item: -(item.probability or 0))[:n],
        "false_negatives": sorted(scored, key=lambda item: item.probability or 0)[:n],
        "no_candidate": [item for item in missed if item.uncovered is not None][:n],
    }


def make_page(outcomes: Outcomes, numbers: Dict[str, Any]) -> str:
    """The page; the pictures are in files beside it."""
    at: Dict[Place, List[Item]] = {}
    for item in outcomes.items:
        at.setdefault(item.place, []).append(item)
    worst = worst_mistakes(outcomes)
    types = {span.label_ for item in outcomes.items for span in (item.relation.subject, item.relation.object)}
    colors = type_colors(sorted(types))

    def entries(name: str) -> List[Dict[str, Any]]:
        return [
            {"text": _caption(item, at[item.place]), "pictures": _draw(item, colors, outcomes.symmetric)}
            for item in worst[name]
        ]

    return _TEMPLATE.render(
        numbers=numbers,
        tables=[(title, numbers[key]) for key, title in _TABLES.items()],
        lists=[
            ("False positives", f"The {WORST} surest.", entries("false_positives")),
            (
                "False negatives",
                f"The {WORST} with the least probability for gold.",
                entries("false_negatives"),
            ),
            ("Gold relations without a candidate", f"At most {WORST}.", entries("no_candidate")),
        ],
    )


def _caption(item: Item, same_place: Sequence[Item]) -> str:
    rel = item.relation
    probability = "" if item.probability is None else f" {item.probability:.3f}"
    other = _names(one for one in same_place if (one.is_predicted if item.is_gold else one.is_gold))
    if item.uncovered is not None:
        outcome = f"gold {rel.predicate}, not scored: {item.uncovered}"
    elif item.is_gold:
        outcome = f"gold {rel.predicate}{probability}, predicted {other}"
    else:
        outcome = f"predicted {rel.predicate}{probability}, gold {other}"
    return f"{item.document}: {rel.subject.text} → {rel.object.text}: {outcome}"


def _names(items: Iterable[Item]) -> str:
    return ", ".join(sorted({item.relation.predicate for item in items})) or "no relation"


def _draw(item: Item, colors: Dict[str, str], symmetric: Collection[str]) -> List[Any]:
    rel: Relation = item.relation._replace(score=item.probability or 0.0)
    doc = rel.subject.doc
    sentence_of = sentence_indices(doc)
    sentences = {sentence_of[span.start] for span in (rel.subject, rel.object)}
    mentions = {mention_key(span): span for span in (rel.subject, rel.object)}
    scores = item.probability is not None
    ordered = [mentions[key] for key in sorted(mentions)]
    options = Options(colors=colors, width=_WIDTH, scores=scores, symmetric=symmetric)
    return draw(doc, ordered, [rel], options, sentences)
