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
    requires=["doc.ents", "doc.sents"],
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
    type_map: Dict[str, str] = {},
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
    """Make the component, which gets every setting."""
    arguments = {**locals(), "vocab": nlp.vocab}
    del arguments["nlp"]
    from .component import DualEncoderRel

    return DualEncoderRel(**arguments)
