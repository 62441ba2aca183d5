"""SciERC, and other corpora in the JSON lines of DyGIE and PURE: one document a line, in tokens.

``doc_key``; ``sentences``, lists of tokens; ``ner``, for each sentence a list of [start, end, type]; ``relations``, for
each sentence a list of [start, end, start, end, label], the subject first. Token indices count through the whole
document, the end is inclusive. Source: http://nlp.cs.washington.edu/sciIE/ and https://github.com/dwadden/dygiepp.
"""

from pathlib import Path
from typing import Annotated, Any, Callable, Dict, Iterator, List, Optional, Tuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, corpus_error, distinct
from .files import read_json_lines

#: Tokens that the Penn Treebank writes in another way than texts do.
ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}


def _rest_as_one(n: int) -> Callable[[Any], Any]:
    """Gathers what follows the first n values of a row, such as the scores of a prediction, in one more value."""

    def gather(row: Any) -> Any:
        if not isinstance(row, list):
            return row
        return (*row[:n], tuple(row[n:])) if len(row) >= n else tuple(row)

    return gather


_Scores = Tuple[Any, ...]
_Mention = Annotated[Tuple[int, int, str, _Scores], BeforeValidator(_rest_as_one(3))]
_Relation = Annotated[Tuple[int, int, int, int, str, _Scores], BeforeValidator(_rest_as_one(5))]


class _Document(BaseModel):
    model_config = ConfigDict(extra="allow")

    doc_key: str
    sentences: List[List[str]]
    ner: Optional[List[List[_Mention]]] = None
    relations: Optional[List[List[_Relation]]] = None
    clusters: List[Any] = []


def read(path: Path) -> Iterator[Record]:
    """The documents of a file, with the corpus's tokens and sentences.

    The text is the tokens with a blank between, their escapes undone. Mentions have the id "start-end", in the file's
    token indices. Without ``ner`` or ``relations`` a document has none. Coreference and other keys are noted, not read.
    Raises CorpusError naming file and line for what is not JSON of this kind, a document that occurs twice, a token
    that is empty or holds a blank, and lists that are not as many as the sentences.
    """
    documents = read_json_lines(path, _Document)
    yield from distinct(path, (_record(document, place) for place, document in documents))


def _record(document: _Document, place: Place) -> Record:
    _check(document, place)
    words = [ESCAPES.get(token, token) for sentence in document.sentences for token in sentence]
    tokens = _token_offsets(words)
    record = Record(
        document.doc_key,
        " ".join(words),
        place,
        sentences=_sentence_starts(document.sentences, tokens),
        tokens=tokens,
        meta={"corpus": "scierc", "split": place.path.stem},
    )
    _add_mentions(record, tokens, document)
    for *arguments, label, scores in (row for rows in document.relations or () for row in rows):
        _note_scores(record, scores)
        first, last, other_first, other_last = arguments
        record.add_relation(RelationRecord(label, f"{first}-{last}", f"{other_first}-{other_last}"))
    _note_unused(record, document)
    return record


def _check(document: _Document, place: Place) -> None:
    for number, sentence in enumerate(document.sentences, 1):
        for token in sentence:
            if not token or any(map(str.isspace, token)):
                problem = (
                    f"token {token!r} in sentence {number} of document {document.doc_key} is empty or holds a blank"
                )
                raise corpus_error(place.path, problem, place.line)
    for key, rows in (("ner", document.ner), ("relations", document.relations)):
        if rows is not None and len(rows) != len(document.sentences):
            problem = f"{len(rows)} lists in {key} of document {document.doc_key}; expected one for each of its "
            raise corpus_error(place.path, f"{problem}{len(document.sentences)} sentences", place.line)


def _token_offsets(words: List[str]) -> Tuple[Offsets, ...]:
    tokens = []
    start = 0
    for word in words:
        tokens.append((start, start + len(word)))
        start += len(word) + 1
    return tuple(tokens)


def _sentence_starts(sentences: List[List[str]], tokens: Tuple[Offsets, ...]) -> Tuple[int, ...]:
    starts = []
    first = 0
    for sentence in sentences:
        # An empty sentence has its lists of annotations, but no place in the text
        if sentence:
            starts.append(tokens[first][0])
        first += len(sentence)
    return tuple(starts)


def _add_mentions(record: Record, tokens: Tuple[Offsets, ...], document: _Document) -> None:
    types: Dict[Tuple[int, int], str] = {}
    for first, last, type, scores in (row for rows in document.ner or () for row in rows):
        _note_scores(record, scores)
        id = f"{first}-{last}"
        if types.setdefault((first, last), type) != type:
            # Relations name tokens only
            record.notes["second type of the same tokens; relations are of the first"] += 1
            id = f"{id}-{type}"
        start, end = _offsets(tokens, first, last)
        record.add_mention(MentionRecord(id, type, start, end))


def _offsets(tokens: Tuple[Offsets, ...], first: int, last: int) -> Offsets:
    """Characters of the tokens from first to last; offsets that no text has where there are no such tokens."""
    if not 0 <= first <= last < len(tokens):
        return (-1, -1)
    return (tokens[first][0], tokens[last][1])


def _note_scores(record: Record, scores: _Scores) -> None:
    if scores:
        record.notes["scores of a prediction not read"] += 1


def _note_unused(record: Record, document: _Document) -> None:
    if document.clusters:
        record.notes["coreference clusters not read"] += len(document.clusters)
    for key in document.model_extra or ():
        record.notes[f"key {key!r} not read"] += 1
