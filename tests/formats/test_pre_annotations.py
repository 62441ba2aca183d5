"""What extraction writes for annotation tools: each can load it, and what comes out again is what went in."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.tools import submit_predictions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.formats import function
from spacy_dualre.records.record import MentionRecord, Place, Record, RelationRecord

TOOLS = ("prodigy", "doccano", "label-studio")
#: With a character beyond 16 bits, blanks of several kinds, and words that mentions cut.
TEXT = "😀 Kim-Ode owns\tNA  and\r\na ferry. "


def make(text: str, mentions: List[MentionRecord], rels: List[tuple] = [], **values: Any) -> Record:
    """A document with relations between mentions given by their numbers, as (subject, predicate, object, score)."""
    record = Record("d 1", text, Place(Path("made-up")), **values)
    for mention in mentions:
        record.add_mention(mention)
    for subject, predicate, object, score in rels:
        record.add_relation(RelationRecord(predicate, mentions[subject].id, mentions[object].id, score))
    assert not record.dropped
    return record


def mention(start: int, end: int, type: str, **values: Any) -> MentionRecord:
    return MentionRecord(f"{start}:{end}:{type}", type, start, end, **values)


#: Overlapping, nested and cutting mentions, two of the same place, two predicates of a pair, and one in either order.
HARD = make(
    TEXT,
    [
        *(mention(2, 9, "PERSON"), mention(2, 5, "NAME"), mention(4, 14, "X Y"), mention(15, 17, "FIRM")),
        *(mention(15, 17, "PLACE"), mention(0, 32, "ALL"), mention(31, 32, "DOT")),
    ],
    [
        *((0, "OWNS", 3, 1.0), (0, "RUNS", 3, 1.0), (3, "OWNS", 0, 1.0), (0, "OWNS", 4, 1.0), (1, "IS-A", 2, 1.0)),
        *((5, "HOLDS", 6, 1.0), (6, "HOLDS", 6, 1.0)),
    ],
)


def write(name: str, records: List[Record], path: Path) -> Dict[str, int]:
    lost: Counter = Counter()
    function(name, "write")(records, path, lost)
    return dict(+lost)


def load(name: str, path: Path) -> List[Dict[str, Any]]:
    """What was written, if it keeps to what the tool says of the files that it loads."""
    text = path.read_text(encoding="utf8")
    values = json.loads(text) if name == "label-studio" else [json.loads(line) for line in text.split("\n")[:-1]]
    for one in values:
        {"prodigy": check_prodigy, "doccano": check_doccano, "label-studio": check_label_studio}[name](one)
    return values


def check_prodigy(example: Dict[str, Any]) -> None:
    """https://prodi.gy/docs/api-interfaces#relations"""
    tokens = example["tokens"]
    assert "".join(token["text"] + " " * token["ws"] for token in tokens) == example["text"]
    assert [token["id"] for token in tokens] == list(range(len(tokens)))
    assert all(example["text"][token["start"] : token["end"]] == token["text"] for token in tokens)
    for span in example["spans"]:
        assert tokens[span["token_start"]]["start"] == span["start"] and tokens[span["token_end"]]["end"] == span["end"]
    for relation in example["relations"]:
        for end in ("head", "child"):
            span = relation[f"{end}_span"]
            assert span in example["spans"] and relation[end] == span["token_end"] and relation["label"]
    assert "answer" not in example


def check_doccano(row: Dict[str, Any]) -> None:
    """doccano, backend/data_import/pipeline: data.py and label.py"""
    assert row["text"]
    for entity in row["entities"]:
        assert type(entity["id"]) is int and entity["label"] and 0 <= entity["start_offset"] < entity["end_offset"]
    ids = [entity["id"] for entity in row["entities"]]
    assert len(ids) == len(set(ids))
    assert all({relation["from_id"], relation["to_id"]} <= {*ids} and relation["type"] for relation in row["relations"])


def check_label_studio(task: Dict[str, Any]) -> None:
    """https://labelstud.io/guide/predictions, and what the editor does with relations"""
    assert "annotations" not in task and task["data"]["text"] is not None
    (prediction,) = task["predictions"]
    assert 0 <= prediction.get("score", 0) <= 1
    regions = {one["id"]: one["value"] for one in prediction["result"] if one["type"] == "labels"}
    relations = [one for one in prediction["result"] if one["type"] == "relation"]
    assert len(regions) + len(relations) == len(prediction["result"])
    assert all(task["data"]["text"][value["start"] : value["end"]] == value["text"] for value in regions.values())
    assert all(id.isalnum() and len(value["labels"]) == 1 for id, value in regions.items())
    # A second relation from one region to another would not be shown
    pairs = [(relation["from_id"], relation["to_id"]) for relation in relations]
    assert len(pairs) == len(set(pairs)) and {id for pair in pairs for id in pair} <= regions.keys()
    assert all(relation["direction"] == "right" and relation["labels"] for relation in relations)


def read_again(name: str, path: Path) -> List[Record]:
    return list(function(name, "read")(submit_predictions(path) if name == "label-studio" else path))


