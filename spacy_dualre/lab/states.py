"""The state of a training: weights, the optimizer's moments, random numbers.

States only hold types that torch loads without running code.
"""

import random
from typing import Any, Dict, Iterator, List, Tuple, cast

import numpy
import torch
from spacy.language import Language
from thinc.api import Model, Optimizer, get_torch_default_device, torch2xp, xp2torch


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
    own, shims = _parts(nlp)
    keys = [key for key, _ in _parameters(nlp)]
    tables = {name: getattr(optimizer, name) or {} for name in ("mom1", "mom2", "averages")}
    return {
        "weights": [xp2torch(layer.get_param(name)) for layer, name in own],
        "networks": [shim._model.state_dict() for shim in shims],
        "updates": [optimizer.nr_update.get(key, 0) for key in keys],
        "moments": [{name: xp2torch(table[key]) for name, table in tables.items() if key in table} for key in keys],
        "scalers": [(shim._grad_scaler._scale, shim._grad_scaler._growth_tracker) for shim in shims],
        "strings": list(nlp.vocab.strings),
        "random": random_states(),
    }


def set_training_state(nlp: Language, optimizer: Optimizer, state: Dict[str, Any]) -> None:
    """Restore a state in a pipeline that was initialised from the same config.

    Weights are set in the existing networks, as from_bytes would build new ones from a config that JSON has rounded.
    """
    own, shims = _parts(nlp)
    for (layer, name), weights in zip(own, state["weights"], strict=True):
        layer.set_param(name, _array(weights))
    for shim, weights in zip(shims, state["networks"], strict=True):
        shim._model.load_state_dict(weights)
    for (key, owner), updates, moments in zip(_parameters(nlp), state["updates"], state["moments"], strict=True):
        for name, moment in moments.items():
            getattr(optimizer, name)[key] = _array(moment)
        if updates:
            optimizer.nr_update[key] = updates
            # A batch without candidates moves weights by their moments only if there is a gradient, even a zero one
            if isinstance(owner, Model):
                owner.set_grad(key[1], owner.ops.xp.zeros_like(owner.get_param(key[1])))
            else:
                owner.grad = torch.zeros_like(owner)
    for shim, (scale, growth_tracker) in zip(shims, state["scalers"], strict=True):
        shim._grad_scaler._scale, shim._grad_scaler._growth_tracker = scale, growth_tracker
        shim._grad_scaler.to_(get_torch_default_device())
    for string in state["strings"]:
        nlp.vocab.strings.add(string)
    set_random_states(state["random"])


def _parts(nlp: Language) -> Tuple[List[Tuple[Model, str]], List[Any]]:
    """Layer and name of each parameter that is thinc's own; and the shims, which are all torch's in spaCy."""
    models = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
    layers = [layer for model in models if isinstance(model, Model) for layer in model.walk()]
    own = [(layer, name) for layer in layers for name in layer.param_names if layer.has_param(name)]
    return own, [shim for layer in layers for shim in layer.shims]


def _parameters(nlp: Language) -> Iterator[Tuple[Tuple[int, str], Any]]:
    """The optimizer's key of each parameter, and its owner: a layer, or torch's parameter itself."""
    # The ids in the keys differ between processes; their order does not
    own, shims = _parts(nlp)
    yield from (((layer.id, name), layer) for layer, name in own)
    for shim in shims:
        yield from (((shim.id, name), parameter) for name, parameter in shim._model.named_parameters())


def _array(tensor: torch.Tensor) -> Any:
    return torch2xp(tensor.to(get_torch_default_device()))
