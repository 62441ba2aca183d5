"""What a trained pipeline makes of predicates that it was not trained on, from their descriptions alone.

Three protocols: the right predicate for pairs that are known to be related; pairs without a relation too; and the
trained predicates as rivals.
"""

from contextlib import contextmanager
from itertools import groupby
from typing import Any, Callable, Collection, Dict, Iterator, List, NamedTuple, Sequence, Set

import numpy
from spacy.language import Language
from spacy.training import Example

from ..annotations.mentions import gold_relations, with_type
from ..candidates.policy import relation_keys
from ..errors import Errors
from ..pipeline.component import DualEncoderRel
from ..pipeline.decode import decode
from ..pipeline.pipelines import find_component
from ..scoring.counting import Key, Scores, count, prf, score
from ..scoring.tuning import cuts
from ..training.targets import relation_pairs
from ..types import NEGATIVE, DescriptionTexts, Relation
from .answers import Answers, Asked, ask, both


def zero_shot(
    nlp: Language,
    examples: Sequence[Example],
    descriptions: DescriptionTexts = {},
    predicates: Sequence[str] = (),
    trained_examples: Sequence[Example] = (),
    seed: int = 0,
) -> Dict[str, Any]:
    """Measure a pipeline, trained with alpha = 0, on annotated documents. It keeps its own predicates.

    "calibrated" figures have each predicate's mean over the pairs, which needs no annotations, taken from its scores.

    Args:
        descriptions: Of predicates that were not trained, as ``spacy-dualre.read_descriptions.v1`` reads them, unless
            the pipeline's own are meant.
        predicates: Those to ask about; documents with others are left out. By default all in gold.
        trained_examples: Other documents than those of the training, with predicates that were trained. For
            "generalised", predicates in them that were not, or else a half of them all, play the unseen ones on one
            half of the documents, and the other half is scored.
        seed: Of the two halves, and of the predicates that play the unseen ones.

    Returns:
        Counts, ready for JSON, and the scores (0 to 1) of each protocol, see `pure`, `with_rejection` and, with
        trained_examples, `generalised`.

    Raises:
        ValueError: The pipeline has a classifier for its predicates; a predicate has no description; no document, or
            none of the trained ones, has what is measured.
    """
    _, rel = find_component(nlp)
    unseen = [label for label in dict.fromkeys(predicates or _predicates(examples)) if label != NEGATIVE]
    trained = [label for label in trained_predicates(rel) if label not in unseen]
    kept = [example for example in examples if set(_predicates([example])) <= set(unseen)]
    if not _predicates(kept):
        raise ValueError(Errors.DR725.format(n=len(examples), names=", ".join(unseen) or "any"))
    of_trained = [example for example in trained_examples if not set(_predicates([example])) & set(unseen)]
    players = _players(_predicates(of_trained), trained, seed) if trained_examples else []
    new = [*unseen, *(label for label in players if label not in trained)]
    known = {**rel.label_data, **descriptions}
    lacking = [label for label in new if label not in known]
    if lacking:
        raise ValueError(Errors.DR724.format(names=", ".join(lacking)))
    texts = {label: known[label] for label in (NEGATIVE, *new) if label in known}
    rivals = {label: rel.label_data[label] for label in trained} if trained_examples else {}
    result: Dict[str, Any] = {
        "documents": len(kept),
        "documents_without_relations": sum(not _predicates([example]) for example in kept),
        "documents_left_out": len(examples) - len(kept),
        "predicates": unseen,
        "known_to_the_pipeline": [label for label in trained_predicates(rel) if label in unseen],
        "seed": seed,
    }
    with _asked_about(rel, {**texts, **rivals}):
        answers = ask(nlp, kept)
        about_unseen = answers.select(unseen, lambda pair: True)
        result["pure"] = pure(about_unseen)
        result["rejection"] = with_rejection(rel, kept, about_unseen, _halves(kept, seed))
        if trained_examples:
            half_of = _halves(of_trained, seed)
            result["generalised"] = {
                "documents": len(of_trained),
                "documents_left_out": len(trained_examples) - len(of_trained),
                **generalised(answers, ask(nlp, of_trained), unseen, trained, players, half_of),
            }
    return result


def trained_predicates(rel: DualEncoderRel) -> List[str]:
    """Those of the documents that a component was initialised with or, if these named no corpus, all that it has."""
    of_corpora = {label for labels in rel.cfg["of_corpus"].values() for label in labels}
    return [label for label in rel.labels if not of_corpora or label in of_corpora]


def _predicates(examples: Sequence[Example]) -> List[str]:
    return sorted({rel.predicate for example in examples for rel in gold_relations(example)})


