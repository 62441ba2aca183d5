"""Gradient checkpointing saves memory and changes no gradient."""

from typing import Any, Callable, Dict, List, Tuple

import numpy
import pytest
import torch
from helpers.pipelines import DESCRIPTIONS, NAME, assert_close, make_examples
from spacy.language import Language

from spacy_dualre.models.dual_encoder import get_network

STILL = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


def initialised(make_nlp: Callable[..., Language], **model: Any) -> Tuple[Language, Any]:
    nlp = make_nlp(model={**STILL, **model})
    examples = make_examples(nlp.vocab)
    rel = nlp.get_pipe(NAME)
    rel.initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    return nlp, get_network(rel.model)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "settings",
    [{}, {"frozen_embeddings": True}, {"shared_encoder": True}, {"types_as_words": True}, {"lora_rank": 2}],
)
def test_gradients_are_those_without(make_nlp: Callable[..., Language], packed: bool, settings: Any) -> None:
    found: List[Dict[str, numpy.ndarray]] = []
    computed: List[int] = []
    state: Dict[str, Any] = {}
    for checkpointing in (False, True):
        nlp, network = initialised(
            make_nlp,
            packed=packed,
            gradient_checkpointing=checkpointing,
            **settings,
        )
        state = state or {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(state)
        calls: List[int] = []
        for encoder in network.encoders():
            dense = encoder.encoder.layer[0].intermediate.dense
            dense.register_forward_hook(lambda *args, calls=calls: calls.append(1))
        loss = nlp.get_pipe(NAME).update(make_examples(nlp.vocab))[NAME]
        grads = {name: p.grad.numpy().copy() for name, p in network.named_parameters() if p.grad is not None}
        found.append({**grads, "loss": numpy.asarray(loss)})
        computed.append(len(calls))
    # The layers of both encoders are computed a second time on the way back
    assert computed == [2, 4]
    assert_close(found[1], found[0], 1e-7)
    trained = {name for name, grad in found[0].items() if numpy.abs(grad).max() > 0}
    assert any(name.startswith("text_encoder.encoder.layer.0") for name in trained)
    words = "text_encoder.embeddings.word_embeddings.words.weight"
    assert (words in trained) == (not settings.keys() & {"frozen_embeddings", "lora_rank"})
    assert words.replace("words.w", "markers.w") in trained


def test_prediction_does_not_compute_twice(make_nlp: Callable[..., Language]) -> None:
    nlp, network = initialised(make_nlp, gradient_checkpointing=True)
    calls: List[int] = []
    network.text_encoder.encoder.layer[0].intermediate.dense.register_forward_hook(lambda *args: calls.append(1))
    nlp.get_pipe(NAME).predict([example.predicted for example in make_examples(nlp.vocab)])
    assert len(calls) == 1 and not torch.is_inference_mode_enabled()
