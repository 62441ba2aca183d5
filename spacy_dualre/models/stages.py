"""Where the time goes: stages from Docs to relations, timed while recording."""

from contextlib import contextmanager
from time import perf_counter
from typing import Callable, Dict, Iterator, Optional, Tuple

STAGES = ("candidates", "instances", "tokenise", "input encoder", "description encoder", "heads", "decode")
#: While recording, the seconds of each stage and what waits for the device.
_recording: Optional[Tuple[Dict[str, float], Callable[[], None]]] = None


@contextmanager
def record(finished: Callable[[], None] = lambda: None) -> Iterator[Dict[str, float]]:
    """Time the stages inside, in this process; yields {stage: seconds}, which grow. `finished` waits for the device."""
    global _recording
    seconds = dict.fromkeys(STAGES, 0.0)
    _recording = seconds, finished
    try:
        yield seconds
    finally:
        _recording = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Attribute the time inside to this stage. Stages do not nest."""
    if _recording is None:
        yield
        return
    (seconds, finished), start = _recording, perf_counter()
    yield
    finished()
    seconds[name] += perf_counter() - start
