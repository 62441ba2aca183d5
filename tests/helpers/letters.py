"""Texts of single letters, and a tokenizer that cuts them into these: what becomes of each piece can be read."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy
from hypothesis import strategies as st

from spacy_dualre.instances.markers import OBJECT, SUBJECT, marker_tokens
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.models.tokenize import tokenize_texts
from spacy_dualre.types import Mark, MarkedText

MARKERS = marker_tokens(["C", "G"])
START_S, END_S, START_O, END_O = "<S:C>", "</S:C>", "<O:G>", "</O:G>"


class LetterTokenizer:
    """One piece for each character, its code point; the special pieces have the ids 1, 2, and 3 onwards."""

    cls_token_id, sep_token_id = 1, 2

    def __init__(self) -> None:
        self.calls: List[List[str]] = []

    def convert_ids_to_tokens(self, piece: int) -> str:
        return chr(piece)

    def __call__(self, words: List[str], **kwargs: Any) -> Dict[str, List[List[int]]]:
        self.calls.append(words)
        return {"input_ids": [[ord(letter) for letter in word] for word in words]}

    def convert_tokens_to_ids(self, token: str) -> int:
        return 3 + MARKERS.index(token)


def spell(ids: Sequence[int]) -> List[str]:
    names = ["[PAD]", "[CLS]", "[SEP]", *MARKERS]
    return [names[i] if i < len(names) else chr(i) for i in map(int, ids)]


def row(sequences: Any, i: int) -> Tuple[List[int], Tuple[int, ...]]:
    start = int(sequences.lengths[:i].sum())
    return sequences.ids[start : start + sequences.lengths[i]].tolist(), tuple(sequences.marks[i].tolist())


def whole(words: Sequence[str], marks: Tuple[Mark, ...], core: Tuple[int, int] = (-1, -1)) -> MarkedText:
    """A text of which everything is read; it is the core too unless one is given."""
    everything = (0, len(words))
    return MarkedText(tuple(words), marks, core if core[0] >= 0 else everything, everything)


def one_text(text: MarkedText, max_length: int = 512, tokenizer: Any = None) -> Tuple[List[int], Tuple[int, ...], Any]:
    sequences, shortened = tokenize_texts([text], Pieces(tokenizer or LetterTokenizer()), max_length)
    return *row(sequences, 0), shortened


def one_description(text: MarkedText, max_length: int = 512) -> Tuple[List[int], Tuple[int, ...], Any]:
    """As a description is encoded, whether or not there is a template that would give this text."""
    sequences, shortened = tokenize_texts([text], Pieces(LetterTokenizer()), max_length, keep_template=True)
    return *row(sequences, 0), shortened


def marked(
    words: str, subject: Tuple[int, int], object: Tuple[int, int], core: Tuple[int, int] = (-1, -1)
) -> MarkedText:
    parts = tuple(words.split())
    marks = (Mark(SUBJECT, "C", *subject), Mark(OBJECT, "G", *object))
    return whole(parts, marks, core)


@st.composite
def marked_texts(draw: Any, all_core: bool = False) -> MarkedText:
    """Words of 0 to 4 characters, no character twice; both mentions anywhere in the core, apart, nested or crossing."""
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=25))
    ends = numpy.cumsum(lengths).tolist()
    words = tuple("".join(chr(0x4E00 + i) for i in range(end - n, end)) for n, end in zip(lengths, ends, strict=True))

    def span(low: int, high: int) -> Tuple[int, int]:
        start = draw(st.integers(low, high - 1))
        return start, draw(st.integers(start + 1, high))

    core = (0, len(words)) if all_core else span(0, len(words))
    marks = (Mark(SUBJECT, "C", *span(*core)), Mark(OBJECT, "G", *span(*core)))
    return whole(words, marks, core)
