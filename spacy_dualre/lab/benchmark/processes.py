"""Several processes against one."""

from functools import partial
from typing import Any, Dict

from .measure import Figures, interleave, measured, ratios, with_summary
from .workload import Workload

#: Batches that each process gets, at least: with fewer, some would wait for others.
_BATCHES_EACH = 4


def measure_processes(workload: Workload, repetitions: int, n_process: int) -> Dict[str, Any]:
    """{"runs", "ratios"}: documents/s of ``nlp.pipe(n_process=...)``, the workers' start included, and of one process
    with its threads. Memory is the main process's alone.
    """
    workload.warm_up()
    n = len(workload.examples)
    batch_size = min(workload.nlp.batch_size, -(-n // (_BATCHES_EACH * n_process)))
    one, several = "1 process", f"{n_process} processes"
    runs = {
        several: partial(_run, workload, {"n_process": n_process, "batch_size": batch_size}),
        one: partial(_run, workload, {}),
    }
    found = interleave(runs, repetitions)
    compared = {f"{several} / {one}": ratios(found[several], found[one], "documents_per_s", "speedup")}
    return {"n_process": n_process, "runs": with_summary(found), "ratios": with_summary(compared)}


def _run(workload: Workload, options: Dict[str, Any], repetition: int) -> Figures:
    docs = workload.fresh_docs()
    with measured(workload.engine.network.device) as figures:
        workload.exhaust(docs, **options)
    return {**figures, "documents_per_s": len(docs) / figures["seconds"]}
