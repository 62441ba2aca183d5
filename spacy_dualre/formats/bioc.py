"""BioC, XML and JSON, as in BioRED and as NCBI's tools export it: a collection, in JSON also a list of collections
(BioC API for PMC) or a collection whose documents are under "PubTator3" (PubTator 3's API).

Sources: Comeau et al. 2013, "BioC: a minimalist approach to interoperability for biomedical text processing", with
BioC.dtd; https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/.
"""

import json
import re
from bisect import bisect_right
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, RootModel

from ..annotations.concepts import SEPARATOR
from ..errors import Errors
from ..records.record import Document, MentionRecord, Place, Record, RelationRecord, as_corpus, attempt
from . import Format
from .files import Source, count_long_forms, parse_json, read_elements
from .pubtator import count_split, split_identifiers

#: The order of a relation's nodes by their roles.
_ROLES = {"subject": 0, "arg1": 0, "object": 2, "arg2": 2}
#: Names of infons, apart from case: of a mention's concepts, of a predicate, and of the concepts in a relation.
_DATABASES = "mesh|omim|umls|chebi|entrez|uniprot|dbsnp|ncbi([ _]?(gene|taxonomy|homologene))?"
_CONCEPTS = rf"(.+[ _])?(identifier|cui)|((concept|entity|gene|kb|native|normalized|{_DATABASES})[ _]?)?id|{_DATABASES}"
_PREDICATE = r"(relation[ _]?)?(type|label)|relation|predicate"
_ARGUMENT = r"(role|entity|arg|argument|concept)[ _]?"
_SCORE = re.compile(r"0?\.[0-9]+|[0-9](\.[0-9]+)?e-[0-9]+|[01](\.0+)?")
#: Gaps between passages are filled with blanks, but a wrong offset must not fill the memory.
_LONGEST_TEXT = 10_000_000
#: XML elements that are lists in JSON, with their names there, and elements that hold characters only.
_LISTS = {tag: f"{tag}s" for tag in ("passage", "sentence", "annotation", "relation", "location", "node")}
_TEXTS = ("id", "offset", "text", "infon")
_HEAD = {"source": "spacy-dualre", "date": "", "key": "", "infons": {}}


# The schema of BioC JSON. BioRED leaves out keys without a value.


def _as_text(value: Any) -> str:
    """An infon, which may be null, a list of ids or, in PubTator 3's JSON, a concept."""
    if isinstance(value, dict):
        value = value.get("identifier", str(value))
    values = value if isinstance(value, list) else [value]
    return SEPARATOR.join(str(one).strip() for one in values if one not in (None, ""))


_Infons = Dict[str, Annotated[str, BeforeValidator(_as_text)]]


class _Location(BaseModel):
    offset: int
    length: int


class _Annotation(BaseModel):
    id: str
    infons: _Infons = {}
    text: Optional[str] = None
    locations: List[_Location] = []


class _Node(BaseModel):
    refid: str
    role: str = ""


class _Relation(BaseModel):
    id: str = ""
    infons: _Infons = {}
    nodes: List[_Node] = []


class _Annotated(BaseModel):
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
    """Read a BioC file.

    Mentions keep the ids of their annotations. Sentences are used if every passage has them. A relation's subject is
    the node with the role "subject" or "Arg1", its object that with "object" or "Arg2"; other nodes keep their order.
    Relations between concepts name them in infons: entity1 and entity2 in BioRED, role1 and role2 in PubTator 3, and
    any two in BC5CDR. Infons of mentions and relations that are not read are noted.
    """
    return as_corpus(path, "bioc", stream(Source(path)))


def stream(source: Source) -> Iterator[Document]:
    """Stream a BioC file, XML or JSON by its first character. A document without annotations has no given mentions."""
    place = Place(source.path)
    with source.open() as file:
        start = file.peek(1)
        if not start:
            raise place.error(Errors.DR323)
        first = start.decode("utf8", "replace").lstrip("\ufeff \t\r\n")[:1]
        if first == "<":
            for place, element in read_elements(file, source.path, "document"):
                yield attempt(_from_xml, element, place)
        elif first == "[":
            for position, collection in enumerate(parse_json(source.text(), _Collections, place).root):
                yield from _documents(collection, place, f"{position}.documents")
        elif first == "{":
            yield from _documents(parse_json(source.text(), _Collection, place), place, "documents")
        else:
            raise place.error(Errors.DR330, first=first)


