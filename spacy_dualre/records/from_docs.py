"""Docs -> records."""

from collections import Counter
from typing import Optional, Set

from spacy.tokens import Doc, Span

from ..annotations.concepts import get_long_forms, split_concepts
from ..annotations.mentions import SPANS_KEY, annotated_spans
from ..annotations.relations import get_rels
from .arguments import Arguments
from .record import MentionRecord, Place, Record, RelationRecord


def doc_to_record(doc: Doc, id: str, place: Place, spans_key: Optional[str] = SPANS_KEY) -> Record:
    """Convert a Doc with its tokens, sentences (if set), mentions, long forms and relations.

    Mentions are the distinct spans of ``doc.spans[spans_key]`` or, without that group, of ``doc.ents``. An id shared by
    several spans, as an entity ruler sets it, is replaced. An argument that is not among the mentions, or refers to
    only one of its mention's concepts, becomes a mention of its own. Scores are rounded to four digits.
    """
    record = Record(id, doc.text, place, tokens=tuple((token.idx, token.idx + len(token)) for token in doc))
    if len(doc) and doc.has_annotation("SENT_START"):
        record.sentences = tuple(sentence.start_char for sentence in doc.sents)
    record.breaks = tuple(doc.user_data.get("breaks", ()))
    spans = list(dict.fromkeys(annotated_spans(doc, spans_key)))
    rels = get_rels(doc)
    everything = [*spans, *(span for rel in rels for span in (rel.subject, rel.object))]
    owners = Counter(id for id, *_ in {(span.id_, span.start_char, span.end_char, span.label_) for span in everything})
    own_ids = {id for id, n in owners.items() if id and n == 1}
    arguments = Arguments(record, own_ids)
    for span in spans:
        arguments.add(_mention(span, own_ids - arguments.ids))
    for rel in rels:
        subject, object = (arguments.id_of(_mention(span, own_ids)) for span in (rel.subject, rel.object))
        record.add_relation(RelationRecord(rel.predicate, subject, object, round(rel.score, 4)))
    long_forms = get_long_forms(doc)
    texts = dict.fromkeys(record.covered(mention) for mention in record.mentions if mention.listed)
    record.long_forms = {text: long_forms[text] for text in texts if text in long_forms}
    return record


def _mention(span: Span, own_ids: Set[str]) -> MentionRecord:
    id = span.id_ if span.id_ in own_ids else ""
    return MentionRecord(id, span.label_, span.start_char, span.end_char, split_concepts(span.kb_id_))
