"""Tunes the component of a pipeline on annotated documents, in memory."""

from dataclasses import dataclass, field
from typing import Any, List, Optional, Sequence

from spacy.language import Language
from spacy.training import Example

from ...errors import Errors
from ...pipeline.component import DualEncoderRel
from ...pipeline.decode import Threshold
from ...types import Cascade
from .cascades import Search, Tried
from .development import Development
from .thresholds import ThresholdSearch

THRESHOLDS = ("none", "overall", "per-predicate")


@dataclass
class Tuned:
    """What was found. All F are rels_f of the component's scorer, 0 to 1.

    f_before: as the pipeline was, but without a cascade. f_exact: with the threshold. f: with the cascade too, of what
    the component really predicts. descriptions: distinct ones that are read without a cascade; read: with it. skipped:
    how many candidates have none read.
    """

    documents: int
    candidates: int
    gold: int
    loss: float
    threshold_before: Threshold
    threshold: Threshold
    f_before: float
    f_exact: float
    f: float
    cascade: Optional[Cascade]
    descriptions: int
    read: int
    skipped: int
    frontier: List[Tried] = field(default_factory=list)


def tune(nlp: Language, name: str, examples: Sequence[Example], loss: float = 0.001, threshold: str = "none") -> Tuned:
    """Give the component the threshold with the best F, if asked for, then the cascade that reads fewest descriptions
    and costs at most `loss` of F (0 to 1), or none where no cascade saves any; a cascade that it has is dropped.

    The pipeline's config gets the settings too, for ``nlp.to_disk``. threshold: one of THRESHOLDS.
    Raises ValueError where there is no such component, or nothing to tune or to tune on.
    """
    rel: Any = nlp.get_pipe(name) if name in nlp.pipe_names else None
    if not isinstance(rel, DualEncoderRel):
        raise ValueError(Errors.DR205.format(name=name, known=", ".join(nlp.pipe_names) or "none"))
    if threshold not in THRESHOLDS:
        raise ValueError(Errors.DR004.format(name="threshold", value=threshold, known=", ".join(THRESHOLDS)))
    if rel.prediction == "classifier" and threshold == "none":
        raise ValueError(Errors.DR208.format(name=name))
    rel.cascade = None
    dev = Development(nlp, name, examples)
    before, f_before = rel.threshold, dev.f(dev.predict())
    _set_threshold(dev, threshold, f_before)
    f_exact = dev.f(dev.predict())
    if not f_exact:
        raise ValueError(Errors.DR210.format(name=name))
    frontier = Search(dev).frontier(f_exact - loss) if rel.prediction != "classifier" else []
    f = _set_cascade(dev, frontier, f_exact, loss)
    _store(nlp, name)
    read = dev.read(rel.cascade)
    return Tuned(
        documents=len(dev.docs),
        candidates=len(dev.odds),
        gold=dev.n_gold,
        loss=loss,
        threshold_before=before,
        threshold=rel.threshold,
        f_before=f_before,
        f_exact=f_exact,
        f=f,
        cascade=rel.cascade,
        descriptions=dev.count(dev.read(None)),
        read=dev.count(read),
        skipped=int((~read.any(axis=1)).sum()),
        frontier=frontier,
    )


def _set_threshold(dev: Development, kind: str, f_before: float) -> None:
    if kind == "none":
        return
    search = ThresholdSearch(dev)
    overall = search.overall()
    found = search.per_predicate(overall) if kind == "per-predicate" else overall
    # Its own is none of those that were tried, and may be better
    if search.f(found) >= f_before:
        dev.rel.threshold = found


def _set_cascade(dev: Development, frontier: List[Tried], f_exact: float, loss: float) -> float:
    """Give the component the cheapest cascade of the frontier; gives the F of its predictions."""
    everything = dev.count(dev.read(None))
    useful = [tried for tried in frontier if tried.within_loss and tried.descriptions < everything]
    for tried in sorted(useful, key=lambda tried: (tried.descriptions, -tried.f)):
        dev.rel.cascade = tried.cascade
        # Other batches round otherwise, in half precision by enough to tell
        f = dev.measure()
        if f >= f_exact - loss:
            return f
    dev.rel.cascade = None
    return f_exact


def _store(nlp: Language, name: str) -> None:
    rel: Any = nlp.get_pipe(name)
    # What nlp.config is made of
    config = nlp.get_pipe_config(name)
    config["cascade"] = rel.cascade._asdict() if rel.cascade is not None else None
    # Pairs, because a predicate such as CPR:3 cannot be a key
    config["threshold"] = list(map(list, rel.threshold.items())) if isinstance(rel.threshold, dict) else rel.threshold
