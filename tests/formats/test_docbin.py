"""Reading the Docs of spaCy's tutorial rel_component; Docs of our own are written in test_write.py."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy
import pytest
from helpers.commands import dualre
from helpers.damage import assert_damage_is_survived, damaged
from hypothesis import HealthCheck, given, settings
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.docbin import read_rel_component
from spacy_dualre.records.record import MentionRecord, RelationRecord

WORDS = ["Kim", "Ode", "owns", "NA", "and", "a", "ferry", "."]
Rel = Dict[Tuple[int, int], Dict[str, Any]]


def make_doc(rel: Any) -> Doc:
    """As the tutorial's scripts make it: every pair of first tokens of mentions, with every predicate."""
    doc = Doc(Vocab(), words=WORDS)
    doc.ents = [Span(doc, *place, label=label) for *place, label in ((0, 2, "PERSON"), (3, 4, "FIRM"), (5, 7, "SHIP"))]
    if rel is not None:
        doc.user_data["._.", "rel", None, None] = rel
    return doc


def pairs(**predicates: List[Tuple[int, int]]) -> Rel:
    firsts = [0, 3, 5]
    return {(a, b): {name: float((a, b) in at) for name, at in predicates.items()} for a in firsts for b in firsts}


REL = pairs(OWNS=[(0, 3), (0, 5)], HAS=[(3, 5), (0, 5)])


def write(path: Path, *rels: Any) -> Path:
    DocBin(docs=map(make_doc, rels), store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.spacy"


def test_a_file_of_the_tutorial(path: Path) -> None:
    first, second = read_rel_component(write(path, REL, pairs(OWNS=[])))
    assert (first.id, second.id, first.place) == ("1", "2", (path, 0))
    assert first.text == "Kim Ode owns NA and a ferry . "
    kim, na, ferry = "0-7-PERSON", "13-15-FIRM", "20-27-SHIP"
    assert first.mentions == [
        MentionRecord(kim, "PERSON", 0, 7),
        MentionRecord(na, "FIRM", 13, 15),
        MentionRecord(ferry, "SHIP", 20, 27),
    ]
    assert first.relations == [
        RelationRecord("OWNS", kim, na),
        RelationRecord("OWNS", kim, ferry),
        RelationRecord("HAS", kim, ferry),
        RelationRecord("HAS", na, ferry),
    ]
    assert len(first.tokens or ()) == len(WORDS) and first.meta == {"corpus": "rel-component", "split": "train"}
    assert second.relations == [] and not any(record.dropped or record.notes for record in (first, second))


@pytest.mark.parametrize("value, is_relation", [(1, True), (0, False), (0.5, True), (0.49, False)])
def test_one_half_is_enough(path: Path, value: Any, is_relation: bool) -> None:
    for one in (value, numpy.float32(value)):
        (record,) = read_rel_component(write(path, {(0, 3): {"OWNS": one}}))
        assert [rel.score for rel in record.relations] == [pytest.approx(value)] * is_relation


def test_tokens_at_which_no_mention_starts_are_dropped(path: Path) -> None:
    (record,) = read_rel_component(write(path, {(1, 3): {"OWNS": 1.0}, (0, 99): {"OWNS": 1.0}, (2, 2): {"OWNS": 0.0}}))
    assert record.relations == []
    assert [dropped.why for dropped in record.dropped] == ["unknown argument"] * 2
    assert record.dropped[0].where == f"{path}, document 1, relation OWNS of token 1 and 13-15-FIRM"


def test_a_doc_without_the_attribute_is_noted(path: Path) -> None:
    (record,) = read_rel_component(write(path, None))
    assert len(record.mentions) == 3 and record.notes == {"no Doc._.rel": 1}


@pytest.mark.parametrize("rel", [[], {"a": {}}, {(0, 3): 1}, {(0, 3): {"A": 2.0}}, {(0, 3): {"A": float("nan")}}])
def test_what_is_not_of_the_tutorial_is_an_error(path: Path, rel: Any) -> None:
    with pytest.raises(CorpusError, match=r"train.spacy: .* in Doc._.rel of document 2"):
        list(read_rel_component(write(path, REL, rel)))


def test_the_command_makes_training_data(path: Path, tmp_path: Path) -> None:
    output = tmp_path / "new.spacy"
    result = dualre("convert", "rel-component", write(path, REL), output)
    assert result.exit_code == 0, result.output
    (doc,) = DocBin().from_disk(output).get_docs(Vocab())
    assert [(rel.subject.text, rel.predicate, rel.object.text) for rel in doc._.rels] == [
        ("Kim Ode", "OWNS", "NA"),
        ("Kim Ode", "HAS", "a ferry"),
        ("Kim Ode", "OWNS", "a ferry"),
        ("NA", "HAS", "a ferry"),
    ]


VALID = DocBin(docs=[make_doc(REL), make_doc(None)], store_user_data=True).to_bytes()


@given(data=damaged(VALID))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_damage_is_survived(read_rel_component, path)
