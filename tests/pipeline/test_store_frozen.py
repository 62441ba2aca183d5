"""Pipelines that are stored without their frozen weights: what is left out, where it comes from, and who shares it."""

import gc
import io
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
import srsly
import torch
from helpers.commands import dualre, match
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    make_examples,
    optimizer,
    probabilities,
    save_bert,
    train,
)
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import load_model_from_config
from transformers import BertModel

from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.pipelines import load_pipeline

STORE = f"components.{NAME}.model.run.store_frozen"
ENCODER = f"components.{NAME}.model.name"
LORA = {"lora_rank": 4}
OPEN = {"frozen_descriptions": True, "frozen_embeddings": True}


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def size(folder: Path) -> int:
    return (folder / NAME / "model").stat().st_size


def frozen(nlp: Language) -> Dict[str, torch.Tensor]:
    """The frozen weights of the encoder under all their names."""
    parameters = network(nlp).named_parameters(remove_duplicate=False)
    added = (".markers.", ".lora_")
    return {n: p for n, p in parameters if not p.requires_grad and not any(part in n for part in added)}


def places(*pipelines: Language) -> List[List[int]]:
    """Where in memory the frozen weights of each pipeline are."""
    return [sorted({value.data_ptr() for value in frozen(nlp).values()}) for nlp in pipelines]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An encoder of the test's own."""
    return save_bert(tmp_path / "own", lowercase=True)


@pytest.fixture
def make(make_nlp: Callable[..., Language], own: Path) -> Callable[..., Language]:
    """A pipeline that was trained on this encoder for some steps."""

    def made(**model: Any) -> Language:
        nlp = make_nlp(model={"name": str(own), **model})
        spacy.util.fix_random_seed(0)
        examples = make_examples(nlp.vocab)
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
        train(nlp, steps=5)
        return nlp

    return made


@pytest.fixture
def stored(make: Callable[..., Language], tmp_path: Path) -> Path:
    """A pipeline with adapters that is stored without its frozen weights."""
    make(**LORA, store_frozen=False).to_disk(tmp_path / "stored")
    return tmp_path / "stored"


def assert_same(left: Language, right: Language) -> None:
    assert_close(probabilities(left, fresh_docs(left)), probabilities(right, fresh_docs(right)), 1e-7)


@pytest.mark.parametrize(
    "model",
    [
        LORA,
        {**LORA, "shared_encoder": True},
        {"frozen_embeddings": True},
        {**LORA, "frozen_embeddings": True},
        {"frozen_descriptions": True},
        OPEN,
        {**LORA, **OPEN},
    ],
    ids=str,
)
def test_frozen_weights_are_left_out_and_found_again(
    make: Callable[..., Language], tmp_path: Path, model: Dict[str, Any]
) -> None:
    nlp = make(**model, store_frozen=False)
    nlp.to_disk(tmp_path / "without")
    without = spacy.load(tmp_path / "without")
    assert_same(without, nlp)
    # The setting may change with each loading
    load_pipeline(tmp_path / "without", {STORE: True}).to_disk(tmp_path / "whole")
    whole = spacy.load(tmp_path / "whole", config={STORE: False})
    assert_same(whole, nlp)
    whole.to_disk(tmp_path / "again")
    files = [(tmp_path / name / NAME / "model").read_bytes() for name in ("without", "whole")]
    for matrix in (value.numpy() for value in frozen(nlp).values() if value.dim() > 1):
        assert [matrix.tobytes() in content for content in files] == [False, True]
    assert size(tmp_path / "again") == size(tmp_path / "without")
    assert not {name for name, p in network(without).named_parameters() if p.requires_grad} & frozen(without).keys()
    # In memory too, as it is sent to other processes
    assert_same(load_model_from_config(nlp.config).from_bytes(nlp.to_bytes()), nlp)


def test_where_nothing_is_frozen_all_is_stored(make: Callable[..., Language], own: Path, tmp_path: Path) -> None:
    nlp = make(store_frozen=False)
    nlp.to_disk(tmp_path / "stored")
    shutil.rmtree(own)
    assert_same(spacy.load(tmp_path / "stored"), nlp)


def test_nothing_of_the_encoder_but_its_tokenizer_is_needed_whole(
    make: Callable[..., Language], own: Path, tmp_path: Path
) -> None:
    nlp = make(**LORA)
    nlp.to_disk(tmp_path / "stored")
    shutil.rmtree(own)
    assert_same(spacy.load(tmp_path / "stored"), nlp)


def test_layers_that_were_left_out_stay_so(make: Callable[..., Language], tmp_path: Path) -> None:
    deep = save_bert(tmp_path / "deep", lowercase=True, layers=3)
    nlp = make(**LORA, store_frozen=False, name=str(deep), transformer_config={"num_hidden_layers": 2})
    nlp.to_disk(tmp_path / "stored")
    loaded = spacy.load(tmp_path / "stored")
    assert len(network(loaded).text_encoder.encoder.layer) == 2
    assert_same(loaded, nlp)


