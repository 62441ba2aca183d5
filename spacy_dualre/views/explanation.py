"""Why the component decides as it does: what it reads of pairs of mentions, their scores, and why some have none."""

from itertools import combinations, permutations
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..annotations.mentions import get_mentions, mention_key
from ..annotations.relations import span_to_json
from ..instances.descriptions import adapt
from ..pipeline.component import DualEncoderRel
from ..pipeline.components import find_component
from ..pipeline.decode import probabilities
from ..types import Candidate, Instance, Relation, RelScores

#: Why a pair is left out that its policy has nothing against: it asks for the closest mentions of two concepts alone.
_CLOSER = "mentions that are closer to each other stand for this pair"


class PredicateScore(NamedTuple):
    """What speaks for a predicate.

    possible: False: it has no description for these types. similarity: scaled cosine of text and description; None
    where no description was read. classifier: its probability among all predicates that it knows, 0 to 1; None where it
    does not know it. probability: against the negative predicate, by which is decided; that of the negative one itself
    is 0.5. threshold: the least probability. descriptions: as they were read, the mentions in them.
    """

    predicate: str
    possible: bool
    similarity: Optional[float]
    classifier: Optional[float]
    probability: float
    threshold: float
    descriptions: Tuple[str, ...]


class Explanation(NamedTuple):
    """A pair of mentions.

    reason: why it was not scored, in words; None if it was. text: what the model reads of it, with markers. scores:
    for each predicate, the negative one first. decided: the relations between the two.
    """

    subject: Span
    object: Span
    reason: Optional[str]
    text: str = ""
    scores: Tuple[PredicateScore, ...] = ()
    decided: Tuple[Relation, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """The same as JSON values, mentions with character offsets."""
        return {
            "subject": span_to_json(self.subject),
            "object": span_to_json(self.object),
            "reason": self.reason,
            "text": self.text,
            "scores": [{**score._asdict(), "descriptions": list(score.descriptions)} for score in self.scores],
            "decided": [{"predicate": rel.predicate, "score": rel.score} for rel in self.decided],
        }


def explain(nlp: Language, doc: Doc) -> List[Explanation]:
    """An explanation for each pair of mentions of a Doc, in text order; each in both orders where relations have a
    direction.

    doc: with mentions and sentences, as `nlp` gives it. It is not changed. Raises ValueError where the pipeline has no
    component for relations.
    """
    _, rel = find_component(nlp)
    mentions = get_mentions(doc, rel.spans_key)
    scored: Dict[Tuple, Explanation] = {}
    for explanation in _explain_candidates(rel, doc):
        scored.setdefault((mention_key(explanation.subject), mention_key(explanation.object)), explanation)
    pairs = permutations(mentions, 2) if rel.candidates.directed else combinations(mentions, 2)
    return [
        scored.get((mention_key(one), mention_key(other)))
        or Explanation(one, other, rel.why_not(one, other) or _CLOSER)
        for one, other in pairs
    ]


def _explain_candidates(rel: DualEncoderRel, doc: Doc) -> Iterator[Explanation]:
    parts = list(rel.stream([doc]))
    if not parts:
        return
    candidates = [candidate for part in parts for candidate in part.candidates]
    relations = rel.decide(candidates, numpy.concatenate([part.odds for part in parts]))
    for _, chunk, instances, scores, odds in parts:
        texts = rel.texts_as_read(instances)
        for row, (candidate, instance, text) in enumerate(zip(chunk, instances, texts)):
            predicates = tuple(_scores(rel, instance, scores, odds, row))
            decided = tuple(r for r in relations if _between(r, candidate, r.predicate in rel.undirected))
            yield Explanation(candidate.subject, candidate.object, None, text, predicates, decided)


def _between(relation: Relation, candidate: Candidate, undirected: bool) -> bool:
    ends = [mention_key(relation.subject), mention_key(relation.object)]
    wanted = [mention_key(mention) for mention in candidate[:2]]
    return ends == wanted or (undirected and ends == wanted[::-1])


def _scores(
    rel: DualEncoderRel, instance: Instance, scores: RelScores, odds: Any, row: int
) -> Iterator[PredicateScore]:
    labels = list(rel.label_data)
    similarity, logits, _, read, _ = scores
    classified = numpy.exp(numpy.asarray(logits)[row].astype("float64") - logits[row].max())
    classified /= classified.sum()
    probs = probabilities(odds)
    for i, label in enumerate(labels):
        yield PredicateScore(
            predicate=label,
            possible=bool(instance.descriptions[i]),
            similarity=float(similarity[row, i]) if read[row, i] else None,
            classifier=float(classified[i]) if i < len(classified) else None,
            probability=float(probs[row, i]),
            threshold=rel.threshold,
            descriptions=tuple("".join(adapt(d).words) for d in instance.descriptions[i]) if read[row, i] else (),
        )
