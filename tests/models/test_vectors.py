"""What is remembered: no more than there is room for, the oldest goes first, nothing is ever another key's."""

from collections import OrderedDict
from typing import List

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.models.runner import VectorMemory


def vectors(keys: List[int]) -> torch.Tensor:
    """A vector of its own for each key."""
    return torch.tensor([[key, key / 7] for key in keys], dtype=torch.float32).reshape(-1, 2)


def ask(memory: VectorMemory, keys: List[int]) -> List[int]:
    """As the engine does: the vectors that are known are read, the others are computed and kept. Gives the known."""
    rows = memory.rows(keys)
    known = [key for key, row in zip(keys, rows, strict=True) if row >= 0]
    if known:
        assert torch.equal(memory.get(torch.tensor([row for row in rows if row >= 0])), vectors(known))
    new = [key for key in keys if key not in known]
    memory.put(new, vectors(new))
    return known


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), unique=True, max_size=7), max_size=12), st.integers(0, 8))
def test_the_keys_asked_for_last_are_known_and_no_others(calls: List[List[int]], capacity: int) -> None:
    memory = VectorMemory(capacity)
    expected: OrderedDict[int, None] = OrderedDict()
    hits = misses = 0
    for keys in calls:
        known = [key for key in keys if key in expected]
        assert ask(memory, keys) == known
        for key in [*known, *(key for key in keys if key not in known)]:
            expected[key] = None
            expected.move_to_end(key)
        while len(expected) > capacity:
            expected.popitem(last=False)
        hits, misses = hits + len(known), misses + len(keys) - len(known)
        assert (memory.hits, memory.misses) == (hits, misses)
        assert list(memory._rows) == list(expected) and len(set(memory._rows.values())) == len(expected)
        assert memory._table is None or len(memory._table) == capacity


def test_the_one_not_asked_for_for_longest_makes_room() -> None:
    memory = VectorMemory(2)
    assert ask(memory, [1, 2]) == []
    assert ask(memory, [1]) == [1]
    assert ask(memory, [3]) == []
    assert ask(memory, [1, 3]) == [1, 3]
    assert ask(memory, [2]) == []


@pytest.mark.parametrize("capacity, known", [(0, []), (2, [3, 4]), (4, [1, 2, 3, 4])])
def test_of_more_keys_than_there_is_room_for_the_last_are_kept(capacity: int, known: List[int]) -> None:
    memory = VectorMemory(capacity)
    ask(memory, [1, 2, 3, 4])
    assert [key for key, row in zip([1, 2, 3, 4], memory.rows([1, 2, 3, 4]), strict=True) if row >= 0] == known
