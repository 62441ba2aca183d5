"""The versions, the commit and the device that something was run with."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Dict

import torch

_PACKAGES = ("spacy-dualre", "torch", "transformers", "spacy", "spacy-transformers", "thinc", "numpy")


def package_versions() -> Dict[str, str]:
    """The versions of this package and of those that results depend on."""
    return {name: version(name) for name in _PACKAGES}


def device_name(device: torch.device) -> str:
    """The name of the processor or GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf8").splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str:
    """The git commit of this package's code, with "-dirty" if it was changed since; its version outside of git."""
    folder = Path(__file__).parent
    try:
        # An environment with this package may lie in a clone of something else, which does not know this file
        _git(folder, "ls-files", "--error-unmatch", Path(__file__).name)
        return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return version("spacy-dualre")


def _git(folder: Path, *args: str) -> str:
    command = ["git", "-C", str(folder), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
