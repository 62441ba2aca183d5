"""`Doc._.rels` through every way a Doc travels."""

import json
import pickle

import numpy
import pytest
from helpers.pipelines import make_doc
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.annotations.relations import get_rels, install, rels_to_json, set_rels

VOCAB = Vocab()


@pytest.fixture
def doc():
    """Aspirin inhibits COX-1 and PTGS2 ."""
    tokens = [("Aspirin", "DRUG"), ("inhibits", ""), ("COX-1", "GENE"), ("and", ""), ("PTGS2", "GENE"), (".", "")]
    return make_doc(VOCAB, tokens, [(0, "INHIBITS", 1), (0, "INHIBITS", 2), (2, "SAME_AS", 1)])


READ = [
    ("Aspirin", "INHIBITS", "COX-1"),
    ("Aspirin", "INHIBITS", "PTGS2"),
    ("PTGS2", "SAME_AS", "COX-1"),
]


def read(doc):
    return [(rel.subject.text, rel.predicate, rel.object.text) for rel in doc._.rels]


def test_a_document_has_no_relations_at_first():
    assert Doc(VOCAB)._.rels == Doc(VOCAB, words=["a"])._.rels == ()


def test_relations_are_read_as_written(doc):
    written = Relation(doc[2:3], "BINDS", doc[0:1], 0.25)
    doc._.rels = [written]
    (rel,) = doc._.rels
    assert isinstance(rel, Relation) and rel.subject.doc is rel.object.doc is doc
    assert (rel.subject.start, rel.subject.end, rel.object.start, rel.object.end) == (2, 3, 0, 1)
    assert (rel.predicate, rel.score) == ("BINDS", 0.25)


def test_relation_has_score_1_unless_given(doc):
    assert [rel.score for rel in doc._.rels] == [1.0, 1.0, 1.0]


def test_score_may_be_a_number_of_numpy(doc):
    doc._.rels = [Relation(doc.ents[0], "INHIBITS", doc.ents[1], numpy.float32(0.5))]
    assert [rel.score for rel in doc._.rels] == [0.5]
    assert type(doc._.rels[0].score) is float


def test_writing_replaces(doc):
    doc._.rels = [Relation(doc.ents[1], "BINDS", doc.ents[0])]
    assert read(doc) == [("COX-1", "BINDS", "Aspirin")]
    doc._.rels = []
    assert read(doc) == []
    assert not doc.user_data


def test_relations_that_were_read_may_be_filtered_and_written_back(doc):
    doc._.rels = (rel for rel in doc._.rels if rel.object.text != "COX-1")
    assert read(doc) == [("Aspirin", "INHIBITS", "PTGS2")]


def test_order_is_subject_then_object_then_predicate(doc):
    drug, cox, ptgs = doc.ents
    ordered = [(drug, "A", cox), (drug, "B", cox), (drug, "A", ptgs), (cox, "Z", drug), (ptgs, "A", drug)]
    for turned in (ordered, ordered[::-1]):
        doc._.rels = [Relation(*triple) for triple in turned]
        assert [(r.subject, r.predicate, r.object) for r in doc._.rels] == ordered


def test_one_span_with_two_types_as_subjects(doc):
    subjects = [Span(doc, 0, 1, label=type) for type in ("A", "B")]
    doc._.rels = [Relation(subject, "R", doc.ents[1]) for subject in subjects]
    assert [rel.subject.label_ for rel in doc._.rels] == ["A", "B"]


def test_arguments_may_be_nested_or_the_same_span(doc):
    outer, inner = Span(doc, 2, 5, label="LIST"), doc.ents[1]
    doc._.rels = [Relation(outer, "HAS", inner), Relation(inner, "PART_OF", outer), Relation(inner, "IS", inner)]
    assert read(doc) == [
        ("COX-1", "IS", "COX-1"),
        ("COX-1", "PART_OF", "COX-1 and PTGS2"),
        ("COX-1 and PTGS2", "HAS", "COX-1"),
    ]


def test_other_user_data_is_left_alone(doc):
    doc.user_data["doc_id"] = "17"
    doc.user_data[("._.", "other", 0, 7)] = 1
    doc._.rels = []
    assert doc.user_data == {"doc_id": "17", ("._.", "other", 0, 7): 1}


def test_stored_values_are_plain(doc):
    json.dumps([[list(key), value] for key, value in doc.user_data.items()])


def through_bytes(doc):
    return Doc(Vocab()).from_bytes(doc.to_bytes())


def through_doc_bin(doc):
    return next(DocBin().from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes()).get_docs(Vocab()))


def through_disk(doc, tmp_path):
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    return next(DocBin().from_disk(tmp_path / "docs.spacy").get_docs(Vocab()))


