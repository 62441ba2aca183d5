"""The factory `dual_encoder_rel`, with the defaults of its settings.

spaCy imports this module whenever anybody creates a pipeline, so the component, and with it torch and transformers, is
imported only when one is made.
"""

from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from spacy.language import Language
from thinc.api import Model

from ..candidates.policy import CandidatePolicy

if TYPE_CHECKING:
    from .component import DualEncoderRel


@Language.factory(
    "dual_encoder_rel",
    assigns=["doc._.rels"],
    default_config={
        "model": {"@architectures": "spacy-dualre.DualEncoder.v1", "name": "sentence-transformers/all-MiniLM-L6-v2"},
        "candidates": {"@misc": "spacy-dualre.entity_pairs.v1"},
        "scorer": {"@scorers": "spacy-dualre.rel_scorer.v1"},
    },
    default_score_weights={"rels_f": 1.0, "rels_p": 0.0, "rels_r": 0.0, "rels_macro_f": 0.0, "rels_per_type": None},
)
def make_dual_encoder_rel(
    nlp: Language,
    name: str,
    model: Model,
    candidates: CandidatePolicy,
    scorer: Optional[Callable],
    spans_key: Optional[str] = None,
    alpha: float = 0.5,
    prediction: str = "similarity",
    threshold: float = 0.5,
    symmetric: List[str] = [],
    max_candidates_per_batch: int = 64,
    negatives_per_positive: Optional[float] = None,
    sampled_predicates: Optional[int] = None,
    predicates_per_corpus: bool = False,
    multi_label: bool = False,
    context: int = 0,
    description_mode: str = "adapted",
    cascade: Optional[Dict[str, float]] = None,
) -> "DualEncoderRel":
    """Make the component."""
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
