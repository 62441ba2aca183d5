"""Clean shutdown on Ctrl-C and SIGTERM."""

import multiprocessing
import os
import signal
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional


class Interrupted(BaseException):
    """Raised on a signal. Its code is the exit status, 128 plus the signal's number."""

    def __init__(self, code: int) -> None:
        self.code = code


@contextmanager
def interruptible(*kinds: signal.Signals) -> Iterator[None]:
    """Make these signals raise Interrupted, once, and kill worker processes, whose batches are no longer needed."""
    owner = os.getpid()

    def stop(number: int, frame: Optional[FrameType]) -> None:
        if os.getpid() != owner:
            os._exit(128 + number)
        for kind in before:
            signal.signal(kind, signal.SIG_IGN)
        for worker in multiprocessing.active_children():
            worker.kill()
        raise Interrupted(128 + number)

    before = {kind: signal.signal(kind, stop) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
