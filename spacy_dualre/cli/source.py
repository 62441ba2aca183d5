"""Documents that a user names on the command line: a text, a file of text, the standard input, or .spacy files."""

import sys
from pathlib import Path
from typing import Any, List

from spacy.language import Language
from spacy.tokens import Doc

from ..candidates import get_mentions
from ..corpora.files import read_text
from ..corpora.reader import rel_corpus
from ..errors import Errors
from ..pipeline import find_component
from .app import existing

SOURCE_HELP = "A text, a .txt file, - for the standard input, or documents with mentions, .spacy"


def read_docs(nlp: Language, source: str, limit: int = 0) -> List[Doc]:
    """The documents, gone through the pipeline. limit: at most so many of a .spacy file; 0: all.

    Raises ValueError where the file does not exist or there is nothing in it, or no mentions in any document.
    """
    inputs: List[Any]
    if source.endswith(".spacy"):
        existing(Path(source), "Expected documents with mentions, as `spacy dualre convert` writes them.")
        inputs = [example.predicted for example in rel_corpus(Path(source), limit=limit)(nlp)]
    else:
        inputs = list(filter(str.strip, [_read_text(source)]))
    if not inputs:
        raise ValueError(Errors.DR223.format(path=source or "The text"))
    docs = list(nlp.pipe(inputs))
    name, rel = find_component(nlp)
    if not any(get_mentions(doc, rel.spans_key) for doc in docs):
        before = ", ".join(nlp.pipe_names[: nlp.pipe_names.index(name)]) or "none"
        raise ValueError(Errors.DR221.format(source=rel.mentions_from, name=name, names=before))
    return docs


def _read_text(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    if source.endswith(".txt"):
        return read_text(existing(Path(source), "Expected a file of text."))
    return source
