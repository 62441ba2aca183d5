"""The network of arXiv 2503.17799: two encoders, one joint space, a similarity and a classifier head.

torch and transformers only.
"""

import copy
import json
import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from ...types import PaddedBatch
from ..blocks import NETWORK, NetworkSettings, settings_from
from .adapters import add_adapters, beside_adapters, merge_adapters
from .frozen import checksum, frozen, share

#: As in CLIP, the cosine is never multiplied by more than this.
MAX_TEMPERATURE = 100.0
#: Kinds of encoders whose pieces may have any position.
_WITH_POSITIONS = ("bert", "camembert", "electra", "roberta", "xlm-roberta")
#: What a network has beside its encoders, without the classifier.
_HEADS = ("text_projection", "description_projection", "norm", "negative", "temperature")


def _plain(settings: Dict[str, Any]) -> Dict[str, Any]:
    """A stored configuration without what would fetch code: classes of its own, and kernels for the attention."""
    return {key: value for key, value in settings.items() if key != "auto_map" and "attn_implementation" not in key}


class DualEncoderConfig(PretrainedConfig):
    """Everything needed to build the network without its weights."""

    model_type = "spacy-dualre"
    has_no_defaults_at_init = True

    def __init__(
        self,
        encoder: Union[Dict[str, Any], str, None] = None,  # its own configuration, perhaps as JSON
        n_classes: int = 2,  # predicates that the classifier knows
        marker_offset: int = 0,  # the first id of a marker
        n_markers: int = 0,
        network: Dict[str, Any] = NETWORK,
        checksums: Optional[List[Optional[str]]] = None,  # of each encoder's frozen weights; None: they are stored
        **kwargs: Any,
    ) -> None:
        super().__init__(**_plain(kwargs))
        text = encoder if isinstance(encoder, str) else json.dumps(encoder)
        self.encoder = json.loads(text, object_hook=_plain)
        self.n_classes = n_classes
        self.marker_offset = marker_offset
        self.n_markers = n_markers
        self.network = dict(network)
        self.checksums = checksums

    def to_dict(self) -> Dict[str, Any]:
        # As JSON, because spaCy would round a layer norm's epsilon to 0
        return {**super().to_dict(), "encoder": json.dumps(self.encoder)}


class MarkedEmbedding(nn.Module):
    """Word embeddings with vectors of their own for the markers, which are trained even if the words are frozen.

    ids (...) -> (..., width). Ids from marker_offset on are markers. Each has a row, or each role has one and `types`
    (types, K) has the pieces of the types' words, -1 beyond the last: the marker of role r and type t, which is number
    t * roles + r, is then (row r + mean of the words' embeddings) / 2.
    """

    def __init__(self, words: nn.Embedding, marker_offset: int, n_markers: int) -> None:
        super().__init__()
        self.words = words
        self.markers = nn.Embedding(n_markers, words.embedding_dim)
        self.marker_offset = marker_offset

    def forward(self, ids: Tensor, types: Optional[Tensor] = None) -> Tensor:
        is_marker = ids >= self.marker_offset
        words = self.words(ids.masked_fill(is_marker, 0))
        table = self.markers.weight if types is None else self._compose(types)
        markers = nn.functional.embedding((ids - self.marker_offset).clamp(min=0), table)
        return torch.where(is_marker.unsqueeze(-1), markers, words)

    def _compose(self, types: Tensor) -> Tensor:
        present = (types >= 0).unsqueeze(-1)
        means = (self.words(types.clamp(min=0)) * present).sum(1) / present.sum(1).clamp(min=1)
        # Half and half, however many words a type has: nearly the mean of "subject gene", as which other markers start
        return ((self.markers.weight + means.unsqueeze(1)) / 2).flatten(0, 1)


class Texts(NamedTuple):
    """Texts in the joint space: rho_T (M, width), and h_T(CLS) (M, width), which the descriptions are fused with."""

    rho: Tensor
    cls: Tensor


