"""Writing .spacy files: shards, the same bytes for the same Docs, and documents held out by their text."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List

import pytest
import spacy
from helpers.paths import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_dualre.annotations.concepts import ABBREVIATIONS
from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import docbin
from spacy_dualre.formats.files import Source
from spacy_dualre.formats.jsonl import read
from spacy_dualre.records.shards import DocWriter, is_held_out, read_docs
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

DEMO = ROOT / "assets" / "demo" / "dev.jsonl"
VOCAB = spacy.blank("en").vocab


def numbered(n: int) -> List[Doc]:
    docs = [Doc(VOCAB, words=["Document", str(i)]) for i in range(n)]
    for i, doc in enumerate(docs):
        doc.user_data["doc_id"] = f"D{i}"
    return docs


def write(path: Path, docs: Iterable[Doc], shard_size: int = 0) -> DocWriter:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spacy_dualre.records.shards.SHARD_SIZE", shard_size)
        with DocWriter(path) as writer:
            for doc in docs:
                writer.add(doc)
    return writer


def load(path: Path) -> List[Doc]:
    return list(DocBin().from_disk(path).get_docs(VOCAB))


def shards(folder: Path) -> Dict[str, List[str]]:
    """File name -> ids of its documents."""
    return {path.name: [doc.user_data["doc_id"] for doc in load(path)] for path in sorted(folder.iterdir())}


def write_demo(folder: Path) -> str:
    """Write two files and some shards of the demo corpus; gives a digest of all their bytes."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    docs = list(records_to_docs(list(read(DEMO))[:5], nlp, ConversionReport()))
    write(folder / "all.spacy", docs)
    write(folder / "shards", docs, shard_size=2)
    files = sorted(folder.rglob("*.spacy"))
    assert len(files) == 4
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def test_one_file_holds_all_documents_in_their_order(tmp_path: Path) -> None:
    writer = write(tmp_path / "new" / "folder" / "data.spacy", numbered(3))
    docs = load(tmp_path / "new" / "folder" / "data.spacy")
    assert [doc.user_data["doc_id"] for doc in docs] == ["D0", "D1", "D2"]
    assert writer.documents == 3


@pytest.mark.parametrize(
    "n, size, expected",
    [
        (5, 2, {"00001.spacy": ["D0", "D1"], "00002.spacy": ["D2", "D3"], "00003.spacy": ["D4"]}),
        (4, 2, {"00001.spacy": ["D0", "D1"], "00002.spacy": ["D2", "D3"]}),
        (2, 1, {"00001.spacy": ["D0"], "00002.spacy": ["D1"]}),
        (1, 9, {"00001.spacy": ["D0"]}),
        (0, 2, {"00001.spacy": []}),
    ],
)
def test_shards_hold_as_many_documents_as_asked_for(
    tmp_path: Path, n: int, size: int, expected: Dict[str, List[str]]
) -> None:
    writer = write(tmp_path / "shards", numbered(n), size)
    assert shards(tmp_path / "shards") == expected
    assert writer.documents == n


def test_shards_sort_by_name_in_the_order_of_the_documents(tmp_path: Path) -> None:
    write(tmp_path / "shards", numbered(12), 1)
    assert [ids for ids in shards(tmp_path / "shards").values()] == [[f"D{i}"] for i in range(12)]


def test_an_error_leaves_no_part_of_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacy_dualre.records.shards.SHARD_SIZE", 2)
    with pytest.raises(KeyError), DocWriter(tmp_path / "shards") as writer:
        for doc in numbered(5):
            writer.add(doc)
        assert len(list((tmp_path / "shards").iterdir())) == 2
        raise KeyError
    assert list((tmp_path / "shards").iterdir()) == []


def test_no_documents_are_an_empty_file(tmp_path: Path) -> None:
    write(tmp_path / "none.spacy", [])
    assert load(tmp_path / "none.spacy") == []


def test_earlier_shards_are_removed_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, numbered(9), 2)
    for name in ("notes.txt", "mine.spacy", "123.spacy"):
        (tmp_path / name).write_text("kept", encoding="utf8")
    write(tmp_path, numbered(3), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("00001.spacy", "00002.spacy", "123.spacy", "mine.spacy", "notes.txt")
    ]
    assert [doc.user_data["doc_id"] for doc in load(tmp_path / "00002.spacy")] == ["D2"]


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "data.spacy", numbered(5))
    write(tmp_path / "data.spacy", numbered(2))
    assert len(load(tmp_path / "data.spacy")) == 2


