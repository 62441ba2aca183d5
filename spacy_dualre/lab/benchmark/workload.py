"""The workload of a benchmark: a pipeline's component, and documents with mentions."""

from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ...errors import Errors
from ...models.batches import BatchMaker
from ...models.dual_encoder import forget, get_batches, get_network, get_runner
from ...models.pytorch.network import DualEncoder
from ...models.runner import Runner
from ...pipeline.component import DualEncoderRel
from ...pipeline.pipelines import find_component
from ...training.reader import copy_mentions, rel_corpus
from ...types import Instance, PaddedBatch, PairBatch

#: Documents processed before anything is measured.
WARM_UP = 5


class Workload:
    """A pipeline's component, and examples whose predicted Docs have the gold mentions."""

    def __init__(self, nlp: Language, name: str, examples: List[Example]) -> None:
        self.nlp = nlp
        self.name = name
        self.rel: DualEncoderRel = nlp.get_pipe(name)  # type: ignore[assignment]
        self.examples = examples
        self.network: DualEncoder = get_network(self.rel.model)
        self.device: torch.device = self.network.device

    @property
    def batches(self) -> BatchMaker:
        return get_batches(self.rel.model)

    @property
    def runner(self) -> Runner:
        return get_runner(self.rel.model)

    def fresh_docs(self) -> List[Doc]:
        """New Docs with tokens, sentences and mentions only."""
        return [copy_mentions(example.reference) for example in self.examples]

    def endless_docs(self) -> Iterator[Doc]:
        """The same Docs repeated forever, made on demand."""
        return (copy_mentions(example.reference) for example in cycle(self.examples))

    def pipe(self, docs: Iterable[Doc], **options: Any) -> Iterator[Doc]:
        """``nlp.pipe`` with the component alone, as the mentions are given."""
        with self.nlp.select_pipes(enable=self.name):
            yield from self.nlp.pipe(docs, **options)

    def exhaust(self, docs: Iterable[Doc], **options: Any) -> None:
        for _ in self.pipe(docs, **options):
            pass

    def start_cold(self) -> None:
        """Forget all documents so far, and prepare again what does not depend on documents."""
        forget(self.rel.model)
        get_runner(self.rel.model)

    def warm_up(self) -> None:
        """Process a few documents, so that nothing happens for the first time during a measurement."""
        self.exhaust(islice(self.endless_docs(), min(WARM_UP, len(self.examples))))

    def instances(self) -> Tuple[List[Instance], numpy.ndarray]:
        """The P instances, and which descriptions are read without a cascade: booleans (P, L)."""
        scored = list(self.rel.stream(self.fresh_docs(), read_all=True))
        return list(chain.from_iterable(part.instances for part in scored)), numpy.concatenate(
            [part.scores.read for part in scored]
        )

    def batch(self, instances: Sequence[Instance], read: numpy.ndarray) -> PairBatch:
        """All instances in one batch, sorted by length; every distinct sequence occurs once."""
        return self.batches.pairs(self.batches.texts(instances), instances, read)[0]

    def count(self, batch: PairBatch) -> Dict[str, int]:
        """Count the work for a batch of all candidates.

        Texts and descriptions are distinct sequences (for packed texts: passes over a text); tokens are their pieces,
        without padding.
        """
        texts, descriptions = batch.texts, batch.descriptions or []
        return {
            "documents": len(self.examples),
            "words": sum(len(example.reference) for example in self.examples),
            "candidates": len(batch.text_index),
            "texts": sum(len(part.ids) for part in texts),
            "descriptions": sum(len(part.ids) for part in descriptions),
            "text_tokens": _tokens(texts),
            "description_tokens": _tokens(descriptions),
            "tokens": _tokens(texts) + _tokens(descriptions),
        }


def open_workload(nlp: Language, data_path: Path, limit: int = 0) -> Workload:
    """Make the workload of a pipeline and the first `limit` documents of a file (0: all).

    Raises:
        ValueError: The pipeline has no component to measure, or the documents have no candidates.
    """
    name, rel = find_component(nlp)
    workload = Workload(nlp, name, list(rel_corpus(data_path, limit=limit)(nlp)))
    if not any(True for doc in workload.fresh_docs() for _ in rel.get_candidates(doc)):
        n = len(workload.examples)
        raise ValueError(Errors.DR700.format(path=data_path, n=n, source=rel.mentions_from))
    return workload


def _tokens(batches: Sequence[PaddedBatch]) -> int:
    # In a mask of pairs every piece sees itself, but padding does not
    masks = (batch.mask if batch.mask.ndim == 2 else batch.mask.diagonal(axis1=1, axis2=2) for batch in batches)
    return int(sum(mask.sum() for mask in masks))
