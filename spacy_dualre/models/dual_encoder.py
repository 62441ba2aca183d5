"""The thinc layer around the network: instances in, scores out; loading of encoders; conversion at the border."""

import os
import threading
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy
import torch
from thinc.api import ArgsKwargs, Model, get_torch_default_device, torch2xp, xp2torch

from ..errors import Errors
from ..instances.markers import ROLE_WORDS, marker_tokens, marker_words
from ..types import Gradients, PaddedBatch, PairBatch, Query, RelScores
from .batches import BatchMaker, Padded, possible
from .blocks import NetworkSettings, RunSettings, settings_from
from .cascade import sample
from .pieces import Pieces
from .pytorch import network as networks
from .pytorch.device import has_bfloat16, one_thread_in_worker, to_device
from .pytorch.network import DualEncoder, DualEncoderConfig
from .runner import DescriptionReader, Runner, in_words
from .wrapper import load_start, wrapper

#: Room for [CLS], [SEP], four markers and a few words.
SHORTEST = 16
#: Held during a prediction: threads, such as those of a web server, share the network's mode and memory. It is not part
#: of the model, which is copied and pickled.
_PREDICTING = threading.Lock()


def _new_lock() -> None:
    # A process may have been forked while another thread predicted
    global _PREDICTING
    _PREDICTING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


@dataclass
class Run:
    """How a layer's network is run. Neither stored with the model nor copied with it, except for the settings."""

    settings: RunSettings
    batches: Optional[BatchMaker] = None  # for the tokenizer in use, made when needed
    runner: Optional[Runner] = None  # for the network in use, made when needed
    made_for: Any = None  # what the runner was made for: network, maker of batches, version of the weights
    frozen: Optional[DescriptionReader] = None  # in training, if descriptions are read by frozen weights
    frozen_by: Any = None  # the network that it reads with

    def __reduce__(self) -> Tuple[Any, ...]:
        return Run, (self.settings,)


def dual_encoder(
    name: str,
    tokenizer_config: Dict[str, Any],
    transformer_config: Dict[str, Any],
    network: NetworkSettings,
    run: RunSettings,
) -> Model[Query, RelScores]:
    """Make the layer of `dual_encoder_v1`.

    Before ``initialize``, set the dimension nO to the number of predicates and the attribute "entity_types" to the
    types that get markers.
    """
    # The wrapper's mixed precision is for GPUs alone
    mixed_precision = run.mixed_precision and get_torch_default_device().type == "cuda"
    return Model(
        "dual_encoder",
        forward,
        init=init,
        layers=[wrapper(convert_inputs, convert_outputs, name, run.store_frozen, mixed_precision)],
        dims={"nO": None},
        attrs={
            "name": name,
            "tokenizer_config": dict(tokenizer_config),
            "transformer_config": dict(transformer_config),
            "network": asdict(network),
            "max_length": run.max_length,
            "entity_types": [],
            # thinc cannot store such a value, so loading keeps what the config says
            "run": Run(run),
        },
    )


def forward(model: Model, query: Query, is_train: bool) -> Tuple[RelScores, Callable[[Gradients], List[Any]]]:
    """Score the P candidates of a query."""
    one_thread_in_worker()
    if is_train:
        return _forward_train(model, query)
    with _PREDICTING:
        found: Any = get_runner(model).score(query)
    as_array = model.ops.xp.asarray
    scores = found._replace(similarity=torch2xp(found.similarity), logits=torch2xp(found.logits))
    return scores._replace(possible=as_array(found.possible), read=as_array(found.read)), lambda d_scores: []


