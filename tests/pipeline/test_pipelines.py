"""Trained pipelines from folders and packages, with other settings."""

import importlib.metadata
import json
import sys
import warnings

import pytest
from helpers.pipelines import NAME, fresh_docs, rels
from spacy.language import Language

from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.pipelines import load_pipeline

KEY = f"components.{NAME}"


@pytest.fixture
def folder(trained, tmp_path):
    trained(threshold=0.125).to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_settings_that_are_dicts(folder):
    cascade = {"predicates": 1, "negative": 0.5}
    settings = {f"{KEY}.cascade": cascade, f"{KEY}.threshold": 0.25, f"{KEY}.context": 7}
    nlp = load_pipeline(folder, {**settings, "training.max_steps": 7})
    rel = nlp.get_pipe(NAME)
    assert (rel.cascade._asdict(), rel.threshold, rel.context) == (cascade, 0.25, 7)
    assert nlp.config["components"][NAME]["cascade"] == cascade
    # For what is trained or packaged from it
    assert nlp.config["training"]["max_steps"] == 7
    assert load_pipeline(folder).get_pipe(NAME).threshold == 0.125


def test_installed_package(folder, tmp_path, monkeypatch):
    meta = {"lang": "en", "name": "pipeline_for_loading", "version": "1.2"}
    package = tmp_path / meta["name"]
    package.mkdir()
    # What the pipeline needs may come with its package
    (package / "__init__.py").write_text("import sys\n\nsys.brought_along = True\n")
    (package / "meta.json").write_text(json.dumps(meta))
    folder.rename(package / "en_pipeline_for_loading-1.2")
    info = tmp_path / "pipeline_for_loading-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pipeline_for_loading\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.brought_along", False, raising=False)
    assert importlib.metadata.version(meta["name"]) == "1.2"
    nlp = load_pipeline(meta["name"], {f"{KEY}.threshold": 0.0})
    assert any(rels(nlp(doc)) for doc in fresh_docs(nlp)) and nlp.get_pipe(NAME).threshold == 0.0
    assert sys.brought_along


def test_where_there_is_no_pipeline(tmp_path):
    with pytest.raises(ValueError, match="DR005.*none"):
        load_pipeline(tmp_path / "none")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_nothing_useful(path):
    path.write_text("7" if path.suffix == ".json" else "[nlp]\nlang = 1\n")


@pytest.mark.parametrize("damage", [cut, write_nothing_useful, lambda path: path.unlink()])
@pytest.mark.parametrize(
    "file, named",
    [
        ("config.cfg", ""),
        ("meta.json", "meta.json"),
        ("tokenizer", "tokenizer"),
        ("vocab/strings.json", "vocab"),
        (f"{NAME}/cfg", NAME),
        (f"{NAME}/model", NAME),
    ],
)
def test_the_part_that_is_damaged_is_named(folder, damage, file, named):
    damage(folder / file)
    with pytest.raises(ValueError, match=rf"^\[DR\d+\].*{folder / named}"):
        load_pipeline(folder)


def change(folder, old, new):
    config = (folder / "config.cfg").read_text(encoding="utf8")
    assert old in config
    (folder / "config.cfg").write_text(config.replace(old, new), encoding="utf8")


def test_code_that_is_missing_is_named(folder):
    change(folder, f'factory = "{NAME}"', 'factory = "of_my_own"')
    with pytest.raises(ValueError, match=r"(?s)DR175.*config\.cfg: .*E002.*'of_my_own'.*--code"):
        load_pipeline(folder)


@Language.factory("test_stumbles")
def stumble(nlp, name):
    raise AttributeError("of my own")


def test_what_code_raises_is_kept(folder):
    change(folder, "[components]\n", '[components]\n\n[components.mine]\nfactory = "test_stumbles"\n')
    change(folder, f'pipeline = ["{NAME}"]', f'pipeline = ["mine","{NAME}"]')
    with pytest.raises(ValueError, match=r"DR175.*AttributeError: of my own"):
        load_pipeline(folder)


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"threshold": 7}, "DR001.*'threshold'.*7"),
        ({"threshold": "high"}, "threshold: .*float"),
        ({"model.run.packd": True}, "DR109.*'packd'.*packed"),
        ({"treshold": 0.5}, "DR007.*'threshold'"),
    ],
)
def test_a_wrong_setting_is_said_in_a_line(folder, settings, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        load_pipeline(folder, {f"{KEY}.{key}": value for key, value in settings.items()})
    assert next(iter(settings)) in str(caught.value)
    assert len(str(caught.value)) < 500 and "\n" not in str(caught.value)


def test_a_setting_of_another_version_is_named(folder):
    """Wherever it is stored: `frozen_layers` was one before 0.1."""
    block = f"[{KEY}.model.network]\n"
    change(folder, block, f"{block}frozen_layers = 2\n")
    with pytest.raises(ValueError, match=r"DR175.*DR109.*'frozen_layers'.*trained again"):
        load_pipeline(folder)
    change(folder, "frozen_layers = 2\n", "")
    nlp = load_pipeline(folder)
    get_network(nlp.get_pipe(NAME).model).config.network["frozen_layers"] = 2
    nlp.to_disk(folder)
    with pytest.raises(ValueError, match=r"DR171.*DR109.*'frozen_layers'.*trained again"):
        load_pipeline(folder)


def test_network_that_the_config_has_otherwise(folder):
    with pytest.warns(UserWarning, match="DW169.*mean_fusion = False"):
        load_pipeline(folder, {f"{KEY}.model.network.mean_fusion": True})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_pipeline(folder, {f"{KEY}.model.run.description_memory": 0})
