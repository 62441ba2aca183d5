"""The plain record that every corpus format is read into."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Tuple

from ..errors import CorpusError, Errors


@dataclass(frozen=True)
class MentionRecord:
    """Characters text[start:end], end exclusive; id is unique within the document."""

    id: str
    type: str
    start: int
    end: int
    concept: str = ""


@dataclass(frozen=True)
class RelationRecord:
    """subject and object are ids of mentions."""

    predicate: str
    subject: str
    object: str


@dataclass
class Record:
    """One document. breaks: character offsets where a sentence must start, such as between title and abstract."""

    id: str
    text: str
    mentions: List[MentionRecord] = field(default_factory=list)
    relations: List[RelationRecord] = field(default_factory=list)
    breaks: Tuple[int, ...] = ()
    meta: Dict[str, Any] = field(default_factory=dict)


def corpus_error(path: Path, problem: str, line: int = 0) -> CorpusError:
    """An error that names the file and, counted from 1, the line."""
    where = f"{path}, line {line}" if line else str(path)
    return CorpusError(Errors.DR100.format(where=where, problem=problem))
