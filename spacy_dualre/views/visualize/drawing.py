"""A Doc -> pictures of its sentences, as SVG."""

from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from markupsafe import Markup
from spacy.displacy.render import DEFAULT_LABEL_COLORS, EntityRenderer
from spacy.tokens import Doc, Span

from ...annotations.mentions import mention_key
from ...types import Relation
from .arcs import LABEL_SIZE, Arc, make_arcs
from .layout import NESTED, PAD, TEXT_SIZE, TYPE_SIZE, Box, Line, lay_out
from .metrics import BOLD, text_width
from .templates import PICTURE

#: Of a line: from its baseline up and down to the border of a box with nothing in it, and for the type of each box.
_ABOVE, _BELOW, _TYPE_ROW = 15.0, 5.0, 11.0
#: Between two levels of arcs, between the lowest one and the boxes, and between lines.
_LEVEL, _LEG, _BETWEEN = 18.0, 12.0, 8.0
#: Room for a sentence's number, and at the edges.
_NUMBER, _EDGE = 24.0, 3.0


def type_colors(types: Iterable[str], colors: Mapping[str, str] = {}) -> Dict[str, str]:
    """A colour for each entity type: those given, displaCy's, and for types that it has none for, one of displaCy's by
    turns.
    """
    renderer = EntityRenderer({"colors": dict(colors)})
    known = renderer.colors
    palette = list(dict.fromkeys(DEFAULT_LABEL_COLORS.values()))
    others = sorted(type for type in set(types) if type.upper() not in known)
    return {type: known[type.upper()] for type in types if type.upper() in known} | {
        type: palette[i % len(palette)] for i, type in enumerate(others)
    }


def draw(
    doc: Doc,
    mentions: Sequence[Span],
    rels: Sequence[Relation],
    colors: Mapping[str, str],
    width: float,
    scores: bool = True,
    sentences: Optional[Collection[int]] = None,
    symmetric: Collection[str] = (),
) -> List[Markup]:
    """One picture for each sentence. mentions: distinct, those of the relations among them. width: in pixels.
    sentences: numbers (from 0) of those that are drawn; None: all. symmetric: predicates that get no arrow heads.
    """
    rtl = doc.vocab.writing_system.get("direction") == "rtl"
    numbered = any(token.is_sent_start for token in doc[1:])
    margin = _NUMBER if numbered else 0.0
    inner = width - margin - 2 * _EDGE
    lines, boxes = lay_out(doc, mentions, inner, rtl)
    arcs = make_arcs(rels, lines, boxes, inner, rtl, scores, symmetric)
    pictures = []
    for sentence in dict.fromkeys(line.sentence for line in lines):
        if sentences is None or sentence in sentences:
            numbers = [i for i, line in enumerate(lines) if line.sentence == sentence]
            picture = _picture(lines, numbers, boxes, arcs, colors)
            picture.update(
                width=width,
                direction="rtl" if rtl else "ltr",
                number=str(sentence + 1) if numbered else "",
                number_x=width - _EDGE - 8 if rtl else _EDGE + 8,
                offset=_EDGE if rtl else _EDGE + margin,
                text=_text(doc, lines, numbers),
            )
            markup = PICTURE.render(picture=picture, text_size=TEXT_SIZE, label_size=LABEL_SIZE)
            pictures.append(Markup(markup.strip()))
    return pictures


def _text(doc: Doc, lines: Sequence[Line], numbers: Sequence[int]) -> str:
    tokens = [piece.token for number in numbers for piece in lines[number].pieces]
    return " ".join(doc[tokens[0] : tokens[-1] + 1].text.split())


