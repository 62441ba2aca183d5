"""DDIExtraction 2013 (SemEval-2013 task 9), drug-drug interactions: XML, one document with its sentences in each file.

``<document id><sentence text><entity id charOffset type text/><pair id e1 e2 ddi type/></sentence></document>``, where
charOffset counts code points of the sentence, END INCLUSIVE: "4-16", or "0-5;10-15" for a discontinuous entity.

Source: Herrero-Zazo et al. 2013, "The DDI corpus: An annotated corpus with pharmacological substances and drug-drug
interactions", https://github.com/isegura/DDICorpus.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple
from xml.parsers import expat

from ..errors import Errors
from ..records.record import MISMATCH, MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus, hold
from . import Format
from .files import files_in, read_lines

#: The types of interactions; "int" is one that is stated without detail.
TYPES = ("mechanism", "effect", "advise", "int")
#: Within which element each one stands.
_PARENTS = {"document": "", "sentence": "document", "entity": "sentence", "pair": "sentence"}
_OFFSETS = re.compile(r"[0-9]{1,9}-[0-9]{1,9}(?:;[0-9]{1,9}-[0-9]{1,9})*")


@dataclass(frozen=True)
class _Element:
    name: str
    attributes: Dict[str, str]
    place: Place

    def __getitem__(self, key: str) -> str:
        if key not in self.attributes:
            raise self.place.error(Errors.DR350, name=self.name, key=key)
        return self.attributes[key]


class _Sentence(NamedTuple):
    text: str
    start: int
    entities: List[_Element]
    pairs: List[_Element]


def read(path: Path) -> Iterator[Record]:
    """One document for each .xml file of a folder and its subfolders in sorted order, or that of one file.

    Ids are the corpus's. The text is the sentences joined with a blank, and they are the record's. Pairs run in text
    order and have no direction: e1 is the subject, e2 the object. An interaction without type counts as "int"; pairs
    without interaction are noted and left out.

    Raises:
        CorpusError: XML of another kind, or a document that occurs twice. Document type declarations are refused, so
            that nothing is fetched and no entity expanded.
    """
    return as_corpus(path, "ddi", (_record(_elements(file)) for file in files_in(path, ".xml")))


def _elements(path: Path) -> List[_Element]:
    """All elements of the file in its order, each checked to stand within the right one."""
    elements: List[_Element] = []
    within = [""]
    parser = expat.ParserCreate("UTF-8")

    def start(name: str, attributes: Dict[str, str]) -> None:
        place = Place(path, parser.CurrentLineNumber)
        if _PARENTS.get(name) != within[-1]:
            where = f"within <{within[-1]}>" if within[-1] else "outermost"
            raise place.error(Errors.DR351, name=name, within=where)
        within.append(name)
        elements.append(_Element(name, attributes, place))

    def doctype(*_: Any) -> None:
        raise Place(path, parser.CurrentLineNumber).error(Errors.DR352)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: within.pop()
    parser.StartDoctypeDeclHandler = doctype
    try:
        for _, line in read_lines(path):
            parser.Parse(f"{line}\n", False)
        parser.Parse("", True)
    except expat.ExpatError as err:
        raise Place(path, err.lineno).error(Errors.DR329, problem=expat.ErrorString(err.code)) from err
    return elements


def _record(elements: List[_Element]) -> Record:
    document = elements[0]
    if not document["id"].strip():
        raise document.place.error(Errors.DR333)
    sentences = _sentences(elements[1:])
    text = " ".join(sentence.text for sentence in sentences if sentence.text)
    record = Record(document["id"], text, document.place, sentences=_starts(sentences))
    for sentence in sentences:
        for entity in sentence.entities:
            _add_mention(record, entity, sentence)
    seen: Set[str] = set()
    for sentence in sentences:
        for pair in sentence.pairs:
            _add_relation(record, pair, seen)
    empty = len(sentences) - len(record.sentences or ())
    if empty:
        record.notes["sentences without text"] += empty
    return record


def _sentences(elements: List[_Element]) -> List[_Sentence]:
    """The sentences with what is in them and where they are in the document. One without text takes no room."""
    sentences: List[_Sentence] = []
    start = 0
    for element in elements:
        if element.name == "sentence":
            sentences.append(_Sentence(element["text"], start, [], []))
            start += len(element["text"]) + 1 if element["text"] else 0
        elif element.name == "entity":
            sentences[-1].entities.append(element)
        else:
            sentences[-1].pairs.append(element)
    return sentences


def _starts(sentences: List[_Sentence]) -> Tuple[int, ...]:
    """Where each sentence's first character stands that is no blank, because blanks may belong to the token before."""
    return tuple(
        sentence.start + len(sentence.text) - len(sentence.text.lstrip())
        for sentence in sentences
        if sentence.text.strip()
    )


def _add_mention(record: Record, entity: _Element, sentence: _Sentence) -> None:
    pieces = _pieces(entity)
    why = "" if hold(pieces, sentence.text, entity["text"]) else MISMATCH
    pieces = [(sentence.start + start, sentence.start + end) for start, end in pieces]
    record.add_mention(MentionRecord.of_pieces(entity["id"], entity["type"], pieces), entity.place, why=why)


def _pieces(entity: _Element) -> List[Offsets]:
    """Where the entity is in its sentence, end exclusive."""
    offsets = entity["charOffset"]
    if not _OFFSETS.fullmatch(offsets):
        raise entity.place.error(Errors.DR353, offsets=offsets[:40])
    pieces = [piece.split("-") for piece in offsets.split(";")]
    return [(int(first), int(last) + 1) for first, last in pieces]


def _add_relation(record: Record, pair: _Element, seen: Set[str]) -> None:
    id, subject, object, ddi = pair["id"], pair["e1"], pair["e2"], pair["ddi"]
    repeated = id in seen
    seen.add(id)
    type = pair.attributes.get("type") or "int"
    if ddi == "false":
        record.notes["explicit negative pairs"] += 1
    elif repeated:
        record.drop("relation", "id occurs twice", pair.place, id)
    elif ddi != "true":
        record.drop("relation", "ddi is neither true nor false", pair.place, f"{id}: {ddi}")
    elif type not in TYPES:
        record.drop("relation", "unknown type of interaction", pair.place, f"{id}: {type}")
    else:
        if not pair.attributes.get("type"):
            record.notes["interactions without type, read as int"] += 1
        record.add_relation(RelationRecord(type, subject, object), pair.place)


FORMATS = {"ddi": Format(read)}
