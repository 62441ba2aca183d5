"""The mentions of a Doc, its sentences, its corpus and its gold relations."""

from typing import List, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.training import Example

from ..types import NEGATIVE, Relation
from .relations import get_rels

#: The span group that holds all mentions; ``doc.ents`` cannot hold nested ones.
SPANS_KEY = "entities"


def get_mentions(doc: Doc, spans_key: Optional[str]) -> List[Span]:
    """Return the distinct mentions of a Doc in text order.

    They are those of a span group. Without such a group, or without a key, ``doc.ents`` are read, so that a component
    trained on span groups also works behind an NER.
    """
    spans = doc.spans[spans_key] if spans_key in doc.spans else doc.ents
    distinct = {mention_key(span): span for span in spans if span.start < span.end}
    return [distinct[key] for key in sorted(distinct)]


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


def gold_relations(example: Example) -> List[Relation]:
    """The reference's relations, without explicit negatives."""
    return [rel for rel in get_rels(example.reference) if rel.predicate != NEGATIVE]


def doc_name(doc: Doc) -> str:
    """The document's id or, without one, the beginning of its text."""
    return str(doc.user_data.get("doc_id") or repr(doc.text[:40]))
