"""The steps before a checkpoint, gone through again without training."""

from collections import deque
from typing import Any, Callable, Dict, Iterable, Iterator, List, Tuple

from spacy.training import Example

from ...errors import CheckpointError, Errors
from .checkpoint import Checkpoint
from .given import checksum
from .states import random_states, set_random_states

Batcher = Callable[[Iterable[Example]], Iterable[Any]]
Evaluate = Callable[[], Tuple[float, Dict[str, Any]]]

#: What is kept of an evaluation: of the loop's `info` what it does not know by itself when it goes through it again.
_REPORTED = ("step", "epoch", "score", "other_scores", "losses", "seconds", "words")


class Replay:
    """Brings spaCy's training loop to where a checkpoint is, for the loop itself can only start from the beginning.

    Schedules, batcher and corpus go through all steps again, and come to where they were. The batches are empty, so
    nothing is learnt, and the scores are those of before. A new run has nothing to replay; it is recorded.
    """

    def __init__(self, run: Checkpoint) -> None:
        self.run = run
        self._last = run.evaluations[-1] if run.evaluations else {"step": -1, "seconds": 0}
        self._to_come = deque(run.evaluations)
        self._epochs = 0
        self._words = 0
        self._data = 0

    @property
    def is_over(self) -> bool:
        """Whether all evaluations before the checkpoint have been reported again."""
        return not self._to_come

    def batches(self, batches: Iterable[Tuple[int, List[Example]]]) -> Iterator[Tuple[int, List[Example]]]:
        """The batches with their epochs, as spaCy's `create_train_batches` gives them; empty ones in replay."""
        self._start_epoch()
        for step, (epoch, batch) in enumerate(batches):
            if step <= self._last["step"]:
                self._words += sum(len(example) for example in batch)
            self._data = checksum(batch, self._data)
            yield epoch, [] if step <= self._last["step"] else batch

    def batcher(self, batcher: Batcher) -> Batcher:
        """The batcher that shares out an epoch."""

        def batch(examples: Iterable[Example]) -> Iterator[Any]:
            yield from batcher(examples)
            # spaCy shuffles for the next one as soon as this returns
            self._start_epoch()

        return batch

    def evaluate(self, evaluate: Evaluate) -> Evaluate:
        """The callback that evaluates."""
        return lambda: evaluate() if self.is_over else (self._to_come[0]["score"], self._to_come[0]["other_scores"])

    def report(self, info: Dict[str, Any]) -> None:
        """Complete the `info` of an evaluation by what was before, or record it.

        Raises CheckpointError where the training data are not those of before.
        """
        if self.is_over:
            info["words"] += self._words
            info["seconds"] += self._last["seconds"]
            self.run.evaluations.append({"data": self._data, **{name: info[name] for name in _REPORTED}})
            return
        before = self._to_come.popleft()
        if self._data != before["data"]:
            raise self._other_data(before)
        info.update({name: before[name] for name in _REPORTED})

    def finish(self) -> None:
        """Raises CheckpointError where the training data came to an end before the checkpoint."""
        if not self.is_over:
            raise self._other_data(self._to_come[0])

    def _other_data(self, before: Dict[str, Any]) -> CheckpointError:
        return CheckpointError(Errors.DR722.format(step=before["step"], then=before["words"], now=self._words))

    def _start_epoch(self) -> None:
        if self._epochs < len(self.run.epochs):
            set_random_states(self.run.epochs[self._epochs])
        else:
            self.run.epochs.append(random_states())
        self._epochs += 1
