"""Which pairs of mentions are candidates, why the others are not, and how gold is laid on the mentions."""

import numpy
import pytest
from helpers.pipelines import make_doc
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre.annotations.mentions import get_mentions, sentence_indices
from spacy_dualre.candidates.concept_pairs import concept_pairs
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.candidates.policy import given_type_pairs

VOCAB = Vocab()


def doc_of(n_tokens, mentions, sent_starts=(0,), key="nested"):
    """Tokens t0 t1 ...; mentions (start, end, type) in a span group, so that they may be nested."""
    starts = [i in sent_starts for i in range(n_tokens)] if sent_starts else None
    doc = Doc(VOCAB, words=[f"t{i}" for i in range(n_tokens)], sent_starts=starts)
    doc.spans[key] = [Span(doc, start, end, label=type) for start, end, type in mentions]
    return doc


def pairs(doc, policy, type_pairs=None, key="nested"):
    """The candidates as ((start, end, type), (start, end, type))."""
    return [
        tuple((span.start, span.end, span.label_) for span in candidate[:2])
        for candidate in policy(doc, get_mentions(doc, key), type_pairs)
    ]


def starts(doc, policy, type_pairs=None):
    return [(subject[0], object[0]) for subject, object in pairs(doc, policy, type_pairs)]


@pytest.fixture
def three_sentences():
    """One mention in each sentence of two tokens: at 0, 2 and 4; the second sentence has another at 3."""
    return doc_of(6, [(0, 1, "A"), (2, 3, "B"), (3, 4, "A"), (4, 5, "B")], sent_starts=(0, 2, 4))


def test_same_sentence_in_both_orders(three_sentences):
    assert starts(three_sentences, entity_pairs(max_sentences=0)) == [(2, 3), (3, 2)]


def test_k_sentences_apart(three_sentences):
    apart = starts(three_sentences, entity_pairs(max_sentences=1))
    assert sorted(apart) == [(0, 2), (0, 3), (2, 0), (2, 3), (2, 4), (3, 0), (3, 2), (3, 4), (4, 2), (4, 3)]


def test_whole_document(three_sentences):
    assert len(starts(three_sentences, entity_pairs(max_sentences=None))) == 4 * 3


def test_n_tokens_between_are_counted_without_the_mentions(three_sentences):
    none_between = entity_pairs(max_sentences=None, max_tokens=0, directed=False)
    one_between = entity_pairs(max_sentences=None, max_tokens=1, directed=False)
    assert starts(three_sentences, none_between) == [(2, 3), (3, 4)]
    assert starts(three_sentences, one_between) == [(0, 2), (2, 3), (2, 4), (3, 4)]


def test_tokens_and_sentences_both_restrict(three_sentences):
    assert starts(three_sentences, entity_pairs(max_sentences=0, max_tokens=1, directed=False)) == [(2, 3)]


def test_undirected_gives_each_pair_once_first_mention_first(three_sentences):
    policy = entity_pairs(max_sentences=None, directed=False)
    assert starts(three_sentences, policy) == [(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)]


def test_given_type_pairs_restrict_the_direction(three_sentences):
    a_to_b = frozenset({("A", "B")})
    assert starts(three_sentences, entity_pairs(max_sentences=None), a_to_b) == [(0, 2), (0, 4), (3, 2), (3, 4)]


def test_undirected_takes_given_type_pairs_in_either_order(three_sentences):
    policy = entity_pairs(max_sentences=None, directed=False)
    assert starts(three_sentences, policy, frozenset({("A", "B")})) == [(0, 2), (0, 4), (2, 3), (3, 4)]
    assert policy.why_not(*get_mentions(three_sentences, "nested")[1:3], {("A", "B")}) is None


def test_type_pair_settings():
    doc = make_doc(VOCAB, [("a", "A"), ("b", "B"), ("c", "C")], [(0, "R", 1), (2, "SYM", 1)])
    assert given_type_pairs("all", doc._.rels) is None
    assert given_type_pairs([["A", "C"]], doc._.rels) == {("A", "C")}
    assert given_type_pairs("learn", doc._.rels) == {("A", "B"), ("C", "B")}
    assert given_type_pairs("learn", doc._.rels, {"SYM"}) == {("A", "B"), ("C", "B"), ("B", "C")}
    assert given_type_pairs("learn") is None


def test_nested_mentions_are_a_pair():
    doc = doc_of(3, [(0, 3, "A"), (1, 2, "B")])
    assert pairs(doc, entity_pairs(directed=False)) == [((0, 3, "A"), (1, 2, "B"))]


def test_one_span_with_two_types_is_a_pair():
    doc = doc_of(2, [(0, 1, "A"), (0, 1, "B")])
    assert pairs(doc, entity_pairs()) == [((0, 1, "A"), (0, 1, "B")), ((0, 1, "B"), (0, 1, "A"))]


