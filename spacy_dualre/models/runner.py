"""Prediction: what is encoded, how precisely, and what is remembered.

No setting changes a score by more than rounding, except the precision and a query's cascade.
"""

from collections import OrderedDict
from typing import Any, Callable, Dict, Hashable, List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from ..types import Description, PaddedBatch, Query, RelScores, Shortened
from .batches import BatchMaker, add, number, possible
from .cascade import CLASSIFIER_ALONE, needed
from .pytorch.device import to_device
from .pytorch.network import DualEncoder, Texts
from .pytorch.precision import in_precision


def in_words(network: DualEncoder, read: numpy.ndarray) -> numpy.ndarray:
    """Which of the predicates to read, booleans (P, L), have their descriptions read: a learned negative has none."""
    columns = numpy.arange(read.shape[1]) > 0 if network.settings.learned_negative else True
    return read & columns


class Runner:
    """Predicts with one network, whose weights must not change; for precision and memory see `RunSettings`."""

    def __init__(self, network: DualEncoder, batches: BatchMaker, precision: str, memory: int) -> None:
        self.network = network
        self.batches = batches
        #: Numbers in the largest array of a comparison: bounds memory where there are many predicates
        self.most_numbers = 8_000_000
        copies: Dict[int, Any] = {id(encoder): in_precision(encoder, precision) for encoder in network.encoders()}
        self.text_encoder = copies[id(network.text_encoder)]
        self.description_encoder = copies[id(network.description_encoder or network.text_encoder)]
        self.descriptions = DescriptionReader(batches, self._read_descriptions, memory)
        self.memory = self.descriptions.memory

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
            distinct, rows = number([one.descriptions for one in query.instances], in_words(self.network, read))
            similarity = torch.zeros(mask.shape, device=self.network.device)
            if distinct:
                described, cut = self.descriptions(distinct)
                shortened = add(shortened, cut)
                similarity = self._compare(texts, described, self._on_device(rows))
        return RelScores(similarity, logits, mask, read, shortened)  # type: ignore[arg-type]

    def _read_descriptions(self, batches: List[PaddedBatch], index: numpy.ndarray) -> Tensor:
        states = self.network.description_states(self._on_device(batches), self.description_encoder)
        return self.network.project_descriptions(states)[self._on_device(index)]

    def _compare(self, texts: Texts, described: Tensor, index: Tensor) -> Tensor:
        n = max(self.most_numbers // (index.shape[1] * index.shape[2] * described.shape[1]), 1)
        chunks = zip(texts.rho.split(n), texts.cls.split(n), index.split(n))
        return torch.cat([self.network.compare(Texts(rho, cls), described, rows) for rho, cls, rows in chunks])

    def _on_device(self, value: Any) -> Any:
        return to_device(value, self.network.device)


class DescriptionReader:
    """Reads descriptions by a function of their batches, whose results it remembers while no weight changes."""

    def __init__(
        self, batches: BatchMaker, read: Callable[[List[PaddedBatch], numpy.ndarray], Tensor], memory: int
    ) -> None:
        self.batches = batches
        self.read = read
        self.memory = VectorMemory(memory)

    def __call__(self, descriptions: List[Description]) -> Tuple[Tensor, Shortened]:
        """What the function makes of N distinct descriptions, (N, ...)."""
        known = numpy.array(self.memory.rows(descriptions))
        new = numpy.flatnonzero(known < 0)
        shortened = Shortened()
        parts = []
        if len(new) < len(known):
            parts.append(self.memory.get(known[known >= 0]))
        if len(new):
            chosen = [descriptions[i] for i in new]
            batches, index, shortened = self.batches.descriptions(chosen)
            parts.append(self.read(batches, index))
            self.memory.put(chosen, parts[-1])
        back = numpy.argsort(numpy.concatenate([numpy.flatnonzero(known >= 0), new]))
        read = torch.cat(parts)
        return read[to_device(back, read.device)], shortened


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

    def get(self, rows: numpy.ndarray) -> Tensor:
        """The vectors of these rows."""
        assert self._table is not None
        return self._table[to_device(rows, self._table.device)]

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
