"""spaCy's DocBin. A file is read and written as a whole; a folder holds one file for every 1000 documents."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, Tuple

import spacy
from pydantic import Field, RootModel
from spacy.vocab import Vocab

from ..errors import CorpusError
from ..records.from_docs import doc_to_record
from ..records.record import Document, Place, Record, RelationRecord, as_corpus
from ..records.shards import DocWriter, docs_from_bytes, read_docs
from ..records.to_docs import ConversionReport, records_to_docs
from . import Format
from .files import Source, parse_json

#: Where a Doc keeps ``Doc._.rel`` of the tutorial rel_component.
_REL: Any = ("._.", "rel", None, None)


class _Rel(RootModel):
    """For pairs of mentions, given by the numbers of their first tokens, how certain each predicate is."""

    root: Dict[Tuple[int, int], Dict[str, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]]]


def stream(source: Source) -> Iterator[Document]:
    """Stream the Docs of a file. Mentions count as given if ``doc.ents`` or the span group is set, even if empty."""
    with source.open() as file:
        data = file.read()
    key = source.options.spans_key
    place = Place(source.path)
    for number, doc in enumerate(docs_from_bytes(data, Vocab(), place), 1):
        if isinstance(doc, CorpusError):
            yield doc
            continue
        record = doc_to_record(doc, str(doc.user_data.get("doc_id", source.id_of(number))), place, key)
        origin = {name: doc.user_data.get(name) for name in ("corpus", "split")}
        # Values of other types are the user's own
        record.meta = {name: value for name, value in origin.items() if isinstance(value, str)}
        record.mentions_given = key in doc.spans or doc.has_annotation("ENT_IOB")
        yield record


def read_rel_component(path: Path) -> Iterator[Record]:
    """Read a file of spaCy's tutorial rel_component. Mentions are ``doc.ents``; relations have at least 0.5.

    Source: https://github.com/explosion/projects, tutorials/rel_component.
    """
    return as_corpus(path, "rel-component", _of_tutorial(path))


def _of_tutorial(path: Path) -> Iterator[Record]:
    place = Place(path)
    for number, doc in enumerate(read_docs(path, Vocab()), 1):
        record = doc_to_record(doc, str(number), place, None)
        if _REL not in doc.user_data:
            record.notes["no Doc._.rel"] += 1
        at = {mention.start: mention.id for mention in record.mentions}
        ids = {token.i: at[token.idx] for token in doc if token.idx in at}
        rel = parse_json(doc.user_data.get(_REL, {}), _Rel, place, f"Doc._.rel of document {number}", strict=False)
        for pair, predicates in rel.root.items():
            subject, object = (ids.get(token, f"token {token}") for token in pair)
            for predicate, score in predicates.items():
                if score >= 0.5:
                    record.add_relation(RelationRecord(predicate, subject, object, score))
        yield record


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write a .spacy file, or a folder of them, with tokens, sentences, mentions and relations."""
    with DocWriter(path) as docs:
        for doc in records_to_docs(records, spacy.blank("xx"), ConversionReport()):
            docs.add(doc)


FORMATS = {
    "rel-component": Format(read_rel_component),
    "spacy": Format(None, stream, write, {".spacy": b""}, (".spacy",)),
}
