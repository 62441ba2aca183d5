"""The component's settings: their values are checked here."""

from typing import Dict, Optional

from ..errors import Errors
from ..instances.maker import MODES
from .decode import PREDICTIONS, Threshold


def check_settings(
    *,
    alpha: float,
    prediction: str,
    threshold: Threshold,
    max_candidates_per_batch: int,
    negatives_per_positive: Optional[float],
    sampled_predicates: Optional[int],
    context: int,
    description_mode: str,
    cascade: Optional[Dict[str, float]],
) -> None:
    """Raises ValueError naming the first of the component's settings that is out of range."""
    if prediction not in PREDICTIONS:
        raise ValueError(Errors.DR160.format(allowed=PREDICTIONS, value=prediction))
    if description_mode not in MODES:
        raise ValueError(Errors.DR161.format(allowed=MODES, value=description_mode))
    thresholds = threshold.items() if isinstance(threshold, dict) else [("", threshold)]
    for name, value in [("alpha", alpha), *((f"threshold {label}".strip(), value) for label, value in thresholds)]:
        if not 0 <= value <= 1:
            raise ValueError(Errors.DR001.format(name=name, low=0, high=1, value=value))
    for name, low, number in (("max_candidates_per_batch", 1, max_candidates_per_batch), ("context", 0, context)):
        if number < low:
            raise ValueError(Errors.DR002.format(name=name, low=low, value=number))
    if cascade is not None:
        if set(cascade) != {"predicates", "negative"}:
            raise ValueError(Errors.DR164.format(value=cascade))
        if not 0 <= cascade["negative"] <= 1:
            raise ValueError(Errors.DR001.format(name="cascade.negative", low=0, high=1, value=cascade["negative"]))
        predicates = cascade["predicates"]
        if predicates < 1 or predicates != int(predicates):
            raise ValueError(Errors.DR002.format(name="cascade.predicates", low=1, value=predicates))
    if sampled_predicates is not None:
        if sampled_predicates < 1:
            raise ValueError(Errors.DR002.format(name="sampled_predicates", low=1, value=sampled_predicates))
        if alpha == 0:
            raise ValueError(Errors.DR165)
    if negatives_per_positive is not None and negatives_per_positive < 0:
        raise ValueError(Errors.DR163.format(value=negatives_per_positive))
