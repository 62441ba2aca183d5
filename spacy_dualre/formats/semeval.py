r"""SemEval-2010 Task 8: TRAIN_FILE.TXT, TEST_FILE_FULL.TXT and TEST_FILE_CLEAN.TXT.

Blocks of a sentence (``id<TAB>"... <e1>a</e1> ... <e2>b</e2> ..."``), a label (``Cause-Effect(e2,e1)`` or ``Other``), a
comment and an empty line; without annotations the sentence alone.
"""

import re
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from ..records.record import MentionRecord, Place, Record, RelationRecord, corpus_error
from .files import read_lines

#: The relations; each has two directions.
NAMES = (
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
)
#: The label of a pair that has none of them.
OTHER = "Other"
#: The corpus gives its mentions no types.
TYPE = "ENTITY"
_SENTENCE = re.compile(r'(\d+)\t"(.*)"')
_TAG = re.compile(r"(</?e[12]>)")
_LABEL = re.compile(rf"({'|'.join(NAMES)})\((e1,e2|e2,e1)\)")


def read(path: Path) -> Iterator[Record]:
    """The sentences of one file. The subject of a relation fills the first role of its name: Cause-Effect(e2,e1) is
    (e2, "Cause-Effect", e1).

    Raises CorpusError naming file and line for anything that is not as the format says.
    """
    for record, label in _blocks(path):
        if label is not None and label != OTHER:
            name, (first, second) = parse_label(label, _next_line(record.place))
            record.add_relation(RelationRecord(name, first, second))
        yield record


def read_19(path: Path) -> Iterator[Record]:
    """The same with e1 as every subject and the whole label, direction included, as the predicate."""
    for record, label in _blocks(path):
        if label is not None and label != OTHER:
            parse_label(label, _next_line(record.place))
            record.add_relation(RelationRecord(label, "e1", "e2"))
        yield record


def parse_label(label: str, place: Place) -> Tuple[str, Tuple[str, str]]:
    """The name and the mentions in its first and second role. Raises CorpusError naming the place."""
    match = _LABEL.fullmatch(label)
    if match is None:
        hint = " without its direction: take the labels of TEST_FILE_FULL.TXT" if label in NAMES else ""
        raise corpus_error(place.path, f"unknown label {label[:40]!r}{hint}", place.line)
    first, second = match[2].split(",")
    return match[1], (first, second)


def _next_line(place: Place) -> Place:
    return Place(place.path, place.line + 1)


def _blocks(path: Path) -> Iterator[Tuple[Record, Optional[str]]]:
    """Each sentence with its label, None where the file has none."""
    seen = set()
    kinds = set()
    for block in _paragraphs(path):
        if all(_SENTENCE.fullmatch(line) for _, line in block):
            sentences, label = block, None
        elif len(block) == 3:
            sentences, label, comment = block[:1], block[1][1], block[2]
            if not comment[1].startswith("Comment:"):
                raise corpus_error(path, "the third line of a block must begin with 'Comment:'", comment[0])
        else:
            problem = "a block must have a sentence, a label and a comment, or consist of sentences"
            raise corpus_error(path, problem, block[0][0])
        kinds.add(label is None)
        if len(kinds) > 1:
            problem = "some sentences have a label and a comment, others do not: is the file cut off?"
            raise corpus_error(path, problem, block[0][0])
        for number, line in sentences:
            record = _record(line, Place(path, number))
            if label is None:
                record.notes["sentence without a label"] += 1
            if record.id in seen:
                raise corpus_error(path, f"sentence {record.id} occurs twice", number)
            seen.add(record.id)
            yield record, label


def _paragraphs(path: Path) -> Iterator[List[Tuple[int, str]]]:
    block: List[Tuple[int, str]] = []
    for number, line in read_lines(path):
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _record(line: str, place: Place) -> Record:
    sentence = _SENTENCE.fullmatch(line)
    if sentence is None:
        raise corpus_error(place.path, 'expected a number, a tab and a sentence between " "', place.line)
    pieces = _TAG.split(sentence[2])
    texts, tags = pieces[::2], pieces[1::2]
    if tags != ["<e1>", "</e1>", "<e2>", "</e2>"] or not (texts[1] and texts[3]):
        raise corpus_error(place.path, "expected one <e1>...</e1> and after it one <e2>...</e2>", place.line)
    before, first, between, second, _ = texts
    record = Record(sentence[1], "".join(texts), place, sentences=(0,))
    record.meta = {"corpus": "semeval2010t8", "split": place.path.stem}
    for id, start, mention in (
        ("e1", len(before), first),
        ("e2", len(before + first + between), second),
    ):
        record.add_mention(MentionRecord(id, TYPE, start, start + len(mention)), place)
    return record
