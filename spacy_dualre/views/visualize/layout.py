"""Where the words and mentions of a Doc stand: lines of a given width, and the boxes of the mentions in them."""

import unicodedata
from dataclasses import dataclass, field
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ...annotations.mentions import mention_key, sentence_indices
from .metrics import BOLD, text_width

TEXT_SIZE, TYPE_SIZE = 15.0, 9.0
#: Between the text of a mention and the border of its box, between the borders of nested boxes, and around boxes.
PAD, NESTED, GAP = 5.0, 3.0, 2.0
_SPACE = text_width(" ", TEXT_SIZE)


@dataclass
class Piece:
    """A token, or a part of one that is wider than a line. x: its left end; before, after: room at its ends, in the
    direction of reading; turned: whether it is read against the direction of the text.
    """

    text: str
    token: int
    width: float
    before: float = 0.0
    after: float = 0.0
    x: float = 0.0
    turned: bool = False


@dataclass
class Line:
    """Pieces in logical order. starts: whether its sentence starts here."""

    sentence: int
    starts: bool
    pieces: List[Piece] = field(default_factory=list)


class Box(NamedTuple):
    """A mention, or its part on one line. depth: how many boxes are stacked inside. starts: whether the mention does
    here.
    """

    mention: Span
    line: int
    left: float
    right: float
    depth: int
    starts: bool

    @property
    def center(self) -> float:
        return (self.left + self.right) / 2


@dataclass
class _Frame:
    """How far a mention's box reaches beyond its text. depth: as in Box."""

    start: float = PAD
    end: float = PAD
    depth: int = 0


def lay_out(doc: Doc, mentions: Sequence[Span], width: float, rtl: bool) -> Tuple[List[Line], List[Box]]:
    """The lines of a Doc, each sentence on lines of its own, and the boxes of its mentions in text order.

    width: of a line in pixels; all x lie between 0 and it. rtl: whether the text runs from right to left.
    """
    widths = [_SPACE if token.is_space else text_width(token.text, TEXT_SIZE) for token in doc]
    frames, before, after = _frames(doc, mentions, widths)
    lines: List[Line] = []
    x = 0.0
    for sentence, unit in _units(doc, mentions, widths, before, after, width):
        starts = not lines or lines[-1].sentence != sentence
        if starts or (x + _extent(doc, unit) > width and lines[-1].pieces) or _breaks_after(lines[-1], doc):
            lines.append(Line(sentence, starts))
            x = 0.0
        for piece in unit:
            piece.x = x + piece.before
            x += piece.before + piece.width + piece.after + (_SPACE if doc[piece.token].whitespace_ else 0)
        lines[-1].pieces.extend(unit)
    for line in lines:
        _turn(line.pieces, rtl)
        if rtl:
            for piece in line.pieces:
                piece.x = width - piece.x - piece.width
    return lines, list(_boxes(lines, mentions, frames, rtl))


def _frames(
    doc: Doc, mentions: Sequence[Span], widths: Sequence[float]
) -> Tuple[List[_Frame], List[float], List[float]]:
    """The frames of the mentions, each wide enough for its type, and the room before and after each token."""
    frames = [_Frame() for _ in mentions]
    before, after = [0.0] * len(doc), [0.0] * len(doc)
    done: List[int] = []
    for i in sorted(range(len(mentions)), key=lambda i: len(mentions[i])):
        mention, frame = mentions[i], frames[i]
        inside = [j for j in done if mentions[j].start < mention.end and mention.start < mentions[j].end]
        frame.depth = max((frames[j].depth + 1 for j in inside), default=0)
        frame.start = max([PAD] + [frames[j].start + NESTED for j in inside if mentions[j].start == mention.start])
        frame.end = max([PAD] + [frames[j].end + NESTED for j in inside if mentions[j].end == mention.end])
        tokens = range(mention.start, mention.end)
        text = sum(widths[t] for t in tokens) + sum(before[t] for t in tokens[1:]) + sum(after[t] for t in tokens[:-1])
        text += sum(_SPACE for token in mention[:-1] if token.whitespace_)
        wanted = text_width(mention.label_, TYPE_SIZE) * BOLD + 2 * PAD
        frame.end += max(wanted - (frame.start + text + frame.end), 0)
        before[mention.start] = max(before[mention.start], frame.start + GAP)
        after[mention.end - 1] = max(after[mention.end - 1], frame.end + GAP)
        done.append(i)
    return frames, before, after


