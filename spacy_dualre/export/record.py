"""What the writers of other formats share."""

from pathlib import Path
from typing import Any, Dict

from ..corpora import jsonl
from ..corpora.record import Place, Record


def as_record(document: Dict[str, Any]) -> Record:
    """The document with mentions and relations by their ids. An argument with one of several concepts of its mention is
    a mention of its own.
    """
    return jsonl.from_json(document, Place(Path(document["id"])))


def one_line(text: str) -> str:
    """The text with a blank for every tab and line end, so that offsets hold."""
    return text.translate({ord(character): " " for character in "\t\n\r"})
