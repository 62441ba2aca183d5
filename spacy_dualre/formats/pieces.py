"""Mentions given in pieces, one or, where they are discontinuous, several."""

from typing import Sequence, Tuple

from ..records.record import MentionRecord, Offsets

#: Why a mention is dropped whose pieces do not `hold` what the corpus says.
MISMATCH = "offsets do not match the text"


def mention_of(id: str, type: str, pieces: Sequence[Offsets], concepts: Tuple[str, ...] = ()) -> MentionRecord:
    """The mention from the start of the first piece to the end of the last one, whatever their order."""
    start, end = min(start for start, _ in pieces), max(end for _, end in pieces)
    return MentionRecord(id, type, start, end, concepts, tuple(sorted(pieces)) if len(pieces) > 1 else ())


def hold(pieces: Sequence[Offsets], text: str, said: str) -> bool:
    """Whether the pieces, in their order, hold the characters that the corpus says.

    They must be in the text, and none may be empty or overlap another. Blanks are left out of account: formats join
    pieces with one or without, write one for an end of line, or lose those at the ends.
    """
    edges = [edge for piece in sorted(pieces) for edge in piece]
    if edges != sorted(edges) or edges[0] < 0 or edges[-1] > len(text) or any(start == end for start, end in pieces):
        return False
    return _without_blanks("".join(text[start:end] for start, end in pieces)) == _without_blanks(said)


def _without_blanks(text: str) -> str:
    return "".join(text.split())
