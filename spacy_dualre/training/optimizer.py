"""AdamW as the paper trains with it."""

import warnings
from typing import Any, Callable, Optional, Tuple

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.util import registry, resolve_dot_names
from thinc.api import Optimizer
from thinc.optimizers import FloatOrSeq
from thinc.types import FloatsXd

from ..errors import Warnings

#: Parts of the names of parameters that are not decayed: biases, layer norms, the temperature.
_NOT_DECAYED = ("bias", "norm", "temperature")
#: Names of pretrained parameters start with these; the markers' embeddings and adapters are new all the same.
_PRETRAINED = ("text_encoder.", "description_encoder.")
_NEW = (".markers.", ".lora_")


class AdamW(Optimizer):
    """Registered as ``spacy-dualre.AdamW.v1``: AdamW as in arXiv 2503.17799.

    It is thinc's Adam without weight decay of biases, norms and the temperature, and with another rate for new weights.

    Args:
        learn_rate: A number or a schedule, such as ``warmup_linear.v1``.
        weight_decay: Decay per step, relative to the learning rate.
        grad_clip: The largest norm of one parameter's gradient.
        new_weights_lr_scale: Learning rate of weights that are not pretrained (projections, classifier, temperature,
            markers, adapters), as a multiple of learn_rate.
    """

    def __init__(
        self,
        learn_rate: FloatOrSeq = 5e-5,
        weight_decay: FloatOrSeq = 0.01,
        beta1: FloatOrSeq = 0.9,
        beta2: FloatOrSeq = 0.999,
        eps: FloatOrSeq = 1e-6,
        grad_clip: FloatOrSeq = 1.0,
        new_weights_lr_scale: float = 1.0,
    ) -> None:
        settings: Any = {"L2": weight_decay, "beta1": beta1, "beta2": beta2, "eps": eps, "grad_clip": grad_clip}
        super().__init__(learn_rate, use_averages=False, L2_is_weight_decay=True, **settings)
        self.new_weights_lr_scale = new_weights_lr_scale
        self._idle_steps = 0

    def __call__(
        self, key: Tuple[int, str], weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> Tuple[FloatsXd, FloatsXd]:
        name, decay = key[1].lower(), self.L2
        if any(part in name for part in _NOT_DECAYED):
            self.L2 = 0.0
        if not name.startswith(_PRETRAINED) or any(part in name for part in _NEW):
            lr_scale *= self.new_weights_lr_scale
        try:
            return super().__call__(key, weights, gradient, lr_scale=lr_scale)
        finally:
            self.L2 = decay

    def step_schedules(self) -> None:
        """Go on to the next step's settings. Warns of a training that goes on without learning."""
        before = self.learn_rate
        super().step_schedules()
        self._idle_steps = self._idle_steps + 1 if before == self.learn_rate == 0 else 0
        # spaCy takes one step more than max_steps says
        if self._idle_steps == 2:
            warnings.warn(Warnings.DW850, stacklevel=2)


def fit_learn_rate(warmup: float = 0.1) -> Callable[[Language], Language]:
    """Registered as ``spacy-dualre.fit_learn_rate.v1``, for ``[initialize.after_init]``.

    Puts the length of the training in place of a total_steps of 0 in the learning rate's schedule, and a part of it,
    `warmup`, in place of a warmup_steps of 0. A training that only patience ends gets the constant initial rate.
    """

    def fit(nlp: Language) -> Language:
        optimizer = nlp.config["training"]["optimizer"]
        schedule = optimizer["learn_rate"]
        if isinstance(schedule, dict) and schedule.get("total_steps") == 0:
            steps = training_steps(nlp)
            if steps is None:
                warnings.warn(Warnings.DW851.format(rate=schedule["initial_rate"]), stacklevel=2)
                optimizer["learn_rate"] = schedule["initial_rate"]
            else:
                schedule["total_steps"] = steps
                schedule["warmup_steps"] = schedule["warmup_steps"] or round(warmup * steps)
        return nlp

    return fit


def training_steps(nlp: Language) -> Optional[int]:
    """The steps of the training that a pipeline's config describes, None if nothing but patience ends it."""
    config = nlp.config.interpolate()
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    limits = [training["max_steps"]]
    if training["max_epochs"] > 0:
        (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
        limits.append(training["max_epochs"] * sum(1 for _ in training["batcher"](list(corpus(nlp)))))
    return min(filter(None, limits), default=None)
