"""Texts with their mentions in brackets, as people type them: [Marie Curie|PERSON] was born in [Warsaw]."""

import re
from pathlib import Path

from ..errors import Errors
from .record import MentionRecord, Place, Record

#: The type of a mention without one. Its word is what such a mention is called in markers and descriptions.
NO_TYPE = "ENTITY"
_MENTION = re.compile(r"\[(?=\s*[^\s\[\]|])([^\[\]|]*)(?:\|([^\[\]|]*))?\]")
#: Characters that are shown after a bracket.
_SHOWN = 20


def read_brackets(text: str) -> Record:
    """Read a text in which mentions may be marked as [text] or [text|TYPE]; the record's text is without these marks.

    Raises ValueError for a bracket that marks no mention: one that is not closed or not opened, is around another, or
    has no text.
    """
    stray = re.search(r"[\[\]]", _MENTION.sub(lambda found: " " * len(found[0]), text))
    if stray is not None:
        around = text[stray.start() : stray.start() + _SHOWN]
        raise ValueError(Errors.DR311.format(offset=stray.start(), around=around))
    first, *others = _MENTION.split(text)
    record = Record("", first, Place(Path("text")))
    mentions = []
    for mention, type, following in zip(others[::3], others[1::3], others[2::3]):
        start, end = len(record.text), len(record.text) + len(mention)
        mentions.append(MentionRecord(f"{start}-{end}", (type or "").strip() or NO_TYPE, start, end))
        record.text += mention + following
    for one in mentions:
        record.add_mention(one)
    return record
