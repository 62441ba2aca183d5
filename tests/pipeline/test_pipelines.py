"""Trained pipelines from folders and packages, with other settings."""

import importlib.metadata
import json
import sys
import warnings

import pytest
from helpers.pipelines import NAME, fresh_docs, rels

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


def test_network_that_the_config_has_otherwise(folder):
    with pytest.warns(UserWarning, match="DW169.*mean_fusion = False"):
        load_pipeline(folder, {f"{KEY}.model.network.mean_fusion": True})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_pipeline(folder, {f"{KEY}.model.run.description_memory": 0})
