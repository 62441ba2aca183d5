"""The mentions of a Doc, its sentences, its corpus and its gold relations."""

from typing import List, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.training import Example

from ..types import NEGATIVE, Relation
from .relations import get_rels

#: The span group that holds all mentions; ``doc.ents`` cannot hold nested ones.
SPANS_KEY = "entities"


def get_mentions(doc: Doc, spans_key: Optional[str]) -> List[Span]:
    """The distinct mentions of a Doc in text order: the span group spans_key, or ``doc.ents`` where there is no such
    group, so that what was trained on span groups also reads what an NER finds.
    """
    spans = doc.spans[spans_key] if spans_key in doc.spans else doc.ents
    distinct = {mention_key(span): span for span in spans if span.start < span.end}
    return [distinct[key] for key in sorted(distinct)]


def mention_key(span: Span) -> Tuple[int, int, str]:
    """What makes a mention: token offsets and type. Sorts in text order."""
    return (span.start, span.end, span.label_)


def sentence_indices(doc: Doc) -> List[int]:
    """For each token the number of its sentence; all 0 where the Doc has no sentence boundaries."""
    if not doc.has_annotation("SENT_START"):
        return [0] * len(doc)
    indices, current = [], -1
    for token in doc:
        current += bool(token.is_sent_start) or current < 0
        indices.append(current)
    return indices


def get_corpus(doc: Doc) -> Optional[str]:
    """The corpus that a Doc says it is from, as converted ones do; what is no text is a note of the user's own."""
    corpus = doc.user_data.get("corpus")
    return corpus if isinstance(corpus, str) else None


def gold_relations(example: Example) -> List[Relation]:
    """The reference's relations, without those that say that there is none."""
    return [rel for rel in get_rels(example.reference) if rel.predicate != NEGATIVE]


def doc_name(example: Example) -> str:
    """The document's id if it has one, else the beginning of its text."""
    return str(example.reference.user_data.get("doc_id") or repr(example.reference.text[:40]))
