"""The mentions of a Doc, its sentences, its corpus and its gold relations."""

from typing import FrozenSet, List, Mapping, Optional, Tuple

from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from ..types import NEGATIVE, Relation
from .relations import get_rels, labels_of, restore

#: The span group that holds all mentions; ``doc.ents`` cannot hold nested ones.
SPANS_KEY = "entities"
#: Where ``doc.user_data`` has the predicates that a Doc may be asked about.
ASKED = "asked_predicates"


def get_mentions(doc: Doc, spans_key: Optional[str], type_map: Mapping[str, str] = {}) -> List[Span]:
    """Return the distinct mentions of a Doc in text order, with their types mapped.

    They are those of a span group. Without such a group, or without a key, ``doc.ents`` are read, so that a component
    trained on span groups also works behind an NER.
    """
    spans = (with_type(span, type_map) for span in annotated_spans(doc, spans_key) if span.start < span.end)
    distinct = {mention_key(span): span for span in spans}
    return [distinct[key] for key in sorted(distinct)]


def annotated_spans(doc: Doc, spans_key: Optional[str]) -> List[Span]:
    """Return the spans of a span group or, without one, ``doc.ents``.

    A span group keeps its token numbers when tokens are merged or split after it was written (explosion/spaCy#12024).
    Its characters stay right: such spans are widened to whole tokens.
    """
    if spans_key not in doc.spans:
        return list(doc.ents)
    try:
        spans = list(doc.spans[spans_key])
    except IndexError:
        # spaCy refuses numbers of tokens that are gone: read the group on a Doc with a token for each character
        longest = Doc(doc.vocab, words=list(doc.text), spaces=[False] * len(doc.text))
        spans = list(SpanGroup(longest).from_bytes(doc.spans[spans_key].to_bytes()))
    return [_aligned(doc, span) for span in spans]


def with_type(span: Span, type_map: Mapping[str, str]) -> Span:
    """The same mention with the type that its own is mapped to, if it is; the Doc keeps its own."""
    if span.label_ not in type_map:
        return span
    return Span(span.doc, span.start, span.end, label=type_map[span.label_], kb_id=span.kb_id, span_id=span.id)


def mention_key(span: Span) -> Tuple[int, int, str]:
    """What identifies a mention: token offsets and type. Sorts in text order."""
    return (span.start, span.end, span.label_)


def sentence_indices(doc: Doc) -> List[int]:
    """Number the sentences and return each token's number; all 0 without sentence boundaries."""
    if not doc.has_annotation("SENT_START"):
        return [0] * len(doc)
    indices, current = [], -1
    for token in doc:
        current += bool(token.is_sent_start) or current < 0
        indices.append(current)
    return indices


def get_corpus(doc: Doc) -> Optional[str]:
    """The corpus that a Doc names in its user data, as converted ones do; anything but a text is ignored."""
    corpus = doc.user_data.get("corpus")
    return corpus if isinstance(corpus, str) else None


def get_asked(doc: Doc) -> Optional[FrozenSet[str]]:
    """The predicates that a Doc names in its user data, as those that alone it may be asked about."""
    asked = doc.user_data.get(ASKED)
    return None if asked is None else frozenset(asked)


def gold_relations(example: Example, type_map: Mapping[str, str] = {}) -> List[Relation]:
    """The reference's relations, without explicit negatives, between mentions with their types mapped."""
    return [
        rel._replace(subject=with_type(rel.subject, type_map), object=with_type(rel.object, type_map))
        for rel in get_rels(example.reference)
        if rel.predicate != NEGATIVE
    ]


def doc_name(doc: Doc) -> str:
    """The document's id or, without one, the beginning of its text."""
    return str(doc.user_data.get("doc_id") or repr(doc.text[:40]))


def _aligned(doc: Doc, span: Span) -> Span:
    if span.start == span.end:
        return span
    first, last = span.doc[span.start], span.doc[span.end - 1]
    if span.doc is doc and (first.idx, last.idx + len(last)) == (span.start_char, span.end_char):
        return span
    return restore(doc, span.start_char, span.end_char, labels_of(span))  # type: ignore[return-value]