def _forward_train(model: Model, query: Query) -> Tuple[RelScores, Callable[[Gradients], List[Any]]]:
    network, batches = get_network(model), get_batches(model)
    mixed = model.attrs["run"].settings.mixed_precision and has_bfloat16(network.device)
    # thinc's own mixed precision, which the wrapper takes care of, is for GPUs
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        texts = batches.texts(query.instances)
        read = mask = possible(query.instances)
        if not query.similarity:
            read = numpy.zeros_like(mask)
        elif query.sampled is not None:
            read = _sample(network, texts, query, mask)
        batch, shortened = batches.pairs(texts, query.instances, in_words(network, read), _frozen(model))
        (similarity, logits), backprop_network = model.layers[0](batch, is_train=True)

    def backprop(d_scores: Gradients) -> List[Any]:
        backprop_network(d_scores)
        return []

    as_array = model.ops.xp.asarray
    return RelScores(similarity, logits, as_array(mask), as_array(read), shortened), backprop


def _frozen(model: Model) -> Optional[DescriptionReader]:
    """What reads descriptions in training if that is not trained."""
    network, batches, run = get_network(model), get_batches(model), model.attrs["run"]
    if not network.settings.frozen_descriptions:
        return None

    def read(padded: List[PaddedBatch], index: numpy.ndarray) -> torch.Tensor:
        with torch.no_grad():
            states = network.description_states(to_device(padded, network.device))
        return states[to_device(index, network.device)]

    if run.frozen is None or run.frozen_by is not network or run.frozen.batches is not batches:
        run.frozen, run.frozen_by = DescriptionReader(batches, read, run.settings.description_memory), network
    return run.frozen


def _sample(network: DualEncoder, texts: Padded, query: Query, mask: numpy.ndarray) -> numpy.ndarray:
    """The predicates to compare with in training, see `sample`."""
    assert query.sampled is not None and query.gold is not None
    network.eval()
    batches, index, _ = texts
    with torch.inference_mode():
        read = network.read_texts(to_device(batches, network.device), to_device(index, network.device))
        logits = network.classify(read).cpu().numpy()
    return sample(logits, mask, query.gold > 0, query.sampled)


def get_network(model: Model) -> DualEncoder:
    """The layer's network. Raises ValueError if there is none yet."""
    network = _shim(model)._hfmodel.transformer
    if network is None:
        raise ValueError(Errors.DR101.format(name=model.name))
    return network


def get_batches(model: Model) -> BatchMaker:
    """The layer's maker of batches. Raises ValueError if the encoder cannot read what the settings ask for."""
    network, tokenizer = get_network(model), _shim(model)._hfmodel.tokenizer
    run: Run = model.attrs["run"]
    if run.batches is None or run.batches.pieces.tokenizer is not tokenizer:
        encoder, settings, name = network.text_encoder, run.settings, model.attrs["name"]
        if settings.packed and not networks.takes_positions(encoder):
            raise ValueError(Errors.DR108.format(name=name))
        run.batches = BatchMaker(
            Pieces(tokenizer, first_marker=network.config.marker_offset if network.settings.types_as_words else None),
            _max_length(name, settings.max_length or model.attrs["max_length"], tokenizer, encoder),
            settings.batch_tokens or (2_000 if network.device.type == "cpu" else 16_000),
            encoder.config.pad_token_id or 0,
            settings.packed,
            networks.first_position(encoder),
        )
    return run.batches


def get_runner(model: Model) -> Runner:
    """The runner of the layer's network with its present weights. Raises ValueError as `get_batches`."""
    network, batches = get_network(model), get_batches(model)
    run: Run = model.attrs["run"]
    made_for = network, batches, _weights_version(network)
    if run.runner is None or run.made_for != made_for:
        run.runner = Runner(network, batches, run.settings.precision, run.settings.description_memory)
        run.made_for = made_for
    return run.runner


