"""Documents named on the command line: a text, a text file, standard input or .spacy files."""

import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any, List

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.mentions import get_mentions
from ..errors import Errors
from ..formats.files import read_text
from ..pipeline.pipelines import components_before, find_component, given_mentions
from ..training.reader import rel_corpus

SOURCE_HELP = "A text, a .txt file, - for standard input, or documents with mentions: a .spacy file or a folder of them"


def read_docs(nlp: Language, source: str, limit: int = 0) -> List[Doc]:
    """Run a pipeline on a source, see `SOURCE_HELP`, or the first documents of .spacy files (limit 0: all).

    The pipeline only finds mentions if no document has any. Raises ValueError if a file is missing or no document has
    mentions.
    """
    inputs: List[Any] = [source]
    if source.endswith(".spacy") or os.path.isdir(source):
        inputs = [example.predicted for example in rel_corpus(Path(source), limit=limit)(nlp)]
    elif source == "-" or source.endswith(".txt"):
        inputs = [read_text(Path(source))]
    # ASCII without a blank that looks like a path: other scripts may have texts without blanks
    elif os.path.exists(source) or re.fullmatch(r"[!-~]*[/\\][!-~]+|[!-~]+\.\w+", source, re.ASCII):
        raise ValueError(Errors.DR836.format(path=source))
    name, rel = find_component(nlp)
    are_given = any(isinstance(doc, Doc) and get_mentions(doc, rel.spans_key) for doc in inputs)
    with given_mentions(nlp) if are_given else nullcontext():
        docs = list(nlp.pipe(inputs))
    if not any(get_mentions(doc, rel.spans_key) for doc in docs):
        before = ", ".join(components_before(nlp, name)) or "none"
        raise ValueError(Errors.DR833.format(source=rel.mentions_from, name=name, names=before))
    return docs
