"""Texts and descriptions to sequences of ids, composed from the pieces of their words; no marker is ever lost."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy

from ..instances.descriptions import adapt
from ..instances.markers import OBJECT, SUBJECT, end_marker, marker_events, start_marker
from ..types import Description, Mark, MarkedText, Sequences, Shortened
from .pieces import Cut, Pieces


class _Kept(NamedTuple):
    """The pieces of a window that are read, at these rising places of the text, or from `start` on without a gap."""

    ids: numpy.ndarray
    start: int
    places: Optional[numpy.ndarray] = None
    lost_words: bool = False
    lost_mention: bool = False

    def at(self, place: int) -> int:
        """Count the pieces before this place of the text."""
        return place - self.start if self.places is None else int(numpy.searchsorted(self.places, place))


def tokenize_texts(texts: Sequence[MarkedText], pieces: Pieces, max_length: int) -> Tuple[Sequences, Shortened]:
    """Make the distinct sequences [CLS] pieces and markers [SEP], at most `max_length` long.

    A text that is too long first loses context, evenly on both sides, then the words farthest from both mentions, then
    the middles of the mentions.
    """
    return _marked_sequences(texts, pieces, max_length, keep_template=False)


def tokenize_descriptions(
    descriptions: Sequence[Description], pieces: Pieces, max_length: int
) -> Tuple[Sequences, Shortened]:
    """Do the same for descriptions. One that is too long only loses the middles of its mentions; the template stays."""
    return _marked_sequences([adapt(d) for d in descriptions], pieces, max_length, keep_template=True)


def tokenize_levitated(texts: Sequence[MarkedText], pieces: Pieces, max_length: int) -> Tuple[Sequences, Shortened]:
    """Make the distinct sequences of texts without their markers, which are beside them ("levitated").

    Texts are shortened as in `tokenize_texts`. Those with the same window and core share a sequence, unless the core
    does not fit and is cut around the mentions. There are too many windows of several sentences for that, so they are
    read as parts of a block of the text and share the block.
    """
    cuts = _cut(texts, pieces)
    rows: Dict[bytes, int] = {}
    sequences: List[numpy.ndarray] = []
    kept_of: Dict[Tuple, _Kept] = {}
    row_of, ids, positions, windows = [], [], [], []
    shortened = []
    for text, cut in zip(texts, cuts):
        budget = max_length - 2
        start, end = (cut.starts[word] for word in text.window)
        block = _block(start, end, len(cut.ids), budget) if text.crossing else None
        if block is not None:
            kept = _Kept(cut.ids[block : block + budget], block)
        else:
            fits_core = cut.starts[text.core[1]] - cut.starts[text.core[0]] <= budget
            key = (id(cut), text.window, text.core, () if fits_core else text.marks)
            if key not in kept_of:
                kept_of[key] = _keep(text, cut, budget, keep_template=False)
            kept = kept_of[key]
        sequence = numpy.concatenate([[pieces.tokenizer.cls_token_id], kept.ids, [pieces.tokenizer.sep_token_id]])
        row = rows.setdefault(sequence.tobytes(), len(sequences))
        if row == len(sequences):
            sequences.append(sequence)
            shortened.append(kept)
        row_of.append(row)
        marks = sorted(text.marks, key=lambda mark: mark.role != SUBJECT)
        ids.append([pieces.marker(kind(mark.role, mark.type)) for mark in marks for kind in (start_marker, end_marker)])
        positions.append([place for mark in marks for place in _ends(mark, cut, kept)])
        windows.append((kept.at(start) + 1, kept.at(end) + 1))
    return (
        Sequences(
            ids=_end_to_end(sequences),
            lengths=numpy.array([len(sequence) for sequence in sequences], dtype="int64"),
            rows=numpy.array(row_of, dtype="int64"),
            marks=numpy.zeros((len(texts), 2), dtype="int64"),
            marker_ids=numpy.array(ids, dtype="int64").reshape(-1, 4),
            marker_positions=numpy.array(positions, dtype="int64").reshape(-1, 4),
            marker_windows=numpy.array(windows, dtype="int64").reshape(-1, 2),
        ),
        _count(shortened),
    )


def _block(start: int, end: int, length: int, budget: int) -> Optional[int]:
    """The beginning of the block that holds a window; blocks have the budget's length and overlap by half.

    None if the window does not fit into a block.
    """
    step = max(budget // 2, 1)
    begin = min(start // step * step, max(length - budget, 0))
    return begin if end <= begin + budget else None


def _ends(mark: Mark, cut: Cut, kept: _Kept) -> Tuple[int, int]:
    """Positions of a mention's first and last piece, counted from [CLS]."""
    first = kept.at(cut.starts[mark.start]) + 1
    return first, max(kept.at(cut.starts[mark.end]), first)


