"""Views of relations for people: explanations, pictures, error reports and model cards.

Public names are imported on first use, so that importing this package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .card import model_card
    from .explanation import Explanation, PredicateScore, explain
    from .report import write_report
    from .visualize import render, serve

__all__ = ["Explanation", "PredicateScore", "explain", "model_card", "render", "serve", "write_report"]

_MODULES = {
    "card": ("model_card",),
    "explanation": ("Explanation", "PredicateScore", "explain"),
    "report": ("write_report",),
    "visualize": ("render", "serve"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
