"""Reading FewRel: an instance is a document with two mentions and a relation."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.fewrel import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

OFFICIAL = SHARED / "corpora" / "open" / "fewrel" / "val_wiki.json.gz"
INSTANCE: Dict[str, Any] = {
    "tokens": ["Old", "Kim", "Ode", "left", "Ulm", ",", "\n", "dear", "Ulm", "."],
    "h": ["kim ode", "Q1", [[1, 2]]],
    "t": ["ulm", "Q2", [[4], [8]]],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "val_wiki.json"


def read_all(path: Path, **instances: Any) -> List[Record]:
    path.write_text(json.dumps(instances), encoding="utf8")
    return list(read(path))


def read_one(path: Path, **changed: Any) -> Record:
    (record,) = read_all(path, P19=[{**INSTANCE, **changed}])
    return record


def test_an_instance_is_a_document(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text) == ("P19-1", "Old Kim Ode left Ulm , \n dear Ulm .")
    assert record.sentences == (0,) and len(record.tokens or ()) == 10
    assert record.mentions == [
        MentionRecord("h", "ENTITY", 4, 11, ("Q1",)),
        MentionRecord("t", "ENTITY", 17, 20, ("Q2",)),
    ]
    assert record.relations == [RelationRecord("P19", "h", "t")]
    assert record.meta == {"corpus": "fewrel", "split": "val_wiki"}
    assert record.dropped == [] and record.notes == {
        "further occurrences of an entity not read": 1,
        "predicate without a name of its own, so called by its id": 1,
    }


def test_ids_count_within_the_predicate(path: Path) -> None:
    records = read_all(path, P19=[INSTANCE] * 2, P6=[INSTANCE])
    assert [record.id for record in records] == ["P19-1", "P19-2", "P6-1"]


def test_predicates_have_the_names_beside_the_file(path: Path) -> None:
    path.with_name("pid2name.json").write_text('{"P19": ["place of birth", "where somebody was born"]}')
    assert read_one(path).relations == [RelationRecord("place of birth", "h", "t")]


def test_a_mention_with_other_tokens_in_it_is_read_as_a_whole(path: Path) -> None:
    record = read_one(path, h=["old ode", "Q1", [[2, 0]]])
    assert record.mentions[0] == MentionRecord("h", "ENTITY", 0, 11, ("Q1",))
    assert record.notes["mention of tokens with others between them, read as a whole"] == 1


@pytest.mark.parametrize("id", [None, ""])
def test_entities_without_an_id(path: Path, id: Any) -> None:
    assert read_one(path, h=["kim", id, [[1]]]).mentions[0].concepts == ()


@pytest.mark.parametrize(
    "places, why",
    [
        ([[9, 10]], "offsets outside of the text"),
        ([[-1]], "offsets outside of the text"),
        ([[]], "offsets outside of the text"),
        ([], "offsets outside of the text"),
        ([[6]], "nothing but blanks"),
        ([[0, 10**30]], "offsets outside of the text"),
    ],
)
def test_a_mention_at_no_token_is_dropped_with_its_relation(path: Path, places: Any, why: str) -> None:
    record = read_one(path, h=["kim", "Q1", places])
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", why),
        ("relation", "argument was dropped"),
    ]


def test_other_keys_are_noted(path: Path) -> None:
    assert read_one(path, source="own").notes["key 'source' not read"] == 1


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"tokens": "Kim"}, "P19.0.tokens"),
        ({"h": ["kim", "Q1"]}, "P19.0.h.2"),
        ({"h": ["kim", "Q1", [1]]}, "P19.0.h.2.0"),
        ({"t": ["ulm", "Q1", [["1"]]]}, "P19.0.t.2.0.0"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, changed: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_one(path, **changed)
    assert f"{path}: " in str(caught.value) and f" in {field}." in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"P19": []}', "{"])
def test_a_file_without_instances_is_an_error(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorpusError, match="val_wiki.json"):
        list(read(path))


VALID = (
    b'{\n"P19": [\n' + json.dumps(INSTANCE).encode() + b'\n],\n"P6": [\n' + json.dumps(INSTANCE).encode() + b"\n]\n}"
)


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_file(), reason="needs the corpus")
def test_official_counts() -> None:
    records = list(read(OFFICIAL))
    assert len(records) == 11200 and len({rel.predicate for record in records for rel in record.relations}) == 16
    assert not any(record.dropped for record in records)
