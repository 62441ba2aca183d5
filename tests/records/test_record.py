"""The record: what is added, what is dropped, why and where."""

from pathlib import Path
from typing import Any, List, Tuple

import pytest
from helpers.damage import assert_sound
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.records.record import (
    Dropped,
    MentionRecord,
    Place,
    Record,
    RelationRecord,
)

PLACE = Place(Path("made-up.txt"), 3)
OTHER = Place(Path("relations.txt"), 8)
TEXT = "Yeti built\u00a0 igloos"


def make(*mentions: Tuple[str, int, int]) -> Record:
    record = Record("d1", TEXT, PLACE)
    for id, start, end in mentions:
        record.add_mention(MentionRecord(id, "X", start, end))
    return record


def reasons(record: Record) -> List[Tuple[str, str]]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


@pytest.mark.parametrize(
    "place, text",
    [(Place(Path("a.txt"), 7), "a.txt, line 7"), (Place(Path("a.txt")), "a.txt"), (Place(Path("a.txt"), 0), "a.txt")],
)
def test_a_place_reads_well(place: Place, text: str) -> None:
    assert str(place) == text


def test_an_error_names_file_and_line() -> None:
    assert str(Place(Path("a.txt"), 7).error("{where}: {what}", what="odd")) == "a.txt, line 7: odd"
    assert str(Place(Path("a.txt")).error("{where}: odd")) == "a.txt: odd"


def test_mentions_are_added_as_they_are() -> None:
    record = Record("d1", TEXT, PLACE)
    mentions = [
        MentionRecord("T2", "X", 12, 18, ("C1", "C2")),
        MentionRecord("T1", "X", 0, 4),
        MentionRecord("T3", "Y", 0, 18, parts=((0, 4), (12, 18))),
        MentionRecord("T4", "X", 0, 4),
    ]
    for mention in mentions:
        record.add_mention(mention, text=TEXT[mention.start : mention.end])
    assert record.mentions == mentions and not record.dropped and not record.notes


@pytest.mark.parametrize(
    "start, end, why",
    [
        (-4, 4, "offsets outside of the text"),
        (-4, -1, "offsets outside of the text"),
        (0, 19, "offsets outside of the text"),
        (18, 19, "offsets outside of the text"),
        (99, 100, "offsets outside of the text"),
        (4, 4, "offsets outside of the text"),
        (4, 0, "offsets outside of the text"),
        (10, 12, "nothing but blanks"),
        (10, 11, "nothing but blanks"),
    ],
)
def test_a_mention_without_characters_is_dropped(start: int, end: int, why: str) -> None:
    record = make(("T1", start, end))
    assert record.mentions == []
    where = f"made-up.txt, line 3, document d1, mention T1 ({start} to {end})"
    assert record.dropped == [Dropped("mention", why, where)]


@pytest.mark.parametrize("text", ["yeti", "", "eti", "Yeti e"])
def test_a_mention_of_another_text_is_dropped(text: str) -> None:
    record = Record("d1", TEXT, PLACE)
    record.add_mention(MentionRecord("T1", "X", 0, 4), OTHER, text=text)
    where = "relations.txt, line 8, document d1, mention T1 (0 to 4)"
    assert record.dropped == [Dropped("mention", "offsets do not match the text", where)] and not record.mentions


@pytest.mark.parametrize("text", ["eats moss", "eats\nmoss ", "eatsmoss", "eats [...] moss"])
def test_blanks_and_ellipses_of_a_text_are_not_compared(text: str) -> None:
    record = Record("d1", "Yeti eats\u2028moss.", PLACE)
    record.add_mention(MentionRecord("T1", "X", 5, 14), text=text)
    assert record.mentions == [MentionRecord("T1", "X", 5, 14)] and not record.notes


@pytest.mark.parametrize(
    "text, said, same",
    [
        ("IL-β", "IL-b", True),
        ("IL–β", "IL-beta", True),
        ("Δ9", "Delta9", True),
        ("α", "a", True),
        ("naïve", "naive", True),
        ("naïve", "nasty", False),
        ("naïve", "natïv", False),
        ("собака", "собаки", False),
        ("细胞", "IL", False),
        ("beta", "betb", False),
    ],
)
def test_a_text_in_ascii_stands_for_other_characters(text: str, said: str, same: bool) -> None:
    record = Record("d1", text, PLACE)
    record.add_mention(MentionRecord("T1", "X", 0, len(text)), text=said)
    assert bool(record.mentions) == same and bool(record.dropped) != same
    assert sum(record.notes.values()) == same


def test_a_mention_without_type_is_dropped() -> None:
    record = Record("d1", TEXT, PLACE)
    record.add_mention(MentionRecord("T1", "", 0, 4))
    assert reasons(record) == [("mention", "no type")] and not record.mentions


def test_of_two_mentions_with_one_id_the_first_stays() -> None:
    record = make(("T1", 0, 4), ("T1", 5, 10), ("T2", 12, 18))
    assert [(mention.id, mention.start) for mention in record.mentions] == [("T1", 0), ("T2", 12)]
    assert reasons(record) == [("mention", "id occurs twice")]
    record.add_relation(RelationRecord("R", "T1", "T2"))
    assert len(record.relations) == 1


def test_the_id_of_a_dropped_mention_is_taken_too() -> None:
    record = make(("T1", 0, 99), ("T1", 0, 4))
    assert record.mentions == []
    assert reasons(record) == [("mention", "offsets outside of the text"), ("mention", "id occurs twice")]


