"""The network of arXiv 2503.17799: two encoders, one joint space, a similarity and a classifier head. torch and
transformers only.
"""

import json
import math
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from ...types import PaddedBatch

#: As in CLIP: the cosine is never multiplied by more than this.
MAX_TEMPERATURE = 100.0


class DualEncoderConfig(PretrainedConfig):
    """Everything needed to build the network without its weights.

    encoder: the encoder's own configuration as a dict, or as JSON. n_classes: predicates that the classifier knows.
    marker_offset: the first id that is a marker; n_markers: how many. shared_encoder, cls_fusion, mean_fusion,
    alike_at_start, dropout, frozen_layers, frozen_embeddings, gradient_checkpointing: see the architecture
    ``spacy-dualre.DualEncoder.v1``.
    """

    model_type = "spacy-dualre"
    has_no_defaults_at_init = True

    def __init__(
        self,
        encoder: Union[Dict[str, Any], str, None] = None,
        n_classes: int = 2,
        marker_offset: int = 0,
        n_markers: int = 0,
        shared_encoder: bool = False,
        cls_fusion: bool = True,
        mean_fusion: bool = False,
        alike_at_start: bool = False,
        dropout: float = 0.1,
        frozen_layers: int = 0,
        frozen_embeddings: bool = False,
        gradient_checkpointing: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = json.loads(encoder) if isinstance(encoder, str) else encoder
        self.n_classes = n_classes
        self.marker_offset = marker_offset
        self.n_markers = n_markers
        self.shared_encoder = shared_encoder
        self.cls_fusion = cls_fusion
        self.mean_fusion = mean_fusion
        self.alike_at_start = alike_at_start
        self.dropout = dropout
        self.frozen_layers = frozen_layers
        self.frozen_embeddings = frozen_embeddings
        self.gradient_checkpointing = gradient_checkpointing

    def to_dict(self) -> Dict[str, Any]:
        """As it is stored. The encoder's configuration is a text then: spaCy rounds numbers, and the epsilon of a layer
        norm to 0.
        """
        return {**super().to_dict(), "encoder": json.dumps(self.encoder)}

    def encoder_config(self) -> PretrainedConfig:
        """The encoder's configuration as transformers' own class."""
        assert self.encoder is not None
        settings = dict(self.encoder)
        return AutoConfig.for_model(settings.pop("model_type"), **settings)


class MarkedEmbedding(nn.Module):
    """Word embeddings with rows of their own for the markers, which are trained even where the words are frozen.

    ids (...) -> (..., width). Ids from marker_offset on are markers.
    """

    def __init__(self, words: nn.Embedding, marker_offset: int, n_markers: int) -> None:
        super().__init__()
        self.words = words
        self.markers = nn.Embedding(n_markers, words.embedding_dim)
        self.marker_offset = marker_offset

    def forward(self, ids: Tensor) -> Tensor:
        is_marker = ids >= self.marker_offset
        words = self.words(ids.masked_fill(is_marker, 0))
        markers = self.markers((ids - self.marker_offset).clamp(min=0))
        return torch.where(is_marker.unsqueeze(-1), markers, words)


class DualEncoder(PreTrainedModel):
    """Similarity and logits of P candidates, see `forward`."""

    config_class = DualEncoderConfig
    _supports_sdpa = True

    def __init__(self, config: DualEncoderConfig) -> None:
        super().__init__(config)
        encoder_config = config.encoder_config()
        width = encoder_config.hidden_size
        self.text_encoder = _without_pooler(AutoModel.from_config(encoder_config))
        _mark_embeddings(self.text_encoder, config)
        # One module under one name when shared: two names for one tensor would be stored twice.
        self.description_encoder: Optional[nn.Module] = None
        if not config.shared_encoder:
            self.description_encoder = _without_pooler(AutoModel.from_config(encoder_config))
            _mark_embeddings(self.description_encoder, config)
        self.text_projection = nn.Linear(2 * width, width)
        self.description_projection = nn.Linear((3 if config.cls_fusion else 2) * width, width)
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(width, config.n_classes)
        # Shape (1,), not (): thinc's optimizer needs at least one dimension.
        self.temperature = nn.Parameter(torch.full((1,), math.log(1 / 0.07)))
        for encoder in self.encoders():
            _freeze(encoder, config)
            if config.gradient_checkpointing:
                # The other implementation gives no gradient where the embeddings are frozen
                encoder.gradient_checkpointing_enable({"use_reentrant": False})

    @classmethod
    def from_config(cls, config: DualEncoderConfig) -> "DualEncoder":
        """Build the network with fresh weights (the hook that spacy-transformers loads through)."""
        return cls(config)

    def encoders(self) -> Iterator[Any]:
        """The encoders: one or two."""
        yield self.text_encoder
        if self.description_encoder is not None:
            yield self.description_encoder

    @property
    def padding(self) -> int:
        """The id that fills up sequences."""
        return self.text_encoder.config.pad_token_id or 0

    @property
    def first_position(self) -> int:
        """The position of a sequence's first piece: encoders of the RoBERTa kind count from behind the padding's."""
        return first_position(self.text_encoder)

    def forward(
        self,
        texts: Sequence[PaddedBatch],
        text_index: Tensor,
        descriptions: Optional[Sequence[PaddedBatch]],
        description_index: Tensor,
    ) -> Tuple[Optional[Tensor], Tensor]:
        """Score P candidates against L predicates with at most K templates each: see PairBatch, in tensors.

        Returns similarity (P, L), the mean over a predicate's templates (0 where it has none), or None without
        descriptions, and logits (P, C).
        """
        states, cls = self.encode(self.text_encoder, texts)
        text = self.represent(states)[text_index]
        similarity = None
        if descriptions is not None:
            states, _ = self.encode(self.description_encoder or self.text_encoder, descriptions)
            similarity = self.compare(text, cls[text_index], self.project(states), description_index)
        return similarity, self.classify(text)

    def encode(self, encoder: Any, batches: Sequence[PaddedBatch]) -> Tuple[Tensor, Tensor]:
        """For the M pairs of all batches the last hidden states at both start markers, end to end (M, 2 * width), with
        mean_fusion followed by their mean (M, 3 * width); and the state at the first piece of their sequences
        (M, width).
        """
        states, cls = [], []
        for batch in batches:
            hidden = hidden_states(encoder, batch.ids, batch.mask, batch.positions)
            marks = hidden[batch.rows[:, None], batch.marks].flatten(1)
            states.append(torch.cat([marks, _means(hidden, batch)], dim=1) if self.config.mean_fusion else marks)
            cls.append(hidden[batch.rows, 0])
        return torch.cat(states), torch.cat(cls)

    def represent(self, states: Tensor) -> Tensor:
        """rho_T (M, width): W_T [h_T(subject); h_T(object)] in the joint space, with mean_fusion plus the mean."""
        marks, mean = self._split(states)
        return self.dropout(self.norm(self.text_projection(marks) + mean))

    def classify(self, text: Tensor) -> Tensor:
        """The classifier's logits (P, C), from rho_T."""
        return self.classifier(text).float()

    def project(self, states: Tensor) -> Tensor:
        """(N, width): what W_D makes of [h_D(subject); h_D(object)], with mean_fusion plus the mean: the part of rho_D
        that knows no sentence.
        """
        marks, mean = self._split(states)
        return nn.functional.linear(marks, self.description_projection.weight[:, : marks.shape[1]]) + mean

    def _split(self, states: Tensor) -> Tuple[Tensor, Union[Tensor, float]]:
        n = self.text_projection.in_features
        return states[:, :n], states[:, n:] if self.config.mean_fusion else 0.0

    def compare(self, text: Tensor, cls: Tensor, projected: Tensor, index: Tensor) -> Tensor:
        """Similarity (P, L) of rho_T and rho_D, scaled by the temperature; the mean over templates.

        cls: (P, width), h_T(CLS) of each candidate. projected: (N, width) from `project`. index: (P, L, K) rows in it.
        """
        weight, bias = self.description_projection.weight, self.description_projection.bias
        described = projected[index.clamp(min=0)]
        if self.config.cls_fusion:
            described = described + nn.functional.linear(cls, weight[:, 2 * cls.shape[1] :])[:, None, None, :]
        described = self.dropout(self.norm(described + bias))
        cosine = nn.functional.cosine_similarity(text[:, None, None, :], described, dim=-1)
        present = index >= 0
        mean = (cosine * present).sum(-1) / present.sum(-1).clamp(min=1)
        return (self.temperature.clamp(max=math.log(MAX_TEMPERATURE)).exp() * mean).float()


def init_dual_encoder(network: DualEncoder, encoder: Any, marker_pieces: List[List[int]]) -> None:
    """Copy a pretrained encoder into both encoders and start each marker as the mean of its words' embeddings.
    With alike_at_start W_D starts as W_T, and with zeros for the text's [CLS]: texts and descriptions that say the same
    are similar from the first step. With mean_fusion both start as zeros: they are as similar as their means.

    marker_pieces: for each marker the ids of the words that say what it means.
    """
    pretrained = {name: value for name, value in encoder.state_dict().items() if not name.startswith("pooler.")}
    words = encoder.get_input_embeddings()
    name = next(name for name, module in encoder.named_modules() if module is words)
    pretrained[f"{name}.words.weight"] = pretrained.pop(f"{name}.weight")
    means = torch.stack([words.weight[list(pieces)].mean(0) for pieces in marker_pieces])
    pretrained[f"{name}.markers.weight"] = means
    for target in network.encoders():
        target.load_state_dict(pretrained)
    if network.config.mean_fusion:
        for projection in (network.text_projection, network.description_projection):
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)
    elif network.config.alike_at_start:
        texts, descriptions = network.text_projection, network.description_projection
        with torch.no_grad():
            descriptions.weight.zero_()
            descriptions.weight[:, : texts.in_features] = texts.weight
            descriptions.bias.copy_(texts.bias)


