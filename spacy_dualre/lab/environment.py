"""The versions, commit and device of a run."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Dict

import torch

_PACKAGES = ("spacy-dualre", "torch", "transformers", "spacy", "spacy-transformers", "thinc", "numpy")


def package_versions() -> Dict[str, str]:
    """The versions of Python, of this package and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


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
    root = Path(__file__).parents[2]
    # Of the package's own clone, not of another one that the environment may lie in
    git = ["git", f"--git-dir={root / '.git'}", f"--work-tree={root}"]
    describe = [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("spacy-dualre")
