"""The file from which a training goes on that was cut off."""

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
    """The course of a training, and its state.

    Attributes:
        settings: The config, see `settings_of`.
        given: What the config named, see `given_by`.
        evaluations: What was reported at each.
        epochs: The random states before each.
        state: What the next step depends on, see `training_state`; None if there is nothing to restore.
        finished: Whether the training is over.
    """

    settings: Dict[str, str]
    given: Dict[str, int] = field(default_factory=dict)
    evaluations: List[Dict[str, Any]] = field(default_factory=list)
    epochs: List[Dict[str, Any]] = field(default_factory=list)
    state: Optional[Dict[str, Any]] = None
    finished: bool = False

    def write(self, path: Path, state: Optional[Dict[str, Any]]) -> None:
        """Write to a file, with a state instead of its own. At any moment the file is whole, the old one or the new."""
        # Scores may be numbers of any library, which torch.load would refuse
        values = {**vars(self), "evaluations": json.dumps(self.evaluations, default=float), "state": state}
        unfinished = path.with_name(f"{path.name}.tmp")
        with unfinished.open("wb") as file:
            torch.save(values, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read what `write` wrote.

        Raises:
            CheckpointError: The file is damaged.
        """
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            return cls(**{**values, "evaluations": json.loads(values["evaluations"])})
        except _DAMAGED as err:
            raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err


def settings_of(config: Config) -> Dict[str, str]:
    """The settings of a config as JSON by their names, such as {"training.seed": "0"}."""
    # srsly's JSON rounds numbers
    return {name: json.dumps(value) for name, value in dict_to_dot(config.interpolate()).items()}


def check_settings(path: Path, then: Dict[str, str], now: Dict[str, str]) -> None:
    """Raise CheckpointError naming the settings in which a checkpoint's config differs from the present one."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        different = ", ".join(
            f"{name} (then {then.get(name, 'not set')}, now {now.get(name, 'not set')})" for name in names
        )
        raise CheckpointError(Errors.DR721.format(path=path, different=different))


def check_given(path: Path, then: Dict[str, int], now: Dict[str, int]) -> None:
    """Raise CheckpointError naming what has changed since the checkpoint's training began."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        raise CheckpointError(Errors.DR723.format(path=path, names=", ".join(names)))
