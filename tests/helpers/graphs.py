"""Made-up documents and graphs for the tests of knowledge graphs."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy_dualre.formats.jsonl import parse
from spacy_dualre.graph import KnowledgeGraph, Merger
from spacy_dualre.records.record import Place, Record

#: surface form, type, kb_id ("" for none)
Mention = Tuple[str, str, str]
ASPIRIN: Mention = ("Aspirin", "CHEMICAL", "")
COX: Mention = ("COX-1", "GENE", "P23219")
#: What HTML, XML, CSV, JSON, Turtle or a script could stumble over
NASTY = "</script><script>alert(1)</script> \"q\" 'q' <!-- & \\ \t;|%,{x} $y \u2028 😀 é \u0001"


def document(id: str, *facts: Tuple[Mention, str, Mention, float], **values: Any) -> Dict[str, Any]:
    """A sentence for each fact: "SUBJECT acts on OBJECT." """
    text, mentions, rels, sentences = "", [], [], []
    for subject, predicate, object, score in facts:
        start = len(text)
        sentences.append(start)
        for role, (form, type, kb_id) in (("s", subject), ("o", object)):
            mention = {"id": f"{start}{role}", "start": len(text), "end": len(text) + len(form), "type": type}
            mentions.append({**mention, "kb_id": kb_id} if kb_id else mention)
            text += form + (" acts on " if role == "s" else ". ")
        rels.append({"subject": f"{start}s", "predicate": predicate, "object": f"{start}o", "score": score})
    return {"id": id, "text": text, "mentions": mentions, "rels": rels, "sentences": sentences, **values}


def record(values: Dict[str, Any]) -> Record:
    return parse(json.dumps(values), Place(Path("made-up.jsonl"), 1))


def merge(documents: Iterable[Dict[str, Any]], min_support: int = 1, **settings: Any) -> KnowledgeGraph:
    merger = Merger(**settings)
    for values in documents:
        merger.add(record(values))
    return merger.graph(min_support)


def nasty_graph() -> KnowledgeGraph:
    """Four nodes, four edges: two between the same nodes, one of a node with itself, and texts full of traps."""
    trap: Mention = (f"x{NASTY}x", f"T{NASTY}", "")
    return merge(
        [
            document("a", (ASPIRIN, "INHIBITS", COX, 0.5), (ASPIRIN, "BINDS", COX, 0.25)),
            document(f"b{NASTY}", (trap, f"P{NASTY}", ("cox1", "GENE", "P23219"), 0.75), (COX, "BINDS", COX, 1.0)),
        ],
        symmetric=["BINDS"],
    )


def edges_of(graph: KnowledgeGraph) -> List[tuple]:
    """What the edges say, as plain values."""
    return [
        (*edge.triple, edge.sentences, edge.documents, edge.score, edge.pooled, edge.evidence) for edge in graph.edges
    ]


def write_lines(path: Path, documents: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(values) + "\n" for values in documents), encoding="utf8")
    return path
