"""A step of training, against a naive one: everything padded, nothing shared, the same loss and optimizer."""

from functools import partial
from typing import Any, Dict, List

import numpy
from spacy.training import Example
from thinc.api import Optimizer

from ...models.pytorch.device import default_batch_tokens
from ...training.batcher import share_out
from ...training.loss import joint_loss
from ...training.optimizer import adamw
from ...training.reader import copy_mentions
from ...training.targets import target_rows
from ...types import Instance, RelScores
from .measure import Figures, evenly, interleave, measured, ratios, with_summary
from .workload import Workload, possible_predicates
from .yardsticks import naive_batch

STEP, NAIVE = "training step", "naive training step"


def measure_training(workload: Workload, repetitions: int, batch_size: int) -> Dict[str, Any]:
    """{"runs", "ratios"}: the figures of a step with so many candidates, a batch for each repetition.

    The learning rate is 0, so no weight changes; what the optimizer does for each is done all the same.
    """
    batches = training_batches(workload, batch_size)
    chosen = [batches[i] for i in evenly(repetitions, len(batches))]
    sgd = adamw(learn_rate=0.0)
    runs = {STEP: partial(_step, workload, chosen, sgd), NAIVE: partial(_naive_step, workload, chosen, sgd)}
    # The optimizer's own numbers are made in its first step
    for run in runs.values():
        run(0)
    found = interleave(runs, repetitions)
    compared = {f"{STEP} / {NAIVE}": ratios(found[STEP], found[NAIVE], "candidates_per_s", "speedup")}
    return {"batch": batch_size, "runs": with_summary(found), "ratios": with_summary(compared)}


def training_batches(workload: Workload, size: int) -> List[List[Example]]:
    """The examples in batches of `size` candidates, as the training batcher makes them; full ones alone if there are
    any.
    """
    fresh = [Example(copy_mentions(example.reference), example.reference) for example in workload.examples]
    counts = [sum(1 for _ in workload.rel.get_candidates(example.predicted)) for example in fresh]
    batches = list(share_out(fresh, counts, size))
    return batches[: sum(counts) // size] or batches


def _step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    batch = batches[repetition % len(batches)]
    n = len(workload.rel._training_candidates(batch)[0])
    with measured(workload.engine.network.device) as figures:
        losses = workload.rel.update(batch, sgd=sgd)
    return {**figures, "candidates_per_s": n / figures["seconds"], "loss": losses[workload.name]}


def _naive_step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    """The same step in the naive way. That the texts are cut into pieces and padded is not timed, in its favour."""
    rel = workload.rel
    candidates, targets = rel._training_candidates(batches[repetition % len(batches)])
    rows = rel.model.ops.asarray2f(target_rows(targets, list(rel.label_data)))
    instances = [instance for _, made in rel._slices(candidates, len(candidates)) for instance in made]
    read = possible_predicates(instances) & (rel.alpha < 1)
    slices = _slices(workload, instances, read)
    made = [naive_batch(workload.engine, instances[s], read[s]) for s in slices]
    loss = 0.0
    with measured(workload.engine.network.device) as figures:
        for part, batch in zip(slices, made):
            (similarity, logits), backprop = rel.model.layers[0](batch, True)
            mask = rel.model.ops.xp.asarray(possible_predicates(instances[part]))
            scores = RelScores(similarity, logits, mask)
            of_slice, d_scores = joint_loss(scores, rows[part], rel.alpha, len(candidates))
            backprop(d_scores)
            loss += of_slice
        rel.finish_update(sgd)
    return {**figures, "candidates_per_s": len(candidates) / figures["seconds"], "loss": loss}


def _slices(workload: Workload, instances: List[Instance], read: numpy.ndarray) -> List[slice]:
    """As many candidates at once as fit into the encoder's usual batch, at least one: a whole batch of padded sequences
    with its gradients fits into few memories. The gradients add up.
    """
    engine = workload.engine
    widest = 1 + max(
        sum(len(group) for group, is_read in zip(instance.descriptions, row) if is_read)
        for instance, row in zip(instances, read)
    )
    tokens = engine.batch_tokens or default_batch_tokens(engine.network.device)
    step = max(tokens // (widest * engine.max_length), 1)
    return [slice(start, start + step) for start in range(0, len(instances), step)]
