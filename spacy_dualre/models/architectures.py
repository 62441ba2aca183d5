"""The registered model architecture. Light: no torch before it is used."""

from typing import Any, Dict

from thinc.api import Model

from ..types import Query, RelScores
from .blocks import NETWORK, RUN, NetworkSettings, RunSettings, settings_from


def dual_encoder_v1(
    name: str,
    tokenizer_config: Dict[str, Any] = {},
    transformer_config: Dict[str, Any] = {},
    network: Dict[str, Any] = NETWORK,
    run: Dict[str, Any] = RUN,
) -> Model[Query, RelScores]:
    """Registered as ``spacy-dualre.DualEncoder.v1``: the dual encoder of arXiv 2503.17799.

    Args:
        name: An encoder's name on the hub or a local folder, or a trained pipeline to start from, a folder or an
            installed package; loaded at initialisation, never before.
        tokenizer_config: Passed to the tokenizer's ``from_pretrained``.
        transformer_config: Passed to the encoder's ``from_pretrained``, such as {"num_hidden_layers": 4}, which keeps
            the first four layers.
        network: What the network is, see `NetworkSettings`.
        run: How it is run, see `RunSettings`. A trained pipeline can be loaded with others:
            ``spacy.load(path, config={"components.dual_encoder_rel.model.run.precision": "int8"})``.

    Raises:
        ValueError: An unknown setting, or a value out of range.
    """
    from .dual_encoder import dual_encoder  # torch and transformers are heavy

    return dual_encoder(
        name,
        tokenizer_config,
        transformer_config,
        settings_from(NetworkSettings, "network", network),
        settings_from(RunSettings, "run", run),
    )