TRAVELS = [through_bytes, through_doc_bin, lambda doc: pickle.loads(pickle.dumps(doc)), Doc.copy]


@pytest.fixture(params=TRAVELS, ids=["to_bytes", "DocBin", "pickle", "copy"])
def travelled(request, doc):
    doc._.rels = [rel._replace(score=0.5) for rel in doc._.rels]
    return request.param(doc)


def test_relations_survive_a_journey(travelled):
    assert read(travelled) == READ
    assert all(rel.subject.doc is travelled and rel.score == 0.5 for rel in travelled._.rels)
    assert [rel.subject.label_ for rel in travelled._.rels] == ["DRUG", "DRUG", "GENE"]


def test_relations_can_be_replaced_after_a_journey(travelled):
    travelled._.rels = [travelled._.rels[0]]
    assert read(travelled) == READ[:1]


def test_two_journeys(doc, tmp_path):
    assert read(through_bytes(through_disk(doc, tmp_path))) == READ


def test_a_copys_relations_are_its_own(doc):
    copied = doc.copy()
    copied._.rels = []
    assert read(doc) == READ


def test_relations_of_joined_documents(doc):
    other = make_doc(VOCAB, [("Warfarin", "DRUG"), ("and", ""), ("PTGS1", "GENE")], [(1, "NOT", 0)])
    joined = Doc.from_docs([doc, other, doc])
    assert read(joined) == [*READ, ("PTGS1", "NOT", "Warfarin"), *READ]
    assert [rel.subject.start for rel in joined._.rels] == [0, 0, 4, 8, 9, 9, 13]
    assert all(rel.subject in joined.ents and rel.object in joined.ents for rel in joined._.rels)


def test_relations_of_documents_joined_without_a_blank_between(doc):
    assert read(Doc.from_docs([doc, doc], ensure_whitespace=False)) == READ * 2


def test_part_of_a_document_keeps_the_relations_inside_it():
    tokens = [("A", "X"), ("b", ""), ("C", "Y"), (".", ""), ("D", "X"), ("e", ""), ("F", "Y"), (".", "")]
    doc = make_doc(VOCAB, tokens, [(0, "IN_FIRST", 1), (3, "IN_SECOND", 2), (0, "ACROSS", 3)], sent_starts=(0, 4))
    first, second = (sent.as_doc(copy_user_data=True) for sent in doc.sents)
    assert read(first) == [("A", "IN_FIRST", "C")]
    assert read(second) == [("F", "IN_SECOND", "D")]


def test_an_empty_document_has_no_relations_whatever_it_stores(doc):
    for empty in (Doc(VOCAB, user_data=doc.user_data), doc[0:0].as_doc(copy_user_data=True)):
        assert read(empty) == []


def test_merged_tokens_keep_the_mentions_text(doc):
    doc._.rels = [Relation(doc[2:5], "R", doc[0:1])]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5])
    assert read(doc) == [("COX-1 and PTGS2", "R", "Aspirin")]
    assert doc._.rels[0].subject.end == 3


def test_mention_inside_a_merged_token_is_widened(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:4])
    assert read(doc)[0] == ("Aspirin", "INHIBITS", "COX-1 and")


def test_split_token_keeps_the_mentions_text(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[2], ["COX", "-", "1"], heads=[doc[2], doc[2], doc[2]])
    assert read(doc) == READ
    assert (doc._.rels[0].object.start, doc._.rels[0].object.end) == (2, 5)


def test_identifiers_are_kept_so_that_an_argument_is_the_entity(doc):
    doc.ents = [
        Span(doc, 0, 1, label="DRUG", kb_id="D001241", span_id="T1"),
        Span(doc, 2, 3, label="GENE", kb_id="", span_id="T2"),
        Span(doc, 4, 5, label="GENE", kb_id="5743"),
    ]
    doc._.rels = [Relation(doc.ents[0], "R", doc.ents[1]), Relation(doc.ents[2], "R", doc.ents[0])]
    for way in (lambda doc: doc, *TRAVELS):
        there = way(doc)
        first, second = there._.rels
        assert first.subject in there.ents and first.object in there.ents and second.subject in there.ents
        assert (first.subject.kb_id_, first.subject.id_, second.subject.kb_id_) == ("D001241", "T1", "5743")


