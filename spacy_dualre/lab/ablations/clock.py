"""A callback that times a training from within."""

import json
from pathlib import Path
from time import time
from typing import Any, Callable, Dict

from spacy.language import Language

CALLBACK = "spacy-dualre.training_clock.v1"


def training_clock(path: str) -> Callable[[Language, Dict[str, Any]], None]:
    """For ``[training.before_update]``: before each step, write the epochs' start times (seconds since 1970) and the
    number of steps so far to a JSON file.
    """
    epochs: Dict[int, float] = {}

    def before_update(nlp: Language, info: Dict[str, Any]) -> None:
        epochs.setdefault(info["epoch"], time())
        Path(path).write_text(json.dumps({"epochs": list(epochs.values()), "steps": info["step"] + 1}))

    return before_update
