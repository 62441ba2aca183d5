"""Explains decisions: the model's input for pairs of mentions, their scores, and why some pairs are not scored."""

from collections import defaultdict
from itertools import combinations, permutations
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy
from scipy.special import softmax
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..annotations.concepts import Concept
from ..annotations.mentions import get_mentions, mention_key
from ..annotations.relations import span_to_json
from ..instances.descriptions import adapt
from ..models.dual_encoder import get_batches
from ..pipeline.component import DualEncoderRel, Scored, join
from ..pipeline.decode import as_relation, in_text_order, probabilities
from ..pipeline.pipelines import find_component
from ..types import Relation

#: Why an eligible pair is left out: only the closest mentions of two concepts become candidates.
_CLOSER = "closer mentions represent this pair of concepts"


class PredicateScore(NamedTuple):
    """The scores of a predicate for a pair.

    Attributes:
        possible: There is a description for these types.
        similarity: Scaled cosine of text and description; None if no description was read.
        classifier: Probability among the predicates that the classifier knows; None for others.
        probability: The deciding one, against the negative predicate, whose own is 0.5.
        descriptions: As read, with the mentions filled in.
    """

    predicate: str
    possible: bool
    similarity: Optional[float]
    classifier: Optional[float]
    probability: float
    threshold: float
    descriptions: Tuple[str, ...]


class Explanation(NamedTuple):
    """An explanation of a candidate, or of a pair of mentions that is not one.

    Attributes:
        reason: Why the pair was not scored, in words; None if it was.
        concepts: What the candidate is about; None if it is about the two mentions.
        text: The model's input, with markers.
        scores: Of all predicates, the negative one first.
    """

    subject: Span
    object: Span
    reason: Optional[str] = None
    concepts: Optional[Tuple[Concept, Concept]] = None
    text: str = ""
    scores: Tuple[PredicateScore, ...] = ()
    decided: Tuple[Relation, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """The explanation as JSON values, with character offsets of mentions."""
        return {
            **self._asdict(),
            "subject": span_to_json(self.subject),
            "object": span_to_json(self.object),
            "concepts": [concept.id for concept in self.concepts] if self.concepts else None,
            "scores": [{**score._asdict(), "descriptions": list(score.descriptions)} for score in self.scores],
            "decided": [{"predicate": rel.predicate, "score": rel.score} for rel in self.decided],
        }


def explain(nlp: Language, doc: Doc) -> List[Explanation]:
    """Explain a pipeline's decision on each pair of mentions of a Doc, which must come from the pipeline.

    Returns:
        For each pair in text order (in both directions if relations have one), an explanation of each of its
        candidates (several for mentions of several concepts), or one that says why there is none.

    Raises:
        ValueError: The pipeline has no component for relations.
    """
    _, rel = find_component(nlp)
    parts = list(rel.stream([doc]))
    relations = rel.decide(*join(parts)) if parts else []
    explained: Dict[Tuple, List[Explanation]] = defaultdict(list)
    for part in parts:
        texts = get_batches(rel.model).texts_as_read(part.instances)
        for row, (candidate, text) in enumerate(zip(part.candidates, texts)):
            subject, object, about = candidate
            concepts: Any = about if isinstance(about[0], Concept) else None
            decided = tuple(
                found
                for found in relations
                if found == in_text_order(as_relation(candidate, found.predicate, found.score), rel.undirected)
            )
            one = Explanation(subject, object, None, concepts, text, tuple(_scores(rel, part, row)), decided)
            explained[mention_key(subject), mention_key(object)].append(one)
    mentions = get_mentions(doc, rel.spans_key)
    pairs = permutations(mentions, 2) if rel.candidates.directed else combinations(mentions, 2)
    return [
        explanation
        for subject, object in pairs
        for explanation in explained.get((mention_key(subject), mention_key(object)))
        or [Explanation(subject, object, rel.why_not(subject, object) or _CLOSER)]
    ]


def _scores(rel: DualEncoderRel, part: Scored, row: int) -> Iterator[PredicateScore]:
    similarity, logits, _, read = map(numpy.asarray, part.scores[:4])
    classified = softmax(logits[row].astype("float64"))
    probability = probabilities(part.odds[row])
    # A learned negative has no description that was read
    in_words = read[row].copy()
    if rel.model.attrs["network"]["learned_negative"]:
        in_words[0] = False
    for i, (label, descriptions) in enumerate(zip(rel.label_data, part.instances[row].descriptions)):
        yield PredicateScore(
            predicate=label,
            possible=bool(descriptions),
            similarity=float(similarity[row, i]) if read[row, i] else None,
            # With the negative predicate alone there is no classifier
            classifier=float(classified[i]) if 1 < len(classified) > i else None,
            probability=float(probability[i]),
            threshold=rel.threshold,
            descriptions=tuple("".join(adapt(one).words) for one in descriptions) if in_words[i] else (),
        )
