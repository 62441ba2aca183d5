"""Reading SemEval-2010 Task 8: every trap of the format, every error with file and line, the official counts."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
import spacy
from helpers.damage import assert_damage_is_survived, damaged
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings

from spacy_dualre.annotations.mentions import SPANS_KEY
from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.semeval import NAMES, read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

OFFICIAL = SHARED / "corpora" / "semeval2010t8"
Reader = Callable[[Path], Iterator[Record]]
read_19 = partial(read, whole_labels=True)


def block(id: int, sentence: str, label: str = "Other", comment: str = "Comment:") -> str:
    return f'{id}\t"{sentence}"\r\n{label}\r\n{comment}\r\n\r\n'


#: Lines 1 to 4, 5 to 8 and 9 to 12.
SMALL = (
    block(1, "A <e1>yeti</e1> built the <e2>igloo</e2>.", "Product-Producer(e2,e1)", "Comment: Made, so not kept.")
    + block(2, "<e1>Fog</e1> hides <e2>fog lamps</e2>", "Other")
    + block(7, "The <e1>spark</e1> caused a <e2>blaze</e2>.", "Cause-Effect(e1,e2)")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "MADE_UP.TXT"


def read_text(path: Path, text: str, reader: Reader = read) -> List[Record]:
    path.write_bytes(text.encode("utf8"))
    return list(reader(path))


def read_one(path: Path, sentence: str, label: str = "Cause-Effect(e1,e2)") -> Record:
    (record,) = read_text(path, block(5, sentence, label))
    return record


def surface(record: Record) -> Dict[str, str]:
    return {mention.id: record.text[mention.start : mention.end] for mention in record.mentions}


def test_a_block_is_a_document_without_its_tags_and_quotes(path: Path) -> None:
    first, second, third = read_text(path, SMALL)
    assert [record.id for record in (first, second, third)] == ["1", "2", "7"]
    assert first.text == "A yeti built the igloo."
    assert first.mentions == [MentionRecord("e1", "ENTITY", 2, 6), MentionRecord("e2", "ENTITY", 17, 22)]
    assert first.meta == {"corpus": "semeval2010t8", "split": "MADE_UP"}
    assert [record.place for record in (first, second, third)] == [(path, 1), (path, 5), (path, 9)]
    assert surface(second) == {"e1": "Fog", "e2": "fog lamps"}


def test_the_subject_fills_the_first_role_of_the_name(path: Path) -> None:
    first, second, third = read_text(path, SMALL)
    assert first.relations == [RelationRecord("Product-Producer", "e2", "e1")]
    assert second.relations == []
    assert third.relations == [RelationRecord("Cause-Effect", "e1", "e2")]


def test_nineteen_labels_with_e1_as_the_subject(path: Path) -> None:
    first, second, third = read_text(path, SMALL, read_19)
    assert first.relations == [RelationRecord("Product-Producer(e2,e1)", "e1", "e2")]
    assert second.relations == []
    assert third.relations == [RelationRecord("Cause-Effect(e1,e2)", "e1", "e2")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("roles", [("e1", "e2"), ("e2", "e1")])
def test_all_nine_names_in_both_directions(path: Path, name: str, roles: Tuple[str, str]) -> None:
    label = f"{name}({','.join(roles)})"
    text = block(5, "<e1>a</e1> <e2>b</e2>", label)
    assert [record.relations for record in read_text(path, text)] == [[RelationRecord(name, *roles)]]
    assert [record.relations for record in read_text(path, text, read_19)] == [[RelationRecord(label, "e1", "e2")]]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\r\n", "\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip(),
        lambda text: "\r\n\r\n" + text + "\r\n\r\n",
        lambda text: text.replace("\r\n", " \r\n"),
        lambda text: text.replace("\r\n\r\n", "\r\n\t\r\n \r\n"),
    ],
    ids=["LF", "BOM", "no end of the last line", "empty lines", "blanks at the ends of lines", "lines of blanks"],
)
def test_ways_to_end_lines_and_part_blocks_change_nothing(path: Path, change: Any) -> None:
    def content(text: str) -> List[Any]:
        return [(record.id, record.text, record.mentions, record.relations) for record in read_text(path, text)]

    assert content(change(SMALL)) == content(SMALL)


@pytest.mark.parametrize("comment", ["Comment:", "Comment: ", "Comment: Cause-Effect(e1,e2)", 'Comment: "a" <e1>'])
def test_a_comment_is_free_text(path: Path, comment: str) -> None:
    text = block(5, "<e1>a</e1> <e2>b</e2>", "Other", comment)
    assert [(record.text, record.relations) for record in read_text(path, text)] == [("a b", [])]


@pytest.mark.parametrize(
    "sentence, text",
    [
        ('He said "no" to <e1>a</e1> <e2>b</e2>.', 'He said "no" to a b.'),
        ('"<e1>a</e1>" and "<e2>b</e2>"', '"a" and "b"'),
        ('<e1>"a"</e1> <e2>b"</e2>', '"a" b"'),
    ],
)
def test_only_the_outer_quotes_go(path: Path, sentence: str, text: str) -> None:
    assert read_one(path, sentence).text == text


def test_quotes_inside_a_mention_belong_to_it(path: Path) -> None:
    assert surface(read_one(path, 'the <e1>"a" kind</e1> of <e2>b"</e2>')) == {"e1": '"a" kind', "e2": 'b"'}


def test_mentions_of_the_same_text_are_at_their_own_places(path: Path) -> None:
    record = read_one(path, "the dog saw <e1>dog</e1> bite <e2>dog</e2>")
    assert [(mention.start, mention.end) for mention in record.mentions] == [(12, 15), (21, 24)]
    assert surface(record) == {"e1": "dog", "e2": "dog"}


@pytest.mark.parametrize(
    "sentence, mentions",
    [
        ("a heap of<e1>moss</e1> and <e2>lichen</e2>", ("moss", "lichen")),
        ("a 12-<e1>pack</e1> of <e2>rusks</e2>", ("pack", "rusks")),
        ("<e1>larch</e1><e2>elm</e2>", ("larch", "elm")),
        ("(<e1>larch</e1>)/<e2>elm</e2>wood", ("larch", "elm")),
        ("re<e1>larch</e1>ing 7<e2>elm</e2>s", ("larch", "elm")),
    ],
)
def test_glued_mentions_are_cut_out_of_their_tokens(path: Path, sentence: str, mentions: Tuple[str, str]) -> None:
    record, report = read_one(path, sentence), ConversionReport()
    assert tuple(surface(record).values()) == mentions
    (doc,) = records_to_docs([record], spacy.blank("en"), report, strict=True)
    assert doc.text == record.text
    assert tuple(span.text for span in doc.spans[SPANS_KEY]) == mentions
    assert [(rel.subject.text, rel.object.text) for rel in doc._.rels] == [mentions]


def test_a_document_is_one_sentence_whatever_is_in_it(path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    record = read_one(path, "One. Two <e1>a</e1>! Is it? No. <e2>b</e2>. Four.")
    (doc,) = records_to_docs([record], nlp, ConversionReport())
    assert len(list(doc.sents)) == 1 and len(doc._.rels) == 1


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("end", ["\r\n", "\r\n\r\n", "\n"])
def test_a_file_may_have_sentences_only(path: Path, n: int, end: str) -> None:
    text = "".join(f'{i}\t"<e1>a</e1> has {i} <e2>b</e2>"{end}' for i in range(n))
    for reader in (read, read_19):
        records = read_text(path, text, reader)
        assert [(record.id, record.text) for record in records] == [(str(i), f"a has {i} b") for i in range(n)]
        assert [record.place.line for record in records] == [1 + i * end.count("\n") for i in range(n)]
        assert all(surface(record) == {"e1": "a", "e2": "b"} and not record.relations for record in records)
        assert all(record.notes == {"sentence without a label": 1} for record in records)


def test_blanks_inside_the_tags_are_cut_off_and_noted(path: Path) -> None:
    record = read_one(path, "the <e1> yeti</e1> and <e2>elm </e2>")
    assert surface(record) == {"e1": "yeti", "e2": "elm"} and len(record.relations) == 1
    assert record.notes == {"blanks cut off at the ends of a mention": 2}


def test_a_mention_of_blanks_is_dropped_with_its_relation(path: Path) -> None:
    record = read_one(path, "the <e1> </e1> and <e2>elm</e2>")
    assert (surface(record), record.relations) == ({"e2": "elm"}, [])
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", "nothing but blanks"),
        ("relation", "argument was dropped"),
    ]
    assert f"{path}, line 1, document 5" in record.dropped[0].where
    (doc,) = records_to_docs([record], spacy.blank("en"), ConversionReport())
    assert [span.text for span in doc.spans[SPANS_KEY]] == ["elm"] and doc._.rels == ()


@pytest.mark.parametrize("sentence", ["a &amp; <e1>b</e1> <e2>c</e2>", "a <i>b</i> <e1>b</e1> <e2>c < d</e2> <e3>"])
def test_whatever_else_looks_like_markup_is_text(path: Path, sentence: str) -> None:
    expected = sentence
    for tag in ("<e1>", "</e1>", "<e2>", "</e2>"):
        expected = expected.replace(tag, "")
    assert read_one(path, sentence).text == expected


def test_text_beyond_ascii_keeps_its_offsets(path: Path) -> None:
    record = read_one(path, "der Bär\u2028 <e1>Äpfel</e1> \U0001f34e <e2>e\u0301clair</e2>")
    assert surface(record) == {"e1": "Äpfel", "e2": "e\u0301clair"}


# Bad input: (the file's text, line, a part of the message)

GOOD = "<e1>a</e1> <e2>b</e2>"
TAGS = "expected one <e1>...</e1> and after it one <e2>...</e2>"
FORM = "a block must have a sentence, a label and a line Comment:, or consist of sentences"
BAD = {
    "undirected label": (
        SMALL + block(8, GOOD, "Message-Topic"),
        14,
        "unknown label 'Message-Topic'; expected Other, or one of the nine relations with its direction",
    ),
    "unknown label": (SMALL + block(8, GOOD, "Cause-Cause(e1,e2)"), 14, "unknown label 'Cause-Cause(e1,e2)'"),
    "unknown direction": (SMALL + block(8, GOOD, "Cause-Effect(e1,e1)"), 14, "unknown label 'Cause-Effect(e1,e1)'"),
    "blank in a label": (SMALL + block(8, GOOD, "Cause-Effect(e1, e2)"), 14, "unknown label 'Cause-Effect(e1, e2)'"),
    "label in lower case": (SMALL + block(8, GOOD, "other"), 14, "unknown label 'other'"),
    "directed Other": (SMALL + block(8, GOOD, "Other(e1,e2)"), 14, "unknown label 'Other(e1,e2)'"),
    "a key in place of the corpus": ("8\tMessage-Topic\r\n9\tOther\r\n", 1, FORM),
    "e2 before e1": (SMALL + block(8, "<e2>b</e2> <e1>a</e1>"), 13, TAGS),
    "nested mentions": (SMALL + block(8, "<e1>a <e2>b</e2></e1>"), 13, TAGS),
    "crossing mentions": (SMALL + block(8, "<e1>a <e2>b</e1></e2>"), 13, TAGS),
    "no e1": (SMALL + block(8, "a <e2>b</e2>"), 13, TAGS),
    "no tag at all": (SMALL + block(8, "a b"), 13, TAGS),
    "two of e1": (SMALL + block(8, "<e1>a</e1> <e1>a</e1> <e2>b</e2>"), 13, TAGS),
    "two of e2": (SMALL + block(8, GOOD + " <e2>b</e2>"), 13, TAGS),
    "a tag not closed": (SMALL + block(8, "<e1>a <e2>b</e2>"), 13, TAGS),
    "an empty mention": (SMALL + block(8, "<e1></e1> <e2>b</e2>"), 13, TAGS),
    "thousands of tags": (SMALL + block(8, "<e1></e1>" * 5000), 13, TAGS),
    "no comment": (SMALL + f'8\t"{GOOD}"\r\nOther\r\n\r\n', 13, FORM),
    "no label": (SMALL + f'8\t"{GOOD}"\r\nComment:\r\n\r\n', 13, FORM),
    "comment before label": (SMALL + f'8\t"{GOOD}"\r\nComment:\r\nOther\r\n\r\n', 13, FORM),
    "another comment": (SMALL + block(8, GOOD, "Other", "Note: x"), 13, FORM),
    "blocks not parted": (SMALL + block(8, GOOD).rstrip() + "\r\n" + block(9, GOOD), 13, FORM),
    "truncated after the label": (SMALL.removesuffix("Comment:\r\n\r\n"), 9, FORM),
    "truncated in the sentence": (SMALL[: SMALL.index(" caused")], 9, FORM),
    "truncated after the sentence": (SMALL + f'8\t"{GOOD}"\r\n', 13, "is the file cut off?"),
    "labels on some only": (f'7\t"{GOOD}"\r\n\r\n' + block(8, GOOD), 3, "is the file cut off?"),
    "no quotes": (SMALL + block(8, GOOD).replace('"', ""), 13, "expected a number, a tab and a sentence"),
    "one quote": (SMALL + block(8, GOOD).replace('"\r', "\r"), 13, "expected a number, a tab and a sentence"),
    "blank in place of the tab": (SMALL + block(8, GOOD).replace("\t", " "), 13, "expected a number, a tab"),
    "no number": (SMALL + block(8, GOOD).replace("8\t", "x\t"), 13, "expected a number, a tab"),
    "id twice": (SMALL + block(2, GOOD), 13, "document 2 occurs twice"),
    "id twice without labels": (f'3\t"{GOOD}"\n4\t"{GOOD}"\n3\t"{GOOD}"\n', 3, "document 3 occurs twice"),
}


@pytest.mark.parametrize("reader", [read, read_19])
@pytest.mark.parametrize("text, line, message", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_named(path: Path, reader: Reader, text: str, line: int, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_text(path, text, reader)
    assert f"{path}, line {line}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_very_long_label_is_shortened_in_the_message(path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_text(path, block(8, GOOD, "x" * 10000))
    assert len(str(caught.value)) < 300 + len(str(path))


def test_an_empty_file_is_refused(path: Path) -> None:
    with pytest.raises(CorpusError, match="MADE_UP.TXT: is empty"):
        read_text(path, "")


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is a folder; expected a file"):
        list(read(tmp_path))
    with pytest.raises(CorpusError, match="nowhere.TXT: cannot be read"):
        list(read(tmp_path / "nowhere.TXT"))


def test_a_file_that_is_not_utf8_is_refused(path: Path) -> None:
    path.write_bytes(SMALL.encode("utf8") + b'8\t"caf\xe9"\r\n')
    with pytest.raises(CorpusError, match="line 13: not UTF-8"):
        list(read(path))


def test_records_come_before_the_file_is_read_to_its_end(path: Path) -> None:
    path.write_bytes((SMALL + "damage\r\n").encode("utf8"))
    records = read(path)
    assert [next(records).id for _ in range(3)] == ["1", "2", "7"]
    with pytest.raises(CorpusError, match="line 13"):
        next(records)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged(SMALL.encode("utf8")))
def test_whatever_is_in_a_file_only_a_corpus_error_comes_out(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    for reader in (read, read_19):
        assert_damage_is_survived(reader, path)


# The official files

#: Counts of (e1,e2) and (e2,e1)
LABELS = {
    "TRAIN_FILE.TXT": {
        "Cause-Effect": (344, 659),
        "Component-Whole": (470, 471),
        "Content-Container": (374, 166),
        "Entity-Destination": (844, 1),
        "Entity-Origin": (568, 148),
        "Instrument-Agency": (97, 407),
        "Member-Collection": (78, 612),
        "Message-Topic": (490, 144),
        "Product-Producer": (323, 394),
    },
    "TEST_FILE_FULL.TXT": {
        "Cause-Effect": (134, 194),
        "Component-Whole": (162, 150),
        "Content-Container": (153, 39),
        "Entity-Destination": (291, 1),
        "Entity-Origin": (211, 47),
        "Instrument-Agency": (22, 134),
        "Member-Collection": (32, 201),
        "Message-Topic": (210, 51),
        "Product-Producer": (108, 123),
    },
}
#: First and last id, sentences of Other, with quotes inside, with two mentions of the same text, ids of glued mentions
NUMBERS: Dict[str, Tuple[Any, ...]] = {
    "TRAIN_FILE.TXT": (1, 8000, 1410, 185, 9, {"213", "2740", "4612", "4784", "6373"}),
    "TEST_FILE_FULL.TXT": (8001, 10717, 454, 79, 4, {"8411", "9867"}),
}


def official(name: str, reader: Reader = read) -> List[Record]:
    if not OFFICIAL.is_dir():
        pytest.skip("the official files are not there (folder shared/corpora/semeval2010t8 beside the repository)")
    return list(reader(OFFICIAL / name))


def is_glued(record: Record) -> bool:
    """Whether a letter or digit stands right before a mention."""
    return any(record.text[mention.start - 1 : mention.start].isalnum() for mention in record.mentions)


@pytest.mark.parametrize("name", LABELS)
def test_official_counts(name: str) -> None:
    first, last, other, quotes, same, glued = NUMBERS[name]
    records = official(name)
    assert [record.id for record in records] == [str(id) for id in range(first, last + 1)]
    assert all(len(record.mentions) == 2 for record in records)
    assert not any(record.dropped or record.notes for record in records)
    assert sum(not record.relations for record in records) == other
    assert sum('"' in record.text for record in records) == quotes
    assert sum(len(set(surface(record).values())) == 1 for record in records) == same
    assert {record.id for record in records if is_glued(record)} == glued


@pytest.mark.parametrize("name", LABELS)
def test_official_counts_of_the_nineteen_classes(name: str) -> None:
    directed = {(label, subject): n for label, both in LABELS[name].items() for subject, n in zip(("e1", "e2"), both)}
    assert Counter((rel.predicate, rel.subject) for r in official(name) for rel in r.relations) == directed
    whole = {f"{label}({subject},{'e1' if subject == 'e2' else 'e2'})": n for (label, subject), n in directed.items()}
    assert Counter((rel.predicate) for r in official(name, read_19) for rel in r.relations) == whole
    assert len(whole) == 18


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.slow
def test_every_official_mention_and_relation_reaches_the_docs(name: str) -> None:
    records, report = official(name), ConversionReport()
    glued = 0
    for record, doc in zip(records, records_to_docs(records, spacy.blank("en"), report, strict=True), strict=True):
        assert doc.text == record.text and len(list(doc.sents)) == 1
        assert [span.text for span in doc.spans[SPANS_KEY]] == list(surface(record).values())
        assert len(doc.ents) == 2 and len(doc._.rels) == len(record.relations)
        for rel, gold in zip(doc._.rels, record.relations):
            assert (rel.subject.id_, rel.predicate, rel.object.id_) == (gold.subject, gold.predicate, gold.object)
        glued += is_glued(record)
    assert glued == len(NUMBERS[name][5])
    assert report.counts["mentions"] == 2 * len(records) and report.counts["mentions_that_split_a_token"] >= glued