def _marked_sequences(
    texts: Sequence[MarkedText], pieces: Pieces, max_length: int, keep_template: bool
) -> Tuple[Sequences, Shortened]:
    rows: Dict[bytes, int] = {}
    ids: List[numpy.ndarray] = []
    marks, kepts, row_of = [], [], []
    for text, cut in zip(texts, _cut(texts, pieces)):
        kept = _keep(text, cut, max_length - 2 - 2 * len(text.marks), keep_template)
        sequence, positions = _compose(text, cut, kept, pieces)
        row = rows.setdefault(sequence.tobytes(), len(ids))
        if row == len(ids):
            ids.append(sequence)
            kepts.append(kept)
        row_of.append(row)
        marks.append(positions)
    return (
        Sequences(
            ids=_end_to_end(ids),
            lengths=numpy.array([len(sequence) for sequence in ids], dtype="int64"),
            rows=numpy.array(row_of, dtype="int64"),
            marks=numpy.array(marks, dtype="int64").reshape(-1, 2),
        ),
        _count(kepts),
    )


def _cut(texts: Sequence[MarkedText], pieces: Pieces) -> List[Cut]:
    """Cut each text into pieces; candidates of a Doc share theirs."""
    distinct = {id(text.words): text.words for text in texts}
    pieces.learn(distinct.values())
    cuts = {key: pieces.cut(words) for key, words in distinct.items()}
    return [cuts[id(text.words)] for text in texts]


def _compose(text: MarkedText, cut: Cut, kept: _Kept, pieces: Pieces) -> Tuple[numpy.ndarray, Tuple[int, int]]:
    """Add special pieces and markers; return the ids and the positions of the start markers of subject and object."""
    events = [(kept.at(cut.starts[word]), token) for word, token in marker_events(text.marks)]
    ids = numpy.empty(len(kept.ids) + len(events) + 2, dtype="int64")
    ids[0], ids[-1] = pieces.tokenizer.cls_token_id, pieces.tokenizer.sep_token_id
    first: Dict[str, int] = {}
    done = 0
    for i, (place, token) in enumerate(events, 1):
        ids[done + i : place + i] = kept.ids[done:place]
        ids[place + i] = pieces.marker(token)
        first.setdefault(token, place + i)
        done = place
    ids[done + len(events) + 1 : -1] = kept.ids[done:]
    starts = {mark.role: first[start_marker(mark.role, mark.type)] for mark in text.marks}
    return ids, (starts[SUBJECT], starts[OBJECT])


def _keep(text: MarkedText, cut: Cut, budget: int, keep_template: bool) -> _Kept:
    start, end = (cut.starts[word] for word in text.window)
    if end - start <= budget:
        return _Kept(cut.ids[start:end], start)
    return _shorten(text, cut, max(budget, 0), keep_template)


def _shorten(text: MarkedText, cut: Cut, budget: int, keep_template: bool) -> _Kept:
    """Keep as many of the most important pieces as the budget allows."""
    start, end = (cut.starts[word] for word in text.window)
    core_start, core_end = (cut.starts[word] for word in text.core)
    mentions = [(cut.starts[mark.start], cut.starts[mark.end]) for mark in text.marks]
    if core_end - core_start <= budget:
        reach = [(core_start, core_end)]
    else:
        start, end, reach = core_start, core_end, mentions
    # Pieces farther away than the budget cannot be kept: enough others are nearer
    place = numpy.unique(numpy.concatenate([_range(max(a - budget, start), min(b + budget, end)) for a, b in reach]))
    core = (place >= core_start) & (place < core_end)
    within = numpy.zeros(len(place), dtype=bool)
    far = end - start
    to_mention, from_edge = numpy.full(len(place), far), numpy.full(len(place), far)
    for a, b in mentions:
        inside = (place >= a) & (place < b)
        within |= inside
        to_mention = numpy.minimum(to_mention, numpy.maximum(a - place, place - b + 1).clip(0))
        from_edge = numpy.where(inside, numpy.minimum(from_edge, numpy.minimum(place - a, b - 1 - place)), from_edge)
    to_core = numpy.maximum(core_start - place, place - core_end + 1).clip(0)
    mention_class, core_class = (1, 0) if keep_template else (0, 1)
    rank = numpy.where(within, mention_class, numpy.where(core, core_class, 2))
    distance = numpy.where(within, from_edge, numpy.where(core, to_mention, to_core))
    kept = numpy.zeros(len(place), dtype=bool)
    kept[numpy.lexsort((place, distance, rank))[:budget]] = True
    places = place[kept]
    return _Kept(
        cut.ids[places],
        start=0,
        places=places,
        lost_words=int((kept & core).sum()) < core_end - core_start,
        lost_mention=bool((~kept & within).any()),
    )


def _range(start: int, end: int) -> numpy.ndarray:
    return numpy.arange(start, max(start, end))


def _end_to_end(sequences: Sequence[numpy.ndarray]) -> numpy.ndarray:
    return numpy.concatenate(sequences) if sequences else numpy.zeros(0, dtype="int64")


def _count(kept: Sequence[_Kept]) -> Shortened:
    return Shortened(len(kept), sum(k.lost_words for k in kept), sum(k.lost_mention for k in kept))
