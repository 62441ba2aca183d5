"""Reading DocRED: relations are between entities, whose mentions are tokens of sentences."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from helpers.damage import assert_damage_is_survived, damaged
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.docred import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

OFFICIAL = SHARED / "corpora" / "open" / "redocred"


def mention(sentence: int, first: int, end: int, name: str, type: str = "PER", **more: Any) -> Dict[str, Any]:
    return {"name": name, "sent_id": sentence, "pos": [first, end], "type": type, **more}


DOCUMENT: Dict[str, Any] = {
    "title": "Kim Ode, sailor",
    "sents": [["Kim", "Ode", "owns", "NA", "."], [], ["Ode", "\u00a0", "left", "Ulm", "."]],
    "vertexSet": [
        [mention(0, 0, 2, "Kim Ode", index="0_0"), mention(2, 0, 1, "Ode")],
        [mention(0, 3, 4, "NA", "ORG")],
        [mention(2, 3, 4, "Ulm", "LOC")],
    ],
    "labels": [{"h": 1, "t": 0, "r": "P127", "evidence": [0]}, {"h": 0, "t": 2, "r": "P19", "evidence": []}],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dev.json"


def read_all(path: Path, *documents: Any) -> List[Record]:
    path.write_text(json.dumps(documents), encoding="utf8")
    return list(read(path))


def read_one(path: Path, **changed: Any) -> Record:
    (record,) = read_all(path, {**DOCUMENT, **changed})
    return record


def reasons(record: Record) -> List[Any]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


def test_tokens_and_sentences_are_the_corpuss_own(path: Path) -> None:
    record = read_one(path)
    assert (record.id, record.text) == ("Kim Ode, sailor", "Kim Ode owns NA . Ode \u00a0 left Ulm .")
    assert record.sentences == (0, 18) and len(record.tokens or ()) == 10
    assert record.meta == {"corpus": "docred", "split": "dev"}


def test_entities_are_concepts_with_the_documents_id(path: Path) -> None:
    """Commas would separate several concepts."""
    kim, firm, town = (f"Kim_Ode_sailor#{number}" for number in range(3))
    record = read_one(path)
    assert record.mentions == [
        MentionRecord("0-0", "PER", 0, 7, (kim,)),
        MentionRecord("0-1", "PER", 18, 21, (kim,)),
        MentionRecord("1-0", "ORG", 13, 15, (firm,)),
        MentionRecord("2-0", "LOC", 29, 32, (town,)),
    ]
    assert record.concept_relations == [RelationRecord("P127", firm, kim), RelationRecord("P19", kim, town)]
    assert record.relations == [] and record.dropped == []


def test_relations_are_those_of_the_closest_mentions_in_the_doc(path: Path) -> None:
    (doc,) = records_to_docs([read_one(path, title=" , a ,b ")], spacy.blank("en"), ConversionReport(), strict=True)
    assert [(rel.subject.text, rel.predicate, rel.object.text) for rel in doc._.rels] == [
        ("NA", "P127", "Kim Ode"),
        ("Ode", "P19", "Ulm"),
    ]
    assert len({rel.subject.kb_id_ for rel in doc._.rels}) == 2


def test_predicates_have_the_names_beside_the_file(path: Path) -> None:
    path.with_name("rel_info.json").write_text('{"P127": "owned by"}')
    record = read_one(path)
    assert [rel.predicate for rel in record.concept_relations] == ["owned by", "P19"]
    assert record.notes == {
        "predicate without a name of its own, so called by its id": 1,
        "evidence of a relation not read": 1,
    }


def test_titles_may_occur_again(path: Path) -> None:
    records = read_all(path, DOCUMENT, DOCUMENT, {**DOCUMENT, "title": ""})
    assert [record.id for record in records] == ["Kim Ode, sailor", "Kim Ode, sailor-2", "3"]
    assert len({concept for record in records for concept in record.concepts}) == 9


def test_a_document_without_labels_is_noted(path: Path) -> None:
    unlabelled = {key: value for key, value in DOCUMENT.items() if key != "labels"}
    (record,) = read_all(path, {**unlabelled, "source": "own"})
    assert record.concept_relations == []
    assert record.notes == {"document without labels": 1, "key 'source' not read": 1}


@pytest.mark.parametrize(
    "one, why",
    [
        (mention(0, 3, 6, "NA .", "ORG"), "offsets outside of the text"),
        (mention(1, 0, 1, "NA", "ORG"), "offsets outside of the text"),
        (mention(-1, 3, 4, "Ulm", "LOC"), "offsets outside of the text"),
        (mention(0, 3, 4, "7. NA", "ORG"), "offsets do not match the text"),
        (mention(2, 1, 2, "", "ORG"), "nothing but blanks"),
        (mention(0, 3, 4, "NA", ""), "no type"),
    ],
    ids=["end", "empty sentence", "no sentence", "name", "blank", "type"],
)
def test_what_is_wrong_with_a_mention_is_dropped_with_the_relations_that_need_it(
    path: Path, one: Any, why: str
) -> None:
    entities = DOCUMENT["vertexSet"]
    record = read_one(path, vertexSet=[entities[0], [one], entities[2]])
    assert reasons(record) == [("mention", why), ("relation", "no mention of an argument's concept")]
    assert len(read_one(path, vertexSet=[entities[0], [one, *entities[1]], entities[2]]).concept_relations) == 2


def test_a_relation_of_another_entity_is_dropped(path: Path) -> None:
    record = read_one(path, labels=[{"h": 0, "t": 3, "r": "P19"}, {"h": 0, "t": -1, "r": "P19"}])
    assert reasons(record) == [("relation", "no mention of an argument's concept")] * 2


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"title": 1}, "0.title"),
        ({"sents": ["Kim"]}, "0.sents.0"),
        ({"vertexSet": [[{**mention(0, 0, 1, "Kim"), "pos": [0]}]]}, "0.vertexSet.0.0.pos.1"),
        ({"labels": [{"h": 0, "t": "1", "r": "P19"}]}, "0.labels.0.t"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(path: Path, changed: Any, field: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_one(path, **changed)
    assert f"{path}: " in str(caught.value) and f" in {field}." in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "["])
def test_a_file_without_documents_is_an_error(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorpusError, match="dev.json"):
        list(read(path))


VALID = b"[\n" + b"\n,\n".join(json.dumps({**DOCUMENT, "title": title}).encode() for title in "ab") + b"\n]"


@given(data=damaged(VALID, json_lines=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read, path)


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="needs the corpus")
@pytest.mark.parametrize("split, mentions, relations, dropped", [("dev", 13186, 17284, 3), ("test", 13015, 17445, 6)])
def test_official_counts(split: str, mentions: int, relations: int, dropped: int) -> None:
    records = list(read(OFFICIAL / f"{split}_revised.json.gz"))
    assert len(records) == 500
    assert sum(len(record.mentions) for record in records) == mentions
    assert sum(len(record.concept_relations) for record in records) == relations
    assert sum(len(record.dropped) for record in records) == dropped
