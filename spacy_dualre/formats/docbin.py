"""spaCy's DocBin. A file is read and written as a whole; a folder holds one file for every 1000 documents."""

from collections import Counter
from pathlib import Path
from typing import Iterable, Iterator

import spacy
from spacy.vocab import Vocab

from ..errors import CorpusError
from ..records.from_docs import doc_to_record
from ..records.record import Document, Place, Record
from ..records.shards import DocWriter, docs_from_bytes
from ..records.to_docs import ConversionReport, records_to_docs
from . import Format
from .files import Source


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


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write a .spacy file, or a folder of them, with tokens, sentences, mentions and relations."""
    with DocWriter(path) as docs:
        for doc in records_to_docs(records, spacy.blank("xx"), ConversionReport()):
            docs.add(doc)


FORMATS = {"spacy": Format(None, stream, write, {".spacy": b""}, (".spacy",))}
