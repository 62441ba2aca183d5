"""How fast a trained pipeline is, and how much memory it takes, compared with what one could expect."""

from .report import Plan, benchmark

__all__ = ["Plan", "benchmark"]
