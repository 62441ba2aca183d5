"""Commands are killed and resumed. What comes out must be, byte for byte, what comes out without an interruption."""

import os
import re
import signal
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

from helpers.pipelines import NAME

from tests.lab.test_resuming import files, make_arguments

from .ground import Ground, make_lines
from .processes import KILLED, Operations, finish, is_over, start
from .trials import Attempt, Campaign, Trial, log_to

#: Seconds within which a command must end, and its workers after it.
_SECONDS = 60
_DOCUMENTS = 60


class Work(NamedTuple):
    """A command that can be interrupted.

    Attributes:
        arguments: Of the command, for a folder to write into.
        result: Those files in the folder that do not depend on interruptions.
        output: Name of an output in the folder that must be there as a whole or not at all.
    """

    arguments: Callable[[Path], List[Any]]
    result: Callable[[Path], Dict[str, bytes]]
    output: str = ""


class Whole(NamedTuple):
    """An uninterrupted run: exit status, result, seconds and file operations."""

    status: int
    result: Dict[str, bytes]
    seconds: float
    operations: int


def campaigns(ground: Ground, seed: int, kills: int) -> List[Campaign]:
    """Each extraction is killed so many times after random times, and at so many file operations; trainings take
    longer, and are killed a fifth as often.
    """
    some = max(1, kills // 5)
    # What a score is in its last digit depends on what was computed with it: here, nothing but the same document
    alone = ("--batch-size", 1, f"--components.{NAME}.model.run.description_memory", 0)
    extract = partial(extraction, ground, seed)
    works: List[Any] = [
        ("extract", "extract, --resume", kills, partial(extract, "out.jsonl", *alone)),
        ("extract-brat", "extract to a folder, --resume", kills, partial(extract, "out", "--to", "brat", *alone)),
        (
            "extract-workers",
            "extract --n-process 2, --resume",
            kills,
            partial(extract, "out.jsonl", "--n-process", 2, *alone),
        ),
        (
            "extract-batches",
            "extract in batches by 2 processes, --resume",
            some,
            partial(extract, "out.jsonl", "--batch-size", 4, "--n-process", 2),
        ),
        ("train", "train, --resume", some, partial(training, ground)),
    ]
    return [
        Campaign(name, f"{tried}: kills", partial(killed, ground, name, n, make), seconds=8 * _SECONDS)
        for name, tried, n, make in works
    ]


def extraction(ground: Ground, seed: int, name: str, *more: Any) -> Work:
    """An extraction of documents, of which some are damaged, to an output with this name."""
    documents = ground.folder / "in.jsonl"
    documents.write_text("\n".join(make_lines(Random(seed), _DOCUMENTS)))
    arguments = ("dualre", "extract", ground.pipeline, documents)
    return Work(lambda folder: [*arguments, folder / name, *more], contents, name)


def training(ground: Ground) -> Work:
    """A training with dropout, shuffling and evaluations in the middle of epochs."""
    folder = ground.folder / "training"
    folder.mkdir()
    config, *settings = make_arguments(folder, ground.encoder)
    return Work(lambda folder: ["dualre", "train", config, "--output", folder, *settings], files)


def killed(ground: Ground, name: str, n: int, make: Callable[[], Work]) -> Iterator[Trial]:
    """Trials with one to three kills: n after random times, and n that begin at file operations, evenly spread."""
    work = make()
    whole = run_whole(ground.folder / f"whole-{name}", work)
    for number in range(n):
        yield Trial(f"{name}/time-{number}", partial(_interrupt, work, whole))
    for number in range(min(n, whole.operations)):
        first = 1 + number * whole.operations // min(n, whole.operations)
        yield Trial(f"{name}/operation-{first}", partial(_interrupt, work, whole, operation=first))


def run_whole(folder: Path, work: Work) -> Whole:
    """Run without an interruption."""
    folder.mkdir()
    counted = folder.with_suffix(".operations")
    operations = Operations(folder)
    begin = time.monotonic()

    def first() -> None:
        log_to(folder.parent)
        operations.start()

    process = start(*work.arguments(folder), first=first, last=lambda: counted.write_text(str(operations.n)))
    status = finish(process, _SECONDS)
    return Whole(status, work.result(folder), time.monotonic() - begin, int(counted.read_text()))


def _interrupt(work: Work, whole: Whole, attempt: Attempt, operation: Optional[int] = None) -> None:
    folder, random = attempt.folder, attempt.random
    kills: List[str] = []
    for number in range(random.randint(1, 3)):
        arguments = [*work.arguments(folder), *["--resume"][:number]]
        if operation is not None:
            place = random.randint(1, whole.operations) if number else operation
            kills.append(f"operation {place}")
            attempt.tell(f"killed at {', '.join(kills)}")
            status = finish(start(*arguments, first=Operations(folder, place).start), _SECONDS)
        else:
            seconds = random.uniform(0, 1.1 * whole.seconds)
            kills.append(f"{seconds:.3f} s")
            attempt.tell(f"killed after {', '.join(kills)}")
            process = start(*arguments)
            if not is_over(process, seconds):
                os.kill(process, signal.SIGKILL)
            status = finish(process, _SECONDS)
        if status != KILLED:
            break
        if work.output and (folder / work.output).exists():
            found = contents(folder)
            assert_same({name: found[name] for name in found if name.split("/")[0] == work.output}, whole.result)
    else:
        status = finish(start(*work.arguments(folder), "--resume"), _SECONDS)
    assert_same(work.result(folder), whole.result)
    assert status == whole.status, f"exit status {status}, not {whole.status}"


def contents(folder: Path) -> Dict[str, bytes]:
    """All files by their paths in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_same(found: Dict[str, bytes], expected: Dict[str, bytes]) -> None:
    """Two folders have the same files."""
    missing, more = expected.keys() - found.keys(), found.keys() - expected.keys()
    assert not missing and not more, f"missing files: {sorted(missing)}, too many: {sorted(more)}"
    for name in expected:
        if found[name] != expected[name]:
            lines = zip(found[name].split(b"\n"), expected[name].split(b"\n"))
            line = next((number for number, (one, other) in enumerate(lines, 1) if one != other), 0)
            what = "scores differ in the last digit" if _are_close(found[name], expected[name]) else "it differs"
            raise AssertionError(f"{name} is not that of an uninterrupted run: {what}, first in line {line}")


def _are_close(found: bytes, expected: bytes) -> bool:
    """Whether two texts differ in the last of four digits of numbers, by one."""
    parts, others = (re.split(rb"(\b[01]\.\d{1,4}\b)", text) for text in (found, expected))
    pairs = list(zip(parts, others))
    digits = [round(10_000 * (float(one) - float(other))) for one, other in pairs[1::2]]
    texts_are_same = len(parts) == len(others) and all(one == other for one, other in pairs[::2])
    return texts_are_same and max(map(abs, digits), default=0) <= 1
