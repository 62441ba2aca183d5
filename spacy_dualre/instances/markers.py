"""Typed markers: the tokens around a subject, `<S:TYPE> ... </S:TYPE>`, and an object, `<O:TYPE> ... </O:TYPE>`."""

import re
from typing import Iterable, List, Tuple

from ..types import Mark

SUBJECT, OBJECT = "S", "O"
#: What the markers of a type say, in the order of `marker_tokens`.
ROLE_WORDS = ("subject", "end of subject", "object", "end of object")


def markers(role: str, type: str) -> Tuple[str, str]:
    """The tokens before and after a mention."""
    return f"<{role}:{type}>", f"</{role}:{type}>"


def marker_tokens(types: Iterable[str]) -> List[str]:
    """The marker tokens for these entity types, in an order that depends on their names alone."""
    return [token for type in sorted(set(types)) for role in (SUBJECT, OBJECT) for token in markers(role, type)]


def marker_words(types: Iterable[str]) -> List[str]:
    """Plain words for each token of `marker_tokens`; its embedding starts as the mean of theirs."""
    return [f"{role} {type_words(type)}" for type in sorted(set(types)) for role in ROLE_WORDS]


def type_words(name: str) -> str:
    """Spell a type's or label's name as plain words: "GeneProduct" as "gene product", "PART_OF" as "part of".

    A mention without a type is an "entity".
    """
    spaced = "".join(
        f" {char}" if char.isupper() and not before.isupper() else char for before, char in zip(" " + name, name)
    )
    return re.sub(r"[\W_]+", " ", spaced).strip().lower() or name or "entity"


def marker_events(marks: Iterable[Mark]) -> List[Tuple[int, str]]:
    """Each (position, marker token) in text order; a marker goes before the word at its position.

    At the same position end markers come before start markers, and the subject's before the object's.
    """
    events = []
    for mark in marks:
        is_object = mark.role == OBJECT
        start, end = markers(mark.role, mark.type)
        events += [(mark.start, 1, is_object, start), (mark.end, 0, is_object, end)]
    return [(position, token) for position, _, _, token in sorted(events)]
