"""`spacy dualre graph`: the relations of many documents as one knowledge graph."""

from pathlib import Path
from typing import List, Optional

import typer
from tqdm import tqdm

from ..errors import CorpusError, Errors, Warnings
from ..graph import BASE_URI, KnowledgeGraph, Merger, check_base_uri, check_output, read_documents, write
from .app import command, msg


@command("graph")
def graph_cli(
    triples: List[Path] = typer.Argument(
        ..., metavar="TRIPLES...", help="Output of `spacy dualre extract`: .jsonl, .csv, .spacy"
    ),
    outputs: List[Path] = typer.Option(
        ..., "--output", "-o", help="File to write: .ttl, .nt, .graphml, .json, .csv or .html. May be repeated"
    ),
    min_score: float = typer.Option(0.0, min=0.0, max=1.0, help="Leave out relations with a lower score"),
    min_support: int = typer.Option(1, min=1, help="Leave out edges supported by fewer sentences"),
    predicates: List[str] = typer.Option([], help="Use only this predicate. May be repeated"),
    symmetric: List[str] = typer.Option([], help="Make one edge of both directions of this predicate. May be repeated"),
    evidence: Optional[int] = typer.Option(None, min=0, help="Keep only the best N sentences per edge"),
    base_uri: str = typer.Option(BASE_URI, help="Base of the URIs of RDF resources"),
) -> None:
    """Merge the relations of documents into a knowledge graph of concepts, with supporting sentences for each edge.

    Unreadable lines are reported and skipped, and the exit status is then 1.
    """
    files = _check(triples, outputs, base_uri)
    merger = Merger(min_score, predicates or None, symmetric, evidence)
    broken: List[CorpusError] = []
    for record in tqdm(read_documents(triples, broken.append), unit=" documents", disable=None):
        merger.add(record)
    for err in broken:
        msg.warn(str(err))
    graph = merger.graph(min_support)
    print_report(merger, graph)
    unknown = sorted({*predicates, *symmetric} - merger.seen_predicates)
    if unknown:
        known = ", ".join(sorted(merger.seen_predicates)) or "none"
        msg.warn(Warnings.DW824.format(names=", ".join(unknown), known=known))
    if not graph.edges:
        raise ValueError(Errors.DR831.format(documents=merger.documents, relations=merger.counts["relations"]))
    for path in outputs:
        write(graph, path, base_uri)
    msg.good(f"Wrote the graph to {', '.join(map(str, files))}")
    if broken:
        msg.fail(f"{len(broken)} lines or files of the input could not be read", exits=1)


def print_report(merger: Merger, graph: KnowledgeGraph) -> None:
    """Print counts as a table, and omissions as warnings."""
    rows = [("documents", merger.documents), ("relations", merger.counts["relations"])]
    rows += [(f"  left out: {why}", n) for why, n in merger.counts.items() if n and why != "relations"]
    rows += [("edges", len(graph.edges)), ("  left out: too few sentences", len(merger.edges) - len(graph.edges))]
    rows += [
        ("nodes", len(graph.nodes)),
        ("  left out: concepts without an edge", len(merger.nodes) - len(graph.nodes)),
    ]
    msg.table([(name, str(n)) for name, n in rows if n or not name.startswith(" ")], aligns=("l", "r"))
    for reason, n, first in merger.dropped:
        msg.warn(Warnings.DW826.format(reason=reason, n=n, where=first))
    if merger.without_sentences:
        msg.warn(Warnings.DW823.format(n=merger.without_sentences, total=merger.documents))


def _check(triples: List[Path], outputs: List[Path], base_uri: str) -> List[Path]:
    """Return the files to be written. Raises ValueError or ImportError if they cannot be."""
    check_base_uri(base_uri)
    files = [file for path in outputs for file in check_output(path)]
    known = [path.resolve() for path in (*triples, *files)]
    for path in files:
        if known.count(path.resolve()) > 1:
            raise ValueError(Errors.DR832.format(path=path))
    return files
