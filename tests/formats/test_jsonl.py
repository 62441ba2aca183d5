"""The package's own JSON lines: read, refused, and written so that they are read back unchanged."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import srsly
from helpers.damage import assert_damage_is_survived, damaged
from helpers.pipelines import make_doc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.lang.en import English
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import get_concepts
from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import jsonl
from spacy_dualre.formats.jsonl import read
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import MentionRecord, Place, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

VOCAB = Vocab()

DOCUMENT: Dict[str, Any] = {
    "id": "d1",
    "text": "Aspirin blocks COX-1 and NA.",
    "mentions": [
        {"start": 0, "end": 7, "type": "CHEMICAL", "id": "T1", "text": "Aspirin", "kb_id": "D001241"},
        {"start": 15, "end": 20, "type": "GENE", "id": "T2"},
        {"start": 25, "end": 27, "type": "CHEMICAL"},
    ],
    "rels": [{"subject": "T1", "predicate": "INHIBITS", "object": "T2", "score": 0.97}],
}


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.jsonl"


def read_one(path: Path, **changed: Any) -> Record:
    """The document with other values; None removes a key."""
    values = {key: value for key, value in {**DOCUMENT, **changed}.items() if value is not None}
    (record,) = read(write(path, values))
    return record


def dropped(record: Record) -> List[tuple]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


def test_a_document(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text, record.place) == ("d1", DOCUMENT["text"], (path, 1))
    assert record.mentions == [
        MentionRecord("T1", "CHEMICAL", 0, 7, ("D001241",)),
        MentionRecord("T2", "GENE", 15, 20),
        MentionRecord("25-27-CHEMICAL", "CHEMICAL", 25, 27),
    ]
    assert record.relations == [RelationRecord("INHIBITS", "T1", "T2", 0.97)]
    assert record.tokens is record.sentences is None
    assert record.meta == {"corpus": "jsonl", "split": "mine"}
    assert record.dropped == [] and not record.notes


def test_only_the_text_is_required(path: Path) -> None:
    first, second = read(write(path, {"text": "a"}, {"text": ""}))
    assert (first.id, first.text, first.mentions, first.relations) == ("1", "a", [], [])
    assert (second.id, second.text) == ("2", "")


def test_optional_values_may_be_null(path: Path) -> None:
    mention = {"start": 0, "end": 7, "type": "A", "id": None, "text": None, "kb_id": None, "parts": None}
    write(path, {"id": None, "text": "Aspirin", "mentions": [mention], "sentences": None, "tokens": None, "meta": None})
    (record,) = read(path)
    assert (record.id, record.mentions) == ("1", [MentionRecord("0-7-A", "A", 0, 7)])


def test_a_relation_has_score_1_unless_given(path: Path) -> None:
    rels = [{"subject": "T1", "predicate": "P", "object": "T2"}]
    assert read_one(path, rels=rels).relations == [RelationRecord("P", "T1", "T2", 1.0)]


def test_what_is_no_relation_is_passed_on(path: Path) -> None:
    rels = [{"subject": "T1", "predicate": "no_relation", "object": "T2", "score": 0}]
    assert read_one(path, rels=rels).relations == [RelationRecord("no_relation", "T1", "T2", 0.0)]


def test_duplicate_relations_and_relations_with_itself_are_passed_on(path: Path) -> None:
    rel = {"subject": "T1", "predicate": "P", "object": "T1"}
    assert read_one(path, rels=[rel, rel]).relations == [RelationRecord("P", "T1", "T1")] * 2


@pytest.mark.parametrize(
    "kb_id, concepts",
    [
        ("D1", ("D1",)),
        ("D1,D2", ("D1", "D2")),
        (" D1, D2 ,", ("D1", "D2")),
        ("D1,D1", ("D1",)),
        ("-", ("-",)),
        ("-,D1", ("D1",)),
        ("", ()),
        (",", ()),
    ],
)
def test_kb_ids_are_concepts(path: Path, kb_id: str, concepts: tuple) -> None:
    record = read_one(path, mentions=[{"start": 0, "end": 7, "type": "A", "kb_id": kb_id}], rels=[])
    assert record.mentions[0].concepts == concepts


def test_parts_of_a_discontinuous_mention(path: Path) -> None:
    mention = {"start": 0, "end": 20, "type": "A", "parts": [[0, 7], [8, 11], [15, 20]]}
    record = read_one(path, mentions=[mention], rels=[])
    assert record.mentions[0].parts == ((0, 7), (8, 11), (15, 20)) and record.dropped == []
    record = read_one(path, mentions=[{**mention, "parts": [[0, 20]]}], rels=[])
    assert record.mentions[0].parts == () and record.dropped == []
    record = read_one(path, mentions=[{**mention, "parts": [[15, 20], [0, 7]]}], rels=[])
    assert record.mentions[0].parts == ((0, 7), (15, 20)) and record.dropped == []


@pytest.mark.parametrize(
    "parts", [[[0, 7]], [[8, 20]], [[0, 7], [5, 20]], [[0, 7], [7, 7], [15, 20]], [[0, 30], [15, 20]]]
)
def test_a_mention_whose_parts_do_not_fit_is_dropped(path: Path, parts: List[list]) -> None:
    record = read_one(path, mentions=[{"start": 0, "end": 20, "type": "A", "parts": parts}], rels=[])
    assert not record.mentions and dropped(record) == [("mention", "offsets do not match the text")]


def test_tokens_sentences_and_meta(path: Path) -> None:
    tokens = [[0, 7], [8, 14], [15, 20], [21, 24], [25, 27], [27, 28]]
    record = read_one(path, tokens=tokens, sentences=[0, 15], meta={"year": 1999, "split": "train", "any": [None, {}]})
    assert record.tokens == tuple(map(tuple, tokens)) and record.sentences == (0, 15)
    assert record.meta == {"corpus": "jsonl", "split": "train", "year": 1999, "any": [None, {}]}


@pytest.mark.parametrize(
    "tokens, problem",
    [
        ([[0, 7], [8, 14]], "characters 14 to 28 of the text are in no token"),
        ([[8, 28]], "characters 0 to 8"),
        ([], "characters 0 to 28"),
        ([[0, 14], [8, 28]], "token 8 to 28"),
        ([[8, 28], [0, 7]], "characters 0 to 8"),
        ([[0, 29]], "token 0 to 29"),
        ([[-28, 28]], "token -28 to 28"),
        ([[0, 0], [0, 28]], "token 0 to 0"),
        ([[0, 28], [28, 28]], "token 28 to 28"),
        ([[0, 10**30]], "token 0 to 1000"),
        ([[0]], "tokens.0.1"),
        ([[0, 1, 2]], "tokens.0"),
        ([[0, True]], "tokens.0.1"),
    ],
)
def test_tokens_must_fit_the_text(path: Path, tokens: list, problem: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, tokens=tokens)
    assert f"{path}, line 1: " in str(err.value) and problem in str(err.value)


def test_tokens_may_be_blanks_and_have_blanks_between(path: Path) -> None:
    (record,) = read(write(path, {"text": " a \n\n b ", "tokens": [[1, 2], [3, 4], [6, 7]]}))
    assert record.tokens == ((1, 2), (3, 4), (6, 7))


@pytest.mark.parametrize("sentences", [[0, 0], [15, 0], [-1], [28], [0, 10**30]])
def test_sentences_must_fit_the_text(path: Path, sentences: List[int]) -> None:
    with pytest.raises(CorpusError, match="line 1: sentence start .* is outside of the text or not after"):
        read_one(path, sentences=sentences)


MENTION = {"start": 15, "end": 20, "type": "GENE"}


def rel(**argument: Any) -> List[Dict[str, Any]]:
    return [{"subject": "T1", "predicate": "P", "object": {**MENTION, **argument}}]


@pytest.mark.parametrize("argument", [{}, {"text": "COX-1"}, {"id": "T2"}, {"kb_id": ""}, {"id": ""}])
def test_an_argument_may_be_a_mention_of_the_list(path: Path, argument: Dict[str, Any]) -> None:
    record = read_one(path, rels=rel(**argument))
    assert len(record.mentions) == 3
    assert record.relations == [RelationRecord("P", "T1", "T2")]
    assert record.dropped == [] and not record.notes


@pytest.mark.parametrize(
    "argument, added",
    [
        ({"start": 0, "end": 7}, MentionRecord("0-7-GENE", "GENE", 0, 7)),
        ({"start": 8, "end": 14, "id": "T9", "kb_id": "K"}, MentionRecord("T9", "GENE", 8, 14, ("K",))),
        ({"type": "PROTEIN"}, MentionRecord("15-20-PROTEIN", "PROTEIN", 15, 20)),
    ],
)
def test_an_argument_that_is_not_in_the_list_is_one_more_mention(
    path: Path, argument: Dict[str, Any], added: MentionRecord
) -> None:
    record = read_one(path, rels=rel(**argument) * 2)
    assert record.mentions[3:] == [added]
    assert record.relations == [RelationRecord("P", "T1", added.id)] * 2
    assert record.dropped == [] and not record.notes


def test_both_arguments_may_be_mentions_without_a_list(path: Path) -> None:
    rels = [
        {
            "subject": {"start": 0, "end": 7, "type": "A"},
            "predicate": "P",
            "object": {"start": 0, "end": 7, "type": "A"},
        }
    ]
    record = read_one(path, mentions=None, rels=rels)
    assert [mention.id for mention in record.mentions] == ["0-7-A"]
    assert record.relations == [RelationRecord("P", "0-7-A", "0-7-A")]


def test_an_argument_for_one_concept_of_its_mention_is_one_more_mention(path: Path) -> None:
    mentions = [DOCUMENT["mentions"][0], {**MENTION, "id": "T2", "kb_id": "1,2"}]
    record = read_one(
        path, mentions=mentions, rels=[*rel(id="T2", kb_id="2"), *rel(id="T2", kb_id="1,2"), *rel(kb_id="2")]
    )
    assert record.mentions[1:] == [
        MentionRecord("T2", "GENE", 15, 20, ("1", "2")),
        MentionRecord("15-20-GENE", "GENE", 15, 20, ("2",)),
    ]
    assert [rel.object for rel in record.relations] == ["15-20-GENE", "T2", "15-20-GENE"]
    assert record.dropped == []


def test_the_id_of_an_argument_tells_mentions_of_the_same_place_apart(path: Path) -> None:
    mentions = [*DOCUMENT["mentions"], {**MENTION, "id": "T3"}]
    record = read_one(path, mentions=mentions, rels=[*rel(id="T3"), *rel(id="T2"), *rel(), *rel(id="T7")])
    assert [rel.object for rel in record.relations] == ["T3", "T2", "T2", "T2"]
    assert record.notes == {"id of an argument is not that of its mention": 1}


def test_mentions_that_are_alike_all_get_ids(path: Path) -> None:
    mentions = [MENTION, MENTION, {**MENTION, "id": "15-20-GENE"}, {**MENTION, "id": "T1"}, MENTION]
    record = read_one(path, mentions=mentions)
    assert [mention.id for mention in record.mentions] == [
        "15-20-GENE-2",
        "15-20-GENE-3",
        "15-20-GENE",
        "T1",
        "15-20-GENE-4",
    ]


@pytest.mark.parametrize(
    "argument, why",
    [
        ({"text": "COX-2"}, "offsets of an argument do not match the text"),
        ({"start": 14, "text": "COX-1"}, "offsets of an argument do not match the text"),
        ({"start": 8, "end": 14, "id": "T2"}, "id of an argument is that of another mention"),
    ],
)
def test_an_argument_that_contradicts_itself_is_dropped(path: Path, argument: Dict[str, Any], why: str) -> None:
    record = read_one(path, rels=[*rel(**argument), *DOCUMENT["rels"]])
    assert len(record.mentions) == 3
    assert record.relations == [RelationRecord("INHIBITS", "T1", "T2", 0.97)]
    assert dropped(record) == [("relation", why)]
    assert record.dropped[0].where == f"{path}, line 1, document d1, relation P"


@pytest.mark.parametrize("argument", [{"end": 40}, {"start": -1}, {"type": ""}, {"start": 14, "end": 15}])
def test_an_argument_that_can_be_no_mention_is_dropped(path: Path, argument: Dict[str, Any]) -> None:
    record = read_one(path, rels=rel(**argument))
    assert record.relations == [] and len(record.mentions) == 3
    assert [dropped.what for dropped in record.dropped] == ["mention", "relation"]


@pytest.mark.parametrize("argument", ["T3", "", "t1", "Aspirin"])
def test_an_unknown_id_is_dropped(path: Path, argument: str) -> None:
    record = read_one(path, rels=[{"subject": argument, "predicate": "P", "object": "T2"}])
    assert record.relations == [] and dropped(record) == [("relation", "unknown argument")]


@pytest.mark.parametrize(
    "changed, why",
    [
        ({"text": "Aspirn"}, "offsets do not match the text"),
        ({"end": 29, "text": None}, "offsets outside of the text"),
        ({"start": -7, "text": None}, "offsets outside of the text"),
        ({"end": 0, "text": ""}, "offsets outside of the text"),
        ({"start": 9, "text": None}, "offsets outside of the text"),
        ({"end": 10**30, "text": None}, "offsets outside of the text"),
        ({"start": 7, "end": 8, "text": " "}, "nothing but blanks"),
        ({"type": ""}, "no type"),
    ],
)
def test_a_mention_that_cannot_be_is_dropped_with_its_relations(path: Path, changed: Dict[str, Any], why: str) -> None:
    mentions = [{**DOCUMENT["mentions"][0], **changed}, *DOCUMENT["mentions"][1:]]
    record = read_one(path, mentions=mentions)
    assert [mention.id for mention in record.mentions] == ["T2", "25-27-CHEMICAL"] and record.relations == []
    assert dropped(record) == [("mention", why), ("relation", "argument was dropped")]


def test_a_mention_id_given_twice_is_dropped(path: Path) -> None:
    mentions = [*DOCUMENT["mentions"], {"start": 8, "end": 14, "type": "GENE", "id": "T2"}]
    record = read_one(path, mentions=mentions)
    assert record.mentions[1] == MentionRecord("T2", "GENE", 15, 20) and len(record.mentions) == 3
    assert record.relations == [RelationRecord("INHIBITS", "T1", "T2", 0.97)]
    assert dropped(record) == [("mention", "id occurs twice")]


def test_an_argument_at_the_place_of_a_dropped_second_id_is_not_the_first(path: Path) -> None:
    mentions = [*DOCUMENT["mentions"], {"start": 8, "end": 14, "type": "GENE", "id": "T2"}]
    record = read_one(path, mentions=mentions, rels=rel(start=8, end=14))
    assert record.relations == [RelationRecord("P", "T1", "8-14-GENE")]
    assert record.mentions[3] == MentionRecord("8-14-GENE", "GENE", 8, 14)


def test_blanks_at_the_ends_of_a_mention_are_cut_off(path: Path) -> None:
    mention = {"start": 7, "end": 15, "type": "A", "text": " blocks "}
    rels = [{"subject": mention, "predicate": "P", "object": mention}]
    record = read_one(path, mentions=[mention], rels=rels)
    assert record.mentions == [MentionRecord("7-15-A", "A", 8, 14)]
    assert record.relations == [RelationRecord("P", "7-15-A", "7-15-A")]


UNKNOWN = [
    ({"relations": []}, "relations"),
    ({"mentions": [{**MENTION, "label": "X"}]}, "mentions.0.label"),
    ({"rels": [{**DOCUMENT["rels"][0], "label": "X"}]}, "rels.0.label"),
    ({"rels": rel(parts=[[15, 20]])}, "rels.0.object.Argument.parts"),
]
WRONG = [
    ({"text": None}, "text"),
    ({"text": 1}, "text"),
    ({"text": "\ud800"}, "Invalid JSON"),
    ({"id": 1}, "id"),
    ({"mentions": {}}, "mentions"),
    ({"mentions": [1]}, "mentions.0"),
    ({"mentions": [{"end": 7, "type": "A"}]}, "mentions.0.start"),
    ({"mentions": [{"start": False, "end": 7, "type": "A"}]}, "mentions.0.start"),
    ({"mentions": [{"start": 0.0, "end": 7, "type": "A"}]}, "mentions.0.start"),
    ({"mentions": [{"start": "0", "end": 7, "type": "A"}]}, "mentions.0.start"),
    ({"mentions": [{"start": 0, "end": 7, "type": None}]}, "mentions.0.type"),
    ({"mentions": [{**MENTION, "kb_id": ["D1"]}]}, "mentions.0.kb_id"),
    ({"mentions": [{**MENTION, "parts": [15, 20]}]}, "mentions.0.parts.0"),
    ({"rels": [{"subject": "T1", "object": "T2"}]}, "rels.0.predicate"),
    ({"rels": [{"predicate": "P", "object": "T2"}]}, "rels.0.subject"),
    ({"rels": [{"subject": 1, "predicate": "P", "object": "T2"}]}, "rels.0.subject"),
    ({"rels": [{"subject": {"start": 1}, "predicate": "P", "object": "T2"}]}, "rels.0.subject.Argument.end"),
    ({"sentences": [True]}, "sentences.0"),
    ({"meta": []}, "meta"),
    *[
        ({"rels": [{**DOCUMENT["rels"][0], "score": score}]}, "rels.0.score")
        for score in (-0.01, 1.01, 10**30, True, "1", None, float("nan"), float("inf"))
    ],
]


@pytest.mark.parametrize("changed, field", [*UNKNOWN, *WRONG])
def test_what_is_not_of_the_schema_is_an_error_that_names_the_key(
    path: Path, changed: Dict[str, Any], field: str
) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, **changed)
    assert f"{path}, line 1: " in str(err.value) and field in str(err.value)


@pytest.mark.parametrize("second", [DOCUMENT, {"id": "2", "text": "a"}])
def test_a_document_that_occurs_twice_is_an_error(path: Path, second: Dict[str, Any]) -> None:
    write(path, {**DOCUMENT, "id": second["id"]}, {"text": "b"} if second["id"] == "2" else second)
    with pytest.raises(CorpusError, match=f"line 2: document {second['id']} occurs twice"):
        list(read(path))


@pytest.mark.parametrize(
    "line", [b"null", b"[]", b'"text"', b"7", b'{"text": "a"', b'{"text": "a"} 1', b"\xff", b"[" * 9999]
)
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    path.write_bytes(json.dumps(DOCUMENT).encode() + b"\n\n" + line + b"\n")
    records = read(path)
    assert next(records).id == "d1"
    with pytest.raises(CorpusError, match="mine.jsonl, line 3: "):
        next(records)


def test_windows_files_read_the_same(path: Path) -> None:
    plain = list(read(write(path, DOCUMENT, {"text": "a\r\nb"})))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read(path)) == plain and plain[1].text == "a\r\nb"


def test_file_missing_empty_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    for name, problem in (
        ("missing.jsonl", "cannot be read"),
        ("empty.jsonl", "contains no document"),
        (".", "is a folder"),
    ):
        with pytest.raises(CorpusError, match=problem):
            list(read(tmp_path / name))


VALID = b"".join(
    json.dumps(document).encode() + b"\n"
    for document in (
        {
            **DOCUMENT,
            "mentions": [*DOCUMENT["mentions"], {"start": 0, "end": 20, "type": "A", "parts": [[0, 7], [15, 20]]}],
            "tokens": [[0, 7], [8, 14], [15, 20], [21, 24], [25, 28]],
            "sentences": [0, 15],
            "meta": {"a": 1},
        },
        {
            "id": "d2",
            "text": DOCUMENT["text"],
            "rels": [{"subject": MENTION, "predicate": "P", "object": {**MENTION, "id": "x"}}],
        },
    )
)


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)


def to_json(doc: Doc, id: str) -> Dict[str, Any]:
    return jsonl.to_json(doc_to_record(doc, id, Place(Path("made-up"))))


@pytest.fixture
def doc() -> Doc:
    """Aspirin blocks COX-1 ; NA too"""
    tokens = [("Aspirin", "DRUG"), ("blocks", ""), ("COX-1", "GENE"), (";", ""), ("NA", "DRUG"), ("too", "")]
    return make_doc(VOCAB, tokens, [(0, "INHIBITS", 1), (2, "INHIBITS", 1)], sent_starts=(0, 4))


def test_json_of_a_doc(doc: Doc) -> None:
    assert to_json(doc, "7") == {
        "id": "7",
        "text": "Aspirin blocks COX-1 ; NA too ",
        "mentions": [
            {"start": 0, "end": 7, "text": "Aspirin", "type": "DRUG"},
            {"start": 15, "end": 20, "text": "COX-1", "type": "GENE"},
            {"start": 23, "end": 25, "text": "NA", "type": "DRUG"},
        ],
        "rels": [
            {
                "subject": {"start": 0, "end": 7, "text": "Aspirin", "type": "DRUG"},
                "predicate": "INHIBITS",
                "object": {"start": 15, "end": 20, "text": "COX-1", "type": "GENE"},
                "score": 1.0,
            },
            {
                "subject": {"start": 23, "end": 25, "text": "NA", "type": "DRUG"},
                "predicate": "INHIBITS",
                "object": {"start": 15, "end": 20, "text": "COX-1", "type": "GENE"},
                "score": 1.0,
            },
        ],
        "sentences": [0, 23],
    }
    assert list(to_json(doc, "7")) == ["id", "text", "mentions", "rels", "sentences"]


def test_json_has_sentences_only_where_the_doc_has_them() -> None:
    assert "sentences" not in to_json(Doc(VOCAB, words=["a", "b"]), "1")
    assert to_json(Doc(VOCAB, words=["a", "b"], sent_starts=[True, False]), "1")["sentences"] == [0]


def test_mentions_are_those_of_the_span_group_if_there_is_one(doc: Doc) -> None:
    doc.spans["entities"] = [
        Span(doc, 0, 3, label="EVENT"),
        Span(doc, 0, 1, label="DRUG"),
        Span(doc, 0, 1, label="DRUG"),
    ]
    assert [mention["text"] for mention in to_json(doc, "1")["mentions"]] == ["Aspirin blocks COX-1", "Aspirin"]
    doc.spans["entities"] = []
    assert to_json(doc, "1")["mentions"] == []


def test_an_id_that_mentions_share_is_left_out(doc: Doc, path: Path) -> None:
    doc.ents = [
        Span(doc, 0, 1, label="DRUG", span_id="drug"),
        Span(doc, 2, 3, label="GENE", span_id="cox"),
        Span(doc, 4, 5, label="DRUG", span_id="drug"),
    ]
    doc._.rels = [Relation(doc.ents[0], "R", doc.ents[1]), Relation(doc.ents[2], "R", doc.ents[1])]
    values = to_json(doc, "1")
    assert [mention.get("id") for mention in values["mentions"]] == [None, "cox", None]
    (record,) = read(write(path, values))
    assert [mention.id for mention in record.mentions] == ["0-7-DRUG", "cox", "23-25-DRUG"]
    assert record.relations == [RelationRecord("R", "0-7-DRUG", "cox"), RelationRecord("R", "23-25-DRUG", "cox")]
    assert record.dropped == [] and not record.notes


def test_json_of_an_empty_doc_is_read(path: Path) -> None:
    (record,) = read(write(path, to_json(Doc(VOCAB), "")))
    assert (record.id, record.text, record.sentences) == ("1", "", None)


def test_from_json_to_doc_and_back(path: Path) -> None:
    """What a Doc cannot keep is the scores' fifth digit; all else returns as it was."""
    (doc,) = records_to_docs(read(write(path, DOCUMENT)), English(), ConversionReport())
    values = to_json(doc, "d1")
    (record,) = read(write(path, values))
    (again,) = records_to_docs([record], English(), ConversionReport())
    assert to_json(again, "d1") == values
    assert record.mentions[:2] == read_one(path).mentions[:2]
    assert record.relations == read_one(path).relations


