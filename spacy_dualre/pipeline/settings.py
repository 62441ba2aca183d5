"""The settings of the component; docs/training.md says what they mean."""

from dataclasses import dataclass
from typing import Any, Dict, Optional

from ..candidates.policy import check_at_least
from ..errors import Errors
from ..instances.maker import MODES
from ..types import Cascade
from .decode import PREDICTIONS


@dataclass(eq=False)
class Settings:
    """The settings as a config gives them, then with `symmetric` as a set and `cascade` as a `Cascade`.

    Raises:
        ValueError: One is out of range.
    """

    spans_key: Optional[str]
    type_map: Dict[str, str]
    alpha: float
    prediction: str
    threshold: float
    symmetric: Any
    max_candidates_per_batch: int
    negatives_per_positive: Optional[float]
    sampled_predicates: Optional[int]
    predicates_per_corpus: bool
    multi_label: bool
    context: int
    description_mode: str
    cascade: Any

    def __post_init__(self) -> None:
        for name, known in (("prediction", PREDICTIONS), ("description_mode", MODES)):
            if getattr(self, name) not in known:
                raise ValueError(Errors.DR004.format(name=name, value=getattr(self, name), known=", ".join(known)))
        fractions = {"alpha": self.alpha, "threshold": self.threshold}
        counts = {name: getattr(self, name) for name in ("max_candidates_per_batch", "sampled_predicates")}
        if self.cascade is not None:
            if set(self.cascade) != set(Cascade._fields):
                raise ValueError(Errors.DR164.format(value=self.cascade))
            counts["cascade.predicates"] = self.cascade["predicates"]
            fractions["cascade.negative"] = self.cascade["negative"]
        for name, value in fractions.items():
            if not 0 <= value <= 1:
                raise ValueError(Errors.DR001.format(name=name, low=0, high=1, value=value))
        check_at_least(0, context=self.context)
        check_at_least(1, **counts)
        if self.alpha == 0 and (self.prediction != "similarity" or self.cascade or self.sampled_predicates):
            raise ValueError(Errors.DR181)
        if self.negatives_per_positive is not None and self.negatives_per_positive < 0:
            raise ValueError(Errors.DR163.format(value=self.negatives_per_positive))
        for type in self.type_map.values():
            if self.type_map.get(type, type) != type:
                raise ValueError(Errors.DR180.format(type=type))
        self.symmetric = set(self.symmetric)
        if self.cascade is not None:
            self.cascade = Cascade(int(self.cascade["predicates"]), self.cascade["negative"])
