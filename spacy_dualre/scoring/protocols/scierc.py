"""SciERC: distinct directed (subject span, object span, label) of each document, micro F1.

Spans are tokens of the document, the last one included. CONJUNCTION and COMPARE have no direction.
"""

from pathlib import Path
from typing import Any, Iterable, List, Optional, Set, Tuple

import srsly
from pydantic import BaseModel
from spacy.tokens import Doc

from ...annotations.mentions import sentence_indices
from ...formats.files import read_json_lines
from ...records.record import Place, corpus_error
from .protocol import Item, Items, Protocol, rels_of, write_lines

_NAME = "scierc"
SYMMETRIC = ("CONJUNCTION", "COMPARE")
LABELS = ("USED-FOR", "FEATURE-OF", "PART-OF", "HYPONYM-OF", "EVALUATE-FOR", *SYMMETRIC)
#: (start token, end token), end inclusive
_Tokens = Tuple[int, int]
#: One per sentence: rows of start and end of the subject, start and end of the object, label and, it may be, scores
_Rows = List[List[List[Any]]]


class _Document(BaseModel):
    doc_key: str
    sentences: List[List[str]]
    relations: Optional[_Rows] = None
    predicted_relations: Optional[_Rows] = None


def from_doc(doc: Doc) -> Set[Item]:
    """The relations by the tokens of their mentions: the Doc must have the tokens of the corpus."""
    return {_item(row) for row in _rows(doc)}


def _rows(doc: Doc) -> List[Tuple[int, int, int, int, str]]:
    return [
        (rel.subject.start, rel.subject.end - 1, rel.object.start, rel.object.end - 1, rel.predicate)
        for rel in rels_of(doc, _NAME, LABELS)
    ]


def _item(row: Tuple[int, int, int, int, str]) -> Item:
    *tokens, label = row
    spans: List[_Tokens] = [(tokens[0], tokens[1]), (tokens[2], tokens[3])]
    if label in SYMMETRIC:
        spans.sort()
    subject, object = (f"{start}-{end}" for start, end in spans)
    return Item(label, subject, object)


def read_gold(path: Path) -> Items:
    """The corpus's JSON lines: what they have in "relations"."""
    return _read(path, predicted=False)


def read_predicted(path: Path) -> Items:
    """The same with predictions in "predicted_relations", as PURE and DyGIE++ write them, else in "relations"."""
    return _read(path, predicted=True)


def _read(path: Path, predicted: bool) -> Items:
    items: Items = {}
    for place, document in read_json_lines(path, _Document):
        if document.doc_key in items:
            raise corpus_error(path, f"document {document.doc_key} occurs twice", place.line)
        rows = document.relations
        if predicted and document.predicted_relations is not None:
            rows = document.predicted_relations
        if rows is None:
            problem = "has no predicted_relations" if predicted else "has no relations"
            raise corpus_error(path, f"document {document.doc_key} {problem}", place.line)
        length = sum(map(len, document.sentences))
        items[document.doc_key] = {_checked(row, length, place) for sentence in rows for row in sentence}
    return items


def _checked(row: List[Any], length: int, place: Place) -> Item:
    if len(row) < 5 or not (_is_span(row[:2], length) and _is_span(row[2:4], length)):
        problem = f"expected relations [start, end, start, end, label] with tokens from 0 to {length - 1}"
        raise corpus_error(place.path, problem, place.line)
    if row[4] not in LABELS:
        raise corpus_error(place.path, f"unknown relation label; known are {', '.join(LABELS)}", place.line)
    return _item((row[0], row[1], row[2], row[3], row[4]))


def _is_span(tokens: List[Any], length: int) -> bool:
    return all(type(token) is int for token in tokens) and 0 <= tokens[0] <= tokens[1] < length


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """JSON lines with doc_key, sentences and predicted_relations, each in its subject's sentence and with its score."""
    write_lines(path, (srsly.json_dumps(_to_json(id, doc)) for id, doc in docs))


def _to_json(id: str, doc: Doc) -> Any:
    sentence_of = sentence_indices(doc)
    n_sentences = sentence_of[-1] + 1 if sentence_of else 0
    sentences: List[List[str]] = [[] for _ in range(n_sentences)]
    relations: _Rows = [[] for _ in range(n_sentences)]
    for token in doc:
        sentences[sentence_of[token.i]].append(token.text)
    for row, rel in zip(_rows(doc), rels_of(doc, _NAME, LABELS)):
        relations[sentence_of[row[0]]].append([*row, round(rel.score, 4)])
    return {"doc_key": id, "sentences": sentences, "predicted_relations": relations}


PROTOCOL = Protocol(_NAME, LABELS, from_doc, read_gold, read_predicted, write)
