"""Where the time goes: the stages of the road from Docs to relations, timed while somebody records."""

from contextlib import contextmanager
from time import perf_counter
from typing import Callable, Dict, Iterator, Optional

STAGES = ("candidates", "instances", "tokenise", "input encoder", "description encoder", "heads", "decode")


class Recorder:
    """Seconds of each stage, and `finished`, which waits until a device has done what was asked of it."""

    def __init__(self, finished: Callable[[], None]) -> None:
        self.seconds: Dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self.finished = finished


_recorder: Optional[Recorder] = None


@contextmanager
def record(finished: Callable[[], None] = lambda: None) -> Iterator[Dict[str, float]]:
    """Time the stages of what is run inside, in this process; gives the seconds of each, which grow."""
    global _recorder
    _recorder = Recorder(finished)
    try:
        yield _recorder.seconds
    finally:
        _recorder = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """What is run inside belongs to this stage. Stages do not nest."""
    if _recorder is None:
        yield
        return
    recorder, start = _recorder, perf_counter()
    yield
    recorder.finished()
    recorder.seconds[name] += perf_counter() - start
