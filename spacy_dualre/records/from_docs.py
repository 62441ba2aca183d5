"""Docs -> records."""

from typing import Dict, Iterable, List, Optional, Set, Tuple

from spacy.tokens import Doc, Span

from ..annotations.concepts import get_long_forms
from ..annotations.mentions import SPANS_KEY
from ..annotations.relations import get_rels
from .record import MentionRecord, Place, Record, RelationRecord, free_id, split_concepts

#: start, end, type
_Key = Tuple[int, int, str]


def doc_to_record(doc: Doc, id: str, place: Place, spans_key: Optional[str] = SPANS_KEY) -> Record:
    """A Doc with its tokens, sentences (where it has any), mentions, long forms and relations.

    Mentions are the distinct spans of ``doc.spans[spans_key]``, or of ``doc.ents`` where there is no such group. An id
    that several of them share, as those of an entity ruler, does not tell which is meant and is replaced. An argument
    of a relation that refers to only one of its mention's concepts, or is not among the mentions, becomes one more
    mention. Scores are rounded to four digits.
    """
    record = Record(id, doc.text, place, tokens=tuple((token.idx, token.idx + len(token)) for token in doc))
    if len(doc) and doc.has_annotation("SENT_START"):
        record.sentences = tuple(sentence.start_char for sentence in doc.sents)
    record.breaks = tuple(doc.user_data.get("breaks", ()))
    spans = list(dict.fromkeys(doc.spans[spans_key] if spans_key in doc.spans else doc.ents))
    rels = get_rels(doc)
    mentions = _Mentions(record, [*spans, *(span for rel in rels for span in (rel.subject, rel.object))])
    for span in spans:
        mentions.add(span)
    for rel in rels:
        subject, object = mentions.id_of(rel.subject), mentions.id_of(rel.object)
        record.add_relation(RelationRecord(rel.predicate, subject, object, round(rel.score, 4)))
    long_forms = get_long_forms(doc)
    texts = dict.fromkeys(record.covered(mention) for mention in record.mentions if mention.listed)
    record.long_forms = {text: long_forms[text] for text in texts if text in long_forms}
    return record


class _Mentions:
    """The mentions of a record, by the spans that they come from."""

    def __init__(self, record: Record, spans: Iterable[Span]) -> None:
        self.record = record
        owners: Dict[str, Set[_Key]] = {}
        for span in spans:
            owners.setdefault(span.id_, set()).add(_key(span))
        self.own_ids = {id for id, keys in owners.items() if id and len(keys) == 1}
        self.taken = set(owners)
        self.at: Dict[_Key, List[MentionRecord]] = {}

    def add(self, span: Span, listed: bool = True) -> str:
        """Add a mention, or drop one that cannot be used, and return its id."""
        key = _key(span)
        same = {mention.id for mention in self.at.get(key, ())}
        id = span.id_ if span.id_ in self.own_ids - same else free_id(*key, self.taken)
        self.taken.add(id)
        concepts = split_concepts(span.kb_id_)
        mention = MentionRecord(id, span.label_, span.start_char, span.end_char, concepts, listed=listed)
        self.at.setdefault(key, []).append(mention)
        self.record.add_mention(mention)
        return id

    def id_of(self, argument: Span) -> str:
        """The id of the mention that an argument stands for, which is added if there is none."""
        concepts = split_concepts(argument.kb_id_)
        same = [mention.id for mention in self.at.get(_key(argument), ()) if concepts in ((), mention.concepts)]
        if argument.id_ in same:
            return argument.id_
        return same[0] if same else self.add(argument, listed=False)


def _key(span: Span) -> _Key:
    return (span.start_char, span.end_char, span.label_)
