"""Adapters: they learn, the encoder's own weights stay as they are and are there once, and copies have them merged."""

import sys
from typing import Any, Callable, Dict

import numpy
import pytest
import spacy
import torch
from helpers.pipelines import NAME, assert_close, fresh_docs, make_examples, overfit, probabilities, train
from spacy.language import Language
from transformers import AutoModel

from spacy_dualre.models import dual_encoder
from spacy_dualre.models.architectures import dual_encoder_v1
from spacy_dualre.models.dual_encoder import get_network, get_runner
from spacy_dualre.pipeline.pipelines import load_pipeline

LORA = {"lora_rank": 4}
#: Without dropout, so that few steps suffice.
STILL = {
    **LORA,
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def pretrained(encoder: str) -> Dict[str, torch.Tensor]:
    weights = AutoModel.from_pretrained(encoder).state_dict()
    return {name: value for name, value in weights.items() if not name.startswith("pooler.")}


def assert_pretrained(net: Any, encoder: str) -> None:
    """The encoders' own weights are those of the encoder, bit by bit, and both use the same memory."""
    expected = pretrained(encoder)
    own = [dict(tower.named_parameters()) for tower in net.encoders()]
    found = {name.replace(".base_layer.", ".").replace(".words.", "."): name for name in own[0]}
    assert expected.keys() <= found.keys()
    for name, weights in expected.items():
        ours = [parameters[found[name]] for parameters in own]
        assert all(torch.equal(one, weights) and not one.requires_grad for one in ours)
        assert len({one.data_ptr() for one in ours}) == 1


@pytest.mark.parametrize("model", [STILL, {**STILL, "shared_encoder": True}, {**STILL, "packed": True}])
def test_adapters_learn_and_the_encoder_stays(trained: Callable[..., Language], encoder: str, model: Any) -> None:
    nlp = trained(model=model)
    assert_pretrained(network(nlp), encoder)
    before = {name: parameter.detach().clone() for name, parameter in network(nlp).named_parameters()}
    examples, loss = overfit(nlp)
    assert loss < 0.05 and nlp.evaluate(examples)["rels_f"] == 1.0
    changed = {name for name, parameter in network(nlp).named_parameters() if not torch.equal(before[name], parameter)}
    new = (".lora_A.", ".lora_B.", ".markers.")
    assert changed == {name for name in before if "_encoder." not in name or any(part in name for part in new)}
    # The six linear layers of the one layer have two matrices each
    assert sum(".lora_" in name for name in changed) == 12 * len(network(nlp).encoders())
    assert_pretrained(network(nlp), encoder)


def test_adapters_change_nothing_at_first(trained: Callable[..., Language]) -> None:
    plain, nlp = trained(), trained(model=LORA)
    network(plain).load_state_dict(
        {name.replace(".base_layer.", "."): v for name, v in network(nlp).state_dict().items() if ".lora_" not in name}
    )
    assert_close(probabilities(nlp, fresh_docs(nlp)), probabilities(plain, fresh_docs(plain)))


def merged(state: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """The weights of a network without adapters that computes the same: W + 2 B A."""
    found = {}
    for name, value in state.items():
        layer = name.removesuffix(".base_layer.weight")
        if layer != name:
            value = value + 2 * state[f"{layer}.lora_B.default.weight"] @ state[f"{layer}.lora_A.default.weight"]
        if ".lora_" not in name:
            found[name.replace(".base_layer.", ".")] = value
    return found


@pytest.mark.parametrize("precision, tolerance", [("float32", 1e-5), ("bfloat16", 0.005), ("int8", 0.005)])
def test_adapters_compute_what_weights_with_them_would(
    trained: Callable[..., Language], encoder: str, precision: str, tolerance: float
) -> None:
    nlp, plain = trained(model={**LORA, "precision": precision}), trained(model={"precision": precision})
    at_first = probabilities(nlp, fresh_docs(nlp))
    with torch.no_grad():
        for name, parameter in network(nlp).named_parameters():
            if ".lora_B." in name:
                parameter.normal_(std=0.2)
    network(plain).load_state_dict(merged(network(nlp).state_dict()))
    expected, found = probabilities(plain, fresh_docs(plain)), probabilities(nlp, fresh_docs(nlp))
    assert max(numpy.abs(found[key] - expected[key]).max() for key in expected) < tolerance
    assert max(numpy.abs(at_first[key] - expected[key]).max() for key in expected) > 3 * tolerance
    runner = get_runner(nlp.get_pipe(NAME).model)
    for tower in (runner.text_encoder, runner.description_encoder):
        has_adapters = any("lora" in name for name, _ in tower.named_modules())
        assert has_adapters == (precision == "float32")
    assert_pretrained(network(nlp), encoder)


def test_training_in_half_precision_learns(trained: Callable[..., Language], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual_encoder, "has_bfloat16", lambda device: True)
    nlp = trained(model={**STILL, "mixed_precision": True})
    before = train(nlp, steps=1)[1]
    assert train(nlp, steps=40)[1] < before / 2
    assert {parameter.dtype for parameter in network(nlp).parameters()} == {torch.float32}


@pytest.fixture
def without_peft(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setitem(sys.modules, "peft", None)


def test_a_missing_library_is_named(trained, tmp_path, without_peft) -> None:
    trained(model=LORA).to_disk(tmp_path / "adapters")
    trained().to_disk(tmp_path / "plain")
    without_peft()
    for load in (spacy.load, load_pipeline):
        with pytest.raises(ValueError, match=r'^\[DR110\].*peft.*pip install "spacy-dualre\[lora\]"$'):
            load(tmp_path / "adapters")
        assert load(tmp_path / "plain")


@pytest.mark.parametrize("rank", [-1, 2.0, "8", None, True])
def test_an_impossible_rank_is_refused(rank: Any) -> None:
    with pytest.raises(ValueError, match=r"DR002.*'lora_rank'.*at least 0"):
        dual_encoder_v1("x", network={"lora_rank": rank})


def test_peft_is_imported_for_adapters_only(trained: Callable[..., Language], without_peft: Any) -> None:
    without_peft()
    nlp = trained()
    nlp.update(make_examples(nlp.vocab))
