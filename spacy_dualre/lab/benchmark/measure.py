"""Seconds, memory, and figures of several repetitions."""

import ctypes
import gc
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import Callable, Dict, Iterator, List, Mapping, Sequence

import psutil
import torch

#: Numbers by name, such as {"seconds": 1.5}: of one run.
Figures = Dict[str, float]
#: The same of several repetitions, and {name: {"median", "min", "max"}}.
Repetitions = List[Figures]
Summary = Dict[str, Dict[str, float]]
_MB = 1024 * 1024
#: Seconds between two looks at the memory.
_EVERY = 0.01


def resident_mb() -> float:
    """The resident memory of this process in MB, without its workers'."""
    return psutil.Process().memory_info().rss / _MB


def release_memory() -> None:
    """Give memory that is not in use back to the system, where the C library can (glibc): else what was freed before is
    used again, and no growth is seen.
    """
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        pass


class PeakMemory:
    """Watches this process's resident memory while it is entered. peak: in MB."""

    def __init__(self) -> None:
        self.peak = resident_mb()
        self._stop = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = max(self.peak, resident_mb())

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY):
            self.peak = max(self.peak, resident_mb())


def finisher(device: torch.device) -> Callable[[], None]:
    """What waits until the device has done what was asked of it."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return lambda: None


@contextmanager
def measured(device: torch.device) -> Iterator[Figures]:
    """Gives figures that are there once the block has ended: "seconds" until the device has finished, "peak_memory_mb"
    (resident) and, on a GPU, "peak_gpu_memory_mb".
    """
    figures: Figures = {}
    finished = finisher(device)
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with PeakMemory() as memory:
        finished()
        start = perf_counter()
        yield figures
        finished()
        figures["seconds"] = perf_counter() - start
    figures["peak_memory_mb"] = memory.peak
    if device.type == "cuda":
        figures["peak_gpu_memory_mb"] = torch.cuda.max_memory_allocated(device) / _MB


@contextmanager
def threads(n: int) -> Iterator[int]:
    """Let torch use n threads; 0: as many as it does. Gives their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def interleave(runs: Mapping[str, Callable[[int], Figures]], repetitions: int) -> Dict[str, Repetitions]:
    """The figures of each run, which is given the number of the repetition. All runs take turns, so that drift of the
    machine's speed hits them alike.
    """
    found: Dict[str, Repetitions] = {name: [] for name in runs}
    for repetition in range(repetitions):
        for name, run in runs.items():
            found[name].append(run(repetition))
    return found


def ratios(above: Repetitions, below: Repetitions, figure: str, name: str) -> Repetitions:
    """{name: figure of the one / figure of the other}, repetition by repetition."""
    return [{name: one[figure] / other[figure]} for one, other in zip(above, below)]


def summarise(repetitions: Repetitions) -> Summary:
    """Median and range of each figure."""
    names = repetitions[0] if repetitions else ()
    return {name: _spread([figures[name] for figures in repetitions]) for name in names}


def with_summary(found: Mapping[str, Repetitions]) -> Dict[str, Dict[str, object]]:
    """The repetitions of each run beside their summary, as the report holds them."""
    return {name: {"summary": summarise(reps), "repetitions": reps} for name, reps in found.items()}


def _spread(values: Sequence[float]) -> Dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def evenly(n: int, total: int) -> List[int]:
    """The places of n of total things, evenly spread; all if there are not so many."""
    n = min(n, total)
    return [i * total // n for i in range(n)]