def test_without_overlapping_nested_crossing_and_identical_spans_are_left_out():
    doc = doc_of(6, [(0, 3, "A"), (1, 2, "B"), (2, 4, "C"), (0, 3, "D"), (4, 5, "E")])
    kept = pairs(doc, entity_pairs(overlapping=False, directed=False))
    assert kept == [
        ((0, 3, "A"), (4, 5, "E")),
        ((0, 3, "D"), (4, 5, "E")),
        ((1, 2, "B"), (2, 4, "C")),
        ((1, 2, "B"), (4, 5, "E")),
        ((2, 4, "C"), (4, 5, "E")),
    ]


def test_without_sentence_boundaries_the_document_is_one_sentence():
    doc = doc_of(9, [(0, 1, "A"), (8, 9, "B")], sent_starts=())
    assert sentence_indices(doc) == [0] * 9
    assert starts(doc, entity_pairs(max_sentences=0)) == [(0, 8), (8, 0)]


def test_sentence_numbers():
    assert sentence_indices(doc_of(5, [], sent_starts=(0, 2, 3))) == [0, 0, 1, 2, 2]
    assert sentence_indices(Doc(VOCAB)) == []


def test_mention_across_a_sentence_boundary_belongs_to_both_sentences():
    doc = doc_of(8, [(0, 1, "A"), (1, 3, "LONG"), (3, 4, "B"), (4, 5, "C")], sent_starts=(0, 2, 4))
    assert starts(doc, entity_pairs(directed=False)) == [(0, 1), (1, 3)]
    assert (0, 3) not in starts(doc, entity_pairs())


def test_long_mention_far_in_front_is_found():
    doc = doc_of(8, [(0, 7, "LONG"), (2, 3, "A"), (6, 7, "B")], sent_starts=(0, 2, 4, 6))
    assert starts(doc, entity_pairs()) == [(0, 2), (0, 6), (2, 0), (6, 0)]


def test_many_mentions():
    one = doc_of(120, [(i, i + 1, "A") for i in range(120)])
    many = doc_of(120, [(i, i + 1, "A") for i in range(120)], sent_starts=range(0, 120, 3))
    assert len(pairs(one, entity_pairs())) == len(set(pairs(one, entity_pairs()))) == 120 * 119
    assert len(pairs(many, entity_pairs())) == 40 * 3 * 2
    assert len(pairs(many, entity_pairs(max_sentences=1))) == 40 * 3 * 2 + 39 * 3 * 3 * 2


@pytest.mark.parametrize("policy", [entity_pairs(), entity_pairs(directed=False), concept_pairs()])
def test_pairs_of_types_that_are_not_allowed_are_not_even_looked_at(policy):
    class Counted(frozenset):
        asked = 0

        def __contains__(self, pair):
            Counted.asked += 1
            return super().__contains__(pair)

    doc = doc_of(1000, [(i, i + 1, "AB"[i % 2]) for i in range(1000)])
    assert pairs(doc, policy, Counted({("C", "D")})) == []
    assert Counted.asked < 10 * 1000


def test_no_mentions_no_candidates():
    assert pairs(doc_of(3, []), entity_pairs()) == []
    assert pairs(Doc(VOCAB), entity_pairs(), key=None) == []
    assert pairs(doc_of(3, [(1, 2, "A")]), entity_pairs()) == []


@pytest.mark.parametrize(
    "policy, pair, reason",
    [
        ({}, (0, 0), "subject and object are one mention"),
        ({}, (0, 1), "other sentence"),
        ({"max_sentences": 1}, (0, 3), "more than 1 sentences apart"),
        ({"max_sentences": None, "max_tokens": 2}, (0, 3), "more than 2 tokens apart"),
        ({"max_sentences": None}, (1, 0), "type pair B|A not allowed"),
    ],
)
def test_reason_of_a_pair_that_is_no_candidate(three_sentences, policy, pair, reason):
    mentions = get_mentions(three_sentences, "nested")
    type_pairs = {("A", "B")} if "B|A" in reason else None
    said = entity_pairs(**policy).why_not(mentions[pair[0]], mentions[pair[1]], type_pairs)
    assert said == reason


def test_reason_overlapping():
    doc = doc_of(3, [(0, 3, "A"), (1, 2, "B")])
    assert entity_pairs(overlapping=False).why_not(*doc.spans["nested"], None) == "overlapping mentions"


@pytest.mark.parametrize(
    "setting, named",
    [
        ({"max_sentences": -1}, "max_sentences"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"type_pairs": "some"}, "type_pairs"),
        ({"type_pairs": [["A"]]}, "type_pairs"),
        ({"type_pairs": [["A", "B", "C"]]}, "type_pairs"),
        ({"type_pairs": ["AB"]}, "type_pairs"),
    ],
)
def test_bad_setting_is_named(setting, named):
    with pytest.raises(ValueError, match=f"'{named}'.*{next(iter(setting.values()))!r}".replace("[", r"\[")):
        entity_pairs(**setting)


