"""Measuring time and memory, of runs that take turns."""

import ctypes
import gc
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence

import torch

from ...errors import Errors

try:
    import psutil
except ImportError as err:
    raise ImportError(Errors.DR725.format(problem=err)) from err

#: Such as {"seconds": 1.5}.
Figures = Dict[str, float]
#: From the number of the repetition to its figures.
Run = Callable[[int], Figures]
_MB = 1024 * 1024
#: Seconds between two samples of memory.
_EVERY = 0.01


class Ratio(NamedTuple):
    """A figure of one run divided by the same figure of another, and the name of the quotient."""

    one: str
    other: str
    name: str
    figure: str = "candidates_per_s"


def take_turns(runs: Mapping[str, Run], repetitions: int, ratios: Sequence[Ratio]) -> Dict[str, Any]:
    """Measure the runs in turns, so that drift in the machine's speed affects them alike.

    Returns:
        {"runs": {name: {"summary", "repetitions"}}, "ratios": {"one / other": likewise}}, where a summary is
        {figure: {"median", "min", "max"}} and ratios are taken within each repetition.
    """
    found: Dict[str, List[Figures]] = {name: [] for name in runs}
    for repetition in range(repetitions):
        for name, run in runs.items():
            found[name].append(run(repetition))
    compared = {
        f"{r.one} / {r.other}": [{r.name: a[r.figure] / b[r.figure]} for a, b in zip(found[r.one], found[r.other])]
        for r in ratios
    }
    return {
        part: {name: {"summary": _summarise(each), "repetitions": each} for name, each in figures.items()}
        for part, figures in (("runs", found), ("ratios", compared))
    }


def _summarise(repetitions: Sequence[Figures]) -> Dict[str, Figures]:
    columns = {name: [figures[name] for figures in repetitions] for name in (repetitions[0] if repetitions else ())}
    return {name: {"median": median(c), "min": min(c), "max": max(c)} for name, c in columns.items()}


@contextmanager
def measured(device: torch.device, **amounts: float) -> Iterator[Figures]:
    """Measure the body of the with statement, which handles these amounts, such as candidates=30.

    Yields:
        A dict, filled at the end with "seconds", "candidates_per_s" and so on for each amount, "peak_memory_mb"
        (resident) and, on a GPU, "peak_gpu_memory_mb".
    """
    figures: Figures = {}
    wait = finisher(device)
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with _watched_memory() as seen:
        wait()
        start = perf_counter()
        yield figures
        wait()
        figures["seconds"] = perf_counter() - start
    figures.update({f"{name}_per_s": amount / figures["seconds"] for name, amount in amounts.items()})
    figures["peak_memory_mb"] = max(seen)
    if device.type == "cuda":
        figures["peak_gpu_memory_mb"] = torch.cuda.max_memory_allocated(device) / _MB


@contextmanager
def _watched_memory() -> Iterator[List[float]]:
    """Sample the resident memory of this process in a thread. Yields a list whose maximum is the peak in the end."""
    seen, stop = [resident_mb()], Event()

    def watch() -> None:
        while not stop.wait(_EVERY):
            seen[0] = max(seen[0], resident_mb())

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
        seen.append(resident_mb())


def finisher(device: torch.device) -> Callable[[], None]:
    """A function that waits until the device has finished."""
    return (lambda: torch.cuda.synchronize(device)) if device.type == "cuda" else (lambda: None)


def resident_mb() -> float:
    """The resident memory of this process in MB, without that of its workers."""
    return psutil.Process().memory_info().rss / _MB


def release_memory() -> None:
    """Return unused memory to the system if the C library can (glibc), so that its reuse counts as growth."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        pass


@contextmanager
def threads(n: int) -> Iterator[int]:
    """Let torch use n threads (0: as many as before). Yields their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def evenly(n: int, total: int) -> List[int]:
    """Up to n indices below `total`, evenly spread."""
    n = min(n, total)
    return [i * total // n for i in range(n)]
