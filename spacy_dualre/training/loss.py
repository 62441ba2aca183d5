"""The joint loss: one softmax cross-entropy, used for the classifier and, as contrastive loss, for the similarities."""

from typing import Any, Tuple

from thinc.api import get_array_module
from thinc.types import Floats2d

from ..types import RelScores


def joint_loss(scores: RelScores, targets: Floats2d, alpha: float, n_candidates: int) -> Tuple[float, RelScores]:
    """alpha * CE(logits) + (1 - alpha) * CE(similarity), summed and divided by n_candidates (arXiv 2503.17799).

    targets: (P, L), each row a distribution over the predicates. n_candidates: of the whole batch of which the P
    candidates are a slice, so that the gradients of the slices add up to the batch's. Predicates that the classifier
    does not know (columns from C on) train the similarity alone, and those whose descriptions were not read the
    classifier alone.
    """
    n_classes = scores.logits.shape[1]
    classifier, d_logits = cross_entropy(scores.logits, targets[:, :n_classes], scores.mask[:, :n_classes])
    read = scores.mask if scores.read is None else scores.read
    contrastive, d_similarity = cross_entropy(scores.similarity, targets, read)
    loss = (alpha * classifier + (1 - alpha) * contrastive) / n_candidates
    gradients = RelScores(
        similarity=d_similarity * ((1 - alpha) / n_candidates),
        logits=d_logits * (alpha / n_candidates),
        mask=scores.mask,
    )
    return loss, gradients


def cross_entropy(scores: Floats2d, targets: Floats2d, mask: Any) -> Tuple[float, Floats2d]:
    """Softmax cross-entropy summed over the rows, and its gradient (P, L).

    Columns where the mask is False take no part. A row whose targets are all 0, or whose mask is all False, has no
    loss.
    """
    xp = get_array_module(scores)
    masked = xp.where(mask, scores, -xp.inf)
    possible = xp.asarray(mask).any(axis=1, keepdims=True)
    shifted = masked - xp.where(possible, masked.max(axis=1, keepdims=True), 0.0)
    log_z = xp.log(xp.where(possible, xp.exp(shifted).sum(axis=1, keepdims=True), 1.0))
    log_probs = xp.where(mask, shifted - log_z, 0.0)
    targets = xp.where(mask, targets, 0.0)
    gradient = xp.exp(shifted - log_z) * targets.sum(axis=1, keepdims=True) - targets
    return float(-(targets * log_probs).sum()), gradient.astype("float32")