def test_mentions_of_a_span_group_are_distinct_and_in_text_order():
    doc = doc_of(5, [(3, 4, "A"), (0, 2, "B"), (3, 4, "A"), (0, 1, "A"), (0, 1, "B")])
    found = [(span.start, span.end, span.label_) for span in get_mentions(doc, "nested")]
    assert found == [(0, 1, "A"), (0, 1, "B"), (0, 2, "B"), (3, 4, "A")]


def test_mentions_come_from_the_entities_or_the_named_group():
    doc = make_doc(VOCAB, [("a", "A"), ("b", "")])
    doc.spans["other"] = [doc[1:2]]
    assert [span.text for span in get_mentions(doc, None)] == ["a"]
    assert [span.text for span in get_mentions(doc, "other")] == ["b"]
    assert [span.text for span in get_mentions(doc, "missing")] == ["a"]


def test_pairs_are_equal_over_other_tokens():
    reference = Doc(VOCAB, words=["New", "York", "hosts", "UN"])
    predicted = Doc(VOCAB, words=["New York", "hosts", "UN"])
    on_reference = Span(reference, 0, 2, label="GPE"), Span(reference, 3, 4, label="ORG")
    on_predicted = Span(predicted, 0, 1, label="GPE"), Span(predicted, 2, 3, label="ORG")
    policy = entity_pairs()
    assert policy.pairs(*on_reference) == policy.pairs(*on_predicted) == [((0, 8, "GPE"), (15, 17, "ORG"))]
    assert policy.pairs(*on_reference) != policy.pairs(*reversed(on_reference))
    assert [candidate.about for candidate in policy(predicted, on_predicted, None)] == [
        *policy.pairs(*on_reference),
        *policy.pairs(*reversed(on_reference)),
    ]


def test_each_pair_of_mentions_is_decided_by_itself():
    doc = doc_of(4, [(0, 1, "A"), (2, 3, "B")])
    candidates = list(entity_pairs()(doc, get_mentions(doc, "nested"), None))
    odds = numpy.zeros((2, 3))
    pooled, rows = entity_pairs().pool(candidates, odds)
    assert len(candidates) == 2 and pooled == candidates and rows is odds


@st.composite
def documents(draw):
    n_tokens = draw(st.integers(1, 12))
    mention = st.tuples(st.integers(0, n_tokens - 1), st.integers(1, 6), st.sampled_from("AB"))
    mentions = [
        (start, min(start + length, n_tokens), type) for start, length, type in draw(st.lists(mention, max_size=6))
    ]
    starts = draw(st.sets(st.integers(0, n_tokens - 1)))
    return doc_of(n_tokens, mentions, sent_starts={0, *starts})


POLICIES = st.builds(
    entity_pairs,
    max_sentences=st.none() | st.integers(0, 3),
    max_tokens=st.none() | st.integers(0, 5),
    directed=st.booleans(),
    overlapping=st.booleans(),
)
TYPE_PAIRS = st.none() | st.frozensets(st.tuples(st.sampled_from("AB"), st.sampled_from("AB")))


def is_candidate(doc, policy, type_pairs, subject, object):
    """The settings' meaning, token by token."""
    sentence = [number for number, sent in enumerate(doc.sents) for _ in sent]
    s, o = set(range(subject.start, subject.end)), set(range(object.start, object.end))
    apart = min(abs(sentence[i] - sentence[j]) for i in s for j in o)
    between = min(abs(i - j) for i in s for j in o) - 1
    allowed = {(subject.label_, object.label_)}
    if not policy.directed:
        allowed.add((object.label_, subject.label_))
    return (
        (type_pairs is None or bool(allowed & type_pairs))
        and (policy.max_sentences is None or apart <= policy.max_sentences)
        and (policy.max_tokens is None or between <= policy.max_tokens)
        and (policy.overlapping or not s & o)
    )


@given(documents(), POLICIES, TYPE_PAIRS)
@settings(max_examples=100, deadline=None)
def test_candidates_are_the_pairs_that_the_settings_mean(doc, policy, type_pairs):
    mentions = get_mentions(doc, "nested")
    numbered = [
        (i, j) for i in range(len(mentions)) for j in range(len(mentions)) if i != j and (policy.directed or i < j)
    ]
    expected = [
        (mentions[i], mentions[j])
        for i, j in numbered
        if is_candidate(doc, policy, type_pairs, mentions[i], mentions[j])
    ]
    assert [candidate[:2] for candidate in policy(doc, mentions, type_pairs)] == expected


@given(documents(), POLICIES, TYPE_PAIRS)
@settings(max_examples=100, deadline=None)
def test_a_pair_has_a_reason_exactly_if_it_is_no_candidate(doc, policy, type_pairs):
    mentions = get_mentions(doc, "nested")
    assume(len(mentions) > 1)
    found = {frozenset(pair) if not policy.directed else pair for pair in pairs(doc, policy, type_pairs)}
    for subject in mentions:
        for object in mentions:
            pair = tuple((span.start, span.end, span.label_) for span in (subject, object))
            key = frozenset(pair) if not policy.directed else pair
            assert (policy.why_not(subject, object, type_pairs) is None) == (key in found)
