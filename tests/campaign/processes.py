"""Commands in processes that are killed: after a while, or at a file operation."""

import builtins
import io
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, List, Optional

from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401

_OPEN = io.open
KILLED = -signal.SIGKILL
#: Events that change something on the disk. All of them begin with a path.
_OPERATIONS = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.truncate", "os.link", "os.symlink"}


def start(*args: Any, first: Callable = lambda: None, last: Callable = lambda: None) -> int:
    """Fork a process that calls `spacy` in a session of its own, between two functions. Returns its id."""
    process = os.fork()
    if process:
        return process
    status = 70
    try:
        os.setsid()
        first()
        result = CliRunner().invoke(app, list(map(str, args)))
        print(result.output, result.exception or "", flush=True)
        last()
        status = result.exit_code
    finally:
        os._exit(status)


def is_over(process: int, seconds: float) -> bool:
    """Whether a process ends within some seconds. Its exit status is left for `finish`."""
    end = time.monotonic() + seconds
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def finish(process: int, seconds: float) -> int:
    """The exit status of a process that must end in time, and leave no other one behind."""
    try:
        assert is_over(process, seconds), f"a command is not over after {seconds:.0f} s"
        end = time.monotonic() + seconds
        while left := in_session(process):
            assert time.monotonic() < end, f"{len(left)} worker processes stay behind"
            time.sleep(0.01)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status


def in_session(session: int) -> List[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        # A process that nobody waits for remains as a zombie
        if int(of) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


class Operations:
    """Counts what this process does to the files in a folder, and kills it at one of these operations: opening to
    write, writing (of which a half is done), truncating, renaming, removing, and making or removing a folder.

    Attributes:
        n: Operations so far.
    """

    def __init__(self, folder: Path, kill_at: int = 0) -> None:
        self.folder = str(folder)
        self.kill_at = kill_at
        self.n = 0

    def start(self) -> None:
        """From now on. It cannot be ended."""
        sys.addaudithook(self._audit)
        io.open = builtins.open = self._open  # type: ignore[assignment]

    def come_to(self, path: Any, half: Callable[[], Any] = lambda: None) -> None:
        """Count an operation on a path, or do a half of it and kill this process."""
        if isinstance(path, int) or not os.fsdecode(path).startswith(self.folder):
            return
        self.n += 1
        if self.n == self.kill_at:
            half()
            os.kill(os.getpid(), signal.SIGKILL)

    def _audit(self, event: str, args: tuple) -> None:
        if event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR) or event in _OPERATIONS:
            path, at = args[0], args[-1]
            # shutil.rmtree removes files relative to an open folder
            if event in ("os.remove", "os.rmdir") and isinstance(at, int) and at >= 0:
                path = os.path.join(os.readlink(f"/proc/self/fd/{at}"), path)
            self.come_to(path)

    def _open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: Optional[str] = None,
        errors: Optional[str] = None,
        newline: Optional[str] = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """Like `open`, with files that count what is written."""
        if isinstance(file, int) or not set("wax+") & set(mode):
            return _OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _File(self, file, "".join(sorted(set(mode) - set("bt"))), closefd, opener)
        if buffering == 0:
            return raw
        buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline, buffering == 1)


class _File(io.FileIO):
    def __init__(self, operations: Operations, *args: Any) -> None:
        super().__init__(*args)
        self._operations = operations

    def write(self, data: Any) -> Any:
        view = memoryview(data).cast("B")
        self._operations.come_to(self.name, lambda: super(_File, self).write(view[: len(view) // 2]))
        return super().write(data)

    def truncate(self, size: Optional[int] = None) -> Any:
        self._operations.come_to(self.name)
        return super().truncate(size)