@pytest.mark.parametrize("name", ["data.spacy", "data"])
def test_nothing_is_touched_before_there_is_something_to_write(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    writer = DocWriter(path)
    for doc in numbered(2):
        writer.add(doc)
    assert not path.parent.exists()


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.spacy").mkdir()
    with pytest.raises(ValueError, match="DR824.*data.spacy"):
        write(tmp_path / "data.spacy", numbered(1))


LABELS = ("X", "", "")
BAD_RELATIONS = [5, [5], [[1, 2]], [[LABELS, "R", LABELS, 9, 1, None]], [[LABELS, "R", LABELS, None, 1, 1.0]]]
BAD_RELATIONS += [
    [["X", "R", LABELS, 9, 1, 1.0]],
    [[(None,) * 3, "R", LABELS, 9, 1, 1.0]],
    [[LABELS, 7, LABELS, 9, 1, 1.0]],
]


@pytest.mark.parametrize("rows", BAD_RELATIONS, ids=str)
def test_a_document_with_damaged_relations_is_named(tmp_path: Path, rows: Any) -> None:
    docs = numbered(3)
    docs[1].user_data["._.", "spacy_dualre_rels", 0, 8] = rows
    path = write(tmp_path / "all.spacy", docs).path
    with pytest.raises(CorpusError, match=r"DR310.*all.spacy, document 2 'D1': the relations .* are damaged"):
        list(read_docs(path, VOCAB))
    first, error, last = docbin.stream(Source(path))
    assert (first.id, last.id) == ("D0", "D2") and "DR310" in str(error)


@pytest.mark.parametrize("key, value", [("breaks", 5), (ABBREVIATIONS, [7])])
def test_other_damaged_annotations_are_named(tmp_path: Path, key: Any, value: Any) -> None:
    (doc,) = numbered(1)
    doc.user_data[key] = value
    with pytest.raises(CorpusError, match="document 1 'D0'"):
        list(read_docs(write(tmp_path / "all.spacy", [doc]).path, VOCAB))


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    assert write_demo(tmp_path / "a") == write_demo(tmp_path / "b")


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path[:0] = sys.argv[1:3];"
        "from test_shards import write_demo; print(write_demo(Path(sys.argv[3])))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), str(ROOT / "tests"), str(tmp_path / "other")],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == write_demo(tmp_path / "here")


# Held out

TEXTS = [f"Document {i} says nothing new." for i in range(2000)]


def held_out(texts: Iterable[str], fraction: float = 0.1, seed: int = 0) -> List[str]:
    return [text for text in texts if is_held_out(text, fraction, seed)]


def test_held_out_documents_do_not_change_between_versions() -> None:
    """The split of a published result must stay: these are the ones of today."""
    assert [i for i in range(40) if is_held_out(TEXTS[i], 0.1, 0)] == [6, 26, 31, 34, 35]


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
def test_about_the_fraction_is_held_out(fraction: float) -> None:
    # Four standard deviations of a fair draw
    allowed = 4 * (len(TEXTS) * fraction * (1 - fraction)) ** 0.5
    assert abs(len(held_out(TEXTS, fraction)) - len(TEXTS) * fraction) < allowed


@pytest.mark.parametrize("fraction, expected", [(0.0, 0), (1.0, len(TEXTS))])
def test_none_and_all_can_be_held_out(fraction: float, expected: int) -> None:
    assert len(held_out(TEXTS, fraction)) == expected


def test_the_order_of_the_documents_does_not_matter() -> None:
    assert held_out(reversed(TEXTS)) == held_out(TEXTS)[::-1]
    assert held_out(TEXTS[500:]) == [text for text in held_out(TEXTS) if text in set(TEXTS[500:])]


def test_equal_texts_go_together() -> None:
    assert all(len(held_out([text] * 3)) in (0, 3) for text in TEXTS[:100])


def test_another_seed_holds_others_out() -> None:
    sets = [set(held_out(TEXTS, seed=seed)) for seed in range(3)]
    assert len(set(map(frozenset, sets))) == 3
    # Independent draws have about 20 of 2000 in common.
    assert len(sets[0] & sets[1]) < 60


@pytest.mark.parametrize("low, high", [(0.1, 0.2), (0.2, 0.9)])
def test_a_larger_fraction_holds_the_same_and_more_out(low: float, high: float) -> None:
    assert set(held_out(TEXTS, low)) < set(held_out(TEXTS, high))


@settings(max_examples=200, deadline=None)
@given(st.text(), st.floats(0, 1), st.integers())
def test_any_text_is_on_the_same_side_each_time(text: str, fraction: float, seed: int) -> None:
    first = is_held_out(text, fraction, seed)
    assert first == is_held_out("".join(list(text)), fraction, seed)
    assert is_held_out(text, 1.0, seed) and not is_held_out(text, 0.0, seed)
