"""The thinc layer around the network: instances in, scores out; loading of the pretrained encoder; conversion at the
border.
"""

import os
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_wrapper import HFWrapper
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import ArgsKwargs, Model, get_torch_default_device, torch2xp, xp2torch
from thinc.types import Floats2d

from ..errors import Errors
from ..instances.markers import marker_tokens, marker_words
from ..types import PairBatch, Query, RelScores
from .pytorch.device import has_bfloat16, one_thread_in_worker, to_device
from .pytorch.network import (
    DualEncoder,
    DualEncoderConfig,
    encoder_layers,
    first_position,
    init_dual_encoder,
    takes_positions,
)
from .runner import Engine, possible

#: Room for [CLS], [SEP], four markers and a few words.
SHORTEST = 16
#: Held while a network predicts: threads, such as those of a web server, share its mode and what it remembers. It is no
#: part of the engine, which is copied and pickled.
_PREDICTING = threading.Lock()


def _predict_anew() -> None:
    # A process may have been forked while another thread predicted
    global _PREDICTING
    _PREDICTING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_predict_anew)


def dual_encoder(
    name: str,
    tokenizer_config: Dict[str, Any],
    transformer_config: Dict[str, Any],
    network_config: Dict[str, Any],
    grad_scaler_config: Dict[str, Any],
    engine: Engine,
) -> Model[Query, RelScores]:
    """The layer, without an encoder until it is initialised or loaded.

    Before ``initialize``, set the dimension nO to the number of predicates and the attribute "entity_types" to the
    types that get markers. network_config: settings of DualEncoderConfig. engine: runs the network.
    """
    wrapper = HFWrapper(
        HFObjects(None, None, None, {}, {}),
        convert_inputs=convert_inputs,
        convert_outputs=convert_outputs,
        # The wrapper's is for GPUs alone
        mixed_precision=engine.mixed_precision and get_torch_default_device().type == "cuda",
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
            "max_length": engine.wanted_length,
            "entity_types": [],
            # No value that could be stored: what it is set to when a trained model is loaded, holds
            "engine": engine,
        },
    )


def forward(model: Model, query: Query, is_train: bool) -> Tuple[RelScores, Callable[[RelScores], List[Any]]]:
    """Score the P candidates of a query: see RelScores for the shapes. The callback takes the gradients of similarity
    and logits.
    """
    one_thread_in_worker()
    if not is_train:
        with _PREDICTING:
            found = get_engine(model).score(query)
        similarity, logits = cast(Floats2d, torch2xp(found.similarity)), cast(Floats2d, torch2xp(found.logits))
        return RelScores(similarity, logits, model.ops.xp.asarray(found.mask), found.shortened), lambda d_scores: []
    engine = get_engine(model)
    engine.forget()
    # thinc's own mixed precision, which the wrapper does, is for GPUs
    with torch.autocast("cpu", torch.bfloat16, enabled=engine.mixed_precision and has_bfloat16(engine.network.device)):
        batch, shortened = engine.training_batch(query)
        (similarity, logits), backprop_network = model.layers[0](batch, is_train)
    mask = model.ops.xp.asarray(possible(query.instances))
    read = model.ops.xp.asarray(batch.description_index[:, :, 0] >= 0)

    def backprop(d_scores: RelScores) -> List[Any]:
        backprop_network(d_scores)
        return []

    return RelScores(similarity, logits, mask, shortened, read), backprop


