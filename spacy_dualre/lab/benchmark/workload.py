"""What is measured: a pipeline's component, documents with mentions, and their candidates."""

from itertools import cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ...errors import Errors
from ...models.cascade import unknown_to_classifier
from ...models.dual_encoder import get_engine
from ...models.runner import Engine, number
from ...pipeline.component import DualEncoderRel
from ...pipeline.components import find_component
from ...training.reader import copy_mentions, rel_corpus
from ...types import Description, Instance, PaddedBatch

#: Documents that are read before anything is measured.
WARM_UP = 5
#: Candidates that are made into instances at once.
_AT_ONCE = 512


class Counts(NamedTuple):
    """What there is to do. texts, descriptions: distinct sequences (or passes over a text, where the markers stand
    beside it). Tokens: their pieces, each sequence counted once, without padding.
    """

    documents: int
    words: int
    candidates: int
    texts: int
    descriptions: int
    text_tokens: int
    description_tokens: int

    @property
    def tokens(self) -> int:
        """Pieces of texts and descriptions."""
        return self.text_tokens + self.description_tokens


class Workload:
    """A pipeline's component, and examples whose predicted Docs have the gold mentions."""

    def __init__(self, nlp: Language, name: str, examples: List[Example]) -> None:
        """Raises ValueError where the component has no network."""
        self.nlp = nlp
        self.name = name
        self.rel: DualEncoderRel = nlp.get_pipe(name)  # type: ignore[assignment]
        self.examples = examples
        self.engine: Engine = get_engine(self.rel.model)

    def fresh_docs(self) -> List[Doc]:
        """New Docs, with tokens, sentences and mentions alone."""
        return [copy_mentions(example.reference) for example in self.examples]

    def endless_docs(self) -> Iterator[Doc]:
        """The same, over and over, each made when it is asked for."""
        return (copy_mentions(example.reference) for example in cycle(self.examples))

    def pipe(self, docs: Iterable[Doc], **options: Any) -> Iterator[Doc]:
        """``nlp.pipe`` with the component alone: the mentions are given."""
        with self.nlp.select_pipes(enable=self.name):
            yield from self.nlp.pipe(docs, **options)

    def warm_up(self) -> None:
        """Read a few documents, so that nothing is done for the first time while it is measured."""
        self.exhaust(islice(self.endless_docs(), min(WARM_UP, len(self.examples))))

    def exhaust(self, docs: Iterable[Doc], **options: Any) -> None:
        """Pipe the documents and keep none. What is known from documents before is forgotten."""
        self.engine.start_cold()
        for _ in self.pipe(docs, **options):
            pass

    def instances(self) -> List[Instance]:
        """What the model reads of all candidates."""
        candidates = (pair for doc in self.fresh_docs() for pair in self.rel.get_candidates(doc))
        return [instance for _, made in self.rel._slices(candidates, _AT_ONCE) for instance in made]

    def to_read(self, instances: Sequence[Instance]) -> numpy.ndarray:
        """(P, L) the predicates whose descriptions are read without a cascade."""
        possible = possible_predicates(instances)
        if self.rel.prediction != "classifier":
            return possible
        return unknown_to_classifier(self.engine.network.config.n_classes, possible)

    def distinct(self, instances: Sequence[Instance]) -> Tuple[List[Instance], List[Description], numpy.ndarray]:
        """An instance for each distinct text; the distinct descriptions that are read; (P, L, K) which one of them is
        read of each predicate and template, -1 where none is.
        """
        texts = {instance.text: instance for instance in instances}
        return list(texts.values()), *number([i.descriptions for i in instances], self.to_read(instances))

    def count(self, instances: Sequence[Instance]) -> Counts:
        """What there is to do for these instances, which are those of all candidates."""
        by_text, descriptions, _ = self.distinct(instances)
        text_batches = self.engine.text_batches(by_text)[0]
        description_batches = self.engine.description_batches(descriptions)[0] if descriptions else []
        return Counts(
            documents=len(self.examples),
            words=sum(len(example.reference) for example in self.examples),
            candidates=len(instances),
            texts=sum(len(batch.ids) for batch in text_batches),
            descriptions=len(descriptions),
            text_tokens=count_tokens(text_batches),
            description_tokens=count_tokens(description_batches),
        )


def open_workload(nlp: Language, data_path: Path, limit: int = 0) -> Workload:
    """The workload of a pipeline on the documents of a file; limit: the first so many, 0: all. Raises ValueError where
    the pipeline has no component to measure, or the documents no candidate.
    """
    name, _ = find_component(nlp)
    workload = Workload(nlp, name, list(rel_corpus(data_path, limit=limit)(nlp)))
    candidates = (pair for doc in workload.fresh_docs() for pair in workload.rel.get_candidates(doc))
    if next(candidates, None) is None:
        mentions = workload.rel.mentions_from
        raise ValueError(Errors.DR700.format(path=data_path, n=len(workload.examples), source=mentions))
    return workload


def possible_predicates(instances: Sequence[Instance]) -> numpy.ndarray:
    """(P, L) the predicates that have a description for a candidate."""
    return numpy.array([[bool(templates) for templates in instance.descriptions] for instance in instances])


def count_tokens(batches: Sequence[PaddedBatch]) -> int:
    """The pieces in batches, without padding."""
    masks = [batch.mask for batch in batches]
    # Every piece sees itself; padding does not
    own = [mask if mask.ndim == 2 else mask.diagonal(axis1=1, axis2=2) for mask in masks]
    return int(sum(mask.sum() for mask in own))


def as_figures(counts: Counts, seconds: float) -> Dict[str, float]:
    """How much of it is done a second."""
    return {
        "candidates_per_s": counts.candidates / seconds,
        "documents_per_s": counts.documents / seconds,
        "words_per_s": counts.words / seconds,
        "tokens_per_s": counts.tokens / seconds,
    }
