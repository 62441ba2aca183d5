"""What cuts a corpus into tokens and sentences: names, configs, pipelines."""

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language

from spacy_dualre.records.splitting import load_splitter, make_splitter

TEXT = "One is here. Two is there."


@pytest.fixture
def pipeline() -> Language:
    """Cuts words at "i" and knows where sentences end."""
    nlp = spacy.blank("en")
    nlp.tokenizer.infix_finditer = spacy.util.compile_infix_regex(["i"]).finditer
    nlp.add_pipe("sentencizer")
    return nlp


def sentences(nlp: Language) -> Any:
    return [sent.text for sent in nlp(TEXT).sents]


def test_names_are_the_language_and_its_sentencizer() -> None:
    assert sentences(make_splitter("en", "spacy", "sentencizer")) == ["One is here.", "Two is there."]


def test_a_saved_pipeline_brings_its_own_tokenizer(pipeline: Language, tmp_path: Path) -> None:
    pipeline.to_disk(tmp_path / "cut")
    nlp = load_splitter(str(tmp_path / "cut"))
    assert sentences(nlp) == ["One is here.", "Two is there."]
    assert [token.text for token in nlp("a rib")] == ["a", "r", "i", "b"]


def test_a_config_may_name_only_what_it_wants(tmp_path: Path) -> None:
    path = tmp_path / "cut.cfg"
    component = '[components]\n[components.dots]\nfactory = "sentencizer"\npunct_chars = ["!"]\n'
    path.write_text(f'[nlp]\nlang = "de"\npipeline = ["dots"]\n{component}', encoding="utf8")
    nlp = load_splitter(str(path))
    assert nlp.lang == "de" and [sent.text for sent in nlp("One. Two! Three").sents] == ["One. Two!", "Three"]


@pytest.mark.parametrize(
    "config, problem",
    [
        (None, "Could not read"),
        ("what [is", "cannot split"),
        ('[nlp]\nlang = "en"\npipeline = ["x"]\n', "cannot split"),
        ('[nlp]\nlang = "en"\npipeline = []\n', "none of .* starts sentences"),
        ('[nlp]\nlang = "en"\npipeline = ["s"]\n[components]\n[components.s]\nfactory = "senter"\n', "cannot split"),
    ],
)
def test_a_config_that_cannot_cut_is_refused(tmp_path: Path, config: Any, problem: str) -> None:
    path = tmp_path / "cut.cfg"
    if config is not None:
        path.write_text(config, encoding="utf8")
    with pytest.raises(ValueError, match=rf"(?s)DR301.*cut\.cfg.*{problem}"):
        load_splitter(str(path))


@pytest.mark.parametrize("source", ["no_such_package", "no/such/folder"])
def test_a_pipeline_that_is_not_there_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=f"DR301.*{source}"):
        load_splitter(source)
