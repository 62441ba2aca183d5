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
from spacy_dualre.candidates.pooling import noisy_or
from spacy_dualre.pipeline.decode import probabilities


def pooled(policy, doc, odds):
    """The shown mention pairs (by their starts) and the pooled odds."""
    candidates = candidates_of(doc, policy)
    assert len(candidates) == len(odds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown, rows = policy.pool(candidates, numpy.asarray(odds, dtype="float32"))
    assert all(candidate in candidates for candidate in shown)
    return [(subject.start, object.start) for subject, object in shown], rows


def two_by_two(n=2):
    """The concepts A:1 and B:2 with pairs of mentions at (0, 1), (10, 11) ..., each closer than those between."""
    places = [(10 * i + j, type, id) for i in range(n) for j, type, id in [(0, "A", "1"), (1, "B", "2")]]
    return doc_of(10 * n, [(i, i + 1, type, id) for i, type, id in places])


LN3 = math.log(3)


def test_max_by_hand():
    shown, rows = pooled(concept_pairs(mention_pairs=2), two_by_two(), [[0.0, 1.0, -2.0], [0.0, -1.0, 0.5]])
    assert rows.tolist() == [[0.0, 1.0, 0.5]]
    assert shown == [(0, 1)]


def test_noisy_or_by_hand():
    # P: 1 - 1/2 * 1/2 = 3/4; Q: 1 - 3/4 * 1/4 = 13/16
    odds = [[0.0, 0.0, -LN3], [0.0, 0.0, LN3]]
    shown, rows = pooled(concept_pairs(mention_pairs=2, pooling="noisy-or"), two_by_two(), odds)
    assert rows[0, 1:].tolist() == pytest.approx([LN3, math.log(13 / 3)], abs=1e-6)
    assert probabilities(rows)[0, 1:].tolist() == pytest.approx([3 / 4, 13 / 16])
    assert shown == [(10, 11)]


def test_agreeing_mention_pairs_win_over_a_single_one_in_noisy_or_only():
    # Either gives P 0.6, the second Q 0.7
    odds = numpy.log(numpy.array([[1.0, 1.4, 0.1], [1.0, 1.5, 7 / 3]]))
    shown, rows = pooled(concept_pairs(mention_pairs=2), two_by_two(), odds)
    assert rows[0].argmax() == 2 and shown == [(10, 11)]
    odds[0, 1] += 0.2
    shown, rows = pooled(concept_pairs(mention_pairs=2, pooling="noisy-or"), two_by_two(), odds)
    assert rows[0, 1:].argmax() == 0 and shown == [(0, 1)]


@pytest.mark.parametrize("pooling", ["max", "noisy-or"])
def test_shown_is_the_mention_pair_that_speaks_most_for_the_best_predicate(pooling):
    policy = concept_pairs(mention_pairs=3, pooling=pooling)
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


def test_a_concept_with_itself_is_one_pair():
    doc = doc_of(20, [(i, i + 1, "A", "1") for i in (0, 5, 7)])
    for directed in (False, True):
        policy = concept_pairs(self_pairs=True, directed=directed)
        odds = [[0.0, float(i)] for i in range(len(candidates_of(doc, policy)))]
        shown, rows = pooled(policy, doc, odds)
        assert len(shown) == 1 and rows.tolist() == [odds[-1]]


@pytest.mark.parametrize("pooling", ["max", "noisy-or"])
def test_order_of_the_candidates_does_not_matter(pooling):
    policy = concept_pairs(pooling=pooling)
    places = [(0, "A", "1"), (2, "B", "2"), (5, "A", "1"), (6, "C", "3"), (9, "B", "2"), (12, "C", "3")]
    doc = doc_of(20, [(i, i + 1, type, id) for i, type, id in places])
    candidates = candidates_of(doc, policy)
    odds = numpy.random.default_rng(0).normal(size=(len(candidates), 4)).astype("float32")

    def decisions(order):
        shown, rows = policy.pool([candidates[i] for i in order], odds[order])
        return {policy.pairs(*candidate)[0]: (candidate, row) for candidate, row in zip(shown, rows)}

    first = decisions(list(range(len(candidates))))
    mixed = list(range(len(candidates)))
    random.Random(1).shuffle(mixed)
    second = decisions(mixed)
    assert len(first) == 3 and first.keys() == second.keys()
    for key in first:
        assert first[key][0] == second[key][0]
        numpy.testing.assert_allclose(first[key][1], second[key][1], rtol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "noisy-or"])
