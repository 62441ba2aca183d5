"""spacy-transformers' wrapper of a network and its tokenizer, the only place that imports it.

What is stored is loaded as data: a foreign pipeline runs no code, and writes and reads no file of its choice.
"""

import copy
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple
from weakref import WeakSet

import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import Config, Model, get_torch_default_device
from thinc.layers.pytorchwrapper import forward
from transformers import AutoTokenizer
from transformers.utils import logging

from ..errors import Errors, Unavailable
from .pytorch.frozen import frozen, share
from .pytorch.network import DualEncoder, DualEncoderConfig, load_frozen, plain_encoder

#: How settings of tokenizers end that name files, directly or in what they hand on.
_NAMING_FILES = ("_file", "_files", "_spm", "_kwargs", "_inputs", "from_slow", "auto_map", "bpe_codes")
#: Networks whose frozen weights came with an encoder when they were loaded. Others with the same ones share them.
_LOADED: "WeakSet[DualEncoder]" = WeakSet()
#: Reentrant: what a pipeline lacks may be another one's that lacks it too.
_LOADING = threading.RLock()
#: The folders of pipelines from which others take what they lack, meanwhile.
_READING: List[Path] = []


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


class Start(NamedTuple):
    """What a training starts from: a pretrained encoder, or a trained pipeline."""

    objects: HFObjects  # the tokenizer, and the encoder of texts
    descriptions: Any  # the encoder of descriptions
    max_length: Optional[int] = None  # that the pipeline was trained with
    network: Optional[DualEncoder] = None  # the pipeline's


def load_start(name: str, tokenizer_config: Dict[str, Any], transformer_config: Dict[str, Any]) -> Start:
    """Load a pretrained encoder and its tokenizer, or those of a trained pipeline.

    Encoders with code of their own could not be loaded again.

    Raises:
        Unavailable: There is none.
        ValueError: There are settings for the encoder, and it is a pipeline's.
    """
    folder = _folder(name, with_file="config.cfg")
    if folder is not None:
        if tokenizer_config or transformer_config:
            raise ValueError(Errors.DR114.format(name=name))
        return _load_trained(name, folder)
    settings = {"trust_remote_code": False}
    # The weights of the layers that are left out would be listed
    with _from_pretrained(name, quiet="num_hidden_layers" in transformer_config) as found:
        loaded = huggingface_from_pretrained(
            found, {**tokenizer_config, **settings}, {**transformer_config, **settings}
        )
    # Not where the package lies on this machine
    loaded.transformer.config.name_or_path = name
    return Start(loaded, loaded.transformer)


def _folder(name: str, with_file: str) -> Optional[Path]:
    """The folder with this file: `name` itself, or one in an installed package of that name, which is not imported."""
    folders = [Path(name)]
    package = find_spec(name) if name.isidentifier() else None
    for place in (package and package.submodule_search_locations) or ():
        folders += sorted(path for path in Path(place).iterdir() if path.is_dir())
    return next((folder for folder in folders if (folder / with_file).is_file()), None)


def _load_trained(name: str, folder: Path) -> Start:
    """Load the network of the first component for relations, and plain encoders with its weights."""
    try:
        components = Config().from_disk(folder / "config.cfg")["components"]
        own = [key for key, settings in components.items() if settings.get("factory") == "dual_encoder_rel"]
        if not own:
            raise Unavailable(Errors.DR115.format(name=name))
        encoder = str(components[own[0]]["model"]["name"])
        # Of the same structure as the stored layer, and never run
        layer = wrapper(forward, forward, encoder, store_frozen=True, mixed_precision=False)
        model: Model = Model("trained", forward, layers=[layer], dims={"nO": None})
        model.from_disk(folder / own[0] / "model")
        shim: Any = layer.shims[0]
        objects, max_length = shim._hfmodel, model.attrs["max_length"]
    except Unavailable:
        raise
    except Exception as err:  # a damaged config or file may cause any
        raise Unavailable(Errors.DR113.format(name=name, problem=f"{type(err).__name__}: {err}")) from err
    network = objects.transformer
    if network is None:
        raise Unavailable(Errors.DR115.format(name=name))
    if not network.settings.types_as_words:
        raise Unavailable(Errors.DR116.format(name=name))
    texts, descriptions = (plain_encoder(encoder) for encoder in (network.encoders()[0], network.encoders()[-1]))
    texts.config.name_or_path = name
    return Start(replace(objects, transformer=texts), descriptions, max_length, network)


@contextmanager
def _from_pretrained(name: str, quiet: bool) -> Iterator[str]:
    """The name or the folder to load a pretrained encoder by; whatever is raised becomes an Unavailable."""
    level = logging.get_verbosity()
    if quiet:
        logging.set_verbosity_error()
    try:
        # Before the hub is asked for it, which takes a minute without a network
        if "/" in name and not Path(name).exists() and (name.count("/") > 1 or Path(name).parent.is_dir()):
            raise OSError("there is no such folder")
        yield str(_folder(name, with_file="config.json") or name)
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
        if self.store_frozen or network is None or network.config.checksums is None:
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
        if network.config.checksums is not None and frozen(network).keys() - state.keys():
            _take_frozen(network, self.name)
            # Not those of a damaged file, which would be everybody's
            state.update(frozen(network))
        network.load_state_dict(state)
        network.hold_once()
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
    """Give a network the frozen weights that it was trained with: those of others, or else those of what is named."""
    pretrained = cache(lambda: _pretrained(network, name))
    with _LOADING:
        held: Dict[Optional[str], Dict[str, torch.Tensor]] = {None: {}}
        for other in _LOADED:
            # It may have been moved to another device or precision
            if (other.device, other.dtype) == (network.device, network.dtype):
                held.update(zip(other.config.checksums, map(frozen, other.encoders())))
        for i, (encoder, expected) in enumerate(zip(network.encoders(), network.config.checksums)):
            if expected in held:
                share(held[expected], [encoder])
            elif (found := load_frozen(encoder, pretrained()[i])) != expected:
                trained = encoder.config.name_or_path
                raise Unavailable(Errors.DR111.format(name=name, trained=trained, found=found, expected=expected))
        _LOADED.add(network)


def _pretrained(network: DualEncoder, name: str) -> Tuple[Any, Any]:
    """The encoders of texts and of descriptions that a network's training started from."""
    folder = _folder(name, with_file="config.cfg")
    if folder is not None:
        if folder in _READING:
            raise Unavailable(Errors.DR117.format(name=name))
        _READING.append(folder)
        try:
            start = _load_trained(name, folder)
        finally:
            _READING.remove(folder)
        return start.objects.transformer, start.descriptions
    encoder = network.text_encoder
    settings = {"config": encoder.config, "torch_dtype": "auto", "ignore_mismatched_sizes": True}
    # What another encoder lacks would be listed
    with _from_pretrained(name, quiet=True) as found:
        encoder = type(encoder).from_pretrained(found, **settings)
    return encoder, encoder


def _without_files(content: bytes) -> bytes:
    """A tokenizer's settings without those that name files, which would be read instead of the stored ones."""
    settings = dict(json.loads(content))
    return json.dumps({key: value for key, value in settings.items() if not key.endswith(_NAMING_FILES)}).encode()
