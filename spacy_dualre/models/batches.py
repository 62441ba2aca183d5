"""Instances to batches for the encoders: tokenised, padded, every distinct sequence once."""

from typing import Any, Dict, Hashable, List, Optional, Sequence, Tuple, TypeVar

import numpy

from ..types import Description, Instance, PaddedBatch, PairBatch, Sequences, Shortened
from .padding import PER_PASS, pad, pad_levitated
from .pieces import Pieces
from .tokenize import tokenize_descriptions, tokenize_levitated, tokenize_texts

Item = TypeVar("Item", bound=Hashable)
#: Batches, the pair in them that each text or description is, and what was shortened.
Padded = Tuple[List[PaddedBatch], numpy.ndarray, Shortened]


class BatchMaker:
    """Makes batches for one tokenizer.

    Args:
        tokenizer: With the markers.
        max_length: The most pieces of a sequence.
        batch_tokens: Pieces per batch, padding included.
        padding: The id that fills up sequences.
        packed: Put the markers beside the text, see `RunSettings`.
        first_position: The position of a sequence's first piece.
    """

    def __init__(
        self,
        tokenizer: Any,
        max_length: int,
        batch_tokens: int,
        padding: int = 0,
        packed: bool = False,
        first_position: int = 0,
    ) -> None:
        self.pieces = Pieces(tokenizer)
        self.max_length = max_length
        self.batch_tokens = batch_tokens
        self.padding = padding
        self.packed = packed
        self.first_position = first_position
        self.per_pass = PER_PASS

    def texts(self, instances: Sequence[Instance]) -> Padded:
        """Batch the texts of P instances; the index is (P,)."""
        tokenize = tokenize_levitated if self.packed else tokenize_texts
        return self._pad(*tokenize([instance.text for instance in instances], self.pieces, self.max_length))

    def descriptions(self, descriptions: Sequence[Description]) -> Padded:
        """Batch N descriptions; the index is (N,)."""
        return self._pad(*tokenize_descriptions(descriptions, self.pieces, self.max_length))

    def pairs(
        self, texts: Padded, instances: Sequence[Instance], read: Optional[numpy.ndarray]
    ) -> Tuple[PairBatch, Shortened]:
        """Put all that training needs into one batch.

        Args:
            texts: From `texts`.
            instances: P of them.
            read: (P, L) booleans, the descriptions that count; None for all.
        """
        batches, index, shortened = texts
        distinct, rows = number([instance.descriptions for instance in instances], read)
        if not distinct:
            return PairBatch(batches, index, None, rows), shortened
        descriptions, order, cut = self.descriptions(distinct)
        return PairBatch(batches, index, descriptions, numpy.where(rows >= 0, order[rows], -1)), add(shortened, cut)

    def texts_as_read(self, instances: Sequence[Instance]) -> List[str]:
        """Spell the text of each instance as the encoder reads it, with the markers in it even if they are beside."""
        sequences, _ = tokenize_texts([instance.text for instance in instances], self.pieces, self.max_length)
        pieces = numpy.split(sequences.ids, sequences.lengths.cumsum()[:-1])
        return [self.pieces.tokenizer.decode(pieces[row]) for row in sequences.rows]

    def _pad(self, sequences: Sequences, shortened: Shortened) -> Padded:
        if sequences.marker_ids is None:
            batches, index = pad(sequences, self.batch_tokens, self.padding)
        else:
            batches, index = pad_levitated(
                sequences, self.batch_tokens, self.padding, self.first_position, self.per_pass
            )
        return batches, index, shortened._replace(limit=self.max_length)


def possible(instances: Sequence[Instance]) -> numpy.ndarray:
    """(P, L) booleans: the predicate has a description for the candidate's types."""
    return numpy.array([[bool(templates) for templates in instance.descriptions] for instance in instances])


def number(
    items: Sequence[Sequence[Sequence[Item]]], read: Optional[numpy.ndarray] = None
) -> Tuple[List[Item], numpy.ndarray]:
    """Number the distinct items of P x L groups of at most K, in order of appearance.

    Args:
        items: The groups.
        read: (P, L) booleans, the groups that count; None for all.

    Returns:
        The distinct items, and (P, L, K) the number of each, -1 where there is none.
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
