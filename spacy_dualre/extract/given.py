"""Pipelines for documents with given mentions, mixed with documents whose mentions the pipeline finds."""

from typing import Any, Iterable, Iterator, List

import spacy
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from spacy.util import minibatch

from ..errors import Errors
from ..pipeline.pipelines import MENTIONS, components_before, find_component, finds_mentions

#: Key in ``doc.user_data`` of documents with given mentions.
GIVEN = "spacy_dualre_given_mentions"


@Language.factory("dualre_find_mentions")
class FindMentions:
    """Applies components to the documents without given mentions only."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.components: List[Any] = []

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Process a stream in order."""
        for batch in minibatch(stream, batch_size):
            found: Iterator[Doc] = (doc for doc in batch if GIVEN not in doc.user_data)
            for component in self.components:
                has_pipe = hasattr(component, "pipe")
                found = component.pipe(found, batch_size=batch_size) if has_pipe else map(component, found)
            yield from (doc if GIVEN in doc.user_data else next(found) for doc in batch)


def extraction_pipeline(nlp: Language, rel_name: str) -> Language:
    """Make a pipeline from nlp, sharing its components, with all those before the relations in one `FindMentions`.

    A sentencizer precedes them if none of them starts sentences.
    """
    before = components_before(nlp, rel_name)
    components: List[Any] = [nlp.get_pipe(name) for name in before]
    if not starts_sentences(nlp, rel_name):
        components.insert(0, Sentencizer())
    pipeline = _empty(nlp)
    pipeline.add_pipe("dualre_find_mentions").components = components  # type: ignore[attr-defined]
    for name in nlp.pipe_names[len(before) :]:
        pipeline.add_pipe(name, source=nlp)
    return pipeline


def sentence_splitter(nlp: Language, rel_name: str) -> Language:
    """Make a pipeline that splits documents with given mentions into tokens and sentences.

    It has nlp's components before the relations except those that find mentions, or else a sentencizer.
    """
    splitter = _empty(nlp)
    if not starts_sentences(nlp, rel_name):
        splitter.add_pipe("sentencizer")
        return splitter
    for name in components_before(nlp, rel_name):
        if not finds_mentions(nlp, name):
            splitter.add_pipe(name, source=nlp)
    return splitter


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


def starts_sentences(nlp: Language, rel_name: str) -> bool:
    """Whether a component before the relations starts sentences."""
    doc = nlp.make_doc("One is here. Two is there.")
    for name in components_before(nlp, rel_name):
        doc = nlp.get_pipe(name)(doc)
    return doc.has_annotation("SENT_START")


def _empty(nlp: Language) -> Language:
    empty = spacy.blank(str(nlp.lang), vocab=nlp.vocab)
    empty.tokenizer = nlp.tokenizer
    empty.max_length = nlp.max_length
    return empty
