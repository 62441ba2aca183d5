"""spacy-transformers' wrapper of a network and its tokenizer, the only place that imports it.

What is stored is loaded as data: a foreign pipeline runs no code, and writes and reads no file of its choice.
"""

import json
from io import BytesIO
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict

import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import Model, get_torch_default_device
from thinc.layers.pytorchwrapper import forward
from transformers import AutoTokenizer
from transformers.utils import logging

from ..errors import Errors
from .pytorch.network import DualEncoder, DualEncoderConfig

#: How settings of tokenizers end that name files, directly or in what they hand on.
_NAMING_FILES = ("_file", "_files", "_spm", "_kwargs", "_inputs", "from_slow", "auto_map", "bpe_codes")


def wrapper(convert_inputs: Callable, convert_outputs: Callable, mixed_precision: bool) -> Model:
    """Make a layer without network and tokenizer, as spacy-transformers' HFWrapper does."""
    return Model(
        "hf-pytorch",
        forward,
        attrs={"convert_inputs": convert_inputs, "convert_outputs": convert_outputs},
        shims=[Shim(HFObjects(None, None, None, {}, {}), mixed_precision=mixed_precision, grad_scaler_config={})],
        dims={"nI": None, "nO": None},
    )


def load_encoder(name: str, tokenizer_config: Dict[str, Any], transformer_config: Dict[str, Any]) -> HFObjects:
    """Load a pretrained encoder and its tokenizer. Encoders with code of their own could not be loaded again."""
    # Before the hub is asked for it, which takes a minute without a network
    if "/" in name and not Path(name).exists() and (name.count("/") > 1 or Path(name).parent.is_dir()):
        raise OSError("there is no such folder")
    settings = {"trust_remote_code": False}
    level = logging.get_verbosity()
    if "num_hidden_layers" in transformer_config:
        # The weights of the layers that are left out would be listed
        logging.set_verbosity_error()
    try:
        return huggingface_from_pretrained(name, {**tokenizer_config, **settings}, {**transformer_config, **settings})
    finally:
        logging.set_verbosity(level)


class Shim(HFShim):
    """Stores as spacy-transformers' shim does, which also loads it, with trust in what is stored."""

    def from_bytes(self, bytes_data: bytes) -> "Shim":
        """Load what `to_bytes` stored. Raises ValueError, or one of errors.DAMAGED, for what it cannot have stored."""
        stored = srsly.msgpack_loads(bytes_data)
        if not stored["config"]:
            return super().from_bytes(bytes_data)
        network = DualEncoder(DualEncoderConfig(**stored["config"]))
        device = get_torch_default_device()
        network.load_state_dict(torch.load(BytesIO(stored["state"]), map_location=device, weights_only=True))
        files = dict(stored["tokenizer"])
        use_fast = bool(dict(files.pop("kwargs", {})).get("use_fast", True))
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for name, content in files.items():
                # A PureWindowsPath knows all separators and drives
                if PureWindowsPath(name).name != name:
                    raise ValueError(Errors.DR870.format(name=name))
                (folder / name).write_bytes(_without_files(content) if name == "tokenizer_config.json" else content)
            tokenizer: Any = AutoTokenizer.from_pretrained(
                str(folder), use_fast=use_fast, local_files_only=True, trust_remote_code=False
            )
            vocab_file = None
            if hasattr(tokenizer, "vocab_file"):
                vocab_file = (folder / tokenizer.vocab_files_names["vocab_file"]).read_bytes()
        self._hfmodel = HFObjects(tokenizer, network, vocab_file, {}, {})
        self._model = network.to(device)  # type: ignore[arg-type]
        return self


def _without_files(content: bytes) -> bytes:
    """A tokenizer's settings without those that name files, which would be read instead of the stored ones."""
    settings = dict(json.loads(content))
    return json.dumps({key: value for key, value in settings.items() if not key.endswith(_NAMING_FILES)}).encode()
