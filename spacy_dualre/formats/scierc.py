"""SciERC, and other corpora in the JSON lines of DyGIE and PURE, one tokenized document per line. Indices are tokens of
the document, end inclusive; the subject of a relation comes first.

Source: http://nlp.cs.washington.edu/sciIE/ and https://github.com/dwadden/dygiepp.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import accumulate, chain
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Optional, Tuple

from pydantic import BeforeValidator

from ..errors import Errors
from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import OpenSchema, read_json_lines, write_lines
from .words import record_of_words

_SCORES = "scores of a prediction not read"


def _rest_as_one(n: int) -> BeforeValidator:
    """Gathers the values after the first n of a row, such as the scores of a prediction, into one value."""
    return BeforeValidator(lambda row: (*row[:n], tuple(row[n:])) if isinstance(row, list) else row)


_Mention = Annotated[Tuple[int, int, str, Tuple[Any, ...]], _rest_as_one(3)]
_Relation = Annotated[Tuple[int, int, int, int, str, Tuple[Any, ...]], _rest_as_one(5)]


class SciercDocument(OpenSchema):
    """A line of a file. PURE and DyGIE++ write ``predicted_relations``."""

    doc_key: str
    sentences: List[List[str]]
    ner: Optional[List[List[_Mention]]] = None
    relations: Optional[List[List[_Relation]]] = None
    predicted_relations: Optional[List[List[_Relation]]] = None
    clusters: List[Any] = []


def read(path: Path) -> Iterator[Record]:
    """Read a file. The text is the unescaped tokens joined with blanks; mentions have the id "start-end", in tokens."""
    return as_corpus(path, "scierc", (_record(document, place) for place, document in read_documents(path)))


def read_documents(path: Path) -> Iterator[Tuple[Place, SciercDocument]]:
    """Iterate over the lines. Raises CorpusError unless each sentence has a list of its mentions, or of relations whose
    subjects are in it.
    """
    for place, document in read_json_lines(path, SciercDocument):
        values = {"id": document.doc_key}
        lengths = [len(sentence) for sentence in document.sentences]
        for key in ("ner", "relations", "predicted_relations"):
            rows = getattr(document, key)
            if rows is not None and len(rows) != len(lengths):
                raise place.error(Errors.DR367, **values, key=key, n=len(rows), expected=len(lengths))
            for number, (end, length, row) in enumerate(zip(accumulate(lengths), lengths, rows or ()), 1):
                for first, last, *_ in row:
                    if not end - length <= first <= last < end:
                        tokens = {"first": first, "last": last, "low": end - length, "high": end - 1}
                        raise place.error(Errors.DR388, **values, key=key, number=number, **tokens)
        yield place, document


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write tokens, sentences and ``predicted_relations``, each in its subject's sentence and with its score.

    Mentions must start and end at tokens of the record.
    """
    write_lines(path, (json.dumps(_to_json(record), ensure_ascii=False) for record in records))


def _to_json(record: Record) -> Dict[str, Any]:
    tokens = record.tokens or ()
    starts, ends = ([edge[side] for edge in tokens] for side in (0, 1))
    firsts = [starts.index(start) for start in record.sentences or starts[:1]]
    spans = {one.id: (bisect_right(starts, one.start) - 1, bisect_left(ends, one.end)) for one in record.mentions}
    words = [record.text[start:end] for start, end in tokens]
    sentences = [words[first:last] for first, last in zip(firsts, [*firsts[1:], None])]
    relations: List[List[List[Any]]] = [[] for _ in sentences]
    for rel in record.relations:
        row: List[Any] = [*spans[rel.subject], *spans[rel.object], rel.predicate, rel.score]
        relations[bisect_right(firsts, row[0]) - 1].append(row)
    return {"doc_key": record.id, "sentences": sentences, "predicted_relations": relations}


def _record(document: SciercDocument, place: Place) -> Record:
    record = record_of_words(document.doc_key, document.sentences, place)
    tokens = record.tokens or ()
    types: Dict[Offsets, str] = {}
    for first, last, type, scores in chain.from_iterable(document.ner or ()):
        record.notes[_SCORES] += bool(scores)
        id = f"{first}-{last}"
        if types.setdefault((first, last), type) != type:
            # Relations give tokens only
            record.notes["second type of the same tokens; relations are of the first"] += 1
            id = f"{id}-{type}"
        record.add_mention(MentionRecord(id, type, tokens[first][0], tokens[last][1]))
    for *arguments, label, scores in chain.from_iterable(document.relations or ()):
        record.notes[_SCORES] += bool(scores)
        first, last, other_first, other_last = arguments
        record.add_relation(RelationRecord(label, f"{first}-{last}", f"{other_first}-{other_last}"))
    record.notes["key 'predicted_relations' not read"] += document.predicted_relations is not None
    record.notes["coreference clusters not read"] += len(document.clusters)
    document.note_unread_keys(record)
    # Without counts of 0
    record.notes += Counter()
    return record


FORMATS = {"scierc": Format(read)}
