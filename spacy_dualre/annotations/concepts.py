"""Concepts: what mentions refer to, and the relations of a whole document between them.

A concept is a type with a knowledge-base id or, for mentions without one, with their surface form: the long form if the
Doc explains the abbreviation. `Doc._.concept_rels` is derived from `Doc._.rels` at each read.
"""

from bisect import bisect_right
from itertools import product
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..errors import Errors
from ..types import Relation
from .relations import get_rels

#: Separates the ids of a mention with several concepts in ``span.kb_id_``.
SEPARATOR = ","
#: The ``span.kb_id_`` of a mention that was looked up without success: it has no concept.
NO_CONCEPT = "-"
#: Values of ``span.kb_id_`` that name no concept. spaCy's entity_linker writes "NIL" for "not found", BC5CDR "-1".
_NONE = ("", NO_CONCEPT, "NIL", "-1")
#: Where spaCy stores ``doc._.abbreviations``.
ABBREVIATIONS: Any = ("._.", "abbreviations", None, None)


def is_concept(id: str) -> bool:
    """Whether a knowledge-base id names a concept."""
    return id not in _NONE


def split_concepts(text: str) -> Tuple[str, ...]:
    """The distinct concepts in a list such as "3172,3651"; ("-",) if there is nothing but "-"."""
    ids = dict.fromkeys(id.strip() for id in text.split(SEPARATOR))
    found = tuple(id for id in ids if id not in ("", NO_CONCEPT))
    return found or ((NO_CONCEPT,) if NO_CONCEPT in ids else ())


class Concept(NamedTuple):
    """What mentions refer to: a type with a knowledge-base id, or with the (long) surface form in lower case."""

    type: str
    id: str


class ConceptRelation(NamedTuple):
    """A relation of the whole document; its evidence are relations between mentions, its score their highest."""

    subject: Concept
    predicate: str
    object: Concept
    score: float
    evidence: Tuple[Relation, ...]


def get_concepts(span: Span) -> List[Concept]:
    """Return what a mention refers to: one concept, several, or none."""
    return concepts_of(span.label_, get_long_forms(span.doc).get(span.text, span.text), span.kb_id_)


def concepts_of(type: str, text: str, kb_id: str) -> List[Concept]:
    """Do the same for a mention that is not a Span; `text` is its long form, if it has one."""
    if not kb_id:
        return [Concept(type, " ".join(text.lower().split()))]
    return [Concept(type, id) for id in split_concepts(kb_id) if is_concept(id)]


def get_long_forms(doc: Doc) -> Dict[str, str]:
    """Return {short form: long form} from ``doc._.abbreviations``, as scispaCy's abbreviation_detector writes them."""
    # Not doc._.abbreviations: it exists only where a detector was created, and reading it changes the Doc.
    # The values are spans or, with make_serializable, dicts.
    long_forms: Dict[str, str] = {}
    for short in doc.user_data.get(ABBREVIATIONS, ()):
        if isinstance(short, Span):
            long_forms.setdefault(short.text, str(short._.long_form))
        else:
            long_forms.setdefault(short["short_text"], short["long_text"])
    return long_forms


def set_long_forms(doc: Doc, long_forms: Mapping[str, str]) -> None:
    """Write {short form: long form} to ``doc._.abbreviations`` in its serialisable form."""
    if long_forms:
        doc.user_data[ABBREVIATIONS] = [{"short_text": short, "long_text": long} for short, long in long_forms.items()]


def with_concept(span: Span, concept: str) -> Span:
    """The same mention with one concept only."""
    return Span(span.doc, span.start, span.end, label=span.label, kb_id=concept, span_id=span.id)


def get_concept_rels(doc: Doc) -> Tuple[ConceptRelation, ...]:
    """Return the distinct triples of concepts behind ``Doc._.rels``, in text order of their first evidence.

    A mention with several concepts contributes to a triple for each.
    """
    evidence: Dict[Tuple[Concept, str, Concept], List[Relation]] = {}
    for rel in get_rels(doc):
        for subject, object in product(get_concepts(rel.subject), get_concepts(rel.object)):
            evidence.setdefault((subject, rel.predicate, object), []).append(rel)
    return tuple(
        ConceptRelation(*triple, score=max(rel.score for rel in rels), evidence=tuple(rels))
        for triple, rels in evidence.items()
    )


def refuse_concept_rels(doc: Doc, value: object) -> None:
    """Raise ValueError: without a setter spaCy would store a value that nobody reads."""
    raise ValueError(Errors.DR022)


def closest_pairs(
    first: Sequence[Span],
    second: Sequence[Span],
    k: int,
    sentence_of: Sequence[int] = (),
    max_tokens: Optional[int] = None,
) -> List[Tuple[Span, Span]]:
    """Find the k closest mention pairs: fewest sentences apart, then fewest tokens between, then first in the text.

    Args:
        sentence_of: The sentence number of each token; empty for a single sentence.
        max_tokens: The most tokens between the two; None for any number.

    Returns:
        Pairs (of `first`, of `second`). Two mentions of the same tokens are not a pair, and a pair that both sides have
        in either order comes once.
    """
    sides = [{(span.start, span.end): span for span in side} for side in (first, second)]
    pairs: Dict[Tuple, Tuple[Span, Span]] = {}
    for left_side, right_side in ((0, 1), (1, 0)):
        places = sorted(sides[right_side])
        for left in sides[left_side]:
            # The farther right, the farther away: none beyond the next k can be among the closest
            after = bisect_right(places, left)
            for right in places[after : after + k]:
                between = max(right[0] - left[1], 0)
                if max_tokens is None or between <= max_tokens:
                    apart = max(sentence_of[right[0]] - sentence_of[left[1] - 1], 0) if sentence_of else 0
                    one, other = (left, right) if left_side == 0 else (right, left)
                    pairs.setdefault((apart, between, left, right), (sides[0][one], sides[1][other]))
    return [pairs[key] for key in sorted(pairs)[:k]]
