"""AdamW as the paper trains with it."""

from typing import Any, Tuple

from thinc.api import Optimizer
from thinc.optimizers import FloatOrSeq
from thinc.types import FloatsXd

#: Parts of the names of parameters that are not decayed: biases, layer norms, the temperature.
_NOT_DECAYED = ("bias", "norm", "temperature")
#: Names of pretrained parameters start with these; the markers' embeddings are new all the same.
_PRETRAINED = ("text_encoder.", "description_encoder.")
_MARKERS = ".markers."


class AdamW(Optimizer):
    """thinc's Adam without weight decay of biases, norms and the temperature, and with another rate for new weights."""

    def __init__(self, learn_rate: FloatOrSeq, *, new_weights_lr_scale: float = 1.0, **settings: Any) -> None:
        super().__init__(learn_rate, **settings)
        self.new_weights_lr_scale = new_weights_lr_scale

    def __call__(
        self, key: Tuple[int, str], weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> Tuple[FloatsXd, FloatsXd]:
        name, decay = key[1].lower(), self.L2
        if any(part in name for part in _NOT_DECAYED):
            self.L2 = 0.0
        if not name.startswith(_PRETRAINED) or _MARKERS in name:
            lr_scale *= self.new_weights_lr_scale
        try:
            return super().__call__(key, weights, gradient, lr_scale=lr_scale)
        finally:
            self.L2 = decay


def adamw(
    learn_rate: FloatOrSeq = 5e-5,
    weight_decay: FloatOrSeq = 0.01,
    beta1: FloatOrSeq = 0.9,
    beta2: FloatOrSeq = 0.999,
    eps: FloatOrSeq = 1e-6,
    grad_clip: FloatOrSeq = 1.0,
    new_weights_lr_scale: float = 1.0,
) -> Optimizer:
    """Registered as ``spacy-dualre.AdamW.v1``: AdamW as in arXiv 2503.17799.

    Args:
        learn_rate: A number or a schedule, such as ``warmup_linear.v1``.
        weight_decay: Decay per step, relative to the learning rate.
        grad_clip: The largest norm of one parameter's gradient.
        new_weights_lr_scale: Learning rate of weights that are not pretrained (projections, classifier, temperature,
            markers), as a multiple of learn_rate.
    """
    settings = {"L2": weight_decay, "beta1": beta1, "beta2": beta2, "eps": eps, "grad_clip": grad_clip}
    fixed = {"use_averages": False, "L2_is_weight_decay": True}
    return AdamW(learn_rate, new_weights_lr_scale=new_weights_lr_scale, **settings, **fixed)
