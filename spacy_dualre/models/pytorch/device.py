"""What depends on the device: moving arrays, sizes of batches, threads."""

import multiprocessing
import os
from dataclasses import fields, replace
from typing import Any

import numpy
import torch

from ...types import PaddedBatch

_IMPORTED_IN = os.getpid()


def to_device(value: Any, device: torch.device) -> Any:
    """Move arrays, batches of them, or lists of these to the device as tensors; to a GPU without waiting for it."""
    if isinstance(value, numpy.ndarray):
        tensor = torch.from_numpy(numpy.ascontiguousarray(value))
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
    if isinstance(value, PaddedBatch):
        return replace(value, **{f.name: to_device(getattr(value, f.name), device) for f in fields(value)})
    if isinstance(value, list):
        return [to_device(item, device) for item in value]
    return value


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device is a CPU with instructions for bfloat16, which make it faster than float32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, check, bool)() for check in checks)


def one_thread_in_worker() -> None:
    """Let torch use one thread in a worker of ``nlp.pipe(n_process=...)``: the other cores have their own workers.

    With more a forked one would wait forever, as torch's threads do not survive a fork. OMP_NUM_THREADS goes first.
    """
    forked = os.getpid() != _IMPORTED_IN
    started = multiprocessing.parent_process() is not None and "OMP_NUM_THREADS" not in os.environ
    if (forked or started) and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
