"""What the engine is compared with: the same weights and candidates, run as simply and as little as can be."""

from dataclasses import replace
from typing import Any, List, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from ...models.pytorch.device import to_device
from ...models.runner import Engine, number
from ...types import Description, Instance, PaddedBatch, PairBatch
from .workload import Workload

#: Sequences that go through an encoder at once in the naive way.
NAIVE_BATCH = 32


def bare_batch(workload: Workload, instances: Sequence[Instance]) -> PairBatch:
    """Every distinct text and every description that is read, once, as tensors on the device, sorted by length."""
    engine = workload.engine
    by_text, descriptions, rows = workload.distinct(instances)
    place = {instance.text: i for i, instance in enumerate(by_text)}
    texts, text_order, _ = engine.text_batches(by_text)
    batches, index = None, rows
    if descriptions:
        batches, order, _ = engine.description_batches(descriptions)
        index = numpy.where(rows >= 0, order[rows], -1)
    text_index = text_order[[place[instance.text] for instance in instances]]
    return on_device(PairBatch(texts, text_index, batches, index), engine)


def naive_batch(
    engine: Engine, instances: Sequence[Instance], read: numpy.ndarray, per_batch: int = NAIVE_BATCH
) -> PairBatch:
    """Every candidate's text, and a description for every predicate that is read and each of its templates, as often as
    they come, all padded to the longest that the encoder may read.

    read: (P, L). per_batch: sequences that go through an encoder at once.
    """
    texts = [engine.text_batches([instance])[0][0] for instance in instances]
    index, descriptions = _number_all(instances, read)
    single = [engine.description_batches([description])[0][0] for description in descriptions]
    return PairBatch(
        texts=_in_batches(texts, engine, per_batch, room=4 if engine.levitated else 0),
        text_index=numpy.arange(len(texts)),
        descriptions=_in_batches(single, engine, per_batch) if single else None,
        description_index=index,
    )


def on_device(batch: PairBatch, engine: Engine) -> PairBatch:
    """The batch as tensors on the network's device."""
    device = engine.network.device
    return PairBatch(
        to_device(batch.texts, device),
        to_device(batch.text_index, device),
        to_device(batch.descriptions, device),
        to_device(batch.description_index, device),
    )


def score(engine: Engine, batch: PairBatch) -> Tuple[Optional[Tensor], Tensor]:
    """Similarity (P, L), None where no description is read, and logits (P, C) in float32. batch: in tensors."""
    network = engine.network.eval()
    with torch.inference_mode():
        return network(batch.texts, batch.text_index, batch.descriptions, batch.description_index)


def encode(engine: Engine, batches: List[PaddedBatch], is_text: bool, precise: bool) -> None:
    """Run an encoder over batches of tensors, for nothing but the time that it takes.

    precise: in float32 and not compiled; else as the engine's settings say.
    """
    network: Any = engine.network.eval()
    own = network.text_encoder if is_text else network.description_encoder or network.text_encoder
    with torch.inference_mode():
        network.encode(own if precise else engine.encoder(is_text), batches)


def _number_all(instances: Sequence[Instance], read: numpy.ndarray) -> Tuple[numpy.ndarray, List[Description]]:
    """(P, L, K) the number of each description, and the descriptions, repeated ones too."""
    # What is told apart by where it stands is never the same
    places = [
        [[(p, column, k) for k in range(len(group))] for column, group in enumerate(instance.descriptions)]
        for p, instance in enumerate(instances)
    ]
    order, index = number(places, read)
    return index, [instances[p].descriptions[column][k] for p, column, k in order]


def _in_batches(single: Sequence[PaddedBatch], engine: Engine, per_batch: int, room: int = 0) -> List[PaddedBatch]:
    """Batches of one sequence each -> of per_batch, widened to the engine's longest and the room that markers need."""
    width = engine.max_length + room
    wide = [_widen(batch, width, engine.network.padding) for batch in single]
    return [_join(wide[i : i + per_batch]) for i in range(0, len(wide), per_batch)]


def _widen(batch: PaddedBatch, width: int, padding: int) -> PaddedBatch:
    more = width - batch.ids.shape[1]
    ids = numpy.pad(batch.ids, ((0, 0), (0, more)), constant_values=padding)
    if batch.positions is None:
        return replace(batch, ids=ids, mask=numpy.pad(batch.mask, ((0, 0), (0, more))))
    mask = numpy.pad(batch.mask, ((0, 0), (0, more), (0, more)))
    # Padding sees something, or its softmax would be over nothing
    mask[:, width - more :, 0] = True
    return replace(batch, ids=ids, mask=mask, positions=numpy.pad(batch.positions, ((0, 0), (0, more)), mode="edge"))


def _join(batches: Sequence[PaddedBatch]) -> PaddedBatch:
    return PaddedBatch(
        ids=numpy.concatenate([batch.ids for batch in batches]),
        mask=numpy.concatenate([batch.mask for batch in batches]),
        positions=None if batches[0].positions is None else numpy.concatenate([batch.positions for batch in batches]),
        rows=numpy.arange(len(batches)),
        marks=numpy.concatenate([batch.marks for batch in batches]),
    )
