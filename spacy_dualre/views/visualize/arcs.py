"""Relations as arcs over the lines of a text, stacked so that neither they nor their labels lie upon each other."""

from dataclasses import dataclass
from typing import Collection, Dict, List, Optional, Sequence, Tuple

from ...annotations.mentions import mention_key
from ...types import Relation
from .layout import Box, Line
from .metrics import shorten, text_width

LABEL_SIZE = 11.0
#: Around labels and arcs of the same height.
_GAP = 6.0
#: The least distance between the ends of an arc, in pixels: nested mentions may have the same middle.
_LEAST = 16.0


@dataclass
class Arc:
    """A relation over one line, or one of its two halves where its mentions stand on different lines.

    subject, object: the boxes that it connects; of a half one is None, and what it leads to is in the label. start,
    end: x at the subject's and the object's side. level: from 1, the lowest. label_x: the middle of the label.
    directed: whether it has an arrow head.
    """

    relation: Relation
    line: int
    subject: Optional[Box]
    object: Optional[Box]
    label: str
    label_width: float
    directed: bool = True
    start: float = 0.0
    end: float = 0.0
    level: int = 1
    label_x: float = 0.0

    @property
    def length(self) -> float:
        return abs(self.end - self.start)


def make_arcs(
    rels: Sequence[Relation],
    lines: Sequence[Line],
    boxes: Sequence[Box],
    width: float,
    rtl: bool,
    scores: bool,
    symmetric: Collection[str] = (),
) -> List[Arc]:
    """The arcs of the relations between these boxes; scores: whether they are part of the labels; symmetric: predicates
    without direction.
    """
    first = {mention_key(box.mention): box for box in boxes if box.starts}
    arcs: List[Arc] = []
    for rel in rels:
        subject, object = first[mention_key(rel.subject)], first[mention_key(rel.object)]
        label = shorten(rel.predicate, LABEL_SIZE, width / 3) + (f" {rel.score:.2f}" if scores else "")
        if subject.line == object.line:
            arcs.append(_arc(rel, subject.line, subject, object, label, width))
        else:
            apart = lines[subject.line].sentence != lines[object.line].sentence
            to, origin = (_name(box, lines, apart, width) for box in (object, subject))
            # An arrow points the way the text runs
            arrow = "–" if rel.predicate in symmetric else "←" if rtl else "→"
            arcs.append(_arc(rel, subject.line, subject, None, f"{label} {arrow} {to}", width))
            arcs.append(_arc(rel, object.line, None, object, f"{origin} {arrow} {label}", width))
    for arc in arcs:
        arc.directed = arc.relation.predicate not in symmetric
    for line in range(len(lines)):
        of_line = [arc for arc in arcs if arc.line == line]
        _spread(of_line, width, rtl)
        _stack(of_line, width)
    return arcs


def _arc(rel: Relation, line: int, subject: Optional[Box], object: Optional[Box], label: str, width: float) -> Arc:
    label = shorten(label, LABEL_SIZE, width - 2 * _GAP)
    return Arc(rel, line, subject, object, label, text_width(label, LABEL_SIZE))


def _name(box: Box, lines: Sequence[Line], apart: bool, width: float) -> str:
    """What a half arc calls the mention at its other end, with the number of its sentence if it is another."""
    text = shorten(" ".join(box.mention.text.split()), LABEL_SIZE, width / 4)
    return f"{text} [{lines[box.line].sentence + 1}]" if apart else text


def _spread(arcs: Sequence[Arc], width: float, rtl: bool) -> None:
    """Give every arc a place of its own at the upper border of its mentions, the longer ones outside."""
    at: Dict[Tuple, List[Tuple[Arc, bool]]] = {}
    for arc in arcs:
        arc.start, arc.end = _ends(arc, width, rtl)
        for box, is_subject in ((arc.subject, True), (arc.object, False)):
            if box is not None:
                at.setdefault(mention_key(box.mention), []).append((arc, is_subject))
    places = []
    order = {id(arc): (arc.length, i) for i, arc in enumerate(arcs)}
    for ends in at.values():
        left = [(arc, end) for arc, end in ends if _goes_left(arc, end)]
        right = [(arc, end) for arc, end in ends if not _goes_left(arc, end)]
        left.sort(key=lambda pair: order[id(pair[0])])
        right.sort(key=lambda pair: order[id(pair[0])], reverse=True)
        for i, (arc, is_subject) in enumerate(left + right, 1):
            box = arc.subject if is_subject else arc.object
            assert box is not None
            places.append((arc, is_subject, box.left + (box.right - box.left) * i / (len(ends) + 1)))
    for arc, is_subject, x in places:
        half = arc.subject is None or arc.object is None
        if is_subject:
            arc.start, arc.end = x, arc.end + (x - arc.start if half else 0)
        else:
            arc.start, arc.end = arc.start + (x - arc.end if half else 0), x
    for arc in arcs:
        arc.start, arc.end = _apart(arc)


def _ends(arc: Arc, width: float, rtl: bool) -> Tuple[float, float]:
    if arc.subject is not None and arc.object is not None:
        return arc.subject.center, arc.object.center
    # Half an arc is as long as its label: from the subject onwards, or up to the object; back where there is no room
    reach = arc.label_width + 4 * _GAP
    is_subject = arc.subject is not None
    box = arc.subject or arc.object
    assert box is not None
    away = reach if is_subject != rtl else -reach
    other = box.center + away if 0 <= box.center + away <= width else box.center - away
    return (box.center, other) if is_subject else (other, box.center)


def _goes_left(arc: Arc, is_subject: bool) -> bool:
    return (arc.end < arc.start) == is_subject


def _apart(arc: Arc) -> Tuple[float, float]:
    missing = _LEAST - arc.length
    if missing <= 0:
        return arc.start, arc.end
    shift = missing / 2 if arc.end >= arc.start else -missing / 2
    return _within(arc.subject, arc.start - shift), _within(arc.object, arc.end + shift)


def _within(box: Optional[Box], x: float) -> float:
    return x if box is None else min(max(x, box.left), box.right)


def _stack(arcs: Sequence[Arc], width: float) -> None:
    """Shorter arcs lie below longer ones that they share some width with."""
    placed: List[Tuple[float, float, int]] = []
    for arc in sorted(arcs, key=lambda arc: arc.length):
        low, high = sorted((arc.start, arc.end))
        half = arc.label_width / 2
        arc.label_x = min(max((low + high) / 2, half), width - half)
        low, high = min(low, arc.label_x - half) - _GAP, max(high, arc.label_x + half) + _GAP
        arc.level = 1 + max((level for a, b, level in placed if a < high and low < b), default=0)
        placed.append((low, high, arc.level))
