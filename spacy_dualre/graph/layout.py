"""Places the nodes of a graph, always in the same way for the same graph."""

from typing import List

import numpy

_STEPS = 120
#: Rows of the distance matrix in memory at once
_ROWS = 256
#: The ideal length of an edge
_LENGTH = 60.0
#: Strength of the pull to the centre
_GRAVITY = 1.5 * _LENGTH


def layout(nodes: int, edges: numpy.ndarray) -> List[List[float]]:
    """Find a place (x, y) for each node of a graph with (E, 2) edges, which tend towards a length of 60.

    Each connected part is laid out separately, and the parts are put side by side in rows, the largest first.
    Directions, duplicates and loops of edges make no difference.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = numpy.unique(numpy.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    adjacency = coo_array((numpy.ones(len(edges)), edges.T), shape=(nodes, nodes))
    part_of = connected_components(adjacency, directed=False)[1]
    parts = [numpy.flatnonzero(part_of == part) for part in numpy.unique(part_of)]
    parts.sort(key=lambda part: (-len(part), part[0]))
    edges_of = (numpy.searchsorted(part, edges[numpy.isin(edges[:, 0], part)]) for part in parts)
    apart = side_by_side([force_directed(len(part), own) for part, own in zip(parts, edges_of)])
    places = numpy.empty((nodes, 2))
    for part, xy in zip(parts, apart):
        places[part] = xy
    return places.round(1).tolist()


def force_directed(nodes: int, edges: numpy.ndarray) -> numpy.ndarray:
    """Place the nodes of a connected graph by forces, after Fruchterman and Reingold (1991), wider than high.

    All nodes push each other away, edges (E, 2) pull, and a little gravity keeps branches from straying. As in
    ForceAtlas2 (Jacomy et al., 2014), nodes with many edges push harder, which leaves room around hubs.
    """
    # Start on a spiral, so that nothing is random
    number = numpy.arange(nodes)
    angle = number * numpy.pi * (3 - 5**0.5)
    places = (_LENGTH * numpy.sqrt(number))[:, None] * numpy.stack([numpy.cos(angle), numpy.sin(angle)], 1)
    weights = 1.0 + numpy.bincount(edges.ravel(), minlength=nodes) / 3
    for step in range(_STEPS if nodes > 1 else 0):
        middle = -places / numpy.maximum(numpy.hypot(*places.T), _LENGTH)[:, None]
        force = _push(places, weights) + _pull(places, edges) + _GRAVITY * weights[:, None] * middle
        length = numpy.maximum(numpy.hypot(*force.T), 1e-9)[:, None]
        hottest = _LENGTH * max(1.0, nodes**0.5 / 4) * (1 - step / _STEPS) ** 1.5
        places += force / length * numpy.minimum(length, hottest)
    return _turned(places - places.mean(0))


def side_by_side(places: List[numpy.ndarray], gap: float = 1.5 * _LENGTH) -> List[numpy.ndarray]:
    """Move parts, largest first, into rows without overlap. A part much lower than its row starts the next row."""
    sizes = [numpy.ptp(xy, axis=0) + gap for xy in places]
    width = max([(1.6 * sum(float(w * h) for w, h in sizes)) ** 0.5, *(float(w) for w, _ in sizes)])
    moved, x, y, height = [], 0.0, 0.0, 0.0
    for xy, (part_width, part_height) in zip(places, sizes):
        if x and (x + part_width > width or part_height < height / 3):
            x, y, height = 0.0, y + height, 0.0
        moved.append(xy - xy.min(0) + (x, y))
        x, height = x + part_width, max(height, part_height)
    return moved


def _turned(places: numpy.ndarray) -> numpy.ndarray:
    """Turn the long axis from left to right, with the first node at the upper left."""
    _, axes = numpy.linalg.eigh(places.T @ places)
    turned = places @ axes[:, ::-1]
    return turned * numpy.where(turned[0] > 0, -1, 1)


def _push(places: numpy.ndarray, weights: numpy.ndarray) -> numpy.ndarray:
    # All pairs, so in single precision and in place
    places, weights = places.astype("float32"), weights.astype("float32")
    force = numpy.empty_like(places)
    squares = (places**2).sum(1)
    for start in range(0, len(places), _ROWS):
        rows = slice(start, start + _ROWS)
        # |a - b|^2 = a^2 - 2ab + b^2; sum of (a - b) / |a - b|^2 = a sum(1 / ...) - sum(b / ...)
        matrix = (-2 * places[rows]) @ places.T
        matrix += squares[rows, None]
        matrix += squares
        numpy.maximum(matrix, 1.0, out=matrix)
        numpy.divide(weights, matrix, out=matrix)
        force[rows] = places[rows] * matrix.sum(1, keepdims=True) - matrix @ places
    return force.astype("float64") * weights[:, None] * _LENGTH**2


def _pull(places: numpy.ndarray, edges: numpy.ndarray) -> numpy.ndarray:
    force = numpy.zeros_like(places)
    between = places[edges[:, 1]] - places[edges[:, 0]]
    pull = between * (between**2).sum(1, keepdims=True) / _LENGTH**2
    numpy.add.at(force, edges[:, 0], pull)
    numpy.add.at(force, edges[:, 1], -pull)
    return force
