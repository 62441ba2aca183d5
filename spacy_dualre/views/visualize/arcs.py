"""Relations as arcs over the lines of a text, stacked so that neither arcs nor labels overlap."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Collection, Dict, List, Optional, Sequence, Tuple

from ...annotations.mentions import mention_key
from ...types import Relation
from .fonts import shorten, text_width
from .lines import Box, Line

LABEL_SIZE = 11.0
#: Around labels and arcs of the same height.
_GAP = 6.0
#: The minimum distance between the ends of an arc, in pixels, as nested mentions may have the same centre.
_LEAST = 16.0


@dataclass
class Arc:
    """A relation over one line, or one of its two halves if its mentions are on different lines.

    Attributes:
        boxes: Of subject and object; None at the loose end of a half, whose label names that mention.
        x: Of both ends; `label_x` is the centre of the label.
        level: The height, from 1.
    """

    relation: Relation
    boxes: Tuple[Optional[Box], Optional[Box]]
    label: str
    label_width: float
    x: List[float]
    level: int = 1
    label_x: float = 0.0

    @property
    def length(self) -> float:
        return abs(self.x[1] - self.x[0])

    @property
    def side(self) -> int:
        """1 if the arc runs to the right, -1 if to the left."""
        return 1 if self.x[1] >= self.x[0] else -1


def make_arcs(
    rels: Sequence[Relation], lines: Sequence[Line], width: float, rtl: bool, scores: bool, symmetric: Collection[str]
) -> List[List[Arc]]:
    """Make the arcs over each line, whose width is given in pixels."""
    first = {mention_key(box.mention): box for line in lines for box in line.boxes if box.starts}
    arcs: List[List[Arc]] = [[] for _ in lines]
    for rel in rels:
        subject, object = first[mention_key(rel.subject)], first[mention_key(rel.object)]
        label = shorten(rel.predicate, LABEL_SIZE, width / 3) + (f" {rel.score:.2f}" if scores else "")
        if subject.line == object.line:
            arcs[subject.line].append(_make_arc(rel, (subject, object), label, width, rtl))
        else:
            apart = lines[subject.line].sentence != lines[object.line].sentence
            source, target = (_name(box, lines, apart, width) for box in (subject, object))
            # Arrows point in reading direction
            arrow = "–" if rel.predicate in symmetric else "←" if rtl else "→"
            arcs[subject.line].append(_make_arc(rel, (subject, None), f"{label} {arrow} {target}", width, rtl))
            arcs[object.line].append(_make_arc(rel, (None, object), f"{source} {arrow} {label}", width, rtl))
    for over_line in arcs:
        _spread(over_line)
        _stack(over_line, width)
    return arcs


def _make_arc(rel: Relation, boxes: Tuple[Optional[Box], Optional[Box]], label: str, width: float, rtl: bool) -> Arc:
    label = shorten(label, LABEL_SIZE, width - 2 * _GAP)
    label_width = text_width(label, LABEL_SIZE)
    centers = [(box.left + box.right) / 2 for box in boxes if box]
    x = [centers[0], centers[-1]]
    if None in boxes:
        # Half an arc is as long as its label: onwards from the subject, up to the object, or back if there is no room
        away = (label_width + 4 * _GAP) * (1 if (boxes[1] is None) != rtl else -1)
        x[boxes.index(None)] += away if 0 <= centers[0] + away <= width else -away
    return Arc(rel, boxes, label, label_width, x)


def _name(box: Box, lines: Sequence[Line], apart: bool, width: float) -> str:
    """The name of the mention at the loose end of half an arc, with the number of its sentence if that differs."""
    text = shorten(" ".join(box.mention.text.split()), LABEL_SIZE, width / 4)
    return f"{text} [{lines[box.line].sentence + 1}]" if apart else text


def _spread(arcs: Sequence[Arc]) -> None:
    """Spread the arcs over the upper borders of their mentions, with the longer ones outside."""
    ends_at: Dict[Tuple, List[Tuple]] = defaultdict(list)
    for i, arc in enumerate(arcs):
        for end, box in enumerate(arc.boxes):
            if box is not None:
                goes_left = (arc.side < 0) == (end == 0)
                rank = (0, arc.length, i) if goes_left else (1, -arc.length, -i)
                ends_at[mention_key(box.mention)].append((rank, arc, end, box))
    for ends in ends_at.values():
        for place, (_, arc, end, box) in enumerate(sorted(ends, key=lambda one: one[0]), 1):
            x = box.left + (box.right - box.left) * place / (len(ends) + 1)
            if None in arc.boxes:
                arc.x[1 - end] += x - arc.x[end]
            arc.x[end] = x
    for arc in arcs:
        missing = arc.side * max(_LEAST - arc.length, 0) / 2
        for end, (box, by) in enumerate(zip(arc.boxes, (-missing, missing))):
            x = arc.x[end] + by
            arc.x[end] = x if box is None else min(max(x, box.left), box.right)


def _stack(arcs: Sequence[Arc], width: float) -> None:
    """Put shorter arcs below longer ones that overlap them."""
    placed: List[Tuple[float, float, int]] = []
    for arc in sorted(arcs, key=lambda arc: arc.length):
        low, high = sorted(arc.x)
        half = arc.label_width / 2
        arc.label_x = min(max((low + high) / 2, half), width - half)
        low, high = min(low, arc.label_x - half) - _GAP, max(high, arc.label_x + half) + _GAP
        arc.level = 1 + max((level for a, b, level in placed if a < high and low < b), default=0)
        placed.append((low, high, arc.level))
