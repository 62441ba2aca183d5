"""Reading SpERT's JSON: tokens, entities and relations between them."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.spert import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

DOCUMENT: Dict[str, Any] = {
    "tokens": ["Kim", "Ode", "-LRB-", "NA", "-RRB-", "left", "Ulm", "."],
    "entities": [
        {"type": "Peop", "start": 0, "end": 2},
        {"type": "Org", "start": 3, "end": 4},
        {"type": "Loc", "start": 6, "end": 7},
    ],
    "relations": [{"type": "Work_For", "head": 0, "tail": 1}, {"type": "Live_In", "head": 0, "tail": 2}],
    "orig_id": 7,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conll04_dev.json"


def read_all(path: Path, *documents: Any) -> List[Record]:
    path.write_text(json.dumps(documents), encoding="utf8")
    return list(read(path))


def read_one(path: Path, **changed: Any) -> Record:
    (record,) = read_all(path, {**DOCUMENT, **changed})
    return record


def test_a_document(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text, record.sentences) == ("7", "Kim Ode ( NA ) left Ulm .", (0,))
    assert len(record.tokens or ()) == 8
    assert record.mentions == [
        MentionRecord("0", "Peop", 0, 7),
        MentionRecord("1", "Org", 10, 12),
        MentionRecord("2", "Loc", 20, 23),
    ]
    assert record.relations == [RelationRecord("Work_For", "0", "1"), RelationRecord("Live_In", "0", "2")]
    assert record.meta == {"corpus": "spert", "split": "conll04_dev"}
    assert record.dropped == [] and not record.notes


def test_original_ids_may_occur_again_or_be_missing(path: Path) -> None:
    """As in SciERC, where they are those of documents of several sentences."""
    records = read_all(path, *({**DOCUMENT, "orig_id": id} for id in ("X1", "X1", None, 8)))
    assert [record.id for record in records] == ["X1", "X1-2", "3", "8"]


@pytest.mark.parametrize("first, end", [(0, 9), (-1, 2), (2, 2), (3, 2)])
def test_an_entity_at_no_tokens_is_dropped_with_its_relations(path: Path, first: int, end: int) -> None:
    entities = [DOCUMENT["entities"][0], {"type": "Org", "start": first, "end": end}, DOCUMENT["entities"][2]]
    record = read_one(path, entities=entities)
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", "offsets outside of the text"),
        ("relation", "argument was dropped"),
    ]
    assert record.relations == [RelationRecord("Live_In", "0", "2")]


@pytest.mark.parametrize("tail", [3, -1])
def test_a_relation_of_another_entity_is_dropped(path: Path, tail: int) -> None:
    (lost,) = read_one(path, relations=[{"type": "Live_In", "head": 0, "tail": tail}]).dropped
    assert lost.why == "unknown argument" and lost.where.endswith(f"document 7, relation Live_In of 0 and {tail}")


def test_other_keys_are_noted(path: Path) -> None:
    assert read_one(path, ltokens=["Before", "."], rtokens=[]).notes == {"key 'ltokens' not read": 1}


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"tokens": None}, "0.tokens"),
        ({"entities": [{"type": "Org", "start": "0", "end": 1}]}, "0.entities.0.start"),
        ({"relations": [{"type": "Live_In", "head": 0}]}, "0.relations.0.tail"),
        ({"orig_id": 0.5}, "0.orig_id.int"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, changed: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_one(path, **changed)
    assert f"{path}: " in str(caught.value) and f" in {field}." in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "["])
def test_a_file_without_documents_is_an_error(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorpusError, match="conll04_dev.json"):
        list(read(path))


VALID = b"[\n" + b"\n,\n".join(json.dumps({**DOCUMENT, "orig_id": id}).encode() for id in (1, "b")) + b"\n]"


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
