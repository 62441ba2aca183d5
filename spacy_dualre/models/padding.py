"""Sequences of ids to batches for an encoder: of similar length, with little padding."""

from typing import Dict, Iterator, List, Tuple

import numpy

from ..types import PaddedBatch, Sequences

#: Candidates that share a pass over their text. Each pass reads the text again, and its cost grows with the square of
#: its length, so that beyond this number the longer pass costs more than the text saves.
PER_PASS = 96


def pad(sequences: Sequences, batch_tokens: int, padding: int) -> Tuple[List[PaddedBatch], numpy.ndarray]:
    """Pad sequences with M pairs, sorted by length.

    Returns:
        Batches of at most `batch_tokens` pieces, padding included, unless a single sequence has more; and (M,) the
        place of each pair, counted through all batches.
    """
    order = numpy.argsort(sequences.lengths, kind="stable")
    starts = numpy.cumsum(sequences.lengths) - sequences.lengths
    # argsort inverts a permutation: the place of each sequence
    at = numpy.argsort(order)[sequences.rows]
    pair_order = numpy.argsort(at, kind="stable")
    batches = []
    done = 0
    for rows in cut_evenly(order, sequences.lengths, batch_tokens):
        columns = numpy.arange(int(sequences.lengths[rows].max()))
        mask = columns < sequences.lengths[rows, None]
        ids = sequences.ids[(starts[rows, None] + columns).clip(max=len(sequences.ids) - 1)]
        ids[~mask] = padding
        pairs = pair_order[slice(*numpy.searchsorted(at[pair_order], (done, done + len(rows))))]
        batches.append(PaddedBatch(ids, mask, None, at[pairs] - done, sequences.marks[pairs], sequences.types))
        done += len(rows)
    return batches, numpy.argsort(pair_order)


def pad_levitated(
    sequences: Sequences, batch_tokens: int, padding: int, first_position: int = 0, per_pass: int = PER_PASS
) -> Tuple[List[PaddedBatch], numpy.ndarray]:
    """Pad sequences with markers beside the text: a pass is a text and the four markers of each of its pairs, as in
    PURE (Zhong & Chen, 2021) and PL-Marker (Ye et al., 2022).

    Each marker has the position of its mention's first or last piece. It sees its window of the text, the first and the
    last piece, and the markers of at most `per_pass` pairs; the text sees itself alone. Returns what `pad` does.
    """
    assert sequences.marker_ids is not None and sequences.marker_positions is not None
    assert sequences.marker_windows is not None
    passes = _passes(sequences.rows, per_pass)
    lengths = numpy.array([sequences.lengths[row] + 4 * len(pairs) for row, pairs in passes], dtype="int64")
    starts = numpy.cumsum(sequences.lengths) - sequences.lengths
    order = numpy.argsort(lengths, kind="stable")
    batches = []
    for chosen in cut_evenly(order, lengths, batch_tokens):
        shape = (len(chosen), int(lengths[chosen].max()))
        ids = numpy.full(shape, padding, dtype="int64")
        positions = numpy.zeros(shape, dtype="int64")
        mask = numpy.zeros((*shape, shape[1]), dtype=bool)
        rows: List[int] = []
        marks: List[Tuple[int, int]] = []
        for b, i in enumerate(chosen):
            row, pairs = passes[i]
            n, end = int(sequences.lengths[row]), int(lengths[i])
            place = numpy.arange(n)
            ids[b, :end] = numpy.append(sequences.ids[starts[row] + place], sequences.marker_ids[pairs])
            positions[b, :end] = numpy.append(place, sequences.marker_positions[pairs])
            mask[b, :n, :n] = True
            start, stop = sequences.marker_windows[pairs].repeat(4, axis=0).T[:, :, None]
            mask[b, n:end, :n] = (start <= place) & (place < stop) | (place == 0) | (place == n - 1)
            pair_of = numpy.arange(end - n) // 4
            mask[b, n:end, n:end] = pair_of[:, None] == pair_of
            # Padding must see something, or its softmax would be over nothing
            mask[b, end:, 0] = True
            rows.extend([b] * len(pairs))
            marks.extend((n + 4 * j, n + 4 * j + 2) for j in range(len(pairs)))
        pairs_in = numpy.array(rows), numpy.array(marks)
        batches.append(PaddedBatch(ids, mask, positions + first_position, *pairs_in, sequences.types))
    pair_order = numpy.array([pair for i in order for pair in passes[i][1]], dtype="int64")
    return batches, numpy.argsort(pair_order)


def cut_evenly(order: numpy.ndarray, lengths: numpy.ndarray, batch_tokens: int) -> Iterator[numpy.ndarray]:
    """Cut rows, sorted by length, where their number times the longest would exceed batch_tokens."""
    start = 0
    for i, row in enumerate(order.tolist()):
        if i > start and (i - start + 1) * lengths[row] > batch_tokens:
            yield order[start:i]
            start = i
    if len(order):
        yield order[start:]


def _passes(rows: numpy.ndarray, per_pass: int) -> List[Tuple[int, numpy.ndarray]]:
    """(sequence, pairs): the pairs of each sequence, shared out evenly over passes."""
    pairs_of: Dict[int, List[int]] = {}
    for pair, row in enumerate(rows.tolist()):
        pairs_of.setdefault(row, []).append(pair)
    passes = ((row, numpy.array_split(pairs, -(-len(pairs) // per_pass))) for row, pairs in sorted(pairs_of.items()))
    return [(row, pairs) for row, parts in passes for pairs in parts]
