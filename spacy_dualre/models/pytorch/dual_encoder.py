"""The network of arXiv 2503.17799: two encoders, one joint space, a similarity and a classifier head. torch and
transformers only.
"""

import math
from typing import Any, Dict, Iterator, List, Optional, Tuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

#: As in CLIP: the cosine is never multiplied by more than this.
MAX_TEMPERATURE = 100.0


class DualEncoderConfig(PretrainedConfig):
    """Everything needed to build the network without its weights.

    encoder: the encoder's own configuration as a dict. n_classes: predicates that the classifier knows.
    marker_offset: the first id that is a marker; n_markers: how many. shared_encoder, cls_fusion, dropout,
    frozen_layers, frozen_embeddings,
    batch_tokens: see the architecture ``spacy-dualre.DualEncoder.v1``.
    """

    model_type = "spacy-dualre"
    has_no_defaults_at_init = True

    def __init__(
        self,
        encoder: Optional[Dict[str, Any]] = None,
        n_classes: int = 2,
        marker_offset: int = 0,
        n_markers: int = 0,
        shared_encoder: bool = False,
        cls_fusion: bool = True,
        dropout: float = 0.1,
        frozen_layers: int = 0,
        frozen_embeddings: bool = False,
        batch_tokens: int = 2000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.n_classes = n_classes
        self.marker_offset = marker_offset
        self.n_markers = n_markers
        self.shared_encoder = shared_encoder
        self.cls_fusion = cls_fusion
        self.dropout = dropout
        self.frozen_layers = frozen_layers
        self.frozen_embeddings = frozen_embeddings
        self.batch_tokens = batch_tokens

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

    @classmethod
    def from_config(cls, config: DualEncoderConfig) -> "DualEncoder":
        """Build the network with fresh weights (the hook that spacy-transformers loads through)."""
        return cls(config)

    def encoders(self) -> Iterator[nn.Module]:
        """The encoders: one or two."""
        yield self.text_encoder
        if self.description_encoder is not None:
            yield self.description_encoder

    def forward(
        self,
        text_ids: Tensor,
        text_lengths: Tensor,
        text_marks: Tensor,
        text_index: Tensor,
        description_ids: Tensor,
        description_lengths: Tensor,
        description_marks: Tensor,
        description_index: Tensor,
    ) -> Tuple[Tensor, Tensor]:
        """Score P candidates against L predicates with at most K templates each.

        *_ids: distinct sequences end to end; *_lengths: (N,) theirs; *_marks: (N, 2) positions of the start markers;
        text_index: (P,); description_index: (P, L, K) rows, -1: no template.
        Returns similarity (P, L), the mean over a predicate's templates (0 where it has none), and logits (P, C).
        """
        marks, cls = self._encode(self.text_encoder, text_ids, text_lengths, text_marks)
        described, _ = self._encode(
            self.description_encoder or self.text_encoder, description_ids, description_lengths, description_marks
        )
        text = self.dropout(self.norm(self.text_projection(marks)))[text_index]
        predicates = self._describe(described, cls[text_index], description_index)
        cosine = nn.functional.cosine_similarity(text[:, None, None, :], predicates, dim=-1)
        present = description_index >= 0
        mean = (cosine * present).sum(-1) / present.sum(-1).clamp(min=1)
        similarity = self.temperature.clamp(max=math.log(MAX_TEMPERATURE)).exp() * mean
        return similarity.float(), self.classifier(text).float()

    def _describe(self, described: Tensor, cls: Tensor, index: Tensor) -> Tensor:
        """rho_D (P, L, K, width): W_D [h_D(subject); h_D(object); h_T(CLS)], its blocks applied where they differ."""
        weight, bias = self.description_projection.weight, self.description_projection.bias
        width = described.shape[1]
        projected = nn.functional.linear(described, weight[:, :width])[index.clamp(min=0)]
        if self.config.cls_fusion:
            projected = projected + nn.functional.linear(cls, weight[:, width:])[:, None, None, :]
        return self.dropout(self.norm(projected + bias))

    def _encode(self, encoder: Any, ids: Tensor, lengths: Tensor, marks: Tensor) -> Tuple[Tensor, Tensor]:
        """Last hidden states at both start markers, end to end (N, 2 * width), and at the first piece (N, width).

        Sequences of like length go through together, in batches of about `batch_tokens` pieces with padding.
        """
        starts = lengths.cumsum(0) - lengths
        order = torch.argsort(lengths, stable=True)
        pad = encoder.config.pad_token_id or 0
        found_marks, found_cls = [], []
        for rows in _batches(order, lengths.tolist(), self.config.batch_tokens):
            columns = torch.arange(int(lengths[rows].max()), device=ids.device)
            mask = columns < lengths[rows, None]
            gathered = ids[(starts[rows, None] + columns).clamp(max=len(ids) - 1)]
            hidden = encoder(
                input_ids=gathered.masked_fill(~mask, pad), attention_mask=mask.to(torch.long)
            ).last_hidden_state
            at = hidden.gather(1, marks[rows, :, None].expand(-1, -1, hidden.shape[-1]))
            found_marks.append(at.flatten(1))
            found_cls.append(hidden[:, 0])
        back = torch.argsort(order)
        return torch.cat(found_marks)[back], torch.cat(found_cls)[back]


def init_dual_encoder(network: DualEncoder, encoder: Any, marker_pieces: List[List[int]]) -> None:
    """Copy a pretrained encoder into both encoders and start each marker as the mean of its words' embeddings.

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


def encoder_layers(encoder: Any) -> Optional[nn.ModuleList]:
    """The list of an encoder's layers; None where they share their weights (ALBERT) or cannot be found."""
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == encoder.config.num_hidden_layers:
            return module
    return None


def _batches(order: Tensor, lengths: list, batch_tokens: int) -> Iterator[Tensor]:
    """Cut rows sorted by rising length where their number times the longest would exceed batch_tokens."""
    start = 0
    rows = order.tolist()
    for i, row in enumerate(rows):
        if i > start and (i - start + 1) * lengths[row] > batch_tokens:
            yield order[start:i]
            start = i
    yield order[start:]


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
