"""Writes a knowledge graph as a self-contained HTML page, assembled from the folder template/.

Text from documents enters the page as JSON and is shown as text, never as HTML, and the page runs only its own script.
"""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy
from jinja2 import Environment
from markupsafe import Markup

from ..writing import write_text
from .knowledge_graph import Evidence, KnowledgeGraph
from .layout import layout

#: Joined into one script.
_SCRIPTS = ("graph.js", "drawing.js", "panels.js", "control.js")


def write_page(graph: KnowledgeGraph, path: Path, base_uri: str) -> None:
    """Write the HTML page, which has no URIs."""
    environment = Environment(autoescape=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    script = "\n".join(map(_file, _SCRIPTS))
    html = environment.from_string(_file("page.html")).render(
        style=Markup(_file("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf8")).digest()).decode(),
        data=_to_json(graph),
    )
    write_text(path, html)


def pieces(evidence: Evidence) -> List[Tuple[str, str]]:
    """Cut the sentence where a mention starts or ends, and tell for each piece whether it is in the subject ("s"), the
    object ("o"), both ("so") or neither ("").
    """
    mentions = {"s": evidence.subject, "o": evidence.object}
    cuts = sorted({evidence.start, evidence.end, *evidence.subject, *evidence.object})
    text, offset = evidence.sentence, evidence.start
    return [
        (text[start - offset : end - offset], "".join(one for one, (s, e) in mentions.items() if s <= start < e))
        for start, end in zip(cuts, cuts[1:])
    ]


def _to_json(graph: KnowledgeGraph) -> Dict[str, Any]:
    """Nodes with their places, edges with the indices of their nodes."""
    index = {node.concept: i for i, node in enumerate(graph.nodes)}
    ends = [(index[edge.subject], index[edge.object]) for edge in graph.edges]
    places = layout(len(graph.nodes), numpy.array(ends, dtype=int).reshape(-1, 2))
    nodes = [
        {**node.to_json(), "forms": node.ranked_forms, "x": x, "y": y} for node, (x, y) in zip(graph.nodes, places)
    ]
    edges = []
    for edge, (subject, object) in zip(graph.edges, ends):
        evidence = [(one.document, one.score, pieces(one)) for one in edge.evidence]
        edges.append({**edge.to_json(), "subject": subject, "object": object, "evidence": evidence})
    return {"nodes": nodes, "edges": edges}


def _file(name: str) -> str:
    return (files(__package__) / "template" / name).read_text(encoding="utf8")
