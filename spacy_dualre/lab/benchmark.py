"""Speed and memory of a trained pipeline, compared with the bare encoders and with the naive way."""

import os
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import numpy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Optimizer

from ..errors import Errors
from ..models.batches import possible
from ..models.dual_encoder import forget, get_batches, get_network, get_runner
from ..models.pytorch.network import DualEncoder
from ..pipeline.component import DualEncoderRel
from ..pipeline.pipelines import find_component
from ..training.batcher import share_out
from ..training.loss import joint_loss
from ..training.optimizer import AdamW
from ..training.reader import copy_mentions, rel_corpus
from ..types import Instance, PairBatch, RelScores
from .environment import device_name, package_versions
from .measure import Figures, Run, measured, peak_memory_mb, take_turns
from .naive import naive_batch, on_device, score

PIPELINE, NAIVE, BARE = "pipeline", "naive", "bare encoders"
STEP, NAIVE_STEP = "training step", "naive training step"


class Workload:
    """A pipeline's component, and examples whose predicted Docs have the gold mentions."""

    def __init__(self, nlp: Language, name: str, examples: List[Example]) -> None:
        self.nlp = nlp
        self.name = name
        self.rel: DualEncoderRel = nlp.get_pipe(name)  # type: ignore[assignment]
        self.examples = examples
        self.network: DualEncoder = get_network(self.rel.model)
        self.device: torch.device = self.network.device
        self.batches = get_batches(self.rel.model)

    def fresh_docs(self) -> List[Doc]:
        """New Docs with tokens, sentences and mentions only."""
        return [copy_mentions(example.reference) for example in self.examples]

    def exhaust(self, docs: Iterable[Doc]) -> None:
        """``nlp.pipe`` with the component alone, as the mentions are given."""
        with self.nlp.select_pipes(enable=self.name):
            for _ in self.nlp.pipe(docs):
                pass

    def instances(self) -> Tuple[List[Instance], numpy.ndarray]:
        """The P instances, and which descriptions are read without a cascade: booleans (P, L)."""
        scored = list(self.rel.stream(self.fresh_docs(), read_all=True))
        read = numpy.concatenate([part.scores.read for part in scored])
        return list(chain.from_iterable(part.instances for part in scored)), read

    def batch(self, instances: Sequence[Instance], read: numpy.ndarray) -> PairBatch:
        """All instances in one batch, sorted by length; every distinct sequence occurs once."""
        return self.batches.pairs(self.batches.texts(instances), instances, read)[0]

    def count(self, batch: PairBatch) -> Dict[str, int]:
        """Count the work for a batch of all candidates. Texts (if packed, passes) and descriptions are distinct."""
        return {
            "documents": len(self.examples),
            "words": sum(len(example.reference) for example in self.examples),
            "candidates": len(batch.text_index),
            "texts": sum(len(part.ids) for part in batch.texts),
            "descriptions": sum(len(part.ids) for part in batch.descriptions or []),
        }


def benchmark(
    nlp: Language,
    source: str,
    data_path: Path,
    repetitions: int = 5,
    limit: int = 0,
    naive_candidates: int = 64,
    train: int = 0,
) -> Dict[str, Any]:
    """Measure a pipeline with the options of `spacy dualre benchmark`, without changing weights. `source` tells where
    the pipeline is from.

    Returns:
        "settings", "counts" of the work, the figures of "prediction" and, if asked for, "training", see `take_turns`,
        and "peak_memory_mb".

    Raises:
        ValueError: The pipeline has no component to measure, or the documents have no candidates.
    """
    name, rel = find_component(nlp)
    workload = Workload(nlp, name, list(rel_corpus(data_path, limit=limit)(nlp)))
    if not any(True for doc in workload.fresh_docs() for _ in rel.get_candidates(doc)):
        raise ValueError(Errors.DR700.format(path=data_path, n=len(workload.examples), source=rel.mentions_from))
    encoders = workload.network.encoders()
    settings = {
        "model": source,
        "data": str(data_path),
        "parameters_per_encoder": [sum(p.numel() for p in encoder.parameters()) for encoder in encoders],
        **asdict(rel.model.attrs["run"].settings),
        "max_length": workload.batches.max_length,
        "batch_tokens": workload.batches.batch_tokens,
        "predicates": len(rel.labels),
        "prediction": rel.prediction,
        "cascade": rel.cascade and rel.cascade._asdict(),
        "context": rel.context,
        "device": device_name(workload.device),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": package_versions(),
    }
    counts, prediction = measure_prediction(workload, repetitions, naive_candidates)
    report = {"settings": settings, "counts": counts, "prediction": prediction}
    if train:
        report["training"] = measure_training(workload, repetitions, train)
    return {**report, "peak_memory_mb": peak_memory_mb()}


