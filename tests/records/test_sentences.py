"""Where sentences start: each thing that is put right, from the text and the mentions alone."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from spacy_dualre.annotations.mentions import SPANS_KEY
from spacy_dualre.records.record import MentionRecord, Place, Record, RelationRecord
from spacy_dualre.records.splitting import sentence_starts
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

PLACE = Place(Path("made-up.txt"), 1)


@Language.component("spacy_dualre_test_start_everywhere")
def start_everywhere(doc: Doc) -> Doc:
    for token in doc:
        token.is_sent_start = True
    return doc


def splitter(name: str) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    return nlp


#: A splitter that is as wrong as can be: every token starts a sentence.
EVERYWHERE = splitter("spacy_dualre_test_start_everywhere")
SENTENCIZER = splitter("sentencizer")

INSIDE = "inside a mention"
NO_END = "no end of a sentence before it"
LOWER = "before a word in lower case"
ABBREVIATION = "after an abbreviation"


def tokenized(text: str, nlp: Language) -> Doc:
    """Tokens are what stands between blanks; ends of lines are tokens too."""
    tokens = re.findall(r"(\n|[^ \n]+)( ?)", text)
    return Doc(nlp.vocab, words=[word for word, _ in tokens], spaces=[bool(blank) for _, blank in tokens])


def split(text: str, *mentions: str, nlp: Language = EVERYWHERE, **values: Any) -> Tuple[List[str], Dict[str, int]]:
    """The sentences of a text, and the removed starts by reason."""
    record, doc = Record("d1", text, PLACE, **values), tokenized(text, nlp)
    assert doc.text == text
    for i, surface in enumerate(mentions):
        start = text.index(surface)
        record.add_mention(MentionRecord(f"T{i}", "X", start, start + len(surface)))
    removed: Counter = Counter()
    starts = sentence_starts(doc, record, nlp, removed)
    assert len(starts) == len(doc)
    found: List[str] = []
    for token, is_start in zip(doc, starts):
        found += [""] * is_start
        found[-1] += token.text_with_ws
    return [sentence.strip(" ") for sentence in found], dict(removed)


def test_a_start_needs_the_end_of_a_sentence_before_it() -> None:
    assert split("We saw one. Then No More Came.") == (["We saw one.", "Then No More Came."], {NO_END: 5})


@pytest.mark.parametrize("end", [".", "!", "?", "...", "\u2026", "\u3002", "\uff01", "\uff1f", "?!"])
@pytest.mark.parametrize(
    "closing", ["", '"', "'", ")", "]", "}", "\u2019", "\u201d", '.")', "\u300d", "\xa0\xbb", "\u201c"]
)
def test_ends_of_sentences_may_be_followed_by_closing_signs(end: str, closing: str) -> None:
    assert split(f"Gone{end}{closing} Then")[0] == [f"Gone{end}{closing}", "Then"]


@pytest.mark.parametrize("end", ["", ",", ";", ":", "-", ")", '"', ".a", ".1", ". -"])
def test_other_signs_are_no_end(end: str) -> None:
    assert split(f"Gone{end} Then")[0][-1] != "Then"


@pytest.mark.parametrize("word", ["then", "then,", "then;", "then:", "then.", "\u03b1"])
def test_no_start_before_a_word_in_lower_case(word: str) -> None:
    assert split(f"Dose no. {word}") == ([f"Dose no. {word}"], {NO_END: 1, LOWER: 1})


@pytest.mark.parametrize("word", ["Then", "pH", "iNOS", "p53", "5", "(then", "alpha-2", "\u03b2-catenin", "5-HT", "-"])
def test_a_start_may_be_before_anything_else(word: str) -> None:
    assert split(f"Gone. {word}") == (["Gone.", word], {})


@pytest.mark.parametrize("abbreviation", ["i.v.", "i.p.)", "(i.v.]", "e.g.", "U.S.A."])
@pytest.mark.parametrize("word", ["5", "COX", "IL-2", "(5", "Anti-COX", "A"])
def test_no_start_after_an_abbreviation(abbreviation: str, word: str) -> None:
    assert split(f"{abbreviation} {word}") == ([f"{abbreviation} {word}"], {ABBREVIATION: 1})


@pytest.mark.parametrize("word", ["Rats", "The", "Rats,", "Is"])
def test_a_sentence_may_end_in_an_abbreviation(word: str) -> None:
    assert split(f"i.v. {word}") == (["i.v.", word], {})


@pytest.mark.parametrize("text", ["al.", "1.5.", "A.", "ab.c.", "x."])
def test_what_has_no_two_dotted_letters_is_no_abbreviation(text: str) -> None:
    assert split(f"{text} COX") == ([text, "COX"], {})


@pytest.mark.parametrize(
    "text",
    [
        "नदी गहरी है। पुल नया है।",
        "নদী গভীর। সেতু নতুন।",
        "ما اسمك؟ اسمي سامي.",
        "دریا گہرا ہے۔ پل نیا ہے۔",
        "Գետը խոր չէր ։ Կամուրջը նոր չէր ։",
        "ወንዙ ጥልቅ ነው ። ድልድዩ አዲስ ነው ።",
        "the river is deep. the bridge is new.",
    ],
    ids=["Devanagari", "Bengali", "Arabic", "Urdu", "Armenian", "Ethiopic", "without capital letters"],
)
def test_any_script_is_split_as_the_splitter_does(text: str) -> None:
    nlp = splitter("sentencizer")
    sentences = [sentence.text for sentence in nlp(text).sents]
    assert len(sentences) == 2
    (doc,) = records_to_docs([Record("d1", text, PLACE)], nlp, ConversionReport())
    assert [sentence.text for sentence in doc.sents] == sentences


def test_one_capital_letter_makes_the_lower_case_a_sign() -> None:
    assert split("Seen. here") == (["Seen. here"], {LOWER: 1})
    assert split("seen. here") == (["seen.", "here"], {})


def test_no_start_inside_a_mention() -> None:
    text = "It is. Dr. X. Y. Here."
    assert split(text, "Dr. X. Y")[0] == ["It is.", "Dr. X. Y.", "Here."]
    assert split(text, "Dr. X. Y")[1] == {NO_END: 1, INSIDE: 2}
    assert split(text)[0] == ["It is.", "Dr.", "X.", "Y.", "Here."]


def test_a_start_at_the_first_and_after_the_last_character_of_a_mention_stays() -> None:
    assert split("A. Bc. De.", "Bc.") == (["A.", "Bc.", "De."], {})


def test_a_mention_within_another_does_not_open_it_again() -> None:
    assert split("A. Bc. De. F.", "Bc. De. F", "De.")[0] == ["A.", "Bc. De. F."]


def test_the_stretch_of_a_discontinuous_mention_is_kept_together() -> None:
    record = Record("d1", "Left. And. Right.", PLACE)
    record.add_mention(MentionRecord("T1", "X", 0, 16, parts=((0, 4), (11, 16))))
    starts = sentence_starts(tokenized(record.text, EVERYWHERE), record, EVERYWHERE, Counter())
    assert starts == [True, False, False]


@pytest.mark.parametrize("word", ["Then", "then", "5"])
@pytest.mark.parametrize("gap", ["\n", " \n", "\n ", "\n\n"])
def test_the_end_of_a_line_is_the_end_of_a_sentence(word: str, gap: str) -> None:
    assert split(f"A title{gap}{word}")[0][-1] == word


def test_the_end_of_a_line_inside_a_mention_is_none() -> None:
    assert split("A long\nName here", "long\nName")[0] == ["A long\nName here"]


def test_only_what_the_splitter_says_is_a_start() -> None:
    assert split("One. Two. Three.", nlp=spacy.blank("en")) == (["One. Two. Three."], {})
    assert split("One . Two . Three .", nlp=SENTENCIZER)[0] == ["One .", "Two .", "Three ."]


def test_the_first_token_is_always_a_start() -> None:
    assert split("then", nlp=EVERYWHERE) == (["then"], {})
    assert split("then", nlp=spacy.blank("en")) == (["then"], {})


def test_no_tokens_have_no_starts() -> None:
    assert split("") == ([], {})
    assert split("", sentences=(0,)) == ([], {})


@pytest.mark.parametrize("text", ["title text", "title. text", "given i.v. 5", "Title. Text", "title\ntext"])
def test_a_break_is_always_a_start_and_never_counted(text: str) -> None:
    at = max(text.rfind(" "), text.rfind("\n")) + 1
    expected = [text[:at].rstrip(" "), text[at:]]
    assert split(text, nlp=spacy.blank("en"), breaks=(at,)) == (expected, {})
    sentences, removed = split(text, breaks=(at,))
    assert sentences[-1] == text[at:]
    assert sum(removed.values()) + len(sentences) == len(tokenized(text, EVERYWHERE))


@pytest.mark.parametrize("breaks", [(0,), (9,), (99,), (0, 9)])
def test_breaks_at_the_ends_of_the_text_are_harmless(breaks: Tuple[int, ...]) -> None:
    assert split("One, two.", breaks=breaks)[0] == ["One, two."]


def test_a_break_inside_a_mention_is_no_start() -> None:
    assert split("See alpha beta gamma", "alpha beta", breaks=(10, 15)) == (
        ["See alpha beta", "gamma"],
        {NO_END: 1, INSIDE: 1},
    )
    assert split("See alpha beta", "alpha beta", nlp=spacy.blank("en"), breaks=(4, 10))[0] == ["See", "alpha beta"]


def test_a_break_at_a_blank_starts_the_token_after_it() -> None:
    assert split("title text here", breaks=(5,))[0] == ["title", "text here"]


def test_sentences_of_the_record_are_kept_but_inside_mentions() -> None:
    assert split("One. two i.v. 5", sentences=(0, 5, 14)) == (["One.", "two i.v.", "5"], {})
    assert split("One. two i.v. 5", "i.v. 5", sentences=(0, 5, 14)) == (["One.", "two i.v. 5"], {INSIDE: 1})
    assert split("One. Two. Three.", sentences=(0,), breaks=(5,)) == (["One. Two. Three."], {})


def test_the_doc_itself_is_left_alone() -> None:
    doc = tokenized("One. Two.", EVERYWHERE)
    sentence_starts(doc, Record("d1", doc.text, PLACE), EVERYWHERE, Counter())
    assert not doc.has_annotation("SENT_START")


def test_a_real_splitter_on_real_tokens() -> None:
    text = "It had no. of cells. E.g.COX-2 inhibitors, i.v. 5 mg, did. Rats (n = 5.) lived."
    record = Record("d1", text, PLACE)
    (doc,) = records_to_docs([record], SENTENCIZER, ConversionReport())
    assert [sent.text for sent in doc.sents] == [
        "It had no. of cells.",
        "E.g.COX-2 inhibitors, i.v. 5 mg, did.",
        "Rats (n = 5.) lived.",
    ]


WORDS = ["a", "The", "B2", "i.v.", "no.", "End.", "Why?", "(x.)", ".", "A.B", "\n", "\u03b2"]


@st.composite
def any_records(draw: Any) -> Record:
    """Mentions anywhere, breaks anywhere but inside of them."""
    text = draw(st.sampled_from(["", " "])).join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14)))
    record = Record("d", text, PLACE)
    offset = st.integers(0, len(text))
    for i in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(offset), draw(offset)))
        record.add_mention(MentionRecord(f"T{i}", "X", start, end, (f"C{i}",)))
    breaks = draw(st.sets(offset, max_size=3))
    record.breaks = tuple(sorted(breaks - inside(record)))
    return record


def inside(record: Record) -> Set[int]:
    return {offset for mention in record.mentions for offset in range(mention.start + 1, mention.end)}


def starts_of(record: Record, nlp: Language) -> Set[int]:
    (doc,) = records_to_docs([record], nlp, ConversionReport())
    assert len(doc.spans[SPANS_KEY]) <= len(record.mentions)
    return {token.idx for token in doc if token.is_sent_start}


@settings(max_examples=300, deadline=None)
@given(any_records(), st.sampled_from([EVERYWHERE, SENTENCIZER]))
def test_no_start_is_inside_a_mention_and_every_break_is_one(record: Record, nlp: Language) -> None:
    starts = starts_of(record, nlp)
    assert not starts & inside(record)
    for offset in record.breaks:
        # At a blank after a word the sentence starts with what follows.
        assert starts & {offset, offset + 1} or offset + 1 >= len(record.text)
    for start in starts - {0, *record.breaks, *(offset + 1 for offset in record.breaks)}:
        assert re.search(r"[.!?][)]?\s*\Z|\n\s*\Z", record.text[:start])


@settings(max_examples=200, deadline=None)
@given(any_records(), st.data(), st.sampled_from([EVERYWHERE, SENTENCIZER]))
def test_relations_have_no_say(record: Record, data: st.DataObject, nlp: Language) -> None:
    before = starts_of(record, nlp)
    ids = [mention.id for mention in record.mentions]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)))) if ids else []
    for subject, object in pairs:
        record.add_relation(RelationRecord("P", subject, object))
        record.add_concept_relation(RelationRecord("P", subject.replace("T", "C"), object.replace("T", "C")))
    assert not any(dropped.what == "relation" for dropped in record.dropped)
    assert starts_of(record, nlp) == before
