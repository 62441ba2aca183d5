"""The record, a plain form of an annotated document: file formats convert to and from it, and it converts to a Doc.

A damaged file raises CorpusError; a single mention or relation that cannot be used is listed in `Record.dropped`.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ..annotations.concepts import is_concept
from ..errors import CorpusError, Errors

#: (start, end) in characters of a text, end exclusive
Offsets = Tuple[int, int]
#: Reason to drop a mention.
MISMATCH = "offsets do not match the text"
#: What some formats write between the pieces of a discontinuous mention.
_ELLIPSIS = re.compile(r"\[(\.\.\.|…)\]|\.\.\.|…")


class Place(NamedTuple):
    """A file and a line, counted from 1; 0 means the file as a whole."""

    path: Path
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}" if self.line else str(self.path)

    def error(self, message: str, **values: Any) -> CorpusError:
        """Make an error from a message with the placeholder ``{where}``."""
        return CorpusError(message.format(where=self, **values))


@dataclass(frozen=True)
class MentionRecord:
    """Characters text[start:end] of a document, end exclusive.

    Attributes:
        concepts: Identifiers of the concepts that the mention refers to; ("-",) if it was looked up and not found.
        parts: The pieces of a discontinuous mention in text order, from start to end.
        listed: False for a mention that exists only as the argument of a relation.
    """

    id: str
    type: str
    start: int
    end: int
    concepts: Tuple[str, ...] = ()
    parts: Tuple[Offsets, ...] = ()
    listed: bool = field(default=True, compare=False)

    @classmethod
    def of_parts(cls, id: str, type: str, parts: Sequence[Offsets], concepts: Tuple[str, ...] = ()) -> "MentionRecord":
        """Make a mention of its parts in any order, of which there may be one."""
        start, end = min(start for start, _ in parts), max(end for _, end in parts)
        return cls(id, type, start, end, concepts, tuple(parts))

    @property
    def key(self) -> Tuple[int, int, str]:
        """What tells it from other mentions, apart from the id."""
        return (self.start, self.end, self.type)


@dataclass(frozen=True)
class RelationRecord:
    """A relation between mentions, given by their ids, or between concepts. The score is 1 for gold."""

    predicate: str
    subject: str
    object: str
    score: float = 1.0

    def __str__(self) -> str:
        return f"relation {self.predicate} of {self.subject} and {self.object}"


class Dropped(NamedTuple):
    """Something that a reader left out: what ("mention", "relation" ...), why and where."""

    what: str
    why: str
    where: str


@dataclass
class Losses:
    """Counts of what was left out, by reason, with the first place of each."""

    counts: Counter = field(default_factory=Counter)
    first: Dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, where: object) -> None:
        """Add one."""
        self.counts[reason] += 1
        self.first.setdefault(reason, str(where))

    def add_dropped(self, dropped: Iterable[Dropped]) -> None:
        """Add what a reader left out."""
        for what, why, where in dropped:
            self.add(f"{what}: {why}", where)

    def __iter__(self) -> Iterator[Tuple[str, int, str]]:
        return ((reason, n, self.first[reason]) for reason, n in self.counts.items())


@dataclass
class Record:
    """One document.

    Attributes:
        place: Where it was read.
        concept_relations: Document-level relations between concepts that have mentions.
        long_forms: The long forms of abbreviations, by the text of their mentions.
        breaks: Offsets at which a sentence must start, such as between title and abstract.
        sentences: The corpus's own sentence starts; None to use a sentence splitter.
        tokens: The corpus's own tokens in text order; None to use a tokenizer.
        meta: JSON values for ``doc.user_data``, with the corpus and the split under "corpus" and "split".
        mentions_given: False if the text is not annotated and its mentions have yet to be found.
        dropped: What was left out.
        notes: Counts of decisions taken while reading that lost nothing.
    """

    id: str
    text: str
    place: Place
    mentions: List[MentionRecord] = field(default_factory=list)
    relations: List[RelationRecord] = field(default_factory=list)
    concept_relations: List[RelationRecord] = field(default_factory=list)
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
        """Add a mention without the blanks at its ends, or drop it if it cannot be used.

        Its place is the document's by default. The corpus may give its text, to be checked, and the reader a reason to
        drop it. Blanks and ellipses of the text are not compared: formats join parts with or without them, write blanks
        for line ends, or lose them. What stands between the parts may be given too.
        """
        found = self.covered(mention)
        parts = mention.parts or ((mention.start, mention.end),)
        joined = _characters("".join(self.text[start:end] for start, end in parts))
        said = joined if text is None else _characters(text)
        is_said = said in (joined, _characters(found))
        edges = [edge for part in sorted(parts) for edge in part]
        are_whole = [edges[0], edges[-1]] == [mention.start, mention.end]
        are_apart = edges == sorted(edges) and all(start < end for start, end in parts)
        if mention.id in self._mention_ids:
            why = "id occurs twice"
        elif not 0 <= mention.start < mention.end <= len(self.text):
            why = "offsets outside of the text"
        elif not (are_whole and are_apart and (is_said or is_rendering(joined, said))):
            why = MISMATCH
        elif not found.strip():
            why = "nothing but blanks"
        elif not mention.type:
            why = why or "no type"
        self._mention_ids.setdefault(mention.id, not why)
        if why:
            self.drop("mention", why, place, f"mention {mention.id} ({mention.start} to {mention.end})")
            return
        if not is_said:
            self.notes["text of a mention given in other characters"] += 1
        start, end = mention.end - len(found.lstrip()), mention.start + len(found.rstrip())
        if (start, end) != (mention.start, mention.end):
            self.notes["blanks cut off at the ends of a mention"] += 1
        parts = tuple((max(first, start), min(last, end)) for first, last in sorted(parts))
        self.mentions.append(replace(mention, start=start, end=end, parts=parts if len(parts) > 1 else ()))

    def add_relation(self, rel: RelationRecord, place: Optional[Place] = None) -> None:
        """Add a relation between mentions that were added before, or drop it."""
        bad = [argument for argument in (rel.subject, rel.object) if not self._mention_ids.get(argument)]
        why = "argument was dropped" if bad and bad[0] in self._mention_ids else "unknown argument" if bad else ""
        self._add(self.relations, rel, why, place)

    def add_concept_relation(
        self, rel: RelationRecord, place: Optional[Place] = None, novelty: Optional[str] = None
    ) -> None:
        """Add a relation between concepts of mentions that were added before, or drop it.

        BioRED's novelty is "Novel" or "No"; ``meta["novel"]`` lists [predicate, subject, object] of the novel ones.
        """
        why = "" if {rel.subject, rel.object} <= self.concepts else "no mention of an argument's concept"
        if self._add(self.concept_relations, rel, why, place) and novelty is not None:
            novel = self.meta.setdefault("novel", [])
            if novelty == "Novel":
                novel.append([rel.predicate, rel.subject, rel.object])
            elif novelty != "No":
                self.drop("novelty", "neither Novel nor No", place, str(rel))

    def _add(self, rels: List[RelationRecord], rel: RelationRecord, why: str, place: Optional[Place]) -> bool:
        why = why if rel.predicate else "no predicate"
        if why:
            self.drop("relation", why, place, str(rel))
        else:
            rels.append(rel)
        return not why

    def covered(self, mention: MentionRecord) -> str:
        """The text of a mention."""
        return self.text[mention.start : mention.end]

    def long_form(self, mention: MentionRecord) -> str:
        """The long form of a mention's text or, without one, the text."""
        return self.long_forms.get(self.covered(mention), self.covered(mention))

    @property
    def concepts(self) -> Set[str]:
        """The concepts that have a mention."""
        return {concept for mention in self.mentions for concept in mention.concepts if is_concept(concept)}

    def drop(self, what: str, why: str, place: Optional[Place] = None, detail: str = "") -> None:
        """List something as left out. The detail says which one."""
        where = f"{place or self.place}, document {self.id}"
        self.dropped.append(Dropped(what, why, f"{where}, {detail}" if detail else where))


