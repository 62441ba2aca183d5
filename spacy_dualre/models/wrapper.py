"""spacy-transformers' wrapper of a network and its tokenizer, the only place that imports it.

What is stored is loaded as data: a foreign pipeline runs no code, and writes and reads no file of its choice.
"""

import copy
import json
import threading
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator
from weakref import WeakSet

import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import Model, get_torch_default_device
from thinc.layers.pytorchwrapper import forward
from transformers import AutoTokenizer
from transformers.utils import logging

from ..errors import Errors, Unavailable
from .pytorch.frozen import frozen, share
from .pytorch.network import DualEncoder, DualEncoderConfig, load_frozen

#: How settings of tokenizers end that name files, directly or in what they hand on.
_NAMING_FILES = ("_file", "_files", "_spm", "_kwargs", "_inputs", "from_slow", "auto_map", "bpe_codes")
#: Networks whose frozen weights came with an encoder when they were loaded. Others with the same ones share them.
_LOADED: "WeakSet[DualEncoder]" = WeakSet()
_LOADING = threading.Lock()


def wrapper(
    convert_inputs: Callable, convert_outputs: Callable, name: str, store_frozen: bool, mixed_precision: bool
) -> Model:
    """Make a layer without network and tokenizer, as spacy-transformers' HFWrapper does, with a `Shim`."""
    return Model(
        "hf-pytorch",
        forward,
        attrs={"convert_inputs": convert_inputs, "convert_outputs": convert_outputs},
        shims=[Shim(name, store_frozen, mixed_precision)],
        dims={"nI": None, "nO": None},
    )


def load_encoder(name: str, tokenizer_config: Dict[str, Any], transformer_config: Dict[str, Any]) -> HFObjects:
    """Load a pretrained encoder and its tokenizer. Encoders with code of their own could not be loaded again.

    Raises:
        Unavailable: There is none.
    """
    settings = {"trust_remote_code": False}
    # The weights of the layers that are left out would be listed
    with _from_pretrained(name, quiet="num_hidden_layers" in transformer_config):
        return huggingface_from_pretrained(name, {**tokenizer_config, **settings}, {**transformer_config, **settings})


@contextmanager
def _from_pretrained(name: str, quiet: bool) -> Iterator[None]:
    level = logging.get_verbosity()
    if quiet:
        logging.set_verbosity_error()
    try:
        # Before the hub is asked for it, which takes a minute without a network
        if "/" in name and not Path(name).exists() and (name.count("/") > 1 or Path(name).parent.is_dir()):
            raise OSError("there is no such folder")
        yield
    except Exception as err:  # tokenizers raises no subclass for a damaged file
        raise Unavailable(Errors.DR102.format(name=name, problem=err)) from err
    finally:
        logging.set_verbosity(level)


class Shim(HFShim):
    """Stores as spacy-transformers' shim does, which also loads it, with trust in what is stored.

    Args:
        name: The encoder to load frozen weights with that are not stored.
        store_frozen: Whether to store them.
    """

    def __init__(self, name: str, store_frozen: bool, mixed_precision: bool) -> None:
        nothing = HFObjects(None, None, None, {}, {})
        super().__init__(nothing, mixed_precision=mixed_precision, grad_scaler_config={})
        self.name = name
        self.store_frozen = store_frozen

    def to_bytes(self) -> bytes:
        """Store network and tokenizer."""
        network = self._model
        if self.store_frozen or network is None or network.config.frozen is None:
            return super().to_bytes()
        state, left_out = network.state_dict(), frozen(network)
        stored = copy.copy(self)
        stored._model = SimpleNamespace(state_dict=lambda: {key: state[key] for key in state if key not in left_out})
        return HFShim.to_bytes(stored)

    def from_bytes(self, bytes_data: bytes) -> "Shim":
        """Load what `to_bytes` stored.

        Raises:
            Unavailable: There is no such encoder as the one whose weights are not stored.
            ValueError: Or one of errors.DAMAGED, for what `to_bytes` cannot have stored.
        """
        stored = srsly.msgpack_loads(bytes_data)
        if not stored["config"]:
            return super().from_bytes(bytes_data)
        device = get_torch_default_device()
        network: Any = DualEncoder(DualEncoderConfig(**stored["config"])).to(device)  # type: ignore[arg-type]
        state = dict(torch.load(BytesIO(stored["state"]), map_location=device, weights_only=True))
        if network.config.frozen is not None and frozen(network).keys() - state.keys():
            _take_frozen(network, self.name)
            # Not those of a damaged file, which would be everybody's
            state.update(frozen(network))
        network.load_state_dict(state)
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
        self._model = network
        return self


def _take_frozen(network: DualEncoder, name: str) -> None:
    """Give a network the frozen weights that it was trained with: those of another, or else those of an encoder."""
    ours, expected = network.text_encoder, network.config.frozen
    with _LOADING:
        for other in _LOADED:
            # It may have been moved to another device or precision
            if (other.config.frozen, other.device, other.dtype) == (expected, network.device, network.dtype):
                share(frozen(other.text_encoder), network.encoders())
                break
        else:
            settings = {"config": ours.config, "torch_dtype": "auto", "ignore_mismatched_sizes": True}
            # What another encoder lacks would be listed
            with _from_pretrained(name, quiet=True):
                encoder = type(ours).from_pretrained(name, **settings)
            found = load_frozen(network, encoder)
            if found != expected:
                trained = ours.config.name_or_path
                raise Unavailable(Errors.DR111.format(name=name, trained=trained, found=found, expected=expected))
        _LOADED.add(network)


def _without_files(content: bytes) -> bytes:
    """A tokenizer's settings without those that name files, which would be read instead of the stored ones."""
    settings = dict(json.loads(content))
    return json.dumps({key: value for key, value in settings.items() if not key.endswith(_NAMING_FILES)}).encode()