def first_position(encoder: Any) -> int:
    """How many positions an encoder keeps for padding, before that of the first piece."""
    padding = getattr(getattr(encoder, "embeddings", None), "padding_idx", None)
    return 0 if padding is None else padding + 1


def hidden_states(encoder: Any, ids: Tensor, mask: Tensor, positions: Optional[Tensor] = None) -> Tensor:
    """An encoder's last hidden states (B, T, width): see PaddedBatch."""
    placed = {}
    if positions is not None:
        # An encoder has types of its own for as many pieces as it has positions: with markers there may be more
        placed = {"position_ids": positions, "token_type_ids": torch.zeros_like(ids)}
    return encoder(input_ids=ids, attention_mask=mask.to(torch.long), **placed).last_hidden_state


def _means(hidden: Tensor, batch: PaddedBatch) -> Tensor:
    """(M, width) the mean of the states that each pair's subject marker sees: of its sequence, or of a part of it."""
    of_pair = (batch.rows, batch.marks[:, 0]) if batch.mask.dim() == 3 else (batch.rows,)
    seen = batch.mask[of_pair].to(hidden.dtype)
    weights = hidden.new_zeros((len(seen), *hidden.shape[:2]))
    weights[torch.arange(len(seen), device=hidden.device), batch.rows] = seen / seen.sum(1, keepdim=True)
    return weights.flatten(1) @ hidden.flatten(0, 1)


