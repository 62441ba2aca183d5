"""Reading Prodigy's relation annotations: arguments as spans or tokens, answers, and what Prodigy adds."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings
from spacy.lang.en import English

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.prodigy import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

TEXT = "Kim Ode owns NA and a ferry."
WORDS = [(0, 3), (4, 7), (8, 12), (13, 15), (16, 19), (20, 21), (22, 27), (27, 28)]


def span(start: int, end: int, label: Any, first: int, last: int) -> Dict[str, Any]:
    return {"start": start, "end": end, "token_start": first, "token_end": last, "label": label}


KIM, NA, FERRY = span(0, 7, "PERSON", 0, 1), span(13, 15, "FIRM", 3, 3), span(20, 27, "SHIP", 5, 6)
OWNS = {"head": 1, "child": 3, "head_span": KIM, "child_span": NA, "color": "#c5bdf4", "label": "OWNS"}
#: As `prodigy db-out` writes it
EXAMPLE: Dict[str, Any] = {
    "text": TEXT,
    "_input_hash": -1886634242,
    "_task_hash": 1018253127,
    "_is_binary": False,
    "tokens": [
        {
            "text": TEXT[start:end],
            "start": start,
            "end": end,
            "id": i,
            "ws": TEXT[end : end + 1] == " ",
            "disabled": False,
        }
        for i, (start, end) in enumerate(WORDS)
    ],
    "spans": [{**s, "text": TEXT[s["start"] : s["end"]], "type": "span"} for s in (KIM, NA, FERRY)],
    "_view_id": "relations",
    "relations": [OWNS, {"head": 1, "child": 6, "head_span": KIM, "child_span": FERRY, "label": "OWNS"}],
    "answer": "accept",
    "_timestamp": 1690000000,
    "_annotator_id": "demo",
}


def write(path: Path, *examples: Any) -> Path:
    path.write_text("".join(json.dumps(example) + "\n" for example in examples), encoding="utf8")
    return path


def changed(**values: Any) -> Dict[str, Any]:
    """The example with other values; None removes a key."""
    return {key: value for key, value in {**EXAMPLE, **values}.items() if value is not None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ships.jsonl"


def read_one(path: Path, **values: Any) -> Record:
    (record,) = read(write(path, changed(**values)))
    return record


def without_spans(head: int, child: int) -> List[Dict[str, Any]]:
    return [{"head": head, "child": child, "label": "R"}]


def dropped(record: Record) -> List[tuple]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


def test_an_example(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text, record.place) == ("1", TEXT, (path, 1))
    assert record.mentions == [
        MentionRecord("0-7-PERSON", "PERSON", 0, 7),
        MentionRecord("13-15-FIRM", "FIRM", 13, 15),
        MentionRecord("20-27-SHIP", "SHIP", 20, 27),
    ]
    assert record.relations == [
        RelationRecord("OWNS", "0-7-PERSON", "13-15-FIRM"),
        RelationRecord("OWNS", "0-7-PERSON", "20-27-SHIP"),
    ]
    assert record.tokens == tuple(WORDS) and record.sentences is None
    assert record.meta == {"corpus": "prodigy", "split": "ships"}
    assert record.dropped == [] and not record.notes


def test_the_head_is_the_subject(path: Path) -> None:
    turned = {**OWNS, "head": 3, "child": 1, "head_span": NA, "child_span": KIM}
    assert read_one(path, relations=[turned]).relations == [RelationRecord("OWNS", "13-15-FIRM", "0-7-PERSON")]


def test_tokens_spans_and_relations_may_be_missing(path: Path) -> None:
    (record,) = read(write(path, {"text": "a", "answer": "accept"}))
    assert (record.text, record.tokens, record.mentions, record.relations) == ("a", None, [], [])
    assert read_one(path, tokens=[]).tokens is None


def test_arguments_with_spans_need_no_tokens(path: Path) -> None:
    record = read_one(path, tokens=None)
    assert len(record.relations) == 2 and record.tokens is None and record.dropped == []


@pytest.mark.parametrize("head, subject", [(1, "0-7-PERSON"), (0, "0-7-PERSON"), (3, "13-15-FIRM"), (6, "20-27-SHIP")])
def test_without_its_span_an_argument_is_the_span_that_holds_its_token(path: Path, head: int, subject: str) -> None:
    record = read_one(path, relations=without_spans(head, 3))
    assert record.relations == [RelationRecord("R", subject, "13-15-FIRM")]
    assert record.dropped == [] and not record.notes


def test_among_nested_spans_the_one_that_ends_with_the_token_counts_then_the_shortest(path: Path) -> None:
    outer, middle, inner = span(0, 15, "E", 0, 3), span(0, 12, "E", 0, 2), span(0, 7, "E", 0, 1)
    record = read_one(path, spans=[outer, middle, inner], relations=[*without_spans(3, 2), *without_spans(1, 0)])
    assert record.relations == [RelationRecord("R", "0-15-E", "0-12-E"), RelationRecord("R", "0-7-E", "0-7-E")]
    record = read_one(path, spans=[span(8, 15, "E", 2, 3), middle], relations=without_spans(2, 3))
    assert record.relations == [RelationRecord("R", "0-12-E", "8-15-E")]
    record = read_one(path, spans=[outer, span(0, 3, "E", 0, 0)], relations=without_spans(0, 1))
    assert record.relations == [RelationRecord("R", "0-3-E", "0-15-E")]


def test_a_token_that_is_in_no_span_becomes_a_mention(path: Path) -> None:
    token = span(8, 12, None, 2, 2)
    relations = [{**OWNS, "child": 2, "child_span": token}, {**OWNS, "head": 2, "head_span": token}]
    for record in (
        read_one(path, relations=relations),
        read_one(path, relations=[*without_spans(1, 2), *without_spans(2, 3)]),
    ):
        assert record.mentions[3:] == [MentionRecord("8-12-TOKEN", "TOKEN", 8, 12)]
        assert [(rel.subject, rel.object) for rel in record.relations] == [
            ("0-7-PERSON", "8-12-TOKEN"),
            ("8-12-TOKEN", "13-15-FIRM"),
        ]
        assert record.notes == {"argument that is not a span, made a mention": 1} and record.dropped == []


def test_an_argument_with_a_label_that_is_no_span_becomes_a_mention_of_that_type(path: Path) -> None:
    record = read_one(path, spans=[], relations=[OWNS, OWNS])
    assert [mention.id for mention in record.mentions] == ["0-7-PERSON", "13-15-FIRM"]
    assert record.relations == [RelationRecord("OWNS", "0-7-PERSON", "13-15-FIRM")] * 2


@pytest.mark.parametrize(
    "label, object", [("FIRM", "13-15-FIRM"), ("PLACE", "13-15-PLACE"), (None, "13-15-FIRM"), ("X", "13-15-FIRM")]
)
def test_the_label_of_an_argument_tells_spans_of_the_same_place_apart(path: Path, label: Any, object: str) -> None:
    spans = [KIM, NA, {**NA, "label": "PLACE"}]
    record = read_one(path, spans=spans, relations=[{**OWNS, "child_span": {**NA, "label": label}}])
    assert len(record.mentions) == 3
    assert record.relations == [RelationRecord("OWNS", "0-7-PERSON", object)]


@pytest.mark.parametrize(
    "head, child, arguments",
    [
        (8, 3, "token 8 and 13-15-FIRM"),
        (3, 8, "13-15-FIRM and token 8"),
        (-1, 3, "token -1 and 13-15-FIRM"),
        (3, -1, "13-15-FIRM and token -1"),
        (10**30, 3, f"token {10**30} and 13-15-FIRM"),
    ],
)
def test_an_index_that_no_token_has_is_dropped(path: Path, head: int, child: int, arguments: str) -> None:
    record = read_one(path, relations=[*without_spans(head, child), OWNS])
    assert len(record.relations) == 1
    assert dropped(record) == [("relation", "unknown argument")]
    assert record.dropped[0].where == f"{path}, line 1, document 1, relation R of {arguments}"


def test_an_index_without_tokens_is_dropped(path: Path) -> None:
    record = read_one(path, tokens=None, relations=without_spans(1, 3))
    assert dropped(record) == [("relation", "unknown argument")]


@pytest.mark.parametrize(
    "values, why",
    [
        ({"start": 30, "end": 33}, "offsets outside of the text"),
        ({"start": -2, "end": 3}, "offsets outside of the text"),
        ({"start": 7, "end": 0}, "offsets outside of the text"),
        ({"start": 0, "end": 7, "text": "Kim"}, "offsets do not match the text"),
        ({"start": 7, "end": 8}, "nothing but blanks"),
        ({"start": 0, "end": 7, "label": ""}, "no type"),
        ({"start": 0, "end": 7, "label": None}, "no type"),
    ],
)
def test_a_span_that_cannot_be_is_dropped_with_its_relations(path: Path, values: Dict[str, Any], why: str) -> None:
    bad = {**KIM, **values}
    record = read_one(path, spans=[bad, NA], relations=[{**OWNS, "head_span": bad}])
    assert [mention.id for mention in record.mentions] == ["13-15-FIRM"] and record.relations == []
    assert dropped(record) == [("mention", why), ("relation", "argument was dropped")]


def test_an_argument_that_can_be_no_mention_is_dropped_once(path: Path) -> None:
    bad = span(40, 43, None, 9, 9)
    record = read_one(path, relations=[{**OWNS, "child_span": bad}] * 2)
    assert dropped(record) == [("mention", "offsets outside of the text")] + [("relation", "argument was dropped")] * 2


def test_a_span_given_twice_is_dropped_once(path: Path) -> None:
    record = read_one(path, spans=[KIM, NA, KIM], relations=[OWNS])
    assert len(record.mentions) == 2 and len(record.relations) == 1
    assert dropped(record) == [("mention", "id occurs twice")]


def test_blanks_at_the_ends_of_a_span_are_cut_off(path: Path) -> None:
    wide = {**KIM, "end": 8}
    record = read_one(path, spans=[wide, NA], relations=[{**OWNS, "head_span": wide}])
    assert record.mentions[0] == MentionRecord("0-8-PERSON", "PERSON", 0, 7)
    assert record.relations == [RelationRecord("OWNS", "0-8-PERSON", "13-15-FIRM")]


@pytest.mark.parametrize(
    "tokens, problem",
    [
        ([{"start": 0, "end": 7}], "characters 7 to 28"),
        ([{"start": 0, "end": 29}], "token 0 to 29"),
        ([{"start": 0, "end": 0}], "token 0 to 0"),
        ([{"start": 0, "end": 7}, {"start": 4, "end": 28}], "token 4 to 28"),
        ([{"start": True, "end": 28}], "tokens.0.start"),
        ([{"end": 28}], "tokens.0.start"),
    ],
)
def test_tokens_must_fit_the_text(path: Path, tokens: List[Dict[str, Any]], problem: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, tokens=tokens)
    assert f"{path}, line 1: " in str(err.value) and problem in str(err.value)


def test_blank_tokens_are_tokens(path: Path) -> None:
    tokens = [{"start": start, "end": end} for start, end in ((0, 1), (1, 3), (3, 4))]
    assert read_one(path, text="a\n\nb", tokens=tokens, spans=[], relations=[]).tokens == ((0, 1), (1, 3), (3, 4))


def ids(path: Path) -> List[str]:
    return [record.id for record in read(path)]


def test_ids_are_of_meta_of_the_example_or_the_line(path: Path) -> None:
    write(
        path,
        changed(meta={"id": "m", "source": "log"}, id="top"),
        changed(meta={"id": 0}),
        changed(meta={"id": None}, id=12),
        changed(meta={"id": ""}, id="x"),
        changed(meta={"id": True}),
        changed(meta={"id": [1]}),
        EXAMPLE,
    )
    assert ids(path) == ["m", "0", "12", "x", "5", "6", "7"]
    assert next(read(path)).meta == {"corpus": "prodigy", "split": "ships", "prodigy": {"id": "m", "source": "log"}}


def test_ids_that_occur_again_get_the_line(path: Path) -> None:
    write(path, *[changed(id=id) for id in ("a", "a-3", "a", "b", "a", "a")])
    records = list(read(path))
    assert [record.id for record in records] == ["a", "a-3", "a-3-3", "b", "a-5", "a-6"]
    assert [record.notes["document id occurs again, number appended"] for record in records] == [0, 0, 1, 0, 1, 1]


def test_other_answers_are_counted_with_the_first_example(path: Path) -> None:
    reject, ignore = changed(answer="reject"), changed(answer="ignore")
    records = list(read(write(path, reject, EXAMPLE, EXAMPLE, ignore, reject, EXAMPLE, ignore)))
    # Which is the annotator's decision: nothing is lost
    assert not any(record.dropped for record in records)
    assert [record.notes for record in records] == [
        {"examples not taken: answer is ignore": 2, "examples not taken: answer is reject": 2},
        {},
        {},
    ]


def test_without_an_answer_an_example_is_taken(path: Path) -> None:
    record = read_one(path, answer=None)
    assert len(record.relations) == 2 and record.notes == {"no answer, taken as accepted": 1}


def test_keys_that_are_none_of_prodigys_are_noted(path: Path) -> None:
    record = read_one(path, mentions=["x"], _input_hash=1)
    assert record.notes == {"key 'mentions' not read": 1}


@pytest.mark.parametrize("examples", [[], [changed(answer="reject")] * 2])
def test_a_file_without_an_accepted_example_is_an_error(path: Path, examples: List[Any]) -> None:
    path.write_text("\n" + "".join(json.dumps(example) + "\n" for example in examples), encoding="utf8")
    with pytest.raises(CorpusError, match=f'no example with the answer "accept", {len(examples)} with another'):
        list(read(path))


@pytest.mark.parametrize(
    "values, field",
    [
        ({"text": None}, "text"),
        ({"text": 1}, "text"),
        ({"answer": "yes"}, "answer"),
        ({"spans": {}}, "spans"),
        ({"spans": [{**KIM, "start": False}]}, "spans.0.start"),
        ({"spans": [{**KIM, "end": "7"}]}, "spans.0.end"),
        ({"spans": [{**KIM, "label": 1}]}, "spans.0.label"),
        ({"relations": [{**OWNS, "head": None}]}, "relations.0.head"),
        ({"relations": [{**OWNS, "child": 3.0}]}, "relations.0.child"),
        ({"relations": [{**OWNS, "label": None}]}, "relations.0.label"),
        ({"relations": [{**OWNS, "head_span": [0, 7]}]}, "relations.0.head_span"),
        ({"relations": [{**OWNS, "child_span": {"start": 1}}]}, "relations.0.child_span.end"),
        ({"meta": []}, "meta"),
        ({"id": 1.5}, "id"),
    ],
)
def test_wrong_types_are_errors_that_name_the_field(path: Path, values: Dict[str, Any], field: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, **values)
    assert f"{path}, line 1: " in str(err.value) and field in str(err.value)


@pytest.mark.parametrize(
    "line", [b"null", b"[]", b'"text"', b'{"text": "a"', b'{"text": "\\ud800"}', b"\xff", b"[" * 9999]
)
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    path.write_bytes(json.dumps(EXAMPLE).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(CorpusError, match="ships.jsonl, line 3: "):
        list(read(path))


def test_windows_files_read_the_same(path: Path) -> None:
    plain = list(read(write(path, EXAMPLE, EXAMPLE)))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read(path)) == plain


def test_file_missing_empty_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    for name, problem in (("missing.jsonl", "cannot be read"), ("empty.jsonl", "is empty"), (".", "is a folder")):
        with pytest.raises(CorpusError, match=problem):
            list(read(tmp_path / name))


def test_the_doc_has_prodigys_tokens(path: Path) -> None:
    edges = [(0, 7), (8, 12), (13, 15), (16, 19), (20, 27), (27, 28)]
    tokens = [{"start": start, "end": end} for start, end in edges]
    (doc,) = records_to_docs(read(write(path, changed(tokens=tokens))), English(), ConversionReport())
    assert [token.text for token in doc] == ["Kim Ode", "owns", "NA", "and", "a ferry", "."]
    assert [(rel.subject.text, rel.object.text) for rel in doc._.rels] == [("Kim Ode", "NA"), ("Kim Ode", "a ferry")]


VALID = b"".join(
    json.dumps(example).encode() + b"\n"
    for example in (EXAMPLE, changed(answer="reject", relations=[]), changed(id="a", relations=without_spans(2, 6)))
)


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)
