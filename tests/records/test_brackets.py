"""Mentions in brackets."""

import pytest

from spacy_dualre.records.brackets import read_brackets


def test_mentions_and_text():
    record = read_brackets("Née [Marie Skłodowska | PERSON], [ she] left [Warsaw|] in 1891 (a|b).")
    assert record.text == "Née Marie Skłodowska ,  she left Warsaw in 1891 (a|b)."
    found = [(record.covered(mention), mention.type) for mention in record.mentions]
    assert found == [("Marie Skłodowska", "PERSON"), ("she", "ENTITY"), ("Warsaw", "ENTITY")]
    assert not record.dropped


@pytest.mark.parametrize("text", ["", "No mentions, a|b."])
def test_a_text_without_brackets(text):
    record = read_brackets(text)
    assert record.text == text and record.mentions == []


@pytest.mark.parametrize(
    "text, offset",
    [
        ("[Curie", 0),
        ("Curie]", 5),
        ("[a] and [b", 8),
        ("[the [Nobel] Prize]", 0),
        ("[a]]", 3),
        ("a [] b", 2),
        ("a [ |X] b", 2),
        ("[a|X|Y]", 0),
        ("[" * 50_000 + " " * 50_000, 0),
    ],
    ids=lambda value: str(value)[:20],
)
def test_brackets_that_mark_no_mention(text, offset):
    with pytest.raises(ValueError, match=rf"DR311.*Character {offset}, "):
        read_brackets(text)
