"""Pipelines for documents with given mentions, mixed with documents whose mentions the pipeline finds."""

from typing import Iterable, NamedTuple

import spacy
from spacy.language import Language

from ..errors import Errors
from ..pipeline.pipelines import MENTIONS, components_before, find_component, finds_mentions


class Parts(NamedTuple):
    """A pipeline in parts, which share its components.

    Attributes:
        finder: What comes before the relations.
        splitter: For documents with given mentions: the same without what finds mentions.
        rest: The relations and what comes after them.
    """

    finder: Language
    splitter: Language
    rest: Language


def parts_of(nlp: Language, rel_name: str) -> Parts:
    """Divide a pipeline. A sentencizer is added if nothing before the relations starts sentences."""
    before = components_before(nlp, rel_name)
    splits = _starts_sentences(nlp, rel_name)
    finder = _with_components(nlp, before)
    splitter = _with_components(nlp, (name for name in before if splits and not finds_mentions(nlp, name)))
    if not splits:
        finder.add_pipe("sentencizer", name="dualre_sentencizer", first=True)
        splitter.add_pipe("sentencizer")
    return Parts(finder, splitter, _with_components(nlp, nlp.pipe_names[len(before) :]))


def check_finds_mentions(nlp: Language) -> None:
    """Raise ValueError if no component before the relations finds mentions where they are read from."""
    rel_name, rel = find_component(nlp)
    # doc.ents are read if there is no span group
    where = {"doc.ents"} if rel.spans_key is None else MENTIONS
    for name in components_before(nlp, rel_name):
        what = set(nlp.get_pipe_meta(name).assigns)
        # A component may not declare what it assigns, and a span ruler does not declare entities
        if not what or where & what or rel.spans_key is None and getattr(nlp.get_pipe(name), "annotate_ents", False):
            return
    names = ", ".join(nlp.pipe_names)
    raise ValueError(Errors.DR400.format(name=rel_name, source=rel.mentions_from, names=names))


def _starts_sentences(nlp: Language, rel_name: str) -> bool:
    doc = nlp.make_doc("One is here. Two is there.")
    for name in components_before(nlp, rel_name):
        doc = nlp.get_pipe(name)(doc)
    return doc.has_annotation("SENT_START")


def _with_components(nlp: Language, names: Iterable[str]) -> Language:
    part = spacy.blank(str(nlp.lang), vocab=nlp.vocab)
    part.tokenizer = nlp.tokenizer
    part.max_length = nlp.max_length
    for name in names:
        part.add_pipe(name, source=nlp)
    return part
