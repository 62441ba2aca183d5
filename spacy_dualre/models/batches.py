"""Instances to batches for the encoders: tokenised, padded, every distinct sequence once."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Callable, Dict, Hashable, List, Optional, Sequence, Tuple, TypeVar

import numpy

from ..types import Description, Instance, PaddedBatch, PairBatch, Sequences, Shortened
from .padding import PER_PASS, pad, pad_levitated
from .pieces import Pieces
from .tokenize import tokenize_descriptions, tokenize_levitated, tokenize_texts

Item = TypeVar("Item", bound=Hashable)
#: Batches, the pair in them that each text or description is, and what was shortened.
Padded = Tuple[List[PaddedBatch], numpy.ndarray, Shortened]
#: Descriptions to the states (N, ...) that their encoder makes of them.
Reader = Callable[[List[Description]], Tuple[Any, Shortened]]


@dataclass
class BatchMaker:
    """Makes batches for one tokenizer."""

    pieces: Pieces
    max_length: int  # the most pieces of a sequence
    batch_tokens: int  # pieces per batch, padding included
    padding: int = 0  # the id that fills up sequences
    packed: bool = False  # put the markers beside the text, see `RunSettings`
    first_position: int = 0  # of a sequence's first piece
    per_pass: int = PER_PASS

    def texts(self, instances: Sequence[Instance]) -> Padded:
        """Batch the texts of P instances; the index is (P,)."""
        tokenize = tokenize_levitated if self.packed else tokenize_texts
        return self._pad(*tokenize([instance.text for instance in instances], self.pieces, self.max_length))

    def descriptions(self, descriptions: Sequence[Description]) -> Padded:
        """Batch N descriptions; the index is (N,)."""
        return self._pad(*tokenize_descriptions(descriptions, self.pieces, self.max_length))

    def pairs(
        self,
        texts: Padded,
        instances: Sequence[Instance],
        read: Optional[numpy.ndarray],
        reader: Optional[Reader] = None,
    ) -> Tuple[PairBatch, Shortened]:
        """Put the result of `texts` and the descriptions that are read, booleans (P, L) or None for all, into one.

        A `reader` gives the states of the descriptions, which are then put there in place of their batches.
        """
        batches, index, shortened = texts
        distinct, rows = number([instance.descriptions for instance in instances], read)
        if not distinct:
            return PairBatch(batches, index, None, rows), shortened
        if reader is not None:
            states, cut = reader(distinct)
            return PairBatch(batches, index, states, rows), add(shortened, cut)
        descriptions, order, cut = self.descriptions(distinct)
        return PairBatch(batches, index, descriptions, numpy.where(rows >= 0, order[rows], -1)), add(shortened, cut)

    def texts_as_read(self, instances: Sequence[Instance]) -> List[str]:
        """Spell the text of each instance as the encoder reads it, with the markers in it even if they are beside."""
        texts = [instance.text for instance in instances]
        sequences, _ = tokenize_texts(texts, self.pieces, self.max_length)
        tokens = {id: token for token, id in self.pieces.markers(texts)[0].items()}

        def spell(ids: numpy.ndarray) -> str:
            runs = groupby(ids.tolist(), key=tokens.get)
            return " ".join(token or self.pieces.tokenizer.decode(list(run)).strip() for token, run in runs)

        spelt = [spell(ids) for ids in numpy.split(sequences.ids, sequences.lengths.cumsum()[:-1])]
        return [spelt[row] for row in sequences.rows]

    def _pad(self, sequences: Sequences, shortened: Shortened) -> Padded:
        settings = (self.batch_tokens, self.padding)
        if sequences.marker_ids is None:
            batches, index = pad(sequences, *settings)
        else:
            batches, index = pad_levitated(sequences, *settings, self.first_position, self.per_pass)
        return batches, index, shortened._replace(limit=self.max_length)


def possible(instances: Sequence[Instance]) -> numpy.ndarray:
    """(P, L) booleans: the predicate has a description for the candidate's types."""
    return numpy.array([[bool(templates) for templates in instance.descriptions] for instance in instances])


def number(
    items: Sequence[Sequence[Sequence[Item]]], read: Optional[numpy.ndarray] = None
) -> Tuple[List[Item], numpy.ndarray]:
    """Number the distinct items of P x L groups of at most K, in order of appearance.

    `read` says which groups count, booleans (P, L) or None for all. Returns the distinct items, and (P, L, K) the
    number of each, -1 where there is none.
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


def add(one: Shortened, other: Shortened) -> Shortened:
    """The sum of two counts."""
    return Shortened(one.total + other.total, one.words + other.words, one.mentions + other.mentions, one.limit)
