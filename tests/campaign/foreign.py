"""Pipelines, checkpoints and documents that were made to do harm. Reading them runs no code and writes no file."""

import json
import pickle
import shutil
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set

import numpy
import srsly
from helpers.pipelines import NAME
from thinc.api import Config

from spacy_dualre.errors import CheckpointError
from spacy_dualre.lab.resuming import Checkpoint
from spacy_dualre.pipeline.pipelines import load_pipeline
from tests.models.test_wrapper import Run, change, code, saved, settings

from .ground import Ground
from .trials import Attempt, Campaign, Trial

#: What a trap would write.
_WRITTEN = b"written"


class Trap(NamedTuple):
    """A change to a stored pipeline, given also a path at which a file must not appear.

    Attributes:
        refused: It must be refused with an error of the package. Otherwise it may be loaded without what is foreign,
            or be refused by spaCy.
    """

    name: str
    lay: Callable[[Path, Path, Random], Any]
    refused: bool = True


def campaigns(ground: Ground, strings: int) -> List[Campaign]:
    """All traps, and so many random names of stored files."""
    return [Campaign("foreign", "crafted pipelines and checkpoints", partial(trials, ground, strings), 60, 2000)]


def trials(ground: Ground, strings: int) -> Iterator[Trial]:
    """A trial for each trap."""
    traps = [
        *(Trap(f"name-{number}", partial(_name, name)) for number, name in enumerate(_NAMES)),
        *(Trap(f"random-name-{number}", _random_name, refused=False) for number in range(strings)),
        *(Trap(f"weights-{name}", partial(_weights, write)) for name, write in _PICKLES.items()),
        *(Trap(f"tokenizer-{name}", partial(_tokenizer, name), name == "Own") for name in ("Own", "BertTokenizer")),
        *(Trap(f"tokenizer-{key}", partial(_tokenizer_file, key), False) for key in _NAMING),
        *(Trap(f"config-{number}", partial(_config, values), False) for number, values in enumerate(_CONFIGS)),
        *(Trap(f"component-{file}", partial(_file, f"{NAME}/{file}"), True) for file in ("cfg", "model")),
        *(Trap(f"spacy-{file.replace('/', '-')}", partial(_file, file), False) for file in _SPACYS),
        Trap("vectors", _vectors, False),
        Trap("settings", _settings, False),
    ]
    for trap in traps:
        yield Trial(f"foreign/{trap.name}", partial(_spring, ground, trap))
    for name, write in _PICKLES.items():
        yield Trial(f"foreign/checkpoint-{name}", partial(_checkpoint, write))


def _spring(ground: Ground, trap: Trap, attempt: Attempt) -> None:
    attempt.tell(trap.name)
    pipeline = shutil.copytree(ground.pipeline, attempt.folder / "pipeline")
    # What is written to temporary folders, or beside them, is seen too
    temporary = attempt.folder / "temporary" / "inner"
    temporary.mkdir(parents=True)
    tempfile.tempdir = str(temporary)
    trap.lay(pipeline, attempt.folder / "run", attempt.random)
    before = _listed(attempt.folder)
    problem = "none"
    try:
        load_pipeline(pipeline)
    except Exception as err:
        problem = repr(err)
    appeared = _listed(attempt.folder) - before
    assert not appeared, f"appeared: {sorted(appeared)}"
    assert "[DR" in problem or not trap.refused, f"not refused with an error of the package, but: {problem}"


def _checkpoint(write: Callable[[Any], bytes], attempt: Attempt) -> None:
    attempt.tell("checkpoint with code")
    path, run = attempt.folder / "checkpoint.pt", attempt.folder / "run"
    path.write_bytes(write({"settings": {}, "evaluations": "[]", "state": Run(run)}))
    try:
        Checkpoint.read(path)
    except CheckpointError as err:
        assert str(path) in str(err)
    else:
        raise AssertionError("was loaded")
    assert not run.exists(), "code was run"


def _listed(folder: Path) -> Set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# Traps


