"""One page of HTML with everything in it: no network, no other files.

The files in the folder template/ are put together. Whatever comes from a text reaches the page as JSON and is shown as
text, never as HTML, and the page allows no other script than its own.
"""

import base64
import hashlib
import html
import json
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Dict, List, Tuple

from ...annotations.concepts import Concept
from ...writing import write_text
from ..graph import Edge, Evidence, KnowledgeGraph, Node
from .layout import layout
from .naming import Naming
from .network import to_networkx

#: One after the other they are one script
_SCRIPTS = ("graph.js", "drawing.js", "panels.js", "control.js")
#: A piece of a sentence, and whether it is in the subject ("s"), the object ("o"), both ("so") or neither ("")
Piece = Tuple[str, str]


def write(graph: KnowledgeGraph, path: Path, naming: Naming) -> None:
    """Write the page."""
    script = "\n".join(map(_template, _SCRIPTS))
    page = Template(_template("page.html")).substitute(
        title=html.escape(naming.title),
        style=_template("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf8")).digest()).decode(),
        data=_json(to_data(graph)),
    )
    write_text(path, page)


def to_data(graph: KnowledgeGraph) -> Dict[str, Any]:
    """What the page shows, as JSON values: nodes with their places, edges with the numbers of their nodes."""
    places = layout(to_networkx(graph).to_undirected())
    number = {node.concept: number for number, node in enumerate(graph.nodes)}
    return {
        "nodes": [_node(node, places[node.name]) for node in graph.nodes],
        "edges": [_edge(edge, number) for edge in graph.edges],
    }


def pieces(evidence: Evidence) -> List[Piece]:
    """The sentence cut where a mention starts or ends; mentions may overlap."""
    subject, object = (
        (start - evidence.start, end - evidence.start) for start, end in (evidence.subject, evidence.object)
    )
    cuts = sorted({0, *subject, *object, len(evidence.sentence)})
    return [
        (
            evidence.sentence[start:end],
            "".join(role for role, (a, b) in (("s", subject), ("o", object)) if a <= start < b),
        )
        for start, end in zip(cuts, cuts[1:])
    ]


def _node(node: Node, place: Tuple[float, float]) -> Dict[str, Any]:
    return {
        "label": node.label,
        "type": node.concept.type,
        "concept": node.concept.id,
        "documents": node.documents,
        "forms": node.ranked_forms,
        "x": place[0],
        "y": place[1],
    }


def _edge(edge: Edge, number: Dict[Concept, int]) -> Dict[str, Any]:
    return {
        "subject": number[edge.subject],
        "predicate": edge.predicate,
        "object": number[edge.object],
        "symmetric": edge.symmetric,
        "sentences": edge.sentences,
        "documents": edge.documents,
        "score": edge.score,
        "pooled": edge.pooled,
        "evidence": [(evidence.document, evidence.score, pieces(evidence)) for evidence in edge.evidence],
    }


def _template(name: str) -> str:
    return (files(__package__) / "template" / name).read_text(encoding="utf8")


def _json(values: Any) -> str:
    # Within a script element, "<" is all that HTML sees
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
