"""Encoders for prediction in another precision than they are stored in."""

import copy
import warnings
from typing import Any

import torch
from torch import nn

#: float32 is what is trained and stored.
PRECISIONS = ("float32", "bfloat16", "float16", "int8")


def in_precision(encoder: nn.Module, precision: str) -> Any:
    """The encoder for prediction: itself in float32, else a copy. bfloat16 and float16: all weights. int8: the weights
    of all linear layers, and their inputs as they come (dynamic quantisation), on CPUs.
    """
    if precision == "float32":
        return encoder
    if precision != "int8":
        return copy.deepcopy(encoder).to(getattr(torch, precision)).eval()
    # The embeddings stay what they are, and need no copy
    shared = {id(module): module for module in encoder.modules() if isinstance(module, nn.Embedding)}
    made = copy.deepcopy(encoder, shared).eval()
    with warnings.catch_warnings():
        # Says that it will move to another package
        warnings.simplefilter("ignore")
        # A scale for each output of a layer costs nothing and loses less than one for all
        spec = {nn.Linear: torch.ao.quantization.per_channel_dynamic_qconfig}
        return torch.ao.quantization.quantize_dynamic(made, spec, dtype=torch.qint8, inplace=True)
