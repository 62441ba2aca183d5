"""What changes while a pipeline is trained: weights, the optimizer's moments, random numbers. All states are made of what
`torch.load` reads without running code.
"""

import random
from typing import Any, Dict, Iterator, List, Tuple

import numpy
import torch
from spacy.language import Language
from thinc.api import Model, Optimizer, PyTorchShim, get_torch_default_device, torch2xp, xp2torch

#: What the optimizer knows of each parameter.
_ARRAYS = ("mom1", "mom2", "averages")
#: Never change in training.
_CONSTANT = ("vectors",)


def random_states() -> Dict[str, Any]:
    """The states of the random number generators.

    cupy's cannot be read: on a GPU the dropout of thinc's own layers, not that of torch's, goes on with other numbers.
    """
    kind, keys, *rest = numpy.random.get_state()
    return {
        "random": random.getstate(),
        "numpy": (kind, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
    }


def set_random_states(states: Dict[str, Any]) -> None:
    """Set what `random_states` gave."""
    random.setstate(states["random"])
    numpy.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    torch.cuda.set_rng_state_all(states["cuda"][: torch.cuda.device_count()])


def training_state(nlp: Language, optimizer: Optimizer) -> Dict[str, Any]:
    """Everything that the next step depends on, but for what `Replay` brings back: schedules and the place in the corpus."""
    return {
        # Bytes would be stored as text
        "pipeline": torch.frombuffer(bytearray(nlp.to_bytes(exclude=_CONSTANT)), dtype=torch.uint8),
        "optimizer": [_parameter_state(optimizer, key) for key, _ in _parameters(nlp)],
        "scalers": [(scaler._scale, scaler._growth_tracker) for scaler in _scalers(nlp)],
        "random": random_states(),
    }


def set_training_state(nlp: Language, optimizer: Optimizer, state: Dict[str, Any]) -> None:
    """Set what `training_state` gave, for a pipeline initialised from the same config."""
    nlp.from_bytes(state["pipeline"].numpy().tobytes(), exclude=_CONSTANT)
    for (key, owner), parameter_state in zip(_parameters(nlp), state["optimizer"], strict=True):
        if parameter_state:
            _set_parameter_state(optimizer, key, parameter_state)
            _set_gradient_to_zero(owner, key[1])
    for scaler, (scale, growth_tracker) in zip(_scalers(nlp), state["scalers"], strict=True):
        scaler._scale, scaler._growth_tracker = scale, growth_tracker
        scaler.to_(get_torch_default_device())
    # Last, for the above draws random numbers
    set_random_states(state["random"])


def _parameters(nlp: Language) -> Iterator[Tuple[Tuple[int, str], Any]]:
    """Every parameter's key in the optimizer with its owner, a layer or torch's parameter itself. The ids in the keys
    differ from process to process, the order does not.
    """
    for layer in _layers(nlp):
        for name in layer.param_names:
            yield (layer.id, name), layer
        for shim in layer.shims:
            if isinstance(shim, PyTorchShim):
                for name, parameter in shim._model.named_parameters():
                    yield (shim.id, name), parameter


def _layers(nlp: Language) -> Iterator[Model]:
    for _, pipe in nlp.pipeline:
        if isinstance(getattr(pipe, "model", None), Model):
            yield from pipe.model.walk()  # type: ignore[attr-defined]


def _scalers(nlp: Language) -> List[Any]:
    return [shim._grad_scaler for layer in _layers(nlp) for shim in layer.shims if isinstance(shim, PyTorchShim)]


def _parameter_state(optimizer: Optimizer, key: Tuple[int, str]) -> Dict[str, Any]:
    if key not in optimizer.nr_update:
        return {}
    tables = {name: getattr(optimizer, name) or {} for name in _ARRAYS}
    arrays = {name: xp2torch(table[key]) for name, table in tables.items() if key in table}
    return {"nr_update": optimizer.nr_update[key], **arrays}


def _set_parameter_state(optimizer: Optimizer, key: Tuple[int, str], state: Dict[str, Any]) -> None:
    optimizer.nr_update[key] = state["nr_update"]
    for name in _ARRAYS:
        if name in state:
            getattr(optimizer, name)[key] = torch2xp(state[name].to(get_torch_default_device()))


def _set_gradient_to_zero(owner: Any, name: str) -> None:
    # One that is there, if only 0, lets the moments move the weights in a batch without candidates; one that is not, not
    if isinstance(owner, Model):
        parameter = owner.get_param(name)
        owner.set_grad(name, owner.ops.xp.zeros_like(parameter))
    else:
        owner.grad = torch.zeros_like(owner)
