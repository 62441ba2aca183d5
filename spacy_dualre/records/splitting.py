"""Tokenizers and sentence splitters for the conversion of corpora, and the correction of a splitter's obvious mistakes.

Corrections depend on the text and the mentions but never on relations, so that candidates do not depend on gold.
"""

import importlib
import re
from collections import Counter
from types import ModuleType
from typing import List, Optional, Set

import spacy
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from spacy.util import load_config, load_model_from_config

from ..errors import Errors
from .record import Record

TOKENIZERS = ("spacy", "scispacy")
#: The component behind each name.
SPLITTERS = {"sentencizer": "sentencizer", "pysbd": "pysbd_sentencizer"}
#: The full stops of all scripts, then closing signs, before which French has a blank.
_SENTENCE_END = re.compile(
    f"[{re.escape(''.join(Sentencizer.default_punct_chars))}\u2026]"
    r"""(?:["'\u2018\u2019\u201c\u201d)\]}\u300d\u300f\uff09\xab\u2039]|\s?[\xbb\u203a])*\s*\Z"""
)
_DOTTED_ABBREVIATION = re.compile(r"\b(?:[A-Za-z]\.){2,}[)\]]*\s*\Z")
#: Number of characters that are inspected before and after a start.
_LOOK_AROUND = 40
_INSIDE = "inside a mention"


def make_splitter(lang: str, tokenizer: str, splitter: str) -> Language:
    """Make a pipeline that splits text into tokens and sentences.

    Args:
        tokenizer: "spacy", or "scispacy" for English biomedical text.
        splitter: "sentencizer", or "pysbd" from scispaCy.

    Raises:
        ValueError: An unknown name.
        ImportError: scispaCy is not installed.
    """
    for name, value, known in (("tokenizer", tokenizer, TOKENIZERS), ("splitter", splitter, SPLITTERS)):
        if value not in known:
            raise ValueError(Errors.DR004.format(name=name, value=value, known=", ".join(known)))
    nlp = spacy.blank(lang)
    if tokenizer == "scispacy":
        nlp.tokenizer = _scispacy("custom_tokenizer").combined_rule_tokenizer(nlp)
    if splitter == "pysbd":
        _scispacy("custom_sentence_segmenter")
    nlp.add_pipe(SPLITTERS[splitter])
    return nlp


def load_splitter(source: str) -> Language:
    """Load a pipeline to split text into tokens and sentences, from a config (.cfg), a folder or a package.

    Raises ValueError if it cannot be loaded or sets no sentence starts.
    """
    try:
        is_config = source.endswith(".cfg")
        nlp = load_model_from_config(load_config(source), auto_fill=True) if is_config else spacy.load(source)
        if not nlp("One is here. Two is there.").has_annotation("SENT_START"):
            raise ValueError(f"none of {nlp.pipe_names} starts sentences")
    except (OSError, ValueError) as err:
        raise ValueError(Errors.DR301.format(source=source, problem=err)) from err
    return nlp


def _scispacy(module: str) -> ModuleType:
    try:
        return importlib.import_module(f"scispacy.{module}")
    except ImportError as err:
        raise ImportError(Errors.DR300.format(problem=err)) from err


def sentence_starts(doc: Doc, record: Record, nlp: Language, removed: Counter) -> List[bool]:
    """For each token of the Doc, whether a sentence starts there: by the record or, if it has no starts, at its breaks
    and where the components of nlp set one.

    Starts inside mentions are removed. So are the components' starts that follow neither sentence-final punctuation nor
    a line end, that precede a lower-case word in a text with capital letters, or that follow an abbreviation such as
    "i.v." unless a capitalised word comes next. The removed ones are counted by reason.
    """
    inside = bytearray(len(record.text) + 1)
    for mention in record.mentions:
        inside[mention.start + 1 : mention.end] = b"\x01" * (mention.end - mention.start - 1)
    if record.sentences is not None:
        starts = _begin_at(doc, {0, *record.sentences})
        cut = {token.i for token in doc if starts[token.i] and inside[token.idx]}
        removed.update([_INSIDE] * len(cut))
        return [start and i not in cut for i, start in enumerate(starts)]
    split = doc.copy()
    for _, component in nlp.pipeline:
        split = component(split)
    starts = []
    has_capitals = not record.text.islower()
    for token, is_break in zip(split, _begin_at(doc, {0, *record.breaks})):
        is_inside = bool(inside[token.idx])
        why = _why_no_start(record.text, token.idx, is_inside, has_capitals) if token.is_sent_start else ""
        is_break = is_break and not is_inside
        if why and not is_break:
            removed[why] += 1
        starts.append(is_break or bool(token.is_sent_start) and not why)
    return starts


def _begin_at(doc: Doc, offsets: Set[int]) -> List[bool]:
    """For each token, whether it or the blanks before it contain one of the offsets as a start."""
    ends = [0, *(token.idx + len(token) for token in doc)]
    return [not offsets.isdisjoint(range(end, token.idx + 1)) for end, token in zip(ends, doc)]


def _why_no_start(text: str, offset: int, inside_mention: bool, has_capitals: bool) -> Optional[str]:
    before = text[max(offset - _LOOK_AROUND, 0) : offset]
    word = next(iter(text[offset : offset + _LOOK_AROUND].split(maxsplit=1)), "")
    if inside_mention:
        return _INSIDE
    if "\n" in before[len(before.rstrip()) :]:
        return None
    if not _SENTENCE_END.search(before):
        return "no end of a sentence before it"
    if word.rstrip(",;:.").isalpha() and word.islower() and has_capitals:
        return "before a word in lower case"
    if _DOTTED_ABBREVIATION.search(before) and not re.match(r"[A-Z][a-z]+\b(?!-)", word):
        return "after an abbreviation"
    return None
