"""Every setting of the architecture reaches the network or the runner."""

from dataclasses import asdict
from typing import Any, Dict

import pytest
from spacy import registry

from spacy_dualre.models.architectures import dual_encoder_v1
from spacy_dualre.models.blocks import NETWORK, RUN
from spacy_dualre.models.dual_encoder import get_network, get_runner

#: A value other than the default for each setting.
OTHER_NETWORK = {
    "shared_encoder": True,
    "cls_fusion": False,
    "types_as_words": True,
    "mean_fusion": True,
    "learned_negative": True,
    "dropout": 0.375,
    "frozen_embeddings": True,
    "lora_rank": 2,
    "gradient_checkpointing": True,
}
OTHER_RUN = {
    "packed": True,
    "max_length": 77,
    "batch_tokens": 123,
    "precision": "bfloat16",
    "description_memory": 321,
    "mixed_precision": True,
    "store_frozen": False,
}


def initialised(encoder: str, **settings: Any) -> Any:
    model = dual_encoder_v1(encoder, **settings)
    model.attrs["entity_types"] = ["CHEMICAL"]
    model.set_dim("nO", 2)
    model.initialize()
    return model


def test_no_setting_is_forgotten_here() -> None:
    # An encoder that both share cannot be frozen for descriptions
    assert {*OTHER_NETWORK, "frozen_descriptions"} == NETWORK.keys() and OTHER_RUN.keys() == RUN.keys()
    assert not OTHER_NETWORK.items() & NETWORK.items() and not OTHER_RUN.items() & RUN.items()


def test_settings_reach_the_layer() -> None:
    model = dual_encoder_v1(
        "some/encoder", {"use_fast": False}, {"num_hidden_layers": 1}, network=OTHER_NETWORK, run=OTHER_RUN
    )
    assert (model.attrs["name"], model.attrs["tokenizer_config"]) == ("some/encoder", {"use_fast": False})
    assert model.attrs["transformer_config"] == {"num_hidden_layers": 1}
    assert model.attrs["network"] == {**NETWORK, **OTHER_NETWORK} and asdict(model.attrs["run"].settings) == OTHER_RUN


def test_settings_that_are_not_given_have_their_defaults() -> None:
    model = dual_encoder_v1("x", network={"mean_fusion": True}, run={"precision": "int8"})
    assert model.attrs["network"] == {**NETWORK, "mean_fusion": True}
    assert asdict(model.attrs["run"].settings) == {**RUN, "precision": "int8"}
    assert dual_encoder_v1("x").attrs["network"] == NETWORK


def test_network_settings_reach_the_network(encoder: str) -> None:
    model = initialised(encoder, network=OTHER_NETWORK, transformer_config={"attention_probs_dropout_prob": 0.25})
    network = get_network(model)
    assert network.config.network == {**NETWORK, **OTHER_NETWORK} == asdict(network.settings)
    assert network.config.encoder["attention_probs_dropout_prob"] == 0.25 and network.dropout.p == 0.375
    assert network.description_encoder is None and network.description_projection.in_features == 2 * 16


def test_what_both_share_is_not_frozen_for_one() -> None:
    with pytest.raises(ValueError, match="DR112"):
        dual_encoder_v1("x", network={"shared_encoder": True, "frozen_descriptions": True})


def test_run_settings_reach_the_runner(encoder: str) -> None:
    runner = get_runner(initialised(encoder, run=OTHER_RUN))
    batches = runner.batches
    assert (batches.packed, batches.max_length, batches.batch_tokens) == (True, 77, 123)
    assert runner.memory.capacity == 321 and next(runner.text_encoder.parameters()).dtype.itemsize == 2


def test_the_architecture_is_registered() -> None:
    assert registry.architectures.get("spacy-dualre.DualEncoder.v1") is dual_encoder_v1


@pytest.mark.parametrize("precision", ["half", "FLOAT32", "", 32, "float16"])
def test_an_unknown_precision_is_refused(precision: Any) -> None:
    with pytest.raises(ValueError, match=rf"DR100.*'float32'.*int8.*not {precision!r}"):
        dual_encoder_v1("x", run={"precision": precision})


@pytest.mark.parametrize("block, known", [("network", "mean_fusion"), ("run", "packed")])
def test_an_unknown_setting_is_refused(block: str, known: str) -> None:
    settings: Dict[str, Any] = {block: {"colour": 1}}
    with pytest.raises(ValueError, match=rf"DR109.*model.{block}.*'colour'.*{known}"):
        dual_encoder_v1("x", **settings)
