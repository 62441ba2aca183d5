"""The file from which an interrupted training is resumed."""

import json
import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from spacy.util import dict_to_dot
from thinc.api import Config

from ...errors import CheckpointError, Errors

#: Its name in the output folder.
CHECKPOINT = "checkpoint.pt"
#: What reading a damaged file raises.
_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError)


@dataclass
class Checkpoint:
    """The history of a training, and its state.

    Attributes:
        settings: See `settings_of`.
        given: See `given_by`.
        evaluations: The report of each.
        epochs: The random states before each.
        state: See `training_state`; None if there is nothing to restore.
    """

    settings: Dict[str, str]
    given: Dict[str, int] = field(default_factory=dict)
    evaluations: List[Dict[str, Any]] = field(default_factory=list)
    epochs: List[Dict[str, Any]] = field(default_factory=list)
    state: Optional[Dict[str, Any]] = None
    finished: bool = False

    def write(self, path: Path, state: Optional[Dict[str, Any]]) -> None:
        """Write to a file, with another state. If interrupted, the old file stays."""
        # Scores may be of number types that torch.load would refuse
        values = {**vars(self), "evaluations": json.dumps(self.evaluations, default=float), "state": state}
        unfinished = path.with_name(f"{path.name}.tmp")
        with unfinished.open("wb") as file:
            torch.save(values, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read a checkpoint. Raises CheckpointError if it is damaged."""
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            return cls(**{**values, "evaluations": json.loads(values["evaluations"])})
        except _DAMAGED as err:
            raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err


def settings_of(config: Config) -> Dict[str, str]:
    """The settings of a config as JSON by dotted key, such as {"training.seed": "0"}."""
    # srsly's JSON rounds numbers
    return {name: json.dumps(value) for name, value in dict_to_dot(config.interpolate()).items()}


def check_settings(path: Path, then: Dict[str, str], now: Dict[str, str]) -> None:
    """Raise CheckpointError naming the settings that differ from the checkpoint's."""
    changed = [
        f"{name} (then {then.get(name, 'not set')}, now {now.get(name, 'not set')})" for name in _changed(then, now)
    ]
    if changed:
        raise CheckpointError(Errors.DR721.format(path=path, different=", ".join(changed)))


def check_given(path: Path, then: Dict[str, int], now: Dict[str, int]) -> None:
    """Raise CheckpointError naming the inputs that have changed since the checkpoint's training began."""
    if changed := _changed(then, now):
        raise CheckpointError(Errors.DR723.format(path=path, names=", ".join(changed)))


def _changed(then: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    return [name for name in {**then, **now} if then.get(name) != now.get(name)]
