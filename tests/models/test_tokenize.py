"""Texts and descriptions -> ids: markers, order of what is given up, distinct sequences."""

from typing import Any, List, Optional, Sequence, Tuple

from helpers.letters import (
    END_O,
    END_S,
    MARKERS,
    START_O,
    START_S,
    LetterTokenizer,
    marked,
    marked_texts,
    one_description,
    one_text,
    row,
    spell,
    whole,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.instances.markers import OBJECT, SUBJECT
from spacy_dualre.models.batches import BatchMaker
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.models.tokenize import tokenize_descriptions, tokenize_texts
from spacy_dualre.types import Description, Instance, Mark, MarkedText, PairBatch, Shortened


def check_markers(ids: List[int], marks: Tuple[int, ...], text: MarkedText) -> None:
    spelt = spell(ids)
    assert spelt[0] == "[CLS]" and spelt[-1] == "[SEP]"
    assert [spelt.count(marker) for marker in (START_S, END_S, START_O, END_O)] == [1, 1, 1, 1]
    assert (spelt[marks[0]], spelt[marks[1]]) == (START_S, START_O)
    for mark, start, end in zip(text.marks, (START_S, START_O), (END_S, END_O), strict=True):
        inside = set("".join(text.words[mark.start : mark.end]))
        between = spelt[spelt.index(start) + 1 : spelt.index(end)]
        assert spelt.index(start) < spelt.index(end)
        assert [piece for piece in between if piece not in MARKERS] == [piece for piece in spelt if piece in inside]


def pieces_of(text: MarkedText, start: int, end: int) -> List[str]:
    return list("".join(text.words[start:end]))


@settings(max_examples=300, deadline=None)
@given(marked_texts(), st.integers(6, 60))
def test_a_text_never_loses_a_marker_nor_exceeds_the_limit(text: MarkedText, max_length: int) -> None:
    ids, marks, _ = one_text(text, max_length)
    every = pieces_of(text, 0, len(text.words))
    kept = [piece for piece in spell(ids) if len(piece) == 1]
    check_markers(ids, marks, text)
    assert len(ids) == min(max_length, len(every) + 6)
    assert kept == [piece for piece in every if piece in kept]


@settings(max_examples=300, deadline=None)
@given(marked_texts(all_core=True), st.integers(6, 60))
def test_a_description_never_loses_a_marker_nor_exceeds_the_limit(text: MarkedText, max_length: int) -> None:
    ids, marks, _ = one_description(text, max_length)
    every = pieces_of(text, 0, len(text.words))
    kept = [piece for piece in spell(ids) if len(piece) == 1]
    check_markers(ids, marks, text)
    assert len(ids) == min(max_length, len(every) + 6)
    assert kept == [piece for piece in every if piece in kept]


@settings(max_examples=300, deadline=None)
@given(marked_texts(), st.integers(6, 60))
def test_context_goes_before_the_core_and_the_core_before_mentions(text: MarkedText, max_length: int) -> None:
    ids, _, shortened = one_text(text, max_length)
    kept = set(spell(ids))
    start, end = text.core
    mention = {piece for mark in text.marks for piece in pieces_of(text, mark.start, mark.end)}
    core = set(pieces_of(text, start, end)) - mention
    left, right = pieces_of(text, 0, start), pieces_of(text, end, len(text.words))
    if kept & {*left, *right}:
        assert core | mention <= kept
    if kept & core:
        assert mention <= kept
    assert shortened.words == (not core | mention <= kept) and shortened.mentions == (not mention <= kept)
    # Context is given up from the outside, evenly: one side keeps more only where the other side has no more.
    kept_left, kept_right = [p for p in left if p in kept], [p for p in right if p in kept]
    assert kept_left == left[len(left) - len(kept_left) :] and kept_right == right[: len(kept_right)]
    if len(kept_left) > len(kept_right) + 1:
        assert kept_right == right
    if len(kept_right) > len(kept_left) + 1:
        assert kept_left == left


@settings(max_examples=300, deadline=None)
@given(marked_texts(all_core=True), st.integers(6, 60))
def test_a_description_loses_mention_pieces_before_its_template(text: MarkedText, max_length: int) -> None:
    ids, _, shortened = one_description(text, max_length)
    kept = set(spell(ids))
    mention = {piece for mark in text.marks for piece in pieces_of(text, mark.start, mark.end)}
    template = set(pieces_of(text, 0, len(text.words))) - mention
    if kept & mention:
        assert template <= kept
    assert shortened.mentions == (not mention <= kept)


@settings(max_examples=300, deadline=None)
@given(marked_texts(), st.lists(st.text("xyz", max_size=4), max_size=4), st.integers(0, 4), st.integers(6, 60))
def test_what_is_outside_of_the_window_changes_nothing(
    text: MarkedText, around: List[str], before: int, max_length: int
) -> None:
    left, right = tuple(around[:before]), tuple(around[before:])
    n = len(left)
    longer = MarkedText(
        (*left, *text.words, *right),
        tuple(mark._replace(start=mark.start + n, end=mark.end + n) for mark in text.marks),
        core=(text.core[0] + n, text.core[1] + n),
        window=(n, n + len(text.words)),
    )
    assert one_text(longer, max_length) == one_text(text, max_length)


def test_markers_stand_around_their_mentions() -> None:
    ids, marks, _ = one_text(marked("a b c d", (1, 2), (3, 4)))
    assert spell(ids) == ["[CLS]", "a", START_S, "b", END_S, "c", START_O, "d", END_O, "[SEP]"]
    assert marks == (2, 6)


def test_the_subject_marker_comes_first_where_both_mentions_are_the_same_span() -> None:
    ids, marks, _ = one_text(marked("a b", (0, 1), (0, 1)))
    assert spell(ids) == ["[CLS]", START_S, START_O, "a", END_S, END_O, "b", "[SEP]"]
    assert marks == (1, 2)


def test_a_nested_object_stands_inside_the_subject() -> None:
    ids, marks, _ = one_text(marked("a b c", (0, 3), (1, 2)))
    assert spell(ids) == ["[CLS]", START_S, "a", START_O, "b", END_O, "c", END_S, "[SEP]"]
    assert marks == (1, 3)


def test_of_adjacent_mentions_one_is_closed_before_the_other_opens() -> None:
    ids, marks, _ = one_text(marked("a b", (1, 2), (0, 1)))
    assert spell(ids) == ["[CLS]", START_O, "a", END_O, START_S, "b", END_S, "[SEP]"]
    assert marks == (4, 1)


def test_context_is_cut_evenly() -> None:
    # 4 markers, [CLS], [SEP], s and o leave 4 of 12 places: two pieces on each side of the core.
    ids, _, shortened = one_text(marked("abc defg s o hijk lmn", (2, 3), (3, 4), core=(2, 4)), 12)
    assert spell(ids) == ["[CLS]", "f", "g", START_S, "s", END_S, START_O, "o", END_O, "h", "i", "[SEP]"]
    assert (shortened.words, shortened.mentions) == (0, 0)


def test_a_side_with_little_context_leaves_its_share_to_the_other() -> None:
    ids, _, _ = one_text(marked("g s o hijk lmn", (1, 2), (2, 3), core=(1, 3)), 12)
    assert spell(ids) == ["[CLS]", "g", START_S, "s", END_S, START_O, "o", END_O, "h", "i", "j", "[SEP]"]


def test_words_farthest_from_both_mentions_go_first() -> None:
    # Places for 10 pieces: s, o and the eight that are at most two places away from one of them.
    ids, _, shortened = one_text(marked("abcd s efghijk o lmno", (1, 2), (3, 4)), 16)
    assert spell(ids) == [
        "[CLS]",
        "c",
        "d",
        START_S,
        "s",
        END_S,
        "e",
        "f",
        "j",
        "k",
        START_O,
        "o",
        END_O,
        "l",
        "m",
        "[SEP]",
    ]
    assert (shortened.words, shortened.mentions) == (1, 0)


def test_a_mention_loses_its_middle() -> None:
    ids, _, shortened = one_text(marked("abcdef x ghijkl", (0, 1), (2, 3)), 14)
    assert spell(ids) == ["[CLS]", START_S, "a", "b", "e", "f", END_S, START_O, "g", "h", "k", "l", END_O, "[SEP]"]
    assert (shortened.words, shortened.mentions) == (1, 1)


def test_a_description_keeps_its_template_and_shortens_the_mention() -> None:
    ids, _, shortened = one_description(marked("it abcdefgh does o .", (1, 2), (3, 4)), 18)
    assert "".join(p for p in spell(ids) if len(p) == 1) == "it" + "abgh" + "does" + "o" + "."
    assert (shortened.total, shortened.words, shortened.mentions) == (1, 1, 1)


def test_a_description_is_its_template_filled_and_encoded() -> None:
    described = Description(("it ", "{subject}", " does ", "{object}", " ."), ("abcdefgh",), "C", ("o",), "G")
    marks = (Mark(SUBJECT, "C", 1, 2), Mark(OBJECT, "G", 3, 4))
    filled = whole(("it", " abcdefgh", " does", " o", " ."), marks)
    for max_length in (20, 100):
        sequences, shortened = tokenize_descriptions([described], Pieces(LetterTokenizer()), max_length)
        assert (*row(sequences, 0), shortened) == one_description(filled, max_length)


def test_the_first_start_marker_counts_where_a_template_names_a_mention_twice() -> None:
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2), Mark(SUBJECT, "C", 2, 3))
    ids, positions, _ = one_description(whole(("abc", "o", "abc"), marks), 512)
    assert positions == (1, 6) and spell(ids).count(START_S) == 2
    ids, positions, _ = one_description(whole(("abc", "o", "abc"), marks), 9)
    assert len(ids) == 9 and spell(ids).count(START_S) == spell(ids).count(END_S) == 2


