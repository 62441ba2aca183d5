"""How far an F1 may be off by the choice of documents, and whether two systems differ by more than chance."""

from typing import Callable, Iterator, Tuple

import numpy

from ..errors import Errors

#: Counts summed over documents (..., labels, 3) -> a figure (...), such as `Protocol.f1`.
Figure = Callable[[numpy.ndarray], numpy.ndarray]
#: Numbers that are drawn at a time: 8 MB.
_AT_A_TIME = 1 << 20
#: Differences that only the order of floating-point operations makes are below this.
_EPSILON = 1e-12


def bootstrap(
    counts: numpy.ndarray, figure: Figure, n: int = 1000, seed: int = 0, level: float = 0.95
) -> Tuple[float, float]:
    """The percentile interval (low, high) of a figure over n samples of the documents with replacement.

    counts: (documents, labels, 3), see `Protocol.count`. level: the share of the samples' figures within the interval.
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Raises ValueError where there is no
    document.
    """
    _check(counts, n=n)
    if not 0 < level < 1:
        raise ValueError(Errors.DR001.format(name="level", low=0, high=1, value=level))
    rng = numpy.random.default_rng(seed)
    documents = len(counts)
    figures = []
    for rows in _chunks(n, documents):
        drawn = rng.integers(documents, size=(rows, documents))
        # How often each sample has each document
        cells = drawn + numpy.arange(rows)[:, None] * documents
        times = numpy.bincount(cells.ravel(), minlength=rows * documents).reshape(rows, documents)
        figures.append(figure(_sums(times, counts)))
    low, high = numpy.quantile(numpy.concatenate(figures), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def approximate_randomization(
    counts_a: numpy.ndarray, counts_b: numpy.ndarray, figure: Figure, n: int = 10000, seed: int = 0
) -> float:
    """The p-value of the difference between two systems' figures, two-sided.

    If the systems were alike, which of them gave which output would be chance: n times, the outputs for each document
    are swapped or not. The p-value is (k + 1) / (n + 1), where k of the differences so made are as large as the one
    found. counts_a, counts_b: (documents, labels, 3) of the same documents; or (documents, runs, labels, 3), of which
    the figure makes one number out of (..., runs, labels, 3). Noreen (1989), Computer-Intensive Methods
    for Testing Hypotheses; Yeh (2000), More accurate tests for the statistical significance of result differences.
    Raises ValueError where the documents are not the same.
    """
    _check(counts_a, counts_b, n=n)
    rng = numpy.random.default_rng(seed)
    total_a, total_b = counts_a.sum(axis=0), counts_b.sum(axis=0)
    found = abs(figure(total_a) - figure(total_b))
    as_large = 0
    for rows in _chunks(n, len(counts_a)):
        swapped = rng.integers(2, size=(rows, len(counts_a)))
        moved = _sums(swapped, counts_a - counts_b)
        differences = figure(total_a - moved) - figure(total_b + moved)
        as_large += int(numpy.count_nonzero(abs(differences) >= found - _EPSILON))
    return (as_large + 1) / (n + 1)


def _sums(weights: numpy.ndarray, counts: numpy.ndarray) -> numpy.ndarray:
    """Weighted sums over documents: (rows, documents), (documents, ..., 3) -> (rows, ..., 3)."""
    # As floats, which hold these integers exactly and multiply much faster
    flat = counts.reshape(len(counts), -1).astype("float64")
    return (weights.astype("float64") @ flat).reshape(len(weights), *counts.shape[1:])


def _chunks(n: int, documents: int) -> Iterator[int]:
    size = max(1, _AT_A_TIME // documents)
    for start in range(0, n, size):
        yield min(size, n - start)


def _check(*counts: numpy.ndarray, n: int) -> None:
    first = counts[0]
    good = first.ndim >= 3 and first.shape[-1] == 3 and len(first) > 0
    if not (good and all(other.shape == first.shape and (other[..., 2] == first[..., 2]).all() for other in counts)):
        raise ValueError(Errors.DR203.format(shapes=" and ".join(str(other.shape) for other in counts)))
    if n < 1:
        raise ValueError(Errors.DR002.format(name="n", low=1, value=n))