def _documents(collection: _Collection, place: Place, key: str) -> Iterator[Document]:
    for number, values in enumerate(collection.documents):
        yield attempt(_record, values, place, f"{key}.{number}")


def _from_xml(element: Any, place: Place) -> Record:
    return _record(_values(element, place), place, strict=False)


def _values(element: Any, place: Place) -> Dict[str, Any]:
    """Convert an element of BioC XML to the values of BioC JSON."""
    values: Dict[str, Any] = {**element.attrib, "infons": {}}
    for child in element:
        if child.tag in _LISTS:
            values.setdefault(_LISTS[child.tag], []).append(_values(child, place))
        elif child.tag in _TEXTS and len(child):
            raise Place(place.path, child.sourceline or place.line).error(Errors.DR332, tag=child.tag)
        elif child.tag == "infon":
            values["infons"].setdefault(child.get("key"), []).append(child.text or "")
        elif child.tag in _TEXTS:
            values[child.tag] = child.text or ""
    return values


def _record(values: Any, place: Place, key: str = "", strict: bool = True) -> Record:
    document = parse_json(values, _Document, place, key, strict)
    if not document.id.strip():
        raise place.error(Errors.DR333)
    record = Record(document.id, _text(document, place), place)
    record.breaks = tuple(sorted({passage.offset for passage in document.passages})[1:])
    record.sentences = _sentences(document, record)
    levels: List[_Annotated] = [document]
    for passage in document.passages:
        levels += [passage, *passage.sentences]
    relations = list(chain.from_iterable(level.relations for level in levels))
    named = {id for relation in relations for text in relation.infons.values() for id in _names(text)}
    for annotation in chain.from_iterable(level.annotations for level in levels):
        _add_mention(record, annotation, named)
    for relation in relations:
        _add_relation(record, relation)
    record.mentions_given = bool(record.mentions or record.dropped)
    return record


def _text(document: _Document, place: Place) -> str:
    pieces: List[Tuple[int, str]] = []
    for passage in document.passages:
        levels = passage.sentences if passage.sentences and not passage.text else [passage]
        pieces += [(level.offset, level.text or "") for level in levels]
    text = ""
    for offset, piece in sorted(pieces):
        if not len(text) <= offset <= _LONGEST_TEXT:
            raise place.error(Errors.DR334, id=document.id, offset=offset, low=len(text), high=_LONGEST_TEXT)
        text = text.ljust(offset) + piece
    return text


def _sentences(document: _Document, record: Record) -> Optional[Tuple[int, ...]]:
    """The sentence starts, if every passage with a text has sentences."""
    passages = [passage for passage in document.passages if passage.text or passage.sentences]
    if not any(passage.sentences for passage in passages):
        return None
    if not all(passage.sentences for passage in passages):
        record.notes["sentences not used: only some passages have them"] += 1
        return None
    starts = {sentence.offset for passage in passages for sentence in passage.sentences}
    return tuple(sorted(starts | {passage.offset for passage in passages}))


def _add_mention(record: Record, annotation: _Annotation, named: Set[str]) -> None:
    pieces = sorted((location.offset, location.offset + location.length) for location in annotation.locations)
    if not pieces:
        record.drop("mention", "no location", detail=f"mention {annotation.id}")
        return
    if not annotation.text:
        record.notes["mentions without their text: offsets not checked"] += 1
    infons = annotation.infons
    found = ", ".join(infons) or "none"
    type, ids = _take(infons, "type"), _take(infons, "identifier", _CONCEPTS)
    record.notes.update(f"infon {key!r} of a mention not read" for key in infons if infons[key])
    why = "" if type else f'no infon "type" (found: {found})'
    mention = MentionRecord.of_parts(annotation.id, type, pieces, split_identifiers(ids, named))
    record.add_mention(mention, text=annotation.text or None, why=why)


