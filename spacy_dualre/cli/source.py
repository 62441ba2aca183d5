"""Documents that a user names on the command line: a text, a file of text, the standard input, or .spacy files."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, List

from spacy.tokens import Doc

from ..annotations.mentions import get_mentions
from ..errors import Errors
from .app import existing

if TYPE_CHECKING:
    from spacy.language import Language

SOURCE_HELP = "A text, a .txt file, - for the standard input, or documents with mentions: .spacy, or a folder of such"


def read_docs(nlp: "Language", source: str, limit: int = 0) -> List[Doc]:
    """The documents, gone through the pipeline. limit: at most so many of .spacy files; 0: all. If any of these has
    mentions, none are looked for.

    Raises ValueError where the file does not exist or there is nothing in it, or no mentions in any document.
    """
    from ..pipeline.components import components_before, find_component, given_mentions
    from ..training.reader import rel_corpus

    inputs: List[Any]
    if source.endswith(".spacy") or _is_there(source) and Path(source).is_dir():
        existing(Path(source), "Expected documents with mentions, as `spacy dualre convert` writes them.")
        inputs = [example.predicted for example in rel_corpus(Path(source), limit=limit)(nlp)]
    else:
        inputs = list(filter(str.strip, [_read_text(source)]))
    if not inputs:
        raise ValueError(Errors.DR835.format(path=source or "The text"))
    name, rel = find_component(nlp)
    are_given = any(isinstance(doc, Doc) and get_mentions(doc, rel.spans_key) for doc in inputs)
    with given_mentions(nlp) if are_given else nullcontext():
        docs = list(nlp.pipe(inputs))
    if not any(get_mentions(doc, rel.spans_key) for doc in docs):
        before = ", ".join(components_before(nlp, name)) or "none"
        raise ValueError(Errors.DR833.format(source=rel.mentions_from, name=name, names=before))
    return docs


def _read_text(source: str) -> str:
    from ..formats.files import STDIN, read_text

    if source == "-":
        return read_text(STDIN)
    if source.endswith(".txt"):
        return read_text(existing(Path(source), "Expected a file of text."))
    if _is_there(source):
        raise ValueError(Errors.DR836.format(path=source))
    return source


def _is_there(source: str) -> bool:
    """Whether it is the name of a file or folder."""
    try:
        return bool(source.strip()) and Path(source).exists()
    except (OSError, ValueError):  # a text may be longer than names can be, or hold what they cannot
        return False
