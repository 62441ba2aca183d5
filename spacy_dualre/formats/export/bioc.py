"""BioC JSON, see `corpora.bioc`: sentences, annotations with type and identifier, relations with type and score."""

import json
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List

from bioc import BioCAnnotation, BioCDocument, BioCLocation, BioCNode, BioCPassage, BioCRelation, BioCSentence, biocjson

from ...annotations.concepts import SEPARATOR
from ...records.record import MentionRecord, Record, RelationRecord
from .record import as_record, count_long_forms

SUFFIXES = (".json",)

_HEAD = {"source": "spacy-dualre", "date": "", "key": "", "infons": {}}


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """A collection, one document a line."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        file.write(json.dumps(_HEAD)[:-1] + ', "documents": [')
        for number, document in enumerate(documents):
            count_long_forms(document, lost)
            values = biocjson.toJSON(_document(as_record(document), document.get("meta", {})))
            file.write(",\n" * (number > 0) + json.dumps(values, ensure_ascii=False))
        file.write("]}\n")


def _document(record: Record, meta: Dict[str, Any]) -> BioCDocument:
    document = BioCDocument()
    document.id = record.id
    document.infons = {key: str(value) for key, value in meta.items()}
    passage = BioCPassage()
    passage.offset = 0
    document.add_passage(passage)
    # The text in pieces, blanks included, so that joined they are the text
    starts = sorted({0, *(record.sentences or ())})
    passage.sentences = [_sentence(record.text, start, end) for start, end in zip(starts, [*starts[1:], None])]
    for mention in record.mentions:
        sentence = passage.sentences[bisect_right(starts, mention.start) - 1]
        sentence.add_annotation(_annotation(record.text, mention))
    document.relations = [_relation(f"R{number}", rel) for number, rel in enumerate(record.relations, 1)]
    return document


def _sentence(text: str, start: int, end: Any) -> BioCSentence:
    sentence = BioCSentence()
    sentence.offset = start
    sentence.text = text[start:end]
    return sentence


def _annotation(text: str, mention: MentionRecord) -> BioCAnnotation:
    annotation = BioCAnnotation()
    annotation.id = mention.id
    annotation.text = text[mention.start : mention.end]
    annotation.infons = {"type": mention.type}
    if mention.concepts:
        annotation.infons["identifier"] = SEPARATOR.join(mention.concepts)
    annotation.add_location(BioCLocation(mention.start, mention.end - mention.start))
    return annotation


def _relation(id: str, rel: RelationRecord) -> BioCRelation:
    relation = BioCRelation()
    relation.id = id
    relation.infons = {"type": rel.predicate, "score": str(rel.score)}
    nodes: List[BioCNode] = [BioCNode(rel.subject, "subject"), BioCNode(rel.object, "object")]
    for node in nodes:
        relation.add_node(node)
    return relation