def _units(
    doc: Doc,
    mentions: Iterable[Span],
    widths: Sequence[float],
    before: Sequence[float],
    after: Sequence[float],
    width: float,
) -> Iterator[Tuple[int, List[Piece]]]:
    """The pieces that must stand on one line, with the number of their sentence."""
    joined = {token for mention in mentions for token in range(mention.start + 1, mention.end)}
    sentence_of = sentence_indices(doc)
    unit: List[Piece] = []
    for token in doc:
        i = token.i
        if unit and (sentence_of[i] != sentence_of[i - 1] or (i not in joined and _may_break(doc, i))):
            yield from _fitting(doc, unit, sentence_of[i - 1], width)
            unit = []
        parts = _parts(token.text, width - before[i] - after[i]) if widths[i] + before[i] + after[i] > width else [""]
        for n, part in enumerate(parts):
            text = part or ("" if token.is_space else token.text)
            piece = Piece(text, i, text_width(text, TEXT_SIZE) if text else widths[i])
            piece.before = before[i] if n == 0 else 0.0
            piece.after = after[i] if n == len(parts) - 1 else 0.0
            unit.append(piece)
    if unit:
        yield from _fitting(doc, unit, sentence_of[-1], width)


def _fitting(doc: Doc, unit: List[Piece], sentence: int, width: float) -> Iterator[Tuple[int, List[Piece]]]:
    if _extent(doc, unit) <= width:
        yield sentence, unit
    else:
        yield from ((sentence, [piece]) for piece in unit)


def _extent(doc: Doc, unit: Sequence[Piece]) -> float:
    blanks = sum(_SPACE for piece in unit[:-1] if doc[piece.token].whitespace_)
    return sum(piece.before + piece.width + piece.after for piece in unit) + blanks


def _may_break(doc: Doc, i: int) -> bool:
    # Scripts with wide characters have no blanks
    return bool(doc[i - 1].whitespace_) or doc[i].is_space or unicodedata.east_asian_width(doc[i - 1].text[-1]) in "WF"


def _breaks_after(line: Line, doc: Doc) -> bool:
    return bool(line.pieces) and "\n" in doc[line.pieces[-1].token].text


def _parts(text: str, width: float) -> List[str]:
    parts = [""]
    for char in text:
        if parts[-1] and text_width(parts[-1] + char, TEXT_SIZE) > width:
            parts.append("")
        parts[-1] += char
    return parts


def _turn(pieces: Sequence[Piece], rtl: bool) -> None:
    """Put runs of words of the other direction the other way round, such as an English name in a Hebrew text."""
    run: List[int] = []
    direction: Optional[bool] = None
    runs: List[List[int]] = [run]
    for i, piece in enumerate(pieces):
        own = _direction(piece.text)
        # Numbers go with the word before them
        direction = direction if own is None and any(char.isdigit() for char in piece.text) else own
        if direction == (not rtl):
            run.append(i)
        elif direction == rtl:
            run = []
            runs.append(run)
    for run in filter(None, runs):
        inside = pieces[run[0] : run[-1] + 1]
        low = inside[0].x - inside[0].before
        high = inside[-1].x + inside[-1].width + inside[-1].after
        for piece in inside:
            piece.x = low + high - piece.x - piece.width
            piece.turned = True


def _direction(text: str) -> Optional[bool]:
    """Whether a word runs from right to left; None: it has no direction of its own."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return None


def _boxes(lines: Sequence[Line], mentions: Sequence[Span], frames: Sequence[_Frame], rtl: bool) -> Iterator[Box]:
    of_token: Dict[int, List[Tuple[int, Piece]]] = {}
    for number, line in enumerate(lines):
        for piece in line.pieces:
            of_token.setdefault(piece.token, []).append((number, piece))
    for mention, frame in sorted(zip(mentions, frames), key=lambda pair: mention_key(pair[0])):
        places = [place for token in range(mention.start, mention.end) for place in of_token[token]]
        for number in dict.fromkeys(number for number, _ in places):
            pieces = [piece for at, piece in places if at == number]
            ends = (
                frame.start if pieces[0] is places[0][1] else 0.0,
                frame.end if pieces[-1] is places[-1][1] else 0.0,
            )
            left, right = reversed(ends) if pieces[0].turned != rtl else ends
            yield Box(
                mention,
                number,
                min(piece.x for piece in pieces) - left,
                max(piece.x + piece.width for piece in pieces) + right,
                frame.depth,
                pieces[0] is places[0][1],
            )
