"""The thinc layer around the network: instances in, scores out; loading of the pretrained encoder; conversion at the
border.
"""

import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_wrapper import HFWrapper
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import ArgsKwargs, Model, get_torch_default_device, torch2xp, xp2torch

from ..errors import Errors
from ..markers import marker_tokens, marker_words
from ..types import Instance, PairBatch, RelScores
from .pytorch.dual_encoder import DualEncoder, DualEncoderConfig, encoder_layers, init_dual_encoder
from .tokenize import tokenize

#: Room for [CLS], [SEP], four markers and a few words.
SHORTEST = 16
_IMPORTED_IN = os.getpid()


def dual_encoder(
    name: str,
    tokenizer_config: Dict[str, Any],
    transformer_config: Dict[str, Any],
    network_config: Dict[str, Any],
    max_length: Optional[int],
    mixed_precision: bool,
    grad_scaler_config: Dict[str, Any],
) -> Model[Sequence[Instance], RelScores]:
    """The layer, without an encoder until it is initialised or loaded.

    Before ``initialize``, set the dimension nO to the number of predicates and the attribute "entity_types" to the
    types that get markers. network_config: settings of DualEncoderConfig.
    """
    wrapper = HFWrapper(
        HFObjects(None, None, None, {}, {}),
        convert_inputs=convert_inputs,
        convert_outputs=convert_outputs,
        # Only a GPU has it: so that a config with it trains on a CPU too.
        mixed_precision=mixed_precision and get_torch_default_device().type == "cuda",
        grad_scaler_config=dict(grad_scaler_config),
        config_cls=DualEncoderConfig,
        model_cls=DualEncoder,
    )
    return Model(
        "dual_encoder",
        forward,
        init=init,
        layers=[wrapper],
        dims={"nO": None},
        attrs={
            "name": name,
            "tokenizer_config": dict(tokenizer_config),
            "transformer_config": dict(transformer_config),
            "network_config": dict(network_config),
            "max_length": max_length,
            "mixed_precision": mixed_precision,
            "entity_types": [],
        },
    )


def forward(
    model: Model, instances: Sequence[Instance], is_train: bool
) -> Tuple[RelScores, Callable[[RelScores], List[Any]]]:
    """Score P instances: see RelScores for the shapes. The callback takes the gradients of similarity and logits."""
    hf_objects = _shim(model)._hfmodel
    if hf_objects.transformer is None:
        raise ValueError(Errors.DR042.format(name=model.name))
    _one_thread_in_forked_worker()
    batch, shortened = tokenize(instances, hf_objects.tokenizer, model.attrs["max_length"])
    (similarity, logits), backprop_network = model.layers[0](batch, is_train)
    mask = model.ops.xp.asarray(batch.description_index[:, :, 0] >= 0)

    def backprop(d_scores: RelScores) -> List[Any]:
        backprop_network(d_scores)
        return []

    return RelScores(similarity, logits, mask, shortened), backprop


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the pretrained encoder, add the markers, build the network, in place of the one that there may be.

    Raises ValueError where the encoder cannot be loaded or a setting does not fit it.
    """
    shim = _shim(model)
    name = model.attrs["name"]
    pretrained = _load_encoder(name, model.attrs["tokenizer_config"], model.attrs["transformer_config"])
    tokenizer, encoder = pretrained.tokenizer, pretrained.transformer
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise ValueError(Errors.DR081.format(name=name))
    model.attrs["max_length"] = _max_length(name, model.attrs["max_length"], tokenizer, encoder)
    layers = encoder.config.num_hidden_layers
    if not 0 <= model.attrs["network_config"]["frozen_layers"] <= layers:
        raise ValueError(
            Errors.DR084.format(name=name, layers=layers, value=model.attrs["network_config"]["frozen_layers"])
        )
    if model.attrs["network_config"]["frozen_layers"] and encoder_layers(encoder) is None:
        raise ValueError(Errors.DR085.format(name=name))
    types = model.attrs["entity_types"]
    for marker in set(marker_tokens(types)) & set(tokenizer.get_vocab()):
        raise ValueError(Errors.DR086.format(name=name, marker=marker))
    pieces = tokenizer(marker_words(types), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    offset = len(tokenizer)
    tokenizer.add_tokens(marker_tokens(types), special_tokens=True)
    config = DualEncoderConfig(
        encoder=encoder.config.to_dict(),
        n_classes=model.get_dim("nO"),
        marker_offset=offset,
        n_markers=len(tokenizer) - offset,
        **model.attrs["network_config"],
    )
    network = DualEncoder.from_config(config)
    init_dual_encoder(network, encoder, pieces)
    network.to(device=get_torch_default_device())  # type: ignore[call-arg]
    shim._model = network
    shim._hfmodel = HFObjects(tokenizer, network, pretrained.vocab_file_contents)


def convert_inputs(model: Model, batch: PairBatch, is_train: bool) -> Tuple[ArgsKwargs, Callable[[Any], List[Any]]]:
    """PairBatch -> the network's arguments as tensors on its device. There is no gradient back to the ids."""
    device = _device(model)
    arrays = {
        "text_ids": batch.texts.ids,
        "text_lengths": batch.texts.lengths,
        "text_marks": batch.texts.marks,
        "text_index": batch.text_index,
        "description_ids": batch.descriptions.ids,
        "description_lengths": batch.descriptions.lengths,
        "description_marks": batch.descriptions.marks,
        "description_index": batch.description_index,
    }
    tensors = {name: torch.from_numpy(numpy.ascontiguousarray(array)).to(device) for name, array in arrays.items()}
    return ArgsKwargs(args=(), kwargs=tensors), lambda d_inputs: []


