"""SemEval-2010 Task 8: TRAIN_FILE.TXT, TEST_FILE_FULL.TXT and TEST_FILE_CLEAN.TXT.

Blocks of a sentence with tags, a label such as ``Cause-Effect(e2,e1)`` or ``Other``, a comment and an empty line;
without annotations the sentence alone.
"""

import re
from functools import partial
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import read_blocks, read_lines

#: The relations, each of which has two directions.
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
#: The label of a pair without any of them.
OTHER = "Other"
#: The type of all mentions, since the corpus has none.
TYPE = "ENTITY"
_SENTENCE = re.compile(r'(\d+)\t"(.*)"')
_TAG = re.compile(r"(</?e[12]>)")
_LABEL = re.compile(rf"({'|'.join(NAMES)})\((e1,e2|e2,e1)\)")


def read(path: Path, whole_labels: bool = False) -> Iterator[Record]:
    """Read a file. A relation's subject fills the first role of its name: Cause-Effect(e2,e1) has the subject e2.

    With whole labels e1 is every subject, and the label including the direction the predicate.
    """
    return as_corpus(path, "semeval2010t8", _records(path, whole_labels))


def read_labels(path: Path) -> Iterator[Tuple[Place, str, str]]:
    """Read place, number and label of each sentence, from lines ``id<TAB>label`` or blocks. Raises CorpusError."""
    rows = [(place, line.strip()) for place, line in read_lines(path) if line.strip()]
    if not rows:
        raise Place(path).error(Errors.DR323)
    if '\t"' not in rows[0][1]:
        yield from ((place, *_columns(place, line)) for place, line in rows)
        return
    for at in range(0, len(rows), 3):
        block = rows[at : at + 3]
        _, label = _block(block)
        if label is None:
            raise block[0][0].error(Errors.DR371)
        yield block[1][0], _columns(*block[0])[0], label


def _columns(place: Place, line: str) -> Tuple[str, str]:
    id, tab, label = line.partition("\t")
    if not tab or not id.isdecimal():
        raise place.error(Errors.DR372)
    return id, label


def parse_label(label: str, place: Place) -> Tuple[str, Tuple[str, str]]:
    """Split a label into the relation's name and the mentions in its two roles. Raises CorpusError."""
    match = _LABEL.fullmatch(label)
    if match is None:
        raise place.error(Errors.DR373, label=label[:40])
    first, second = match[2].split(",")
    return match[1], (first, second)


def _records(path: Path, whole_labels: bool) -> Iterator[Record]:
    labelled = None
    for block in read_blocks(path):
        sentences, label = _block(block)
        if labelled not in (None, label is not None):
            raise block[0][0].error(Errors.DR377)
        labelled = label is not None
        for place, line in sentences:
            record = _record(line.strip(), place)
            if label is None:
                record.notes["sentence without a label"] += 1
            elif label != OTHER:
                name, arguments = parse_label(label, block[1][0])
                rel = RelationRecord(label, "e1", "e2") if whole_labels else RelationRecord(name, *arguments)
                record.add_relation(rel)
            yield record


def _block(block: List[Tuple[Place, str]]) -> Tuple[List[Tuple[Place, str]], Optional[str]]:
    """The sentences of a block and their label, None in a file without labels."""
    if all(_SENTENCE.fullmatch(line.strip()) for _, line in block):
        return block, None
    if len(block) != 3 or not block[2][1].strip().startswith("Comment:"):
        raise block[0][0].error(Errors.DR376)
    return block[:1], block[1][1].strip()


def _record(line: str, place: Place) -> Record:
    sentence = _SENTENCE.fullmatch(line)
    if sentence is None:
        raise place.error(Errors.DR378)
    pieces = _TAG.split(sentence[2])
    texts, tags = pieces[::2], pieces[1::2]
    if tags != ["<e1>", "</e1>", "<e2>", "</e2>"] or not (texts[1] and texts[3]):
        raise place.error(Errors.DR379)
    before, first, between, second, _ = texts
    record = Record(sentence[1], "".join(texts), place, sentences=(0,))
    for id, start, mention in (("e1", len(before), first), ("e2", len(before + first + between), second)):
        record.add_mention(MentionRecord(id, TYPE, start, start + len(mention)), place)
    return record


FORMATS = {"semeval": Format(read), "semeval-19": Format(partial(read, whole_labels=True))}
