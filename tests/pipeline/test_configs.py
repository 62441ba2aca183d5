"""Configs with settings given elsewhere: what is wrong is said in a line."""

import io

import pytest
from helpers.commands import dualre, match
from helpers.paths import ROOT
from helpers.pipelines import NAME
from spacy.util import load_config
from thinc.api import ConfigValidationError

from spacy_dualre.pipeline.configs import in_words, read_config

DEMO = ROOT / "configs" / "demo.cfg"
KEY = f"components.{NAME}"


def test_a_config_is_read_as_spacy_reads_it(monkeypatch):
    overrides = {"training.max_steps": 7, f"{KEY}.threshold": 0.25, f"{KEY}.cascade": {"predicates": 1}}
    expected = load_config(DEMO, overrides=overrides)
    assert read_config(DEMO, overrides) == expected and expected["paths"]["encoder"]
    assert read_config(DEMO) == load_config(DEMO)
    monkeypatch.setattr("sys.stdin", io.StringIO(DEMO.read_text(encoding="utf8")))
    assert read_config("-", overrides) == expected


@pytest.mark.parametrize(
    "key, nearest",
    [
        (f"{KEY}.treshold", "'threshold'"),
        (f"{KEY}.model.nam", "'name'"),
        (f"{KEY}.modle.name", "'model'"),
        (f"{KEY}.candidates.pooling", ""),
        ("components.dual_encoder.threshold", "'dual_encoder_rel'"),
        ("trainin.max_steps", "'training'"),
        # spaCy may ignore these
        ("training.max_step", "'max_steps'"),
        ("nlp.batchsize", "'batch_size'"),
        ("training.optimizer.learnrate", "'learn_rate'"),
        ("relations.candidates.max_sentence", "'max_sentences'"),
        ("seed", ""),
    ],
)
def test_a_setting_without_a_place_is_named_with_the_nearest(key, nearest):
    with pytest.raises(ValueError) as caught:
        read_config(DEMO, {key: 1})
    assert "DR007" in str(caught.value) and repr(key) in str(caught.value)
    assert str(caught.value).partition("Did you mean ")[2] == (nearest and f"{nearest}?")


@pytest.mark.parametrize(
    "key",
    [
        f"{KEY}.type_map",
        "training.dropout",
        "nlp.batch_size",
        "system.anything",
        f"{KEY}.model.network.dropout",
        f"{KEY}.factory",
    ],
)
def test_a_setting_that_the_file_does_not_have_may_be_given(key):
    assert read_config(DEMO, {key: 1}) == load_config(DEMO, overrides={key: 1})


def test_a_function_may_be_given_with_its_settings():
    overrides = {
        f"{KEY}.model.@architectures": "spacy-dualre.Other.v1",
        "relations.candidates.@misc": "spacy-dualre.concept_pairs.v1",
        "relations.candidates.max_pairs": 3,
    }
    with pytest.raises(ValueError, match="DR007.*max_pairs"):
        read_config(DEMO, overrides)
    del overrides["relations.candidates.max_pairs"]
    overrides["relations.candidates.mention_pairs"] = 3
    assert read_config(DEMO, overrides) == load_config(DEMO, overrides=overrides)
    # Another error says that it is not registered, and what it takes is not known
    overrides[f"{KEY}.model.size"] = 3
    assert read_config(DEMO, overrides)["components"][NAME]["model"]["size"] == 3


@pytest.mark.parametrize(
    "text", ["[nlp]\nlang = 'en'\nlang = 'de'\n", "[a.b]\nc = 1\n", "a = 1", "[nlp]\nlang", "\udcff"]
)
def test_what_is_no_config_is_named(tmp_path, text):
    (tmp_path / "damaged.cfg").write_bytes(text.encode("utf8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"DR006.*damaged\.cfg"):
        read_config(tmp_path / "damaged.cfg")


def test_of_wrong_settings_only_those_are_shown():
    block = {"@misc": "spacy-dualre.entity_pairs.v1", "max_sentences": 0, "max_token": 4}
    errors = [{"loc": ["candidates", "max_token"], "msg": "unexpected"}, {"msg": "and\n\nmore"}]
    err = ConfigValidationError(config=block, errors=errors, title="Config error", desc=None)
    assert in_words(err) == "Config error: candidates.max_token: unexpected. Did you mean 'max_tokens'?; : and more"
    assert len(in_words(ConfigValidationError(config={}, errors=[], title="x" * 10_000))) < 2_000
    assert in_words(KeyError("components")) == "KeyError: 'components'"
    assert in_words(ValueError("as it is\n")) == "as it is\n"


@pytest.mark.parametrize("where", ["option", "file"])
def test_train_says_in_a_line_what_is_mistyped(tmp_path, where):
    text = DEMO.read_text(encoding="utf8")
    if where == "file":
        text = text.replace("max_candidates_per_batch = 32", "max_candidate_per_batch = 32")
    (tmp_path / "own.cfg").write_text(text, encoding="utf8")
    options = ["--components.dual_encoder_rel.max_candidate_per_batch", "32"] if where == "option" else []
    result = dualre("train", tmp_path / "own.cfg", "--output", tmp_path / "out", *options)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    match(r"max_candidate_per_batch'?.* Did you mean 'max_candidates_per_batch'\?", result.output)
    assert "<spacy.lang" not in result.output and len(result.output.splitlines()) < 12
