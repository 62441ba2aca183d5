"""Draws the sentences of a Doc as SVG, and the options for it."""

from itertools import cycle, groupby
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from markupsafe import Markup
from spacy.displacy.render import DEFAULT_LABEL_COLORS, EntityRenderer
from spacy.tokens import Doc, Span

from ...annotations.mentions import mention_key
from ...errors import Errors
from ...types import Relation
from ..templating import environment
from .arcs import LABEL_SIZE, Arc, make_arcs
from .lines import NESTED, PAD, TEXT_SIZE, TYPE_SIZE, Line, lay_out

#: Narrower lines, in pixels, have no room for labels.
_NARROWEST = 200
#: Heights in a line: from its baseline up and down to the border of an innermost box, and of the type of a box.
_ABOVE, _BELOW, _TYPE_ROW = 15.0, 5.0, 11.0
#: Between two levels of arcs, between the lowest one and the boxes, and between lines.
_LEVEL, _LEG, _BETWEEN = 18.0, 12.0, 8.0
#: Room for a sentence's number, and at the edges.
_NUMBER, _EDGE = 24.0, 3.0
_SIZES = {
    **{"text_size": TEXT_SIZE, "type_size": TYPE_SIZE, "label_size": LABEL_SIZE},
    **{"above": _ABOVE, "below": _BELOW, "type_row": _TYPE_ROW, "nested": NESTED, "pad": PAD},
}


class Options(NamedTuple):
    """How relations are drawn.

    Attributes:
        spans_key: Draw the mentions in ``doc.spans[spans_key]`` instead of ``doc.ents``, and always those of relations.
        colors: CSS colours by entity type.
        width: Of a line, in pixels.
        symmetric: Predicates without direction, drawn without arrow heads.
    """

    spans_key: Optional[str] = None
    colors: Mapping[str, str] = {}
    width: float = 760
    scores: bool = True
    symmetric: Collection[str] = ()


def make_options(values: Dict[str, Any]) -> Options:
    """Make options. Raises ValueError for an unknown option or a width that is too small."""
    for name in values:
        if name not in Options._fields:
            raise ValueError(Errors.DR004.format(name="option", value=name, known=", ".join(Options._fields)))
    options = Options(**values)
    if options.width < _NARROWEST:
        raise ValueError(Errors.DR002.format(name="width", low=_NARROWEST, value=options.width))
    return options


def type_colors(types: Iterable[str], colors: Mapping[str, str] = {}) -> Dict[str, str]:
    """A colour for each entity type: the given one, displaCy's, or else one from displaCy's palette in turn."""
    known = EntityRenderer({"colors": dict(colors)}).colors
    palette = cycle(dict.fromkeys(DEFAULT_LABEL_COLORS.values()))
    return {type: known.get(type.upper()) or next(palette) for type in sorted(set(types))}


def draw(
    doc: Doc,
    mentions: Sequence[Span],
    rels: Sequence[Relation],
    options: Options,
    sentences: Optional[Collection[int]] = None,
) -> Iterator[Markup]:
    """Draw each sentence as a separate picture.

    Args:
        mentions: To be drawn as well as those of the relations.
        options: With a colour for every mention type.
        sentences: Indices of the sentences to draw; None: all.
    """
    related = (span for rel in rels for span in (rel.subject, rel.object))
    distinct = {mention_key(span): span for span in (*related, *mentions)}
    rtl = doc.vocab.writing_system.get("direction") == "rtl"
    numbered = any(token.is_sent_start for token in doc[1:])
    margin = _NUMBER if numbered else 0.0
    inner = options.width - margin - 2 * _EDGE
    lines = lay_out(doc, [distinct[key] for key in sorted(distinct)], inner, rtl)
    rows = zip(lines, make_arcs(rels, lines, inner, rtl, options.scores, options.symmetric))
    shown = (row for row in rows if sentences is None or row[0].sentence in sentences)
    for sentence, group in groupby(shown, key=lambda row: row[0].sentence):
        own = list(group)
        markup = environment.get_template("sentence.svg").render(
            _stack(own, options),
            colors=options.colors,
            width=options.width,
            direction="rtl" if rtl else "ltr",
            number=str(sentence + 1) if numbered else "",
            number_x=options.width - _EDGE - 8 if rtl else _EDGE + 8,
            offset=_EDGE if rtl else _EDGE + margin,
            text=" ".join(doc[own[0][0].pieces[0].token : own[-1][0].pieces[-1].token + 1].text.split()),
            **_SIZES,
        )
        yield Markup(markup)


def _stack(rows: Iterable[Tuple[Line, List[Arc]]], options: Options) -> Dict[str, Any]:
    """Stack lines: what to draw in each, and the total height."""
    drawn, y = [], 0.0
    for line, arcs in rows:
        # Outer boxes first, so that inner ones are on top
        boxes = sorted(line.boxes, key=lambda box: -box.depth)
        arcs = sorted(arcs, key=lambda arc: -arc.level)
        deepest = boxes[0].depth if boxes else -1
        roof = _ABOVE + NESTED * max(deepest, 0)
        y += roof + 1 + (arcs[0].level * _LEVEL + _LEG if arcs else 0)
        words = [piece for piece in line.pieces if piece.text and piece.width]
        curves = [_curve(arc, y, y - roof - _LEG - (arc.level - 1) * _LEVEL, options) for arc in arcs]
        drawn.append({"y": y, "words": words, "boxes": boxes, "arcs": curves})
        y += _BELOW + _TYPE_ROW * (deepest + 1) + _BETWEEN
    return {"lines": drawn, "height": y}


def _curve(arc: Arc, y: float, level: float, options: Options) -> Tuple[Arc, str, str, float]:
    """The paths of an arc over the baseline y and of its head. A loose end stays at the arc's level."""
    (subject, object), (start, end), side = arc.boxes, arc.x, arc.side
    directed = arc.relation.predicate not in options.symmetric
    bend = min(6.0, arc.length / 2)
    head_length = 5 if directed else 0
    top, foot = (y - _ABOVE - NESTED * box.depth if box else level for box in arc.boxes)
    path = f"M{start:.1f},{top:.1f}"
    if subject:
        path += f"V{level + bend:.1f}Q{start:.1f},{level:.1f} {start + side * bend:.1f},{level:.1f}"
    if object:
        path += f"H{end - side * bend:.1f}Q{end:.1f},{level:.1f} {end:.1f},{level + bend:.1f}V{foot - head_length:.1f}"
        head = f"M{end:.1f},{foot:.1f}l-3.5,-7h7z"
    else:
        path += f"H{end - side * head_length:.1f}"
        head = f"M{end:.1f},{level:.1f}l{-side * 7},-3.5v7z"
    return arc, path, head if directed else "", level
