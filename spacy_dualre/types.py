"""The vocabulary of the way from Docs to relations. No logic."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Hashable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy
from spacy.tokens import Span
from thinc.types import Floats2d

#: The negative predicate. It is the first of the L predicates and is never written to a Doc.
NEGATIVE = "no_relation"
#: (subject type, object type)
TypePair = Tuple[str, str]
#: The pairs of types that may be candidates; None allows all.
TypePairs = Optional[FrozenSet[TypePair]]
#: What a relation is about: two mentions or two concepts, as values that are equal on the predicted and the reference
#: Doc.
Pair = Tuple[Hashable, Hashable]
#: The pairs that a relation between two mentions is about, see `CandidatePolicy.pairs`.
Pairs = Callable[[Span, Span], List[Pair]]
#: What a user writes: one template, several, or either of them per "SUBJECT|OBJECT" types.
TemplateTexts = Union[str, List[str]]
DescriptionTexts = Dict[str, Union[TemplateTexts, Dict[str, TemplateTexts]]]


class Candidate(NamedTuple):
    """An ordered pair of mentions that may be related.

    `about` is the pair of mentions or concepts that it is about: a mention with several concepts takes part in a
    candidate for each.
    """

    subject: Span
    object: Span
    about: Pair


class Relation(NamedTuple):
    """A triple, as read from and written to ``Doc._.rels``.

    `score` is the probability of the predicate against the negative one, 0 to 1; it is 1 for gold relations.
    """

    subject: Span
    predicate: str
    object: Span
    score: float = 1.0


class Mark(NamedTuple):
    """A mention in a MarkedText: words[start:end] is the subject (role "S") or the object (role "O")."""

    role: str
    type: str
    start: int
    end: int


class MarkedText(NamedTuple):
    """A window of a text with two marked mentions."""

    words: Tuple[str, ...]  # of the whole text, each with the blank before it, if there is one
    marks: Tuple[Mark, ...]
    core: Tuple[int, int]  # words[core[0]:core[1]] are kept longest when the window does not fit into the encoder
    window: Tuple[int, int]  # words[window[0]:window[1]] are read: the core and its context
    crossing: bool = False  # whether the mentions are in different sentences


class Description(NamedTuple):
    """A template and the mentions that fill it, as words. Its representation depends on nothing else."""

    template: Tuple[str, ...]
    subject: Tuple[str, ...]
    subject_type: str
    object: Tuple[str, ...]
    object_type: str


class Instance(NamedTuple):
    """What the model reads of one candidate: its marked text, and the adapted templates of each of the L predicates.

    A predicate without templates is impossible.
    """

    text: MarkedText
    descriptions: Tuple[Tuple[Description, ...], ...]


class Cascade(NamedTuple):
    """Which descriptions need not be read, judged by the classifier, which needs the text alone.

    Those of the likeliest `predicates` and the negative one's are read, and none where the negative predicate has at
    least the probability `negative`.
    """

    predicates: int
    negative: float


class Query(NamedTuple):
    """A request for the scores of P candidates."""

    instances: Sequence[Instance]
    similarity: bool = True  # False asks for the classifier's scores alone, which need no descriptions
    cascade: Optional[Cascade] = None  # skips descriptions in prediction
    #: In training, compare each candidate with its gold predicates, the negative one and this many others; None: all.
    sampled: Optional[int] = None
    gold: Optional[numpy.ndarray] = None  # in training, (P, L), above 0 for gold predicates


@dataclass
class Sequences:
    """N distinct sequences of piece ids, end to end, with the M pairs of mentions marked in them.

    Markers beside the text ("levitated") are not among the ids: start and end of the subject, start and end of the
    object.
    """

    ids: numpy.ndarray  # (sum of lengths,)
    lengths: numpy.ndarray  # (N,)
    rows: numpy.ndarray  # (M,) the sequence of each pair
    marks: numpy.ndarray  # (M, 2) positions of the start markers of subject and object
    marker_ids: Optional[numpy.ndarray] = None  # (M, 4) of markers beside the text
    marker_positions: Optional[numpy.ndarray] = None  # (M, 4) the position in the text that each of them shares
    marker_windows: Optional[numpy.ndarray] = None  # (M, 2) the part of the sequence that they see, end exclusive
    types: Optional[numpy.ndarray] = None  # (types, K) the pieces that markers are made of, see `Pieces.markers`


@dataclass
class PaddedBatch:
    """B sequences of T pieces with padding that go through an encoder together, and the M pairs marked in them.

    The arrays are numpy's, or tensors once they are on a device.
    """

    ids: Any  # (B, T)
    mask: Any  # (B, T), True for pieces; or (B, T, T), True where the first sees the second
    positions: Any  # (B, T); None where they are 0 to T - 1
    rows: Any  # (M,) the sequence of each pair
    marks: Any  # (M, 2) positions of the start markers of subject and object
    types: Any = None  # (types, K) the pieces that markers are made of; None where each has a vector of its own


@dataclass
class PairBatch:
    """P candidates and L predicates with at most K templates each; every distinct sequence is encoded once.

    The arrays are numpy's or tensors, as those of `PaddedBatch`.
    """

    texts: List[PaddedBatch]
    text_index: Any  # (P,) the pair of the text batches for each candidate
    descriptions: Any  # batches, or a tensor with the states of those read already; None where there are none to read
    description_index: Any  # (P, L, K) the pair of the description batches, -1 where there is no template


class Shortened(NamedTuple):
    """How many distinct sequences were too long for the encoder, which reads at most `limit` pieces."""

    total: int = 0  # all sequences
    words: int = 0  # those that lost more than context
    mentions: int = 0  # those that lost a part of a mention
    limit: int = 0


class RelScores(NamedTuple):
    """Scores of P candidates."""

    similarity: Floats2d  # (P, L) scaled cosine of text and description
    logits: Floats2d  # (P, C) of the classifier, for the C <= L predicates known when it was made
    possible: Any  # (P, L) booleans: the predicate has a description for the candidate's types
    read: Any  # (P, L) booleans: its description was read, so the similarity is meaningful
    shortened: Shortened = Shortened()


class Gradients(NamedTuple):
    """Gradients of `RelScores`: similarity (P, L) and logits (P, C)."""

    similarity: Floats2d
    logits: Floats2d
