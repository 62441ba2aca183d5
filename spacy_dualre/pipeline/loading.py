"""Trained pipelines, read with settings of one's own."""

from pathlib import Path
from typing import Any, Mapping, Union

from spacy.language import Language
from spacy.util import get_model_meta, get_package_path, is_package, load_config, load_model_from_config

from ..errors import Errors


def load_pipeline(path: Union[str, Path], overrides: Mapping[str, Any] = {}) -> Language:
    """A trained pipeline from a folder or an installed package, as `spacy.load` does.

    overrides: settings of its config, such as {"components.dual_encoder_rel.threshold": 0.7}; a dict replaces the one
    that is stored, where `spacy.load` would look for each of its keys. Raises ValueError where there is no pipeline, or
    it has no such setting.
    """
    try:
        folder = _in_package(str(path)) if is_package(str(path)) else Path(path)
        config = load_config(folder / "config.cfg", overrides=dict(overrides))
        return load_model_from_config(config, meta=get_model_meta(folder)).from_disk(folder, overrides=dict(overrides))
    except OSError as err:
        raise ValueError(Errors.DR005.format(path=path, hint=f"Expected a trained pipeline. ({err})")) from err


def _in_package(name: str) -> Path:
    """The folder of the pipeline in a package, which is imported for the code that it may bring along."""
    folder = get_package_path(name)
    meta = get_model_meta(folder)
    return folder / f"{meta['lang']}_{meta['name']}-{meta['version']}"
