"""Prediction: what is encoded, how precisely, and what is remembered.

No setting changes a score by more than rounding, except the precision and a query's cascade.
"""

from collections import OrderedDict
from typing import Any, Dict, Hashable, List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from ..types import Description, Query, RelScores, Shortened
from .batches import BatchMaker, add, number, possible
from .cascade import CLASSIFIER_ALONE, needed
from .pytorch.device import to_device
from .pytorch.network import DualEncoder, Texts
from .pytorch.precision import in_precision


class Runner:
    """Predicts with one network, whose weights must not change; for precision and memory see `RunSettings`."""

    def __init__(self, network: DualEncoder, batches: BatchMaker, precision: str, memory: int) -> None:
        self.network = network
        self.batches = batches
        self.memory = VectorMemory(memory)
        #: Numbers in the largest array of a comparison: bounds memory where there are many predicates
        self.most_numbers = 8_000_000
        copies: Dict[int, Any] = {id(encoder): in_precision(encoder, precision) for encoder in network.encoders()}
        self.text_encoder = copies[id(network.text_encoder)]
        self.description_encoder = copies[id(network.description_encoder or network.text_encoder)]

    def score(self, query: Query) -> RelScores:
        """Score candidates, as tensors. Every distinct sequence is encoded once, and no description without need."""
        self.network.eval()
        with torch.inference_mode():
            batches, index, shortened = self.batches.texts(query.instances)
            texts = self.network.read_texts(self._on_device(batches), self._on_device(index), self.text_encoder)
            logits = self.network.classify(texts)
            read = mask = possible(query.instances)
            cascade = query.cascade if query.similarity else CLASSIFIER_ALONE
            if cascade is not None:
                read = needed(logits.cpu().numpy(), mask, cascade)
            distinct, rows = number([instance.descriptions for instance in query.instances], read)
            similarity = torch.zeros(mask.shape, device=self.network.device)
            if distinct:
                described, cut = self._read_descriptions(distinct)
                shortened = add(shortened, cut)
                similarity = self._compare(texts, described, self._on_device(rows))
        return RelScores(similarity, logits, mask, read, shortened)  # type: ignore[arg-type]

    def _read_descriptions(self, descriptions: List[Description]) -> Tuple[Tensor, Shortened]:
        """(N, width) from `DualEncoder.read_descriptions` for each of these distinct descriptions."""
        known = numpy.array(self.memory.rows(descriptions))
        new = numpy.flatnonzero(known < 0)
        shortened = Shortened()
        parts = []
        if len(new) < len(known):
            parts.append(self.memory.get(self._on_device(known[known >= 0])))
        if len(new):
            chosen = [descriptions[i] for i in new]
            batches, index, shortened = self.batches.descriptions(chosen)
            vectors = self.network.read_descriptions(self._on_device(batches), self.description_encoder)
            parts.append(vectors[self._on_device(index)])
            self.memory.put(chosen, parts[-1])
        back = numpy.argsort(numpy.concatenate([numpy.flatnonzero(known >= 0), new]))
        return torch.cat(parts)[self._on_device(back)], shortened

    def _compare(self, texts: Texts, described: Tensor, index: Tensor) -> Tensor:
        n = max(self.most_numbers // (index.shape[1] * index.shape[2] * described.shape[1]), 1)
        chunks = zip(texts.rho.split(n), texts.cls.split(n), index.split(n))
        return torch.cat([self.network.compare(Texts(rho, cls), described, rows) for rho, cls, rows in chunks])

    def _on_device(self, value: Any) -> Any:
        return to_device(value, self.network.device)


class VectorMemory:
    """The vectors of the `capacity` keys asked for last, on their device."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        #: Keys that were known and that were not, over all calls
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
        """The vectors of these rows."""
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