def get_engine(model: Model) -> Engine:
    """The layer's engine, with the layer's network in use. Raises ValueError where there is no network yet, or where it
    cannot read as many pieces, or in the way, that the settings say.
    """
    hf_objects = _shim(model)._hfmodel
    network, tokenizer = hf_objects.transformer, hf_objects.tokenizer
    if network is None:
        raise ValueError(Errors.DR101.format(name=model.name))
    engine: Engine = model.attrs["engine"]
    if engine.wanted_length is not None:
        encoder = network.text_encoder
        model.attrs["max_length"] = _max_length(model.attrs["name"], engine.wanted_length, tokenizer, encoder)
    if not engine.runs(network):
        _check_positions(model, network.text_encoder)
    engine.use(network, tokenizer, model.attrs["max_length"])
    return engine


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the pretrained encoder, add the markers, build the network, in place of the one that there may be.

    Raises ValueError where the encoder cannot be loaded or a setting does not fit it.
    """
    shim = _shim(model)
    name = model.attrs["name"]
    pretrained = _load_encoder(name, model.attrs["tokenizer_config"], model.attrs["transformer_config"])
    tokenizer, encoder = pretrained.tokenizer, pretrained.transformer
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise ValueError(Errors.DR103.format(name=name))
    model.attrs["max_length"] = _max_length(name, model.attrs["max_length"], tokenizer, encoder)
    layers = encoder.config.num_hidden_layers
    if not 0 <= model.attrs["network_config"]["frozen_layers"] <= layers:
        raise ValueError(
            Errors.DR107.format(name=name, layers=layers, value=model.attrs["network_config"]["frozen_layers"])
        )
    if model.attrs["network_config"]["frozen_layers"] and encoder_layers(encoder) is None:
        raise ValueError(Errors.DR105.format(name=name))
    _check_positions(model, encoder)
    types = model.attrs["entity_types"]
    for marker in set(marker_tokens(types)) & set(tokenizer.get_vocab()):
        raise ValueError(Errors.DR106.format(name=name, marker=marker))
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
    # Its positions need no second look
    model.attrs["engine"].use(network, tokenizer, model.attrs["max_length"])


def convert_inputs(model: Model, batch: PairBatch, is_train: bool) -> Tuple[ArgsKwargs, Callable[[Any], List[Any]]]:
    """PairBatch -> the network's arguments as tensors on its device. There is no gradient back to the ids."""
    device = _device(model)
    arguments = {
        "texts": to_device(batch.texts, device),
        "text_index": to_device(batch.text_index, device),
        "descriptions": to_device(batch.descriptions, device),
        "description_index": to_device(batch.description_index, device),
    }
    return ArgsKwargs(args=(), kwargs=arguments), lambda d_inputs: []


def convert_outputs(
    model: Model, inputs_outputs: Tuple[PairBatch, Any], is_train: bool
) -> Tuple[Any, Callable[[RelScores], ArgsKwargs]]:
    """The network's (similarity, logits) -> arrays of the current ops; gradients the other way.

    A similarity that was not asked for is 0 and has no gradient.
    """
    batch, (similarity, logits) = inputs_outputs
    device = _device(model)
    outputs = [output for output in (similarity, logits) if output is not None]

    def convert_gradients(d_scores: RelScores) -> ArgsKwargs:
        gradients = [d_scores.logits] if similarity is None else [d_scores.similarity, d_scores.logits]
        tensors = [xp2torch(d, device=device) for d in gradients]
        return ArgsKwargs(args=(outputs,), kwargs={"grad_tensors": tensors})

    arrays = [torch2xp(output.detach()) for output in outputs]
    if similarity is None:
        arrays.insert(0, model.ops.alloc2f(*batch.description_index.shape[:2]))
    return tuple(arrays), convert_gradients


def _device(wrapper: Model) -> torch.device:
    shim: Any = wrapper.shims[0]
    return shim.device


def _shim(model: Model) -> Any:
    return model.layers[0].shims[0]


def _load_encoder(name: str, tokenizer_config: Dict[str, Any], transformer_config: Dict[str, Any]) -> HFObjects:
    try:
        return huggingface_from_pretrained(name, dict(tokenizer_config), dict(transformer_config))
    except Exception as err:  # wrong folders fail in as many ways as there are file formats
        raise ValueError(Errors.DR102.format(name=name, problem=err)) from err


def _check_positions(model: Model, encoder: Any) -> None:
    if model.attrs["engine"].levitated and not takes_positions(encoder):
        raise ValueError(Errors.DR108.format(name=model.attrs["name"]))


def _max_length(name: str, setting: Optional[int], tokenizer: Any, encoder: Any) -> int:
    positions = getattr(encoder.config, "max_position_embeddings", tokenizer.model_max_length)
    positions -= first_position(encoder)
    limit = min(positions, tokenizer.model_max_length)
    if setting is None:
        return limit
    if not SHORTEST <= setting <= limit:
        raise ValueError(Errors.DR104.format(value=setting, low=SHORTEST, name=name, limit=limit))
    return setting