def takes_positions(encoder: Any) -> bool:
    """Whether each piece can be given any position and be hidden from the others. No setting says so: it is tried out,
    on pieces in another order and with one that they do not see.
    """
    n = 8
    ids = torch.arange(encoder.config.vocab_size - n, encoder.config.vocab_size, device=encoder.device)[None]
    order = torch.tensor([*range(1, n, 2), *range(0, n, 2), 0], device=encoder.device)
    mask = torch.ones((1, n + 1, n + 1), dtype=torch.long, device=encoder.device)
    mask[:, :n, n] = 0
    encoder.eval()
    try:
        with torch.no_grad():
            expected = hidden_states(encoder, ids, mask[:, 0, :n])[:, order[:n]]
            found = hidden_states(encoder, ids[:, order], mask, order[None] + first_position(encoder))[:, :n]
    except Exception:  # encoders refuse such a mask in as many ways as there are architectures
        return False
    return bool((found - expected).abs().max() < 1e-5 * expected.abs().max())


def encoder_layers(encoder: Any) -> Optional[nn.ModuleList]:
    """The list of an encoder's layers; None where they share their weights (ALBERT) or cannot be found."""
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == encoder.config.num_hidden_layers:
            return module
    return None


def _without_pooler(encoder: Any) -> Any:
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


def _mark_embeddings(encoder: Any, config: DualEncoderConfig) -> None:
    words = encoder.get_input_embeddings()
    encoder.set_input_embeddings(MarkedEmbedding(words, config.marker_offset, config.n_markers))


def _freeze(encoder: Any, config: DualEncoderConfig) -> None:
    embeddings: MarkedEmbedding = encoder.get_input_embeddings()
    if config.frozen_layers:
        layers = encoder_layers(encoder)
        assert layers is not None
        encoder.embeddings.requires_grad_(False)
        for layer in layers[: config.frozen_layers]:
            layer.requires_grad_(False)
    elif config.frozen_embeddings:
        embeddings.words.requires_grad_(False)