def test_json(doc):
    subject = Span(doc, 4, 5, label="GENE", kb_id="5743", span_id="T9")
    doc._.rels = [Relation(subject, "R", doc.ents[0], 0.123456)]
    expected = {
        "subject": {"start": 27, "end": 32, "text": "PTGS2", "type": "GENE", "id": "T9", "kb_id": "5743"},
        "predicate": "R",
        "object": {"start": 0, "end": 7, "text": "Aspirin", "type": "DRUG"},
        "score": 0.1235,
    }
    assert rels_to_json(doc) == json.loads(json.dumps(rels_to_json(doc))) == [expected]
    assert doc.text[27:32] == "PTGS2"


def test_what_is_appended_is_not_lost_without_a_word(doc):
    for attribute in ("rels", "concept_rels"):
        with pytest.raises(AttributeError):
            doc._.get(attribute).append(doc._.rels[0])


def test_relations_survive_spacys_json(doc):
    doc._.rels = [Relation(Span(doc, 2, 3, label="GENE", kb_id="5743", span_id="T9"), "R", doc.ents[0], 0.25)]
    values = json.loads(json.dumps(doc.to_json(underscore=["rels_json"])))
    again = Doc(VOCAB).from_json(values)
    assert again._.rels_json == doc._.rels_json
    (rel,) = again._.rels
    assert rel.subject.doc is again and (rel.subject.kb_id_, rel.subject.id_) == ("5743", "T9")


@pytest.mark.parametrize(
    "values, code",
    [([{}], "DR021"), (["INHIBITS"], "DR021"), (5, "DR021"), ([{"subject": {}, "predicate": "R"}], "DR021")],
)
def test_other_json_is_refused(doc, values, code):
    with pytest.raises(ValueError, match=code):
        doc._.rels_json = values
    assert read(doc) == READ


def test_json_of_another_text_is_refused(doc):
    short = Doc(VOCAB, words=["Aspirin"])
    with pytest.raises(ValueError, match="DR020"):
        short._.rels_json = doc._.rels_json


def test_json_may_be_set_as_the_relations(doc):
    doc._.rels = doc._.rels_json[:1]
    assert read(doc) == READ[:1]


def test_json_of_no_relations():
    assert rels_to_json(Doc(VOCAB, words=["a"])) == []


def test_span_of_another_document_is_refused(doc):
    other = doc.copy()
    for rel in (Relation(doc.ents[0], "R", other.ents[1]), Relation(other.ents[0], "R", doc.ents[1])):
        with pytest.raises(ValueError, match="DR020.*span of this Doc"):
            doc._.rels = [rel]


def test_empty_span_is_refused(doc):
    with pytest.raises(ValueError, match="DR020"):
        doc._.rels = [Relation(doc.ents[0], "R", doc[2:2])]


def test_token_is_no_span(doc):
    with pytest.raises(ValueError, match="DR020.*COX-1"):
        doc._.rels = [Relation(doc.ents[0], "R", doc[2])]


@pytest.mark.parametrize("value", [1, None, ("subject", "R"), (1, 2, 3, 4, 5)])
def test_what_is_no_relation_is_refused(doc, value):
    with pytest.raises(ValueError, match="takes an iterable of Relation"):
        doc._.rels = [value]


def test_one_relation_instead_of_a_list_is_refused(doc):
    with pytest.raises(ValueError, match="takes an iterable of Relation"):
        doc._.rels = doc._.rels[0]


@pytest.mark.parametrize("predicate", [None, 5])
def test_predicate_must_be_a_text(doc, predicate):
    with pytest.raises(ValueError):
        doc._.rels = [Relation(doc.ents[0], predicate, doc.ents[1])]


def test_refused_relations_leave_the_old_ones(doc):
    with pytest.raises(ValueError):
        doc._.rels = [Relation(doc.ents[1], "NEW", doc.ents[0]), Relation(doc.ents[0], "R", doc[2:2])]
    assert read(doc) == READ


def test_plain_tuples_are_taken(doc):
    doc._.rels = [(doc.ents[0], "R", doc.ents[1]), (doc.ents[0], "Q", doc.ents[1], 0.5)]
    assert [(rel.predicate, rel.score) for rel in doc._.rels] == [("Q", 0.5), ("R", 1.0)]


def test_installing_twice_changes_nothing(doc):
    before = Doc.get_extension("rels")
    install("rels", getter=get_rels, setter=set_rels)
    assert Doc.get_extension("rels") == before
    assert read(doc) == READ


def test_installing_leaves_an_extension_of_that_name_alone():
    before = Doc.remove_extension("rels")
    try:
        Doc.set_extension("rels", default="mine")
        with pytest.warns(UserWarning, match="DW020.*Doc._.rels.*relations.get_rels"):
            install("rels", getter=get_rels, setter=set_rels)
        assert Doc(VOCAB)._.rels == "mine"
    finally:
        Doc.set_extension("rels", getter=before[2], setter=before[3], force=True)
