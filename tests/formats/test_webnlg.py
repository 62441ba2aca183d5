"""Reading WebNLG: names in triples become mentions where the text has them."""

from pathlib import Path
from typing import Any, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.webnlg import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

TRIPLES = ("Ulm_Airport | city | Ulm", 'Ulm | "motto" | "Ulm &amp; the sea"')
GOOD = '<lex comment="good" lid="Id1">Near Ulm is the Ulm airport: &quot;Ulm &amp; the sea&quot;.</lex>'


def entry(*texts: str, triples: Any = TRIPLES, attributes: str = 'category="Airport" eid="Id5" size="2"') -> str:
    made = "\n".join(f"<mtriple>{triple}</mtriple>" for triple in triples)
    original = "<originaltripleset><otriple>A | b | C</otriple></originaltripleset>"
    return f"<entry {attributes}>\n{original}\n<modifiedtripleset>\n{made}\n</modifiedtripleset>\n" + "\n".join(
        [*texts, "</entry>"]
    )


def write(path: Path, *entries: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["<benchmark><entries>", *entries, "</entries></benchmark>"]), encoding="utf8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train" / "2triples.xml"


def read_all(path: Path, *entries: str) -> List[Record]:
    return list(read(write(path, *entries)))


def read_one(path: Path, text: str, *triples: str) -> Record:
    (record,) = read_all(path, entry(f"<lex>{text}</lex>", triples=triples))
    return record


def surface(record: Record) -> List[str]:
    return [record.text[mention.start : mention.end] for mention in record.mentions]


def test_names_are_found_in_the_text(path: Path) -> None:
    (record,) = read_all(path, entry(GOOD))
    assert (record.id, record.text) == ("Airport/2/Id5/Id1", 'Near Ulm is the Ulm airport: "Ulm & the sea".')
    assert record.place == (path, 8)
    assert record.mentions == [
        MentionRecord("Ulm Airport", "ENTITY", 16, 27),
        MentionRecord("Ulm", "ENTITY", 5, 8),
        MentionRecord("Ulm & the sea", "ENTITY", 30, 43),
    ]
    assert record.relations == [
        RelationRecord("city", "Ulm Airport", "Ulm"),
        RelationRecord('"motto"', "Ulm", "Ulm & the sea"),
    ]
    assert record.meta == {"corpus": "webnlg", "split": "2triples"}
    assert record.sentences is None and record.dropped == [] and not record.notes


@pytest.mark.parametrize(
    "text, starts",
    [
        ("Ulm Airport serves Ulm.", [0, 19]),
        ("The airport is Ulm Airport.", [15, 15]),
        ("Ulmer, ulm, Ulm: Ulm Airport", [17, 7]),
    ],
    ids=["after a longer name", "only in a longer name", "whole words"],
)
def test_names_are_found_outside_of_longer_ones_if_they_can_be(path: Path, text: str, starts: List[int]) -> None:
    record = read_one(path, text, "Ulm_Airport | city | Ulm")
    assert [mention.start for mention in record.mentions] == starts


def test_names_that_are_not_in_the_text_are_dropped_with_their_relations(path: Path) -> None:
    record = read_one(
        path, "Ulm is old.", "Ulm | age | 1170", "Ulm | mayor | Kim_Ode", "Kim_Ode | age | 50", 'Ulm | x | ""'
    )
    assert surface(record) == ["Ulm"] and record.relations == []
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        *[("mention", "surface form is not in the text")] * 4,
        *[("relation", "argument was dropped")] * 4,
    ]
    assert record.dropped[4].where == f"{path}, line 5, document Airport/2/Id5, relation age of Ulm and 1170"


def test_the_enriched_corpus_has_more_beside_the_text(path: Path) -> None:
    more = "<sortedtripleset/><text>Ulm is old. </text><template>A is old.</template>"
    record = read_one(path, more, "Ulm | is | old")
    assert record.text == "Ulm is old." and surface(record) == ["Ulm", "old"]


def test_texts_that_are_not_english_or_faulty_are_noted_wherever_they_stand(path: Path) -> None:
    bad = ['<lex comment="toFix">Ulm</lex>', '<lex lang="ru">Улм</lex>', '<lex lang="ru" comment="toFix">Улм</lex>']
    for texts in ([*bad, GOOD], [GOOD, *bad]):
        (record,) = read_all(path, entry(*texts[:2]), entry(*texts[2:], triples=TRIPLES))
        assert record.notes == {"texts not taken: toFix": 1, "texts not taken: language ru": 2}
    assert len(read_all(path, entry('<lex lang="en" comment="">Ulm</lex>', GOOD))) == 2


def test_a_folder_is_one_corpus_and_ids_may_occur_again(path: Path) -> None:
    write(path.with_name("1triples.xml"), entry(GOOD))
    write(path, entry(GOOD, "<lex/>"), entry("<lex>Ulm</lex>", attributes=""))
    records = list(read(path.parent))
    assert [record.id for record in records] == ["Airport/2/Id5/Id1", "Airport/2/Id5/Id1-2", "Airport/2/Id5", "4"]
    assert {record.meta["split"] for record in records} == {"train"}
    assert [bool(record.text) for record in records] == [True, True, False, True]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("<dataset/>", 1, "starts with <dataset>; expected <benchmark>"),
        ("<benchmark>\n<entry>", 2, "damaged or cut off XML"),
        (f"<benchmark>\n{entry(GOOD, triples=['A | b'])}\n</benchmark>", 5, "'A | b' is no triple"),
        (f"<benchmark>\n{entry(GOOD, triples=['A | b | c | d'])}\n</benchmark>", 5, "'A | b | c | d' is no triple"),
        (f"<benchmark>\n{entry('<lex>an <b>A</b></lex>')}\n</benchmark>", 8, "an element or entity within lex"),
    ],
)
def test_damage_is_an_error_with_its_line(path: Path, text: str, line: int, message: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(CorpusError) as caught:
        list(read(path))
    assert f"{path}, line {line}: {message}" in str(caught.value)


def test_a_file_without_texts_is_an_error(path: Path) -> None:
    with pytest.raises(CorpusError, match="contains no document"):
        read_all(path, entry('<lex comment="toFix">Ulm</lex>'))


@given(data=damaged(f"<benchmark><entries>\n{entry(GOOD)}\n{entry(GOOD)}\n</entries></benchmark>".encode()))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
