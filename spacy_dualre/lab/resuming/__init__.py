"""Resumable training: spaCy's loop, with a checkpoint at every evaluation."""

from .checkpoint import CHECKPOINT, Checkpoint, check_settings, settings_of
from .loop import train

__all__ = ["CHECKPOINT", "Checkpoint", "check_settings", "settings_of", "train"]