def convert_outputs(
    model: Model, inputs_outputs: Tuple[Any, Any], is_train: bool
) -> Tuple[Any, Callable[[RelScores], ArgsKwargs]]:
    """The network's (similarity, logits) -> arrays of the current ops; gradients the other way."""
    _, outputs = inputs_outputs
    device = _device(model)

    def convert_gradients(d_scores: RelScores) -> ArgsKwargs:
        gradients = [xp2torch(d, device=device) for d in (d_scores.similarity, d_scores.logits)]
        return ArgsKwargs(args=(outputs,), kwargs={"grad_tensors": gradients})

    return tuple(torch2xp(output.detach()) for output in outputs), convert_gradients


def _one_thread_in_forked_worker() -> None:
    # torch's thread pool does not survive a fork: with more than one thread, `nlp.pipe(n_process=2)` would wait for
    # ever.
    if os.getpid() != _IMPORTED_IN and torch.get_num_threads() > 1:
        torch.set_num_threads(1)


def _device(wrapper: Model) -> torch.device:
    shim: Any = wrapper.shims[0]
    return shim.device


def _shim(model: Model) -> Any:
    return model.layers[0].shims[0]


def _load_encoder(name: str, tokenizer_config: Dict[str, Any], transformer_config: Dict[str, Any]) -> HFObjects:
    try:
        return huggingface_from_pretrained(name, dict(tokenizer_config), dict(transformer_config))
    except Exception as err:  # wrong folders fail in as many ways as there are file formats
        raise ValueError(Errors.DR080.format(name=name, problem=err)) from err


def _max_length(name: str, setting: Optional[int], tokenizer: Any, encoder: Any) -> int:
    positions = getattr(encoder.config, "max_position_embeddings", tokenizer.model_max_length)
    # Encoders of the RoBERTa kind count positions from behind the padding's.
    padding = getattr(getattr(encoder, "embeddings", None), "padding_idx", None)
    if padding is not None:
        positions -= padding + 1
    limit = min(positions, tokenizer.model_max_length)
    if setting is None:
        return limit
    if not SHORTEST <= setting <= limit:
        raise ValueError(Errors.DR082.format(value=setting, low=SHORTEST, name=name, limit=limit))
    return setting
