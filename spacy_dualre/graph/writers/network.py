"""GraphML and node-link JSON, by networkx. It is an extra, and is imported where it is needed."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict

from ...writing import whole_file, write_text
from ..graph import Edge, KnowledgeGraph, Node
from .naming import Naming

if TYPE_CHECKING:
    from networkx import MultiDiGraph

# What XML 1.0 cannot hold
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graphml(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """GraphML, which Gephi, Cytoscape and yEd read. Its values are flat: surface forms and evidence are JSON texts.

    Characters that XML cannot hold become U+FFFD. Format: http://graphml.graphdrawing.org/specification.html
    """
    import networkx

    network = networkx.relabel_nodes(to_networkx(graph), _xml)
    for values in [*dict(network.nodes).values(), *(values for *_, values in network.edges(data=True))]:
        values.update((key, _flat(value)) for key, value in values.items())
    with whole_file(path) as file:
        networkx.write_graphml(network, file, encoding="utf-8", named_key_ids=True)


def write_node_link(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """JSON for networkx's `node_link_graph(data, edges="edges")`, also the shape that d3 and others take."""
    import networkx

    values = networkx.node_link_data(to_networkx(graph), edges="edges")
    write_text(path, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def to_networkx(graph: KnowledgeGraph) -> "MultiDiGraph":
    """A directed multigraph. Nodes are called as `Node.name` says; the keys of edges, e0, e1 ..., are unique in it."""
    import networkx

    network = networkx.MultiDiGraph()
    names = {node.concept: node.name for node in graph.nodes}
    network.add_nodes_from((node.name, node_values(node)) for node in graph.nodes)
    for number, edge in enumerate(graph.edges):
        network.add_edge(names[edge.subject], names[edge.object], key=f"e{number}", **edge_values(edge))
    return network


def node_values(node: Node) -> Dict[str, Any]:
    """A node as JSON values, its forms from the most frequent on."""
    return {
        "label": node.label,
        "type": node.concept.type,
        "concept": node.concept.id,
        "documents": node.documents,
        "mentions": node.mentions,
        "forms": dict(node.ranked_forms),
    }


def edge_values(edge: Edge) -> Dict[str, Any]:
    """An edge as JSON values, without the two concepts."""
    return {
        "predicate": edge.predicate,
        "symmetric": edge.symmetric,
        "sentences": edge.sentences,
        "documents": edge.documents,
        "score": edge.score,
        "pooled": edge.pooled,
        "evidence": [evidence._asdict() for evidence in edge.evidence],
    }


def _flat(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    return _xml(value) if isinstance(value, str) else value


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
