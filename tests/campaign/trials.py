"""Trials, each an attempt to make something fail, in a process of their own with limits of time and memory."""

import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from helpers.paths import ROOT

#: Characters of a message that are shown.
_SHOWN = 300


class Attempt(NamedTuple):
    """What a trial is given: random numbers of its own, an empty folder, and a function that tells what is tried."""

    random: Random
    folder: Path
    tell: Callable[[str], None]


class Trial(NamedTuple):
    """Raises if what it tries does not end as it should. Its unique name and the seed decide what it tries."""

    name: str
    run: Callable[[Attempt], Any]


class Outcome(NamedTuple):
    """What a trial tried, and what went wrong, if anything did."""

    name: str
    tried: str
    problem: Optional[str]

    def __str__(self) -> str:
        return f"{self.name} | {one_line(self.tried, 120)} | {self.problem}"


class Campaign(NamedTuple):
    """Trials of one kind.

    Attributes:
        tried: What they try, in words.
        trials: Makes them.
        seconds, megabytes: Limits of each trial; memory is counted beyond what it starts with, and 0 is any.
        skipped: Why there are no trials, if there are none.
    """

    name: str
    tried: str
    trials: Callable[[], Iterable[Trial]]
    seconds: float
    megabytes: int = 0
    skipped: str = ""


def run(campaign: Campaign, seed: int, folder: Path, only: Union[str, Tuple[str, ...]] = "") -> Iterator[Outcome]:
    """Run the trials whose names start with `only`, in order. One that hangs, or whose process dies, has failed, and
    the others go on.

    Args:
        folder: Each trial gets a folder inside, which stays if the trial fails.
    """
    left = [trial for trial in campaign.trials() if trial.name.startswith(only)]
    while left:
        ours, theirs = Pipe()
        process = os.fork()
        if not process:
            ours.close()
            _work(left, campaign.megabytes, seed, folder, theirs)
        theirs.close()
        for trial in list(left):
            left.remove(trial)
            tried, problem, ended = _watch(ours, campaign.seconds)
            if ended:
                with suppress(ProcessLookupError):
                    os.killpg(process, signal.SIGKILL)
                status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                problem = problem or f"its process ended with status {status}"
            yield Outcome(trial.name, tried, problem)
            if ended:
                break
        else:
            os.waitpid(process, 0)


def _watch(connection: Connection, seconds: float) -> tuple:
    """What a trial tried, its problem, and whether its process has ended or must."""
    tried = ""
    while connection.poll(seconds):
        try:
            kind, text = connection.recv()
        except (EOFError, OSError):
            return tried, None, True
        if kind == "done":
            return tried, text, False
        tried = text
    return tried, f"not over after {seconds:.0f} s", True


def _work(trials: List[Trial], megabytes: int, seed: int, folder: Path, connection: Connection) -> None:
    """Run trials in this process, which ends."""
    try:
        os.setpgid(0, 0)
        log_to(folder)
        if megabytes:
            _limit_memory(megabytes)
        for trial in trials:
            connection.send(("done", _problem(trial, seed, folder, lambda text: connection.send(("tried", text)))))
    finally:
        sys.stdout.flush()
        os._exit(0)


def _problem(trial: Trial, seed: int, folder: Path, tell: Callable[[str], None]) -> Optional[str]:
    own = Path(tempfile.mkdtemp(prefix=f"{trial.name.replace('/', '-')}-", dir=folder))
    try:
        trial.run(Attempt(Random(f"{seed} {trial.name}"), own, tell))
    except BaseException as err:
        traceback.print_exc()
        return one_line(f"{type(err).__name__}: {err}") + _place(err)
    shutil.rmtree(own)
    return None


def _place(err: BaseException) -> str:
    """The innermost line of the repository that an error went through."""
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if Path(frame.filename).is_relative_to(ROOT)]
    return f" ({Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno})" if frames else ""


def one_line(text: str, shown: int = _SHOWN) -> str:
    """A text that can be printed in a line."""
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= shown else f"{text[:shown]}..."


def log_to(folder: Path) -> None:
    """Write what this process would print to the log of a folder."""
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
