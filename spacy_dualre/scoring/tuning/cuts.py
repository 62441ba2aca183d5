"""Numbers that part the data."""

from typing import List

import numpy


def cuts(values: numpy.ndarray, most: int) -> List[float]:
    """Ascending numbers, at most so many, each above one of the data's quantiles and below the next greater value.

    values: (N,); what is the same to 8 decimals counts as one. Each is the shortest decimal that does it, so that it
    may stand in a config, whose numbers have fewer digits than a float.
    """
    values = values.astype("float64").round(8)
    distinct = numpy.unique(values)
    quantiles = numpy.quantile(values, numpy.linspace(0, 1, most), method="lower")
    lower = numpy.unique(numpy.searchsorted(distinct, quantiles))
    return [_between(float(distinct[i]), float(distinct[i + 1])) for i in lower if i + 1 < len(distinct)]


def _between(low: float, high: float) -> float:
    """The shortest decimal nearest to the middle."""
    middle = low + (high - low) / 2
    return next(round(middle, n) for n in range(1, 18) if low < round(middle, n) < high)
