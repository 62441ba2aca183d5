"""Where the nodes of a graph are drawn. The same graph gives the same picture."""

from typing import TYPE_CHECKING, Hashable, List, Mapping, Tuple

import numpy

if TYPE_CHECKING:
    from networkx import Graph

_STEPS = 120
#: Rows of the matrix of distances that are in memory at once
_ROWS = 256
#: The wished length of an edge
_LENGTH = 60.0
#: How strong the pull to the middle is
_GRAVITY = 1.5 * _LENGTH


def layout(network: "Graph") -> Mapping[Hashable, Tuple[float, float]]:
    """A place (x, y) for each node of an undirected graph; a wished edge is 60 long.

    Each connected part is laid out by itself, and the parts are put side by side in rows, the largest first.
    """
    import networkx

    parts = [sorted(part) for part in networkx.connected_components(network)]
    parts.sort(key=lambda part: (-len(part), part[0]))
    places = side_by_side([force_directed(len(part), _edges(network, part)) for part in parts])
    return {
        node: (round(float(x), 1), round(float(y), 1))
        for part, xy in zip(parts, places)
        for node, (x, y) in zip(part, xy)
    }


def force_directed(nodes: int, edges: numpy.ndarray) -> numpy.ndarray:
    """Places (nodes, 2), wider than high, after Fruchterman and Reingold (1991): all nodes push each other away, edges
    pull, and a little gravity keeps branches from straying.

    edges: (E, 2), numbers of nodes. As in ForceAtlas2 (Jacomy et al., 2014), nodes with many edges push harder, which
    gives hubs room.
    """
    # Nodes on a spiral: nothing is drawn by chance
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
    """The parts, the largest first, moved into rows, so that none overlaps another.

    A part that is much lower than its row starts the next one.
    """
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
    """Their long axis from left to right, the first node on the left and above."""
    _, axes = numpy.linalg.eigh(places.T @ places)
    turned = places @ axes[:, ::-1]
    return turned * numpy.where(turned[0] > 0, -1, 1)


def _edges(network: "Graph", part: List[Hashable]) -> numpy.ndarray:
    index = {node: number for number, node in enumerate(part)}
    pairs = {(index[one], index[other]) for one, other in network.edges(part) if one != other}
    return numpy.array(sorted(pairs), dtype=int).reshape(-1, 2)


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
