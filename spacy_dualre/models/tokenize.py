"""Texts and descriptions to sequences of ids, composed from the pieces of their words; no marker is ever lost."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy

from ..instances.descriptions import adapt
from ..instances.markers import OBJECT, SUBJECT, marker_events, markers
from ..types import Description, MarkedText, Sequences, Shortened
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


def tokenize_texts(
    texts: Sequence[MarkedText], pieces: Pieces, max_length: int, keep_template: bool = False
) -> Tuple[Sequences, Shortened]:
    """Make the distinct sequences [CLS] pieces and markers [SEP], at most `max_length` long.

    A text that is too long first loses context, evenly on both sides, then the words farthest from both mentions, then
    the middles of the mentions; with `keep_template` only the latter.
    """
    sequences, keeps, marks = [], [], []
    marker_ids, types = pieces.markers(texts)
    for text, cut in zip(texts, _cut(texts, pieces)):
        kept = _keep(text, cut, max_length - 2 - 2 * len(text.marks), keep_template)
        ids, positions = _insert_markers(text, cut, kept, marker_ids)
        sequences.append(ids)
        keeps.append(kept)
        marks.append(positions)
    return _distinct(pieces, sequences, keeps, types, marks=numpy.array(marks, dtype="int64").reshape(-1, 2))


def tokenize_descriptions(
    descriptions: Sequence[Description], pieces: Pieces, max_length: int
) -> Tuple[Sequences, Shortened]:
    """Do the same for descriptions. One that is too long only loses the middles of its mentions; the template stays."""
    return tokenize_texts([adapt(description) for description in descriptions], pieces, max_length, keep_template=True)


def tokenize_levitated(texts: Sequence[MarkedText], pieces: Pieces, max_length: int) -> Tuple[Sequences, Shortened]:
    """Make the distinct sequences of texts without their markers, which are beside them ("levitated").

    Texts are shortened as in `tokenize_texts`. Those with the same window and core share a sequence, unless the core
    does not fit and is cut around the mentions. There are too many windows of several sentences for that, so they are
    read as parts of a block of the text and share the block.
    """
    ids: List[int] = []
    keeps, positions, windows = [], [], []
    marker_ids, types = pieces.markers(texts)
    budget = max_length - 2
    for text, cut in zip(texts, _cut(texts, pieces)):
        start, end = (cut.starts[word] for word in text.window)
        block = _block(start, end, len(cut.ids), budget) if text.crossing else None
        kept = _keep(text, cut, budget) if block is None else _Kept(cut.ids[block : block + budget], block)
        keeps.append(kept)
        for mark in sorted(text.marks, key=lambda mark: mark.role != SUBJECT):
            ids += [marker_ids[token] for token in markers(mark.role, mark.type)]
            # Counted from [CLS]
            first = kept.at(cut.starts[mark.start]) + 1
            positions += [first, max(kept.at(cut.starts[mark.end]), first)]
        windows.append((kept.at(start) + 1, kept.at(end) + 1))
    return _distinct(
        pieces,
        [kept.ids for kept in keeps],
        keeps,
        types,
        marks=numpy.zeros((len(texts), 2), dtype="int64"),
        marker_ids=numpy.array(ids, dtype="int64").reshape(-1, 4),
        marker_positions=numpy.array(positions, dtype="int64").reshape(-1, 4),
        marker_windows=numpy.array(windows, dtype="int64").reshape(-1, 2),
    )


def _block(start: int, end: int, length: int, budget: int) -> Optional[int]:
    """The beginning of the block that holds a window; blocks have the budget's length and overlap by half.

    None if the window does not fit into a block.
    """
    step = max(budget // 2, 1)
    begin = min(start // step * step, max(length - budget, 0))
    return begin if end <= begin + budget else None


def _distinct(
    pieces: Pieces,
    sequences: Sequence[numpy.ndarray],
    keeps: Sequence[_Kept],
    types: Optional[numpy.ndarray],
    **of_pairs: numpy.ndarray,
) -> Tuple[Sequences, Shortened]:
    """Put the distinct ones among the sequences of M pairs end to end, and count those that were shortened."""
    numbers: Dict[bytes, int] = {}
    rows = numpy.array([numbers.setdefault(ids.tobytes(), len(numbers)) for ids in sequences], dtype="int64")
    first = numpy.unique(rows, return_index=True)[1]
    cls, sep = [pieces.tokenizer.cls_token_id], [pieces.tokenizer.sep_token_id]
    made = Sequences(
        ids=numpy.concatenate(
            [numpy.zeros(0, dtype="int64"), *(part for i in first for part in (cls, sequences[i], sep))]
        ),
        lengths=numpy.array([len(sequences[i]) + 2 for i in first], dtype="int64"),
        rows=rows,
        types=types,
        **of_pairs,
    )
    kept = [keeps[i] for i in first]
    return made, Shortened(len(kept), sum(k.lost_words for k in kept), sum(k.lost_mention for k in kept))


def _cut(texts: Sequence[MarkedText], pieces: Pieces) -> List[Cut]:
    """Cut each text into pieces; candidates of a Doc share theirs."""
    distinct = {id(text.words): text.words for text in texts}
    pieces.learn(distinct.values())
    cuts = {key: pieces.cut(words) for key, words in distinct.items()}
    return [cuts[id(text.words)] for text in texts]


def _insert_markers(
    text: MarkedText, cut: Cut, kept: _Kept, marker_ids: Dict[str, int]
) -> Tuple[numpy.ndarray, Tuple[int, int]]:
    """The pieces with the markers, and the positions of the start markers of subject and object, counted from [CLS]."""
    events = list(marker_events(text.marks))
    # numpy.insert takes half as long again
    ids = numpy.empty(len(kept.ids) + len(events), dtype=kept.ids.dtype)
    first: Dict[str, int] = {}
    start = 0
    for n, (word, token) in enumerate(events):
        place = kept.at(cut.starts[word])
        ids[start + n : place + n] = kept.ids[start:place]
        ids[place + n] = marker_ids[token]
        first.setdefault(token, place + n + 1)
        start = place
    ids[start + len(events) :] = kept.ids[start:]
    start_of = {mark.role: first[markers(mark.role, mark.type)[0]] for mark in text.marks}
    return ids, (start_of[SUBJECT], start_of[OBJECT])


def _keep(text: MarkedText, cut: Cut, budget: int, keep_template: bool = False) -> _Kept:
    """Keep as many of the most important pieces of a window as the budget allows."""
    start, end = (cut.starts[word] for word in text.window)
    if end - start <= budget:
        return _Kept(cut.ids[start:end], start)
    budget = max(budget, 0)
    core_start, core_end = (cut.starts[word] for word in text.core)
    mentions = [(cut.starts[mark.start], cut.starts[mark.end]) for mark in text.marks]
    if core_end - core_start <= budget:
        reach = [(core_start, core_end)]
    else:
        start, end, reach = core_start, core_end, mentions
    # Pieces farther away than the budget cannot be kept: enough others are nearer
    near = [numpy.arange(max(a - budget, start), min(b + budget, end)) for a, b in reach]
    place = numpy.unique(numpy.concatenate(near))
    # How far each piece is from each mention and from the core; inside, less than 1, the deeper the less
    from_mentions = numpy.array([numpy.maximum(a - place, place - b + 1) for a, b in mentions])
    from_core = numpy.maximum(core_start - place, place - core_end + 1)
    core, inside = from_core < 1, from_mentions < 1
    within = inside.any(axis=0)
    from_edge = numpy.where(inside, -from_mentions, end - start).min(axis=0)
    mention_class, core_class = (1, 0) if keep_template else (0, 1)
    rank = numpy.where(within, mention_class, numpy.where(core, core_class, 2))
    distance = numpy.where(within, from_edge, numpy.where(core, from_mentions.min(axis=0), from_core))
    kept = numpy.zeros(len(place), dtype=bool)
    kept[numpy.lexsort((place, distance, rank))[:budget]] = True
    return _Kept(
        cut.ids[place[kept]],
        start=0,
        places=place[kept],
        lost_words=int((kept & core).sum()) < core_end - core_start,
        lost_mention=bool((~kept & within).any()),
    )
