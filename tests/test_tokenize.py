"""Instances -> ids: markers, order of what is given up, distinct sequences, and real tokenizers."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from spacy_dualre.markers import OBJECT, SUBJECT, marker_tokens
from spacy_dualre.models.tokenize import _cut, tokenize
from spacy_dualre.types import Instance, Mark, MarkedText

MARKERS = marker_tokens(["C", "G"])
START_S, END_S, START_O, END_O = "<S:C>", "</S:C>", "<O:G>", "</O:G>"
FILLER = MarkedText(("", ""), (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2)), (0, 2))


class LetterTokenizer:
    """One piece for each character, its code point; the special pieces have the ids 1, 2, and 3 onwards."""

    cls_token_id, sep_token_id = 1, 2

    def __init__(self) -> None:
        self.calls: List[List[str]] = []

    def convert_ids_to_tokens(self, piece: int) -> str:
        return chr(piece)

    def __call__(self, words: List[str], **kwargs: Any) -> Dict[str, List[List[int]]]:
        self.calls.append(words)
        return {"input_ids": [[ord(letter) for letter in word] for word in words]}

    def convert_tokens_to_ids(self, token: str) -> int:
        return 3 + MARKERS.index(token)


def spell(ids: Sequence[int]) -> List[str]:
    names = ["[PAD]", "[CLS]", "[SEP]", *MARKERS]
    return [names[i] if i < len(names) else chr(i) for i in map(int, ids)]


def row(sequences: Any, i: int) -> Tuple[List[int], Tuple[int, ...]]:
    start = int(sequences.lengths[:i].sum())
    return sequences.ids[start : start + sequences.lengths[i]].tolist(), tuple(sequences.marks[i].tolist())


def one_text(text: MarkedText, max_length: int = 512, tokenizer: Any = None) -> Tuple[List[int], Tuple[int, ...], Any]:
    batch, shortened = tokenize([Instance(text, ((FILLER,),))], tokenizer or LetterTokenizer(), max_length)
    return *row(batch.texts, 0), shortened


def one_description(text: MarkedText, max_length: int = 512) -> Tuple[List[int], Tuple[int, ...], Any]:
    batch, shortened = tokenize([Instance(FILLER, ((text,),))], LetterTokenizer(), max_length)
    return *row(batch.descriptions, 0), shortened


def marked(
    words: str, subject: Tuple[int, int], object: Tuple[int, int], core: Tuple[int, int] = (-1, -1)
) -> MarkedText:
    parts = tuple(words.split())
    marks = (Mark(SUBJECT, "C", *subject), Mark(OBJECT, "G", *object))
    return MarkedText(parts, marks, core if core[0] >= 0 else (0, len(parts)))


@st.composite
def marked_texts(draw: Any, whole: bool = False) -> MarkedText:
    """Words of 0 to 4 characters, no character twice; both mentions anywhere in the core, apart, nested or crossing."""
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=25))
    ends = numpy.cumsum(lengths).tolist()
    words = tuple("".join(chr(0x4E00 + i) for i in range(end - n, end)) for n, end in zip(lengths, ends, strict=True))

    def span(low: int, high: int) -> Tuple[int, int]:
        start = draw(st.integers(low, high - 1))
        return start, draw(st.integers(start + 1, high))

    core = (0, len(words)) if whole else span(0, len(words))
    marks = (Mark(SUBJECT, "C", *span(*core)), Mark(OBJECT, "G", *span(*core)))
    return MarkedText(words, marks, core)


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
@given(marked_texts(whole=True), st.integers(6, 60))
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
@given(marked_texts(whole=True), st.integers(6, 60))
def test_a_description_loses_mention_pieces_before_its_template(text: MarkedText, max_length: int) -> None:
    ids, _, shortened = one_description(text, max_length)
    kept = set(spell(ids))
    mention = {piece for mark in text.marks for piece in pieces_of(text, mark.start, mark.end)}
    template = set(pieces_of(text, 0, len(text.words))) - mention
    if kept & mention:
        assert template <= kept
    assert shortened.mentions == (not mention <= kept)


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
    assert (shortened.total, shortened.words, shortened.mentions) == (2, 1, 1)


def test_the_first_start_marker_counts_where_a_template_names_a_mention_twice() -> None:
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2), Mark(SUBJECT, "C", 2, 3))
    ids, positions, _ = one_description(MarkedText(("abc", "o", "abc"), marks, (0, 3)), 512)
    assert positions == (1, 6) and spell(ids).count(START_S) == 2
    ids, positions, _ = one_description(MarkedText(("abc", "o", "abc"), marks, (0, 3)), 9)
    assert len(ids) == 9 and spell(ids).count(START_S) == spell(ids).count(END_S) == 2


def test_equal_texts_and_descriptions_are_stored_once() -> None:
    first, second = marked("a s o", (1, 2), (2, 3)), marked("s a o", (0, 1), (2, 3))
    swapped = marked("a s o", (2, 3), (1, 2))
    instances = [
        Instance(first, ((second,), (first,))),
        Instance(swapped, ((second,), (swapped,))),
        Instance(first, ((first,), (second,))),
    ]
    batch, shortened = tokenize(instances, LetterTokenizer(), 20)
    assert batch.text_index.tolist() == [0, 1, 0]
    assert batch.description_index.tolist() == [[[0], [1]], [[0], [2]], [[1], [0]]]
    assert batch.texts.lengths.tolist() == [9, 9] and len(batch.texts.ids) == 18
    assert len(batch.descriptions.lengths) == 3 and shortened.total == 5


def test_each_distinct_word_is_cut_once() -> None:
    tokenizer = LetterTokenizer()
    tokenize([Instance(marked("a s a o a", (1, 2), (3, 4)), ((FILLER,),))] * 3, tokenizer, 20)
    assert tokenizer.calls == [["", "a", "o", "s"]]


def test_missing_templates_are_minus_one() -> None:
    other = marked("x s o", (1, 2), (2, 3))
    batch, _ = tokenize([Instance(FILLER, ((FILLER, other), (), (other,)))], LetterTokenizer(), 20)
    assert batch.description_index.tolist() == [[[0, 1], [-1, -1], [1, -1]]]


def test_no_description_at_all_still_has_a_column() -> None:
    batch, _ = tokenize([Instance(FILLER, ((), ()))], LetterTokenizer(), 20)
    assert batch.description_index.tolist() == [[[-1], [-1]]]
    assert batch.descriptions.marks.shape == (0, 2) and batch.descriptions.ids.shape == (0,)


def test_no_instances_give_an_empty_batch() -> None:
    batch, shortened = tokenize([], LetterTokenizer(), 20)
    assert batch.text_index.shape == (0,) and batch.texts.marks.shape == (0, 2)
    assert batch.description_index.shape[0] == 0 and shortened == (0, 0, 0)


# Real tokenizers


@pytest.fixture(params=["bert-uncased", "bert-cased", "roberta"])
def tokenizer(request: pytest.FixtureRequest, encoders: Dict[str, Any]) -> Any:
    return load(encoders[request.param])


def load(folder: Any) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(MARKERS, special_tokens=True)
    return tokenizer


def split(text: str) -> Tuple[str, ...]:
    return tuple((" " if i else "") + word for i, word in enumerate(text.split(" ")))


def without_markers(ids: List[int], tokenizer: Any) -> List[int]:
    markers = set(tokenizer.convert_tokens_to_ids(MARKERS))
    return [i for i in ids if i not in markers]


@pytest.mark.parametrize("text", ["Aspirin inhibits COX-1 in platelets", "Süßholz (2,3-β) blocks the AT1 receptor ."])
def test_pieces_are_those_of_the_raw_text(tokenizer: Any, text: str) -> None:
    words = split(text)
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 2, 4))
    ids, positions, _ = one_text(MarkedText(words, marks, (0, len(words))), 128, tokenizer)
    assert without_markers(ids, tokenizer) == tokenizer(text)["input_ids"]
    assert tokenizer.convert_ids_to_tokens([ids[i] for i in positions]) == [START_S, START_O]


def test_byte_level_pieces_depend_on_the_blank_before_a_word(encoders: Dict[str, Any]) -> None:
    tokenizer = load(encoders["roberta"])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    spaced, _, _ = one_text(MarkedText(("COX", " inhibits"), marks, (0, 2)), 128, tokenizer)
    glued, _, _ = one_text(MarkedText(("COX", "inhibits"), marks, (0, 2)), 128, tokenizer)
    assert spaced != glued
    assert tokenizer.decode(without_markers(spaced, tokenizer), skip_special_tokens=True) == "COX inhibits"
    assert tokenizer.decode(without_markers(glued, tokenizer), skip_special_tokens=True) == "COXinhibits"


@pytest.mark.parametrize("kind, same", [("bert-uncased", True), ("bert-cased", False), ("roberta", False)])
def test_case_matters_where_the_encoder_is_cased(encoders: Dict[str, Any], kind: str, same: bool) -> None:
    tokenizer = load(encoders[kind])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    upper, _, _ = one_text(MarkedText(("Aspirin", " Enzyme"), marks, (0, 2)), 128, tokenizer)
    lower, _, _ = one_text(MarkedText(("aspirin", " enzyme"), marks, (0, 2)), 128, tokenizer)
    assert (upper == lower) is same


LOOKALIKES = ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "<s>", "</s>", "<pad>", "<mask>", "<S:C>", "</O:G>"]


@pytest.mark.parametrize("word", LOOKALIKES)
def test_a_word_that_looks_like_a_special_token_stays_a_word(tokenizer: Any, word: str) -> None:
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 2, 3))
    ids, positions, _ = one_text(MarkedText(("Aspirin", f" {word}", f" x{word}"), marks, (0, 3)), 128, tokenizer)
    special = {*tokenizer.all_special_ids, *tokenizer.convert_tokens_to_ids(MARKERS)} - {tokenizer.unk_token_id}
    found = tokenizer.convert_ids_to_tokens([i for i in ids if i in special])
    assert found == [tokenizer.cls_token, START_S, END_S, START_O, END_O, tokenizer.sep_token]
    assert positions[0] == 1 and ids[positions[1]] == tokenizer.convert_tokens_to_ids(START_O)


def test_a_mention_without_pieces_keeps_its_markers(encoders: Dict[str, Any]) -> None:
    tokenizer = load(encoders["bert-uncased"])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    ids, positions, _ = one_text(MarkedText(("\u200b", " \u200e"), marks, (0, 2)), 128, tokenizer)
    assert tokenizer.convert_ids_to_tokens(ids) == ["[CLS]", START_S, END_S, START_O, END_O, "[SEP]"]
    assert positions == (1, 3)


def test_words_are_cut_as_in_their_text_by_a_tokenizer_of_the_sentencepiece_kind() -> None:
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "</s>", "<unk>", "<pad>"]
    text = "COX-1, COX-2 (not COX-3): the COX enzymes"
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="<unk>")
    backend.train_from_iterator([text] * 20, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )
    words = (" COX", "-", "1", ",", " COX", "-", "2", " (", "not", " COX", "-", "3", ")", ":", " the")
    assert text.startswith("".join(words).strip())
    pieces = _cut(tokenizer, [MarkedText(words, (), (0, len(words)))])
    for word in words:
        if word != "not":  # which this small vocabulary has with a blank only
            first = tokenizer.convert_ids_to_tokens(pieces[word])[0]
            assert first.startswith("\u2581") == word.startswith(" "), word
