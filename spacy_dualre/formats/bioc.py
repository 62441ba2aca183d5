"""BioC, XML and JSON, as in BioRED and as NCBI's tools export it: a collection, in JSON also a list of collections
(BioC API for PMC) and one whose documents are under "PubTator3" (PubTator 3's API).

Texts are given in passages, or in sentences within them, which have offsets into the document. Offsets are code points,
and annotations count from the start of the document. A relation is either one between annotations (nodes) or, in
BioRED, one between concepts of the whole document (infons entity1, entity2, type and novel).

Sources: Comeau et al. 2013, "BioC: a minimalist approach to interoperability for biomedical text processing", with
BioC.dtd; https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/.
"""

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional, Tuple

from bioc import BioCAnnotation, BioCDocument, BioCPassage, BioCRelation, biocjson, biocxml
from lxml import etree
from pydantic import AliasChoices, BaseModel, Field, RootModel

from ..annotations.concepts import SEPARATOR
from ..records.record import ConceptRelationRecord, Place, Record, RelationRecord, corpus_error, distinct
from .elements import read_elements
from .files import decode_text, parse_json, read_lines, validate
from .pieces import MISMATCH, hold, mention_of
from .pubtator import add_concept_relation, split_identifiers

#: What comes first among the nodes of a relation, and what last.
_ROLES = {"subject": 0, "arg1": 0, "object": 2, "arg2": 2}
#: Gaps between passages are filled with blanks: a mistaken offset must not fill the memory.
_LONGEST_TEXT = 10_000_000


# BioC JSON as it is met with: the decoder of bioc needs every key, and BioRED has those only that hold something.


class _Location(BaseModel):
    offset: int
    length: int


class _Annotation(BaseModel):
    id: str
    infons: Dict[str, Any] = {}
    text: Optional[str] = None
    locations: List[_Location]


class _Node(BaseModel):
    refid: str
    role: str = ""


class _Relation(BaseModel):
    id: str = ""
    infons: Dict[str, Any] = {}
    nodes: List[_Node] = []


class _Annotated(BaseModel):
    infons: Dict[str, Any] = {}
    annotations: List[_Annotation] = []
    relations: List[_Relation] = []


class _Sentence(_Annotated):
    offset: int
    text: Optional[str] = None


class _Passage(_Sentence):
    sentences: List[_Sentence] = []


class _Document(_Annotated):
    id: str
    passages: List[_Passage]


class _Collection(BaseModel):
    documents: List[Any] = Field(validation_alias=AliasChoices("documents", "PubTator3"))


class _Collections(RootModel):
    root: List[_Collection]


def read(path: Path) -> Iterator[Record]:
    """The documents of a BioC file, XML or JSON, which its first character tells apart.

    Ids of mentions are those of the annotations. Gaps between passages are blanks. Where every passage names its
    sentences, they are the record's. A mention with several locations is discontinuous. Of the two nodes of a relation
    the one with the role "subject" or "Arg1" is the subject, the one with "object" or "Arg2" the object; other roles
    leave them in their order. ``meta["novel"]`` lists [type, identifier, identifier] of BioRED's novel relations.
    Raises CorpusError naming the file, and the line where there is one, for what is no BioC, for passages that overlap
    and documents given twice.
    """
    first = next((line.lstrip()[0] for _, line in read_lines(path) if line.strip()), "")
    with path.open("rb") as file:
        yield from distinct(path, (parse() for parse in _pending(file, path, first)))


def pending(file: Any, path: Path) -> Iterator[Callable[[], Record]]:
    """The documents of an open file, one by one, each to be parsed by a call before the next one is taken.

    file: one that can be peeked into. path: for messages. A call raises CorpusError for its own document, which ends no
    other; what ends the file raises it here.
    """
    # With the byte order mark, if there is one
    first = file.peek(1).decode("utf8", "replace").lstrip("\ufeff \t\r\n")[:1]
    yield from _pending(file, path, first)


def _pending(file: BinaryIO, path: Path, first: str) -> Iterator[Callable[[], Record]]:
    if first not in ("<", "{", "["):
        raise corpus_error(path, f"starts with {first!r}; expected BioC XML (<) or BioC JSON ({{ or [)")
    if first == "<":
        for place, element in read_elements(file, path, "document"):
            yield partial(_from_xml, element, place)
        return
    place = Place(path)
    text = decode_text(file.read(), place)
    several = first == "["
    collections = parse_json(text, _Collections, place).root if several else [parse_json(text, _Collection, place)]
    for position, collection in enumerate(collections):
        for number, value in enumerate(collection.documents):
            key = f"{position}.documents.{number}" if several else f"documents.{number}"
            yield partial(_from_json, value, key, place)


def _from_xml(element: Any, place: Place) -> Record:
    return _record(_decode(element, place), place)


def _from_json(value: Any, key: str, place: Place) -> Record:
    document = validate(value, _Document, place, key)
    return _record(biocjson.fromJSON(document.model_dump(), "BioCDocument"), place)


