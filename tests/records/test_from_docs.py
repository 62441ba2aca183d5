"""Docs -> records, and the JSON lines of extraction that give the same records back."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import set_long_forms
from spacy_dualre.formats import jsonl
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import MentionRecord, Place, RelationRecord

VOCAB = Vocab()
PLACE = Place(Path("made-up"), 1)


def make(*mentions: tuple, words: tuple = ("Aspirin", "blocks", "COX-1")) -> Doc:
    """A Doc with mentions (start, end, type, id, concepts) in its span group."""
    doc = Doc(VOCAB, words=list(words))
    doc.spans["entities"] = [Span(doc, s, e, label=type, span_id=id, kb_id=kb) for s, e, type, id, kb in mentions]
    return doc


def test_an_argument_for_one_concept_is_one_more_mention_that_is_not_listed() -> None:
    doc = make((0, 1, "DRUG", "T1", "D1,D2"), (2, 3, "GENE", "T2", ""))
    one = Span(doc, 0, 1, label="DRUG", span_id="T1", kb_id="D2")
    doc._.rels = [Relation(one, "BLOCKS", doc.spans["entities"][1], 0.123456)]
    record = doc_to_record(doc, "d", PLACE)
    assert record.mentions == [
        MentionRecord("T1", "DRUG", 0, 7, ("D1", "D2")),
        MentionRecord("T2", "GENE", 15, 20),
        MentionRecord("0-7-DRUG", "DRUG", 0, 7, ("D2",)),
    ]
    assert record.relations == [RelationRecord("BLOCKS", "0-7-DRUG", "T2", 0.1235)]
    assert [mention.get("id") for mention in jsonl.to_json(record)["mentions"]] == ["T1", "T2"]


def test_a_mention_that_no_file_can_hold_is_dropped_with_its_relations() -> None:
    doc = make((1, 2, "X", "", ""), (0, 1, "", "", ""), words=("a", "\n"))
    doc._.rels = [Relation(doc.spans["entities"][0], "P", doc.spans["entities"][1])]
    record = doc_to_record(doc, "d", PLACE)
    assert not record.mentions and not record.relations
    assert [dropped.why for dropped in record.dropped] == ["nothing but blanks", "no type", "argument was dropped"]


@st.composite
def spans(draw: Any, doc: Doc) -> Span:
    start = draw(st.integers(0, len(doc) - 1))
    label, id = draw(st.sampled_from(["X", "Y"])), draw(st.sampled_from(["", "T1", "T2", "0-1-X"]))
    kb = draw(st.sampled_from(["", "-", "D1", "D2", "D1,D2"]))
    return Span(doc, start, draw(st.integers(start + 1, len(doc))), label=label, span_id=id, kb_id=kb)


@st.composite
def docs(draw: Any) -> Doc:
    words = draw(st.lists(st.sampled_from(["a", "Bé", "-", "\U0001f41b"]), min_size=1, max_size=4))
    doc = Doc(VOCAB, words=words, sent_starts=draw(st.none() | st.just([True] * len(words))))
    doc.spans["entities"] = draw(st.lists(spans(doc), max_size=5))
    arguments = st.sampled_from(list(doc.spans["entities"])) | spans(doc) if len(doc.spans["entities"]) else spans(doc)
    doc._.rels = draw(st.lists(st.builds(Relation, arguments, st.just("P"), arguments, st.just(0.5)), max_size=4))
    set_long_forms(doc, {"a": "alpha"})
    return doc


@given(docs())
@settings(max_examples=300, deadline=None)
def test_the_line_of_a_record_gives_the_same_record(doc: Doc) -> None:
    record = doc_to_record(doc, "d", PLACE)
    again = jsonl.parse(jsonl.dump(record, tokens=True), PLACE)
    assert not record.dropped and len(record.relations) == len(doc._.rels)
    assert again == record and not again.notes
    assert [mention.listed for mention in again.mentions] == [mention.listed for mention in record.mentions]
    assert jsonl.dump(again, tokens=True) == jsonl.dump(record, tokens=True)
