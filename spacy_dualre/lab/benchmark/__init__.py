"""Speed and memory of a trained pipeline, compared with what one could expect."""

from .report import Plan, benchmark

__all__ = ["Plan", "benchmark"]
