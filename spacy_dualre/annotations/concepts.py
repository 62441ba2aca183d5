"""Concepts: what mentions refer to, and the relations of a whole document between them.

A concept is a type with a knowledge-base id, or with the surface form of mentions that have none; that of an
abbreviation which the Doc explains is its long form. `Doc._.concept_rels` is derived from `Doc._.rels` whenever it is
read.
"""

from bisect import bisect_right
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..errors import Errors
from ..types import Relation
from .relations import get_rels

#: Between the ids of a mention that stands for several concepts, in ``span.kb_id_``.
SEPARATOR = ","
#: The ``span.kb_id_`` of a mention that was looked up and not found: no concept, and in no relation between concepts.
NO_CONCEPT = "-"
#: What does not name a concept in ``span.kb_id_``. "NIL" is what spaCy's entity_linker writes for "not found".
_NONE = ("", NO_CONCEPT, "NIL")
#: Where spaCy stores ``doc._.abbreviations``.
ABBREVIATIONS: Any = ("._.", "abbreviations", None, None)


def is_concept(id: str) -> bool:
    """Whether a knowledge-base id names a concept."""
    return id not in _NONE


class Concept(NamedTuple):
    """id: knowledge-base id, or the surface form, if possible the long one, in lower case with single blanks."""

    type: str
    id: str


class ConceptRelation(NamedTuple):
    """A relation of the whole document.

    score: the highest of its evidence, 0 to 1. evidence: the relations between mentions that it was derived from.
    """

    subject: Concept
    predicate: str
    object: Concept
    score: float
    evidence: Tuple[Relation, ...]


def get_concepts(span: Span) -> List[Concept]:
    """What a mention refers to: one concept, several, or none."""
    return concepts_of(span.label_, get_long_form(span) or span.text, span.kb_id_)


def concepts_of(type: str, text: str, kb_id: str) -> List[Concept]:
    """The same of a mention that is no Span; text: its long form, if it has one."""
    if not kb_id:
        return [Concept(type, " ".join(text.lower().split()))]
    ids = dict.fromkeys(id.strip() for id in kb_id.split(SEPARATOR))
    return [Concept(type, id) for id in ids if is_concept(id)]


def get_long_form(span: Span) -> Optional[str]:
    """What the mention's text is short for, if its Doc says so."""
    return get_long_forms(span.doc).get(span.text)


def get_long_forms(doc: Doc) -> Dict[str, str]:
    """The long form of each abbreviation of ``doc._.abbreviations``, as scispaCy's abbreviation_detector writes it: as
    spans or, with make_serializable, as dicts.
    """
    # Not doc._.abbreviations, which only exists where the detector was made, and which changes the Doc when it is read
    long_forms: Dict[str, str] = {}
    for short in doc.user_data.get(ABBREVIATIONS, ()):
        if isinstance(short, Span):
            long_forms.setdefault(short.text, str(short._.long_form))
        else:
            long_forms.setdefault(short["short_text"], short["long_text"])
    return long_forms


def set_long_forms(doc: Doc, long_forms: Mapping[str, str]) -> None:
    """Say what texts are short for, in the form of ``doc._.abbreviations`` that can be stored."""
    if long_forms:
        doc.user_data[ABBREVIATIONS] = [{"short_text": short, "long_text": long} for short, long in long_forms.items()]


def with_concept(span: Span, concept: str) -> Span:
    """The same mention, standing for one concept only."""
    return Span(span.doc, span.start, span.end, label=span.label, kb_id=concept, span_id=span.id)


def get_concept_rels(doc: Doc) -> List[ConceptRelation]:
    """The distinct (subject concept, predicate, object concept) triples behind ``Doc._.rels``, in text order of their
    first evidence. A mention of several concepts gives a triple for each.
    """
    evidence: Dict[Tuple[Concept, str, Concept], List[Relation]] = {}
    for rel in get_rels(doc):
        for subject in get_concepts(rel.subject):
            for object in get_concepts(rel.object):
                evidence.setdefault((subject, rel.predicate, object), []).append(rel)
    return [
        ConceptRelation(*triple, score=max(rel.score for rel in rels), evidence=tuple(rels))
        for triple, rels in evidence.items()
    ]


def refuse_concept_rels(doc: Doc, value: object) -> None:
    """The setter of ``Doc._.concept_rels``, without which spaCy would store a value that nobody reads."""
    raise ValueError(Errors.DR022)


def closest_pairs(
    first: Sequence[Span],
    second: Sequence[Span],
    k: int,
    sentence_of: Sequence[int] = (),
    max_tokens: Optional[int] = None,
) -> List[Tuple[Span, Span]]:
    """The k closest pairs of a mention of each side: fewest sentences apart, then fewest tokens between, then first in
    the text.

    sentence_of: for each token the number of its sentence; without it all are in one. max_tokens: the most tokens that
    may stand between the two; None: any number. Two mentions with the same tokens are no pair, and a pair that the
    sides have in either order comes once.
    """
    sides = [{(span.start, span.end): span for span in side} for side in (first, second)]
    pairs: Dict[Tuple, Tuple[Span, Span]] = {}
    for left_side, right_side in ((0, 1), (1, 0)):
        places = sorted(sides[right_side])
        for left in sides[left_side]:
            # The farther right the farther away, so that none beyond the next k can be among the closest
            after = bisect_right(places, left)
            for right in places[after : after + k]:
                between = max(right[0] - left[1], 0)
                if max_tokens is None or between <= max_tokens:
                    apart = max(sentence_of[right[0]] - sentence_of[left[1] - 1], 0) if sentence_of else 0
                    one, other = (left, right) if left_side == 0 else (right, left)
                    pairs.setdefault((apart, between, left, right), (sides[0][one], sides[1][other]))
    return [pairs[key] for key in sorted(pairs)[:k]]


def tokens_between(one: Span, other: Span) -> int:
    """How many tokens stand between two mentions; 0 where they touch or overlap."""
    return max(one.start - other.end, other.start - one.end, 0)
