"""The state of a training: weights, the optimizer's moments, random numbers.

States only hold types that torch loads without running code.
"""

import random
from typing import Any, Dict, Iterator, List, Tuple, cast

import numpy
import torch
from spacy.language import Language
from thinc.api import Model, Optimizer, get_torch_default_device, torch2xp, xp2torch

#: The optimizer's arrays of each parameter.
_ARRAYS = ("mom1", "mom2", "averages")

Key = Tuple[int, str]


def random_states() -> Dict[str, Any]:
    """The states of the random number generators.

    cupy's is not accessible: on a GPU the dropout of thinc's own layers (not torch's) will draw other numbers.
    """
    kind, keys, *rest = cast(tuple, numpy.random.get_state())
    return {
        "random": random.getstate(),
        "numpy": (kind, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
    }


def set_random_states(states: Dict[str, Any]) -> None:
    """Restore the states of the random number generators."""
    random.setstate(states["random"])
    numpy.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    torch.cuda.set_rng_state_all(states["cuda"][: torch.cuda.device_count()])


def training_state(nlp: Language, optimizer: Optimizer) -> Dict[str, Any]:
    """All that the next step depends on, except for schedules and the position in the corpus."""
    shims = _shims(nlp)
    return {
        "weights": [{name: xp2torch(layer.get_param(name)) for name in _names(layer)} for layer in _layers(nlp)],
        "networks": [shim._model.state_dict() for shim in shims],
        "moments": [_moments(optimizer, key) for key, _ in _parameters(nlp)],
        "scalers": [(shim._grad_scaler._scale, shim._grad_scaler._growth_tracker) for shim in shims],
        "strings": list(nlp.vocab.strings),
        "random": random_states(),
    }


def set_training_state(nlp: Language, optimizer: Optimizer, state: Dict[str, Any]) -> None:
    """Restore a state in a pipeline that was initialised from the same config.

    Weights are set in the existing networks, as from_bytes would build new ones from a config that JSON has rounded.
    """
    shims = _shims(nlp)
    for layer, weights in zip(_layers(nlp), state["weights"], strict=True):
        for name in _names(layer):
            layer.set_param(name, _array(weights[name]))
    for shim, weights in zip(shims, state["networks"], strict=True):
        shim._model.load_state_dict(weights)
    for (key, owner), moments in zip(_parameters(nlp), state["moments"], strict=True):
        if moments:
            _set_moments(optimizer, key, moments)
            _set_gradient_to_zero(owner, key[1])
    for shim, (scale, growth_tracker) in zip(shims, state["scalers"], strict=True):
        shim._grad_scaler._scale, shim._grad_scaler._growth_tracker = scale, growth_tracker
        shim._grad_scaler.to_(get_torch_default_device())
    for string in state["strings"]:
        nlp.vocab.strings.add(string)
    set_random_states(state["random"])


def _layers(nlp: Language) -> List[Model]:
    models = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
    return [layer for model in models if isinstance(model, Model) for layer in model.walk()]


def _shims(nlp: Language) -> List[Any]:
    """The shims, which are all torch's in spaCy."""
    return [shim for layer in _layers(nlp) for shim in layer.shims]


def _names(layer: Model) -> List[str]:
    return [name for name in layer.param_names if layer.has_param(name)]


def _parameters(nlp: Language) -> Iterator[Tuple[Key, Any]]:
    """The optimizer's key of each parameter, and its owner: a layer, or torch's parameter itself."""
    # The ids in the keys differ between processes; their order does not
    for layer in _layers(nlp):
        yield from (((layer.id, name), layer) for name in _names(layer))
    for shim in _shims(nlp):
        yield from (((shim.id, name), parameter) for name, parameter in shim._model.named_parameters())


def _moments(optimizer: Optimizer, key: Key) -> Dict[str, Any]:
    if key not in optimizer.nr_update:
        return {}
    tables = {name: getattr(optimizer, name) or {} for name in _ARRAYS}
    arrays = {name: xp2torch(table[key]) for name, table in tables.items() if key in table}
    return {"nr_update": optimizer.nr_update[key], **arrays}


def _set_moments(optimizer: Optimizer, key: Key, moments: Dict[str, Any]) -> None:
    optimizer.nr_update[key] = moments["nr_update"]
    for name in _ARRAYS:
        if name in moments:
            getattr(optimizer, name)[key] = _array(moments[name])


def _array(tensor: torch.Tensor) -> Any:
    return torch2xp(tensor.to(get_torch_default_device()))


def _set_gradient_to_zero(owner: Any, name: str) -> None:
    # A batch without candidates moves weights by their moments only if there is a gradient, even a zero one
    if isinstance(owner, Model):
        owner.set_grad(name, owner.ops.xp.zeros_like(owner.get_param(name)))
    else:
        owner.grad = torch.zeros_like(owner)
