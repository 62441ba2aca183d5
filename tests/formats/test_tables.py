"""Reading tables of relations."""

from pathlib import Path
from typing import List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.files import Source
from spacy_dualre.formats.tables import COLUMNS as WRITTEN
from spacy_dualre.formats.tables import read, stream_relations
from spacy_dualre.records.record import MentionRecord, RelationRecord

TABLE = """id,text,subject,subject_type,predicate,object,object_type
d1,"Kim Ode owns NA, unlike ""Odes"".",Kim Ode,PERSON,OWNS,NA,FIRM
d1,,Kim Ode,PERSON,,Odes,FIRM
d2,Odes left.,Odes,FIRM,,left,VERB
"""
COLUMNS = "text,subject,subject_type,predicate,object,object_type"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.csv"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf8", newline="")
    return path


def dropped(path: Path, text: str) -> List[tuple]:
    return [(dropped.what, dropped.why) for record in read(write(path, text)) for dropped in record.dropped]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_table(path: Path, newline: str, bom: str) -> None:
    first, second = read(write(path, bom + TABLE.replace("\n", newline)))
    assert (first.id, first.text, first.place) == ("d1", 'Kim Ode owns NA, unlike "Odes".', (path, 2))
    kim, na, odes = (MentionRecord(f"{start}-{end}-{type}", type, start, end) for start, end, type in [
        (0, 7, "PERSON"), (13, 15, "FIRM"), (25, 29, "FIRM")
    ])  # fmt: skip
    assert first.mentions == [kim, na, odes]
    assert first.relations == [RelationRecord("OWNS", kim.id, na.id)]
    assert first.meta == {"corpus": "csv", "split": "mine"} and first.dropped == []
    assert len(second.mentions) == 2 and second.relations == []


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(path: Path, delimiter: str) -> None:
    table = f"{COLUMNS}\nA owns B,A,X,OWNS,B,Y\n".replace(",", delimiter)
    (record,) = read(write(path, table))
    assert (record.id, len(record.relations)) == ("2", 1)


def test_a_text_may_be_as_long_as_a_document(path: Path) -> None:
    text = "Aspirin blocks COX-1. " + "More of it. " * 20_000
    (record,) = read(write(path, f"{COLUMNS}\n{text},Aspirin,C,INHIBITS,COX-1,G\n"))
    assert record.text == text


def test_without_ids_the_same_text_is_one_document(path: Path) -> None:
    row = "A owns B and C,A,X,OWNS,{},Y\n"
    (record,) = read(write(path, COLUMNS + "\n" + row.format("B") + row.format("C")))
    assert len(record.relations) == 2 and len(record.mentions) == 3


def test_an_id_that_is_also_the_number_of_a_line_without_one_is_refused(path: Path) -> None:
    rows = ["3,A owns B,A,X,OWNS,B,Y", ",A has B,A,X,OWNS,B,Y"]
    with pytest.raises(CorpusError, match="line 3.*document 3 occurs twice"):
        list(read(write(path, "\n".join([f"id,{COLUMNS}", *rows, ""]))))


def test_a_form_inside_a_longer_word_is_not_meant(path: Path) -> None:
    (record,) = read(write(path, f"{COLUMNS}\nCOX-12 and COX-1 meet ASAP ASA,COX-1,X,MEET,ASA,Y\n"))
    assert [(mention.start, mention.end) for mention in record.mentions] == [(11, 16), (27, 30)]


def test_offsets_decide_between_places(path: Path) -> None:
    header = f"{COLUMNS},subject_start,object_start\n"
    (record,) = read(write(path, f"{header}A and A own B,A,X,OWN,B,Y,6,\n"))
    assert [mention.start for mention in record.mentions] == [6, 12]
    assert dropped(path, f"{header}A and A own B,A,X,OWN,B,Y,5,\n") == [
        ("mention", "offsets do not match the text"),
        ("relation", "argument was dropped"),
    ]


@pytest.mark.parametrize(
    "subject, type, why",
    [
        ("A", "X", "surface form is in the text more than once, give its start"),
        ("C", "X", "surface form is not in the text"),
        ("", "X", "no surface form"),
        ("and", "", "no type"),
    ],
)
def test_a_surface_form_that_cannot_be_placed_is_dropped(path: Path, subject: str, type: str, why: str) -> None:
    text = f"{COLUMNS}\nA and A own B,{subject},{type},OWN,B,Y\n"
    assert dropped(path, text) == [("mention", why), ("relation", "argument was dropped")]


def test_other_columns_are_noted(path: Path) -> None:
    (record,) = read(write(path, f"{COLUMNS},who\nA owns B,A,X,OWNS,B,Y,me\n"))
    assert record.notes == {"column 'who' not read": 1}


@pytest.mark.parametrize(
    "text, problem",
    [
        ("text,subject\n", "line 1: the header has no column subject_type, predicate, object, object_type"),
        (f"{COLUMNS},text\n", "line 1: the header has a column twice"),
        (f"{COLUMNS}\n", "contains no document"),
        (f"{COLUMNS}\nA,B\n", "line 2: 2 columns; expected 6"),
        (f"{COLUMNS}\n\n,A,X,OWNS,B,Y\n", "line 3: no text"),
        (f'{COLUMNS}\n"A owns B,A,X,OWNS,B,Y\n', "line 2: damaged table"),
        (f"{COLUMNS},subject_start\nA owns B,A,X,OWNS,B,Y,first\n", "line 2: subject_start is 'first'"),
        (f"id,{COLUMNS}\n1,A owns B,A,X,OWNS,B,Y\n1,A owns C,A,X,OWNS,C,Y\n", "line 3: the document 1 had another"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, text: str, problem: str) -> None:
    with pytest.raises(CorpusError, match=f"mine.csv.*{problem}"):
        list(read(write(path, text)))


@given(data=damaged(TABLE.encode()))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)


def test_a_sentence_cannot_start_so_late_that_blanks_fill_the_memory(path: Path) -> None:
    row = {**dict.fromkeys(WRITTEN, "0"), "sentence": "A owns B.", "sentence_start": "999999900"}
    (error,) = stream_relations(Source(write(path, f"{','.join(WRITTEN)}\n{','.join(row.values())}\n")))
    assert isinstance(error, CorpusError) and "DR385" in str(error) and "999999900" in str(error)
