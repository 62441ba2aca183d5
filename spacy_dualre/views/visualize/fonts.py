"""Estimates text widths without a browser; SVG's textLength fits the text to the estimate."""

import unicodedata
from functools import lru_cache
from itertools import accumulate

#: Widths of the characters from blank to tilde in 1/1000 of the font size: Helvetica's, which Arial and Liberation Sans
#: share (source: Adobe Font Metrics, Core 14 fonts).
_ASCII = [
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
]
#: Bold letters are about this much wider.
BOLD = 1.08


def text_width(text: str, size: float) -> float:
    """The width of a text in a font of this size, both in pixels."""
    return sum(map(_width, text)) * size / 1000


def shorten(text: str, size: float, width: float) -> str:
    """Cut a text with an ellipsis if it is wider than this many pixels."""
    if text_width(text, size) <= width:
        return text
    widths = accumulate(map(_width, text), initial=_width("…"))
    return f"{text[: sum(one * size / 1000 <= width for one in widths) - 1]}…"


@lru_cache(maxsize=10_000)
def _width(char: str) -> int:
    base = unicodedata.normalize("NFD", char)[0]
    if " " <= base <= "~":
        return _ASCII[ord(base) - 32]
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(char) in "WF" or char == "…":
        return 1000
    if unicodedata.bidirectional(char) == "AL":
        return 470
    return 690 if char.isupper() else 560