#: What a stream of documents yields: a record, or the error of a document that cannot be read.
Document = Union[Record, CorpusError]


def attempt(parse: Callable[..., Record], *args: Any) -> Document:
    """Parse a document of a stream."""
    try:
        return parse(*args)
    except CorpusError as err:
        return err


def as_corpus(path: Path, name: str, documents: Iterable[Document]) -> Iterator[Record]:
    """Iterate over the documents of a corpus and put its name and the split into their meta data, unless they are set.

    Raises CorpusError for a document that cannot be read or occurs twice, or if there is none.
    """
    split = path.name if path.is_dir() else path.stem.removesuffix(".BioC").removesuffix(".PubTator")
    seen = set()
    for record in documents:
        if isinstance(record, CorpusError):
            raise record
        if record.id in seen:
            raise record.place.error(Errors.DR302, id=record.id)
        seen.add(record.id)
        record.meta = {"corpus": name, "split": split, **record.meta}
        yield record
    if not seen:
        raise Place(path).error(Errors.DR303)


def _characters(text: str) -> str:
    return "".join(_ELLIPSIS.sub("", text).split())


def is_rendering(text: str, said: str) -> bool:
    """Whether a tool may have written `said` for `text`, with ASCII for other characters: a or alpha for α, - for –."""
    if text.isascii():
        return False
    spelled = re.sub("[Α-Ωα-ω]", lambda letter: unicodedata.name(letter[0]).rpartition(" ")[2], text)
    for form in (text.lower(), spelled.lower()):
        pairs = list(zip(form, said.lower()))
        in_ascii = all(one == other or not one.isascii() and other.isascii() for one, other in pairs)
        # Of a word in another script anything could be the rendering
        if in_ascii and len(form) == len(said) and (len(said) == 1 or any(one == other for one, other in pairs)):
            return True
    return False


def sentence_around(text: str, starts: Sequence[int], *places: Offsets) -> Offsets:
    """The offsets of the sentences from the first to the last of some places, without surrounding blanks."""
    before = bisect_right(starts, min(start for start, _ in places))
    after = bisect_right(starts, max(end for _, end in places) - 1)
    start = starts[before - 1] if before else 0
    end = starts[after] if after < len(starts) else len(text)
    sentence = text[start:end]
    return end - len(sentence.lstrip()), start + len(sentence.rstrip())
