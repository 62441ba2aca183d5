"""Worker processes that end with this one, and whose end is noticed."""

import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Any, Callable, Deque, Iterable, Iterator

from ..errors import Errors

#: Set in each worker.
_function: Callable


def in_processes(function: Callable, items: Iterable[Any], n_process: int) -> Iterator[Any]:
    """Like `map`, in worker processes. Only a few items are taken before they are needed.

    Raises ValueError if a worker died.
    """
    waiting: Deque[Future] = deque()
    pool = ProcessPoolExecutor(n_process, initializer=_start, initargs=(function,))
    try:
        for item in items:
            waiting.append(pool.submit(_call, item))
            if len(waiting) > 2 * n_process:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as err:
        raise ValueError(Errors.DR404) from err
    finally:
        pool.shutdown(cancel_futures=True)


def _start(function: Callable) -> None:
    global _function
    _function = function
    # Ctrl-C reaches all processes; the first one decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_after, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_after(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _call(item: Any) -> Any:
    return _function(item)
