"""What is measured: a pipeline's component, and documents with mentions."""

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

#: Documents to read before anything is measured.
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
        """The same over and over, each made when it is asked for."""
        return (copy_mentions(example.reference) for example in cycle(self.examples))

    def pipe(self, docs: Iterable[Doc], **options: Any) -> Iterator[Doc]:
        """``nlp.pipe`` with the component alone: the mentions are given."""
        with self.nlp.select_pipes(enable=self.name):
            yield from self.nlp.pipe(docs, **options)

    def exhaust(self, docs: Iterable[Doc], **options: Any) -> None:
        """Pipe documents and keep none."""
        for _ in self.pipe(docs, **options):
            pass

    def start_cold(self) -> None:
        """Forget all documents so far. What does not depend on documents is made anew here."""
        forget(self.rel.model)
        get_runner(self.rel.model)

    def warm_up(self) -> None:
        """Read a few documents, so that nothing happens for the first time while it is measured."""
        self.exhaust(islice(self.endless_docs(), min(WARM_UP, len(self.examples))))

    def instances(self) -> Tuple[List[Instance], numpy.ndarray]:
        """What the model reads of the P candidates, and (P, L) booleans: the descriptions read without a cascade."""
        scored = list(self.rel.stream(self.fresh_docs(), read_all=True))
        return list(chain.from_iterable(part.instances for part in scored)), numpy.concatenate(
            [part.scores.read for part in scored]
        )

    def batch(self, instances: Sequence[Instance], read: numpy.ndarray) -> PairBatch:
        """All of them in one batch, sorted by length; every distinct sequence occurs once."""
        return self.batches.pairs(self.batches.texts(instances), instances, read)[0]

    def count(self, batch: PairBatch) -> Dict[str, int]:
        """Count what there is to do for a batch of all candidates.

        Texts and descriptions are distinct sequences, or passes over a text whose markers are beside it; tokens are
        their pieces, without padding.
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
    """Make the workload of a pipeline on the documents of a file.

    Args:
        limit: Only the first so many documents; 0: all.

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
    """The pieces in batches, without padding."""
    masks = [batch.mask for batch in batches]
    # Every piece sees itself; padding does not
    own = [mask if mask.ndim == 2 else mask.diagonal(axis1=1, axis2=2) for mask in masks]
    return int(sum(mask.sum() for mask in own))
