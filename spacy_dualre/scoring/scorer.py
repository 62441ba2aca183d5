"""Micro, macro and per-predicate precision, recall and F1 over all gold relations, candidates or not."""

from collections import defaultdict
from typing import Any, Callable, Dict, Iterable, Optional, Set, Tuple

from spacy.scorer import PRFScore
from spacy.tokens import Span
from spacy.training import Example

from ..annotations.mentions import get_mentions, gold_relations
from ..annotations.relations import get_rels
from ..candidates.policy import mention_pairs, relation_keys
from ..types import Pairs

Scores = Dict[str, Any]


def make_rel_scorer() -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.rel_scorer.v1``."""
    return score_rels


def score_rels(
    examples: Iterable[Example],
    symmetric: Iterable[str] = (),
    pairs: Pairs = mention_pairs,
    spans_key: Optional[str] = None,
    **kwargs: Any,
) -> Scores:
    """Score ``Doc._.rels`` of the predicted against the reference Docs.

    A relation is right if its predicate is and character offsets and types of both mentions are; pairs puts something
    else in place of the latter, such as concepts (`CandidatePolicy.pairs`). A predicted mention without a kb_id stands
    for the concepts of the gold mention, of those that spans_key names, with its offsets and type: mentions that were
    found need no linker to be scored. Relations with a symmetric predicate are right in either direction and count
    once, and so do duplicates. Every gold relation counts, whether or not it had a candidate. Returns rels_p, rels_r,
    rels_f (micro), rels_macro_f (unweighted mean over the predicates in gold) and rels_per_type ({predicate: {p, r,
    f}}); all None where neither side has any relation.
    """
    total = PRFScore()
    per_type: Dict[str, PRFScore] = {}
    in_gold: Set[str] = set()
    symmetric = set(symmetric)
    for example in examples:
        gold = {key for rel in gold_relations(example) for key in relation_keys(rel, symmetric, pairs)}
        of_found = pairs_of_found(example, spans_key, pairs)
        predicted = {key for rel in get_rels(example.predicted) for key in relation_keys(rel, symmetric, of_found)}
        total.score_set(predicted, gold)
        in_gold.update(predicate for predicate, _ in gold)
        for predicate in {key[0] for key in gold | predicted}:
            score = per_type.setdefault(predicate, PRFScore())
            score.score_set(
                {key for key in predicted if key[0] == predicate}, {key for key in gold if key[0] == predicate}
            )
    if not per_type:
        return {"rels_p": None, "rels_r": None, "rels_f": None, "rels_macro_f": None, "rels_per_type": None}
    macro = [per_type[predicate].fscore for predicate in in_gold]
    return {
        "rels_p": total.precision,
        "rels_r": total.recall,
        "rels_f": total.fscore,
        "rels_macro_f": sum(macro) / len(macro) if macro else 0.0,
        "rels_per_type": {predicate: score.to_dict() for predicate, score in sorted(per_type.items())},
    }


def pairs_of_found(example: Example, spans_key: Optional[str], pairs: Pairs) -> Pairs:
    """The pairs of predicted mentions: one without a kb_id is taken for the gold mention with its offsets and type."""
    gold = {_place(span): span for span in get_mentions(example.reference, spans_key)}

    def seen(span: Span) -> Span:
        return span if span.kb_id_ else gold.get(_place(span), span)

    return lambda subject, object: pairs(seen(subject), seen(object))


def score_mentions(examples: Iterable[Example], spans_key: Optional[str]) -> Scores:
    """Score the mentions that relations are made of: right are those with a gold one's character offsets and type.

    Returns ents_p, ents_r, ents_f and ents_per_type ({type: {p, r, f}}), wherever the mentions are read from. spaCy's
    own scorers leave predicted mentions that cut a gold token out of the count.
    """
    total = PRFScore()
    per_type: Dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        gold, found = (
            {_place(span) for span in get_mentions(doc, spans_key)} for doc in (example.reference, example.predicted)
        )
        total.score_set(found, gold)
        for type in {type for _, _, type in gold | found}:
            per_type[type].score_set({key for key in found if key[2] == type}, {key for key in gold if key[2] == type})
    return {
        "ents_p": total.precision,
        "ents_r": total.recall,
        "ents_f": total.fscore,
        "ents_per_type": {type: score.to_dict() for type, score in sorted(per_type.items())},
    }


def _place(span: Span) -> Tuple[int, int, str]:
    return (span.start_char, span.end_char, span.label_)
