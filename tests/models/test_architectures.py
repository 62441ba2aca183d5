"""Every parameter of the architectures reaches the network."""

import inspect
from typing import Any, Callable, Dict

import pytest
from spacy import registry
from thinc.api import Model

from spacy_dualre.models.architectures import dual_encoder_v1, packed_dual_encoder_v1

ARCHITECTURES = {
    "spacy-dualre.DualEncoder.v1": dual_encoder_v1,
    "spacy-dualre.PackedDualEncoder.v1": packed_dual_encoder_v1,
}


def in_network_config(parameter: str) -> Callable[[Model], Any]:
    return lambda model: model.attrs["network_config"][parameter]


def in_engine(parameter: str) -> Callable[[Model], Any]:
    return lambda model: getattr(model.attrs["engine"], parameter)


def shim(model: Model) -> Any:
    return model.layers[0].shims[0]


#: A value other than the default for each parameter, and where it must be found.
PARAMETERS: Dict[str, Any] = {
    "name": ("some/encoder", lambda model: model.attrs["name"]),
    "tokenizer_config": ({"use_fast": False}, lambda model: model.attrs["tokenizer_config"]),
    "transformer_config": ({"num_hidden_layers": 1}, lambda model: model.attrs["transformer_config"]),
    "shared_encoder": (True, in_network_config("shared_encoder")),
    "cls_fusion": (False, in_network_config("cls_fusion")),
    "mean_fusion": (True, in_network_config("mean_fusion")),
    "alike_at_start": (True, in_network_config("alike_at_start")),
    "dropout": (0.375, in_network_config("dropout")),
    "frozen_layers": (1, in_network_config("frozen_layers")),
    "frozen_embeddings": (True, in_network_config("frozen_embeddings")),
    "max_length": (77, lambda model: model.attrs["max_length"]),
    "gradient_checkpointing": (True, in_network_config("gradient_checkpointing")),
    "mixed_precision": (True, lambda model: model.attrs["engine"].mixed_precision),
    "batch_tokens": (123, in_engine("batch_tokens")),
    "precision": ("bfloat16", in_engine("precision")),
    "description_memory": (321, lambda model: model.attrs["engine"].memory.capacity),
    "compiled": (True, in_engine("compiled")),
    "grad_scaler_config": ({"init_scale": 512.0}, lambda model: {"init_scale": shim(model)._grad_scaler._scale.item()}),
}


def parameters() -> Dict[str, inspect.Parameter]:
    return dict(inspect.signature(dual_encoder_v1).parameters)


def test_no_parameter_is_forgotten_here() -> None:
    assert PARAMETERS.keys() == parameters().keys()
    assert parameters() == dict(inspect.signature(packed_dual_encoder_v1).parameters)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values())
@pytest.mark.parametrize("parameter", list(parameters()))
def test_every_parameter_is_passed_on(parameter: str, architecture: Callable[..., Model]) -> None:
    value, find = PARAMETERS[parameter]
    assert value != parameters()[parameter].default
    given = architecture(**{"name": "x", parameter: value})
    assert find(given) == value
    assert find(architecture(name="x")) != value


def test_markers_stand_beside_the_text_in_the_packed_one_alone() -> None:
    assert {name: make("x").attrs["engine"].levitated for name, make in ARCHITECTURES.items()} == {
        "spacy-dualre.DualEncoder.v1": False,
        "spacy-dualre.PackedDualEncoder.v1": True,
    }


def test_every_network_setting_reaches_the_network_itself(encoder: str) -> None:
    chosen = {
        key: value for key, (value, _) in PARAMETERS.items() if key in dual_encoder_v1("x").attrs["network_config"]
    }
    model = dual_encoder_v1(encoder, transformer_config={"attention_probs_dropout_prob": 0.25}, **chosen)
    model.attrs["entity_types"] = ["CHEMICAL"]
    model.set_dim("nO", 2)
    model.initialize()
    config = shim(model)._model.config
    assert {key: getattr(config, key) for key in chosen} == chosen
    assert len(chosen) == 8 and config.encoder["attention_probs_dropout_prob"] == 0.25
    assert shim(model)._model.dropout.p == 0.375


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_architectures_are_registered(name: str) -> None:
    assert registry.architectures.get(name) is ARCHITECTURES[name]


@pytest.mark.parametrize("architecture", ARCHITECTURES.values())
@pytest.mark.parametrize("precision", ["half", "FLOAT32", "", 32])
def test_an_unknown_precision_is_refused(architecture: Callable[..., Model], precision: Any) -> None:
    with pytest.raises(ValueError, match=rf"DR100.*'float32'.*int8.*not {precision!r}"):
        architecture("x", precision=precision)


def test_settings_given_as_dicts_stay_as_they_were() -> None:
    scaler: Dict[str, Any] = {"enabled": True}
    first = dual_encoder_v1("x", grad_scaler_config=scaler)
    second = dual_encoder_v1("x")
    assert scaler == {"enabled": True} and parameters()["grad_scaler_config"].default == {}
    assert shim(first)._grad_scaler._enabled is True and shim(second)._grad_scaler._enabled is False
