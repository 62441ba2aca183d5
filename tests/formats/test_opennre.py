"""Reading OpenNRE's text files: positions in characters or tokens, and what means no relation."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.opennre import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

OF_CHARACTERS: Dict[str, Any] = {
    "text": "Old Kim Ode left \U0001d518lm.",
    "h": {"name": "kim_ode", "id": "m.1", "pos": [4, 11]},
    "t": {"name": "ulm", "id": "m.2", "pos": [17, 20]},
    "relation": "/people/person/place_lived",
}
OF_TOKENS: Dict[str, Any] = {
    "token": ["Old", "Kim", "Ode", "-LRB-", "NA", "-RRB-", "left"],
    "h": {"name": "Kim Ode", "pos": [1, 3]},
    "t": {"name": "NA", "pos": [4, 5]},
    "relation": "Product-Producer(e2,e1)",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wiki_val.txt"


def read_all(path: Path, *instances: Any) -> List[Record]:
    path.write_text("".join(json.dumps(one) + "\n" for one in instances), encoding="utf8")
    return list(read(path))


def read_one(path: Path, instance: Any, **changed: Any) -> Record:
    (record,) = read_all(path, {**instance, **changed})
    return record


def test_positions_in_characters(path: Path) -> None:
    record = read_one(path, OF_CHARACTERS)
    assert (record.id, record.text, record.sentences, record.tokens) == ("1", OF_CHARACTERS["text"], (0,), None)
    assert record.mentions == [
        MentionRecord("h", "ENTITY", 4, 11, ("m.1",)),
        MentionRecord("t", "ENTITY", 17, 20, ("m.2",)),
    ]
    assert record.relations == [RelationRecord("/people/person/place_lived", "h", "t")]
    assert record.meta == {"corpus": "opennre", "split": "wiki_val"}
    assert record.dropped == [] and not record.notes


def test_positions_in_tokens(path: Path) -> None:
    record = read_one(path, OF_TOKENS)
    assert (record.text, record.sentences) == ("Old Kim Ode ( NA ) left", (0,)) and len(record.tokens or ()) == 7
    assert record.mentions == [MentionRecord("h", "ENTITY", 4, 11), MentionRecord("t", "ENTITY", 14, 16)]
    assert record.relations == [RelationRecord("Product-Producer(e2,e1)", "h", "t")]


def test_lines_are_documents(path: Path) -> None:
    path.write_text("\n\n".join(map(json.dumps, (OF_CHARACTERS, OF_TOKENS, OF_TOKENS))))
    assert [(record.id, record.place) for record in read(path)] == [(str(n), (path, n)) for n in (1, 3, 5)]


@pytest.mark.parametrize("label", ["NA", "Other", "no_relation"])
def test_sentences_without_a_relation_keep_their_mentions(path: Path, label: str) -> None:
    record = read_one(path, OF_TOKENS, relation=label)
    assert len(record.mentions) == 2 and record.relations == [] and record.dropped == []
    assert record.notes == {"explicit negative pairs": 1}


@pytest.mark.parametrize("instance, end", [(OF_CHARACTERS, 22), (OF_TOKENS, 8)])
def test_a_mention_outside_of_the_text_is_dropped_with_its_relation(path: Path, instance: Any, end: int) -> None:
    for pos in ([1, end], [-1, 2], [3, 3]):
        record = read_one(path, instance, t={"pos": pos})
        assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
            ("mention", "offsets outside of the text"),
            ("relation", "argument was dropped"),
        ]


def test_other_keys_are_noted(path: Path) -> None:
    assert read_one(path, OF_TOKENS, bag="b").notes == {"key 'bag' not read": 1}


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"text": None}, "text.str"),
        ({"h": {"pos": [0]}}, "h.pos.1"),
        ({"t": {}}, "t.pos"),
        ({"relation": None}, "relation"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, changed: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_all(path, OF_TOKENS, {**OF_CHARACTERS, **changed})
    assert f"{path}, line 2: " in str(caught.value) and f" in {field}" in str(caught.value)


def test_a_line_has_a_text_or_tokens(path: Path) -> None:
    with pytest.raises(CorpusError, match="line 1: Field required in text"):
        read_all(path, {key: value for key, value in OF_TOKENS.items() if key != "token"})


VALID = b"\n".join(json.dumps(one).encode() for one in (OF_CHARACTERS, OF_TOKENS, OF_CHARACTERS))


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