class DualEncoder(PreTrainedModel):
    """Similarity and logits of P candidates, in steps.

    They are `read_texts`, `description_states`, `project_descriptions`, `compare` and `classify`.

    Training runs them in `forward`; prediction runs the same steps and remembers descriptions between them.
    """

    config_class = DualEncoderConfig
    _supports_sdpa = True

    def __init__(self, config: DualEncoderConfig) -> None:
        super().__init__(config)
        self.settings = settings_from(NetworkSettings, "network", config.network)
        self.text_encoder = _make_encoder(config, self.settings)
        # One module under one name if shared: two names for one tensor would be stored twice
        self.description_encoder: Optional[nn.Module] = None
        if not self.settings.shared_encoder:
            self.description_encoder = _make_encoder(config, self.settings)
        width = self.text_encoder.config.hidden_size
        self.text_projection = nn.Linear(2 * width, width)
        self.description_projection = nn.Linear((3 if self.settings.cls_fusion else 2) * width, width)
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.dropout = nn.Dropout(self.settings.dropout)
        self.classifier = nn.Linear(width, config.n_classes)
        if self.settings.learned_negative:
            self.negative = nn.Parameter(torch.empty(1, width).normal_(std=0.02))
        if self.settings.frozen_descriptions and self.description_encoder is not None:
            self.description_encoder.requires_grad_(False).eval()
        # Shape (1,), not (): thinc's optimizer needs at least one dimension
        self.temperature = nn.Parameter(torch.full((1,), math.log(1 / 0.07)))

    def encoders(self) -> List[Any]:
        """The encoders: one or two."""
        return [encoder for encoder in (self.text_encoder, self.description_encoder) if encoder is not None]

    def hold_once(self) -> None:
        """Hold frozen weights that are the same in both encoders once, in memory and, as torch does, in the file."""
        texts = frozen(self.text_encoder)
        same = {
            name: value
            for name, value in frozen(self.encoders()[-1]).items()
            if name in texts and torch.equal(value, texts[name])
        }
        share(same, self.encoders())

    def train(self, mode: bool = True) -> "DualEncoder":
        super().train(mode)
        if self.settings.frozen_descriptions and self.description_encoder is not None:
            # Without dropout, what it reads stays the same
            self.description_encoder.eval()
        return self

    def forward(
        self,
        texts: Sequence[PaddedBatch],
        text_index: Tensor,
        descriptions: Union[Sequence[PaddedBatch], Tensor, None],
        description_index: Tensor,
    ) -> Tuple[Optional[Tensor], Tensor]:
        """Score a `PairBatch` of tensors: similarity (P, L), or None without descriptions, and logits (P, C)."""
        read = self.read_texts(texts, text_index)
        similarity = None
        if descriptions is not None:
            states = descriptions if isinstance(descriptions, Tensor) else self.description_states(descriptions)
            similarity = self.compare(read, self.project_descriptions(states), description_index)
        return similarity, self.classify(read)

    def read_texts(self, batches: Sequence[PaddedBatch], index: Tensor, encoder: Optional[nn.Module] = None) -> Texts:
        """rho_T = drop(LN(W_T [h_T(subject); h_T(object)] + b_T)), with mean_fusion plus the mean.

        `index` (P,) has the pair of the batches for each candidate. `encoder` stands in for the text encoder, in
        another precision.
        """
        marks, mean, cls = self._encode(encoder or self.text_encoder, batches)
        return Texts(self._normed(self.text_projection(marks) + mean)[index], cls[index])

    def description_states(self, batches: Sequence[PaddedBatch], encoder: Optional[nn.Module] = None) -> Tensor:
        """What the description encoder alone makes of N pairs: [h_D(subject); h_D(object)], with mean_fusion the mean.

        `encoder` stands in for the description encoder, in another precision. Returns (N, 2 or 3 times width).
        """
        marks, mean, _ = self._encode(encoder or self.description_encoder or self.text_encoder, batches)
        return torch.cat([marks, mean], dim=1) if isinstance(mean, Tensor) else marks

    def project_descriptions(self, states: Tensor) -> Tensor:
        """W_D [h_D(subject); h_D(object)] + b_D, with mean_fusion plus the mean: what knows no sentence of rho_D.

        `states` (N, 2 or 3 times width) are from `description_states`. Returns (N, width).
        """
        marks = states[:, : 2 * self.norm.normalized_shape[0]]
        projection = self.description_projection
        context = nn.functional.linear(marks, projection.weight[:, : marks.shape[1]], projection.bias)
        if self.settings.mean_fusion:
            context = context + states[:, marks.shape[1] :]
        return context

    def compare(self, texts: Texts, described: Tensor, index: Tensor) -> Tensor:
        """exp(temperature) * cos(rho_T, rho_D) (P, L), the mean over templates, 0 for predicates without a template.

        rho_D = drop(LN(W_D [h_D(subject); h_D(object); h_T(CLS)] + b_D)). `index` (P, L, K) has rows of `described`,
        which is from `project_descriptions`, and -1 for no template.
        """
        # A cosine in bfloat16 would be too coarse
        with torch.autocast(described.device.type, enabled=False):
            rho_text, described = texts.rho.float(), described.float()
            if self.settings.cls_fusion:
                weight = self.description_projection.weight[:, -texts.cls.shape[1] :]
                fused = nn.functional.linear(texts.cls, weight)[:, None, None, :]
                rho = self._normed(described[index.clamp(min=0)] + fused)
                cosine = nn.functional.cosine_similarity(rho_text[:, None, None, :], rho, dim=-1)
            else:
                # Of each description once, whatever the number of texts
                cosines = _unit(rho_text) @ _unit(self._normed(described)).T
                cosine = cosines.gather(1, index.clamp(min=0).flatten(1)).view(index.shape)
            present = index >= 0
            mean = (cosine * present).sum(-1) / present.sum(-1).clamp(min=1)
            if self.settings.learned_negative:
                mean = torch.cat([_unit(rho_text) @ _unit(self._normed(self.negative)).T, mean[:, 1:]], dim=1)
            return (self.temperature.clamp(max=math.log(MAX_TEMPERATURE)).exp() * mean).float()

    def classify(self, texts: Texts) -> Tensor:
        """The classifier's logits W_C rho_T + b_C (P, C)."""
        return self.classifier(texts.rho).float()

    def _normed(self, vectors: Tensor) -> Tensor:
        return self.dropout(self.norm(vectors))

    def _encode(self, encoder: Any, batches: Sequence[PaddedBatch]) -> Tuple[Tensor, Union[Tensor, float], Tensor]:
        """What an encoder makes of M pairs of mentions.

        Returns:
            (M, 2 * width) the states at both start markers, end to end; (M, width) the mean of the states of their
            sequences, 0 without mean_fusion; and (M, width) the state at the first piece.
        """
        marks, means, cls = [], [], []
        for batch in batches:
            hidden = hidden_states(encoder, batch)
            marks.append(hidden[batch.rows[:, None], batch.marks].flatten(1))
            if self.settings.mean_fusion:
                means.append(_means(hidden, batch))
            cls.append(hidden[batch.rows, 0])
        # An encoder in another precision ends here
        mean = torch.cat(means).float() if self.settings.mean_fusion else 0.0
        return torch.cat(marks).float(), mean, torch.cat(cls).float()