def _decode(element: Any, place: Place) -> BioCDocument:
    """One document, by bioc. Its own reader of documents keeps the whole file in memory and fills entities in."""
    parent = element.getparent()
    if parent is None or parent.tag != "collection":
        raise corpus_error(place.path, "a document outside of a collection", place.line)
    for text in element.iter("id", "offset", "text", "infon"):
        if len(text):
            problem = f"an element or entity within {text.tag}, where BioC has characters only"
            raise corpus_error(place.path, problem, text.sourceline or place.line)
    for node in element.iter("node"):
        # May be left out, but not for bioc.
        node.set("role", node.get("role", ""))
    xml = etree.tostring(element, encoding="unicode", with_tail=False)
    try:
        return biocxml.loads(f"<collection>{xml}</collection>").documents[0]
    except (etree.XMLSyntaxError, KeyError, TypeError, ValueError) as err:
        problem = f"a document that is no BioC ({type(err).__name__}: {err}); expected the elements of BioC.dtd"
        raise corpus_error(place.path, problem, place.line) from err


def _record(document: BioCDocument, place: Place) -> Record:
    if not (document.id or "").strip():
        raise corpus_error(place.path, "a document without id", place.line)
    meta = {"corpus": "bioc", "split": place.path.stem.removesuffix(".BioC")}
    record = Record(document.id, _text(document, place), place, meta=meta)
    record.breaks = tuple(sorted({passage.offset for passage in document.passages})[1:])
    record.sentences = _sentences(document, record)
    holders = [document]
    for passage in document.passages:
        holders += [passage, *passage.sentences]
    for holder in holders:
        for annotation in holder.annotations:
            _add_mention(record, annotation)
    for holder in holders:
        for relation in holder.relations:
            _add_relation(record, relation)
    return record


def _text(document: BioCDocument, place: Place) -> str:
    text = ""
    for offset, piece in sorted(piece for passage in document.passages for piece in _texts(passage)):
        if not len(text) <= offset <= _LONGEST_TEXT:
            problem = f"document {document.id} has a text at {offset}; expected {len(text)} to {_LONGEST_TEXT}"
            raise corpus_error(place.path, problem, place.line)
        text = text.ljust(offset) + piece
    return text


def _texts(passage: BioCPassage) -> List[Tuple[int, str]]:
    if passage.text or not passage.sentences:
        return [(passage.offset, passage.text or "")]
    return [(sentence.offset, sentence.text or "") for sentence in passage.sentences]


def _sentences(document: BioCDocument, record: Record) -> Optional[Tuple[int, ...]]:
    """Where sentences start, if every passage that has a text says so."""
    passages = [passage for passage in document.passages if passage.text or passage.sentences]
    if not any(passage.sentences for passage in passages):
        return None
    if not all(passage.sentences for passage in passages):
        record.notes["sentences not used: only some passages have them"] += 1
        return None
    starts = {sentence.offset for passage in passages for sentence in passage.sentences}
    return tuple(sorted(starts | {passage.offset for passage in passages}))


def _add_mention(record: Record, annotation: BioCAnnotation) -> None:
    pieces = sorted((location.offset, location.offset + location.length) for location in annotation.locations)
    if not pieces:
        record.drop("mention", "no location", detail=f"mention {annotation.id}")
        return
    concepts = split_identifiers(_infon(annotation.infons, "identifier", "Identifier"))
    mention = mention_of(annotation.id, _infon(annotation.infons, "type"), pieces, concepts)
    if not annotation.text:
        record.notes["mentions without their text: offsets not checked"] += 1
    covered = "".join(record.text[start:end] for start, end in pieces)
    # What stands between the pieces may be given with them
    is_whole = annotation.text in ("", None, record.text[mention.start : mention.end])
    why = "" if hold(pieces, record.text, covered if is_whole else annotation.text) else MISMATCH
    record.add_mention(mention, why=why)


def _add_relation(record: Record, relation: BioCRelation) -> None:
    predicate = _infon(relation.infons, "type")
    if "entity1" in relation.infons and "entity2" in relation.infons:
        first, second = (_infon(relation.infons, key).strip() for key in ("entity1", "entity2"))
        novelty = _infon(relation.infons, "novel") or None
        add_concept_relation(record, ConceptRelationRecord(predicate, first, second), record.place, novelty)
        return
    detail = f"relation {relation.id}"
    if len(relation.nodes) != 2:
        record.drop("relation", "not two nodes", detail=detail)
    elif not predicate:
        record.drop("relation", "no type", detail=detail)
    else:
        first, second = sorted(relation.nodes, key=lambda node: _ROLES.get(node.role.lower(), 1))
        record.add_relation(RelationRecord(predicate, first.refid, second.refid))


def _infon(infons: Dict[str, Any], *keys: str) -> str:
    """The first of these infons that is there, or nothing. In JSON one may be a list of identifiers."""
    value = next((infons[key] for key in keys if infons.get(key) is not None), "")
    return SEPARATOR.join(map(str, value)) if isinstance(value, list) else str(value)
