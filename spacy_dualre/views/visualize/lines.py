"""Line breaking: places the words of a Doc and the boxes of its mentions on lines of a given width."""

import unicodedata
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Iterator, List, NamedTuple, Optional, Sequence

from spacy.tokens import Doc, Span

from ...annotations.mentions import mention_key, sentence_indices
from .fonts import BOLD, shorten, text_width

TEXT_SIZE, TYPE_SIZE = 15.0, 9.0
#: Between the text of a mention and the border of its box, between the borders of nested boxes, and around boxes.
PAD, NESTED, GAP = 5.0, 3.0, 2.0
_SPACE = text_width(" ", TEXT_SIZE)
#: The share of a line that a word may fill.
_WIDEST = 0.8


@dataclass
class Piece:
    """A token, shortened if it is wider than a line. Sizes are in pixels.

    Attributes:
        blank: Width of the following blank.
        before, after: Room for boxes, in reading direction.
        turned: Runs against the direction of the text.
    """

    text: str
    width: float
    token: int
    blank: float
    before: float = 0.0
    after: float = 0.0
    x: float = 0.0
    turned: bool = False


class Box(NamedTuple):
    """A mention, or its part on the line with this index. `depth` boxes are stacked inside, the type stands below."""

    mention: Span
    line: int
    left: float
    right: float
    depth: int
    starts: bool
    type_width: float


@dataclass
class Line:
    """Pieces of a sentence in logical order, with the boxes of its mentions in text order."""

    sentence: int
    pieces: List[Piece] = field(default_factory=list)
    boxes: List[Box] = field(default_factory=list)


@dataclass
class _Frame:
    """How far the box of a mention extends beyond its text, and the number of boxes stacked inside."""

    mention: Span
    start: float
    end: float
    depth: int
    type_width: float


def lay_out(doc: Doc, mentions: Sequence[Span], width: float, rtl: bool) -> List[Line]:
    """Break a Doc with distinct mentions into lines of a width in pixels. Each sentence starts a new line."""
    texts = ["" if token.is_space else shorten(token.text, TEXT_SIZE, width * _WIDEST) for token in doc]
    words = [
        Piece(text, text_width(text or " ", TEXT_SIZE), token.i, _SPACE if token.whitespace_ else 0)
        for text, token in zip(texts, doc)
    ]
    frames = _frames(mentions, words)
    lines = _break(doc, mentions, words, width)
    for line in lines:
        _turn(line.pieces, rtl)
        if rtl:
            for piece in line.pieces:
                piece.x = width - piece.x - piece.width
    _add_boxes(lines, frames, rtl)
    return lines


def _frames(mentions: Sequence[Span], words: Sequence[Piece]) -> List[_Frame]:
    """Make frames wide enough for the mentions' types, and make room for them beside the words at their ends."""
    frames: List[_Frame] = []
    for mention in sorted(mentions, key=len):
        inside = [one for one in frames if one.mention.start < mention.end and mention.start < one.mention.end]
        depth = max((one.depth + 1 for one in inside), default=0)
        start = max([PAD, *(one.start + NESTED for one in inside if one.mention.start == mention.start)])
        end = max([PAD, *(one.end + NESTED for one in inside if one.mention.end == mention.end)])
        first, last = words[mention.start], words[mention.end - 1]
        text = _extent(words[mention.start : mention.end]) - first.before - last.after
        type_width = text_width(mention.label_, TYPE_SIZE) * BOLD
        end += max(type_width + 2 * PAD - (start + text + end), 0)
        first.before = max(first.before, start + GAP)
        last.after = max(last.after, end + GAP)
        frames.append(_Frame(mention, start, end, depth, type_width))
    return frames


def _break(doc: Doc, mentions: Sequence[Span], words: Sequence[Piece], width: float) -> List[Line]:
    sentence_of = sentence_indices(doc)
    lines: List[Line] = []
    x = 0.0
    for unit in _units(doc, mentions, words, sentence_of, width):
        sentence = sentence_of[unit[0].token]
        is_open = bool(lines) and lines[-1].sentence == sentence and "\n" not in doc[lines[-1].pieces[-1].token].text
        if not is_open or x + _extent(unit) > width:
            lines.append(Line(sentence))
            x = 0.0
        for piece in unit:
            piece.x = x + piece.before
            x += piece.before + piece.width + piece.after + piece.blank
        lines[-1].pieces += unit
    return lines


def _units(
    doc: Doc, mentions: Sequence[Span], words: Sequence[Piece], sentence_of: Sequence[int], width: float
) -> Iterator[Sequence[Piece]]:
    """Pieces to keep on one line if possible: mentions, and words with no blank between them."""
    joined = {token for mention in mentions for token in range(mention.start + 1, mention.end)}
    inner = range(1, len(words))
    starts = [i for i in inner if sentence_of[i] != sentence_of[i - 1] or (i not in joined and _may_break(doc, i))]
    for start, end in zip([0, *starts], [*starts, len(words)]):
        unit = words[start:end]
        yield from [unit] if unit and _extent(unit) <= width else [[piece] for piece in unit]


def _extent(pieces: Sequence[Piece]) -> float:
    return sum(one.before + one.width + one.after for one in pieces) + sum(one.blank for one in pieces[:-1])


def _may_break(doc: Doc, i: int) -> bool:
    # Scripts with wide characters use no blanks
    return bool(doc[i - 1].whitespace_) or doc[i].is_space or unicodedata.east_asian_width(doc[i - 1].text[-1]) in "WF"


def _turn(pieces: Sequence[Piece], rtl: bool) -> None:
    """Mirror runs of words with the other direction, such as an English name in a Hebrew text."""
    direction: Optional[bool] = None
    runs: List[List[int]] = [[]]
    for i, piece in enumerate(pieces):
        own = _direction(piece.text)
        # Numbers follow the direction of the word before them
        direction = direction if own is None and any(char.isdigit() for char in piece.text) else own
        if direction == (not rtl):
            runs[-1].append(i)
        elif direction == rtl:
            runs.append([])
    for run in filter(None, runs):
        inside = pieces[run[0] : run[-1] + 1]
        low = inside[0].x - inside[0].before
        high = inside[-1].x + inside[-1].width + inside[-1].after
        for piece in inside:
            piece.x = low + high - piece.x - piece.width
            piece.turned = True


def _direction(text: str) -> Optional[bool]:
    """Whether a word runs from right to left; None if it has no direction of its own."""
    kinds = (unicodedata.bidirectional(char) for char in text)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), None)


def _add_boxes(lines: Sequence[Line], frames: Sequence[_Frame], rtl: bool) -> None:
    place_of = {piece.token: (i, piece) for i, line in enumerate(lines) for piece in line.pieces}
    for frame in sorted(frames, key=lambda frame: mention_key(frame.mention)):
        places = [place_of[token.i] for token in frame.mention]
        for i, group in groupby(places, key=itemgetter(0)):
            pieces = [piece for _, piece in group]
            starts, ends = pieces[0] is places[0][1], pieces[-1] is places[-1][1]
            before, after = frame.start if starts else 0.0, frame.end if ends else 0.0
            left, right = (after, before) if pieces[0].turned != rtl else (before, after)
            left = min(piece.x for piece in pieces) - left
            right = max(piece.x + piece.width for piece in pieces) + right
            lines[i].boxes.append(Box(frame.mention, i, left, right, frame.depth, starts, frame.type_width))
