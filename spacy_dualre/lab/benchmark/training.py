"""A training step, compared with a naive one: everything padded, nothing shared, same loss and optimizer."""

from functools import partial
from typing import Any, Dict, List

from spacy.training import Example
from thinc.api import Optimizer

from ...models.batches import possible
from ...training.batcher import share_out
from ...training.loss import joint_loss
from ...training.optimizer import adamw
from ...training.reader import copy_mentions
from ...types import RelScores
from .measure import Figures, Ratio, evenly, measured, take_turns
from .workload import Workload
from .yardsticks import naive_batch

STEP, NAIVE = "training step", "naive training step"


def measure_training(workload: Workload, repetitions: int, batch_size: int) -> Dict[str, Any]:
    """Measure a step with this many candidates, with another batch for each repetition, see `take_turns`.

    The learning rate is 0, so no weight changes, although the optimizer does all its work.
    """
    batches = training_batches(workload, batch_size)
    chosen = [batches[i] for i in evenly(repetitions, len(batches))]
    sgd = adamw(learn_rate=0.0)
    runs = {STEP: partial(_step, workload, chosen, sgd), NAIVE: partial(_naive_step, workload, chosen, sgd)}
    # The optimizer allocates its moments in the first step
    for run in runs.values():
        run(0)
    return {"batch": batch_size, **take_turns(runs, repetitions, [Ratio(STEP, NAIVE, "speedup")])}


def training_batches(workload: Workload, size: int) -> List[List[Example]]:
    """Batches of `size` candidates, as from the training batcher; without those that are not full, if any is."""
    fresh = [Example(copy_mentions(example.reference), example.reference) for example in workload.examples]
    counts = [sum(1 for _ in workload.rel.get_candidates(example.predicted)) for example in fresh]
    batches = list(share_out(fresh, counts, size))
    return batches[: sum(counts) // size] or batches


def _step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    batch = batches[repetition % len(batches)]
    n = len(workload.rel.training_targets(batch).candidates)
    with measured(workload.device, candidates=n) as figures:
        losses = workload.rel.update(batch, sgd=sgd)
    return {**figures, "loss": losses[workload.name]}


def _naive_step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    """The same step done naively. Tokenisation and padding are not timed, in its favour."""
    rel, xp = workload.rel, workload.rel.model.ops.xp
    candidates, rows = rel.training_targets(batches[repetition % len(batches)])
    instances = rel.instance_maker()(candidates)
    mask = possible(instances)
    read = mask & (rel.alpha < 1)
    # Gradients of a whole batch of padded sequences take too much memory; those of its slices add up
    widest = 1 + max(sum(map(len, instance.descriptions)) for instance in instances) * (rel.alpha < 1)
    step = max(workload.batches.batch_tokens // (widest * workload.batches.max_length), 1)
    parts = [slice(start, start + step) for start in range(0, len(instances), step)]
    made = [naive_batch(workload.batches, instances[part], read[part]) for part in parts]
    loss = 0.0
    with measured(workload.device, candidates=len(candidates)) as figures:
        for part, batch in zip(parts, made):
            (similarity, logits), backprop = rel.model.layers[0](batch, True)
            scores = RelScores(similarity, logits, xp.asarray(mask[part]), xp.asarray(read[part]))
            of_part, gradients = joint_loss(scores, xp.asarray(rows[part]), rel.alpha, len(candidates))
            backprop(gradients)
            loss += of_part
        rel.finish_update(sgd)
    return {**figures, "loss": loss}
