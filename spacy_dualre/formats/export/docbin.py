"""spaCy's DocBin: tokens, sentences, mentions (``doc.spans["entities"]``, the longest in ``doc.ents``), ``Doc._.rels``.

A file is made in memory; a folder gets files of 1000 documents each.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable

import spacy

from ...records.to_docs import ConversionReport, records_to_docs
from ...records.writer import DocWriter
from .record import as_record

SUFFIXES = (".spacy",)
_SHARD = 1000


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """What else a pipeline has put on its Docs, such as tags, is not among the documents' values, and lost."""
    nlp = spacy.blank("xx")
    with DocWriter(path, 0 if path.suffix == ".spacy" else _SHARD) as docs:
        for doc in records_to_docs(map(as_record, documents), nlp, ConversionReport()):
            docs.add(doc)
