"""Checks of the component's settings."""

from typing import Any, Dict, Optional

from ..candidates.policy import check_at_least
from ..errors import Errors
from ..instances.maker import MODES
from ..types import Cascade
from .decode import PREDICTIONS


def check_settings(settings: Dict[str, Any]) -> None:
    """Raise ValueError for the first setting that is out of range; see `DualEncoderRel` for their meaning."""
    if settings["prediction"] not in PREDICTIONS:
        raise ValueError(Errors.DR160.format(allowed=PREDICTIONS, value=settings["prediction"]))
    if settings["description_mode"] not in MODES:
        raise ValueError(Errors.DR161.format(allowed=MODES, value=settings["description_mode"]))
    if not isinstance(settings["threshold"], (int, float)):
        raise ValueError(Errors.DR174.format(value=settings["threshold"]))
    for name in ("alpha", "threshold"):
        _check_fraction(name, settings[name])
    check_at_least(0, context=settings["context"])
    check_at_least(
        1,
        max_candidates_per_batch=settings["max_candidates_per_batch"],
        sampled_predicates=settings["sampled_predicates"],
    )
    if settings["sampled_predicates"] is not None and settings["alpha"] == 0:
        raise ValueError(Errors.DR165)
    negatives = settings["negatives_per_positive"]
    if negatives is not None and negatives < 0:
        raise ValueError(Errors.DR163.format(value=negatives))


def as_cascade(setting: Optional[Dict[str, float]]) -> Optional[Cascade]:
    """The cascade that a config describes. Raises ValueError if a value is missing, unknown or out of range."""
    if setting is None:
        return None
    if set(setting) != set(Cascade._fields):
        raise ValueError(Errors.DR164.format(value=setting))
    _check_fraction("cascade.negative", setting["negative"])
    check_at_least(1, **{"cascade.predicates": setting["predicates"]})  # type: ignore[arg-type]
    return Cascade(int(setting["predicates"]), setting["negative"])


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(Errors.DR001.format(name=name, low=0, high=1, value=value))
