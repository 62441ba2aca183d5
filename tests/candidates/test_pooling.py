"""One decision for the mention pairs of two concepts."""

import math
import random
import warnings

import numpy
import pytest
from helpers.concept_docs import candidates_of, doc_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spacy_dualre.candidates.concept_pairs import concept_pairs
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.pipeline.decode import probabilities


def pooled(policy, doc, odds):
    """The shown mention pairs (by their starts) and the pooled odds."""
    candidates = candidates_of(doc, policy)
    assert len(candidates) == len(odds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown, rows = policy.pool(candidates, numpy.asarray(odds, dtype="float32"))
    assert all(candidate in candidates for candidate in shown)
    return [(one.subject.start, one.object.start) for one in shown], rows


def two_by_two(n=2):
    """The concepts A:1 and B:2 with pairs of mentions at (0, 1), (10, 11) ..., each closer than those between."""
    places = [(10 * i + j, type, id) for i in range(n) for j, type, id in [(0, "A", "1"), (1, "B", "2")]]
    return doc_of(10 * n, [(i, i + 1, type, id) for i, type, id in places])


LN3 = math.log(3)


def test_max_by_hand():
    shown, rows = pooled(concept_pairs(mention_pairs=2), two_by_two(), [[0.0, 1.0, -2.0], [0.0, -1.0, 0.5]])
    assert rows.tolist() == [[0.0, 1.0, 0.5]]
    assert shown == [(0, 1)]


def test_shown_is_the_mention_pair_that_speaks_most_for_the_best_predicate():
    policy = concept_pairs(mention_pairs=3)
    # The second has the highest odds of all, but for the negative predicate; the first is surest of the other one.
    odds = [[0.0, -1.0, 1.9], [9.0, 0.5, -3.0], [0.0, 2.0, -3.0]]
    assert pooled(policy, two_by_two(3), odds)[0] == [(20, 21)]
    assert pooled(policy, two_by_two(3), [[0.0, -1.0, -1.0]] * 3)[0] == [(0, 1)]


def test_each_pair_of_concepts_is_decided_by_itself():
    doc = doc_of(30, [(i, i + 1, type, id) for i, type, id in [(0, "A", "1"), (2, "B", "2"), (5, "C", "3")]])
    odds = [[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [0.0, 5.0, 6.0]]
    shown, rows = pooled(concept_pairs(), doc, odds)
    assert shown == [(0, 2), (0, 5), (2, 5)] and rows.tolist() == odds


def test_directions_are_pooled_apart_where_there_are_directions():
    odds = [[0.0, 1.0], [0.0, -4.0], [0.0, 2.0], [0.0, -5.0]]
    shown, rows = pooled(concept_pairs(mention_pairs=2, directed=True), two_by_two(), odds)
    assert shown == [(10, 11), (1, 0)] and rows.tolist() == [[0.0, 2.0], [0.0, -4.0]]


def test_mention_pairs_in_either_order_of_the_text_are_one_pair_without_directions():
    doc = doc_of(20, [(i, i + 1, type, id) for i, type, id in [(0, "A", "1"), (1, "B", "2"), (3, "A", "1")]])
    shown, rows = pooled(concept_pairs(), doc, [[0.0, 1.0], [0.0, 2.0]])
    assert shown == [(1, 3)] and rows.tolist() == [[0.0, 2.0]]


def test_order_of_the_candidates_does_not_matter():
    policy = concept_pairs()
    places = [(0, "A", "1"), (2, "B", "2"), (5, "A", "1"), (6, "C", "3"), (9, "B", "2"), (12, "C", "3")]
    doc = doc_of(20, [(i, i + 1, type, id) for i, type, id in places])
    candidates = candidates_of(doc, policy)
    odds = numpy.random.default_rng(0).normal(size=(len(candidates), 4)).astype("float32")

    def decisions(order):
        shown, rows = policy.pool([candidates[i] for i in order], odds[order])
        return {frozenset(candidate.about): (candidate, row) for candidate, row in zip(shown, rows)}

    first = decisions(list(range(len(candidates))))
    mixed = list(range(len(candidates)))
    random.Random(1).shuffle(mixed)
    second = decisions(mixed)
    assert len(first) == 3 and first.keys() == second.keys()
    for key in first:
        assert first[key][0] == second[key][0]
        numpy.testing.assert_allclose(first[key][1], second[key][1], rtol=1e-6)


def test_nothing_to_pool():
    for candidates in ([], ()):
        shown, rows = concept_pairs().pool(candidates, numpy.zeros((0, 3)))
        assert list(shown) == [] and rows.shape == (0, 3)


def test_impossible_predicates_stay_impossible():
    policy = concept_pairs(mention_pairs=2)
    never = -numpy.inf
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, 1.0], [0.0, never, 2.0]])
    assert rows[0, 1] == never and numpy.isfinite(rows[0, 2]) and shown == [(10, 11)]
    assert probabilities(rows)[0, 1] == 0
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, never]] * 2)
    assert (rows[0, 1:] == never).all() and len(shown) == 1
    # One mention pair that may have it is enough
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, never], [0.0, 1.0, never]])
    assert rows[0, 1] == pytest.approx(1.0) and shown == [(10, 11)]


@given(arrays("float32", (1, 4), elements=st.floats(-500, 500, width=32) | st.just(-numpy.inf)))
@settings(max_examples=50, deadline=None)
def test_a_single_mention_pair_decides_alone(odds):
    doc = doc_of(4, [(0, 1, "A", "1"), (2, 3, "B", "2")])
    shown, rows = pooled(concept_pairs(mention_pairs=1), doc, odds)
    assert shown == [(0, 2)] and (rows == odds).all()


def test_the_decisions_on_the_mention_pairs_of_two_concepts_are_one():
    anywhere = entity_pairs(concepts=True, max_sentences=None, directed=False)
    doc = doc_of(4, [(0, 1, "A", "1"), (1, 2, "B", "2"), (2, 3, "A", "1"), (3, 4, "A", "")])
    shown, rows = pooled(anywhere, doc, [[0, 1, 5], [0, 0, 1], [0, 2, 4], [0, 0, 3], [0, 9, 0]])
    assert shown == [(0, 1), (0, 3), (1, 3), (2, 3)]
    assert rows.tolist() == [[0, 2, 5], [0, 0, 1], [0, 0, 3], [0, 9, 0]]