def content(record: Record) -> Any:
    """What comes back: mentions and relations by the places and types of mentions."""
    keys = {mention.id: mention.key for mention in record.mentions}
    rels = Counter((keys[rel.subject], rel.predicate, keys[rel.object]) for rel in record.relations)
    return record.id, record.text, {*keys.values()}, rels


@pytest.mark.parametrize("name", TOOLS)
def test_overlapping_mentions_and_several_predicates_come_back(tmp_path: Path, name: str) -> None:
    nothing = make("Nothing.", [])
    assert write(name, [HARD, replace(nothing, id="7")], tmp_path / "out") == {}
    assert len(load(name, tmp_path / "out")) == 2
    first, second = read_again(name, tmp_path / "out")
    assert content(first) == content(HARD) and content(second) == ("7", "Nothing.", set(), Counter())
    assert not first.dropped and not second.dropped


@pytest.mark.parametrize("name", TOOLS)
def test_what_a_tool_has_no_place_for_is_counted(tmp_path: Path, name: str) -> None:
    record = make(
        TEXT,
        [
            mention(2, 9, "PERSON", concepts=("D1", "D2"), parts=((2, 5), (6, 9))),
            mention(15, 17, "FIRM", concepts=("D3",)),
        ],
        [(0, "OWNS", 1, 0.75), (1, "OWNS", 0, 0.5), (0, "RUNS", 1, 1.0)],
        long_forms={"NA": "North Atlantic"},
    )
    record.add_concept_relation(RelationRecord("OWNS", "D1", "D3"))
    assert write(name, [record], tmp_path / "out") == {
        "concept of a mention": 3,
        "discontinuous mention, written as a whole": 1,
        "long form of a mention": 1,
        "relation between concepts": 1,
        "score of a relation": 2,
    }
    (found,) = read_again(name, tmp_path / "out")
    assert content(found) == content(record)


def test_doccano_gets_no_document_without_text(tmp_path: Path) -> None:
    assert write("doccano", [make("", []), HARD], tmp_path / "out") == {"document without text, left out": 1}
    assert len(load("doccano", tmp_path / "out")) == 1


def test_label_studio_sorts_by_the_lowest_score_and_shows_the_model(tmp_path: Path) -> None:
    meta = {"model": "en_ships", "version": "0.1.0"}
    sure = make(TEXT, [mention(2, 9, "A"), mention(15, 17, "B")], [(0, "P", 1, 0.9), (1, "P", 0, 0.6)], meta=meta)
    write("label-studio", [sure, make("Nothing.", [])], tmp_path / "out")
    first, second = (task["predictions"][0] for task in load("label-studio", tmp_path / "out"))
    assert (first["score"], first["model_version"]) == (0.6, "en_ships 0.1.0")
    assert second == {"result": []}


def test_prodigy_shows_the_id_and_the_model(tmp_path: Path) -> None:
    write("prodigy", [replace(HARD, meta={"model": "en_ships", "version": "0.1.0"})], tmp_path / "out")
    (example,) = load("prodigy", tmp_path / "out")
    assert example["meta"] == {"id": "d 1", "model": "en_ships", "version": "0.1.0"}


def test_prodigy_gets_the_tokens_of_the_document_cut_where_mentions_begin_and_end(tmp_path: Path) -> None:
    tokens = ((0, 1), (2, 9), (10, 14), (15, 17), (19, 22), (24, 32))
    write("prodigy", [make(TEXT, [mention(6, 9, "A")], tokens=tokens)], tmp_path / "out")
    (example,) = load("prodigy", tmp_path / "out")
    words = [token["text"] for token in example["tokens"]]
    assert words == ["😀", "Kim-", "Ode", "owns", "\t", "NA", " ", "and", "\r\n", "a ferry."]


@st.composite
def records(draw: Any) -> Record:
    """Any mentions and relations, in any text."""
    text = draw(st.text("aZé😀-. \t\n\r", min_size=1, max_size=30).filter(str.strip))
    places = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text)), st.sampled_from(["A", "B C", '#d/"é']))
    found = [place for place in draw(st.lists(places, max_size=6)) if text[place[0] : place[1]].strip()]
    # Mentions have no blanks at their ends
    cut = make(text, [mention(*place) for place in dict.fromkeys(found)])
    chosen = [MentionRecord(f"M{number}", *key[2:], *key[:2]) for number, key in enumerate(content(cut)[2])]
    numbers = st.integers(0, max(len(chosen) - 1, 0))
    predicates = st.sampled_from(["P", "Q r"])
    rels = draw(st.sets(st.tuples(numbers, predicates, numbers, st.sampled_from([0.5])), max_size=6)) if chosen else []
    words = [(start, start + 1) for start, letter in enumerate(text) if letter.strip()]
    return make(text, chosen, sorted(rels), tokens=draw(st.sampled_from([None, tuple(words)])))


@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records())
def test_any_document_comes_back(tmp_path: Path, name: str, record: Record) -> None:
    path = tmp_path / "out"
    lost = write(name, [record], path)
    assert lost == ({"score of a relation": len(record.relations)} if record.relations else {})
    load(name, path)
    (found,) = read_again(name, path)
    assert content(found) == content(record) and not found.dropped
