"""Draws the sentences of a Doc as SVG."""

from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from markupsafe import Markup
from spacy.displacy.render import DEFAULT_LABEL_COLORS, EntityRenderer
from spacy.tokens import Doc, Span

from ...annotations.mentions import mention_key
from ...types import Relation
from ..templating import environment
from .arcs import LABEL_SIZE, Arc, make_arcs
from .fonts import BOLD, text_width
from .lines import NESTED, PAD, TEXT_SIZE, TYPE_SIZE, Box, Line, lay_out
from .options import Options

#: Of a line: from its baseline up and down to the border of a box with nothing in it, and for the type of each box.
_ABOVE, _BELOW, _TYPE_ROW = 15.0, 5.0, 11.0
#: Between two levels of arcs, between the lowest one and the boxes, and between lines.
_LEVEL, _LEG, _BETWEEN = 18.0, 12.0, 8.0
#: Room for a sentence's number, and at the edges.
_NUMBER, _EDGE = 24.0, 3.0


def type_colors(types: Iterable[str], colors: Mapping[str, str] = {}) -> Dict[str, str]:
    """A colour for each entity type: the given one, displaCy's, or for other types one of displaCy's in turn."""
    types = set(types)
    known = EntityRenderer({"colors": dict(colors)}).colors
    palette = list(dict.fromkeys(DEFAULT_LABEL_COLORS.values()))
    others = {type: i for i, type in enumerate(sorted(type for type in types if type.upper() not in known))}
    return {type: palette[others[type] % len(palette)] if type in others else known[type.upper()] for type in types}


def is_rtl(doc: Doc) -> bool:
    """Whether the text of a Doc runs from right to left."""
    return doc.vocab.writing_system.get("direction") == "rtl"


def draw(
    doc: Doc,
    mentions: Sequence[Span],
    rels: Sequence[Relation],
    options: Options,
    sentences: Optional[Collection[int]] = None,
) -> List[Markup]:
    """Draw each sentence as a picture of its own.

    Args:
        doc: The Doc.
        mentions: Distinct ones, among them those of the relations.
        rels: The relations to draw.
        options: With a colour for every type of the mentions.
        sentences: Numbers, from 0, of the sentences to draw; None: all.
    """
    rtl = is_rtl(doc)
    numbered = any(token.is_sent_start for token in doc[1:])
    margin = _NUMBER if numbered else 0.0
    inner = options.width - margin - 2 * _EDGE
    lines, boxes = lay_out(doc, mentions, inner, rtl)
    arcs = make_arcs(rels, lines, boxes, inner, rtl, options)
    pictures = []
    for sentence in dict.fromkeys(line.sentence for line in lines):
        if sentences is not None and sentence not in sentences:
            continue
        numbers = [i for i, line in enumerate(lines) if line.sentence == sentence]
        first, last = lines[numbers[0]].pieces[0].token, lines[numbers[-1]].pieces[-1].token
        markup = environment.get_template("sentence.svg").render(
            _sentence(lines, numbers, boxes, arcs, options),
            width=options.width,
            direction="rtl" if rtl else "ltr",
            number=str(sentence + 1) if numbered else "",
            number_x=options.width - _EDGE - 8 if rtl else _EDGE + 8,
            offset=_EDGE if rtl else _EDGE + margin,
            text=" ".join(doc[first : last + 1].text.split()),
            **{"text_size": TEXT_SIZE, "type_size": TYPE_SIZE, "label_size": LABEL_SIZE},
        )
        pictures.append(Markup(markup))
    return pictures


def _sentence(
    lines: Sequence[Line], numbers: Sequence[int], boxes: Sequence[Box], arcs: Sequence[Arc], options: Options
) -> Dict[str, Any]:
    """The lines with these numbers one below the other, and their height."""
    drawn, y = [], 0.0
    for i in numbers:
        # Outer boxes first, so that inner ones lie on top of them
        own_boxes = sorted((box for box in boxes if box.line == i), key=lambda box: -box.depth)
        own_arcs = sorted((arc for arc in arcs if arc.line == i), key=lambda arc: -arc.level)
        deepest = max((box.depth for box in own_boxes), default=-1)
        roof = _ABOVE + NESTED * max(deepest, 0)
        y += own_arcs[0].level * _LEVEL + _LEG if own_arcs else 0
        y += roof + 1
        words = [piece for piece in lines[i].pieces if piece.text and piece.width]
        drawn_boxes = [_box(box, y, options.colors[box.mention.label_]) for box in own_boxes]
        drawn_arcs = [
            _arc(arc, y, y - roof - _LEG - (arc.level - 1) * _LEVEL, arc.relation.predicate not in options.symmetric)
            for arc in own_arcs
        ]
        drawn.append({"y": y, "words": words, "boxes": drawn_boxes, "arcs": drawn_arcs})
        y += _BELOW + _TYPE_ROW * (deepest + 1) + _BETWEEN
    return {"lines": drawn, "height": y}


def _top(box: Box, y: float) -> float:
    return y - _ABOVE - NESTED * box.depth


def _box(box: Box, y: float, color: str) -> Dict[str, Any]:
    type, top = box.mention.label_, _top(box, y)
    label_width = text_width(type, TYPE_SIZE) * BOLD
    middle = PAD + label_width / 2
    return {
        "key": _key(box.mention),
        "title": f"{box.mention.text} {type} {box.mention.kb_id_}".strip(),
        "x": box.left,
        "y": top,
        "width": box.right - box.left,
        "height": y + _BELOW + _TYPE_ROW * (box.depth + 1) - top,
        "color": color,
        "label": type if box.starts else "",
        "label_x": box.right - middle if is_rtl(box.mention.doc) else box.left + middle,
        "label_y": y + _BELOW + _TYPE_ROW * box.depth + TYPE_SIZE - 1,
        "label_width": label_width,
    }


def _key(mention: Span) -> str:
    """The name of a mention in data attributes."""
    return "{}-{}-{}".format(*mention_key(mention))


def _arc(arc: Arc, y: float, level: float, directed: bool) -> Dict[str, Any]:
    """An arc over the baseline y, at the height of its level. A loose end stays at that height."""
    rel, (subject, object), (start, end), side = arc.relation, arc.boxes, arc.x, arc.side
    bend = min(6.0, arc.length / 2)
    head_length = 5 if directed else 0
    path = f"M{start:.1f},{_top(subject, y) if subject else level:.1f}"
    if subject:
        path += f"V{level + bend:.1f}Q{start:.1f},{level:.1f} {start + side * bend:.1f},{level:.1f}"
    if object:
        foot = _top(object, y)
        path += f"H{end - side * bend:.1f}Q{end:.1f},{level:.1f} {end:.1f},{level + bend:.1f}V{foot - head_length:.1f}"
        head = f"M{end:.1f},{foot:.1f}l-3.5,-7h7z"
    else:
        path += f"H{end - side * head_length:.1f}"
        head = f"M{end:.1f},{level:.1f}l{-side * 7},-3.5v7z"
    return {
        "path": path,
        "head": head if directed else "",
        "subject": _key(rel.subject),
        "object": _key(rel.object),
        "title": f"{rel.subject.text} {rel.predicate} {rel.object.text}, {rel.score:.2f}",
        "label": arc.label,
        "label_x": arc.label_x,
        "label_y": level - 3.5,
        "label_width": arc.label_width,
    }