# Where the encoder is


def test_the_encoder_may_have_moved(stored: Path, own: Path, tmp_path: Path) -> None:
    expected = probabilities(nlp := spacy.load(stored), fresh_docs(nlp))
    del nlp
    shutil.move(own, tmp_path / "moved")
    moved = {ENCODER: str(tmp_path / "moved")}
    for nlp in (spacy.load(stored, config=moved), load_pipeline(stored, moved)):
        assert_close(probabilities(nlp, fresh_docs(nlp)), expected)
    # The new place is remembered
    nlp.to_disk(tmp_path / "again")
    del nlp
    gc.collect()
    again = spacy.load(tmp_path / "again")
    assert_close(probabilities(again, fresh_docs(again)), expected)


def other_weights(folder: Path) -> Path:
    encoder = BertModel.from_pretrained(folder)
    with torch.no_grad():
        encoder.encoder.layer[0].output.LayerNorm.bias[3] += 1e-6
    encoder.save_pretrained(folder)
    return folder


def other_sizes(folder: Path) -> Path:
    shutil.rmtree(folder)
    return save_bert(folder, lowercase=True, layers=2, positions=64)


@pytest.mark.parametrize("change", [other_weights, other_sizes])
@pytest.mark.parametrize("load", [spacy.load, load_pipeline])
def test_another_encoder_is_refused(
    stored: Path, own: Path, load: Callable, change: Callable[[Path], Path], capsys: pytest.CaptureFixture
) -> None:
    trained_on = str(own)
    other = own.rename(own.parent / "other")
    change(other)
    with pytest.raises(ValueError, match=r"^\[DR111\]") as raised:
        load(stored, **{"config" if load is spacy.load else "overrides": {ENCODER: str(other)}})
    said = str(raised.value)
    assert repr(trained_on) in said and repr(str(other)) in said and "model.name" in said
    # The one line is all that is said
    assert "\n" not in said and "newly initialized" not in capsys.readouterr().err


@pytest.mark.parametrize("load", [spacy.load, load_pipeline])
def test_a_missing_encoder_is_named(stored: Path, own: Path, load: Callable) -> None:
    shutil.rmtree(own)
    with pytest.raises(ValueError, match=r"^\[DR102\](.|\n)*model\.name") as raised:
        load(stored)
    assert repr(str(own)) in str(raised.value)


def test_commands_say_so_in_a_line(stored: Path, own: Path, tmp_path: Path) -> None:
    shutil.rmtree(own)
    result = dualre("shrink", stored, tmp_path / "small")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    match(r"✘ \[DR102\].*own", result.output)


