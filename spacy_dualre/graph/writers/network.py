"""GraphML and node-link JSON, by networkx. It is an extra, so it is only imported when a graph is written."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...writing import whole_file, write_text
from ..knowledge_graph import KnowledgeGraph
from .naming import Naming

if TYPE_CHECKING:
    from networkx import MultiDiGraph

# What XML 1.0 cannot hold
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graphml(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """Write GraphML, which Gephi, Cytoscape and yEd read. Its values are flat: surface forms and evidence are JSON.

    Characters that XML cannot hold become U+FFFD. Format: http://graphml.graphdrawing.org/specification.html
    """
    import networkx

    network = networkx.relabel_nodes(to_networkx(graph), _flat)
    for values in [*dict(network.nodes).values(), *(values for *_, values in network.edges(data=True))]:
        values.update((key, _flat(value)) for key, value in values.items())
    with whole_file(path) as file:
        networkx.write_graphml(network, file, encoding="utf-8", named_key_ids=True)


def write_node_link(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """Write JSON for networkx's `node_link_graph(data, edges="edges")`, whose shape d3 and others take, too."""
    import networkx

    values = networkx.node_link_data(to_networkx(graph), edges="edges")
    write_text(path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def to_networkx(graph: KnowledgeGraph) -> "MultiDiGraph":
    """A directed multigraph. Its nodes are named by `Node.name`, and its edges have unique keys: e0, e1 ..."""
    import networkx

    network = networkx.MultiDiGraph()
    names = {node.concept: node.name for node in graph.nodes}
    network.add_nodes_from((node.name, node.to_json()) for node in graph.nodes)
    for i, edge in enumerate(graph.edges):
        network.add_edge(names[edge.subject], names[edge.object], key=f"e{i}", **edge.to_json())
    return network


def _flat(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    return _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value
