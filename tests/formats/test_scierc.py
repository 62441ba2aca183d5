"""Reading SciERC: tokens become text, token indices become offsets, the official counts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

import pytest
from helpers.damage import assert_damage_is_survived, damaged
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings
from spacy.lang.en import English

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.scierc import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

OFFICIAL = SHARED / "corpora" / "scierc"

#: Tokens 0 to 9 are the first sentence, 10 to 14 the second.
DOCUMENT: Dict[str, Any] = {
    "doc_key": "X99-1001",
    "sentences": [
        ["We", "parse", "Frisian", "-LRB-", "NA", "-RRB-", "with", "``", "Grub", "''"],
        ["Grub", "beats", "grub--like", "parsers", "."],
    ],
    "ner": [
        [[2, 2, "Material"], [4, 4, "Material"], [8, 8, "Method"]],
        [[10, 10, "Method"], [12, 13, "Method"], [13, 13, "Generic"]],
    ],
    "relations": [[[8, 8, 2, 2, "USED-FOR"]], [[10, 10, 12, 13, "COMPARE"]]],
    "clusters": [[[8, 8], [10, 10]]],
}


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf8")
    return path


def changed(**values: Any) -> Dict[str, Any]:
    """The document with other values; None removes a key."""
    return {key: value for key, value in {**DOCUMENT, **values}.items() if value is not None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dev.json"


def read_one(path: Path, **values: Any) -> Record:
    (record,) = read(write(path, changed(**values)))
    return record


def surface(record: Record) -> List[str]:
    return [record.text[mention.start : mention.end] for mention in record.mentions]


def dropped(record: Record) -> List[tuple]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


def test_text_is_the_tokens_with_escapes_undone(path: Path) -> None:
    record = read_one(path)
    assert record.text == 'We parse Frisian ( NA ) with " Grub " Grub beats grub--like parsers .'
    assert (record.id, record.meta) == ("X99-1001", {"corpus": "scierc", "split": "dev"})
    assert record.place == (path, 1)


def test_tokens_and_sentences_are_the_corpuss_own(path: Path) -> None:
    record = read_one(path)
    assert record.tokens is not None
    tokens = [record.text[start:end] for start, end in record.tokens]
    assert tokens == [*'We parse Frisian ( NA ) with " Grub "'.split(), "Grub", "beats", "grub--like", "parsers", "."]
    assert record.sentences == (0, 38)
    assert record.text[38:].startswith("Grub beats")


@pytest.mark.parametrize(
    "token, text",
    [
        *zip("-LRB- -RRB- -LSB- -RSB- -LCB- -RCB- `` ''".split(), '()[]{}""'),
        *[(same, same) for same in ("--", "-", "`", "'", "-lrb-", "x-LRB-y", "-LRB", "*", "NA", "null", "\U0001f41b")],
    ],
)
def test_only_whole_escapes_are_undone(path: Path, token: str, text: str) -> None:
    record = read_one(path, sentences=[["a", token, "b"]], ner=[[[1, 1, "T"], [2, 2, "T"]]], relations=None)
    assert record.text == f"a {text} b"
    assert surface(record) == [text, "b"]


def test_mentions_have_the_ids_and_characters_of_their_tokens(path: Path) -> None:
    record = read_one(path)
    assert record.mentions[0] == MentionRecord("2-2", "Material", 9, 16)
    assert [mention.id for mention in record.mentions] == ["2-2", "4-4", "8-8", "10-10", "12-13", "13-13"]
    assert surface(record) == ["Frisian", "NA", "Grub", "Grub", "grub--like parsers", "parsers"]
    assert record.dropped == []


def test_relations_keep_their_direction(path: Path) -> None:
    assert read_one(path).relations == [
        RelationRecord("USED-FOR", "8-8", "2-2"),
        RelationRecord("COMPARE", "10-10", "12-13"),
    ]


def test_duplicate_relations_are_passed_on(path: Path) -> None:
    rows = [[8, 8, 2, 2, "USED-FOR"]] * 2
    assert read_one(path, relations=[rows, []]).relations == [RelationRecord("USED-FOR", "8-8", "2-2")] * 2


def test_a_relation_may_go_to_another_sentence(path: Path) -> None:
    assert read_one(path, relations=[[[8, 8, 10, 10, "COREF"]], []]).relations == [
        RelationRecord("COREF", "8-8", "10-10")
    ]


def test_coreference_and_other_keys_are_noted(path: Path) -> None:
    record = read_one(path, dataset="scierc", clusters=[[[8, 8], [10, 10]], [[2, 2], [4, 4]]])
    assert record.notes == {"coreference clusters not read": 2, "key 'dataset' not read": 1}


@pytest.mark.parametrize("values", [{"ner": None, "relations": None}, {"relations": None}])
def test_a_document_may_be_unannotated(path: Path, values: Dict[str, Any]) -> None:
    record = read_one(path, clusters=None, **values)
    assert record.relations == record.dropped == [] and not record.notes
    assert len(record.mentions) == (0 if "ner" in values else 6)


def test_scores_of_predictions_are_left_and_noted(path: Path) -> None:
    ner = [[[2, 2, "Material", 9.1, 0.99], [8, 8, "Method"]], []]
    record = read_one(path, ner=ner, relations=[[[8, 8, 2, 2, "USED-FOR", 7.3, 0.97]], []], clusters=None)
    assert record.relations == [RelationRecord("USED-FOR", "8-8", "2-2")]
    assert record.notes == {"scores of a prediction not read": 2}


def test_a_second_type_of_the_same_tokens_gets_an_id_of_its_own(path: Path) -> None:
    record = read_one(
        path, ner=[[[2, 2, "Material"], [8, 8, "Method"], [2, 2, "Task"]], []], relations=[[[8, 8, 2, 2, "R"]], []]
    )
    assert [(mention.id, mention.type) for mention in record.mentions if mention.start == 9] == [
        ("2-2", "Material"),
        ("2-2-Task", "Task"),
    ]
    assert record.relations == [RelationRecord("R", "8-8", "2-2")]
    assert record.notes["second type of the same tokens; relations are of the first"] == 1


def test_a_mention_given_twice_is_dropped_once(path: Path) -> None:
    record = read_one(path, ner=[[[2, 2, "A"], [2, 2, "B"], [2, 2, "A"], [2, 2, "B"]], []], relations=None)
    assert [mention.id for mention in record.mentions] == ["2-2", "2-2-B"]
    assert dropped(record) == [("mention", "id occurs twice")] * 2


OUTSIDE = [(0, 0), (9, 10), (14, 15), (15, 15), (11, 10), (-1, 2), (-2, -1), (10**30, 10**30)]


@pytest.mark.parametrize("first, last", OUTSIDE)
@pytest.mark.parametrize(
    "key, rest", [("ner", ["T"]), ("relations", [12, 13, "R"]), ("predicted_relations", [0, 0, "R"])]
)
def test_what_is_not_in_its_sentence_is_an_error(path: Path, key: str, rest: List[Any], first: int, last: int) -> None:
    """As indices within the sentence are not, from the second sentence on."""
    with pytest.raises(CorpusError) as err:
        read_one(path, **{key: [[], [[first, last, *rest]]]})
    message = f"line 1: {key} at {first} to {last}, but sentence 2 of document X99-1001 has the tokens 10 to 14"
    assert message in str(err.value)


@pytest.mark.parametrize("first, last", [(-1, 2), (3, 2), (15, 15)])
def test_an_object_that_no_token_has_is_dropped(path: Path, first: int, last: int) -> None:
    record = read_one(path, relations=[[[2, 2, first, last, "R"]], []])
    assert record.relations == [] and dropped(record) == [("relation", "unknown argument")]


def test_an_argument_that_is_no_mention_is_dropped(path: Path) -> None:
    record = read_one(path, relations=[[[8, 8, 2, 3, "R"], [8, 8, 2, 2, "R"]], []])
    assert record.relations == [RelationRecord("R", "8-8", "2-2")]
    assert dropped(record) == [("relation", "unknown argument")]


def test_a_mention_without_type_is_dropped(path: Path) -> None:
    assert dropped(read_one(path, ner=[[[2, 2, ""]], []], relations=None)) == [("mention", "no type")]


def test_an_empty_sentence_has_no_start(path: Path) -> None:
    record = read_one(
        path,
        sentences=[[], ["a", "b"], [], ["c"], []],
        ner=[[], [[1, 1, "T"]], [], [[2, 2, "T"]], []],
        relations=[[]] * 5,
    )
    assert (record.text, record.sentences, surface(record)) == ("a b c", (0, 4), ["b", "c"])


def test_a_document_without_tokens_is_empty(path: Path) -> None:
    record = read_one(path, sentences=[], ner=[], relations=[])
    assert (record.text, record.tokens, record.sentences) == ("", (), ())


def test_an_empty_token_is_an_error(path: Path) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, sentences=[["a"], ["b", ""]], ner=None, relations=None)
    assert f"{path}, line 1: an empty token in sentence 2 of document X99-1001" in str(err.value)


@pytest.mark.parametrize("key", ["ner", "relations"])
@pytest.mark.parametrize("rows", [[], [[]], [[], [], []]])
def test_there_is_one_list_for_each_sentence(path: Path, key: str, rows: List[list]) -> None:
    with pytest.raises(CorpusError, match=f"line 1: {len(rows)} lists in {key} of .*expected one for each of its 2"):
        read_one(path, **{key: rows})


@pytest.mark.parametrize(
    "values, field",
    [
        ({"doc_key": None}, "doc_key"),
        ({"doc_key": 7}, "doc_key"),
        ({"sentences": None}, "sentences"),
        ({"sentences": "We parse"}, "sentences"),
        ({"sentences": [["a", 1]]}, "sentences.0.1"),
        ({"sentences": [["a", "\ud800"]]}, "Invalid JSON"),
        ({"ner": [[[2, True, "T"]], []]}, "ner.0.0.1"),
        ({"ner": [[[2, 2.0, "T"]], []]}, "ner.0.0.1"),
        ({"ner": [[["2", 2, "T"]], []]}, "ner.0.0.0"),
        ({"ner": [[[2, 2]], []]}, "ner.0.0.2"),
        ({"ner": [[[2, 2, None]], []]}, "ner.0.0.2"),
        ({"ner": [[2, 2, "T"], []]}, "ner.0.0"),
        ({"ner": [[{}], []]}, "ner.0.0"),
        ({"relations": [[[8, 8, 2, "R"]], []]}, "relations.0.0.3"),
        ({"relations": [[[8, 8, 2, 2]], []]}, "relations.0.0.4"),
        ({"relations": {}}, "relations"),
        ({"clusters": 1}, "clusters"),
    ],
)
def test_wrong_types_are_errors_that_name_the_field(path: Path, values: Dict[str, Any], field: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(path, **values)
    assert f"{path}, line 1: " in str(err.value) and field in str(err.value)


def test_a_document_that_occurs_twice_is_an_error(path: Path) -> None:
    write(path, DOCUMENT, changed(doc_key="other"), DOCUMENT)
    with pytest.raises(CorpusError, match="line 3: document X99-1001 occurs twice"):
        list(read(path))


@pytest.mark.parametrize("line", [b"null", b"[]", b'"text"', b"7", b'{"doc_key": "a"', b"{} {}", b"\xff", b"[" * 5000])
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    path.write_bytes(json.dumps(DOCUMENT).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(CorpusError, match="dev.json, line 3: "):
        list(read(path))


def test_windows_files_read_the_same(path: Path) -> None:
    plain = list(read(write(path, DOCUMENT, changed(doc_key="b"))))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read(path)) == plain


def test_file_missing_empty_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.json").touch()
    for name, problem in (("missing.json", "cannot be read"), ("empty.json", "is empty"), (".", "is a folder")):
        with pytest.raises(CorpusError, match=problem):
            list(read(tmp_path / name))


def test_documents_are_read_one_by_one(path: Path) -> None:
    path.write_text(json.dumps(DOCUMENT) + "\nnot JSON\n", encoding="utf8")
    records = read(path)
    assert next(records).id == "X99-1001"
    with pytest.raises(CorpusError, match="line 2"):
        next(records)


def test_the_doc_has_the_corpuss_tokens_and_sentences(path: Path) -> None:
    (doc,) = records_to_docs(read(write(path, DOCUMENT)), English(), ConversionReport())
    assert [token.text for token in doc][:6] == ["We", "parse", "Frisian", "(", "NA", ")"]
    assert [len(sentence) for sentence in doc.sents] == [10, 5]
    assert [(rel.subject.text, rel.predicate, rel.object.text) for rel in doc._.rels] == [
        ("Grub", "USED-FOR", "Frisian"),
        ("Grub", "COMPARE", "grub--like parsers"),
    ]


VALID = (json.dumps(DOCUMENT) + "\n" + json.dumps(changed(doc_key="second")) + "\n").encode()


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)


@pytest.fixture(scope="module")
def official() -> Dict[str, List[Record]]:
    if not OFFICIAL.is_dir():
        pytest.skip("the SciERC corpus is not there; it may not be redistributed")
    return {split: list(read(OFFICIAL / f"{split}.json")) for split in ("train", "dev", "test")}


def test_official_counts(official: Dict[str, List[Record]]) -> None:
    def counts(key: str) -> List[int]:
        return [sum(len(getattr(record, key)) for record in records) for records in official.values()]

    assert [len(records) for records in official.values()] == [350, 50, 100]
    assert counts("relations") == [3219, 455, 974]
    assert counts("mentions") == [5598, 811, 1685] and sum(counts("mentions")) == 8094
    assert counts("dropped") == [0, 0, 0]
    assert sum(len(set(record.relations)) for record in official["train"]) == 3215


def test_official_labels(official: Dict[str, List[Record]]) -> None:
    records = [record for records in official.values() for record in records]
    labels = Counter(rel.predicate for record in records for rel in record.relations)
    types = {mention.type for record in records for mention in record.mentions}
    assert labels["CONJUNCTION"] + labels["COMPARE"] == 815
    assert set(labels) == set("USED-FOR FEATURE-OF PART-OF HYPONYM-OF EVALUATE-FOR CONJUNCTION COMPARE".split())
    assert types == {"Method", "OtherScientificTerm", "Task", "Generic", "Material", "Metric"}


def test_official_escapes_are_undone(official: Dict[str, List[Record]]) -> None:
    text = " ".join(record.text for records in official.values() for record in records)
    assert not {"-LRB-", "-RRB-", "-LSB-", "-RSB-", "-LCB-", "-RCB-", "``", "''"} & set(text.split())
    assert text.count("(") + text.count(")") >= 912
