"""What mentions refer to, `Doc._.concept_rels`, and the closest pairs of mentions."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.lang.en import English
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import (
    ABBREVIATIONS,
    Concept,
    ConceptRelation,
    closest_pairs,
    get_concept_rels,
    get_concepts,
    get_long_forms,
    set_long_forms,
    with_concept,
)

VOCAB = Vocab()
WORDS = "Aspirin inhibits PTGS1 , and ASA blocks COX-1 but not PTGS2 .".split()
ASPIRIN, PTGS1, ASA, COX1, PTGS2 = range(5)


def doc_of(relations=(), kb_ids=("D1", "G1", "D1", "G1", "G2")):
    """Two names of a drug and of a gene, and another gene; relations (subject, predicate, object, score) by number of
    mention.
    """
    doc = Doc(VOCAB, words=WORDS)
    places = [(0, "DRUG"), (2, "GENE"), (5, "DRUG"), (7, "GENE"), (10, "GENE")]
    doc.ents = [Span(doc, i, i + 1, label=type, kb_id=id) for (i, type), id in zip(places, kb_ids, strict=True)]
    doc._.rels = [Relation(doc.ents[s], predicate, doc.ents[o], score) for s, predicate, o, score in relations]
    return doc


def read(doc):
    """The ids, predicate, score and number of mention pairs of each relation between concepts."""
    return [(rel.subject.id, rel.predicate, rel.object.id, rel.score, len(rel.evidence)) for rel in doc._.concept_rels]


def mention(kb_id, label="GENE", text="COX-1"):
    return Span(Doc(VOCAB, words=["The", *text.split()]), 1, 1 + len(text.split()), label=label, kb_id=kb_id)


@pytest.mark.parametrize(
    "kb_id, ids",
    [
        ("MESH:D1", ["MESH:D1"]),
        ("9606,10090", ["9606", "10090"]),
        ("10090,9606", ["10090", "9606"]),
        ("9606,9606", ["9606"]),
        ("MixedCase", ["MixedCase"]),
        ("-", []),
        ("NIL", []),
        ("-,9606", ["9606"]),
        (",9606,", ["9606"]),
        (",", []),
        ("a-b", ["a-b"]),
    ],
)
def test_concepts_are_the_ids_of_a_mention(kb_id, ids):
    assert get_concepts(mention(kb_id)) == [Concept("GENE", id) for id in ids]


def test_without_an_id_the_surface_form_in_lower_case_is_the_concept():
    assert get_concepts(mention("", text="Cyclooxygenase 1")) == [Concept("GENE", "cyclooxygenase 1")]
    assert get_concepts(mention("", text="COX-1")) == get_concepts(mention("", text="Cox-1"))


def test_another_type_is_another_concept():
    assert get_concepts(mention("17", label="DRUG")) != get_concepts(mention("17", label="GENE"))


def test_a_mention_standing_for_one_of_its_concepts_is_the_same_mention_otherwise():
    doc = Doc(VOCAB, words=["The", "COX", "enzymes"])
    span = Span(doc, 1, 3, label="GENE", kb_id="G1,G2", span_id="T7")
    one = with_concept(span, "G2")
    assert one.doc is doc and (one.start, one.end, one.label_, one.id_, one.kb_id_) == (1, 3, "GENE", "T7", "G2")
    assert span.kb_id_ == "G1,G2"


def test_mention_pairs_of_the_same_concepts_give_one_relation():
    doc = doc_of([(ASA, "INHIBITS", COX1, 0.7), (ASPIRIN, "INHIBITS", PTGS1, 0.6), (ASPIRIN, "INHIBITS", COX1, 0.9)])
    (rel,) = doc._.concept_rels
    assert isinstance(rel, ConceptRelation)
    assert rel[:4] == (Concept("DRUG", "D1"), "INHIBITS", Concept("GENE", "G1"), 0.9)
    # All of its evidence, in text order
    assert rel.evidence == tuple(doc._.rels) and len(rel.evidence) == 3
    assert [r.score for r in rel.evidence] == [0.6, 0.9, 0.7]


def test_predicates_directions_and_types_are_told_apart():
    doc = doc_of(
        [
            (ASPIRIN, "INHIBITS", PTGS1, 0.5),
            (ASA, "BINDS", COX1, 0.6),
            (COX1, "BINDS", ASA, 0.7),
            (ASA, "BINDS", PTGS2, 0.8),
        ]
    )
    assert read(doc) == [
        ("D1", "INHIBITS", "G1", 0.5, 1),
        ("D1", "BINDS", "G1", 0.6, 1),
        ("D1", "BINDS", "G2", 0.8, 1),
        ("G1", "BINDS", "D1", 0.7, 1),
    ]
    same_id = doc_of([(ASPIRIN, "IS", PTGS1, 1.0), (ASPIRIN, "IS", ASA, 1.0)], kb_ids=("D1", "17", "17", "-", "-"))
    assert [rel.object for rel in same_id._.concept_rels] == [Concept("GENE", "17"), Concept("DRUG", "17")]


def test_a_mention_of_several_concepts_gives_a_relation_for_each():
    doc = doc_of(
        [(ASPIRIN, "INHIBITS", PTGS1, 0.5), (ASA, "INHIBITS", PTGS2, 0.8)], kb_ids=("D1", "G1,G2", "D1,D2", "-", "G2")
    )
    assert read(doc) == [
        ("D1", "INHIBITS", "G1", 0.5, 1),
        ("D1", "INHIBITS", "G2", 0.8, 2),
        ("D2", "INHIBITS", "G2", 0.8, 1),
    ]


def test_a_mention_without_a_concept_is_in_no_relation_between_concepts():
    doc = doc_of(
        [(ASPIRIN, "INHIBITS", PTGS1, 1.0), (PTGS1, "BINDS", ASPIRIN, 1.0), (ASPIRIN, "INHIBITS", PTGS2, 1.0)],
        kb_ids=("D1", "-", "D1", "-", "G2"),
    )
    assert len(doc._.rels) == 3
    assert read(doc) == [("D1", "INHIBITS", "G2", 1.0, 1)]


def test_mentions_without_ids_meet_in_their_surface_form():
    doc = Doc(VOCAB, words=["Aspirin", "hits", "aspirin", "and", "X"])
    aspirin, again, x = (Span(doc, i, i + 1, label="DRUG") for i in (0, 2, 4))
    doc._.rels = [Relation(aspirin, "WITH", x), Relation(again, "WITH", x)]
    assert read(doc) == [("aspirin", "WITH", "x", 1.0, 2)]


def test_order_is_that_of_the_first_evidence_in_the_text():
    doc = doc_of(
        [
            (COX1, "B", ASA, 1.0),
            (ASA, "B", PTGS2, 1.0),
            (ASPIRIN, "B", PTGS2, 1.0),
            (ASPIRIN, "C", PTGS1, 1.0),
            (ASPIRIN, "A", PTGS1, 1.0),
        ]
    )
    assert [row[:3] for row in read(doc)] == [
        ("D1", "A", "G1"),
        ("D1", "C", "G1"),
        ("D1", "B", "G2"),
        ("G1", "B", "D1"),
    ]


def test_relations_between_concepts_follow_those_between_mentions():
    doc = doc_of([(ASPIRIN, "INHIBITS", PTGS1, 0.5)])
    assert read(doc) == [("D1", "INHIBITS", "G1", 0.5, 1)]
    doc._.rels = [*doc._.rels, Relation(doc.ents[ASA], "INHIBITS", doc.ents[COX1], 0.8)]
    assert read(doc) == [("D1", "INHIBITS", "G1", 0.8, 2)]
    doc._.rels = []
    assert read(doc) == []


def test_reading_stores_nothing():
    doc = doc_of([(ASPIRIN, "INHIBITS", PTGS1, 0.5)])
    before = dict(doc.user_data)
    assert doc._.concept_rels == get_concept_rels(doc) != []
    assert dict(doc.user_data) == before
    doc._.rels = []
    assert doc._.concept_rels == () and not doc.user_data


def test_no_relations():
    assert Doc(VOCAB)._.concept_rels == doc_of()._.concept_rels == ()


TRAVELS = {
    "to_bytes": lambda doc: Doc(Vocab()).from_bytes(doc.to_bytes()),
    "DocBin": lambda doc: next(
        DocBin().from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes()).get_docs(Vocab())
    ),
    "pickle": lambda doc: pickle.loads(pickle.dumps(doc)),
    "copy": Doc.copy,
}


@pytest.mark.parametrize("travel", TRAVELS.values(), ids=TRAVELS)
def test_relations_between_concepts_survive_as_those_between_mentions_do(travel):
    doc = doc_of(
        [(ASPIRIN, "INHIBITS", PTGS1, 0.5), (ASA, "INHIBITS", COX1, 0.75), (ASA, "INHIBITS", PTGS2, 0.25)],
        kb_ids=("D1", "G1,G3", "D1", "G1", ""),
    )
    travelled = travel(doc)
    assert (
        read(travelled)
        == read(doc)
        == [
            ("D1", "INHIBITS", "G1", 0.75, 2),
            ("D1", "INHIBITS", "G3", 0.5, 1),
            ("D1", "INHIBITS", "ptgs2", 0.25, 1),
        ]
    )
    assert all(r.subject.doc is travelled for rel in travelled._.concept_rels for r in rel.evidence)


def test_joined_documents_join_their_relations():
    first = doc_of([(ASA, "INHIBITS", COX1, 0.5)])
    second = doc_of([(ASPIRIN, "BINDS", PTGS2, 0.75), (ASPIRIN, "INHIBITS", PTGS1, 1.0)])
    joined = Doc.from_docs([first, second])
    assert read(joined) == [("D1", "INHIBITS", "G1", 1.0, 2), ("D1", "BINDS", "G2", 0.75, 1)]
    (inhibits, _) = joined._.concept_rels
    assert [(r.subject.text, r.object.text) for r in inhibits.evidence] == [("ASA", "COX-1"), ("Aspirin", "PTGS1")]


def test_a_part_of_a_document_has_what_lies_inside():
    doc = doc_of([(ASPIRIN, "INHIBITS", PTGS1, 0.5), (ASA, "INHIBITS", COX1, 0.75), (ASPIRIN, "BINDS", PTGS2, 1.0)])
    assert read(doc[0:4].as_doc(copy_user_data=True)) == [("D1", "INHIBITS", "G1", 0.5, 1)]


# The closest pairs


def spans(doc, places):
    return [Span(doc, start, end, label="A") for start, end in places]


@pytest.fixture
def blank():
    return Doc(VOCAB, words=["t"] * 20)


def places(pairs):
    return [tuple((span.start, span.end) for span in pair) for pair in pairs]


def test_closest_first_and_ties_in_text_order(blank):
    first, second = spans(blank, [(0, 1), (10, 11)]), spans(blank, [(2, 3), (8, 9), (15, 16)])
    assert places(closest_pairs(first, second, 9)) == [
        ((0, 1), (2, 3)),
        ((10, 11), (8, 9)),
        ((10, 11), (15, 16)),
        ((0, 1), (8, 9)),
        ((10, 11), (2, 3)),
        ((0, 1), (15, 16)),
    ]
    assert places(closest_pairs(first, second, 1)) == [((0, 1), (2, 3))]
    assert places(closest_pairs(first, second, 2)) == [((0, 1), (2, 3)), ((10, 11), (8, 9))]


def test_sentences_count_before_tokens(blank):
    first, second = spans(blank, [(0, 1), (10, 11)]), spans(blank, [(5, 6), (8, 9)])
    sentence_of = [0] * 7 + [1] * 2 + [2] * 11
    assert places(closest_pairs(first, second, 9)) == [
        ((10, 11), (8, 9)),
        ((0, 1), (5, 6)),
        ((10, 11), (5, 6)),
        ((0, 1), (8, 9)),
    ]
    assert places(closest_pairs(first, second, 9, sentence_of)) == [
        ((0, 1), (5, 6)),
        ((10, 11), (8, 9)),
        ((0, 1), (8, 9)),
        ((10, 11), (5, 6)),
    ]


def test_mentions_too_far_apart_are_left_out_before_the_closest_are_taken(blank):
    first, second = spans(blank, [(5, 6)]), spans(blank, [(0, 1), (7, 8)])
    sentence_of = [0] * 6 + [1] * 14
    assert places(closest_pairs(first, second, 1, sentence_of)) == [((5, 6), (0, 1))]
    assert places(closest_pairs(first, second, 1, sentence_of, max_tokens=4)) == [((5, 6), (0, 1))]
    assert places(closest_pairs(first, second, 1, sentence_of, max_tokens=3)) == [((5, 6), (7, 8))]
    assert closest_pairs(first, second, 9, max_tokens=0) == []


def test_a_mention_across_a_boundary_is_in_both_sentences(blank):
    first, second = spans(blank, [(2, 6)]), spans(blank, [(0, 1), (9, 10)])
    sentence_of = [0] * 4 + [1] * 16
    assert places(closest_pairs(first, second, 1, sentence_of)) == [((2, 6), (0, 1))]
    assert places(closest_pairs(first, second[1:], 1, sentence_of)) == [((2, 6), (9, 10))]


def test_the_sides_keep_their_order(blank):
    left, right = spans(blank, [(8, 9)]), spans(blank, [(2, 3)])
    assert places(closest_pairs(left, right, 1)) == [((8, 9), (2, 3))]


def test_identical_spans_are_no_pair_and_nested_ones_are(blank):
    first, second = spans(blank, [(0, 3)]), spans(blank, [(0, 3), (1, 2), (2, 5)])
    assert places(closest_pairs(first, second, 9)) == [((0, 3), (1, 2)), ((0, 3), (2, 5))]
    assert closest_pairs(first, first, 9) == []


def test_a_pair_that_both_sides_have_comes_once(blank):
    mentions = spans(blank, [(0, 1), (2, 3), (6, 7)])
    assert places(closest_pairs(mentions, mentions, 9)) == [
        ((0, 1), (2, 3)),
        ((2, 3), (6, 7)),
        ((0, 1), (6, 7)),
    ]
    assert len(closest_pairs(mentions, mentions[::-1], 9)) == 3


def test_no_mentions_no_pairs(blank):
    assert closest_pairs([], spans(blank, [(0, 1)]), 3) == closest_pairs([], [], 3) == []


PLACES = st.lists(st.tuples(st.integers(0, 11), st.integers(1, 4)), max_size=5)


@given(PLACES, PLACES, st.integers(1, 6), st.booleans(), st.sets(st.integers(1, 15)))
@settings(max_examples=150, deadline=None)
def test_the_closest_are_those_of_all_pairs_in_order(first, second, k, one_side, boundaries):
    doc = Doc(VOCAB, words=["t"] * 16)
    left = spans(doc, [(start, start + n) for start, n in first])
    right = left if one_side else spans(doc, [(start, start + n) for start, n in second])
    sentence_of = [sum(boundary <= i for boundary in boundaries) for i in range(16)]
    found = closest_pairs(left, right, k, sentence_of)
    assert all(one in left and other in right for one, other in found)

    def key(one, other):
        tokens = [(i, j) for i in range(*one) for j in range(*other)]
        apart = min(abs(sentence_of[i] - sentence_of[j]) for i, j in tokens)
        return apart, min(max(abs(i - j) - 1, 0) for i, j in tokens), one, other

    every = {tuple(sorted(pair)) for pair in places((a, b) for a in left for b in right)}
    expected = sorted((pair for pair in every if pair[0] != pair[1]), key=lambda pair: key(*pair))
    assert [tuple(sorted(pair)) for pair in places(found)] == expected[:k]


def test_concept_rels_cannot_be_set(blank):
    with pytest.raises(ValueError, match="DR022.*set those"):
        blank._.concept_rels = []
    assert not blank.user_data


def test_blanks_around_ids_are_not_part_of_them(blank):
    assert [concept.id for concept in get_concepts(Span(blank, 0, 1, label="A", kb_id="D1, D2 ,-"))] == ["D1", "D2"]


def doc_with_abbreviation(form):
    """ "acetylsalicylic acid (ASA) ... ASA", explained in one of the two forms that scispaCy writes, or not at all."""
    if not Span.has_extension("long_form"):
        Span.set_extension("long_form", default=None)
    doc = Doc(VOCAB, words="Acetylsalicylic acid ( ASA ) blocks COX-1 ; ASA blocks COX-2 .".split())
    doc.ents = [
        Span(doc, start, end, label=label, kb_id=kb_id)
        for start, end, label, kb_id in [
            (0, 2, "DRUG", ""), (3, 4, "DRUG", ""), (6, 7, "GENE", ""), (8, 9, "DRUG", "D1"), (10, 11, "GENE", "")
        ]
    ]  # fmt: skip
    short, long = doc[3:4], doc[0:2]
    if form == "spans":
        short._.long_form = long
        doc.user_data[ABBREVIATIONS] = [short]
    if form == "dicts":
        values = {"short_text": "ASA", "short_start": 3, "short_end": 4, "long_text": long.text}
        doc.user_data[ABBREVIATIONS] = [{**values, "long_start": 0, "long_end": 2}]
    if form == "ours":
        set_long_forms(doc, {"ASA": long.text})
    return doc


@pytest.mark.parametrize("form", ["spans", "dicts", "ours"])
def test_short_and_long_form_are_one_concept(form):
    doc = doc_with_abbreviation(form)
    one = [Concept("DRUG", "acetylsalicylic acid")]
    assert get_concepts(doc.ents[0]) == get_concepts(doc.ents[1]) == one
    # An id says more
    assert get_concepts(doc.ents[3]) == [Concept("DRUG", "D1")]
    doc._.rels = [Relation(doc.ents[0], "BLOCKS", doc.ents[2]), Relation(doc.ents[1], "BLOCKS", doc.ents[2])]
    assert read(doc) == [("acetylsalicylic acid", "BLOCKS", "cox-1", 1.0, 2)]


def test_without_explanation_a_short_form_is_a_concept_of_its_own():
    doc = doc_with_abbreviation(None)
    assert get_concepts(doc.ents[1]) == [Concept("DRUG", "asa")]
    assert not doc.user_data


@pytest.mark.parametrize("form", ["dicts", "ours"])
def test_long_forms_survive_storage(form):
    docs = DocBin(docs=[doc_with_abbreviation(form)], store_user_data=True)
    (doc,) = DocBin().from_bytes(docs.to_bytes()).get_docs(Vocab())
    assert get_long_forms(doc) == {"ASA": "Acetylsalicylic acid"}


@pytest.mark.parametrize("make_serializable", [False, True])
def test_abbreviations_as_scispacy_finds_them(make_serializable):
    pytest.importorskip("scispacy.abbreviation", reason="the extra 'biomed' is not installed")
    nlp = English()
    nlp.add_pipe("abbreviation_detector", config={"make_serializable": make_serializable})
    doc = nlp("Chronic obstructive pulmonary disease (COPD) is common. COPD is severe.")
    assert get_long_forms(doc) == {"COPD": "Chronic obstructive pulmonary disease"}
    (start, *_) = [token.i for token in doc if token.text == "COPD" and token.i > 8]
    short = Span(doc, start, start + 1, label="DISEASE")
    assert get_concepts(short) == [Concept("DISEASE", "chronic obstructive pulmonary disease")]
