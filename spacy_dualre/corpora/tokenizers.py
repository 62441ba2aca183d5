"""Tokenizers and sentence splitters by name, for the conversion of corpora."""

import importlib
from types import ModuleType

import spacy
from spacy.language import Language

from ..errors import Errors

TOKENIZERS = ("spacy", "scispacy")
#: The component behind each name.
SPLITTERS = {"sentencizer": "sentencizer", "pysbd": "pysbd_sentencizer"}


def make_splitter(lang: str, tokenizer: str, splitter: str) -> Language:
    """A pipeline that cuts text into tokens and sentences.

    lang: spaCy's code of the language. tokenizer: "spacy" or "scispacy" (for biomedical text, English). splitter:
    "sentencizer" or "pysbd" (scispaCy's). Raises ValueError for another name, and ImportError saying what to install.
    """
    for name, value, known in (("tokenizer", tokenizer, TOKENIZERS), ("splitter", splitter, SPLITTERS)):
        if value not in known:
            raise ValueError(Errors.DR102.format(name=name, value=value, known=", ".join(known)))
    nlp = spacy.blank(lang)
    if tokenizer == "scispacy":
        nlp.tokenizer = _scispacy("custom_tokenizer").combined_rule_tokenizer(nlp)
    if splitter == "pysbd":
        _scispacy("custom_sentence_segmenter")
    nlp.add_pipe(SPLITTERS[splitter])
    return nlp


def _scispacy(module: str) -> ModuleType:
    try:
        return importlib.import_module(f"scispacy.{module}")
    except ImportError as err:
        raise ImportError(Errors.DR103.format(problem=err)) from err
