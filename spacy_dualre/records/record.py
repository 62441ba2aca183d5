"""The plain record that every corpus format is read into.

What is damaged at the level of a file (its encoding, columns, JSON, XML, a document given twice) raises CorpusError.
What is wrong with a single mention or relation is left out and kept in `Record.dropped`, with the reason and the place.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..annotations.concepts import is_concept
from ..errors import CorpusError, Errors

#: (start, end) in characters of a text, end exclusive
Offsets = Tuple[int, int]


class Place(NamedTuple):
    """Where something stands: a file and, counted from 1, a line of it; 0 where lines mean nothing."""

    path: Path
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}" if self.line else str(self.path)


@dataclass(frozen=True)
class MentionRecord:
    """Characters text[start:end], end exclusive; id is unique within the document.

    concepts: identifiers of what is mentioned, several where the mention stands for several, ("-",) where it was looked
    up and not found. parts: the pieces of a discontinuous mention, in text order; start and end are then those of the
    whole stretch from the first to the last piece.
    """

    id: str
    type: str
    start: int
    end: int
    concepts: Tuple[str, ...] = ()
    parts: Tuple[Offsets, ...] = ()


@dataclass(frozen=True)
class RelationRecord:
    """subject and object are ids of mentions. score: 1 for gold, a probability for what a pipeline found."""

    predicate: str
    subject: str
    object: str
    score: float = 1.0


@dataclass(frozen=True)
class ConceptRelationRecord:
    """A relation of the whole document: subject and object are concepts of mentions."""

    predicate: str
    subject: str
    object: str


class Dropped(NamedTuple):
    """What a reader had to leave out: "mention", "relation" or whatever else the format has; why; and where it is."""

    what: str
    why: str
    where: str


@dataclass
class Record:
    """One document.

    place: where it was read. long_forms: what the texts of some mentions are short for. breaks: character offsets where
    a sentence must start, such as between title and abstract. sentences: where every sentence starts, for a corpus that
    has its own; None: a splitter finds them. tokens: the corpus's own tokens in text order; None: a tokenizer makes
    them. meta: JSON values that go into ``doc.user_data``, with the corpus and the split in "corpus" and "split".
    mentions_given: False: the text is not annotated, and its mentions are yet to be found. notes: counts of what was
    decided while reading and lost nothing.
    """

    id: str
    text: str
    place: Place
    mentions: List[MentionRecord] = field(default_factory=list)
    relations: List[RelationRecord] = field(default_factory=list)
    concept_relations: List[ConceptRelationRecord] = field(default_factory=list)
    long_forms: Dict[str, str] = field(default_factory=dict)
    breaks: Tuple[int, ...] = ()
    sentences: Optional[Tuple[int, ...]] = None
    tokens: Optional[Tuple[Offsets, ...]] = None
    meta: Dict[str, Any] = field(default_factory=dict)
    mentions_given: bool = True
    dropped: List[Dropped] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)
    _mention_ids: Dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def add_mention(
        self, mention: MentionRecord, place: Optional[Place] = None, text: Optional[str] = None, why: str = ""
    ) -> None:
        """Add a mention, or drop it where it cannot be used. Blanks at its ends are cut off and noted.

        text: what the corpus says it covers, if it does. why: the reader's own reason to drop it, if it has one.
        """
        why = self._why_no_mention(mention, text) or why
        if why:
            self._mention_ids.setdefault(mention.id, False)
            self.drop("mention", why, place, f"mention {mention.id} ({mention.start} to {mention.end})")
            return
        self._mention_ids[mention.id] = True
        self.mentions.append(self._trimmed(mention))

    def add_relation(self, rel: RelationRecord, place: Optional[Place] = None) -> None:
        """Add a relation between two mentions that were added before, or drop it."""
        why = "" if rel.predicate else "no predicate"
        for argument in (rel.subject, rel.object):
            if not self._mention_ids.get(argument):
                why = why or ("argument was dropped" if argument in self._mention_ids else "unknown argument")
        if why:
            self.drop("relation", why, place, f"relation {rel.predicate} of {rel.subject} and {rel.object}")
        else:
            self.relations.append(rel)

    def add_concept_relation(self, rel: ConceptRelationRecord, place: Optional[Place] = None) -> None:
        """Add a relation between concepts of mentions that were added before, or drop it."""
        why = "" if rel.predicate else "no predicate"
        if not {rel.subject, rel.object} <= self.concepts:
            why = why or "no mention of an argument's concept"
        if why:
            self.drop("relation", why, place, f"relation {rel.predicate} of {rel.subject} and {rel.object}")
        else:
            self.concept_relations.append(rel)

    def long_form(self, mention: MentionRecord) -> str:
        """What a mention's text is short for, else the text."""
        text = self.text[mention.start : mention.end]
        return self.long_forms.get(text, text)

    @property
    def concepts(self) -> Set[str]:
        """The concepts that have a mention."""
        return {concept for mention in self.mentions for concept in mention.concepts if is_concept(concept)}

    def drop(self, what: str, why: str, place: Optional[Place] = None, detail: str = "") -> None:
        """Note that something had to be left out. detail: which one, in words."""
        where = f"{place or self.place}, document {self.id}"
        self.dropped.append(Dropped(what, why, f"{where}, {detail}" if detail else where))

    def _why_no_mention(self, mention: MentionRecord, text: Optional[str]) -> Optional[str]:
        found = self.text[mention.start : mention.end]
        if mention.id in self._mention_ids:
            return "id occurs twice"
        if not 0 <= mention.start < mention.end <= len(self.text):
            return "offsets outside of the text"
        if text is not None and found != text:
            return "offsets do not match the text"
        if not found.strip():
            return "nothing but blanks"
        if not mention.type:
            return "no type"
        return None

    def _trimmed(self, mention: MentionRecord) -> MentionRecord:
        found = self.text[mention.start : mention.end]
        start = mention.end - len(found.lstrip())
        end = mention.start + len(found.rstrip())
        if (start, end) == (mention.start, mention.end):
            return mention
        self.notes["blanks cut off at the ends of a mention"] += 1
        parts = tuple((max(first, start), min(last, end)) for first, last in mention.parts)
        return replace(mention, start=start, end=end, parts=parts)


def distinct(path: Path, records: Iterable[Record]) -> Iterator[Record]:
    """The same records. Raises CorpusError where there is none, or a document for the second time."""
    seen = set()
    for record in records:
        if record.id in seen:
            raise corpus_error(record.place.path, f"document {record.id} occurs twice", record.place.line)
        seen.add(record.id)
        yield record
    if not seen:
        raise corpus_error(path, "holds no document")


def corpus_error(path: Path, problem: str, line: int = 0) -> CorpusError:
    """An error that names the file and, counted from 1, the line."""
    return CorpusError(Errors.DR003.format(where=Place(path, line), problem=problem))


def sentence_around(text: str, starts: Sequence[int], *places: Offsets) -> Offsets:
    """From the start of the sentence of the first place to the end of that of the last, without blanks around.

    starts: where the sentences start, in text order; nowhere: the text is one sentence.
    """
    before = bisect_right(starts, min(start for start, _ in places))
    after = bisect_right(starts, max(end for _, end in places) - 1)
    start = starts[before - 1] if before else 0
    end = starts[after] if after < len(starts) else len(text)
    sentence = text[start:end]
    return end - len(sentence.lstrip()), start + len(sentence.rstrip())
