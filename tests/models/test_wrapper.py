"""A foreign pipeline is data: loading it runs no code, and reads and writes no file of its choice."""

import io
import json
import os
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
import srsly
import torch
from helpers.pipelines import NAME, fresh_docs, make_examples, rels
from spacy.language import Language

from spacy_dualre.models.dual_encoder import get_network


@pytest.fixture
def stored(trained: Callable[..., Language], tmp_path: Path) -> Path:
    trained(threshold=0.0).to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def change(pipeline: Path, how: Callable[[Dict[str, Any]], Any]) -> Path:
    """Change what spacy-transformers' shim has stored."""
    path = pipeline / NAME / "model"
    stored = srsly.read_msgpack(path)
    node = next(shims for shims in stored["shims"] if shims)
    shim = srsly.msgpack_loads(node[0])
    how(shim)
    node[0] = srsly.msgpack_dumps(shim)
    srsly.write_msgpack(path, stored)
    return pipeline


def settings(shim: Dict[str, Any], **changes: Any) -> None:
    """Change a tokenizer's settings."""
    files = shim["tokenizer"]
    files["tokenizer_config.json"] = json.dumps({**json.loads(files["tokenizer_config.json"]), **changes}).encode()


def listed(folder: Path) -> List[Path]:
    return sorted(path for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["../x", "..", "{}/x", "a/x", "..\\x", "C:x", "x/", "", "."])
def test_names_of_stored_files_are_plain(stored: Path, tmp_path: Path, name: str) -> None:
    name = name.format(tmp_path)
    change(stored, lambda shim: shim["tokenizer"].update({name: b"written"}))
    before = listed(tmp_path)
    with pytest.raises(ValueError, match="DR171.*" + ("DR870" if name.strip(".") else "")):
        spacy.load(stored)
    assert listed(tmp_path) == before


class Run:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def saved(value: Any, zipped: bool) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


@pytest.mark.parametrize("write", [lambda x: saved(x, True), lambda x: saved(x, False), pickle.dumps])
def test_weights_run_nothing(stored: Path, tmp_path: Path, write: Callable[[Any], bytes]) -> None:
    change(stored, lambda shim: shim.update(state=write({"norm.weight": Run(tmp_path / "run")})))
    with pytest.raises(ValueError, match="DR171"):
        spacy.load(stored)
    assert not (tmp_path / "run").exists()


def test_weights_that_pipelines_share_come_from_no_file(trained: Callable[..., Language], tmp_path: Path) -> None:
    nlp = trained(threshold=0.0, model={"lora_rank": 2, "store_frozen": False})
    for name in ("sound", "damaged"):
        nlp.to_disk(tmp_path / name)
    words = "text_encoder.embeddings.word_embeddings.words.weight"
    weights = get_network(nlp.get_pipe(NAME).model).state_dict()[words]

    def bring(shim: Dict[str, Any]) -> None:
        state = torch.load(io.BytesIO(shim["state"]), weights_only=True)
        shim.update(state=saved({**state, words: torch.zeros_like(weights)}, True))

    sound, damaged = spacy.load(tmp_path / "sound"), spacy.load(change(tmp_path / "damaged", bring))
    for loaded in (sound, damaged):
        assert torch.equal(get_network(loaded.get_pipe(NAME).model).state_dict()[words], weights)


def predictions(nlp: Language) -> List[Any]:
    return [rels(doc) for doc in nlp.pipe(fresh_docs(nlp))]


def code(path: Path) -> bytes:
    return f"import os\nos.mkdir({str(path)!r})\nclass Own: pass\n".encode()


def trust(shim: Dict[str, Any], tokenizer_class: str) -> None:
    shim["tokenizer"]["kwargs"] = {"use_fast": True, "trust_remote_code": True}
    settings(shim, auto_map={"AutoTokenizer": ["own.Own", "own.Own"]}, tokenizer_class=tokenizer_class)


@pytest.mark.parametrize("name, problem", [("Own", "DR171"), ("BertTokenizer", "")])
def test_a_tokenizer_brings_no_code(stored: Path, tmp_path: Path, name: str, problem: str) -> None:
    def bring(shim: Dict[str, Any]) -> None:
        trust(shim, name)
        shim["tokenizer"]["own.py"] = code(tmp_path / "run")

    change(stored, bring)
    if problem:
        with pytest.raises(ValueError, match=problem):
            spacy.load(stored)
    else:
        spacy.load(stored)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"auto_map": {"AutoModel": "own.Own", "AutoConfig": "own.Own"}, "trust_remote_code": True},
        {"attn_implementation": "some/kernel:attend", "_attn_implementation": "some/kernel:attend"},
        {"_attn_implementation_internal": "some/kernel:attend"},
    ],
)
@pytest.mark.parametrize("of_encoder", [True, False])
def test_configurations_bring_no_code(stored: Path, changes: Dict[str, Any], of_encoder: bool) -> None:
    expected = predictions(spacy.load(stored))

    def bring(shim: Dict[str, Any]) -> None:
        config = shim["config"]
        if of_encoder:
            config["encoder"] = json.dumps({**json.loads(config["encoder"]), **changes})
        else:
            config.update(changes)

    assert predictions(spacy.load(change(stored, bring))) == expected


@pytest.mark.parametrize("key", ["vocab_file", "tokenizer_file", "init_inputs", "fast_tokenizer_files"])
def test_a_tokenizer_reads_its_own_files(stored: Path, tmp_path: Path, key: str) -> None:
    path = tmp_path / "tokenizer.secret.json"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsecret\n")
    given: Any = str(path) if key.endswith("_file") else [str(path)]

    def point_to_it(shim: Dict[str, Any]) -> None:
        settings(shim, **{key: given})
        shim["tokenizer"]["kwargs"] = {"use_fast": False}

    nlp = spacy.load(change(stored, point_to_it))
    nlp.to_disk(tmp_path / "again")
    assert b"secret" not in (tmp_path / "again" / NAME / "model").read_bytes()


@pytest.mark.parametrize(
    "how",
    [
        lambda shim: shim.update(config=[1]),
        lambda shim: shim.update(tokenizer="x"),
        lambda shim: shim["tokenizer"].update(kwargs="use_fast"),
        lambda shim: shim["tokenizer"].update({"tokenizer_config.json": b"[1, 2]"}),
        lambda shim: shim["tokenizer"].update({"vocab.txt": None}),
        lambda shim: shim.update(state=saved({}, True)),
    ],
)
def test_odd_contents_are_an_error_with_a_name(stored: Path, how: Callable[[Dict[str, Any]], Any]) -> None:
    with pytest.raises(ValueError, match="DR171"):
        spacy.load(change(stored, how))


def test_an_encoder_brings_no_code(encoder: str, make_nlp: Callable[..., Language], tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    for path in Path(encoder).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    own = {"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}, "model_type": "own"}
    (folder / "config.json").write_text(json.dumps({**srsly.read_json(folder / "config.json"), **own}))
    (folder / "own.py").write_bytes(code(tmp_path / "run"))
    trusting = {"trust_remote_code": True}
    nlp = make_nlp(model={"name": str(folder), "tokenizer_config": trusting, "transformer_config": trusting})
    with pytest.raises(ValueError, match="DR102"):
        nlp.get_pipe(NAME).initialize(lambda: make_examples(nlp.vocab), nlp=nlp)
    assert not (tmp_path / "run").exists()