def test_the_encoder_brings_no_code(stored: Path, own: Path, tmp_path: Path) -> None:
    (own / "own.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'run')!r})\nclass Own: pass\n")
    bring = {"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}, "model_type": "own"}
    (own / "config.json").write_text(srsly.json_dumps({**srsly.read_json(own / "config.json"), **bring}))
    assert spacy.load(stored)
    assert not (tmp_path / "run").exists()


# Memory


def test_pipelines_share_the_weights_that_they_do_not_store(
    stored: Path, make: Callable[..., Language], tmp_path: Path
) -> None:
    make(lora_rank=2, shared_encoder=True, store_frozen=False).to_disk(tmp_path / "other")
    make(frozen_embeddings=True, store_frozen=False).to_disk(tmp_path / "embeddings")
    first, second = spacy.load(stored), spacy.load(tmp_path / "other")
    assert places(first) == places(second)
    # Others have other weights
    assert not set(places(first)[0]) & set(places(spacy.load(tmp_path / "embeddings"))[0])
    # Whichever of them is still there
    kept = places(second)
    del first
    gc.collect()
    third = spacy.load(stored)
    assert places(third) == kept


def test_pipelines_share_a_frozen_encoder_of_descriptions(make: Callable[..., Language], tmp_path: Path) -> None:
    trained = {"open": OPEN, "other": {**OPEN, "types_as_words": True}, "descriptions": {"frozen_descriptions": True}}
    for name, model in trained.items():
        make(**model, store_frozen=False).to_disk(tmp_path / name)
    # Neither of its parts is there twice
    loaded = [spacy.load(tmp_path / name) for name in trained]
    expected = places(loaded[0])[0]
    assert places(*loaded) == [expected] * 3
    assert len(expected) == len({name for name in frozen(loaded[0]) if name.startswith("description_encoder.")})
    assert not any(other.data_ptr() in expected for nlp in loaded for other in trainable(nlp))


def trainable(nlp: Language) -> List[torch.Tensor]:
    return [parameter for parameter in network(nlp).parameters() if parameter.requires_grad]


def test_layers_of_texts_and_heads_are_all_that_an_open_pipeline_stores(
    make: Callable[..., Language], tmp_path: Path
) -> None:
    nlp = make(**OPEN, store_frozen=False)
    nlp.to_disk(tmp_path / "stored")
    stored = srsly.msgpack_loads(srsly.read_msgpack(tmp_path / "stored" / NAME / "model")["shims"][1][0])
    state = torch.load(io.BytesIO(stored["state"]), weights_only=True)
    markers = [f"{tower}_encoder.embeddings.word_embeddings.markers.weight" for tower in ("text", "description")]
    learnt = {name for name, parameter in network(nlp).named_parameters() if parameter.requires_grad}
    assert learnt | {*markers} == state.keys()


def test_the_weights_go_with_the_last_pipeline(stored: Path, own: Path) -> None:
    nlp = spacy.load(stored)
    assert spacy.load(stored, config={ENCODER: "it/is/not/asked/for"})
    del nlp
    gc.collect()
    with pytest.raises(ValueError, match="DR102"):
        spacy.load(stored, config={ENCODER: str(own.parent / "nowhere")})


def test_one_pipeline_does_not_change_another(stored: Path, tmp_path: Path) -> None:
    first, second = spacy.load(stored), spacy.load(stored)
    expected = probabilities(second, fresh_docs(second))
    before = {name: value.detach().clone() for name, value in frozen(second).items()}
    sgd = optimizer()
    for _ in range(3):
        first.update(make_examples(first.vocab), sgd=sgd)
    network(first).half()
    assert_close(probabilities(second, fresh_docs(second)), expected)
    assert all(torch.equal(value, before[name]) for name, value in frozen(second).items())
    # One in half precision has nothing to share
    del second
    gc.collect()
    third = spacy.load(stored)
    assert_close(probabilities(third, fresh_docs(third)), expected)


# Commands


def test_shrunk_pipelines_find_the_same(make: Callable[..., Language], tmp_path: Path) -> None:
    nlp = make(**LORA)
    nlp.to_disk(tmp_path / "whole")
    load_pipeline(tmp_path / "whole", {STORE: False}).to_disk(tmp_path / "without")
    for name in ("whole", "without"):
        assert dualre("shrink", tmp_path / name, tmp_path / f"{name}-small").exit_code == 0
        assert size(tmp_path / f"{name}-small") < size(tmp_path / name)
        small = spacy.load(tmp_path / f"{name}-small")
        assert_close(probabilities(small, fresh_docs(small)), probabilities(nlp, fresh_docs(nlp)), 5e-3)
    # The rounded weights are not stored, and the exact ones found
    load_pipeline(tmp_path / "whole-small", {STORE: False}).to_disk(tmp_path / "exact")
    exact = spacy.load(tmp_path / "exact")
    assert all(torch.equal(value, frozen(nlp)[name]) for name, value in frozen(exact).items())


def test_shrink_can_leave_out_the_frozen_weights_too(make: Callable[..., Language], tmp_path: Path) -> None:
    nlp = make(**OPEN)
    nlp.to_disk(tmp_path / "whole")
    assert dualre("shrink", tmp_path / "whole", tmp_path / "small").exit_code == 0
    result = dualre("shrink", tmp_path / "whole", tmp_path / "smallest", f"--{STORE}", "false")
    assert result.exit_code == 0, result.output
    assert size(tmp_path / "smallest") < size(tmp_path / "small")
    smallest = spacy.load(tmp_path / "smallest")
    assert_close(probabilities(smallest, fresh_docs(smallest)), probabilities(nlp, fresh_docs(nlp)), 5e-3)


def test_an_encoder_may_come_from_an_installed_package(
    make: Callable[..., Language], own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "xx_encoder"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    shutil.copytree(own, package / "model")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    nlp = make(**OPEN, name="xx_encoder", store_frozen=False)
    expected = probabilities(nlp, fresh_docs(nlp))
    nlp.to_disk(tmp_path / "pipeline")
    # Not from the weights in memory
    del nlp
    gc.collect()
    loaded = spacy.load(tmp_path / "pipeline")
    assert_close(probabilities(loaded, fresh_docs(loaded)), expected)
    assert str(tmp_path).encode() not in (tmp_path / "pipeline" / NAME / "model").read_bytes()


def test_tuned_pipelines_are_stored_alike(stored: Path, tmp_path: Path) -> None:
    docs = [example.reference for example in make_examples(spacy.load(stored).vocab)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    result = dualre("tune", stored, tmp_path / "dev.spacy", tmp_path / "tuned", "--threshold", "--loss", "100")
    assert result.exit_code == 0, result.output
    assert size(tmp_path / "tuned") == size(stored)
    tuned, before = (network(spacy.load(folder)).state_dict() for folder in (tmp_path / "tuned", stored))
    assert tuned.keys() == before.keys() and all(torch.equal(tuned[name], before[name]) for name in tuned)
