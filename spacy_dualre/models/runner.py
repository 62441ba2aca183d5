"""Prediction: what is encoded, how precisely, and what is remembered.

No setting changes a score by more than rounding, except the precision and a query's cascade.
"""

from typing import Any, Dict, List, Tuple

import numpy
import torch
from torch import Tensor

from ..types import Description, Query, RelScores, Shortened
from .batches import BatchMaker, add, number, possible
from .cascade import needed, unknown_to_classifier
from .pytorch.device import to_device
from .pytorch.network import DualEncoder, Texts
from .pytorch.precision import in_precision
from .pytorch.vectors import VectorMemory
from .stages import stage


class Runner:
    """Predicts with one network, whose weights must not change; for precision and memory see `RunSettings`."""

    def __init__(self, network: DualEncoder, batches: BatchMaker, precision: str, memory: int) -> None:
        self.network = network
        self.batches = batches
        self.memory = VectorMemory(memory)
        #: Numbers in the largest array of a comparison: bounds memory where there are many predicates
        self.most_numbers = 8_000_000
        copies: Dict[int, Any] = {id(encoder): in_precision(encoder, precision) for encoder in network.encoders()}
        self.text_encoder = copies[id(network.text_encoder)]
        self.description_encoder = copies[id(network.description_encoder or network.text_encoder)]

    def score(self, query: Query) -> RelScores:
        """Score candidates, as tensors. Every distinct sequence is encoded once, and no description without need."""
        self.network.eval()
        with torch.inference_mode():
            texts, shortened = self._read_texts(query)
            with stage("heads"):
                logits = self.network.classify(texts)
            mask = possible(query.instances)
            read = _to_read(query, logits, mask)
            distinct, rows = number([instance.descriptions for instance in query.instances], read)
            similarity = torch.zeros(mask.shape, device=self.network.device)
            if distinct:
                described, cut = self._read_descriptions(distinct)
                shortened = add(shortened, cut)
                with stage("heads"):
                    similarity = self._compare(texts, described, self._on_device(rows))
        return RelScores(similarity, logits, mask, read, shortened)  # type: ignore[arg-type]

    def _read_texts(self, query: Query) -> Tuple[Texts, Shortened]:
        with stage("tokenise"):
            batches, index, shortened = self.batches.texts(query.instances)
        with stage("input encoder"):
            texts = self.network.read_texts(self._on_device(batches), self.text_encoder)
        return texts.take(self._on_device(index)), shortened

    def _read_descriptions(self, descriptions: List[Description]) -> Tuple[Tensor, Shortened]:
        """(N, width) from `DualEncoder.read_descriptions` for each of these distinct descriptions."""
        known = numpy.array(self.memory.rows(descriptions))
        new = numpy.flatnonzero(known < 0)
        shortened = Shortened()
        parts = []
        if len(new) < len(known):
            parts.append(self.memory.get(self._on_device(known[known >= 0])))
        if len(new):
            chosen = [descriptions[i] for i in new]
            with stage("tokenise"):
                batches, index, shortened = self.batches.descriptions(chosen)
            with stage("description encoder"):
                vectors = self.network.read_descriptions(self._on_device(batches), self.description_encoder)
                parts.append(vectors[self._on_device(index)])
                self.memory.put(chosen, parts[-1])
        back = numpy.argsort(numpy.concatenate([numpy.flatnonzero(known >= 0), new]))
        return torch.cat(parts)[self._on_device(back)], shortened

    def _compare(self, texts: Texts, described: Tensor, index: Tensor) -> Tensor:
        n = max(self.most_numbers // (index.shape[1] * index.shape[2] * described.shape[1]), 1)
        chunks = zip(texts.rho.split(n), texts.cls.split(n), index.split(n))
        return torch.cat([self.network.compare(Texts(rho, cls), described, rows) for rho, cls, rows in chunks])

    def _on_device(self, value: Any) -> Any:
        return to_device(value, self.network.device)


def _to_read(query: Query, logits: Tensor, mask: numpy.ndarray) -> numpy.ndarray:
    """(P, L) booleans: the predicates whose descriptions are needed."""
    if not query.similarity:
        return unknown_to_classifier(logits.shape[1], mask)
    return mask if query.cascade is None else needed(logits.cpu().numpy(), mask, query.cascade)
