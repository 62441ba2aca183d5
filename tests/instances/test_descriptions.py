"""Predicate descriptions: what is valid, which template is chosen, and how a candidate's mentions fill it."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.instances.descriptions import (
    adapt,
    add_named,
    choose_templates,
    parse_descriptions,
    plain_template,
    read_descriptions,
)
from spacy_dualre.types import Description, Mark

GOOD = "{subject} binds {object}."


def adapted(text, subject=("COX", "-", "1"), object=(" acetyl", " aspirin")):
    return adapt(Description(parse_descriptions({"R": text})["R"]["*"][0], subject, "GENE", object, "DRUG"))


@pytest.mark.parametrize(
    "value, problem",
    [
        ("{subject} only", "lacks {object}"),
        ("only {object}", "lacks {subject}"),
        ("no placeholder", "lacks {subject}"),
        ("{subject} {object} {other}", "unknown placeholder {other}"),
        ("{Subject} {object}", "unknown placeholder {Subject}"),
        ("{subject} {} {object}", "unknown placeholder {}"),
        ("", "is not a text"),
        ("  ", "is not a text"),
        (["{subject} {object}", ""], "is not a text"),
        ([GOOD, 3], "3 is not a text"),
        ([], "[] is neither a template nor a list of templates"),
        (None, "None is neither a template nor a list of templates"),
        (7, "7 is neither a template nor a list of templates"),
        ({}, "has an empty description"),
        ({"A|B": None}, "None is neither a template nor a list of templates"),
        ({"A|B": {"C|D": GOOD}}, "is neither a template nor a list of templates"),
        ({"A": GOOD}, "'A' is not of the form"),
        ({"A|B|C": GOOD}, "'A|B|C' is not of the form"),
        ({"A|B": "{subject}"}, "lacks {object}"),
    ],
)
def test_bad_description_names_predicate_and_problem(value, problem):
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        parse_descriptions({"FINE": GOOD, "BINDS_TO": value})
    assert "'BINDS_TO'" in str(caught.value) and "FINE" not in str(caught.value)


@pytest.mark.parametrize("value, kind", [([GOOD], "list"), (GOOD, "str"), (None, "NoneType")])
def test_descriptions_must_be_an_object(value, kind):
    with pytest.raises(ValueError, match=f"JSON object .* not {kind}"):
        parse_descriptions(value)


def test_parsed_templates_are_cut_at_the_placeholders():
    parsed = parse_descriptions({"R": "So {subject}, {object}", "Q": [GOOD, "{object}{subject}"], "P": {"A|B": GOOD}})
    cut = ("{subject}", " binds ", "{object}", ".")
    assert parsed == {
        "R": {"*": (("So ", "{subject}", ", ", "{object}"),)},
        "Q": {"*": (cut, ("{object}", "{subject}"))},
        "P": {"A|B": (cut,)},
    }


def chosen(texts, subject_type, object_type, labels=None):
    descriptions = parse_descriptions(texts)
    return [
        ["".join(template) for template in templates]
        for templates in choose_templates(descriptions, labels or list(texts), subject_type, object_type)
    ]


BY_TYPES = {
    "ANY": "{subject} any {object}",
    "SOME": {"A|B": ["{subject} ab {object}", "{subject} too {object}"], "*": "{subject} other {object}"},
    "ONE": {"A|B": "{subject} one {object}"},
}


def test_template_of_the_type_pair_is_chosen():
    assert chosen(BY_TYPES, "A", "B") == [
        ["{subject} any {object}"],
        ["{subject} ab {object}", "{subject} too {object}"],
        ["{subject} one {object}"],
    ]


def test_star_stands_for_every_other_pair_and_without_it_the_predicate_is_impossible():
    other = [["{subject} any {object}"], ["{subject} other {object}"], []]
    assert chosen(BY_TYPES, "B", "A") == chosen(BY_TYPES, "A", "A") == other


def test_templates_come_in_the_order_of_the_labels():
    assert chosen(BY_TYPES, "A", "B", ["ONE", "ANY"]) == [["{subject} one {object}"], ["{subject} any {object}"]]


def test_mentions_stand_in_the_placeholders_marked():
    text = adapted("The {subject} binds {object}.")
    assert text.words == ("The", " COX", "-", "1", " binds", " acetyl", " aspirin", ".")
    assert text.marks == (Mark("S", "GENE", 1, 4), Mark("O", "DRUG", 5, 7))
    assert text.core == text.window == (0, 8)


def test_first_word_takes_the_blank_of_the_template():
    assert "".join(adapted("({subject}/{object})").words) == "(COX-1/acetyl aspirin)"
    assert "".join(adapted("{object} {subject}").words) == "acetyl aspirin COX-1"
    assert "".join(adapted("{subject}{object}").words) == "COX-1acetyl aspirin"
    assert "".join(adapted("if {subject}{object}").words) == "if COX-1acetyl aspirin"


def test_white_space_of_any_kind_becomes_one_blank():
    assert "".join(adapted("{subject}\n\t binds   to  {object}").words) == "COX-1 binds to acetyl aspirin"


def test_each_of_a_repeated_placeholder_is_filled_and_marked():
    text = adapted("{object}: {subject} or {object}?")
    assert "".join(text.words) == "acetyl aspirin: COX-1 or acetyl aspirin?"
    assert [(mark.role, "".join(text.words[mark.start : mark.end])) for mark in text.marks] == [
        ("O", "acetyl aspirin"),
        ("S", " COX-1"),
        ("O", " acetyl aspirin"),
    ]


def test_the_same_words_may_fill_both():
    text = adapted(GOOD, subject=("x",), object=("x",))
    assert text.words == ("x", " binds", " x", ".")
    assert text.marks == (Mark("S", "GENE", 0, 1), Mark("O", "DRUG", 2, 3))


LITERALS = st.text("ab., ()", max_size=6)
MENTIONS = st.lists(st.sampled_from(["x", " y", "-"]), min_size=1, max_size=3).map(tuple)


@given(LITERALS, LITERALS, LITERALS, st.booleans(), MENTIONS, MENTIONS)
@settings(max_examples=100, deadline=None)
def test_adapted_words_read_as_the_filled_template(before, between, after, turned, subject, object):
    first, second = ("{object}", "{subject}") if turned else ("{subject}", "{object}")
    template = before + first + between + second + after
    text = adapted(template, subject, object)
    filled = {"{subject}": "".join(subject).lstrip(), "{object}": "".join(object).lstrip()}
    read = re.sub(r"\{\w+\}", lambda match: filled[match.group()], re.sub(" +", " ", template))
    assert "".join(text.words) == read.rstrip()
    for mark in text.marks:
        words = "".join(text.words[mark.start : mark.end]).lstrip()
        assert words == filled["{subject}" if mark.role == "S" else "{object}"]


@pytest.mark.parametrize("label", ["PART_OF", "CPR:3", "Used-for", "--", "a{b}c"])
def test_plain_template_is_valid_and_says_the_name(label):
    assert "".join(adapted(plain_template("PART_OF")).words) == "COX-1 has the relation part of to acetyl aspirin."
    parse_descriptions({label: plain_template(label)})


def test_plain_template_of_the_negative_predicate():
    negative = adapted(plain_template("no_relation", negative=True))
    assert "".join(negative.words) == "There is no relation between COX-1 and acetyl aspirin."


def test_read_descriptions_gives_what_the_file_says(tmp_path):
    texts = {"Wirkt_auf": "{subject} wirkt auf {object}: größer.", "P": {"A|B": [GOOD], "*": GOOD}}
    path = tmp_path / "descriptions.json"
    path.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf8")
    assert read_descriptions(path) == read_descriptions(str(path)) == texts
    assert read_descriptions(path, without=["P", "Q"]) == {"Wirkt_auf": texts["Wirkt_auf"]}


@pytest.mark.parametrize(
    "content, problem",
    [
        (None, "No such file"),
        (b"{", "Expecting"),
        (b'{"R": "\xff {subject} {object}"}', "utf-8"),
        (b"[]", "not list"),
        (b'{"R": "{subject}"}', "'R'"),
    ],
)
def test_read_descriptions_names_the_file_and_the_problem(tmp_path, content, problem):
    path = tmp_path / "descriptions.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=problem) as caught:
        read_descriptions(path)
    assert str(path) in str(caught.value)


def test_named_predicates():
    template = "{object}, born {subject}, is-a child!"
    assert add_named({"BINDS": GOOD}, [" born in ", "PART_OF", template, "{subject} / {object}"]) == {
        "BINDS": GOOD,
        "born in": "{subject} has the relation born in to {object}.",
        "PART_OF": "{subject} has the relation part of to {object}.",
        "born is a child": template,
        "{subject} / {object}": "{subject} / {object}",
    }


@pytest.mark.parametrize("names", [[""], ["won", " "], ["won", "won "], ["BINDS"], ["won", "{subject} won {object}."]])
def test_names_must_differ_and_not_be_empty(names):
    with pytest.raises(ValueError, match="DR049.*'BINDS'"):
        add_named({"BINDS": GOOD}, names)