def describe(template: str, subject: str = "s", object: str = "o") -> Description:
    cut = tuple("{subject}" if part == "S" else "{object}" if part == "O" else part for part in template)
    return Description(cut, (subject,), "C", (object,), "G")


def batch_of(instances: Sequence[Instance], tokenizer: Optional[LetterTokenizer] = None) -> Tuple[PairBatch, Shortened]:
    maker = BatchMaker(Pieces(tokenizer or LetterTokenizer()), max_length=20, batch_tokens=1000)
    return maker.pairs(maker.texts(instances), instances, read=None)


def spelt(batches: Any, pair: int) -> str:
    """The sequence that a pair is marked in, by its number."""
    (batch,) = batches
    at = batch.rows[pair]
    return "".join(spell(batch.ids[at][batch.mask[at]]))


def test_equal_texts_and_descriptions_go_through_the_encoders_once() -> None:
    first, swapped = marked("a s o", (1, 2), (2, 3)), marked("a s o", (2, 3), (1, 2))
    # Equal, but from another Doc, or with a blank where the template's counts
    again = MarkedText(
        ("x", "a", "s", "o"),
        tuple(m._replace(start=m.start + 1, end=m.end + 1) for m in first.marks),
        core=(1, 4),
        window=(1, 4),
    )
    one, two, three = describe("SaO"), describe("aSO"), describe("aOS")
    instances = [
        Instance(first, ((one,), (two,))),
        Instance(swapped, ((one,), (three,))),
        Instance(again, ((two,), (describe("SaO", subject=" s"),))),
    ]
    batch, shortened = batch_of(instances)
    texts = [spelt(batch.texts, pair) for pair in batch.text_index]
    assert texts == ["[CLS]a<S:C>s</S:C><O:G>o</O:G>[SEP]", "[CLS]a<O:G>s</O:G><S:C>o</S:C>[SEP]", texts[0]]
    assert [len(padded.ids) for padded in (*batch.texts, *batch.descriptions)] == [2, 3]
    descriptions = [[spelt(batch.descriptions, row[0]) for row in rows] for rows in batch.description_index]
    spelt_one, spelt_two, spelt_three = (
        "[CLS]<S:C>s</S:C>a<O:G>o</O:G>[SEP]",
        "[CLS]a<S:C>s</S:C><O:G>o</O:G>[SEP]",
        "[CLS]a<O:G>o</O:G><S:C>s</S:C>[SEP]",
    )
    assert descriptions == [[spelt_one, spelt_two], [spelt_one, spelt_three], [spelt_two, spelt_one]]
    assert shortened.total == 5