def _picture(
    lines: Sequence[Line], numbers: Sequence[int], boxes: Sequence[Box], arcs: Sequence[Arc], colors: Mapping[str, str]
) -> Dict[str, Any]:
    drawn, y = [], 0.0
    for number in numbers:
        of_line = [box for box in boxes if box.line == number]
        over = [arc for arc in arcs if arc.line == number]
        deepest = max((box.depth for box in of_line), default=-1)
        levels = max((arc.level for arc in over), default=0)
        y += levels * _LEVEL + (_LEG if levels else 0) + _ABOVE + NESTED * max(deepest, 0) + 1
        drawn.append(
            {
                "y": y,
                "words": [
                    {"text": piece.text, "x": piece.x + piece.width / 2, "width": piece.width}
                    for piece in lines[number].pieces
                    if piece.text and piece.width
                ],
                # Outer boxes first, so that inner ones lie upon them
                "boxes": [_box(box, y, colors) for box in sorted(of_line, key=lambda box: -box.depth)],
                "arcs": [_arc(arc, y, deepest) for arc in sorted(over, key=lambda arc: -arc.level)],
            }
        )
        y += _BELOW + _TYPE_ROW * (deepest + 1) + _BETWEEN
    return {"lines": drawn, "height": y}


def _top(box: Box, y: float) -> float:
    return y - _ABOVE - NESTED * box.depth


def _box(box: Box, y: float, colors: Mapping[str, str]) -> Dict[str, Any]:
    type, top = box.mention.label_, _top(box, y)
    label_width = text_width(type, TYPE_SIZE) * BOLD
    turned = _starts_right(box)
    return {
        "key": key_text(box.mention),
        "title": f"{box.mention.text} {type} {box.mention.kb_id_}".strip(),
        "x": box.left,
        "y": top,
        "width": box.right - box.left,
        "height": y + _BELOW + _TYPE_ROW * (box.depth + 1) - top,
        "color": colors[type],
        "label": type if box.starts else "",
        "label_x": box.right - PAD - label_width / 2 if turned else box.left + PAD + label_width / 2,
        "label_y": y + _BELOW + _TYPE_ROW * box.depth + TYPE_SIZE - 1,
        "label_width": label_width,
        "label_size": TYPE_SIZE,
    }


def _starts_right(box: Box) -> bool:
    return box.mention.doc.vocab.writing_system.get("direction") == "rtl"


def key_text(mention: Span) -> str:
    """What a mention is called in the markup's data attributes."""
    return "{}-{}-{}".format(*mention_key(mention))


def _arc(arc: Arc, y: float, deepest: int) -> Dict[str, Any]:
    level = y - _ABOVE - NESTED * max(deepest, 0) - _LEG - (arc.level - 1) * _LEVEL
    foot = {True: level, False: level}
    if arc.subject is not None:
        foot[True] = _top(arc.subject, y)
    if arc.object is not None:
        foot[False] = _top(arc.object, y)
    side = 1 if arc.end >= arc.start else -1
    bend = min(6.0, arc.length / 2)
    head_length = 5 if arc.directed else 0
    start = f"M{_n(arc.start)},{_n(foot[True])}"
    if arc.subject is not None:
        start += f"V{_n(level + bend)}Q{_n(arc.start)},{_n(level)} {_n(arc.start + side * bend)},{_n(level)}"
    if arc.object is not None:
        end = f"H{_n(arc.end - side * bend)}Q{_n(arc.end)},{_n(level)} {_n(arc.end)},{_n(level + bend)}"
        end += f"V{_n(foot[False] - head_length)}"
        head = f"M{_n(arc.end)},{_n(foot[False])}l-3.5,-7h7z"
    else:
        end = f"H{_n(arc.end - side * head_length)}"
        head = f"M{_n(arc.end)},{_n(level)}l{-side * 7},-3.5v7z"
    rel = arc.relation
    return {
        "path": start + end,
        "head": head if arc.directed else "",
        "subject": key_text(rel.subject),
        "object": key_text(rel.object),
        "title": f"{rel.subject.text} {rel.predicate} {rel.object.text}, {rel.score:.2f}",
        "label": arc.label,
        "label_x": arc.label_x,
        "label_y": level - 3.5,
        "label_width": arc.label_width,
    }


def _n(value: float) -> str:
    return f"{value:.1f}"