@pytest.mark.parametrize(
    "start, end, expected", [(4, 10, (5, 10)), (5, 11, (5, 10)), (5, 12, (5, 10)), (4, 12, (5, 10)), (10, 18, (12, 18))]
)
def test_blanks_at_the_ends_are_cut_off_and_noted(start: int, end: int, expected: Tuple[int, int]) -> None:
    record = Record("d1", TEXT, PLACE)
    record.add_mention(MentionRecord("T1", "X", start, end, ("C",)), text=TEXT[start:end])
    assert record.mentions == [MentionRecord("T1", "X", *expected, ("C",))]
    assert record.notes == {"blanks cut off at the ends of a mention": 1} and not record.dropped


def test_parts_lose_the_same_blanks() -> None:
    record = Record("d1", TEXT, PLACE)
    record.add_mention(MentionRecord("T1", "X", 4, 12, parts=((4, 7), (9, 12))))
    assert record.mentions == [MentionRecord("T1", "X", 5, 10, parts=((5, 7), (9, 10)))]


@pytest.mark.parametrize("start, end, why", [(0, 4, "pieces overlap"), (0, 99, "offsets outside of the text")])
def test_a_reader_may_have_a_reason_of_its_own(start: int, end: int, why: str) -> None:
    record = Record("d1", TEXT, PLACE)
    record.add_mention(MentionRecord("T1", "X", start, end), why="pieces overlap")
    assert reasons(record) == [("mention", why)] and not record.mentions


def test_relations_between_mentions_are_added() -> None:
    record = make(("T1", 0, 4), ("T2", 12, 18))
    rels = [RelationRecord("R", "T1", "T2", 0.5), RelationRecord("R", "T2", "T1"), RelationRecord("R", "T1", "T1")]
    for rel in [*rels, rels[0]]:
        record.add_relation(rel)
    assert record.relations == [*rels, rels[0]] and not record.dropped


@pytest.mark.parametrize(
    "rel, why",
    [
        (("R", "T1", "T9"), "unknown argument"),
        (("R", "T9", "T1"), "unknown argument"),
        (("R", "T1", ""), "unknown argument"),
        (("R", "T1", "T3"), "argument was dropped"),
        (("R", "T3", "T9"), "argument was dropped"),
        (("", "T1", "T2"), "no predicate"),
    ],
)
def test_a_relation_that_cannot_be_is_dropped(rel: Any, why: str) -> None:
    record = make(("T1", 0, 4), ("T2", 12, 18), ("T3", 0, 99))
    record.add_relation(RelationRecord(*rel), OTHER)
    where = f"relations.txt, line 8, document d1, relation {rel[0]} of {rel[1]} and {rel[2]}"
    assert record.relations == [] and record.dropped[1:] == [Dropped("relation", why, where)]


def with_concepts(*concepts: Tuple[str, ...]) -> Record:
    record = Record("d1", TEXT, PLACE)
    for i, ids in enumerate(concepts):
        record.add_mention(MentionRecord(f"T{i}", "X", 0, 4, ids))
    return record


def test_concepts_are_those_of_the_mentions_that_were_kept() -> None:
    record = with_concepts(("A",), ("B", "A"), (), ("-",), ("", "C"))
    record.add_mention(MentionRecord("bad", "X", 0, 99, ("D",)))
    assert record.concepts == {"A", "B", "C"}


def test_relations_between_concepts_are_added() -> None:
    record = with_concepts(("A", "B"), ("C",))
    rels = [RelationRecord("R", "A", "C"), RelationRecord("R", "A", "B")]
    rels += [RelationRecord("R", "C", "C")]
    for rel in rels:
        record.add_concept_relation(rel)
    assert record.concept_relations == rels and not record.dropped


@pytest.mark.parametrize(
    "rel, why",
    [
        *[(("R", "A", other), "no mention of an argument's concept") for other in ("Z", "-", "", "a", "T0", "A,B")],
        *[(("R", other, "A"), "no mention of an argument's concept") for other in ("Z", "-", "")],
        (("", "A", "B"), "no predicate"),
    ],
)
def test_a_relation_of_unknown_concepts_is_dropped(rel: Any, why: str) -> None:
    record = with_concepts(("A", "B"), ("-",), ("",))
    record.add_concept_relation(RelationRecord(*rel), OTHER)
    where = f"relations.txt, line 8, document d1, relation {rel[0]} of {rel[1]} and {rel[2]}"
    assert record.concept_relations == [] and record.dropped == [Dropped("relation", why, where)]


def test_anything_can_be_dropped_with_its_place() -> None:
    record = make()
    record.drop("brat event", "not read")
    record.drop("brat event", "not read", OTHER, "event E1")
    assert record.dropped == [
        Dropped("brat event", "not read", "made-up.txt, line 3, document d1"),
        Dropped("brat event", "not read", "relations.txt, line 8, document d1, event E1"),
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet="aB .\n\u00a0", max_size=12),
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["", "X"]), st.integers(-3, 15), st.integers(-3, 15))),
    st.lists(st.tuples(st.sampled_from(["", "R"]), st.sampled_from("1234"), st.sampled_from("1234"))),
)
def test_whatever_is_added_the_record_is_sound_and_everything_counted(text: str, mentions: Any, rels: Any) -> None:
    record = Record("d1", text, PLACE)
    for mention in mentions:
        record.add_mention(MentionRecord(*mention))
    for rel in rels:
        record.add_relation(RelationRecord(*rel))
    assert_sound(record)
    assert len(record.mentions) + len(record.relations) + len(record.dropped) == len(mentions) + len(rels)
