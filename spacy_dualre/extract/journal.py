"""The unfinished output: a folder beside the output that remains if the process is interrupted.

``documents.jsonl`` has the finished documents in the format of `formats.jsonl` and can be read at any time;
``run.json`` identifies the run. ``output/`` is where the output is written. When it is complete, ``made.json`` says so
with the run's counts; the output takes its place, this file goes beside it, then the folder goes, and the file last.
"""

import hashlib
import os
import shutil
from collections import Counter, deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Optional, Tuple

import srsly

from ..errors import CorpusError, Errors
from ..formats import jsonl
from ..records.record import Place, Record

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: nothing keeps a second process away
    flock = None  # type: ignore[assignment]

#: Key in the meta data of a finished document: digests of the inputs since the last one; all but its own have failed.
INPUTS = "spacy_dualre_inputs"


def part_of(output: Path) -> Path:
    """The folder of the unfinished output, beside what a link leads to."""
    output = output.resolve()
    return output.with_name(f"{output.name}.part")


def unfinished(output: Optional[Path]) -> Optional[Path]:
    """The folder of an unfinished output if there is one, or what is left of it when the output is in its place."""
    if output is None:
        return None
    part = part_of(output)
    return next((path for path in (part, part.with_suffix(".made")) if path.exists()), None)


def digest_of(record: Record) -> str:
    """A digest of all that is used of a document to extract from, wherever it was read."""
    used = replace(record, place=Place(Path()), dropped=[], notes=Counter())
    return hashlib.blake2b(repr(used).encode(), digest_size=8).hexdigest()


class Journal:
    """The documents finished so far, in order.

    Args:
        output: The file or folder to write in the end.
        run: JSON values that identify the run.
        resume: Continue an earlier run, if there is one.

    Attributes:
        complete: All is done but to `finish`.
        counts: Those given to `finish` in an earlier call.

    Raises:
        ValueError: There is an unfinished output and resume is False, or it is of another run or in use.
    """

    def __init__(self, output: Path, run: Dict[str, Any], resume: bool = False) -> None:
        self.output = output.resolve()
        earlier = unfinished(output)
        self.folder = part_of(output)
        self.run = run
        made = self._read_made()
        self.complete, self.counts = made is not None, made["counts"] if made else {}
        self._inputs: Deque[Tuple[Tuple[str, Place], str]] = deque()
        if self.output.exists() and not (self.output.is_file() or self.output.is_dir()):
            raise ValueError(Errors.DR873.format(path=output))
        is_moved = self.complete and not self._result.exists()
        if self.output.is_dir() and any(self.output.iterdir()) and not is_moved:
            raise ValueError(Errors.DR405.format(path=output))
        if earlier and not resume:
            raise ValueError(Errors.DR401.format(path=earlier))
        names = {"documents.jsonl", "run.json", "output", "made.json"}
        is_own = self.folder.is_dir() and {path.name for path in self.folder.iterdir()} <= names
        if earlier and not (is_own if self.folder.exists() else self.complete):
            raise ValueError(Errors.DR874.format(path=earlier))
        self._check_run(made)
        self.folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered, so that documents survive a crash
        self._file = self._documents.open("ab", buffering=0)
        self._lock()
        if not self._documents.stat().st_size:
            srsly.write_json(self.folder / "run.json", run)

    @property
    def _documents(self) -> Path:
        return self.folder / "documents.jsonl"

    @property
    def _result(self) -> Path:
        return self.folder / "output" / self.output.name

    def _read_made(self) -> Optional[Dict[str, Any]]:
        """What says that the output is complete. One that is cut off says nothing: the output is written again."""
        for path in (self.folder.with_suffix(".made"), self.folder / "made.json"):
            with suppress(OSError, ValueError, LookupError, TypeError):
                made = srsly.read_json(path)
                return {"run": dict(made["run"]), "counts": dict(made["counts"])}
        return None

    def _lock(self) -> None:
        """Keep other processes away until this one ends."""
        try:
            if flock is not None:
                flock(self._file, LOCK_EX | LOCK_NB)
        except BlockingIOError as err:
            raise ValueError(Errors.DR875.format(path=self.folder)) from err

    def _check_run(self, made: Optional[Dict[str, Any]]) -> None:
        path = self.folder / "run.json"
        if made is None and not (self._documents.exists() and self._documents.stat().st_size):
            return
        try:
            before = dict(srsly.read_json(path)) if made is None else made["run"]
        except (OSError, ValueError, TypeError) as err:
            raise ValueError(Errors.DR406.format(where=path)) from err
        different = [key for key in self.run if before.get(key) != self.run[key]]
        if different:
            raise ValueError(Errors.DR402.format(path=self.folder, different=", ".join(different)))

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: Any) -> None:
        if self.folder.exists() and not self.complete and not self._documents.stat().st_size:
            shutil.rmtree(self.folder)
        self._file.close()

    def done(self) -> Iterator[Tuple[Record, List[str]]]:
        """Iterate over the documents of an earlier run, each with the digests of the inputs since the one before, then
        remove an incomplete last line. Call this before `add`.

        Raises:
            ValueError: A line is damaged.
        """
        complete = 0
        with self._documents.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    record = jsonl.parse(line, Place(self._documents, number))
                    inputs = record.meta.pop(INPUTS)
                except (CorpusError, KeyError) as err:
                    raise ValueError(Errors.DR406.format(where=Place(self._documents, number))) from err
                yield record, inputs
                complete += len(line)
        self._file.truncate(complete)

    def noting(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass on the documents to extract from, and note that they were."""
        for record in records:
            self._inputs.append(((record.id, record.place), digest_of(record)))
            yield record

    def add(self, record: Record) -> None:
        """Write a document. If this fails, it may leave an incomplete line, which `done` removes."""
        inputs: List[str] = []
        key = None
        while self._inputs and key != (record.id, record.place):
            key, digest = self._inputs.popleft()
            inputs.append(digest)
        noted = replace(record, meta={**record.meta, INPUTS: inputs})
        data = f"{jsonl.dump(noted, tokens=True)}\n".encode()
        while data:
            data = data[self._file.write(data) :]

    def finish(self, write: Callable[[Iterable[Record], Path, Counter], None], counts: Dict[str, int] = {}) -> Counter:
        """Write the output, remove the journal and return counts of what the format has no place for.

        Args:
            counts: Of the run, for a later call that only has to move the output.
        """
        lost: Counter = Counter()
        if not self.complete:
            shutil.rmtree(self._result.parent, ignore_errors=True)
            self._result.parent.mkdir()
            write((record for record, _ in self.done()), self._result, lost)
            srsly.write_json(self.folder / "made.json", {"run": self.run, "counts": counts})
            self.complete = True
        if self._result.exists():
            if self.output.is_dir():
                shutil.rmtree(self.output)
            elif self._result.is_dir():
                self.output.unlink(missing_ok=True)
            os.replace(self._result, self.output)
        made = self.folder.with_suffix(".made")
        if not made.exists():
            (self.folder / "made.json").rename(made)
        shutil.rmtree(self.folder)
        made.unlink()
        return +lost