def forget(model: Model) -> None:
    """Drop what was remembered of the documents so far, as if there had been none: for measuring."""
    run: Run = model.attrs["run"]
    run.batches = run.runner = run.frozen = None


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the encoder or pipeline to start from, add the markers and build the network, replacing an earlier one.

    Raises:
        ValueError: It cannot be loaded, or a setting does not fit it.
    """
    attrs, name = model.attrs, model.attrs["name"]
    start = load_start(name, attrs["tokenizer_config"], attrs["transformer_config"])
    tokenizer, encoder = start.objects.tokenizer, start.objects.transformer
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise ValueError(Errors.DR103.format(name=name))
    max_length = attrs["run"].settings.max_length
    max_length = start.max_length if max_length is None else max_length
    attrs["max_length"] = _max_length(name, max_length, tokenizer, encoder)
    types_as_words = settings_from(NetworkSettings, "network", attrs["network"]).types_as_words
    if types_as_words:
        # Any type will do, and none is stored
        attrs["entity_types"] = []
    types = attrs["entity_types"]
    for marker in set(marker_tokens(types)) & set(tokenizer.get_vocab()):
        raise ValueError(Errors.DR106.format(name=name, marker=marker))
    words = list(ROLE_WORDS) if types_as_words else marker_words(types)
    pieces = tokenizer(words, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    offset = len(tokenizer)
    tokenizer.add_tokens(marker_tokens(types), special_tokens=True)
    config = DualEncoderConfig(
        encoder=encoder.config.to_dict(),
        n_classes=model.get_dim("nO"),
        marker_offset=offset,
        n_markers=len(words),
        network=attrs["network"],
    )
    network = DualEncoder(config)
    networks.init_dual_encoder(network, (encoder, start.descriptions), pieces)
    if start.network is not None:
        networks.copy_trained(network, start.network)
    network.to(device=get_torch_default_device())  # type: ignore[call-arg]
    _shim(model)._model = network
    _shim(model)._hfmodel = replace(start.objects, transformer=network)
    get_batches(model)


def convert_inputs(model: Model, batch: PairBatch, is_train: bool) -> Tuple[ArgsKwargs, Callable[[Any], List[Any]]]:
    """PairBatch -> the network's arguments as tensors on its device. The ids have no gradient."""
    shim: Any = model.shims[0]
    arguments = {name: to_device(value, shim.device) for name, value in vars(batch).items()}
    return ArgsKwargs(args=(), kwargs=arguments), lambda d_inputs: []


def convert_outputs(
    model: Model, inputs_outputs: Tuple[PairBatch, Any], is_train: bool
) -> Tuple[Any, Callable[[Gradients], ArgsKwargs]]:
    """The network's (similarity, logits) -> arrays of the current ops; gradients the other way.

    A similarity that was not asked for is 0 and has no gradient.
    """
    batch, (similarity, logits) = inputs_outputs
    shim: Any = model.shims[0]
    outputs = [output for output in (similarity, logits) if output is not None]

    def convert_gradients(d_scores: Gradients) -> ArgsKwargs:
        gradients = d_scores[-len(outputs) :]
        tensors = [xp2torch(gradient, device=shim.device) for gradient in gradients]
        return ArgsKwargs(args=(outputs,), kwargs={"grad_tensors": tensors})

    arrays = [torch2xp(output.detach()) for output in outputs]
    if similarity is None:
        arrays.insert(0, model.ops.alloc2f(*batch.description_index.shape[:2]))
    return tuple(arrays), convert_gradients


def _shim(model: Model) -> Any:
    return model.layers[0].shims[0]


def _weights_version(network: DualEncoder) -> int:
    """A number that grows with each change of the weights.

    torch counts changes in place. thinc's optimizer puts new tensors in place of the weights instead, but then sets the
    gradients to zero in place.
    """
    tensors = [tensor for p in network.parameters() for tensor in (p, p.grad) if tensor is not None]
    return sum(tensor._version for tensor in tensors)


def _max_length(name: str, setting: Optional[int], tokenizer: Any, encoder: Any) -> int:
    positions = getattr(encoder.config, "max_position_embeddings", tokenizer.model_max_length)
    limit = min(positions - networks.first_position(encoder), tokenizer.model_max_length)
    if setting is None:
        return limit
    if not SHORTEST <= setting <= limit:
        raise ValueError(Errors.DR104.format(value=setting, low=SHORTEST, name=name, limit=limit))
    return setting
