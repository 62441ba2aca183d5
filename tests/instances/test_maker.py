"""What the model reads of a candidate: the window around it, and the descriptions adapted to it."""

from typing import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre import Candidate
from spacy_dualre.candidates.policy import mention_pairs
from spacy_dualre.instances.descriptions import adapt, parse_descriptions
from spacy_dualre.instances.maker import InstanceMaker
from spacy_dualre.types import Mark

VOCAB = Vocab()
TEXTS = {
    "no_relation": "{subject} is not near {object}.",
    "PART_OF": ["{subject} is a part of {object}.", "{object} has {subject}."],
    "ONLY_BA": {"B|A": "{subject} and {object}."},
}


def doc_of(n_tokens, sent_starts: Sequence[int] = (0,), spaces=None):
    starts = [i in sent_starts for i in range(n_tokens)] if sent_starts else None
    return Doc(VOCAB, words=[f"t{i}" for i in range(n_tokens)], sent_starts=starts, spaces=spaces)


def candidate(doc, subject, object):
    spans = [Span(doc, start, end, label=type) for start, end, type in (subject, object)]
    return Candidate(*spans, *mention_pairs(*spans))


def make(candidates, context=0, mode="adapted"):
    return InstanceMaker(list(TEXTS), parse_descriptions(TEXTS), context, mode)(candidates)


def window(doc, subject, object, context):
    """The words of the window, and the core's."""
    text = make([candidate(doc, (*subject, "A"), (*object, "B"))], context)[0].text
    words = [word.strip() for word in text.words]
    assert words == [token.text for token in doc]
    return words[slice(*text.window)], words[slice(*text.core)]


def tokens(start, end):
    return [f"t{i}" for i in range(start, end)]


SENTENCES = doc_of(12, (0, 4, 8))


def test_without_context_the_sentence_is_read():
    assert window(SENTENCES, (4, 5), (7, 8), 0) == (tokens(4, 8), tokens(4, 8))


def test_context_is_filled_up_half_on_each_side():
    assert window(SENTENCES, (4, 5), (7, 8), 8) == (tokens(2, 10), tokens(4, 8))


def test_odd_word_of_context_comes_after():
    assert window(SENTENCES, (4, 5), (7, 8), 7) == (tokens(3, 10), tokens(4, 8))


def test_sentence_as_long_as_the_context_or_longer_gets_none():
    assert window(SENTENCES, (4, 5), (7, 8), 4)[0] == window(SENTENCES, (4, 5), (7, 8), 3)[0] == tokens(4, 8)


def test_context_ends_with_the_document():
    assert window(SENTENCES, (0, 1), (1, 2), 8) == (tokens(0, 6), tokens(0, 4))
    assert window(SENTENCES, (8, 9), (9, 10), 8) == (tokens(6, 12), tokens(8, 12))
    assert window(SENTENCES, (4, 5), (7, 8), 100) == (tokens(0, 12), tokens(4, 8))


def test_core_reaches_from_the_first_mentions_sentence_to_the_lasts():
    assert window(SENTENCES, (9, 10), (5, 6), 0) == (tokens(4, 12), tokens(4, 12))
    assert window(SENTENCES, (0, 1), (9, 10), 4) == (tokens(0, 12), tokens(0, 12))


def test_core_holds_a_mention_across_two_sentences():
    assert window(SENTENCES, (3, 5), (1, 2), 0) == (tokens(0, 8), tokens(0, 8))
    assert window(SENTENCES, (3, 9), (4, 5), 0) == (tokens(0, 12), tokens(0, 12))


def test_without_sentence_boundaries_the_document_is_read():
    assert window(doc_of(9, ()), (2, 3), (5, 6), 0) == (tokens(0, 9), tokens(0, 9))


def test_very_long_sentence_is_cut_far_from_the_mentions():
    words, core = window(doc_of(3000, ()), (1500, 1501), (1600, 1601), 100)
    assert words == core
    assert 0 < int(words[0][1:]) < 1500 - 300 and 1601 + 300 < int(words[-1][1:]) < 2999


def test_marks_are_on_the_mentions_words():
    text = make([candidate(SENTENCES, (6, 8, "A"), (4, 5, "B"))], 8)[0].text
    assert text.marks == (Mark("S", "A", 6, 8), Mark("O", "B", 4, 5))
    assert [word.strip() for word in text.words[6:8]] == ["t6", "t7"]


def test_candidates_of_a_document_share_its_words():
    pairs = [candidate(SENTENCES, (4, 5, "A"), (6, 7, "B")), candidate(SENTENCES, (9, 10, "A"), (10, 11, "B"))]
    one, other = make(pairs)
    assert one.text.words is other.text.words and one.text.window != other.text.window


def test_words_with_their_blanks_are_the_text():
    doc = Doc(VOCAB, words=["Beta", "-", "blockers", "(", "all", ")", "."], spaces=[0, 0, 1, 0, 0, 0, 0])
    text = make([candidate(doc, (0, 3, "A"), (4, 5, "B"))])[0].text
    assert text.words == ("Beta", "-", "blockers", " (", "all", ")", ".")
    assert "".join(text.words) == doc.text


