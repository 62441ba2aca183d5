"""Vectors that need not be computed a second time."""

from collections import OrderedDict
from typing import Hashable, List, Optional, Sequence

import numpy
import torch
from torch import Tensor

from .device import to_device


class VectorMemory:
    """The vectors of the `capacity` keys asked for last, on their device.

    Attributes:
        hits: Keys that were known, over all calls.
        misses: Keys that were not.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.hits = self.misses = 0
        self._rows: OrderedDict[Hashable, int] = OrderedDict()
        self._table: Optional[Tensor] = None

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, keys: Sequence[Hashable]) -> List[int]:
        """The row of each of these distinct keys for `get`, valid until the next `put`; -1 for unknown keys."""
        found = [self._rows.get(key, -1) for key in keys]
        for key, row in zip(keys, found):
            if row >= 0:
                self._rows.move_to_end(key)
        known = sum(row >= 0 for row in found)
        self.hits += known
        self.misses += len(keys) - known
        return found

    def get(self, rows: Tensor) -> Tensor:
        """Return the vectors of these rows."""
        assert self._table is not None
        return self._table[rows]

    def put(self, keys: Sequence[Hashable], vectors: Tensor) -> None:
        """Keep the vectors (N, width) of new keys in place of those that were not used for longest."""
        if not self.capacity or not len(keys):
            return
        keys, vectors = keys[-self.capacity :], vectors[-self.capacity :]
        if self._table is None:
            self._table = torch.empty((self.capacity, vectors.shape[1]), dtype=vectors.dtype, device=vectors.device)
        rows = []
        for key in keys:
            row = len(self._rows) if len(self._rows) < self.capacity else self._rows.popitem(last=False)[1]
            self._rows[key] = row
            rows.append(row)
        self._table[to_device(numpy.array(rows), vectors.device)] = vectors
