"""How the network is run: what is encoded, in which batches, how precisely, and what is known from before.

No setting changes a score by more than rounding, but for the precision and a query's cascade.
"""

from typing import Any, Dict, Hashable, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

import numpy
import torch
from torch import Tensor

from ..errors import Errors
from ..types import Description, Instance, PaddedBatch, PairBatch, Query, Sequences, Shortened
from .cascade import needed, sample, unknown_to_classifier
from .padding import pad, pad_levitated
from .pieces import Pieces
from .pytorch.device import default_batch_tokens, to_device
from .pytorch.memory import VectorMemory
from .pytorch.network import DualEncoder
from .pytorch.precision import PRECISIONS, in_precision
from .stages import stage
from .tokenize import tokenize_descriptions, tokenize_levitated, tokenize_texts

Item = TypeVar("Item", bound=Hashable)
#: Numbers in the largest array of a comparison: bounds memory where there are many predicates.
_MOST_NUMBERS = 8_000_000


class Found(NamedTuple):
    """Scores as tensors: similarity (P, L), logits (P, C); mask (P, L), False where nothing was compared."""

    similarity: Tensor
    logits: Tensor
    mask: numpy.ndarray
    shortened: Shortened


class Engine:
    """Runs one network.

    batch_tokens: pieces, padding included, that go through an encoder at once; None: what suits the device.
    precision: one of PRECISIONS, for prediction. memory: how many descriptions' vectors are kept between predictions.
    compiled: whether torch compiles the encoders for prediction. levitated: whether the markers stand beside the text.
    mixed_precision: of training. wanted_length: the most pieces of a sequence; None: as trained.
    """

    def __init__(
        self,
        batch_tokens: Optional[int] = None,
        precision: str = "float32",
        memory: int = 0,
        compiled: bool = False,
        levitated: bool = False,
        mixed_precision: bool = False,
        wanted_length: Optional[int] = None,
    ) -> None:
        """Raises ValueError for an unknown precision."""
        if precision not in PRECISIONS:
            raise ValueError(Errors.DR100.format(allowed=PRECISIONS, value=precision))
        self.batch_tokens = batch_tokens
        self.precision = precision
        self.memory = VectorMemory(memory)
        self.compiled = compiled
        self.levitated = levitated
        self.mixed_precision = mixed_precision
        self.wanted_length = wanted_length
        self._network: Optional[DualEncoder] = None
        self._pieces: Optional[Pieces] = None
        self._weights = -1
        self._encoders: Dict[int, Any] = {}

    def forget(self) -> None:
        """Drop what was made from the weights, because they change."""
        self.memory.clear()
        self._encoders.clear()

    def start_cold(self) -> None:
        """Drop what is known from the documents read so far, as if there had been none: for measuring."""
        self.memory.clear()
        if self._pieces is not None:
            self._pieces = Pieces(self._pieces.tokenizer)

    @property
    def network(self) -> DualEncoder:
        """The network in use."""
        assert self._network is not None
        return self._network

    def runs(self, network: DualEncoder) -> bool:
        """Whether this network is in use already."""
        return network is self._network

    def use(self, network: DualEncoder, tokenizer: Any, max_length: int) -> None:
        """Run this network from now on."""
        if self._pieces is None or self._pieces.tokenizer is not tokenizer:
            self._pieces = Pieces(tokenizer)
        # Grows when weights are changed in place
        weights = sum(parameter._version for parameter in network.parameters())
        if not self.runs(network) or weights != self._weights:
            self.forget()
        self._network, self._weights = network, weights
        self.max_length = max_length

    # Prediction

    def score(self, query: Query) -> Found:
        """Scores of the candidates, every distinct sequence encoded once, and no description that is known or not
        needed.
        """
        assert self._network is not None
        network = self._network
        network.eval()
        with torch.inference_mode():
            with stage("tokenise"):
                batches, order, shortened = self.text_batches(query.instances)
            with stage("input encoder"):
                states, cls = network.encode(self.encoder(is_text=True), to_device(batches, network.device))
            with stage("heads"):
                index = to_device(order, network.device)
                cls = cls.float()[index]
                text = network.represent(states.float()[index])
                logits = network.classify(text)
            mask = possible(query.instances)
            read = _to_read(query, logits, mask)
            distinct, rows = number([i.descriptions for i in query.instances], read)
            if not distinct:
                similarity = torch.zeros(mask.shape, device=network.device)
            else:
                projected, cut = self._describe(distinct)
                shortened = Shortened(*map(sum, zip(shortened, cut)))
                with stage("heads"):
                    similarity = self._compare(text, cls, projected, to_device(rows, network.device))
        return Found(similarity, logits, mask if not query.similarity else mask & read, shortened)

    def _describe(self, descriptions: List[Description]) -> Tuple[Tensor, Shortened]:
        """(N, width) what `DualEncoder.project` makes of each of these distinct descriptions."""
        assert self._network is not None and self._pieces is not None
        network = self._network
        known = self.memory.rows(descriptions)
        new = [i for i, row in enumerate(known) if row < 0]
        shortened = Shortened()
        parts = []
        if len(new) < len(known):
            rows = numpy.array([row for row in known if row >= 0])
            parts.append(self.memory.get(to_device(rows, network.device)))
        if new:
            with stage("tokenise"):
                chosen = [descriptions[i] for i in new]
                batches, order, shortened = self.description_batches(chosen)
            with stage("description encoder"):
                states, _ = network.encode(self.encoder(is_text=False), to_device(batches, network.device))
            with stage("heads"):
                projected = network.project(states.float())[to_device(order, network.device)]
                self.memory.put(chosen, projected)
            parts.append(projected)
        old = [i for i, row in enumerate(known) if row >= 0]
        back = numpy.argsort(numpy.array([*old, *new]))
        return torch.cat(parts)[to_device(back, network.device)], shortened

    def _compare(self, text: Tensor, cls: Tensor, projected: Tensor, index: Tensor) -> Tensor:
        assert self._network is not None
        n = max(_MOST_NUMBERS // (index.shape[1] * index.shape[2] * text.shape[1]), 1)
        chunks = zip(text.split(n), cls.split(n), index.split(n))
        return torch.cat([self._network.compare(t, c, projected, i) for t, c, i in chunks])

    def encoder(self, is_text: bool) -> Any:
        """The encoder of the texts or of the descriptions, as the settings want it for prediction."""
        assert self._network is not None
        own = self._network.text_encoder if is_text else self._network.description_encoder or self._network.text_encoder
        if id(own) not in self._encoders:
            encoder = in_precision(own, self.precision)
            self._encoders[id(own)] = torch.compile(encoder, dynamic=True) if self.compiled else encoder
        return self._encoders[id(own)]

    # Batches

    def training_batch(self, query: Query) -> Tuple[PairBatch, Shortened]:
        """Everything that P candidates need for training, every distinct sequence once."""
        texts, text_order, shortened = self.text_batches(query.instances)
        read = None if query.sampled is None or not query.similarity else self._sample(query, texts, text_order)
        distinct, rows = number([instance.descriptions for instance in query.instances], read)
        if not query.similarity or not distinct:
            return PairBatch(texts, text_order, None, rows), shortened
        descriptions, order, cut = self.description_batches(distinct)
        index = numpy.where(rows >= 0, order[rows], -1)
        return PairBatch(texts, text_order, descriptions, index), Shortened(*map(sum, zip(shortened, cut)))

    def _sample(self, query: Query, texts: List[PaddedBatch], order: numpy.ndarray) -> numpy.ndarray:
        """(P, L) the predicates whose descriptions are read in training."""
        assert query.sampled is not None and query.gold is not None
        network = self.network
        network.eval()
        with torch.inference_mode():
            states, _ = network.encode(network.text_encoder, to_device(texts, network.device))
            logits = network.classify(network.represent(states)[to_device(order, network.device)])
        return sample(logits.float().cpu().numpy(), possible(query.instances), query.gold > 0, query.sampled)

    def text_batches(self, instances: Sequence[Instance]) -> Tuple[List[PaddedBatch], numpy.ndarray, Shortened]:
        """The padded texts; (P,) which of their pairs each candidate is; what was shortened."""
        assert self._pieces is not None
        cut = tokenize_levitated if self.levitated else tokenize_texts
        sequences, shortened = cut([instance.text for instance in instances], self._pieces, self.max_length)
        return *self._pad(sequences), shortened

    def texts_as_read(self, instances: Sequence[Instance]) -> List[str]:
        """The text of each, with markers in it even where they stand beside it, put together from its pieces."""
        assert self._pieces is not None
        sequences, _ = tokenize_texts([instance.text for instance in instances], self._pieces, self.max_length)
        pieces = numpy.split(sequences.ids, sequences.lengths.cumsum()[:-1])
        return [self._pieces.tokenizer.decode(pieces[row]) for row in sequences.rows]

    def description_batches(
        self, descriptions: Sequence[Description]
    ) -> Tuple[List[PaddedBatch], numpy.ndarray, Shortened]:
        """The same for N descriptions."""
        assert self._pieces is not None
        sequences, shortened = tokenize_descriptions(descriptions, self._pieces, self.max_length)
        return *self._pad(sequences), shortened

    def _pad(self, sequences: Sequences) -> Tuple[List[PaddedBatch], numpy.ndarray]:
        assert self._network is not None
        tokens = self.batch_tokens or default_batch_tokens(self._network.device)
        padding = self._network.padding
        if sequences.marker_ids is not None:
            return pad_levitated(sequences, tokens, padding, self._network.first_position)
        return pad(sequences, tokens, padding)


def possible(instances: Sequence[Instance]) -> numpy.ndarray:
    """(P, L) which predicates have a description for each candidate."""
    return numpy.array([[bool(templates) for templates in instance.descriptions] for instance in instances])


def number(
    items: Sequence[Sequence[Sequence[Item]]], read: Optional[numpy.ndarray] = None
) -> Tuple[List[Item], numpy.ndarray]:
    """The distinct items of P x L groups of at most K, in order of appearance, and (P, L, K) which one each is, -1
    where there is none.

    read: (P, L) the groups that count; None: all.
    """
    numbers: Dict[Item, int] = {}
    widest = max((len(group) for row in items for group in row), default=1) or 1
    index = numpy.full((len(items), len(items[0]) if items else 0, widest), -1, dtype="int64")
    for p, row in enumerate(items):
        for column, group in enumerate(row):
            if read is None or read[p, column]:
                for k, item in enumerate(group):
                    index[p, column, k] = numbers.setdefault(item, len(numbers))
    return list(numbers), index


def _to_read(query: Query, logits: Tensor, mask: numpy.ndarray) -> numpy.ndarray:
    """(P, L) the predicates whose descriptions are needed."""
    if not query.similarity:
        return unknown_to_classifier(logits.shape[1], mask)
    if query.cascade is None:
        return mask
    return needed(logits.cpu().numpy(), mask, query.cascade)
