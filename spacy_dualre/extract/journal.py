"""The unfinished output: a folder beside the output that remains if the process is interrupted.

``documents.jsonl`` has the finished documents in the format of `formats.jsonl` and can be read at any time;
``run.json`` identifies the run.
"""

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator

import srsly

from ..errors import CorpusError, Errors
from ..formats import jsonl
from ..records.record import Place, Record


def part_of(output: Path) -> Path:
    """The folder of the unfinished output, beside what a link leads to."""
    output = output.resolve()
    return output.with_name(f"{output.name}.part")


class Journal:
    """The documents finished so far, in order.

    Args:
        output: The file or folder to write in the end.
        run: JSON values that identify the run.
        resume: Continue an earlier run, if there is one.

    Raises:
        ValueError: There is an unfinished output and resume is False, or it is of another run.
    """

    def __init__(self, output: Path, run: Dict[str, Any], resume: bool = False) -> None:
        self.output = output.resolve()
        self.folder = part_of(output)
        self._documents = self.folder / "documents.jsonl"
        if output.is_dir() and any(output.iterdir()):
            raise ValueError(Errors.DR405.format(path=output))
        if self.folder.exists() and not resume:
            raise ValueError(Errors.DR401.format(path=self.folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check_run(run)
        # Unbuffered, so that documents survive a crash
        self._file = self._documents.open("ab", buffering=0)

    def _check_run(self, run: Dict[str, Any]) -> None:
        path = self.folder / "run.json"
        if not self._documents.exists():
            srsly.write_json(path, run)
            return
        before = srsly.read_json(path) if path.exists() else {}
        different = [key for key in run if before.get(key) != run[key]]
        if different:
            raise ValueError(Errors.DR402.format(path=self.folder, different=", ".join(different)))

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()
        if self.folder.exists() and not self._documents.stat().st_size:
            shutil.rmtree(self.folder)

    def done(self) -> Iterator[Record]:
        """Iterate over the documents of an earlier run, then remove an incomplete last line. Call this before `add`.

        Raises:
            ValueError: A line is damaged.
        """
        complete = 0
        with self._documents.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    yield jsonl.parse(line, Place(self._documents, number))
                except CorpusError as err:
                    raise ValueError(Errors.DR406.format(path=self._documents, line=number)) from err
                complete += len(line)
        self._file.truncate(complete)

    def add(self, record: Record) -> None:
        """Write a document. If this fails, it may leave an incomplete line, which `done` removes."""
        data = f"{jsonl.dump(record, tokens=True)}\n".encode()
        while data:
            data = data[self._file.write(data) :]

    def finish(self, write: Callable[[Iterable[Record], Path, Counter], None]) -> Counter:
        """Write the output, remove the journal and return counts of what the format has no place for."""
        lost: Counter = Counter()
        result = self.folder / self.output.name
        _remove(result)
        write(self.done(), result, lost)
        if result.is_dir() or self.output.is_dir():
            _remove(self.output)
        os.replace(result, self.output)
        shutil.rmtree(self.folder)
        return +lost


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