def _players(in_gold: Sequence[str], trained: Sequence[str], seed: int) -> List[str]:
    """Those that were not trained or, if all were, a half. Raises ValueError unless a trained one is left."""
    shuffled = numpy.random.default_rng(seed).permutation(in_gold).tolist()
    players = [label for label in in_gold if label not in trained] or sorted(shuffled[: len(shuffled) // 2])
    if not players or set(in_gold) == set(players):
        raise ValueError(Errors.DR726.format(names=", ".join(in_gold) or "none"))
    return players


def _halves(examples: Sequence[Example], seed: int) -> numpy.ndarray:
    return numpy.random.default_rng(seed).permutation(len(examples)) % 2


@contextmanager
def _asked_about(rel: DualEncoderRel, texts: DescriptionTexts) -> Iterator[None]:
    own = dict(rel.cfg)
    rel.set_labels(texts)
    try:
        yield
    finally:
        rel.cfg.update(own)


# The right predicate for pairs that are known to be related


def pure(answers: Answers) -> Dict[str, Any]:
    """Score the best predicate of each gold pair; none is rejected.

    Returns:
        "pairs", how many of them are "unanswered" for the types of their mentions, and, "plain" and "calibrated",
        accuracy, f_of_means (see `f_of_means`) and what `score` returns. A pair with several gold predicates is right
        with any of them, and has missed the others.
    """
    answers = answers.select(answers.labels, lambda pair: pair.gold)
    scores = {name: _score_best(of_kind) for name, of_kind in both(answers).items()}
    unanswered = numpy.isneginf(answers.odds[:, 1:]).all(axis=1).sum()
    return {"pairs": len(answers.pairs), "unanswered": int(unanswered), **scores}


def _score_best(answers: Answers) -> Scores:
    totals = count_best(answers)
    accuracy = float(totals[:, 0].sum() / len(answers.pairs))
    return {"accuracy": accuracy, "f_of_means": f_of_means(totals), **score(totals, answers.labels)}


def count_best(answers: Answers) -> numpy.ndarray:
    """Count as `count` does, where each pair has the predicate with the highest odds."""
    gold = {(predicate, row) for row, pair in enumerate(answers.pairs) for predicate in pair.gold}
    odds = answers.odds[:, 1:]
    best = odds.argmax(axis=1)
    predicted = {(answers.labels[best[row]], row) for row in numpy.flatnonzero(odds.max(axis=1) > -numpy.inf).tolist()}
    return count(gold, predicted, answers.labels)


def f_of_means(totals: numpy.ndarray) -> float:
    """The F1 that papers on FewRel and Wiki-ZSL give: of the mean precision of the predicates that were predicted and
    the mean recall of those in gold, as Sorokin and Gurevych 2017 (https://aclanthology.org/D17-1188) counted.
    """
    tp, predicted, gold = totals.T
    means = [(tp / numpy.maximum(n, 1)).sum() / max((n > 0).sum(), 1) for n in (predicted, gold)]
    return harmonic_mean(*map(float, means))


def harmonic_mean(one: float, other: float) -> float:
    """0 if both are."""
    return 2 * one * other / (one + other) if one + other else 0.0


# Pairs without a relation too


class Found(NamedTuple):
    """A relation that is decided on if its score reaches the threshold."""

    document: int
    keys: Set[Key]
    score: float


def with_rejection(
    rel: DualEncoderRel, examples: Sequence[Example], answers: Answers, half_of: numpy.ndarray
) -> Dict[str, Any]:
    """Score the relations that the component finds among its candidates. Every gold relation counts.

    Args:
        half_of: 0 or 1 for each document. The documents of a half are also decided on by the threshold with the best
            micro F1 on the other.

    Returns:
        Counts and, "plain" and "calibrated", each at the component's "threshold" and at the "best_threshold" of the
        other half, the "thresholds" of both halves and what `score` returns.
    """
    answers = answers.select(answers.labels, lambda pair: pair.is_candidate)
    relations = [gold_relations(example, rel.type_map) for example in examples]
    gold = [_keys(rel, of_doc, number) for number, of_doc in enumerate(relations)]
    asked = {(pair.document, pair.candidate.about) for pair in answers.pairs}
    uncovered = [
        one
        for number, of_doc in enumerate(relations)
        for one in of_doc
        if not any((number, about) in asked for about in relation_pairs(one, rel.candidates.pairs, rel.undirected))
    ]
    result: Dict[str, Any] = {
        "candidates": len(answers.pairs),
        "relations": sum(map(len, relations)),
        "relations_without_candidate": len(uncovered),
    }
    for name, of_kind in both(answers).items():
        found = find(rel, of_kind)
        best = [
            best_threshold(
                [one for one in found if half_of[one.document] == half],
                [keys for number, keys in enumerate(gold) if half_of[number] == half],
                rel.threshold,
            )
            for half in (1, 0)
        ]
        result[name] = {
            "threshold": score_at([rel.threshold] * 2, found, gold, half_of, answers.labels),
            "best_threshold": score_at(best, found, gold, half_of, answers.labels),
        }
    return result


def find(rel: DualEncoderRel, answers: Answers) -> List[Found]:
    """The relations that the component would decide on with a threshold of 0."""
    found = []
    for number, group in groupby(enumerate(answers.pairs), key=lambda numbered: numbered[1].document):
        rows, pairs = zip(*group)
        candidates, odds = rel.candidates.pool([pair.candidate for pair in pairs], answers.odds[list(rows)])
        relations = decode(candidates, odds, [NEGATIVE, *answers.labels], 0.0, rel.undirected, rel.multi_label)
        found += [Found(number, _keys(rel, [one], number), one.score) for one in relations]
    return found


def _keys(rel: DualEncoderRel, relations: Sequence[Relation], number: int) -> Set[Key]:
    mapped = (
        one._replace(subject=with_type(one.subject, rel.type_map), object=with_type(one.object, rel.type_map))
        for one in relations
    )
    return {(*key, number) for one in mapped for key in relation_keys(one, rel.undirected, rel.candidates.pairs)}


def best_threshold(found: Sequence[Found], gold: Sequence[Set[Key]], default: float) -> float:
    """The threshold with the best micro F1, halfway to the next score below it; the default if all are as bad."""
    scores = numpy.array([one.score for one in found])
    order = numpy.argsort(-scores, kind="stable")
    every = set().union(*gold)
    right = numpy.array([bool(one.keys & every) for one in found])[order]
    f = 2 * right.cumsum() / (numpy.arange(1, len(found) + 1) + len(every))
    scores = scores[order]
    # Equal scores are reached together
    f[:-1][scores[:-1] == scores[1:]] = 0.0
    return float(scores[f.argmax() :][:2].mean()) if f.any() else default


def score_at(
    thresholds: Sequence[float],
    found: Sequence[Found],
    gold: Sequence[Set[Key]],
    half_of: numpy.ndarray,
    labels: Sequence[str],
) -> Scores:
    """Score the relations that reach the threshold of their document's half."""
    predicted = set().union(*(one.keys for one in found if one.score >= thresholds[half_of[one.document]]))
    return {"thresholds": list(thresholds), **score(count(set().union(*gold), predicted, labels), labels)}


# The trained predicates as rivals


def generalised(
    answers: Answers,
    of_trained: Answers,
    unseen: Sequence[str],
    trained: Sequence[str],
    players: Sequence[str],
    half_of: numpy.ndarray,
) -> Dict[str, Any]:
    """Score the best predicate of each gold pair among the unseen and the trained ones.

    Args:
        of_trained: Those for the documents of trained predicates.
        players: The predicates that play the unseen ones to find a constant that is taken from the scores of the
            others, with the highest harmonic mean.
        half_of: For each of these documents, whether it helps to find the constant (0) or is scored (1).

    Returns:
        The players, the constant, and, "plain" and "with_constant", the macro F1 of the unseen and of the trained
        predicates, and their harmonic mean.
    """
    rivals = [label for label in trained if label not in players]

    def chosen(half: int, labels: Collection[str]) -> Callable[[Asked], Any]:
        return lambda pair: half_of[pair.document] == half and not pair.gold.isdisjoint(labels)

    to_find = of_trained.select([*players, *rivals], chosen(0, [*players, *rivals]))
    best = [part.max(axis=1) for part in numpy.split(to_find.odds[:, 1:], [len(players)], axis=1)]
    finite = numpy.isfinite(best).all(axis=0)
    ahead = best[1][finite] - best[0][finite]
    means = {value: balance(to_find, len(players), value)["harmonic_mean"] for value in (0.0, *cuts(ahead, 100))}
    constant = max(means, key=lambda value: (means[value], -abs(value)))
    parts = (
        answers.select([*unseen, *trained], lambda pair: pair.gold),
        of_trained.select([*unseen, *trained], chosen(1, trained)),
    )
    scored = Answers(
        [*unseen, *trained], parts[0].pairs + parts[1].pairs, numpy.concatenate([part.odds for part in parts])
    )
    return {
        "played_unseen": list(players),
        "constant": constant,
        "pairs": [len(part.pairs) for part in parts],
        "plain": balance(scored, len(unseen), 0.0),
        "with_constant": balance(scored, len(unseen), constant),
    }


def balance(answers: Answers, n_unseen: int, constant: float) -> Dict[str, float]:
    """The macro F1 of the first predicates, of the others, from whose scores the constant is taken, and their harmonic
    mean.
    """
    totals = count_best(answers.minus(constant * (numpy.arange(len(answers.labels)) >= n_unseen)))
    f = [float(prf(part, macro=True)[2]) for part in numpy.split(totals, [n_unseen])]
    return {"unseen": f[0], "trained": f[1], "harmonic_mean": harmonic_mean(*f)}
