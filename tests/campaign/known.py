"""Faults that are known. Their failures are shown, but do not count."""

import re
from typing import List, Optional, Tuple

from .trials import Outcome

#: Patterns of the names of trials and of what happened, and what is wrong.
KNOWN: List[Tuple[str, str, str]] = [
    (
        r"extract(-\w+)?/",
        r"exit status 0, not 1",
        "A complete output that is only moved when it is resumed: that documents could not be read is forgotten.",
    ),
    (
        r"extract-batches/",
        r"scores differ in the last digit",
        "The last of the four digits of a score depends on the batch, and on what a process has computed before.",
    ),
    (
        r"file-names/not-utf8|formats/\w+/surrogate",
        r"UnicodeEncodeError|the exit status is 1",
        "A file whose name is not UTF-8 becomes an id that cannot be written, and ends the whole extraction.",
    ),
    (
        r"files-pipeline/(config|vocabulary)/",
        r"^(?!not over|its process|MemoryError)",
        "Damage in the files of spaCy: the error does not name the file, and may be no ValueError.",
    ),
    (
        r"files-spacy/graph-",
        r"^MemoryError|not over",
        "In a table of relations the text before a sentence is filled with blanks, however many these are.",
    ),
    (
        r"hostile-render/",
        r"^XMLSyntaxError: .*(invalid Char|Invalid character)",
        "Control characters, which XML cannot hold, get into SVG.",
    ),
    (r"hostile-views/", r"in the card", "Labels, types and descriptions are not escaped in model cards."),
    (r"hostile-views/long", r"not over", "The time to shorten a word for a drawing is quadratic in its length."),
]


def cause(outcome: Outcome) -> Optional[str]:
    """What is wrong where a trial failed; None if that is not known."""
    for name, problem, wrong in KNOWN:
        if re.match(name, outcome.name) and re.search(problem, outcome.problem or ""):
            return wrong
    return None
