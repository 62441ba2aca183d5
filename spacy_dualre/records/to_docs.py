"""Records -> Docs, with a report."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, DefaultDict, Dict, Iterable, Iterator, List, Sequence, Tuple

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..annotations.concepts import SEPARATOR, closest_pairs, get_concepts, is_concept, set_long_forms, with_concept
from ..annotations.mentions import SPANS_KEY, sentence_indices
from ..annotations.relations import set_rels
from ..errors import CorpusError, Errors
from ..types import Relation
from .record import Losses, MentionRecord, Offsets, Record
from .splitting import sentence_starts

#: Characters of Thai, Lao, Tibetan, Burmese, Khmer, Chinese and Japanese.
_WITHOUT_BLANKS = re.compile("[\u0e00-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass
class ConversionReport:
    """Counts of what was converted and left out. Nested mentions are those that are not in ``doc.ents``; merged
    ones have the offsets and type of an earlier one, whose span they share. Those within a word cut one at both ends,
    in scripts that part words with blanks.
    """

    counts: Counter = field(default_factory=Counter)
    counts_by: DefaultDict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    dropped: Losses = field(default_factory=Losses)

    def to_json(self) -> Dict[str, Any]:
        """All counts as JSON values. Those of nothing may be absent."""
        kinds = {**self.counts_by, "dropped": self.dropped.counts}
        counts = {**self.counts, **{name: dict(counts.most_common()) for name, counts in kinds.items()}}
        return {**dict(sorted(counts.items())), "dropped_first": self.dropped.first}


def records_to_docs(
    records: Iterable[Record], nlp: Language, report: ConversionReport, spans_key: str = SPANS_KEY, strict: bool = False
) -> Iterator[Doc]:
    """Convert each record to a Doc.

    All mentions are in ``doc.spans[spans_key]``, with their ids as span_id and their concepts, separated by commas, as
    kb_id; the longest non-overlapping ones are in ``doc.ents``. Relations are in ``doc._.rels``; a relation between
    concepts becomes one between their closest mentions, with those concepts as kb_id. Long forms are in
    ``doc._.abbreviations``; document id, corpus, split and breaks in ``doc.user_data``.

    Args:
        nlp: Its tokenizer and sentence splitting apply to records without tokens or sentences of their own. Tokens are
            split where a mention starts or ends. For sentences see `sentence_starts`. A text without tokens that is
            longer than ``nlp.max_length`` is left out.
        strict: Raise CorpusError instead of leaving anything out.

    Raises:
        CorpusError: Tokens that do not fit the text, or meta data that cannot be stored.
    """
    for record in records:
        is_too_long = record.tokens is None and len(record.text) > nlp.max_length
        if is_too_long:
            record.drop("document", f"longer than {nlp.max_length} characters, which --max-length can raise")
        if strict and record.dropped:
            what, why, where = record.dropped[0]
            raise CorpusError(Errors.DR305.format(where=where, what=what, why=why))
        report.dropped.add_dropped(record.dropped)
        if is_too_long:
            continue
        report.counts["documents"] += 1
        report.counts_by["notes"].update(record.notes)
        doc = _tokenize(record, nlp, report)
        mentions = _add_mentions(doc, record, spans_key, report)
        sentence_of = sentence_indices(doc)
        rels = [Relation(mentions[r.subject], r.predicate, mentions[r.object], r.score) for r in record.relations]
        rels += _concept_relations(record, doc.spans[spans_key], sentence_of)
        _add_relations(doc, rels, sentence_of, report)
        set_long_forms(doc, record.long_forms)
        try:
            srsly.msgpack_dumps(record.meta)
        except (TypeError, ValueError, OverflowError) as err:
            raise record.place.error(Errors.DR306, id=record.id, problem=err) from err
        doc.user_data.update({**record.meta, "doc_id": record.id, "breaks": list(record.breaks)})
        yield doc


def _tokenize(record: Record, nlp: Language, report: ConversionReport) -> Doc:
    """Make the Doc with its sentences, splitting tokens where a mention starts or ends."""
    tokens = _tokens(record, nlp)
    edges = {edge for token in tokens for edge in token}
    cuts = {offset for mention in record.mentions for offset in (mention.start, mention.end)} - edges
    report.counts["mentions_that_split_a_token"] += sum(m.start in cuts or m.end in cuts for m in record.mentions)
    within = (m for m in record.mentions if m.start in cuts and m.end in cuts)
    report.counts["mentions_within_a_word"] += sum(not _WITHOUT_BLANKS.search(record.covered(m)) for m in within)
    cuts |= set(record.breaks if record.sentences is None else record.sentences) - edges
    words: List[str] = []
    spaces: List[bool] = []
    for (start, end), (following, _) in zip(tokens, [*tokens[1:], (len(record.text), 0)]):
        inner = sorted(cut for cut in cuts if start < cut < end)
        words += [record.text[first:last] for first, last in zip([start, *inner], [*inner, end])]
        spaces += [False] * len(inner) + [end < following]
    split = Doc(nlp.vocab, words=words, spaces=spaces)
    starts = sentence_starts(split, record, nlp, report.counts_by["sentence_starts_removed"])
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts)  # type: ignore[arg-type]


def _tokens(record: Record, nlp: Language) -> List[Offsets]:
    """The tokens and, as in spaCy, tokens for blanks beyond a single one between them."""
    doc = nlp.make_doc(record.text) if record.tokens is None else ()
    tokens = record.tokens or [(token.idx, token.idx + len(token)) for token in doc]
    found: List[Offsets] = []
    end = 0
    for start, stop in (*tokens, (len(record.text), len(record.text))):
        end += bool(found) and record.text[end:start].startswith(" ")
        found += [piece for piece in ((end, start), (start, stop)) if piece[0] < piece[1]]
        end = stop
    return found


def _add_mentions(doc: Doc, record: Record, spans_key: str, report: ConversionReport) -> Dict[str, Span]:
    """Set the spans, merging mentions with the same offsets and type, and return each mention's span by its id."""
    same: Dict[Tuple[int, int, str], List[MentionRecord]] = {}
    for mention in record.mentions:
        same.setdefault(mention.key, []).append(mention)
    by_id: Dict[str, Span] = {}
    spans = []
    for (start, end, type), mentions in sorted(same.items()):
        concepts = dict.fromkeys(concept for mention in mentions for concept in mention.concepts)
        span = doc.char_span(start, end, label=type, kb_id=SEPARATOR.join(concepts), span_id=mentions[0].id)
        assert span is not None, "tokens were cut at the mention's ends"
        spans.append(span)
        for mention in mentions:
            # A relation is about the concepts of its own argument, not of merged mentions
            by_id[mention.id] = with_concept(span, SEPARATOR.join(mention.concepts) or span.kb_id_)
    doc.spans[spans_key] = spans
    doc.ents = tuple(filter_spans(spans))
    report.counts["mentions"] += len(record.mentions)
    report.counts["mentions_nested_or_overlapping"] += len(spans) - len(doc.ents)
    report.counts["mentions_merged"] += len(record.mentions) - len(spans)
    for mention in record.mentions:
        report.counts_by["mentions_of_type"][mention.type] += 1
        report.counts["mentions_discontinuous"] += len(mention.parts) > 1
        report.counts["mentions_of_several_concepts"] += len(mention.concepts) > 1
        report.counts["mentions_not_normalised"] += bool(mention.concepts) and not any(
            map(is_concept, mention.concepts)
        )
    return by_id


