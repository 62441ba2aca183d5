"""Sequences -> batches: each once, none too large, nothing padded for nothing; who sees whom beside a text."""

from typing import Any, Dict, List, Tuple

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.models.padding import PER_PASS, cut_evenly, pad, pad_levitated
from spacy_dualre.types import PaddedBatch, Sequences

PADDING = 99


@st.composite
def sequences(draw: Any, levitated: bool = False) -> Sequences:
    """Up to 8 sequences in which up to 20 pairs are marked, each sequence with one at least; no two ids are equal."""
    lengths = draw(st.lists(st.integers(2, 12), max_size=8))
    n = len(lengths)
    more = draw(st.lists(st.integers(0, n - 1), max_size=12)) if n else []
    rows = draw(st.permutations([*range(n), *more]))
    marks = [[draw(st.integers(0, lengths[row] - 1)) for _ in range(2)] for row in rows]
    total = sum(lengths)
    m = len(rows)
    return Sequences(
        ids=numpy.arange(100, 100 + total),
        lengths=numpy.array(lengths, dtype="int64"),
        rows=numpy.array(rows, dtype="int64"),
        marks=numpy.array(marks, dtype="int64").reshape(-1, 2),
        marker_ids=numpy.arange(1000, 1000 + 4 * m).reshape(-1, 4) if levitated else None,
        marker_positions=numpy.array(
            [[draw(st.integers(1, lengths[row] - 1)) for _ in range(4)] for row in rows], dtype="int64"
        ).reshape(-1, 4)
        if levitated
        else None,
        marker_windows=numpy.array(
            [sorted(draw(st.integers(1, lengths[row] - 1)) for _ in range(2)) for row in rows], dtype="int64"
        ).reshape(-1, 2)
        if levitated
        else None,
    )


def sequence(given: Sequences, row: int) -> List[int]:
    start = int(given.lengths[:row].sum())
    return given.ids[start : start + given.lengths[row]].tolist()


def pairs(batches: List[PaddedBatch]) -> List[Tuple[PaddedBatch, int, List[int]]]:
    """(batch, row in it, marks) of each pair, counted through all batches."""
    return [
        (batch, int(row), marks.tolist())
        for batch in batches
        for row, marks in zip(batch.rows, batch.marks, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(sequences(), st.integers(1, 60))
def test_each_sequence_is_in_one_batch_and_each_pair_is_found(given: Sequences, batch_tokens: int) -> None:
    batches, order = pad(given, batch_tokens, PADDING)
    read = [batch.ids[row][batch.mask[row]].tolist() for batch in batches for row in range(len(batch.ids))]
    assert sorted(read) == sorted(sequence(given, row) for row in range(len(given.lengths)))
    found = pairs(batches)
    assert sorted(order.tolist()) == list(range(len(found))) == list(range(len(given.rows)))
    for place, row, marks in zip(order, given.rows, given.marks.tolist(), strict=True):
        batch, at, found_marks = found[place]
        assert batch.ids[at][batch.mask[at]].tolist() == sequence(given, row) and found_marks == marks


@settings(max_examples=300, deadline=None)
@given(sequences(), st.integers(1, 60))
def test_no_batch_is_larger_than_it_must_be(given: Sequences, batch_tokens: int) -> None:
    batches, _ = pad(given, batch_tokens, PADDING)
    for batch in batches:
        assert batch.ids.shape == batch.mask.shape and batch.positions is None
        assert batch.ids.size <= batch_tokens or len(batch.ids) == 1
        lengths = batch.mask.sum(axis=1)
        assert batch.ids.shape[1] == lengths.max()
        # Pieces first, then padding
        assert (batch.mask == (numpy.arange(batch.ids.shape[1]) < lengths[:, None])).all()
        assert (batch.ids[~batch.mask] == PADDING).all()
    # One more sequence would not have fitted
    for one, other in zip(batches, batches[1:], strict=False):
        assert (len(one.ids) + 1) * other.mask.sum(axis=1).min() > batch_tokens


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(sequences(levitated=True), st.integers(1, 100), st.integers(1, 5), st.integers(0, 3))
def test_each_marker_sees_its_window_and_its_own_pair(
    given: Sequences, batch_tokens: int, per_pass: int, first_position: int
) -> None:
    batches, order = pad_levitated(given, batch_tokens, PADDING, first_position, per_pass)
    assert given.marker_ids is not None and given.marker_positions is not None
    assert given.marker_windows is not None
    found = pairs(batches)
    assert sorted(order.tolist()) == list(range(len(found))) == list(range(len(given.rows)))
    in_pass: Dict[Tuple[int, int], List[int]] = {}
    for pair, place in enumerate(order):
        batch, at, _ = found[place]
        in_pass.setdefault((id(batch), at), []).append(pair)
    assert len(in_pass) == sum(len(batch.ids) for batch in batches)
    passes = numpy.zeros(len(given.lengths), dtype=int)
    for batch in batches:
        longest = 0
        for at in range(len(batch.ids)):
            members = in_pass[id(batch), at]
            (row,) = {int(given.rows[pair]) for pair in members}
            passes[row] += 1
            assert len(members) <= per_pass
            text = sequence(given, row)
            n, end = len(text), len(text) + 4 * len(members)
            longest = max(longest, end)
            assert batch.ids[at, :n].tolist() == text and (batch.ids[at, end:] == PADDING).all()
            assert batch.positions[at, :n].tolist() == list(range(first_position, first_position + n))
            wanted = numpy.zeros((batch.ids.shape[1], batch.ids.shape[1]), dtype=bool)
            wanted[:n, :n] = True
            for pair in members:
                start, object_start = found[order[pair]][2]
                own = range(start, start + 4)
                assert n <= start < end and object_start == start + 2
                assert batch.ids[at, own].tolist() == given.marker_ids[pair].tolist()
                assert batch.positions[at, own].tolist() == (given.marker_positions[pair] + first_position).tolist()
                wanted[numpy.ix_(own, own)] = True
                seen = {0, n - 1, *range(*given.marker_windows[pair])}
                wanted[numpy.ix_(own, sorted(seen))] = True
            assert (batch.mask[at, :end] == wanted[:end]).all()
            # Padding is seen by nothing, and sees something, or its softmax would be over nothing
            assert batch.mask[at, end:].any(axis=1).all()
        assert batch.ids.shape[1] == longest and batch.mask.shape == (*batch.ids.shape, longest)
        assert batch.ids.size <= batch_tokens or len(batch.ids) == 1
    n_pairs = numpy.bincount(given.rows, minlength=len(given.lengths))
    assert passes.tolist() == (-(-n_pairs // per_pass)).tolist()


def test_pairs_are_shared_out_evenly_where_one_pass_is_not_enough() -> None:
    m = PER_PASS + 2
    text = Sequences(
        ids=numpy.arange(5),
        lengths=numpy.array([5]),
        rows=numpy.zeros(m, dtype="int64"),
        marks=numpy.zeros((m, 2), dtype="int64"),
        marker_ids=numpy.arange(4 * m).reshape(-1, 4),
        marker_positions=numpy.ones((m, 4), dtype="int64"),
        marker_windows=numpy.ones((m, 2), dtype="int64"),
    )
    (batch,), order = pad_levitated(text, 10_000, PADDING)
    assert numpy.bincount(batch.rows).tolist() == [m // 2, m // 2]
    assert sorted(order.tolist()) == list(range(m))


def test_nothing_is_cut_into_nothing() -> None:
    assert list(cut_evenly(numpy.zeros(0, dtype="int64"), [], 10)) == []
