"""Records -> Docs, with an account of what became of everything in them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Set, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..candidates import sentence_indices
from ..errors import CorpusError, Errors
from ..extension import set_rels
from ..types import Relation
from .record import MentionRecord, Record

#: The span group that holds all mentions; ``doc.ents`` cannot hold nested ones.
SPANS_KEY = "entities"


@dataclass
class ConversionReport:
    """What was converted; nothing is dropped without being counted."""

    documents: int = 0
    mentions: int = 0
    mentions_that_split_a_token: int = 0
    mentions_merged: int = 0
    mentions_not_in_ents: int = 0
    sentence_breaks_removed_inside_a_mention: int = 0
    relations: int = 0
    relations_across_sentences: int = 0
    duplicate_relations: int = 0
    pairs_with_several_predicates: int = 0
    predicates: Counter = field(default_factory=Counter)
    type_pairs: Counter = field(default_factory=Counter)

    def to_json(self) -> Dict[str, Any]:
        """All counts as JSON values."""
        return {key: dict(value) if isinstance(value, Counter) else value for key, value in vars(self).items()}


def records_to_docs(records: Iterable[Record], nlp: Language, report: ConversionReport) -> Iterator[Doc]:
    """One Doc for each record, counted in the report.

    nlp: its tokenizer and components (a sentence splitter) are applied. A token that a mention cuts is split at the
    cut. No sentence starts inside a mention, and one starts at each of the record's breaks. All mentions are in
    ``doc.spans["entities"]``, with their ids as span_id and concept as kb_id; the longest ones that do not overlap in
    ``doc.ents``; the relations in ``doc._.rels``; doc id, corpus and split in ``doc.user_data``. Raises CorpusError for
    a mention that begins or ends with a blank.
    """
    for record in records:
        doc = _tokenize(record, nlp, report)
        report.documents += 1
        mentions = _add_mentions(doc, record, report)
        _add_relations(doc, record, mentions, report)
        doc.user_data.update({"doc_id": record.id, **record.meta})
        yield doc


def _tokenize(record: Record, nlp: Language, report: ConversionReport) -> Doc:
    """The Doc with token boundaries added where a mention starts or ends inside a token, and with sentences."""
    tokens = nlp.make_doc(record.text)
    edges = {token.idx for token in tokens} | {token.idx + len(token) for token in tokens}
    cuts = {offset for mention in record.mentions for offset in (mention.start, mention.end)} - edges
    report.mentions_that_split_a_token += sum(
        mention.start in cuts or mention.end in cuts for mention in record.mentions
    )
    words: List[str] = []
    spaces: List[bool] = []
    for token in tokens:
        inner = sorted(cut - token.idx for cut in cuts if token.idx < cut < token.idx + len(token))
        for start, end in zip([0, *inner], [*inner, len(token)]):
            words.append(token.text[start:end])
            spaces.append(end == len(token) and bool(token.whitespace_))
    split = Doc(nlp.vocab, words=words, spaces=spaces)
    starts = _sentence_starts(split.copy(), record, nlp, report)
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts)


def _sentence_starts(doc: Doc, record: Record, nlp: Language, report: ConversionReport) -> List[Union[bool, int, None]]:
    for _, component in nlp.pipeline:
        doc = component(doc)
    starts: List[Union[bool, int, None]] = []
    for token in doc:
        is_start = bool(token.is_sent_start)
        if is_start and any(mention.start < token.idx < mention.end for mention in record.mentions):
            is_start = False
            report.sentence_breaks_removed_inside_a_mention += 1
        starts.append(is_start or token.idx in record.breaks)
    return starts


def _add_mentions(doc: Doc, record: Record, report: ConversionReport) -> Dict[str, Span]:
    by_id: Dict[str, Span] = {}
    distinct: Dict[Tuple[int, int, str], Span] = {}
    for mention in record.mentions:
        key = (mention.start, mention.end, mention.type)
        if key in distinct:
            report.mentions_merged += 1
        else:
            distinct[key] = _span(doc, mention, record.id)
        by_id[mention.id] = distinct[key]
    spans = [distinct[key] for key in sorted(distinct)]
    doc.spans[SPANS_KEY] = spans
    doc.ents = tuple(filter_spans(spans))
    report.mentions += len(record.mentions)
    report.mentions_not_in_ents += len(spans) - len(doc.ents)
    return by_id


def _span(doc: Doc, mention: MentionRecord, doc_id: str) -> Span:
    span = doc.char_span(mention.start, mention.end, label=mention.type, kb_id=mention.concept, span_id=mention.id)
    if span is None:
        problem = f"mention {mention.id} ({mention.start} to {mention.end}) begins or ends with a blank"
        raise CorpusError(Errors.DR100.format(where=f"document {doc_id}", problem=problem))
    return span


def _add_relations(doc: Doc, record: Record, mentions: Dict[str, Span], report: ConversionReport) -> None:
    sentence_of = sentence_indices(doc)
    rels: Dict[Tuple, Relation] = {}
    pairs: Dict[Tuple, Set[str]] = {}
    for rel in record.relations:
        subject, object = mentions[rel.subject], mentions[rel.object]
        pair = (subject.start, subject.end, subject.label_, object.start, object.end, object.label_)
        if (pair, rel.predicate) in rels:
            report.duplicate_relations += 1
            continue
        rels[pair, rel.predicate] = Relation(subject, rel.predicate, object)
        pairs.setdefault(pair, set()).add(rel.predicate)
        report.relations += 1
        report.relations_across_sentences += sentence_of[subject.start] != sentence_of[object.start]
        report.predicates[rel.predicate] += 1
        report.type_pairs[f"{subject.label_}|{object.label_}"] += 1
    report.pairs_with_several_predicates += sum(len(predicates) > 1 for predicates in pairs.values())
    set_rels(doc, rels.values())