def _concept_relations(record: Record, spans: Iterable[Span], sentence_of: Sequence[int]) -> Iterator[Relation]:
    of_concept: Dict[str, List[Span]] = {}
    for span in spans:
        for concept in get_concepts(span) if span.kb_id_ else ():
            of_concept.setdefault(concept.id, []).append(span)
    for rel in record.concept_relations:
        first, second = of_concept[rel.subject], of_concept[rel.object]
        # A relation of a concept with itself may have a single mention.
        ((subject, object),) = closest_pairs(first, second, 1, sentence_of) or [(first[0], second[0])]
        yield Relation(with_concept(subject, rel.subject), rel.predicate, with_concept(object, rel.object), rel.score)


def _add_relations(doc: Doc, rels: Iterable[Relation], sentence_of: Sequence[int], report: ConversionReport) -> None:
    kept: Dict[Tuple, Relation] = {}
    for rel in rels:
        subject, object = rel.subject, rel.object
        pair = tuple((span.start, span.end, span.label_, span.kb_id_) for span in (subject, object))
        if (pair, rel.predicate) in kept:
            report.counts["relations_given_twice"] += 1
            continue
        kept[pair, rel.predicate] = rel
        report.counts_by["relations_of_predicate"][rel.predicate] += 1
        report.counts_by["relations_of_type_pair"][f"{subject.label_}|{object.label_}"] += 1
        report.counts["relations_across_sentences"] += sentence_of[subject.start] != sentence_of[object.start]
        same_concept = is_concept(subject.kb_id_) and subject.kb_id_ == object.kb_id_
        report.counts["relations_with_itself"] += pair[0] == pair[1] or same_concept
    report.counts["relations"] += len(kept)
    report.counts["pairs_with_several_predicates"] += sum(n > 1 for n in Counter(pair for pair, _ in kept).values())
    set_rels(doc, kept.values())
