"""Where sentences start: a splitter's opinion, less its plain mistakes.

Splitters cut after the full stops of abbreviations and inside names, which parts the arguments of relations. What is
put right is seen in the text and the mentions alone; relations are never looked at, so that candidates do not depend on
gold.
"""

import re
from collections import Counter
from typing import List, Optional, Set

from spacy.language import Language
from spacy.tokens import Doc

from .record import Record

_SENTENCE_END = re.compile(r"""[.!?\u2026\u3002\uff01\uff1f]["'\u2019\u201d)\]}]*\s*\Z""")
_DOTTED_ABBREVIATION = re.compile(r"\b(?:[A-Za-z]\.){2,}[)\]]*\s*\Z")
#: Characters before and after a start that are looked at.
_LOOK_AROUND = 40
#: Why a start is removed, be it the record's own or a splitter's.
_INSIDE = "inside a mention"


def sentence_starts(doc: Doc, record: Record, nlp: Language, removed: Counter) -> List[bool]:
    """For each token of the Doc, whether a sentence starts there.

    No sentence starts inside a mention. Else a record with sentences of its own keeps them. For others the components
    of nlp decide, and a start is removed where no full stop (or ``!``, ``?``) and no line's end stands before it,
    before a word in lower case, and after an abbreviation such as "i.v." unless a capitalised word follows. A start is
    added at each of the record's breaks that is not inside a mention. removed: counts the removed ones by reason.
    """
    inside = _inside_mentions(record)
    if record.sentences is not None:
        starts = _begin_at(doc, {0, *record.sentences})
        cut = {token.i for token in doc if starts[token.i] and inside[token.idx]}
        removed.update([_INSIDE] * len(cut))
        return [start and i not in cut for i, start in enumerate(starts)]
    split = doc.copy()
    for _, component in nlp.pipeline:
        split = component(split)
    starts = []
    for token, is_break in zip(split, _begin_at(doc, {0, *record.breaks})):
        why = _why_no_start(record.text, token.idx, bool(inside[token.idx])) if token.is_sent_start else ""
        is_break = is_break and not inside[token.idx]
        if why and not is_break:
            removed[why] += 1
        starts.append(is_break or bool(token.is_sent_start) and not why)
    return starts


def _inside_mentions(record: Record) -> bytearray:
    """For each offset of the text, whether it is inside a mention and not where one starts."""
    inside = bytearray(len(record.text) + 1)
    for mention in record.mentions:
        inside[mention.start + 1 : mention.end] = b"\x01" * (mention.end - mention.start - 1)
    return inside


def _begin_at(doc: Doc, offsets: Set[int]) -> List[bool]:
    """For each token, whether it begins at one of the offsets or right after a blank that does."""
    ends = [0, *(token.idx + len(token) for token in doc)]
    return [not offsets.isdisjoint(range(end, token.idx + 1)) for end, token in zip(ends, doc)]


def _why_no_start(text: str, offset: int, inside_mention: bool) -> Optional[str]:
    before, word = (
        text[max(offset - _LOOK_AROUND, 0) : offset],
        text[offset : offset + _LOOK_AROUND].split(maxsplit=1)[:1],
    )
    if inside_mention:
        return _INSIDE
    if "\n" in before[len(before.rstrip()) :]:
        return None
    if not _SENTENCE_END.search(before):
        return "no end of a sentence before it"
    if word and word[0].rstrip(",;:.").isalpha() and word[0].islower():
        return "before a word in lower case"
    if _DOTTED_ABBREVIATION.search(before) and not (word and re.match(r"[A-Z][a-z]+\b(?!-)", word[0])):
        return "after an abbreviation"
    return None
