"""What the writers of other formats share."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict

from ...records.record import Place, Record
from .. import jsonl


def as_record(document: Dict[str, Any]) -> Record:
    """The document with mentions and relations by their ids. An argument with one of several concepts of its mention is
    a mention of its own.
    """
    return jsonl.from_json(document, Place(Path(document["id"])))


def count_long_forms(document: Dict[str, Any], lost: Counter) -> None:
    """Count what a format without a place for abbreviations loses."""
    lost["long form of a mention"] += sum("long_form" in mention for mention in document["mentions"])


def one_line(text: str) -> str:
    """The text with a blank for every tab and line end, so that offsets hold."""
    return text.translate({ord(character): " " for character in "\t\n\r"})
