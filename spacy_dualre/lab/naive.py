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
    """Batch P candidates without sharing: each has its own text and its own description for each predicate and
    template that is read (booleans (P, L)), all padded to the longest that the encoder may read.
    """
    # Packed texts have room for the four markers of one candidate
    texts = [batches.texts([instance])[0][0] for instance in instances]
    width = batches.max_length + (4 if batches.packed else 0)
    own = _apart(texts, numpy.arange(len(texts)), width, batches.padding, per_batch)
    shared, _ = batches.pairs(batches.texts(instances), instances, read)
    is_read = shared.description_index >= 0
    index = numpy.where(is_read, is_read.cumsum().reshape(is_read.shape) - 1, -1)
    descriptions = None
    if shared.descriptions:
        pairs = shared.description_index[is_read]
        descriptions = _apart(shared.descriptions, pairs, batches.max_length, batches.padding, per_batch)
    return PairBatch(own, numpy.arange(len(texts)), descriptions, index)


def _apart(
    batches: Sequence[PaddedBatch], pairs: numpy.ndarray, width: int, padding: int, per_batch: int
) -> List[PaddedBatch]:
    """One sequence of this width per pair, even if some are the same."""
    wide = [_widen(batch, width, padding) for batch in batches]
    names = ["ids", "mask"] if wide[0].positions is None else ["ids", "mask", "positions"]
    arrays = {name: numpy.concatenate([getattr(b, name)[b.rows] for b in wide])[pairs] for name in names}
    arrays["marks"] = numpy.concatenate([b.marks for b in wide])[pairs]
    parts = [slice(start, start + per_batch) for start in range(0, len(pairs), per_batch)]
    made = ({"positions": None, **{name: array[part] for name, array in arrays.items()}} for part in parts)
    return [PaddedBatch(rows=numpy.arange(len(values["ids"])), **values) for values in made]


def _widen(batch: PaddedBatch, width: int, padding: int) -> PaddedBatch:
    more = width - batch.ids.shape[1]
    ids = numpy.pad(batch.ids, ((0, 0), (0, more)), constant_values=padding)
    if batch.positions is None:
        return replace(batch, ids=ids, mask=numpy.pad(batch.mask, ((0, 0), (0, more))))
    mask = numpy.pad(batch.mask, ((0, 0), (0, more), (0, more)))
    # Padding must see something, or its softmax would be over nothing
    mask[:, width - more :, 0] = True
    return replace(batch, ids=ids, mask=mask, positions=numpy.pad(batch.positions, ((0, 0), (0, more)), mode="edge"))


def on_device(batch: PairBatch, device: torch.device) -> PairBatch:
    """The batch as tensors on a device."""
    return PairBatch(**{name: to_device(value, device) for name, value in vars(batch).items()})


def score(network: DualEncoder, batch: PairBatch) -> Tuple[Optional[Tensor], Tensor]:
    """Score a batch of tensors: similarity (P, L), or None without descriptions, and logits (P, C)."""
    network.eval()
    with torch.inference_mode():
        return network(**vars(batch))
