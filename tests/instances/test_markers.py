"""Typed markers: their names, their words, and the order in which they stand."""

import pytest

from spacy_dualre.instances.markers import marker_events, marker_tokens, marker_words, markers, type_words
from spacy_dualre.types import Mark


def marked(words, *marks):
    """The words with the markers between them."""
    events = list(marker_events(marks))
    pieces = []
    for position in range(len(words) + 1):
        pieces += [token for at, token in events if at == position] + list(words[position : position + 1])
    return " ".join(pieces)


def test_marker_names():
    assert markers("S", "GENE") == ("<S:GENE>", "</S:GENE>")


def test_marker_tokens_do_not_depend_on_the_order_of_the_types():
    tokens = ["<S:A>", "</S:A>", "<O:A>", "</O:A>", "<S:B>", "</S:B>", "<O:B>", "</O:B>"]
    assert marker_tokens(["B", "A", "B"]) == marker_tokens(["A", "B"]) == tokens


def test_marker_words_say_what_the_token_at_the_same_place_means():
    types = ["GeneProduct", "CHEMICAL"]
    said = dict(zip(marker_tokens(types), marker_words(types), strict=True))
    assert said == {
        "<S:CHEMICAL>": "subject chemical",
        "</S:CHEMICAL>": "end of subject chemical",
        "<O:CHEMICAL>": "object chemical",
        "</O:CHEMICAL>": "end of object chemical",
        "<S:GeneProduct>": "subject gene product",
        "</S:GeneProduct>": "end of subject gene product",
        "<O:GeneProduct>": "object gene product",
        "</O:GeneProduct>": "end of object gene product",
    }
    assert len(marker_words(types)) == len(marker_tokens(types))


@pytest.mark.parametrize(
    "name, words",
    [
        ("GENE", "gene"),
        ("GeneOrGeneProduct", "gene or gene product"),
        ("PART_OF", "part of"),
        ("CPR:3", "cpr 3"),
        ("Used-for", "used for"),
        ("__part__of__", "part of"),
        ("Component-Whole(e2,e1)", "component whole e2 e1"),
        ("--", "--"),
        ("", "entity"),
    ],
)
def test_type_words(name, words):
    assert type_words(name) == words


@pytest.mark.parametrize("name, words", [("Behörde", "behörde"), ("TEIL_FÜR", "teil für"), ("化学_物質", "化学 物質")])
def test_type_words_keep_letters_of_every_alphabet(name, words):
    assert type_words(name) == words


def test_markers_around_two_mentions():
    text = marked(["a", "b", "c", "d"], Mark("S", "X", 2, 4), Mark("O", "Y", 0, 1))
    assert text == "<O:Y> a </O:Y> b <S:X> c d </S:X>"


def test_end_comes_before_start_where_mentions_touch():
    assert marked(["a", "b"], Mark("S", "X", 1, 2), Mark("O", "Y", 0, 1)) == "<O:Y> a </O:Y> <S:X> b </S:X>"


@pytest.mark.parametrize("turned", [False, True])
def test_subject_comes_first_on_a_tie(turned):
    marks = [Mark("S", "Z", 0, 1), Mark("O", "A", 0, 1)]
    assert marked(["a"], *(marks[::-1] if turned else marks)) == "<S:Z> <O:A> a </S:Z> </O:A>"


def test_same_start_and_same_end_of_nested_mentions():
    assert marked(["a", "b"], Mark("S", "X", 0, 1), Mark("O", "Y", 0, 2)) == "<S:X> <O:Y> a </S:X> b </O:Y>"
    assert marked(["a", "b"], Mark("S", "X", 1, 2), Mark("O", "Y", 0, 2)) == "<O:Y> a <S:X> b </S:X> </O:Y>"


def test_a_mention_marked_twice():
    text = marked(["a", "b", "c"], Mark("S", "X", 0, 1), Mark("O", "Y", 1, 2), Mark("S", "X", 2, 3))
    assert text == "<S:X> a </S:X> <O:Y> b </O:Y> <S:X> c </S:X>"
