"""The factory `dual_encoder_rel`: its default config, and how the component is made from one.

spaCy imports this module whenever anybody creates a pipeline, so the component, and with it torch and transformers, is
imported only when one is made.
"""

from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..candidates.policy import CandidatePolicy
from .decode import ThresholdSetting

if TYPE_CHECKING:
    from .component import DualEncoderRel

DEFAULT_CONFIG = """
[model]
@architectures = "spacy-dualre.DualEncoder.v1"
name = "sentence-transformers/all-MiniLM-L6-v2"

[candidates]
@misc = "spacy-dualre.entity_pairs.v1"
max_sentences = 0
max_tokens = null
type_pairs = "learn"
directed = true
overlapping = true

[scorer]
@scorers = "spacy-dualre.rel_scorer.v1"
"""
_DEFAULTS = Config().from_str(DEFAULT_CONFIG)


@Language.factory(
    "dual_encoder_rel",
    assigns=["doc._.rels"],
    default_config={
        "model": _DEFAULTS["model"],
        "candidates": _DEFAULTS["candidates"],
        "scorer": _DEFAULTS["scorer"],
        "spans_key": None,
        "alpha": 0.5,
        "prediction": "similarity",
        "threshold": 0.5,
        "symmetric": [],
        "max_candidates_per_batch": 64,
        "negatives_per_positive": None,
        "sampled_predicates": None,
        "predicates_per_corpus": False,
        "multi_label": False,
        "context": 100,
        "description_mode": "adapted",
        "cascade": None,
    },
    default_score_weights={"rels_f": 1.0, "rels_p": 0.0, "rels_r": 0.0, "rels_macro_f": 0.0, "rels_per_type": None},
)
def make_dual_encoder_rel(
    nlp: Language,
    name: str,
    model: Model,
    candidates: CandidatePolicy,
    scorer: Optional[Callable],
    spans_key: Optional[str],
    alpha: float,
    prediction: str,
    threshold: ThresholdSetting,
    symmetric: List[str],
    max_candidates_per_batch: int,
    negatives_per_positive: Optional[float],
    sampled_predicates: Optional[int],
    predicates_per_corpus: bool,
    multi_label: bool,
    context: int,
    description_mode: str,
    cascade: Optional[Dict[str, float]],
) -> "DualEncoderRel":
    """The factory `dual_encoder_rel`. The settings are those of DualEncoderRel."""
    from .component import DualEncoderRel

    return DualEncoderRel(
        nlp.vocab,
        model,
        name,
        candidates=candidates,
        scorer=scorer,
        spans_key=spans_key,
        alpha=alpha,
        prediction=prediction,
        threshold=threshold,
        symmetric=symmetric,
        max_candidates_per_batch=max_candidates_per_batch,
        negatives_per_positive=negatives_per_positive,
        sampled_predicates=sampled_predicates,
        predicates_per_corpus=predicates_per_corpus,
        multi_label=multi_label,
        context=context,
        description_mode=description_mode,
        cascade=cascade,
    )
