"""The joint loss: one softmax cross-entropy for the classifier and, as contrastive loss, for the similarities."""

from typing import Any, Tuple

from thinc.api import get_array_module
from thinc.types import Floats2d

from ..types import Gradients, RelScores


def joint_loss(scores: RelScores, targets: Floats2d, alpha: float, n_candidates: int) -> Tuple[float, Gradients]:
    """alpha * CE(logits) + (1 - alpha) * CE(similarity), arXiv 2503.17799.

    Args:
        scores: Of P candidates. Predicates unknown to the classifier (columns from C on) train the similarity alone;
            those whose description was not read train the classifier alone.
        targets: (P, L), each row a distribution over the predicates.
        alpha: Weight of the classifier's loss, 0 to 1.
        n_candidates: Candidates of the whole batch that the P are a slice of; the loss is divided by it, so that the
            gradients of the slices add up to the batch's.
    """
    n_classes = scores.logits.shape[1]
    classifier, d_logits = cross_entropy(scores.logits, targets[:, :n_classes], scores.possible[:, :n_classes])
    contrastive, d_similarity = cross_entropy(scores.similarity, targets, scores.read)
    loss = (alpha * classifier + (1 - alpha) * contrastive) / n_candidates
    return loss, Gradients(d_similarity * ((1 - alpha) / n_candidates), d_logits * (alpha / n_candidates))


def cross_entropy(scores: Floats2d, targets: Floats2d, mask: Any) -> Tuple[float, Floats2d]:
    """Softmax cross-entropy of scores (P, L), summed over the rows, and its gradient.

    Args:
        targets: (P, L) distributions. A row of zeros has no loss.
        mask: (P, L), False for columns that take no part. A row that is all False has no loss.
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
