"""Tokenizers and sentence splitters for the conversion of corpora."""

import importlib
from types import ModuleType

import spacy
from spacy.language import Language
from spacy.util import load_config, load_model_from_config

from ..errors import Errors

TOKENIZERS = ("spacy", "scispacy")
#: The component behind each name.
SPLITTERS = {"sentencizer": "sentencizer", "pysbd": "pysbd_sentencizer"}


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
