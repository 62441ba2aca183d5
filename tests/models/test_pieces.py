"""Words -> pieces: those of the raw text with real tokenizers, each word cut once, and no more kept than allowed."""

from typing import Any, Dict, List, Tuple

import pytest
from helpers.letters import END_O, END_S, MARKERS, START_O, START_S, LetterTokenizer, marked, one_text, whole
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from spacy_dualre.instances.markers import OBJECT, SUBJECT, marker_tokens
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.types import Mark, MarkedText

WORDS = st.text("abc ", max_size=3)
TEXTS = st.lists(st.lists(WORDS, max_size=6), max_size=4)


def cut(pieces: Pieces, words: List[str]) -> List[List[int]]:
    """The pieces of each word."""
    found = pieces.cut(words)
    assert len(found.starts) == len(words) + 1 and found.starts[-1] == len(found.ids)
    return [found.ids[start:end].tolist() for start, end in zip(found.starts, found.starts[1:], strict=False)]


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_each_word_goes_to_the_tokenizer_once_over_all_calls(calls: List[List[List[str]]]) -> None:
    tokenizer = LetterTokenizer()
    pieces = Pieces(tokenizer)
    for texts in calls:
        pieces.learn(texts)
        for words in texts:
            assert cut(pieces, words) == [[ord(letter) for letter in word] for word in words]
    given_words = [word for call in tokenizer.calls for word in call]
    assert sorted(given_words) == sorted({word for texts in calls for words in texts for word in words})
    assert all(tokenizer.calls)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=5), st.integers(1, 6))
def test_no_more_words_are_kept_than_there_may_be_and_the_cut_stays(calls: List[List[List[str]]], most: int) -> None:
    pieces = Pieces(LetterTokenizer(), most_words=most)
    for texts in calls:
        pieces.learn(texts)
        # The words of one call are there together, however many they are
        assert len(pieces._words) <= max(most, len({word for words in texts for word in words}))
        for words in texts:
            assert cut(pieces, words) == [[ord(letter) for letter in word] for word in words]


def test_the_cut_is_the_same_after_the_words_were_dropped(tokenizer: Any) -> None:
    words = list(split("Aspirin inhibits COX-1 in platelets"))
    pieces = Pieces(tokenizer, most_words=5)
    pieces.learn([words])
    before = cut(pieces, words)
    pieces.learn([["warfarin"]])
    assert len(pieces._words) == 1
    pieces.learn([words])
    assert cut(pieces, words) == before and all(before)


def test_markers_are_the_tokenizers_tokens(tokenizer: Any) -> None:
    pieces = Pieces(tokenizer)
    for _ in range(2):
        ids, types = pieces.markers([marked("a b", (0, 1), (1, 2))])
        assert ids == {token: tokenizer.convert_tokens_to_ids(token) for token in MARKERS} and types is None


def of_types(subject: str, object: str) -> MarkedText:
    return whole(("a", " b"), (Mark(SUBJECT, subject, 0, 1), Mark(OBJECT, object, 1, 2)))


def test_markers_of_words_count_the_types_of_the_texts(tokenizer: Any) -> None:
    pieces, words = Pieces(tokenizer, first_marker=1000), (" chemical", " entity", " gene or gene product")
    expected = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in words]
    # A type's number depends on the texts of the call, not on those before
    for texts in ([of_types("NEW", "TYPE")], [of_types("GeneOrGeneProduct", ""), of_types("", "CHEMICAL")]):
        ids, types = pieces.markers(texts)
    names = ["CHEMICAL", "", "GeneOrGeneProduct"]
    assert ids == {token: 1000 + i for i, token in enumerate(marker_tokens(names))} and types is not None
    found = {name: [i for i in row if i >= 0] for name, row in zip(sorted(names), types.tolist(), strict=True)}
    assert found == dict(zip(names, expected, strict=True))
    assert min(types[sorted(names).index("CHEMICAL"), len(expected[0]) :]) == -1


def test_no_texts_have_no_markers() -> None:
    ids, types = Pieces(LetterTokenizer(), first_marker=1000).markers([])
    assert ids == {} and types is not None and len(types) == 0


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
    ids, positions, _ = one_text(whole(words, marks), 128, tokenizer)
    assert without_markers(ids, tokenizer) == tokenizer(text)["input_ids"]
    assert tokenizer.convert_ids_to_tokens([ids[i] for i in positions]) == [START_S, START_O]


def test_byte_level_pieces_depend_on_the_blank_before_a_word(encoders: Dict[str, Any]) -> None:
    tokenizer = load(encoders["roberta"])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    spaced, _, _ = one_text(whole(("COX", " inhibits"), marks), 128, tokenizer)
    glued, _, _ = one_text(whole(("COX", "inhibits"), marks), 128, tokenizer)
    assert spaced != glued
    assert tokenizer.decode(without_markers(spaced, tokenizer), skip_special_tokens=True) == "COX inhibits"
    assert tokenizer.decode(without_markers(glued, tokenizer), skip_special_tokens=True) == "COXinhibits"


@pytest.mark.parametrize("kind, same", [("bert-uncased", True), ("bert-cased", False), ("roberta", False)])
def test_case_matters_where_the_encoder_is_cased(encoders: Dict[str, Any], kind: str, same: bool) -> None:
    tokenizer = load(encoders[kind])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    upper, _, _ = one_text(whole(("Aspirin", " Enzyme"), marks), 128, tokenizer)
    lower, _, _ = one_text(whole(("aspirin", " enzyme"), marks), 128, tokenizer)
    assert (upper == lower) is same


LOOKALIKES = ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "<s>", "</s>", "<pad>", "<mask>", "<S:C>", "</O:G>"]


@pytest.mark.parametrize("word", LOOKALIKES)
def test_a_word_that_looks_like_a_special_token_stays_a_word(tokenizer: Any, word: str) -> None:
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 2, 3))
    ids, positions, _ = one_text(whole(("Aspirin", f" {word}", f" x{word}"), marks), 128, tokenizer)
    special = {*tokenizer.all_special_ids, *tokenizer.convert_tokens_to_ids(MARKERS)} - {tokenizer.unk_token_id}
    found = tokenizer.convert_ids_to_tokens([i for i in ids if i in special])
    assert found == [tokenizer.cls_token, START_S, END_S, START_O, END_O, tokenizer.sep_token]
    assert positions[0] == 1 and ids[positions[1]] == tokenizer.convert_tokens_to_ids(START_O)


def test_a_mention_without_pieces_keeps_its_markers(encoders: Dict[str, Any]) -> None:
    tokenizer = load(encoders["bert-uncased"])
    marks = (Mark(SUBJECT, "C", 0, 1), Mark(OBJECT, "G", 1, 2))
    ids, positions, _ = one_text(whole(("\u200b", " \u200e"), marks), 128, tokenizer)
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
    pieces = Pieces(tokenizer)
    pieces.learn([words])
    for word in words:
        if word != "not":  # which this small vocabulary has with a blank only
            first = tokenizer.convert_ids_to_tokens(int(pieces.cut([word]).ids[0]))
            assert first.startswith("\u2581") == word.startswith(" "), word
