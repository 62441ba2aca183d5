"""Every parameter of the architecture reaches the network."""

import inspect
from typing import Any, Callable, Dict

import pytest
from spacy import registry
from thinc.api import Model

from spacy_dualre.models.architectures import dual_encoder_v1

NAME = "spacy-dualre.DualEncoder.v1"


def in_network_config(parameter: str) -> Callable[[Model], Any]:
    return lambda model: model.attrs["network_config"][parameter]


def shim(model: Model) -> Any:
    return model.layers[0].shims[0]


#: A value other than the default for each parameter, and where it must be found.
PARAMETERS: Dict[str, Any] = {
    "name": ("some/encoder", lambda model: model.attrs["name"]),
    "tokenizer_config": ({"use_fast": False}, lambda model: model.attrs["tokenizer_config"]),
    "transformer_config": ({"num_hidden_layers": 1}, lambda model: model.attrs["transformer_config"]),
    "shared_encoder": (True, in_network_config("shared_encoder")),
    "cls_fusion": (False, in_network_config("cls_fusion")),
    "dropout": (0.375, in_network_config("dropout")),
    "frozen_layers": (1, in_network_config("frozen_layers")),
    "frozen_embeddings": (True, in_network_config("frozen_embeddings")),
    "max_length": (77, lambda model: model.attrs["max_length"]),
    "batch_tokens": (123, in_network_config("batch_tokens")),
    "mixed_precision": (True, lambda model: model.attrs["mixed_precision"]),
    "grad_scaler_config": ({"init_scale": 512.0}, lambda model: {"init_scale": shim(model)._grad_scaler._scale.item()}),
}


def parameters() -> Dict[str, inspect.Parameter]:
    return dict(inspect.signature(dual_encoder_v1).parameters)


def test_no_parameter_is_forgotten_here() -> None:
    assert PARAMETERS.keys() == parameters().keys()


@pytest.mark.parametrize("parameter", list(parameters()))
def test_every_parameter_is_passed_on(parameter: str) -> None:
    value, find = PARAMETERS[parameter]
    assert value != parameters()[parameter].default
    given = dual_encoder_v1(**{"name": "x", parameter: value})
    assert find(given) == value
    assert find(dual_encoder_v1(name="x")) != value


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
    assert len(chosen) == 6 and config.encoder["attention_probs_dropout_prob"] == 0.25
    assert shim(model)._model.dropout.p == 0.375


def test_the_architecture_is_registered() -> None:
    assert registry.architectures.get(NAME) is dual_encoder_v1


def test_settings_given_as_dicts_stay_as_they_were() -> None:
    scaler: Dict[str, Any] = {"enabled": True}
    first = dual_encoder_v1("x", grad_scaler_config=scaler)
    second = dual_encoder_v1("x")
    assert scaler == {"enabled": True} and parameters()["grad_scaler_config"].default == {}
    assert shim(first)._grad_scaler._enabled is True and shim(second)._grad_scaler._enabled is False
