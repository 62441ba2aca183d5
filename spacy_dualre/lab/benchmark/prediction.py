"""Prediction from end to end, against the naive way and the bare encoders."""

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Callable, ContextManager, Dict, List, Sequence, Tuple

from ...models.stages import record
from ...types import Instance, PaddedBatch, PairBatch
from .measure import Figures, evenly, finisher, interleave, measured, ratios, with_summary
from .workload import Counts, Workload, as_figures
from .yardsticks import bare_batch, encode, naive_batch, on_device, score

ENGINE, NAIVE, BARE = "pipeline", "naive", "bare encoders"


def measure_prediction(workload: Workload, repetitions: int, naive_candidates: int) -> Dict[str, Any]:
    """{"counts", "runs", "ratios"}: the figures of `nlp.pipe`, of the bare encoders and, for so many candidates, of the
    naive way, each with all repetitions.
    """
    workload.warm_up()
    instances = workload.instances()
    counts = workload.count(instances)
    runs: Dict[str, Callable[[int], Figures]] = {
        ENGINE: partial(_pipeline, workload, counts),
        **_bare_runs(workload, instances),
    }
    if naive_candidates:
        runs[NAIVE] = _naive_run(workload, instances, naive_candidates)
    found = interleave(runs, repetitions)
    compared = {
        f"{ENGINE} / {name}": ratios(found[name], found[ENGINE], "seconds", "share_of_limit")
        for name in runs
        if name.startswith(BARE)
    }
    if naive_candidates:
        compared[f"{ENGINE} / {NAIVE}"] = ratios(found[ENGINE], found[NAIVE], "candidates_per_s", "speedup")
    return {
        "counts": {**counts._asdict(), "tokens": counts.tokens},
        "runs": with_summary(found),
        "ratios": with_summary(compared),
    }


def _pipeline(workload: Workload, counts: Counts, repetition: int) -> Figures:
    memory = workload.engine.memory
    hits, misses = memory.hits, memory.misses
    # To time the stages, a GPU is waited for, which costs time: they get a run of their own
    on_gpu = workload.engine.network.device.type == "cuda"
    figures, stages = _run(workload, recorded=not on_gpu)
    hits, asked = memory.hits - hits, memory.hits + memory.misses - hits - misses
    seconds = figures["seconds"]
    if on_gpu:
        recorded, stages = _run(workload, recorded=True)
        seconds = recorded["seconds"]
    figures.update(as_figures(counts, figures["seconds"]))
    figures["description_memory_hits_percent"] = 100 * hits / max(asked, 1)
    figures["input_encoder_s"] = stages["input encoder"]
    figures["input_encoder_candidates_per_s"] = counts.candidates / stages["input encoder"]
    for name, spent in {**stages, "other": seconds - sum(stages.values())}.items():
        figures[f"time_in_{name.replace(' ', '_')}_percent"] = 100 * spent / seconds
    return figures


def _run(workload: Workload, recorded: bool) -> Tuple[Figures, Dict[str, float]]:
    """Figures of the run, and the seconds of each stage if they are recorded."""
    docs = workload.fresh_docs()
    device = workload.engine.network.device
    recording: ContextManager[Dict[str, float]] = record(finisher(device)) if recorded else nullcontext({})
    with measured(device) as figures, recording as stages:
        workload.exhaust(docs)
    return figures, stages


def _bare_runs(workload: Workload, instances: Sequence[Instance]) -> Dict[str, Callable[[int], Figures]]:
    """The bare encoders in float32 and, if that is another, in the precision that the model predicts in."""
    batch = bare_batch(workload, instances)
    engine, n = workload.engine, len(instances)
    runs: Dict[str, Callable[[int], Figures]] = {f"{BARE}, float32": partial(_bare, workload, batch, n, True)}
    if engine.precision != "float32" or engine.compiled:
        name = f"{BARE}, {engine.precision}{', compiled' if engine.compiled else ''}"
        runs[name] = partial(_bare, workload, batch, n, False)
    # Warms up what the pipeline has not: the first batch is the shortest, the last the longest
    small = replace(batch, texts=_ends(batch.texts), descriptions=batch.descriptions and _ends(batch.descriptions))
    _bare(workload, small, n, True, 0)
    return runs


def _ends(batches: List[PaddedBatch]) -> List[PaddedBatch]:
    return [batches[0], batches[-1]]


def _bare(workload: Workload, batch: PairBatch, n_candidates: int, precise: bool, repetition: int) -> Figures:
    device = workload.engine.network.device
    with measured(device) as figures:
        encode(workload.engine, batch.texts, is_text=True, precise=precise)
    if batch.descriptions is not None:
        with measured(device) as of_descriptions:
            encode(workload.engine, batch.descriptions, is_text=False, precise=precise)
        figures["input_s"] = figures["seconds"]
        figures["descriptions_s"] = of_descriptions["seconds"]
        figures["seconds"] += of_descriptions["seconds"]
        for name in ("peak_memory_mb", "peak_gpu_memory_mb"):
            if name in figures:
                figures[name] = max(figures[name], of_descriptions[name])
    figures["candidates_per_s"] = n_candidates / figures["seconds"]
    return figures


def _naive_run(workload: Workload, instances: Sequence[Instance], n: int) -> Callable[[int], Figures]:
    sample = [instances[i] for i in evenly(n, len(instances))]
    engine = workload.engine
    first = naive_batch(engine, sample[:1], workload.to_read(sample[:1]))
    _naive(workload, first, 0)
    return partial(_naive, workload, naive_batch(engine, sample, workload.to_read(sample)))


def _naive(workload: Workload, batch: PairBatch, repetition: int) -> Figures:
    """Encoders and heads: that the texts are cut into pieces and padded is not timed, in favour of the naive way."""
    device = workload.engine.network.device
    with measured(device) as figures:
        score(workload.engine, on_device(batch, workload.engine))
    figures["candidates_per_s"] = len(batch.text_index) / figures["seconds"]
    return figures
