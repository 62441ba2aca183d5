"""Encoders in another precision than they are stored in, for prediction."""

import copy
from functools import lru_cache
from typing import Any, Optional

import torch
from torch import Tensor, nn

from .adapters import merge_adapters


def in_precision(encoder: nn.Module, precision: str) -> Any:
    """The encoder itself for float32, else a copy with all weights in bfloat16 or the linear layers in int8.

    A copy has the adapters in its weights.
    """
    if precision == "float32":
        return encoder
    if precision != "int8":
        made = copy.deepcopy(encoder)
        merge_adapters(made)
        return made.to(torch.bfloat16).eval()
    # The embeddings stay as they are and need no copy
    shared = {id(module): module for module in encoder.modules() if isinstance(module, nn.Embedding)}
    made = copy.deepcopy(encoder, shared).eval()
    merge_adapters(made)
    for name, module in list(made.named_modules()):
        if type(module) is nn.Linear:
            made.set_submodule(name, Int8Linear(module))
    return made


class Int8Linear(nn.Module):
    """A linear layer in whole numbers, on CPUs: x (..., n_in) -> (..., n_out).

    Each output has a scale for its weights, and each row of the input one of its own: rows that stand out, such as
    those of [SEP] in many encoders, cost the others no precision, and a row's result does not depend on its batch.
    Symmetric, nothing is clipped (per-token dynamic quantisation, Yao et al., ZeroQuant, 2022).
    """

    def __init__(self, linear: nn.Linear, largest: Optional[int] = None) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self.scale = _scale(weight, largest or largest_weight())[:, 0]
        self.weight = (weight / self.scale[:, None]).round().to(torch.int8).t()
        self.bias = 0.0 if linear.bias is None else linear.bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        scale = _scale(rows, 127)
        product = torch._int_mm((rows / scale).round_().to(torch.int8), self.weight).to(x.dtype)
        return (product.mul_(scale).mul_(self.scale).add_(self.bias)).view(*x.shape[:-1], -1)


def _scale(rows: Tensor, largest: int) -> Tensor:
    """(N, 1) the value of 1 in each row if its greatest number becomes `largest`."""
    return rows.abs().amax(-1, keepdim=True).div_(largest).clamp_(min=torch.finfo(rows.dtype).tiny)


@lru_cache(maxsize=1)
def largest_weight() -> int:
    """The greatest whole number for a weight: 127, or 63 on CPUs whose instructions overflow then, which it tries."""
    n = 64
    greatest = torch.full((n, n), 127, dtype=torch.int8)
    return 127 if bool((torch._int_mm(greatest, greatest) == n * 127 * 127).all()) else 63
