"""Reading doccano's export of relations."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.doccano import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

DOCUMENT: Dict[str, Any] = {
    "id": 7,
    "text": "Kim Ode owns NA.",
    "entities": [
        {"id": 31, "label": "PERSON", "start_offset": 0, "end_offset": 7},
        {"id": 32, "label": "FIRM", "start_offset": 13, "end_offset": 15},
    ],
    "relations": [{"id": 5, "from_id": 31, "to_id": 32, "type": "OWNS"}],
    "Comments": [],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "admin.jsonl"


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf8")
    return path


def read_one(path: Path, **changed: Any) -> Record:
    (record,) = read(write(path, {**DOCUMENT, **changed}))
    return record


def test_a_document(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text, record.place) == ("7", DOCUMENT["text"], (path, 1))
    assert record.mentions == [MentionRecord("31", "PERSON", 0, 7), MentionRecord("32", "FIRM", 13, 15)]
    assert record.relations == [RelationRecord("OWNS", "31", "32")]
    assert record.meta == {"corpus": "doccano", "split": "admin"}
    assert record.dropped == [] and not record.notes


def test_a_document_without_id_has_the_number_of_its_line(path: Path) -> None:
    first, second = read(write(path, DOCUMENT, {"text": "Nothing.", "entities": []}))
    assert (second.id, second.mentions, second.relations) == ("2", [], [])


def test_metadata_is_noted(path: Path) -> None:
    assert read_one(path, Comments=["sure?"], source="").notes == {"key 'Comments' not read": 1}


def test_what_is_wrong_with_a_mention_or_relation_is_dropped(path: Path) -> None:
    entities = [*DOCUMENT["entities"], {"id": 33, "label": "FIRM", "start_offset": 13, "end_offset": 99}]
    relations = [{"from_id": 31, "to_id": id, "type": "OWNS"} for id in (32, 33, 34)]
    record = read_one(path, entities=entities, relations=relations)
    assert len(record.mentions) == 2 and record.relations == [RelationRecord("OWNS", "31", "32")]
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", "offsets outside of the text"),
        ("relation", "argument was dropped"),
        ("relation", "unknown argument"),
    ]


@pytest.mark.parametrize(
    "damage, problem",
    [
        ({"entities": None}, "entities"),
        ({"entities": [{"id": 1, "label": "A", "start_offset": "0", "end_offset": 3}]}, "entities.0.start_offset"),
        ({"relations": [{"from_id": 1, "type": "A"}]}, "relations.0.to_id"),
        ({"text": 3}, "text"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, damage: Dict[str, Any], problem: str) -> None:
    write(path, DOCUMENT, {**DOCUMENT, "id": 8, **damage})
    with pytest.raises(CorpusError, match=f"admin.jsonl, line 2: .* in {problem}"):
        list(read(path))


def test_a_document_that_occurs_twice_is_an_error(path: Path) -> None:
    with pytest.raises(CorpusError, match="line 2: document 7 occurs twice"):
        list(read(write(path, DOCUMENT, DOCUMENT)))


VALID = (json.dumps(DOCUMENT) + "\n" + json.dumps({**DOCUMENT, "id": 8}) + "\n").encode()


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