def init_dual_encoder(network: DualEncoder, encoders: Sequence[Any], marker_pieces: List[List[int]]) -> None:
    """Copy the pretrained encoders of texts and of descriptions, and start each marker as the mean of its words.

    `marker_pieces` are the ids of the words that say what each marker means. With mean_fusion both projections start at
    zero, so that texts and descriptions are as similar as their means.
    """
    for target, encoder in zip(network.encoders(), encoders):
        pretrained, name = _pretrained_weights(encoder)
        words = encoder.get_input_embeddings()
        pretrained[f"{name}.markers.weight"] = torch.stack([words.weight[list(ids)].mean(0) for ids in marker_pieces])
        target.load_state_dict(beside_adapters(pretrained, target))
    network.hold_once()
    network.config.checksums = [checksum(frozen(encoder)) for encoder in network.encoders()]
    if network.settings.mean_fusion:
        for projection in (network.text_projection, network.description_projection):
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)


def copy_trained(network: DualEncoder, trained: DualEncoder) -> None:
    """Copy what a trained network has beside pretrained encoders: the markers' roles and, where they fit, the heads.

    The classifier knows other predicates. Heads of another size are not copied, and none if just one of the networks
    has mean_fusion, which gives the projections another meaning.
    """
    own, given = network.state_dict(), trained.state_dict()
    for head in _HEADS if network.settings.mean_fusion == trained.settings.mean_fusion else ():
        names = [name for name in own if name.split(".")[0] == head]
        if all(name in given and given[name].shape == own[name].shape for name in names):
            for name in names:
                own[name].copy_(given[name])
    if network.settings.types_as_words and trained.settings.types_as_words:
        for target, source in zip(network.encoders(), (trained.encoders()[0], trained.encoders()[-1])):
            markers = source.get_input_embeddings().markers
            target.get_input_embeddings().markers.load_state_dict(markers.state_dict())
    if trained.settings.lora_rank:
        # Adapters are merged with other last digits on another processor, and a checksum would not be found again
        network.config.checksums = None


