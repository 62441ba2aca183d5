"""Micro, macro and per-predicate precision, recall and F1 over all gold relations, candidates or not."""

from typing import Any, Callable, Iterable, Mapping, Optional, Set, Tuple

from spacy.tokens import Span
from spacy.training import Example

from ..annotations.mentions import get_mentions, gold_relations, with_type
from ..annotations.relations import get_rels
from ..candidates.policy import mention_pairs, relation_keys
from ..types import Pairs
from .counting import Key, Scores, rel_scores, score_keys


def make_rel_scorer() -> Callable[..., Scores]:
    """Registered as ``spacy-dualre.rel_scorer.v1``."""
    return score_rels


def score_rels(
    examples: Iterable[Example],
    symmetric: Iterable[str] = (),
    pairs: Pairs = mention_pairs,
    spans_key: Optional[str] = None,
    type_map: Mapping[str, str] = {},
    **kwargs: Any,
) -> Scores:
    """Score ``Doc._.rels`` of the predicted against the reference Docs.

    A relation is correct if its predicate and the character offsets and types of both mentions are. Duplicates count
    once, and every gold relation, whether or not it had a candidate.

    Args:
        symmetric: Predicates whose relations are correct in either direction.
        pairs: What a relation is about instead of its mentions, such as concepts, see `CandidatePolicy.pairs`.
        spans_key: Where the gold mentions are. A predicted mention without a kb_id is linked to the concepts of the
            gold mention with the same offsets and type, so that a pipeline without a linker can be scored on concepts.
        type_map: Maps the types of mentions, predicted and gold.

    Returns:
        rels_p, rels_r and rels_f (micro), rels_macro_f (over gold predicates) and rels_per_type, see `rel_scores`.
    """
    symmetric = set(symmetric)
    gold: Set[Key] = set()
    predicted: Set[Key] = set()
    for number, example in enumerate(examples):
        for rel in gold_relations(example, type_map):
            gold.update((*key, number) for key in relation_keys(rel, symmetric, pairs))
        of_found = pairs_of_found(example, spans_key, pairs, type_map)
        for rel in get_rels(example.predicted):
            predicted.update((*key, number) for key in relation_keys(rel, symmetric, of_found))
    return rel_scores(score_keys(gold, predicted))


def pairs_of_found(example: Example, spans_key: Optional[str], pairs: Pairs, type_map: Mapping[str, str]) -> Pairs:
    """`pairs` for predicted mentions: those without a kb_id are replaced by the gold mention in the same place."""
    gold = {_place(span): span for span in get_mentions(example.reference, spans_key, type_map)}

    def linked(span: Span) -> Span:
        span = with_type(span, type_map)
        return span if span.kb_id_ else gold.get(_place(span), span)

    return lambda subject, object: pairs(linked(subject), linked(object))


def score_mentions(examples: Iterable[Example], spans_key: Optional[str], type_map: Mapping[str, str] = {}) -> Scores:
    """Score mentions by character offsets and type: ents_p, ents_r, ents_f (micro) and ents_per_type.

    spaCy's own scorers leave out predicted mentions that cut a gold token.
    """
    gold: Set[Key] = set()
    found: Set[Key] = set()
    for number, example in enumerate(examples):
        gold.update((*_place(span), number) for span in get_mentions(example.reference, spans_key, type_map))
        found.update((*_place(span), number) for span in get_mentions(example.predicted, spans_key, type_map))
    scores = score_keys(gold, found)
    per_type = {type: {name: of_type[name] for name in "prf"} for type, of_type in scores["per_type"].items()}
    return {**{f"ents_{name}": scores[name] for name in "prf"}, "ents_per_type": per_type}


def _place(span: Span) -> Tuple[str, int, int]:
    return span.label_, span.start_char, span.end_char