def _add_relation(record: Record, relation: _Relation) -> None:
    infons = relation.infons
    predicate, novelty = _take(infons, "type", _PREDICATE), _take(infons, "novel")
    score = float(infons.pop("score")) if _SCORE.fullmatch(infons.get("score", "")) else 1.0
    ids = [_names(_take(infons, _ARGUMENT + number)) for number in "12"]
    if not all(ids) and len(relation.nodes) != 2:
        # As in BC5CDR, where the keys are the types
        known = [key for key in infons if record.concepts.intersection(_names(infons[key]))]
        ids = [_names(infons.pop(key)) for key in known]
    if len(ids) == 2 and all(ids):
        first, second = (next((id for id in each if id in record.concepts), each[-1]) for each in ids)
        record.add_concept_relation(RelationRecord(predicate, first, second, score), novelty=novelty or None)
    elif len(relation.nodes) == 2:
        subject, object = sorted(relation.nodes, key=lambda node: _ROLES.get(node.role.lower(), 1))
        record.add_relation(RelationRecord(predicate, subject.refid, object.refid, score))
    else:
        record.drop("relation", "neither two nodes nor two known concepts", detail=f"relation {relation.id}")
    record.notes.update(f"infon {key!r} of a relation not read" for key in infons if infons[key])


def _names(text: str) -> List[str]:
    """What an infon of a relation may name: the whole, or what follows a type, as in PubTator 3's Chemical|MESH:D1."""
    return [name for name in (text, text.partition("|")[2]) if name]


def _take(infons: Dict[str, str], *names: str) -> str:
    """Remove the first infon that is set and has one of these names, the first name first."""
    found = [key for name in names for key in infons if infons[key] and re.fullmatch(name, key, re.IGNORECASE)]
    return infons.pop(found[0]) if found else ""


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write a collection in BioC JSON, one document per line."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        file.write(json.dumps(_HEAD)[:-1] + ', "documents": [')
        for number, record in enumerate(records):
            count_long_forms(record, lost)
            count_split(record, lost)
            file.write(",\n" * (number > 0) + json.dumps(_to_json(record), ensure_ascii=False))
        file.write("]}\n")


def _to_json(record: Record) -> Dict[str, Any]:
    # Sentences with the blanks after them, so that joined they are the text
    starts = sorted({0, *(record.sentences or ())})
    edges = pairwise([*starts, len(record.text)])
    sentences = [_level(offset=start, text=record.text[start:end]) for start, end in edges]
    for mention in record.mentions:
        infons = {"type": mention.type}
        if mention.concepts:
            infons["identifier"] = SEPARATOR.join(mention.concepts)
        pieces = mention.parts or ((mention.start, mention.end),)
        locations = [{"offset": start, "length": end - start} for start, end in pieces]
        annotation = {"id": mention.id, "infons": infons, "text": record.covered(mention), "locations": locations}
        sentences[bisect_right(starts, mention.start) - 1]["annotations"].append(annotation)
    document = _level(id=record.id, passages=[_level(offset=0, text="", sentences=sentences)])
    document["infons"] = {key: str(value) for key, value in record.meta.items()}
    for number, rel in enumerate(record.relations, 1):
        nodes = [{"refid": rel.subject, "role": "subject"}, {"refid": rel.object, "role": "object"}]
        infons = {"type": rel.predicate, "score": str(rel.score)}
        document["relations"].append({"id": f"R{number}", "infons": infons, "nodes": nodes})
    return document


def _level(**values: Any) -> Dict[str, Any]:
    """A document, passage or sentence with the keys that BioC's own libraries require."""
    return {**values, "infons": {}, "annotations": [], "relations": []}


FORMATS = {"bioc": Format(read, stream, write, {".xml": b"<collection", ".json": b""}, (".json",))}
