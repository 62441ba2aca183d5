"""SciERC, and other corpora in the JSON lines of DyGIE and PURE, one tokenized document per line.

``doc_key``; ``sentences``, lists of tokens; ``ner``, for each sentence a list of [start, end, type]; ``relations``, for
each sentence a list of [start, end, start, end, label], the subject first. Indices are tokens of the document, end
inclusive. Source: http://nlp.cs.washington.edu/sciIE/ and https://github.com/dwadden/dygiepp.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

from ..errors import Errors
from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import note_unread_keys, read_json_lines, write_lines

#: Escapes of the Penn Treebank.
ESCAPES = {
    **{"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    **{"``": '"', "''": '"'},
}


def _rest_as_one(n: int) -> Callable[[Any], Any]:
    """Gathers the values after the first n of a row, such as the scores of a prediction, into one value."""

    def gather(row: Any) -> Any:
        if not isinstance(row, list):
            return row
        return (*row[:n], tuple(row[n:])) if len(row) >= n else tuple(row)

    return gather


_Scores = Tuple[Any, ...]
_Mention = Annotated[Tuple[int, int, str, _Scores], BeforeValidator(_rest_as_one(3))]
_Relation = Annotated[Tuple[int, int, int, int, str, _Scores], BeforeValidator(_rest_as_one(5))]


class SciercDocument(BaseModel):
    """A line of a file. PURE and DyGIE++ write ``predicted_relations``."""

    model_config = ConfigDict(extra="allow")

    doc_key: str
    sentences: List[List[str]]
    ner: Optional[List[List[_Mention]]] = None
    relations: Optional[List[List[_Relation]]] = None
    predicted_relations: Optional[List[List[_Relation]]] = None
    clusters: List[Any] = []


def read(path: Path) -> Iterator[Record]:
    """Read a file with its tokens and sentences.

    The text is the unescaped tokens joined with blanks. Mentions have the id "start-end", in tokens. Coreference,
    predictions and other keys are counted but not read.
    """
    return as_corpus(path, "scierc", (_record(document, place) for place, document in read_documents(path)))


def read_documents(path: Path) -> Iterator[Tuple[Place, SciercDocument]]:
    """Iterate over the lines. Raises CorpusError unless each has one list of annotations per sentence."""
    for place, document in read_json_lines(path, SciercDocument):
        n = len(document.sentences)
        for key in ("ner", "relations", "predicted_relations"):
            rows = getattr(document, key)
            if rows is not None and len(rows) != n:
                raise place.error(Errors.DR367, id=document.doc_key, key=key, n=len(rows), expected=n)
        yield place, document


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write tokens, sentences and ``predicted_relations``, each in its subject's sentence and with its score.

    Mentions must start and end at tokens of the record.
    """
    write_lines(path, (json.dumps(_to_json(record), ensure_ascii=False) for record in records))


def _to_json(record: Record) -> Dict[str, Any]:
    tokens = record.tokens or ()
    starts, ends = ([edge[side] for edge in tokens] for side in (0, 1))
    firsts = [starts.index(start) for start in record.sentences or (starts[:1])]
    mentions = {
        mention.id: (bisect_right(starts, mention.start) - 1, bisect_left(ends, mention.end))
        for mention in record.mentions
    }
    sentences = [
        [record.text[start:end] for start, end in tokens[first:last]]
        for first, last in zip(firsts, [*firsts[1:], None])
    ]
    relations: List[List[List[Any]]] = [[] for _ in sentences]
    for rel in record.relations:
        subject, object = mentions[rel.subject], mentions[rel.object]
        row = [*subject, *object, rel.predicate, rel.score]
        relations[bisect_right(firsts, subject[0]) - 1].append(row)
    return {"doc_key": record.id, "sentences": sentences, "predicted_relations": relations}


def _record(document: SciercDocument, place: Place) -> Record:
    _check_tokens(document, place)
    words = [ESCAPES.get(token, token) for sentence in document.sentences for token in sentence]
    ends = list(accumulate(len(word) + 1 for word in words))
    tokens = tuple((end - len(word) - 1, end - 1) for word, end in zip(words, ends))
    starts = _sentence_starts(document.sentences, tokens)
    record = Record(document.doc_key, " ".join(words), place, sentences=starts, tokens=tokens)
    _add_mentions(record, tokens, document)
    for *arguments, label, scores in (row for rows in document.relations or () for row in rows):
        _note_scores(record, scores)
        first, last, other_first, other_last = arguments
        record.add_relation(RelationRecord(label, f"{first}-{last}", f"{other_first}-{other_last}"))
    if document.predicted_relations is not None:
        record.notes["key 'predicted_relations' not read"] += 1
    if document.clusters:
        record.notes["coreference clusters not read"] += len(document.clusters)
    note_unread_keys(record, document)
    return record


def _check_tokens(document: SciercDocument, place: Place) -> None:
    for number, sentence in enumerate(document.sentences, 1):
        for token in sentence:
            if not token or any(map(str.isspace, token)):
                raise place.error(Errors.DR368, token=token, number=number, id=document.doc_key)


def _sentence_starts(sentences: List[List[str]], tokens: Tuple[Offsets, ...]) -> Tuple[int, ...]:
    firsts = accumulate(map(len, sentences), initial=0)
    # An empty sentence has lists of annotations but no offset
    return tuple(tokens[first][0] for first, sentence in zip(firsts, sentences) if sentence)


def _add_mentions(record: Record, tokens: Tuple[Offsets, ...], document: SciercDocument) -> None:
    types: Dict[Tuple[int, int], str] = {}
    for first, last, type, scores in (row for rows in document.ner or () for row in rows):
        _note_scores(record, scores)
        id = f"{first}-{last}"
        if types.setdefault((first, last), type) != type:
            # Relations give tokens only
            record.notes["second type of the same tokens; relations are of the first"] += 1
            id = f"{id}-{type}"
        start, end = _offsets(tokens, first, last)
        record.add_mention(MentionRecord(id, type, start, end))


def _offsets(tokens: Tuple[Offsets, ...], first: int, last: int) -> Offsets:
    """Character offsets of the tokens from first to last, or invalid ones if there are no such tokens."""
    if not 0 <= first <= last < len(tokens):
        return (-1, -1)
    return (tokens[first][0], tokens[last][1])


def _note_scores(record: Record, scores: _Scores) -> None:
    if scores:
        record.notes["scores of a prediction not read"] += 1


FORMATS = {"scierc": Format(read)}
