"""Numbers that part the data."""

from typing import List

import numpy


def cuts(values: numpy.ndarray, most: int) -> List[float]:
    """Ascending numbers, at most so many, each above one of the data's quantiles and below the next greater value.

    values: (N,). Each is the shortest decimal that does it, so that it may stand in a config.
    """
    distinct = numpy.unique(values.astype("float64"))
    quantiles = numpy.quantile(values.astype("float64"), numpy.linspace(0, 1, most), method="lower")
    lower = numpy.unique(numpy.searchsorted(distinct, quantiles))
    return [_between(float(distinct[i]), float(distinct[i + 1])) for i in lower if i + 1 < len(distinct)]


def _between(low: float, high: float) -> float:
    """The shortest decimal nearest to the middle; the upper one where there is none between."""
    middle = low + (high - low) / 2
    return next((round(middle, n) for n in range(1, 18) if low < round(middle, n) < high), high)
