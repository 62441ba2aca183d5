"""Texts of words, and names of predicates in a file beside a corpus."""

import json
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.words import name_predicate, names_beside, record_of_words, stretch
from spacy_dualre.records.record import Place, Record
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

PLACE = Place(Path("words.json"))


def test_words_are_tokens_joined_with_blanks() -> None:
    record = record_of_words("d", [["Grub", "-LRB-", "NA", "-RRB-"], [], ["``", "So", "''"]], PLACE)
    assert (record.id, record.text, record.sentences) == ("d", 'Grub ( NA ) " So "', (0, 12))
    assert [record.text[start:end] for start, end in record.tokens or ()] == ["Grub", "(", "NA", ")", '"', "So", '"']


def test_without_words_the_text_is_empty() -> None:
    record = record_of_words("d", [[], []], PLACE)
    assert (record.text, record.tokens, record.sentences) == ("", (), ())


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\n\n", "1 1/2", "a\u00a0b"])
def test_blanks_are_tokens_too_so_that_indices_hold(blank: str) -> None:
    sentences = [[blank, "Ox", blank, blank], ["Elk", "."], [blank, "Gnu", blank]]
    (doc,) = records_to_docs([record_of_words("d", sentences, PLACE)], spacy.blank("en"), ConversionReport(), "s", True)
    assert [[token.text for token in sentence] for sentence in doc.sents] == sentences


def test_an_empty_word_is_an_error() -> None:
    with pytest.raises(CorpusError, match="DR368.*words.json: an empty token in sentence 2 of document d"):
        record_of_words("d", [["a"], ["b", ""]], PLACE)


@pytest.mark.parametrize(
    "first, end, offsets",
    [(0, 1, (0, 2)), (0, 2, (0, 6)), (1, 2, (3, 6)), (1, 1, (-1, -1)), (-1, 1, (-1, -1)), (1, 3, (-1, -1))],
)
def test_a_stretch_of_tokens(first: int, end: int, offsets: Any) -> None:
    assert stretch(((0, 2), (3, 6)), first, end) == offsets


def test_names_of_predicates(tmp_path: Path) -> None:
    names = {"P1": "owner", "P2": ["ruler of", "who rules it"], "P3": "", "P4": "None", "P5": ["None", "None"]}
    (tmp_path / "names.json").write_text(json.dumps(names))
    assert names_beside(tmp_path / "dev.json", "names.json") == {"P1": "owner", "P2": "ruler of"}
    assert names_beside(tmp_path / "dev.json", "others.json") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"P1": 1}', '{"P1": []}'])
def test_damaged_names_are_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "names.json").write_text(content)
    with pytest.raises(CorpusError, match="names.json: "):
        names_beside(tmp_path / "dev.json", "names.json")


def test_a_predicate_without_a_name_is_noted() -> None:
    record = Record("d", "", PLACE)
    assert [name_predicate(id, {"P1": "owner"}, record) for id in ("P1", "P2", "P2")] == ["owner", "P2", "P2"]
    assert record.notes == {"predicate without a name of its own, so called by its id": 2}
