"""The vocabulary of the road from Docs to relations. No logic."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Hashable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy
from spacy.tokens import Span
from thinc.types import Floats2d

#: The negative predicate: no relation. It is the first of the L predicates and never written to a Doc.
NEGATIVE = "no_relation"
#: (subject type, object type)
TypePair = Tuple[str, str]
#: Which pairs of types may be candidates; None: all.
TypePairs = Optional[FrozenSet[TypePair]]
#: What a relation is about: two mentions, or what they stand for, as values that are equal on the predicted and the
#: reference Doc.
Pair = Tuple[Hashable, Hashable]
#: What a relation between two mentions is about, see `CandidatePolicy.pairs`.
Pairs = Callable[[Span, Span], List[Pair]]
#: What a user writes: a template, several, or either per "SUBJECT|OBJECT" types.
TemplateTexts = Union[str, List[str]]
DescriptionTexts = Dict[str, Union[TemplateTexts, Dict[str, TemplateTexts]]]


class Candidate(NamedTuple):
    """An ordered pair of mentions whose relation is asked for."""

    subject: Span
    object: Span


class Relation(NamedTuple):
    """A triple, as read from and written to ``Doc._.rels``.

    score: probability of the predicate against the negative one, 0 to 1; gold relations have 1.
    """

    subject: Span
    predicate: str
    object: Span
    score: float = 1.0


class Mark(NamedTuple):
    """A mention inside a MarkedText: words[start:end] is the subject ("S") or the object ("O")."""

    role: str
    type: str
    start: int
    end: int


class MarkedText(NamedTuple):
    """A window of a text, and the mentions marked in it.

    words: of the whole text, each with the blank before it if there is one. marks: where the mentions are in them.
    core: words[core[0]:core[1]] must be kept longest when the window does not fit into the encoder; what lies outside
    is context. window: words[window[0]:window[1]], the core among them, are read. crossing: whether the mentions stand
    in different sentences.
    """

    words: Tuple[str, ...]
    marks: Tuple[Mark, ...]
    core: Tuple[int, int]
    window: Tuple[int, int]
    crossing: bool = False


class Description(NamedTuple):
    """A template and the mentions that go into it, as words: all that a description's representation depends on."""

    template: Tuple[str, ...]
    subject: Tuple[str, ...]
    subject_type: str
    object: Tuple[str, ...]
    object_type: str


class Instance(NamedTuple):
    """What the model reads of one candidate.

    descriptions: for each of the L predicates its adapted templates; an empty tuple masks the predicate out.
    """

    text: MarkedText
    descriptions: Tuple[Tuple[Description, ...], ...]


class Cascade(NamedTuple):
    """Which descriptions need not be read, by what the classifier, which needs the text alone, makes of a candidate.

    predicates: how many of its likeliest predicates are compared with the negative one. negative: where it gives the
    negative predicate at least this probability, nothing is read.
    """

    predicates: int
    negative: float


class Query(NamedTuple):
    """What the model is asked for: the scores of P candidates.

    similarity: False: the classifier's alone, and no description is read. cascade: None: every description is read.
    In training, sampled: how many predicates a candidate is compared with beside those of gold and the negative one;
    None: with all. gold: (P, L), above 0 where a predicate is to be learned.
    """

    instances: Sequence[Instance]
    similarity: bool = True
    cascade: Optional[Cascade] = None
    sampled: Optional[int] = None
    gold: Optional[Any] = None


@dataclass
class Sequences:
    """N distinct sequences of piece ids, end to end, with the M pairs of mentions marked in them.

    ids: (sum of lengths,). lengths: (N,). rows: (M,), the sequence that each pair is in. marks: (M, 2), positions of
    the start markers of its subject and its object. Markers that are not among the ids but beside the text
    ("levitated") are given apart: marker_ids: (M, 4) and marker_positions: (M, 4), the position in the text that each
    shares, for start and end of the subject and start and end of the object; and marker_windows: (M, 2), from where to
    where in its sequence they see.
    """

    ids: numpy.ndarray
    lengths: numpy.ndarray
    rows: numpy.ndarray
    marks: numpy.ndarray
    marker_ids: Optional[numpy.ndarray] = None
    marker_positions: Optional[numpy.ndarray] = None
    marker_windows: Optional[numpy.ndarray] = None


@dataclass
class PaddedBatch:
    """B sequences that go through an encoder together, T pieces each with padding, and the M pairs marked in them.

    ids: (B, T). mask: (B, T), True where there is a piece, or (B, T, T), True where the first sees the second.
    positions: (B, T), or None where they are 0 to T. rows: (M,) and marks: (M, 2), as in Sequences.
    """

    ids: Any
    mask: Any
    positions: Any
    rows: Any
    marks: Any


@dataclass
class PairBatch:
    """P candidates and L predicates with at most K templates each, as batches in which every distinct sequence is once.

    text_index: (P,) which pair of the text batches each candidate is. description_index: (P, L, K) which pair of the
    description batches, -1 where there is no template. descriptions: None where the similarity is not asked for.
    """

    texts: List[PaddedBatch]
    text_index: Any
    descriptions: Optional[List[PaddedBatch]]
    description_index: Any


class Shortened(NamedTuple):
    """Of how many distinct sequences, how many lost more than context to the encoder's limit, and how many a part of a
    mention.
    """

    total: int = 0
    words: int = 0
    mentions: int = 0


@dataclass
class RelScores:
    """Scores of P candidates, or, as d_scores, their gradients.

    similarity: (P, L), scaled cosine of input and description. logits: (P, C), the classifier's, for the C <= L
    predicates known when it was made. mask: (P, L), False where a predicate has no description for the candidate's
    types or, in prediction, none was read. read: (P, L), in training, False where no description was read; None: as
    mask.
    """

    similarity: Floats2d
    logits: Floats2d
    mask: Any
    shortened: Shortened = Shortened()
    read: Any = None
