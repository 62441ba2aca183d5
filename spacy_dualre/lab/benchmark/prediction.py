"""End-to-end prediction, compared with the naive way, the bare encoders, and several processes."""

from contextlib import nullcontext
from functools import partial
from typing import Any, ContextManager, Dict, List, Optional, Tuple

import numpy
import torch

from ...models.stages import record
from ...types import Instance, PaddedBatch, PairBatch
from .measure import Figures, Ratio, Run, evenly, finisher, measured, take_turns
from .workload import Workload
from .yardsticks import naive_batch, on_device, score

PIPELINE, NAIVE, BARE = "pipeline", "naive", "bare encoders"
#: With fewer batches than this per process, some would wait for others.
_BATCHES_EACH = 4


def measure_prediction(workload: Workload, repetitions: int, naive_candidates: int) -> Dict[str, Any]:
    """Measure `nlp.pipe`, the bare encoders and, on this many candidates, the naive way, see `take_turns`."""
    workload.warm_up()
    instances, read = workload.instances()
    batch = workload.batch(instances, read)
    counts = workload.count(batch)
    bare = _bare_runs(workload, on_device(batch, workload.device))
    runs: Dict[str, Run] = {PIPELINE: partial(_pipeline, workload, counts), **bare}
    ratios = [Ratio(PIPELINE, name, "share_of_limit") for name in bare]
    if naive_candidates:
        runs[NAIVE] = _naive_run(workload, instances, read, naive_candidates)
        ratios.append(Ratio(PIPELINE, NAIVE, "speedup"))
    return {"counts": counts, **take_turns(runs, repetitions, ratios)}


def measure_processes(workload: Workload, repetitions: int, n_process: int) -> Dict[str, Any]:
    """Measure ``nlp.pipe(n_process=...)``, including the start of the workers, and one process, see `take_turns`.

    Memory is that of the main process alone.
    """
    workload.warm_up()
    n = len(workload.examples)
    one, several = "1 process", f"{n_process} processes"
    batch_size = min(workload.nlp.batch_size, -(-n // (_BATCHES_EACH * n_process)))

    def run(options: Dict[str, int], repetition: int) -> Figures:
        docs = workload.fresh_docs()
        workload.start_cold()
        with measured(workload.device, documents=n) as figures:
            workload.exhaust(docs, **options)
        return figures

    runs = {several: partial(run, {"n_process": n_process, "batch_size": batch_size}), one: partial(run, {})}
    ratio = Ratio(several, one, "speedup", "documents_per_s")
    return {"n_process": n_process, **take_turns(runs, repetitions, [ratio])}


def _pipeline(workload: Workload, counts: Dict[str, int], repetition: int) -> Figures:
    # Timing the stages means waiting for the GPU, which costs time, so they get a separate run
    on_gpu = workload.device.type == "cuda"
    figures, stages = _run(workload, counts, recorded=not on_gpu)
    seconds = figures["seconds"]
    if on_gpu:
        recorded, stages = _run(workload, counts, recorded=True)
        seconds = recorded["seconds"]
    memory = workload.runner.memory
    figures["description_memory_hits_percent"] = 100 * memory.hits / max(memory.hits + memory.misses, 1)
    figures["input_encoder_s"] = stages["input encoder"]
    figures["input_encoder_candidates_per_s"] = counts["candidates"] / stages["input encoder"]
    for name, spent in {**stages, "other": seconds - sum(stages.values())}.items():
        figures[f"time_in_{name.replace(' ', '_')}_percent"] = 100 * spent / seconds
    return figures


def _run(workload: Workload, counts: Dict[str, int], recorded: bool) -> Tuple[Figures, Dict[str, float]]:
    docs = workload.fresh_docs()
    amounts = {name: counts[name] for name in ("candidates", "documents", "words", "tokens")}
    recording: ContextManager[Dict[str, float]] = record(finisher(workload.device)) if recorded else nullcontext({})
    workload.start_cold()
    with measured(workload.device, **amounts) as figures, recording as stages:
        workload.exhaust(docs)
    return figures, stages


def _bare_runs(workload: Workload, batch: PairBatch) -> Dict[str, Run]:
    """The bare encoders in float32 and, if that differs, in the precision of prediction."""
    runs: Dict[str, Run] = {f"{BARE}, float32": partial(_bare, workload, batch, False)}
    precision = workload.rel.model.attrs["run"].settings.precision
    if precision != "float32":
        runs[f"{BARE}, {precision}"] = partial(_bare, workload, batch, True)
    # Warm up with the shortest and the longest batch
    ends = PairBatch(batch.texts[:: max(len(batch.texts) - 1, 1)], batch.text_index, None, batch.description_index)
    if batch.descriptions:
        ends.descriptions = batch.descriptions[:: max(len(batch.descriptions) - 1, 1)]
    _bare(workload, ends, False, 0)
    return runs


def _bare(workload: Workload, batch: PairBatch, as_set: bool, repetition: int) -> Figures:
    """Run both encoders over tensors, in the pipeline's own precision (`as_set`) or in float32."""
    network, runner, n = workload.network.eval(), workload.runner, len(batch.text_index)

    def encode(read: Any, batches: List[PaddedBatch], encoder: Optional[torch.nn.Module]) -> Figures:
        with torch.inference_mode(), measured(workload.device) as figures:
            read(batches, encoder if as_set else None)
        return figures

    figures = encode(network.read_texts, batch.texts, runner.text_encoder)
    if batch.descriptions is not None:
        described = encode(network.read_descriptions, batch.descriptions, runner.description_encoder)
        parts = {"input_s": figures["seconds"], "descriptions_s": described["seconds"]}
        peaks = {name: max(figures[name], described[name]) for name in figures if name != "seconds"}
        figures = {"seconds": sum(parts.values()), **peaks, **parts}
    return {**figures, "candidates_per_s": n / figures["seconds"]}


def _naive_run(workload: Workload, instances: List[Instance], read: numpy.ndarray, n: int) -> Run:
    chosen = evenly(n, len(instances))
    made = naive_batch(workload.batches, [instances[i] for i in chosen], read[chosen])

    def run(repetition: int) -> Figures:
        # Encoders and heads: tokenisation and padding are not timed, in favour of the naive way
        with measured(workload.device, candidates=len(chosen)) as figures:
            score(workload.network, on_device(made, workload.device))
        return figures

    first = naive_batch(workload.batches, [instances[chosen[0]]], read[chosen[:1]])
    score(workload.network, on_device(first, workload.device))
    return run
