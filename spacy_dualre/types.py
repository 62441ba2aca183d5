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
    """A window of a text with two marked mentions.

    Attributes:
        words: All words of the text, each with the blank before it, if there is one.
        marks: The mentions.
        core: words[core[0]:core[1]] are kept longest when the window does not fit into the encoder.
        window: words[window[0]:window[1]] are read: the core and its context.
        crossing: Whether the mentions are in different sentences.
    """

    words: Tuple[str, ...]
    marks: Tuple[Mark, ...]
    core: Tuple[int, int]
    window: Tuple[int, int]
    crossing: bool = False


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

    Attributes:
        predicates: Read the descriptions of this many of the likeliest predicates, and the negative one's.
        negative: Read none where the negative predicate has at least this probability, 0 to 1.
    """

    predicates: int
    negative: float


class Query(NamedTuple):
    """A request for the scores of P candidates.

    Attributes:
        instances: The candidates as the model reads them.
        similarity: False asks for the classifier's scores alone, which need no descriptions.
        cascade: Skips descriptions in prediction; None reads all.
        sampled: In training, compare each candidate with its gold predicates, the negative one and this many others;
            None compares with all.
        gold: In training, (P, L), above 0 for gold predicates.
    """

    instances: Sequence[Instance]
    similarity: bool = True
    cascade: Optional[Cascade] = None
    sampled: Optional[int] = None
    gold: Optional[numpy.ndarray] = None


@dataclass
class Sequences:
    """N distinct sequences of piece ids, end to end, with the M pairs of mentions marked in them.

    Attributes:
        ids: (sum of lengths,).
        lengths: (N,).
        rows: (M,) the sequence of each pair.
        marks: (M, 2) positions of the start markers of subject and object.
        marker_ids: (M, 4) of markers beside the text ("levitated"): start and end of the subject, start and end of the
            object. None where the markers are among the ids.
        marker_positions: (M, 4) the position in the text that each of them shares.
        marker_windows: (M, 2) the part of the sequence that they see, end exclusive.
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
    """B sequences of T pieces with padding that go through an encoder together, and the M pairs marked in them.

    The arrays are numpy's, or tensors once they are on a device.

    Attributes:
        ids: (B, T).
        mask: (B, T), True for pieces; or (B, T, T), True where the first sees the second.
        positions: (B, T); None where they are 0 to T - 1.
        rows: (M,) the sequence of each pair.
        marks: (M, 2) positions of the start markers of subject and object.
    """

    ids: Any
    mask: Any
    positions: Any
    rows: Any
    marks: Any


@dataclass
class PairBatch:
    """P candidates and L predicates with at most K templates each; every distinct sequence is encoded once.

    Attributes:
        texts: Batches of texts.
        text_index: (P,) the pair of the text batches for each candidate.
        descriptions: Batches of descriptions; None where no similarity is asked for.
        description_index: (P, L, K) the pair of the description batches, -1 where there is no template.
    """

    texts: List[PaddedBatch]
    text_index: numpy.ndarray
    descriptions: Optional[List[PaddedBatch]]
    description_index: numpy.ndarray


class Shortened(NamedTuple):
    """How many distinct sequences were too long for the encoder.

    Attributes:
        total: All sequences.
        words: Those that lost more than context.
        mentions: Those that lost a part of a mention.
        limit: The most pieces that the encoder reads.
    """

    total: int = 0
    words: int = 0
    mentions: int = 0
    limit: int = 0


class RelScores(NamedTuple):
    """Scores of P candidates.

    Attributes:
        similarity: (P, L) scaled cosine of text and description.
        logits: (P, C) of the classifier, for the C <= L predicates known when it was made.
        possible: (P, L) booleans: the predicate has a description for the candidate's types.
        read: (P, L) booleans: its description was read, so the similarity is meaningful.
        shortened: What was cut.
    """

    similarity: Floats2d
    logits: Floats2d
    possible: Any
    read: Any
    shortened: Shortened = Shortened()


class Gradients(NamedTuple):
    """Gradients of `RelScores`: similarity (P, L) and logits (P, C)."""

    similarity: Floats2d
    logits: Floats2d