LABELS = st.sampled_from(["DRUG", "GENE", "Ü"])
WORDS = st.text(st.sampled_from('aB1é\U0001f41b"\\/,;-\u2028\u0000'), min_size=1, max_size=4).filter(
    lambda word: word == word.strip()
)


@st.composite
def spans(draw: Any, doc: Doc) -> Span:
    start = draw(st.integers(0, len(doc) - 1))
    end = draw(st.integers(start + 1, len(doc)))
    ids = st.sampled_from(["", "", "T1", "T2", "T3", "0-2-DRUG"])
    kb_ids = st.sampled_from(["", "", "-", "D1", "D2", "D1,D2"])
    return Span(doc, start, end, label=draw(LABELS), span_id=draw(ids), kb_id=draw(kb_ids))


@st.composite
def docs(draw: Any) -> Doc:
    """Docs with mentions that may be nested or alike and relations between them and other spans."""
    words = draw(st.lists(WORDS, min_size=1, max_size=8))
    blanks = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    starts = draw(st.none() | st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    doc = Doc(VOCAB, words=words, spaces=blanks, sent_starts=starts)
    mentions = draw(st.lists(spans(doc), max_size=5, unique_by=lambda span: (span.start, span.end, span.label)))
    if draw(st.booleans()):
        doc.spans["entities"] = mentions
    else:
        doc.ents = [mention for mention in mentions if mention.end == mention.start + 1][:1]
    arguments = st.sampled_from(mentions) | spans(doc) if mentions else spans(doc)
    scores = st.integers(0, 10000).map(lambda n: n / 10000)
    rels = st.builds(Relation, arguments, st.sampled_from(["P", "no_relation"]), arguments, scores)
    doc._.rels = draw(st.lists(rels, max_size=5))
    return doc


def without_id(span: Span) -> tuple:
    return (span.start_char, span.end_char, span.label_)


@given(docs())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_doc_is_read_back_with_nothing_changed(path: Path, doc: Doc) -> None:
    srsly.write_jsonl(path, [to_json(doc, "7")])
    (record,) = read(path)
    mentions = doc.spans["entities"] if "entities" in doc.spans else doc.ents
    by_id = {mention.id: mention for mention in record.mentions}
    assert (record.id, record.text, record.dropped) == ("7", doc.text, [])
    assert record.sentences == (tuple(s.start_char for s in doc.sents) if doc.has_annotation("SENT_START") else None)
    assert [(m.start, m.end, m.type, ",".join(m.concepts)) for m in record.mentions[: len(mentions)]] == [
        (*without_id(span), span.kb_id_) for span in mentions
    ]
    assert len(record.relations) == len(doc._.rels)
    for found, rel in zip(record.relations, doc._.rels):
        assert (found.predicate, found.score) == (rel.predicate, rel.score)
        for id, span in ((found.subject, rel.subject), (found.object, rel.object)):
            assert (by_id[id].start, by_id[id].end, by_id[id].type) == without_id(span)
            assert span.kb_id_ in ("", ",".join(by_id[id].concepts))


@given(docs())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_that_are_not_shared_stay(path: Path, doc: Doc) -> None:
    srsly.write_jsonl(path, [to_json(doc, "7")])
    (record,) = read(path)
    mentions = list(doc.spans["entities"] if "entities" in doc.spans else doc.ents)
    everyone = {*map(named, mentions), *(named(span) for rel in doc._.rels for span in (rel.subject, rel.object))}
    for mention, span in zip(record.mentions, mentions):
        if span.id_ and sum(id == span.id_ for id, *_ in everyone) == 1:
            assert mention.id == span.id_


def named(span: Span) -> tuple:
    return (span.id_, *without_id(span))


def test_long_forms_are_read_and_written_again(path: Path) -> None:
    document = {
        "id": "d1",
        "text": "Acetylsalicylic acid (ASA) works. ASA helps.",
        "mentions": [
            {"start": 0, "end": 20, "type": "DRUG"},
            {"start": 22, "end": 25, "type": "DRUG", "long_form": "Acetylsalicylic acid"},
            {"start": 34, "end": 37, "type": "DRUG"},
        ],
    }
    (doc,) = records_to_docs(read(write(path, document)), English(), ConversionReport())
    assert len({concept for span in doc.spans["entities"] for concept in get_concepts(span)}) == 1
    values = to_json(doc, "d1")
    # What a text is short for holds in the whole document
    assert [mention.get("long_form") for mention in values["mentions"]] == [None] + ["Acetylsalicylic acid"] * 2
    (again,) = records_to_docs(read(write(path, values)), English(), ConversionReport())
    assert to_json(again, "d1")["mentions"] == values["mentions"]


def test_a_second_long_form_of_a_text_is_left_out_and_counted(path: Path) -> None:
    mentions = [
        {"start": 0, "end": 7, "type": "CHEMICAL", "long_form": "one"},
        {"start": 0, "end": 7, "type": "DRUG", "long_form": "two"},
    ]
    record = read_one(path, mentions=mentions, rels=None)
    assert record.long_forms == {"Aspirin": "one"} and len(record.mentions) == 2
    assert dropped(record) == [("long form", "the same text had a different one before")]
    with pytest.raises(CorpusError, match="line 1: .* in mentions.0.long_form"):
        read_one(path, mentions=[{"start": 0, "end": 7, "type": "CHEMICAL", "long_form": ""}], rels=None)