def measure_prediction(
    workload: Workload, repetitions: int, naive_candidates: int
) -> Tuple[Dict[str, int], Dict[str, Any]]:
    """Measure `nlp.pipe`, the bare encoders and, on this many candidates, the naive way, see `take_turns`. Returns the
    counts too.
    """
    # Warm up
    workload.exhaust(workload.fresh_docs()[:5])
    instances, read = workload.instances()
    batch = workload.batch(instances, read)
    counts = workload.count(batch)
    bare = partial(_bare, workload, on_device(batch, workload.device))
    runs: Dict[str, Run] = {PIPELINE: partial(_pipeline, workload, counts), BARE: bare}
    if naive_candidates:
        n = min(naive_candidates, len(instances))
        chosen = numpy.linspace(0, len(instances), n, endpoint=False, dtype="int64")
        made = naive_batch(workload.batches, [instances[i] for i in chosen], read[chosen])
        runs[NAIVE] = partial(_naive, workload, made)
    return counts, take_turns(runs, repetitions, [(PIPELINE, name) for name in runs if name != PIPELINE])


def _pipeline(workload: Workload, counts: Dict[str, int], repetition: int) -> Figures:
    docs = workload.fresh_docs()
    # Forget all documents so far, and prepare again what does not depend on documents
    forget(workload.rel.model)
    memory = get_runner(workload.rel.model).descriptions.memory
    amounts = {name: counts[name] for name in ("candidates", "documents", "words")}
    with measured(workload.device, **amounts) as figures:
        workload.exhaust(docs)
    hits = 100 * memory.hits / max(memory.hits + memory.misses, 1)
    return {**figures, "description_memory_hits_percent": hits}


def _bare(workload: Workload, batch: PairBatch, repetition: int) -> Figures:
    """Run both encoders over tensors, in the pipeline's own precision."""
    network, runner = workload.network.eval(), get_runner(workload.rel.model)
    with torch.inference_mode(), measured(workload.device, candidates=len(batch.text_index)) as figures:
        network.read_texts(batch.texts, batch.text_index, runner.text_encoder)
        if batch.descriptions is not None:
            network.description_states(batch.descriptions, runner.description_encoder)
    return figures


def _naive(workload: Workload, batch: PairBatch, repetition: int) -> Figures:
    """Encoders and heads: tokenisation and padding are not timed, in favour of the naive way."""
    with measured(workload.device, candidates=len(batch.text_index)) as figures:
        score(workload.network, on_device(batch, workload.device))
    return figures


def measure_training(workload: Workload, repetitions: int, batch_size: int) -> Dict[str, Any]:
    """Measure a step with this many candidates, with another batch for each repetition, see `take_turns`.

    The naive step pads everything and shares nothing, with the same loss and optimizer. The learning rate is 0, so no
    weight changes, although the optimizer does all its work.
    """
    batches = training_batches(workload, batch_size)
    sgd = AdamW(learn_rate=0.0)
    runs = {STEP: partial(_step, workload, batches, sgd), NAIVE_STEP: partial(_naive_step, workload, batches, sgd)}
    # The optimizer allocates its moments in the first step
    for run in runs.values():
        run(0)
    return take_turns(runs, repetitions, [(STEP, NAIVE_STEP)])


def training_batches(workload: Workload, size: int) -> List[List[Example]]:
    """Batches of `size` candidates, as from the training batcher; without those that are not full, if any is."""
    counts = [sum(1 for _ in workload.rel.get_candidates(example.predicted)) for example in workload.examples]
    batches = list(share_out(workload.examples, counts, size))
    return batches[: sum(counts) // size] or batches


def _step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    batch = batches[repetition % len(batches)]
    n = len(workload.rel.training_targets(batch).candidates)
    with measured(workload.device, candidates=n) as figures:
        losses = workload.rel.update(batch, sgd=sgd)
    return {**figures, "loss": losses[workload.name]}


def _naive_step(workload: Workload, batches: List[List[Example]], sgd: Optimizer, repetition: int) -> Figures:
    # Tokenisation and padding are not timed, in its favour
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