def test_each_distinct_word_is_cut_once() -> None:
    tokenizer = LetterTokenizer()
    instance = Instance(marked("a s a o a", (1, 2), (3, 4)), ((describe("SbO"),),))
    batch_of([instance] * 3, tokenizer)
    assert tokenizer.calls == [["a", "o", "s"], ["b"]]


def test_missing_templates_are_minus_one() -> None:
    one, other = describe("SO"), describe("xSO")
    instance = Instance(marked("s o", (0, 1), (1, 2)), ((one, other), (), (other,)))
    batch, _ = batch_of([instance])
    ((first, second), nothing, third) = batch.description_index[0].tolist()
    assert sorted([first, second]) == [0, 1] and nothing == [-1, -1] and third == [second, -1]


def test_no_description_at_all_still_has_a_column() -> None:
    instance = Instance(marked("s o", (0, 1), (1, 2)), ((), ()))
    batch, _ = batch_of([instance])
    assert batch.description_index.tolist() == [[[-1], [-1]]]
    assert batch.descriptions is None


def test_no_instances_give_an_empty_batch() -> None:
    batch, shortened = batch_of([])
    assert batch.text_index.shape == (0,) and batch.texts == []
    assert batch.description_index.shape[0] == 0 and shortened == (0, 0, 0, 20)
    sequences, shortened = tokenize_texts([], Pieces(LetterTokenizer()), 20)
    assert sequences.marks.shape == (0, 2) and sequences.ids.shape == (0,) and shortened.total == 0