@st.composite
def windows(draw):
    n = draw(st.integers(2, 20))
    starts = {0, *draw(st.sets(st.integers(0, n - 1), max_size=5))}
    doc = doc_of(n, starts, draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    bounds = [sorted(draw(st.sets(st.integers(0, n), min_size=2, max_size=2))) for _ in range(2)]
    return candidate(doc, (*bounds[0], "A"), (*bounds[1], "B")), draw(st.integers(0, 30))


@given(windows())
@settings(max_examples=100, deadline=None)
def test_window_is_the_sentences_and_their_context_with_both_mentions_inside(drawn):
    pair, context = drawn
    doc = pair.subject.doc
    text = make([pair], context)[0].text
    first = doc[min(pair.subject.start, pair.object.start)].sent.start
    last = doc[max(pair.subject.end, pair.object.end) - 1].sent.end
    spare = max(context - (last - first), 0)
    start, end = max(first - spare // 2, 0), min(last + (spare + 1) // 2, len(doc))
    assert "".join(text.words[slice(*text.window)]).strip() == doc[start:end].text.strip()
    assert text.window == (start, end) and text.core == (first, last)
    for span, mark in zip(pair[:2], text.marks, strict=True):
        assert "".join(text.words[mark.start : mark.end]).strip() == span.text


def read(instance):
    return ["".join(adapt(text).words) for templates in instance.descriptions for text in templates]


def test_descriptions_hold_the_mentions():
    instance = make([candidate(SENTENCES, (6, 8, "A"), (4, 5, "B"))])[0]
    assert read(instance) == ["t6 t7 is not near t4.", "t6 t7 is a part of t4.", "t4 has t6 t7."]


def test_descriptions_are_equal_wherever_their_mentions_stand():
    doc = Doc(VOCAB, words=["x", "y", "(", "x", "y", "z", "y"], spaces=[1, 1, 0, 1, 1, 1, 0])
    pairs = [
        candidate(doc, subject, object)
        for subject, object in [
            ((0, 1, "A"), (1, 2, "B")),
            ((3, 4, "A"), (4, 5, "B")),
            ((3, 4, "A"), (6, 7, "B")),
            ((0, 1, "A"), (4, 6, "B")),
        ]
    ]
    first, *others = [instance.descriptions for instance in make(pairs)]
    assert [other == first for other in others] == [True, True, False]
    assert read(make(pairs)[3])[0] == "x is not near y z."


def test_one_description_tuple_for_each_predicate_empty_where_impossible():
    a_b, b_a = make([candidate(SENTENCES, (4, 5, "A"), (6, 7, "B")), candidate(SENTENCES, (6, 7, "B"), (4, 5, "A"))])
    assert [len(templates) for templates in a_b.descriptions] == [1, 2, 0]
    assert [len(templates) for templates in b_a.descriptions] == [1, 2, 1]
    assert read(b_a)[-1] == "t6 and t4."


def test_descriptions_mark_roles_and_types():
    instance = make([candidate(SENTENCES, (6, 8, "A"), (4, 5, "B"))])[0]
    assert adapt(instance.descriptions[0][0]).marks == (Mark("S", "A", 0, 2), Mark("O", "B", 5, 6))
    assert adapt(instance.descriptions[1][1]).marks == (Mark("O", "B", 0, 1), Mark("S", "A", 2, 4))


@pytest.mark.parametrize("subject, object", [((0, 3, "A"), (1, 2, "B")), ((1, 2, "B"), (0, 3, "A"))])
def test_nested_mentions_words_are_its_own(subject, object):
    doc = Doc(VOCAB, words=["tumour", "necrosis", "factor"])
    names = {(0, 3, "A"): "tumour necrosis factor", (1, 2, "B"): "necrosis"}
    instance = make([candidate(doc, subject, object)])[0]
    assert read(instance)[0] == f"{names[subject]} is not near {names[object]}."
    assert len(adapt(instance.descriptions[0][0]).marks) == 2
    assert {(mark.start, mark.end) for mark in instance.text.marks} == {(0, 3), (1, 2)}


def test_static_descriptions_hold_the_types_words():
    instance = make([candidate(SENTENCES, (6, 8, "GeneProduct"), (4, 5, "B"))], mode="static")[0]
    assert read(instance) == ["gene product is not near b.", "gene product is a part of b.", "b has gene product."]
    assert adapt(instance.descriptions[0][0]).marks == (Mark("S", "GeneProduct", 0, 2), Mark("O", "B", 5, 6))


def test_label_descriptions_hold_the_types_words_and_the_predicates_name():
    a_b, b_a = make(
        [candidate(SENTENCES, (4, 5, "A"), (6, 7, "B")), candidate(SENTENCES, (6, 7, "B"), (4, 5, "A"))], mode="label"
    )
    assert read(a_b) == ["a no relation b", "a part of b"]
    assert [len(templates) for templates in a_b.descriptions] == [1, 1, 0]
    assert read(b_a) == ["b no relation a", "b part of a", "b only ba a"]


@pytest.mark.parametrize("mode", ["adapted", "static", "label"])
def test_text_is_the_same_in_every_mode(mode):
    pair = candidate(SENTENCES, (6, 8, "A"), (4, 5, "B"))
    assert make([pair], 8, mode)[0].text == make([pair], 8)[0].text


def test_instances_come_in_order_over_several_documents():
    other = Doc(VOCAB, words=["one", "two", "three"])
    pairs = [
        candidate(SENTENCES, (4, 5, "A"), (6, 7, "B")),
        candidate(other, (0, 1, "A"), (2, 3, "B")),
        candidate(SENTENCES, (6, 7, "A"), (4, 5, "B")),
    ]
    alone = [make([pair], 8)[0] for pair in pairs]
    assert make(pairs, 8) == alone
    assert [read(instance)[0] for instance in alone] == [
        "t4 is not near t6.",
        "one is not near three.",
        "t6 is not near t4.",
    ]


def test_no_candidates_no_instances():
    assert make([]) == []