_NAMES = ["../x", "../../x", "..", "/x", "{}/x", "a/x", "..\\x", "C:x", "C:\\x", "x/", "", ".", "../inner/../x"]
_PICKLES: Dict[str, Callable[[Any], bytes]] = {
    "zip": lambda value: saved(value, True),
    "legacy": lambda value: saved(value, False),
    "pickle": pickle.dumps,
}
_NAMING = ("vocab_file", "tokenizer_file", "init_inputs", "fast_tokenizer_files", "chat_template_file", "auto_map")
_CONFIGS: List[Dict[str, Any]] = [
    {"auto_map": {"AutoModel": "own.Own", "AutoConfig": "own.Own"}, "trust_remote_code": True},
    {"attn_implementation": "some/kernel:attend", "_attn_implementation": "some/kernel:attend"},
    {"_attn_implementation_internal": "some/kernel:attend"},
    {"_name_or_path": "own", "auto_map": {"AutoTokenizer": "own.Own"}},
]
_SPACYS = ("tokenizer", "vocab/lookups.bin", "vocab/key2row", "vocab/strings.json", "meta.json")


def _name(name: str, pipeline: Path, run: Path, random: Random) -> None:
    change(pipeline, lambda shim: shim["tokenizer"].update({name.format(run.parent): _WRITTEN}))


def _random_name(pipeline: Path, run: Path, random: Random) -> None:
    parts = ["..", "/", "\\", ".", "x", "C:", "\0", " ", "~", "$HOME", "\u2215", "tokenizer.json", str(run)]
    _name("".join(random.choice(parts) for _ in range(random.randint(1, 5))).replace("{", ""), pipeline, run, random)


def _weights(write: Callable[[Any], bytes], pipeline: Path, run: Path, random: Random) -> None:
    change(pipeline, lambda shim: shim.update(state=write({"norm.weight": Run(run)})))


def _tokenizer(name: str, pipeline: Path, run: Path, random: Random) -> None:
    def bring(shim: Dict[str, Any]) -> None:
        shim["tokenizer"]["kwargs"] = {"use_fast": True, "trust_remote_code": True}
        settings(shim, auto_map={"AutoTokenizer": ["own.Own", "own.Own"]}, tokenizer_class=name)
        shim["tokenizer"]["own.py"] = code(run)

    change(pipeline, bring)


def _tokenizer_file(key: str, pipeline: Path, run: Path, random: Random) -> None:
    own = run.with_name("own.py")
    own.write_bytes(code(run))
    change(pipeline, lambda shim: settings(shim, **{key: str(own) if key.endswith("_file") else [str(own)]}))


def _config(values: Dict[str, Any], pipeline: Path, run: Path, random: Random) -> None:
    def bring(shim: Dict[str, Any]) -> None:
        shim["config"]["encoder"] = json.dumps({**json.loads(shim["config"]["encoder"]), **values})
        shim["tokenizer"]["own.py"] = code(run)

    change(pipeline, bring)


def _file(name: str, pipeline: Path, run: Path, random: Random) -> None:
    """A file of the pipeline is a pickle."""
    (pipeline / name).write_bytes(pickle.dumps(Run(run)))


def _vectors(pipeline: Path, run: Path, random: Random) -> None:
    with (pipeline / "vocab" / "vectors").open("wb") as file:
        numpy.save(file, numpy.array([Run(run)], dtype=object), allow_pickle=True)


def _settings(pipeline: Path, run: Path, random: Random) -> None:
    """The encoder of the config has code of its own, and the config trusts it."""
    own = run.with_name("own")
    own.mkdir()
    (own / "own.py").write_bytes(code(run))
    srsly.write_json(own / "config.json", {"auto_map": {"AutoConfig": "own.Own"}, "model_type": "own"})
    config = Config().from_disk(pipeline / "config.cfg")
    trusting = {"trust_remote_code": True}
    values = {"name": str(own), "tokenizer_config": trusting, "transformer_config": trusting}
    config["components"][NAME]["model"].update(values)
    config.to_disk(pipeline / "config.cfg")
