"""Counts the steps and the time of a training, from within it."""

import json
from pathlib import Path
from time import time
from typing import Any, Callable, Dict, NamedTuple, Optional

from spacy.language import Language

CALLBACK = "spacy-dualre.training_clock.v1"


class Clock(NamedTuple):
    """start: when the first step began, and last_epoch: the last epoch, in seconds since 1970. epochs: begun ones.
    steps: begun ones.
    """

    start: float
    last_epoch: float
    epochs: int
    steps: int

    @property
    def per_epoch(self) -> Optional[float]:
        """Mean seconds of an epoch with the evaluations in it, over all but the last one, which may have been cut off;
        None where there is no other.
        """
        return (self.last_epoch - self.start) / (self.epochs - 1) if self.epochs > 1 else None


def training_clock(path: str) -> Callable[[Language, Dict[str, Any]], None]:
    """Registered as ``spacy-dualre.training_clock.v1``, for ``[training.before_update]``: keeps a `Clock` as JSON in
    the file.
    """
    clock: Optional[Clock] = None

    def before_update(nlp: Language, at: Dict[str, Any]) -> None:
        nonlocal clock
        epochs, steps, now = at["epoch"] + 1, at["step"] + 1, time()
        if clock is None:
            clock = Clock(now, now, epochs, steps)
        clock = Clock(clock.start, now if epochs > clock.epochs else clock.last_epoch, epochs, steps)
        Path(path).write_text(json.dumps(clock._asdict()), encoding="utf8")

    return before_update


def read_clock(path: Path) -> Clock:
    """Raises OSError where training did not get to its first step."""
    return Clock(**json.loads(path.read_text(encoding="utf8")))
