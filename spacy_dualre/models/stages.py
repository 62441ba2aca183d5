"""Where the time goes: stages from Docs to relations, timed while recording."""

from contextlib import contextmanager
from time import perf_counter
from typing import Callable, Dict, Iterator, Optional

STAGES = ("candidates", "instances", "tokenise", "input encoder", "description encoder", "heads", "decode")


class Recorder:
    """Seconds of each stage; `finished` waits for the device."""

    def __init__(self, finished: Callable[[], None]) -> None:
        self.seconds: Dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self.finished = finished


_recorder: Optional[Recorder] = None


@contextmanager
def record(finished: Callable[[], None] = lambda: None) -> Iterator[Dict[str, float]]:
    """Time the stages inside, in this process; yields {stage: seconds}, which grow."""
    global _recorder
    _recorder = Recorder(finished)
    try:
        yield _recorder.seconds
    finally:
        _recorder = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Attribute the time inside to this stage. Stages do not nest."""
    if _recorder is None:
        yield
        return
    recorder, start = _recorder, perf_counter()
    yield
    recorder.finished()
    recorder.seconds[name] += perf_counter() - start
