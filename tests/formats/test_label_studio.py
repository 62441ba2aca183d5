"""Reading Label Studio's export: regions, relations and their directions, annotators, and where the text is."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.label_studio import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

TEXT = "Kim Ode 🚢 owns NA and a ferry."


def region(id: str, start: int, end: int, *labels: str, **value: Any) -> Dict[str, Any]:
    values = {"start": start, "end": end, "text": TEXT[start:end], "labels": list(labels), **value}
    return {
        "value": {key: value for key, value in values.items() if value is not None},
        "id": id,
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "origin": "manual",
    }


def relation(start: str, end: str, *labels: str, direction: str = "right") -> Dict[str, Any]:
    return {"from_id": start, "to_id": end, "type": "relation", "direction": direction, "labels": list(labels)}


KIM, NA, FERRY = region("aB-1_", 0, 7, "PERSON"), region("q2", 15, 17, "FIRM"), region("r3", 24, 29, "SHIP")
OWNS = relation("aB-1_", "q2", "OWNS")


def annotation(*result: Any, **values: Any) -> Dict[str, Any]:
    return {
        "id": 31,
        "completed_by": 1,
        "result": list(result),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-03-09T22:16:08.728353Z",
        "lead_time": 4.288,
        "prediction": {},
        "result_count": 4,
        **values,
    }


#: As the export JSON has it
TASK: Dict[str, Any] = {
    "id": 7,
    "annotations": [annotation(KIM, NA, FERRY, OWNS)],
    "file_upload": "0-ships.json",
    "drafts": [],
    "predictions": [],
    "data": {"text": TEXT},
    "meta": {},
    "created_at": "2024-03-09T21:52:49.513742Z",
    "inner_id": 1,
    "total_annotations": 1,
    "project": 83,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ships.json"


def read_all(path: Path, *tasks: Any) -> List[Record]:
    path.write_text(json.dumps(tasks), encoding="utf8")
    return list(read(path))


def read_one(path: Path, *result: Any, **data: Any) -> Record:
    """The record of a task with these results."""
    (record,) = read_all(path, {**TASK, "annotations": [annotation(*result)], "data": data or TASK["data"]})
    return record


def dropped(record: Record) -> List[tuple]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


def test_a_task(path: Path) -> None:
    (record,) = read_all(path, TASK)
    assert (record.id, record.text, record.place) == ("7", TEXT, (path, 0))
    assert record.mentions == [
        MentionRecord("aB-1_", "PERSON", 0, 7),
        MentionRecord("q2", "FIRM", 15, 17),
        MentionRecord("r3", "SHIP", 24, 29),
    ]
    assert record.relations == [RelationRecord("OWNS", "aB-1_", "q2")]
    assert record.meta == {"corpus": "label-studio", "split": "ships"}
    assert record.tokens is None and record.dropped == [] and not record.notes


def test_a_task_alone_as_cloud_storage_has_it(path: Path) -> None:
    listed = read_all(path, TASK)
    path.write_text("\ufeff" + json.dumps(TASK, indent=2) + "\n", encoding="utf8")
    assert list(read(path)) == listed


@pytest.mark.parametrize(
    "direction, pair, notes",
    [
        ("right", ("aB-1_", "q2"), {}),
        ("left", ("q2", "aB-1_"), {}),
        ("bi", ("aB-1_", "q2"), {"relation without direction": 1}),
    ],
)
def test_directions(path: Path, direction: str, pair: Any, notes: Any) -> None:
    record = read_one(path, relation("aB-1_", "q2", "A", "B", direction=direction), KIM, NA)
    assert record.relations == [RelationRecord("A", *pair), RelationRecord("B", *pair)]
    assert record.notes == notes


@pytest.mark.parametrize("labels", [{"labels": []}, {"labels": None}, {}])
def test_a_relation_without_label_is_dropped(path: Path, labels: Any) -> None:
    bare = {key: value for key, value in OWNS.items() if key != "labels"}
    record = read_one(path, KIM, NA, {**bare, **labels})
    assert record.relations == [] and dropped(record) == [("relation", "no predicate")]


def test_a_relation_of_what_is_no_mention_is_dropped(path: Path) -> None:
    record = read_one(path, KIM, region("q2", 15, 99, "FIRM"), OWNS, relation("zz", "aB-1_", "OWNS"))
    assert dropped(record) == [
        ("mention", "offsets outside of the text"),
        ("relation", "argument was dropped"),
        ("relation", "unknown argument"),
    ]
    assert record.dropped[0].where == f"{path}, document 7, mention q2 (15 to 99)"


def test_every_label_of_a_region_is_a_mention_and_its_relations_are_of_the_first(path: Path) -> None:
    record = read_one(path, region("aB-1_", 0, 7, "PERSON", "OWNER"), NA, OWNS)
    assert [(one.id, one.type) for one in record.mentions] == [
        ("aB-1_", "PERSON"),
        ("aB-1_-OWNER", "OWNER"),
        ("q2", "FIRM"),
    ]
    assert record.relations == [RelationRecord("OWNS", "aB-1_", "q2")]
    assert record.notes == {"region with several labels, a mention for each; its relations are of the first": 1}


def test_a_region_without_label_is_dropped(path: Path) -> None:
    assert dropped(read_one(path, region("a", 0, 7), NA)) == [("mention", "no type")]


def test_offsets_of_utf16_units_do_not_match_the_text(path: Path) -> None:
    record = read_one(path, KIM, region("q2", 16, 18, "FIRM", text="NA"))
    assert dropped(record) == [("mention", "offsets do not match the text")]


def test_the_text_of_a_region_may_be_missing_or_without_line_ends(path: Path) -> None:
    text = "Kim\nOde owns NA."
    for said in (None, "KimOde"):
        one = region("a", 0, 7, "PERSON", text=said)
        assert read_one(path, one, text=text).mentions == [MentionRecord("a", "PERSON", 0, 7)]


def test_regions_of_html_have_offsets_in_what_is_displayed(path: Path) -> None:
    paths = {"start": "/text()[1]", "end": "/text()[1]", "startOffset": 0, "endOffset": 7}
    shown = {**paths, "globalOffsets": {"start": 0, "end": 7}, "text": "Kim Ode", "hypertextlabels": ["PERSON"]}
    bare = {**paths, "labels": ["PERSON"]}
    record = read_one(path, {**KIM, "id": "a", "type": "hypertextlabels", "value": shown}, {**KIM, "value": bare})
    assert record.mentions == [MentionRecord("a", "PERSON", 0, 7)]
    assert dropped(record) == [("mention", "no offsets in characters")]


def test_other_results_are_noted(path: Path) -> None:
    sure = {"value": {"choices": ["sure"]}, "id": "q2", "from_name": "sure", "to_name": "text", "type": "choices"}
    record = read_one(path, KIM, NA, sure, sure, OWNS)
    assert len(record.mentions) == 2 and len(record.relations) == 1 and record.dropped == []
    assert record.notes == {"result of type 'choices' not read": 2}


def test_everyone_s_annotation_is_a_document(path: Path) -> None:
    several = {**TASK, "annotations": [annotation(KIM, NA, OWNS), annotation(KIM), annotation(FERRY)]}
    records = read_all(path, {**TASK, "id": 3}, several)
    assert [(record.id, len(record.mentions)) for record in records] == [("3", 3), ("7", 2), ("7-2", 1), ("7-2-2", 1)]
    assert [record.notes["document id occurs again, number appended"] for record in records] == [0, 0, 1, 1]


def test_what_is_not_taken_is_noted_with_the_first_document(path: Path) -> None:
    records = read_all(
        path,
        {**TASK, "id": 1, "annotations": [annotation(KIM, was_cancelled=True)]},
        {**TASK, "id": 2, "annotations": [annotation(KIM, was_cancelled=True), annotation(NA)]},
        {**TASK, "id": 3, "predictions": [{"result": [KIM], "score": 0.5}, 12]},
        {**TASK, "id": 4, "annotations": [], "predictions": [{"result": [KIM]}]},
    )
    # Which are decisions of people: nothing is lost
    assert [(record.id, record.dropped) for record in records] == [("2", []), ("3", [])]
    assert [record.notes for record in records] == [
        {"predictions not taken": 3, "annotations not taken: cancelled": 2, "tasks not taken: no annotation": 2},
        {},
    ]


@pytest.mark.parametrize(
    "tasks",
    [[], [{**TASK, "annotations": []}], [{**TASK, "annotations": [annotation(KIM, was_cancelled=True)]}] * 2],
)
def test_a_file_without_annotation_is_an_error(path: Path, tasks: List[Any]) -> None:
    with pytest.raises(CorpusError, match=f"DR358.*ships.json: none of {len(tasks)} tasks"):
        read_all(path, *tasks)


@pytest.mark.parametrize(
    "data, text",
    [
        ({"Full_Text": "in full"}, "in full"),
        ({"Full_Text": "in full", "pmid": 3}, "in full"),
        ({"Full_Text": "in full", "id": "x"}, "in full"),
        ({"text": "taken", "source": "web"}, "taken"),
        ({"text": "not this", "body": "taken"}, "taken"),
    ],
)
def test_the_text_is_that_of_the_tag_or_called_text_or_the_only_one(path: Path, data: Any, text: str) -> None:
    record = read_one(path, {**region("a", 0, 2, "X", text=None), "to_name": "body"}, **data)
    rest = {key: value for key, value in data.items() if value != text}
    assert record.text == text and record.meta.get("label-studio", {}) == rest


@pytest.mark.parametrize("data", [{"body": "a", "title": "b"}, {"html": 3}, {"id": "x"}])
def test_which_text_was_annotated_must_be_clear(path: Path, data: Any) -> None:
    with pytest.raises(
        CorpusError, match=rf"DR349.*task 1 of the file has several texts or none \({', '.join(data)}\)"
    ):
        read_one(path, KIM, **data)


def test_regions_of_another_text_are_dropped(path: Path) -> None:
    other = {**region("b", 0, 2, "X", text=None), "to_name": "title"}
    record = read_one(path, KIM, other, relation("aB-1_", "b", "OWNS"), text=TEXT, title="Ships")
    assert dropped(record) == [
        ("mention", "of another text of the task"),
        ("relation", "argument was dropped"),
    ]


def test_the_id_is_that_in_the_data_the_task_s_or_its_number(path: Path) -> None:
    tasks = [
        {**TASK, "data": {"text": TEXT, "id": "pmid-1"}},
        {**TASK, "id": "own"},
        {**TASK, "id": None},
        {**TASK, "data": {"text": TEXT, "id": ""}},
    ]
    assert [record.id for record in read_all(path, *tasks)] == ["pmid-1", "own", "3", "7"]


def test_json_min_is_named(path: Path) -> None:
    low = {"text": TEXT, "id": 7, "label": [{"start": 0, "end": 7, "text": "Kim Ode", "labels": ["PERSON"]}]}
    with pytest.raises(CorpusError, match="DR348.*ships.json: task 2 of the file has no data.*JSON_MIN"):
        read_all(path, TASK, low)


@pytest.mark.parametrize(
    "result, field",
    [
        ({**KIM, "id": 3}, "a result of task 1.id"),
        ({**KIM, "value": {"start": 0, "labels": ["A"]}}, "a result of task 1.value.end"),
        ({**KIM, "value": {"start": 0.5, "end": 3, "labels": ["A"]}}, "a result of task 1.value.start"),
        ({**KIM, "value": {"start": 0, "end": 3, "labels": "A"}}, "a result of task 1.value.labels"),
        ({**OWNS, "from_id": None}, "a result of task 1.from_id"),
        ({**OWNS, "direction": "up"}, "a result of task 1.direction"),
        ([], "0.annotations.0.result.0"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, result: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_one(path, result)
    assert f"{path}: " in str(caught.value) and field in str(caught.value)


@pytest.mark.parametrize("text", ["", "[{", "null", "3", "<View/>", "id,text\n1,a\n"])
def test_a_file_that_is_no_export_is_an_error(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorpusError, match="ships.json"):
        list(read(path))


# A task a line, so that values can be damaged
VALID = b"[\n" + b"\n,\n".join(json.dumps({**TASK, "id": id}).encode() for id in (1, 2)) + b"\n]"


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