def plain_encoder(encoder: Any) -> Any:
    """A copy of a network's encoder that is as a pretrained one: with adapters merged and without markers."""
    encoder = copy.deepcopy(encoder)
    merge_adapters(encoder)
    encoder.set_input_embeddings(encoder.get_input_embeddings().words)
    return encoder.requires_grad_(True)


def load_frozen(target: Any, encoder: Any) -> Optional[str]:
    """Copy what is frozen in a network's encoder from a pretrained one, as far as that has it; gives the checksum."""
    pretrained, _ = _pretrained_weights(encoder)
    weights, own = beside_adapters(pretrained, target), frozen(target)
    for name in own.keys() & weights.keys():
        if own[name].shape == weights[name].shape:
            own[name].copy_(weights[name])
    return checksum(own)


def _pretrained_weights(encoder: Any) -> Tuple[Dict[str, Tensor], str]:
    """A pretrained encoder's weights by their names in a network's encoders, and the name of the embeddings there."""
    weights = {name: value for name, value in encoder.state_dict().items() if not name.startswith("pooler.")}
    words = encoder.get_input_embeddings()
    name = next(name for name, module in encoder.named_modules() if module is words)
    weights[f"{name}.words.weight"] = weights.pop(f"{name}.weight")
    return weights, name


def first_position(encoder: Any) -> int:
    """The position of the first piece: encoders of the RoBERTa kind count on from the padding's."""
    padding = getattr(getattr(encoder, "embeddings", None), "padding_idx", None)
    return 0 if padding is None else padding + 1


def hidden_states(encoder: Any, batch: PaddedBatch) -> Tensor:
    """An encoder's last hidden states (B, T, width)."""
    placed = {}
    if batch.positions is not None:
        # The encoder's own token types have its length in positions, and there may be more pieces with markers
        placed = {"position_ids": batch.positions, "token_type_ids": torch.zeros_like(batch.ids)}
    embedded = encoder.get_input_embeddings()(batch.ids, batch.types)
    return encoder(inputs_embeds=embedded, attention_mask=batch.mask.to(torch.long), **placed).last_hidden_state


def takes_positions(encoder: Any) -> bool:
    """Whether an encoder lets each piece have any position and be hidden from others."""
    config = encoder.config
    return config.model_type in _WITH_POSITIONS and getattr(config, "position_embedding_type", "absolute") == "absolute"


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=-1)


def _means(hidden: Tensor, batch: PaddedBatch) -> Tensor:
    """(M, width) the mean of the states that each pair's subject marker sees: its sequence, or a part of it."""
    of_pair = (batch.rows, batch.marks[:, 0]) if batch.mask.dim() == 3 else (batch.rows,)
    seen = batch.mask[of_pair].to(hidden.dtype)
    weights = hidden.new_zeros((len(seen), *hidden.shape[:2]))
    weights[torch.arange(len(seen), device=hidden.device), batch.rows] = seen / seen.sum(1, keepdim=True)
    return weights.flatten(1) @ hidden.flatten(0, 1)


def _make_encoder(config: DualEncoderConfig, settings: NetworkSettings) -> Any:
    encoder: Any = AutoModel.from_config(AutoConfig.for_model(**(config.encoder or {})), trust_remote_code=False)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    if settings.lora_rank:
        add_adapters(encoder, settings.lora_rank)
    words = encoder.get_input_embeddings()
    encoder.set_input_embeddings(MarkedEmbedding(words, config.marker_offset, config.n_markers))
    if settings.frozen_embeddings:
        words.requires_grad_(False)
    if settings.gradient_checkpointing:
        # The reentrant implementation gives no gradient where the embeddings are frozen
        encoder.gradient_checkpointing_enable({"use_reentrant": False})
    return encoder