def test_nothing_to_pool(pooling):
    for candidates in ([], ()):
        shown, rows = concept_pairs(pooling=pooling).pool(candidates, numpy.zeros((0, 3)))
        assert list(shown) == [] and rows.shape == (0, 3)


@pytest.mark.parametrize("pooling", ["max", "noisy-or"])
def test_impossible_predicates_stay_impossible(pooling):
    policy = concept_pairs(mention_pairs=2, pooling=pooling)
    never = -numpy.inf
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, 1.0], [0.0, never, 2.0]])
    assert rows[0, 1] == never and numpy.isfinite(rows[0, 2]) and shown == [(10, 11)]
    assert probabilities(rows)[0, 1] == 0
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, never]] * 2)
    assert (rows[0, 1:] == never).all() and len(shown) == 1
    # One mention pair that may have it is enough
    shown, rows = pooled(policy, two_by_two(), [[0.0, never, never], [0.0, 1.0, never]])
    assert rows[0, 1] == pytest.approx(1.0) and shown == [(10, 11)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noisy_or_of_very_sure_odds_is_finite_and_ordered(dtype):
    odds = numpy.array([[-500, -500, -80, 0, 80, 500, 500], [-500, -400, -80, 0, 80, -500, 500]], dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = noisy_or(odds)
    expected = [-500 + math.log(2), -400, -80 + math.log(2), LN3, 160, 500, 1000]
    numpy.testing.assert_allclose(result, expected, rtol=1e-6)


ODDS = st.integers(1, 5).flatmap(
    lambda n: arrays("float64", (n, 3), elements=st.floats(-12, 12, allow_nan=False, width=32))
)


@given(ODDS)
@settings(max_examples=200, deadline=None)
def test_noisy_or_is_one_minus_the_product(odds):
    expected = 1 - numpy.prod(1 - 1 / (1 + numpy.exp(-odds)), axis=0)
    numpy.testing.assert_allclose(1 / (1 + numpy.exp(-noisy_or(odds))), expected, rtol=1e-9, atol=1e-12)


@given(arrays("float64", (4, 5), elements=st.floats(-500, 500)))
@settings(max_examples=200, deadline=None)
def test_noisy_or_is_never_less_than_the_surest_and_grows_with_each(odds):
    result = noisy_or(odds)
    assert numpy.isfinite(result).all()
    assert (result >= odds.max(axis=0) - 1e-9).all()
    assert (result >= noisy_or(odds[:3]) - 1e-9).all()


@given(arrays("float32", (1, 4), elements=st.floats(-500, 500, width=32) | st.just(-numpy.inf)))
@settings(max_examples=200, deadline=None)
def test_a_single_mention_pair_decides_alone_however_it_is_pooled(odds):
    doc = doc_of(4, [(0, 1, "A", "1"), (2, 3, "B", "2")])
    for pooling in ("max", "noisy-or"):
        shown, rows = pooled(concept_pairs(mention_pairs=1, pooling=pooling), doc, odds)
        assert shown == [(0, 2)]
        numpy.testing.assert_allclose(rows, odds, rtol=1e-6, atol=1e-6)


def test_the_decisions_on_the_mention_pairs_of_two_concepts_are_one():
    anywhere = entity_pairs(concepts=True, max_sentences=None, directed=False)
    doc = doc_of(4, [(0, 1, "A", "1"), (1, 2, "B", "2"), (2, 3, "A", "1"), (3, 4, "A", "")])
    shown, rows = pooled(anywhere, doc, [[0, 1, 5], [0, 0, 1], [0, 2, 4], [0, 0, 3], [0, 9, 0]])
    assert shown == [(0, 1), (0, 3), (1, 3), (2, 3)]
    assert rows.tolist() == [[0, 2, 5], [0, 0, 1], [0, 0, 3], [0, 9, 0]]
