"""The mentions of a Doc, also after its tokens have changed."""

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre.annotations.mentions import annotated_spans, get_mentions
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import Place
from spacy_dualre.training.reader import copy_mentions

WORDS = ["Mara", "Lindqvist", "joined", "the", "Oxbow", "Trust", "in", "May", "."]


def annotated() -> Doc:
    doc = Doc(Vocab(), words=WORDS)
    doc.spans["entities"] = [
        Span(doc, 0, 2, label="PERSON", kb_id="Q1", span_id="T1"),
        Span(doc, 4, 6, label="ORG"),
        Span(doc, 7, 8, label="DATE"),
    ]
    return doc


def merge(start: int, end: int):
    def change(doc: Doc) -> None:
        with doc.retokenize() as retokenizer:
            retokenizer.merge(doc[start:end])

    return change


def split(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[0], ["Ma", "ra"], heads=[doc[0], doc[1]])


@pytest.mark.parametrize(
    "change, found",
    [
        (lambda doc: None, ["Mara Lindqvist", "Oxbow Trust", "May"]),
        (merge(0, 2), ["Mara Lindqvist", "Oxbow Trust", "May"]),
        (merge(2, 4), ["Mara Lindqvist", "Oxbow Trust", "May"]),
        (merge(3, 5), ["Mara Lindqvist", "the Oxbow Trust", "May"]),
        # The last token numbers are gone
        (merge(0, 6), ["Mara Lindqvist joined the Oxbow Trust"] * 2 + ["May"]),
        (split, ["Mara Lindqvist", "Oxbow Trust", "May"]),
    ],
)
def test_a_span_group_is_read_by_its_characters(change, found):
    doc = annotated()
    change(doc)
    assert sorted(span.text for span in get_mentions(doc, "entities")) == sorted(found)
    # In the order of the group, whoever reads it
    assert [span.text for span in annotated_spans(doc, "entities")] == found
    copy = copy_mentions(doc)
    assert [span.text for span in copy.spans["entities"]] == found
    record = doc_to_record(doc, "d", Place(None, 1))
    assert [record.covered(mention) for mention in record.mentions] == found
    person = annotated_spans(doc, "entities")[0]
    assert (person.label_, person.kb_id_, person.id_) == ("PERSON", "Q1", "T1") and person.doc is doc


def test_empty_spans_are_no_mentions():
    doc = annotated()
    doc.spans["entities"] = [doc[3:3], doc[8:9]]
    merge(0, 6)(doc)
    assert [span.text for span in get_mentions(doc, "entities")] == ["."]
