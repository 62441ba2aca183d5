"""The file from which a training goes on that was cut off."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from spacy.util import dict_to_dot
from thinc.api import Config

from ...errors import CheckpointError, Errors

#: Its name in the output folder.
CHECKPOINT = "checkpoint.pt"


@dataclass
class Checkpoint:
    """What a training has gone through, and where it is.

    settings: its config, as `settings_of` gives it. given: what the config named, as `given_by` gives it. evaluations:
    what was reported at each. epochs: the random states before each. state: everything after the last evaluation, as
    `training_state` gives it, until it has been set; None: nothing to set.
    """

    settings: Dict[str, str]
    given: Dict[str, int] = field(default_factory=dict)
    evaluations: List[Dict[str, Any]] = field(default_factory=list)
    epochs: List[Dict[str, Any]] = field(default_factory=list)
    state: Optional[Dict[str, Any]] = None
    finished: bool = False

    def write(self, path: Path, state: Optional[Dict[str, Any]]) -> None:
        """Write to a file, with a state in place of its own. At every moment the file is whole: the last or this."""
        # The scores may be numbers of any library, which torch.load would not read
        values = {**vars(self), "evaluations": json.dumps(self.evaluations, default=float), "state": state}
        unfinished = path.with_name(f"{path.name}.tmp")
        with unfinished.open("wb") as file:
            torch.save(values, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read what `write` wrote. Raises CheckpointError where it is damaged."""
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            return cls(**{**values, "evaluations": json.loads(values["evaluations"])})
        except Exception as err:  # damaged files fail in many ways
            raise CheckpointError(Errors.DR720.format(path=path, problem=repr(err))) from err


def settings_of(config: Config) -> Dict[str, str]:
    """The settings of a config as JSON by their names, such as {"training.seed": "0"}."""
    # srsly's JSON rounds numbers
    return {name: json.dumps(value) for name, value in dict_to_dot(config.interpolate()).items()}


def check_settings(path: Path, then: Dict[str, str], now: Dict[str, str]) -> None:
    """Raises CheckpointError naming the settings of the checkpoint's config that differ from those of the one given."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        different = ", ".join(
            f"{name} (then {then.get(name, 'not set')}, now {now.get(name, 'not set')})" for name in names
        )
        raise CheckpointError(Errors.DR721.format(path=path, different=different))


def check_given(path: Path, then: Dict[str, int], now: Dict[str, int]) -> None:
    """Raises CheckpointError naming what is not as it was when the checkpoint's training began."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        raise CheckpointError(Errors.DR723.format(path=path, names=", ".join(names)))
