"""Measuring time and memory, of runs that take turns."""

import gc
import sys
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import torch

#: Such as {"seconds": 1.5}.
Figures = Dict[str, float]
#: From the number of the repetition to its figures.
Run = Callable[[int], Figures]
_MB = 1024 * 1024


def take_turns(runs: Mapping[str, Run], repetitions: int, ratios: Sequence[Tuple[str, str]]) -> Dict[str, Any]:
    """Measure the runs in turns, so that drift in the machine's speed affects them alike.

    Returns:
        {run: {figure: {"median", "min", "max", "repetitions"}}}. For each pair of runs in `ratios` there is "one /
        other", too, whose figure is the ratio of candidates per second within each repetition.
    """
    found: Dict[str, List[Figures]] = {name: [] for name in runs}
    for repetition in range(repetitions):
        for name, run in runs.items():
            found[name].append(run(repetition))
    for one, other in ratios:
        pairs = zip(found[one], found[other])
        found[f"{one} / {other}"] = [{"times_as_fast": a["candidates_per_s"] / b["candidates_per_s"]} for a, b in pairs]
    return {name: {figure: _summarise(each, figure) for figure in each[0]} for name, each in found.items()}


def _summarise(repetitions: Sequence[Figures], figure: str) -> Dict[str, Any]:
    values = [figures[figure] for figures in repetitions]
    return {"median": median(values), "min": min(values), "max": max(values), "repetitions": values}


@contextmanager
def measured(device: torch.device, **amounts: float) -> Iterator[Figures]:
    """Measure the body of the with statement, which handles these amounts, such as candidates=30.

    Yields:
        A dict, filled at the end with "seconds", "candidates_per_s" and so on for each amount, and, on a GPU,
        "peak_gpu_memory_mb".
    """
    figures: Figures = {}
    on_gpu = device.type == "cuda"
    gc.collect()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
        torch.cuda.synchronize(device)
    start = perf_counter()
    yield figures
    if on_gpu:
        torch.cuda.synchronize(device)
        figures["peak_gpu_memory_mb"] = torch.cuda.max_memory_allocated(device) / _MB
    figures["seconds"] = perf_counter() - start
    figures.update({f"{name}_per_s": amount / figures["seconds"] for name, amount in amounts.items()})


def peak_memory_mb() -> Optional[float]:
    """The largest resident memory of this process so far; None on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return None
    # In bytes on macOS, elsewhere in KB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / _MB
