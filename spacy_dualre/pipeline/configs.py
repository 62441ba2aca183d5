"""Configs, with settings given elsewhere. What is wrong is said in a line, with the nearest name that is right."""

import sys
from contextlib import suppress
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import Any, Iterable, List, Mapping

from spacy.schemas import ConfigSchemaNlp, ConfigSchemaTraining
from spacy.util import load_config_from_str, registry
from thinc.api import Config, ConfigValidationError

from ..errors import Errors
from . import factory  # noqa: F401  # registers the component's settings

#: Sections with settings of spaCy's, which may ignore an unknown one.
_SCHEMAS = {"training": ConfigSchemaTraining, "nlp": ConfigSchemaNlp}
#: Characters of what is said of a config; what is damaged may be long.
_SHOWN = 1000


def read_config(path: Path, overrides: Mapping[str, Any] = {}) -> Config:
    """Read a config as `spacy.util.load_config` does, with other settings, such as {"training.max_steps": 7}.

    Raises:
        ValueError: It cannot be read, or has no place for one of the settings.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf8")
        config = load_config_from_str(text)
    except Exception as err:  # configparser has errors of its own
        raise ValueError(Errors.DR006.format(path=path, problem=in_words(err))) from err
    for key in overrides:
        _section(config, key)
    # One of them may name another function, which takes other settings
    config = load_config_from_str(text, overrides=dict(overrides))
    for key in overrides:
        section, _, name = key.rpartition(".")
        known = _settings_of(section, _section(config, key))
        if known and name not in known:
            raise ValueError(Errors.DR007.format(key=key, nearest=_nearest(name, known)))
    return config


def in_words(err: BaseException) -> str:
    """What an error says. Of a config's wrong settings only those are shown."""
    if not isinstance(err, ConfigValidationError):
        return str(err) if isinstance(err, (ValueError, OSError, ImportError)) else f"{type(err).__name__}: {err}"
    known = _settings_of("", err.config or {})
    errors = []
    for error in err.errors or []:
        names = [*map(str, error.get("loc", []))]
        errors.append(f"{'.'.join(names)}: {error['msg']}{_nearest(names[-1], known) if names else ''}")
    said = ": ".join(filter(None, [err.title, err.desc, "; ".join(errors)]))
    return " ".join(said.split())[:_SHOWN]


def _section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The section of a setting. Raises ValueError if there is none."""
    for name in key.split(".")[:-1] or [""]:
        known = [other for other, value in config.items() if isinstance(value, dict)]
        if name not in known:
            raise ValueError(Errors.DR007.format(key=key, nearest=_nearest(name, known)))
        config = config[name]
    return config


def _settings_of(section: str, block: Mapping[str, Any]) -> List[str]:
    """The settings that a section, or the function that it names, takes; none if it may take any."""
    naming = [key for key in block if key == "factory" or key.startswith("@")]
    takers: List[Any] = [_SCHEMAS[section]] if section in _SCHEMAS else []
    # Another error says that there is no such function
    with suppress(Exception):
        takers += [registry.get("factories" if key == "factory" else key[1:], block[key]) for key in naming]
    parameters = [parameter for taker in takers for parameter in signature(taker).parameters.values()]
    takes_any = any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)
    return [*naming, *(one.name for one in parameters)] if parameters and not takes_any else []


def _nearest(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, [*known], 1)
    return f". Did you mean {nearest[0]!r}?" if nearest and nearest[0] != name else ""
