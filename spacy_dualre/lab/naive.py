"""Yardsticks: the same weights and candidates, run as naively or as barely as possible."""

from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from ..models.batches import BatchMaker
from ..models.pytorch.device import to_device
from ..models.pytorch.network import DualEncoder
from ..types import Instance, PaddedBatch, PairBatch

#: Sequences per batch in the naive way.
NAIVE_BATCH = 32


def naive_batch(
    batches: BatchMaker, instances: Sequence[Instance], read: numpy.ndarray, per_batch: int = NAIVE_BATCH
) -> PairBatch:
    """Batch P candidates without sharing: each has its own text, with the markers in it, and its own description for
    each predicate and template that is read (booleans (P, L)), all padded to the longest that the encoder may read.
    """
    batches = replace(batches, packed=False)
    shared, _ = batches.pairs(batches.texts(instances), instances, read)
    is_read = shared.description_index >= 0
    index = numpy.where(is_read, is_read.cumsum().reshape(is_read.shape) - 1, -1)
    texts = _apart(shared.texts, shared.text_index, batches, per_batch)
    descriptions = None
    if shared.descriptions:
        descriptions = _apart(shared.descriptions, shared.description_index[is_read], batches, per_batch)
    return PairBatch(texts, numpy.arange(len(instances)), descriptions, index)


def _apart(shared: List[PaddedBatch], pairs: numpy.ndarray, batches: BatchMaker, per_batch: int) -> List[PaddedBatch]:
    """One sequence per pair, even if some are the same."""

    def widen(rows: numpy.ndarray, padding: int) -> numpy.ndarray:
        return numpy.pad(rows, ((0, 0), (0, batches.max_length - rows.shape[1])), constant_values=padding)

    ids = numpy.concatenate([widen(batch.ids[batch.rows], batches.padding) for batch in shared])[pairs]
    mask = numpy.concatenate([widen(batch.mask[batch.rows], 0) for batch in shared])[pairs]
    marks = numpy.concatenate([batch.marks for batch in shared])[pairs]
    parts = [slice(start, start + per_batch) for start in range(0, len(pairs), per_batch)]
    types = shared[0].types
    return [PaddedBatch(ids[p], mask[p], None, numpy.arange(len(ids[p])), marks[p], types) for p in parts]


def on_device(batch: PairBatch, device: torch.device) -> PairBatch:
    """The batch as tensors on a device."""
    return PairBatch(**{name: to_device(value, device) for name, value in vars(batch).items()})


def score(network: DualEncoder, batch: PairBatch) -> Tuple[Optional[Tensor], Tensor]:
    """Score a batch of tensors: similarity (P, L), or None without descriptions, and logits (P, C)."""
    network.eval()
    with torch.inference_mode():
        return network(**vars(batch))
