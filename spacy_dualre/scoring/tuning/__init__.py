"""Settings of a trained pipeline, found on annotated documents: the threshold, and which descriptions to read."""

from .tune import THRESHOLDS, Tuned, tune

__all__ = ["THRESHOLDS", "Tuned", "tune"]
