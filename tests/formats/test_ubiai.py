"""Reading UBIAI's export: arguments are given by their first tokens."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.ubiai import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

TEXT = "Kim Ode owns NA and a ferry."


def entity(start: int, end: int, first: int, last: int, label: str) -> Dict[str, Any]:
    place = {"text": TEXT[start:end], "start": start, "end": end, "token_start": first, "token_end": last}
    return {**place, "entityLabel": label}


KIM, NA, FERRY = entity(0, 7, 0, 1, "PERSON"), entity(13, 15, 3, 3, "FIRM"), entity(20, 27, 5, 6, "SHIP")
OWNS = {"child": 3, "head": 0, "relationLabel": "OWNS"}
DOCUMENT: Dict[str, Any] = {"document": TEXT, "tokens": [KIM, NA, FERRY], "relations": [OWNS]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ships.txt"


def read_all(path: Path, *documents: Any) -> List[Record]:
    path.write_text(json.dumps(documents), encoding="utf8")
    return list(read(path))


def read_one(path: Path, **changed: Any) -> Record:
    (record,) = read_all(path, {**DOCUMENT, **changed})
    return record


def test_a_document(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text, record.place) == ("1", TEXT, (path, 0))
    assert record.mentions == [
        MentionRecord("T1", "PERSON", 0, 7),
        MentionRecord("T2", "FIRM", 13, 15),
        MentionRecord("T3", "SHIP", 20, 27),
    ]
    assert record.relations == [RelationRecord("OWNS", "T1", "T2")]
    assert record.meta == {"corpus": "ubiai", "split": "ships"}
    # Its tokens are not those of the text alone
    assert record.tokens is None and record.dropped == [] and not record.notes


def test_the_head_is_the_subject(path: Path) -> None:
    turned = {"child": 0, "head": 5, "relationLabel": "CARRIES"}
    assert read_one(path, relations=[turned]).relations == [RelationRecord("CARRIES", "T3", "T1")]


def test_several_mentions_may_start_at_a_token(path: Path) -> None:
    record = read_one(path, tokens=[KIM, entity(0, 3, 0, 0, "NAME"), NA], relations=[OWNS, {**OWNS, "head": 3}])
    assert record.relations == [RelationRecord("OWNS", "T1", "T3"), RelationRecord("OWNS", "T3", "T3")]
    assert record.notes == {"relation of a token at which several mentions start, read as the first's": 1}


def test_a_relation_of_another_token_is_dropped(path: Path) -> None:
    record = read_one(path, relations=[{**OWNS, "child": 1}, OWNS])
    assert len(record.relations) == 1
    (lost,) = record.dropped
    assert lost.why == "unknown argument" and lost.where.endswith("document 1, relation OWNS of T1 and token 1")


def test_what_is_wrong_with_a_mention_is_dropped_with_its_relations(path: Path) -> None:
    record = read_one(path, tokens=[{**KIM, "text": "Kim"}, NA])
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", "offsets do not match the text"),
        ("relation", "argument was dropped"),
    ]


def test_names_are_ids_and_may_occur_again(path: Path) -> None:
    names = ["a.txt", None, "a.txt", ""]
    records = read_all(path, *({**DOCUMENT, "documentName": name} for name in names))
    assert [record.id for record in records] == ["a.txt", "2", "a.txt-3", "4"]
    assert [len(record.notes) for record in records] == [0, 0, 1, 0]


def test_other_keys_are_noted(path: Path) -> None:
    assert read_one(path, classes=["good"], comments=[]).notes == {"key 'classes' not read": 1}


def test_ways_to_end_lines_and_files_change_nothing(path: Path) -> None:
    plain = read_all(path, DOCUMENT)
    for start, line, end in (("\ufeff", "\r\n", ""), ("", "\n", "\n\n"), ("\n", "\r\n", " \r\n")):
        path.write_bytes((start + json.dumps([DOCUMENT], indent=2).replace("\n", line) + end).encode())
        assert list(read(path)) == plain


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"document": None}, "0.document"),
        ({"tokens": None}, "0.tokens"),
        ({"tokens": [{**KIM, "start": "0"}]}, "0.tokens.0.start"),
        ({"tokens": [{**KIM, "token_start": None}]}, "0.tokens.0.token_start"),
        ({"relations": [{**OWNS, "child": 3.5}]}, "0.relations.0.child"),
        ({"relations": [{"child": 3, "head": 0}]}, "0.relations.0.relationLabel"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, changed: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_one(path, **changed)
    assert f"{path}: " in str(caught.value) and f" in {field}." in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[", "text"])
def test_a_file_without_documents_is_an_error(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorpusError, match="ships.txt"):
        list(read(path))


VALID = b"[\n" + b"\n,\n".join(json.dumps({**DOCUMENT, "documentName": name}).encode() for name in "ab") + b"\n]"


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
