"""Documents named on the command line: a text, a text file, standard input or .spacy files."""

import os
import re
from pathlib import Path
from typing import List

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.mentions import get_mentions
from ..errors import Errors
from ..formats.files import read_text
from ..pipeline.pipelines import components_before, find_component, predict_examples
from ..training.reader import rel_corpus

SOURCE_HELP = "A text, a .txt file, - for standard input, or documents with mentions: a .spacy file or a folder of them"


def read_docs(nlp: Language, source: str, limit: int = 0) -> List[Doc]:
    """The Docs of `read_examples`. Raises ValueError also if no document has mentions."""
    docs = [example.predicted for example in read_examples(nlp, source, limit)]
    name, rel = find_component(nlp)
    if not any(get_mentions(doc, rel.spans_key) for doc in docs):
        before = ", ".join(components_before(nlp, name)) or "none"
        raise ValueError(Errors.DR833.format(source=rel.mentions_from, name=name, names=before))
    return docs


def read_examples(nlp: Language, source: str, limit: int = 0) -> List[Example]:
    """Run a pipeline on a source, see `SOURCE_HELP`, or the first documents of .spacy files (limit 0: all).

    The pipeline only finds mentions if no document has any. The references are as in the file, and of a text without
    annotations. Raises ValueError if a file is missing.
    """
    _, rel = find_component(nlp)
    if source.endswith(".spacy") or os.path.isdir(source):
        examples = list(rel_corpus(Path(source), limit=limit)(nlp))
    else:
        text = text_of(source)
        examples = [Example(nlp.make_doc(text), nlp.make_doc(text))]
    are_given = any(get_mentions(example.predicted, rel.spans_key) for example in examples)
    predict_examples(nlp, examples, keep_mentions=are_given)
    return examples


def text_of(source: str) -> str:
    """A text as it is given, or that of a .txt file or, for "-", of standard input. Raises ValueError if a file is
    missing.
    """
    if source == "-" or source.endswith(".txt"):
        return read_text(Path(source))
    # ASCII without a blank that looks like a path: other scripts may have texts without blanks
    if os.path.exists(source) or re.fullmatch(r"[!-~]*[/\\][!-~]+|[!-~]+\.\w+", source, re.ASCII):
        raise ValueError(Errors.DR836.format(path=source))
    return source
