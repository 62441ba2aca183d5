"""DDIExtraction 2013 (SemEval-2013 task 9), drug-drug interactions: one XML document per file.

charOffset counts code points of the sentence, END INCLUSIVE: "4-16", or "0-5;10-15" for a discontinuous entity.
Source: Herrero-Zazo et al. 2013, "The DDI corpus: An annotated corpus with pharmacological substances and drug-drug
interactions", https://github.com/isegura/DDICorpus.
"""

import re
from pathlib import Path
from typing import Any, Iterator, List

from ..errors import Errors
from ..records.record import MISMATCH, MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import files_in, parse_xml, read_lines

#: The types of interactions; "int" is an interaction without further detail.
TYPES = ("mechanism", "effect", "advise", "int")
_OFFSETS = re.compile(r"[0-9]{1,9}-[0-9]{1,9}(?:;[0-9]{1,9}-[0-9]{1,9})*")


def read(path: Path) -> Iterator[Record]:
    """Read every .xml file of a folder and its subfolders in sorted order, or a single file.

    The text is the sentences joined with blanks. Pairs run in text order: e1 is the subject, e2 the object.
    """
    return as_corpus(path, "ddi", map(_record, files_in(path, ".xml")))


class _Element:
    """An XML element with its place."""

    def __init__(self, node: Any, path: Path) -> None:
        self.node = node
        self.place = Place(path, node.sourceline)

    def __getitem__(self, key: str) -> str:
        if key not in self.node.attrib:
            raise self.place.error(Errors.DR350, name=self.node.tag, key=key)
        return str(self.node.get(key))

    def find_all(self, tag: str) -> List["_Element"]:
        return [_Element(child, self.place.path) for child in self.node.iterdescendants(tag)]


def _record(path: Path) -> Record:
    document = _Element(parse_xml("\n".join(line for _, line in read_lines(path)), path), path)
    if document.node.tag != "document":
        raise document.place.error(Errors.DR351, name=document.node.tag, expected="document")
    if not document["id"].strip():
        raise document.place.error(Errors.DR333)
    sentences = document.find_all("sentence")
    text = " ".join(sentence["text"] for sentence in sentences if sentence["text"])
    record = Record(document["id"], text, document.place)
    starts: List[int] = []
    offset = 0
    for sentence in sentences:
        text = sentence["text"]
        if text.strip():
            # Blanks at the start may belong to the token before
            starts.append(offset + len(text) - len(text.lstrip()))
        else:
            record.notes["sentences without text"] += 1
        for entity in sentence.find_all("entity"):
            offsets = entity["charOffset"]
            if not _OFFSETS.fullmatch(offsets):
                raise entity.place.error(Errors.DR353, offsets=offsets[:40])
            ends = [tuple(map(int, piece.split("-"))) for piece in offsets.split(";")]
            pieces = [(offset + first, offset + last + 1) for first, last in ends]
            why = MISMATCH if any(last >= len(text) for _, last in ends) else ""
            mention = MentionRecord.of_parts(entity["id"], entity["type"], pieces)
            record.add_mention(mention, entity.place, entity["text"], why)
        # An empty sentence takes no room
        offset += len(text) + bool(text)
    record.sentences = tuple(starts)
    for pair in document.find_all("pair"):
        _add_relation(record, pair)
    return record


def _add_relation(record: Record, pair: _Element) -> None:
    id, subject, object, ddi = pair["id"], pair["e1"], pair["e2"], pair["ddi"]
    type = pair.node.get("type")
    if ddi == "false":
        record.notes["explicit negative pairs"] += 1
    elif ddi != "true":
        record.drop("relation", "ddi is neither true nor false", pair.place, f"{id}: {ddi}")
    elif type and type not in TYPES:
        record.drop("relation", "unknown type of interaction", pair.place, f"{id}: {type}")
    else:
        if not type:
            record.notes["interactions without type, read as int"] += 1
        record.add_relation(RelationRecord(type or "int", subject, object), pair.place)


FORMATS = {"ddi": Format(read)}
