"""Intervals and p-values of small tables that can be worked out by hand, and against plain loops over documents."""

from itertools import product
from typing import List

import numpy
import pytest

from spacy_dualre.scoring import significance
from spacy_dualre.scoring.protocols import get_protocol
from spacy_dualre.scoring.significance import approximate_randomization, bootstrap

MICRO, MACRO = get_protocol("chemprot").f1, get_protocol("semeval").f1


def table(*rows: List[int]) -> numpy.ndarray:
    """Counts of documents with one label: true positives, predicted, gold."""
    return numpy.array(rows)[:, None]


def random_counts(documents: int = 12, labels: int = 3, seed: int = 1, systems: int = 1) -> List[numpy.ndarray]:
    rng = numpy.random.default_rng(seed)
    gold = rng.integers(0, 4, (documents, labels))
    tables = []
    for _ in range(systems):
        tp = rng.integers(0, gold + 1)
        tables.append(numpy.stack([tp, tp + rng.integers(0, 3, tp.shape), gold], axis=-1))
    return tables


# Intervals


def test_bootstrap_of_documents_that_are_alike() -> None:
    """Every sample has 1 of 2 predicted and 2 gold: F = 1/2."""
    assert bootstrap(table(*[[1, 2, 2]] * 5), MICRO) == (0.5, 0.5)


def test_bootstrap_of_a_single_document() -> None:
    assert bootstrap(table([1, 1, 3]), MICRO) == (0.5, 0.5) == bootstrap(table(*[[1, 1, 3]] * 2), MICRO)


def test_bootstrap_of_two_documents() -> None:
    """Samples: both right (F = 1), one of each (F = 1/2), both wrong (F = 0), with probabilities 1/4, 1/2, 1/4."""
    assert bootstrap(table([1, 1, 1], [0, 1, 1]), MICRO) == (0, 1)


def test_bootstrap_shares_of_the_samples() -> None:
    """With 10 documents, half of them right, F is the share of right ones in a binomial sample (10, 1/2).

    P(at most 1 right) = 11/1024 < 2.5 %, P(at most 2 right) = 56/1024 > 2.5 %: the interval is (0.2, 0.8).
    """
    counts = table(*[[1, 1, 1]] * 5, *[[0, 1, 1]] * 5)
    low, high = bootstrap(counts, MICRO, n=20000)
    assert (low, high) == (pytest.approx(0.2), pytest.approx(0.8))


@pytest.mark.parametrize("figure", [MICRO, MACRO], ids=["micro", "macro"])
def test_bootstrap_is_what_a_plain_loop_over_samples_gives(figure: significance.Figure) -> None:
    (counts,) = random_counts()
    rng = numpy.random.default_rng(3)
    figures = [figure(counts[rng.integers(len(counts), size=len(counts))].sum(axis=0)) for _ in range(600)]
    expected = numpy.quantile(figures, [0.025, 0.975])
    assert bootstrap(counts, figure, n=600, seed=3) == pytest.approx(tuple(expected))


def test_nothing_depends_on_how_many_samples_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = random_counts(systems=2)
    found = set()
    for size in (1, 7, 50, 256):
        monkeypatch.setattr(significance, "_BATCH", size)
        found.add((approximate_randomization(first, second, MICRO, n=50), bootstrap(first, MICRO, n=50)))
    assert len(found) == 1


def test_the_seed_decides() -> None:
    first, second = random_counts(documents=40, systems=2)
    assert bootstrap(first, MICRO, seed=1) == bootstrap(first, MICRO, seed=1) != bootstrap(first, MICRO, seed=2)
    p = [approximate_randomization(first, second, MICRO, seed=seed) for seed in (1, 1, 2)]
    assert p[0] == p[1] != p[2]


# Differences


def test_identical_systems_do_not_differ() -> None:
    (counts,) = random_counts()
    assert approximate_randomization(counts, counts.copy(), MICRO) == 1


def test_a_single_document_shows_nothing() -> None:
    """Swapped or not, the difference is as large."""
    assert approximate_randomization(table([1, 1, 1]), table([0, 1, 1]), MICRO) == 1


@pytest.mark.parametrize("documents, exact", [(3, 1 / 4), (5, 1 / 16), (8, 1 / 128)])
def test_one_system_is_right_and_the_other_wrong_in_every_document(documents: int, exact: float) -> None:
    """As large a difference only if all documents are swapped or none: 2 of 2^n ways."""
    right, wrong = table(*[[1, 1, 1]] * documents), table(*[[0, 1, 1]] * documents)
    assert approximate_randomization(right, wrong, MICRO) == pytest.approx(exact, abs=0.015)
    assert approximate_randomization(wrong, right, MICRO) == approximate_randomization(right, wrong, MICRO)


def test_the_smallest_p_value() -> None:
    """No swap of 60 documents that is drawn is as extreme as none at all: (0 + 1) / (99 + 1)."""
    assert approximate_randomization(table(*[[1, 1, 1]] * 60), table(*[[0, 1, 1]] * 60), MICRO, n=99) == 0.01


@pytest.mark.parametrize("figure", [MICRO, MACRO], ids=["micro", "macro"])
def test_p_value_is_near_that_of_all_swaps(figure: significance.Figure) -> None:
    first, second = random_counts(documents=10, systems=2, seed=5)
    found = abs(figure(first.sum(axis=0)) - figure(second.sum(axis=0)))
    as_large = 0
    for swaps in product([False, True], repeat=10):
        swapped = numpy.array(swaps)[:, None, None]
        one, other = numpy.where(swapped, second, first), numpy.where(swapped, first, second)
        as_large += abs(figure(one.sum(axis=0)) - figure(other.sum(axis=0))) >= found - 1e-12
    assert 0.05 < as_large / 2**10 < 0.95
    assert approximate_randomization(first, second, figure) == pytest.approx(as_large / 2**10, abs=0.015)


# Bad input


@pytest.mark.parametrize(
    "other",
    [table([1, 1, 1]), table([1, 1, 1], [0, 0, 2]), numpy.zeros((2, 5, 3))],
    ids=["fewer documents", "other gold", "more labels"],
)
def test_counts_of_different_documents_are_refused(other: numpy.ndarray) -> None:
    with pytest.raises(ValueError, match="DR203.*same documents"):
        approximate_randomization(table([1, 1, 1], [0, 0, 1]), other, MICRO)


@pytest.mark.parametrize("counts", [numpy.zeros((0, 2, 3)), numpy.zeros((2, 3)), numpy.zeros((2, 3, 2))])
def test_counts_of_no_documents_or_another_shape_are_refused(counts: numpy.ndarray) -> None:
    with pytest.raises(ValueError, match="DR203"):
        bootstrap(counts, MICRO)
