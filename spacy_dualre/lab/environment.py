"""The versions, commit and device of a run."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Dict

import torch

_PACKAGES = ("spacy-dualre", "torch", "transformers", "spacy", "spacy-transformers", "thinc", "numpy")


def package_versions() -> Dict[str, str]:
    """The versions of this package and of the libraries that results depend on."""
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
    """The git commit of this package's code, with "-dirty" if changed since; outside of git its version."""
    try:
        # Fails if the environment with this package lies in a clone of something else
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return version("spacy-dualre")


def _git(*args: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
