"""The weights of an encoder that training leaves as they are: what they are, and one copy for all that have them."""

import hashlib
from typing import Dict, Iterable, Optional

from torch import Tensor, nn

#: What a network adds to its encoders. It is in no pretrained encoder, even where it is not trained.
_ADDED = (".markers.", ".lora_")


def frozen(module: nn.Module) -> Dict[str, Tensor]:
    """The pretrained weights of a module that are not trained, under all their names."""
    parameters = module.named_parameters(remove_duplicate=False)
    return {
        name: parameter.data
        for name, parameter in parameters
        if not parameter.requires_grad and not any(part in name for part in _ADDED)
    }


def share(weights: Dict[str, Tensor], modules: Iterable[nn.Module]) -> None:
    """Make these the frozen weights of all the modules, without a copy."""
    modules = list(modules)
    for name, value in weights.items():
        # One parameter, as torch counts and stores it once. Other networks with these weights have their own, so that
        # each can be moved to another device or precision
        parameter = nn.Parameter(value, requires_grad=False)
        owner, _, last = name.rpartition(".")
        for module in modules:
            setattr(module.get_submodule(owner), last, parameter)


def checksum(weights: Dict[str, Tensor]) -> Optional[str]:
    """A number that says, for all practical purposes, whether two encoders have the same weights; None for none."""
    if not weights:
        return None
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()
