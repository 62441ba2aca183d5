"""Views of relations for people: explanations, pictures, error reports and model cards."""

from .card import model_card
from .explanation import Explanation, PredicateScore, explain
from .report import write_report
from .visualize import render

__all__ = ["Explanation", "PredicateScore", "explain", "model_card", "render", "write_report"]
