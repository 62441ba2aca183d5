"""spaCy's DocBin: Docs with their tokens and, where they have them, sentences and mentions. A file is read as a whole.

Mentions are given where somebody has set ``doc.ents`` or the span group, if only to nothing.
"""

from functools import partial
from typing import Iterator

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...records.record import Place, Record, corpus_error
from .. import jsonl
from .source import Pending, Source

SUFFIXES = {".spacy": b""}


def read(source: Source) -> Iterator[Pending]:
    """One document for each Doc."""
    with source.open() as file:
        data = file.read()
    try:
        docs = DocBin().from_bytes(data).get_docs(Vocab())
        for number, doc in enumerate(docs, 1):
            yield partial(_record, source, doc, number)
    except Exception as err:  # damaged files fail in as many ways as there are libraries below
        raise corpus_error(source.path, f"is no DocBin of spaCy, or damaged ({err!r})") from err


def _record(source: Source, doc: Doc, number: int) -> Record:
    key = source.options.spans_key
    values = jsonl.to_json(doc, str(doc.user_data.get("doc_id", source.id_of(number))), key, tokens=True)
    del values["rels"]
    # Others may be of kinds that JSON does not have
    texts = {key: value for key, value in doc.user_data.items() if isinstance(value, str)}
    values["meta"] = {key: texts[key] for key in ("corpus", "split") if key in texts}
    if not (key in doc.spans or doc.has_annotation("ENT_IOB")):
        del values["mentions"]
    return jsonl.from_json(values, Place(source.path))
