"""Faults that are known. Their failures are shown, but do not count."""

import re
from typing import List, Optional, Tuple

from .trials import Outcome

#: Patterns of the names of trials and of what happened, and what is wrong.
KNOWN: List[Tuple[str, str, str]] = [
    (
        r"extract-batches/",
        r"scores differ in the last digit",
        "The last of the four digits of a score depends on the batch, and on what a process has computed before.",
    ),
]


def cause(outcome: Outcome) -> Optional[str]:
    """What is wrong where a trial failed; None if that is not known."""
    for name, problem, wrong in KNOWN:
        if re.match(name, outcome.name) and re.search(problem, outcome.problem or ""):
            return wrong
    return None
