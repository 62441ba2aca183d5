"""`spacy dualre graph`: the relations of many documents as one knowledge graph."""

from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

import typer
from tqdm import tqdm
from wasabi import msg

from ..errors import CorpusError, Errors, Warnings
from ..graph import WRITERS, Naming
from .app import dualre_cli, interactive, readable_errors

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph, Merger


@dualre_cli.command("graph", no_args_is_help=True)
def graph_cli(
    triples: List[Path] = typer.Argument(
        ..., metavar="TRIPLES...", help="JSON lines, as `spacy dualre extract` writes"
    ),
    outputs: List[Path] = typer.Option(
        ..., "--output", "-o", help=f"File to write, by its ending: {', '.join(WRITERS)}. May be repeated"
    ),
    min_score: float = typer.Option(0.0, min=0.0, max=1.0, help="Leave out relations with a lower score"),
    min_support: int = typer.Option(1, min=1, help="Leave out edges that fewer sentences support"),
    predicates: Optional[List[str]] = typer.Option(None, help="Only this predicate. May be repeated"),
    symmetric: Optional[List[str]] = typer.Option(
        None, help="A predicate without direction: both become one edge. May be repeated"
    ),
    evidence: Optional[int] = typer.Option(None, min=0, help="Keep the best N sentences of an edge; default: all"),
    base_uri: str = typer.Option(Naming().base_uri, help="What the names of resources in RDF start with"),
    title: str = typer.Option(Naming().title, help="Title of the page"),
) -> None:
    """Merge the relations of documents into a knowledge graph of concepts and write it, with the sentences that
    support each edge. Exit status 1 if a line of the input cannot be read; the others are used all the same.
    """
    from ..graph import Merger, write

    with readable_errors():
        files = _check(triples, outputs, base_uri)
        merger = Merger(min_score, predicates or None, symmetric or (), evidence)
        broken = merge(merger, triples)
        graph = merger.graph(min_support)
        print_report(merger, graph)
        _warn_of_unknown(merger, [*(predicates or ()), *(symmetric or ())])
        if not graph.edges:
            raise ValueError(Errors.DR831.format(documents=merger.documents, relations=merger.counts["relations"]))
        for path in outputs:
            write(graph, path, Naming(base_uri, title))
    msg.good(f"Wrote the graph to {', '.join(map(str, files))}")
    if broken:
        msg.fail(f"{broken} lines or files of the input could not be used", exits=1)


def merge(merger: "Merger", paths: List[Path]) -> int:
    """Merge the documents of the files, say what is broken in them, and count it."""
    from ..graph import read_documents

    errors: List[CorpusError] = []

    def report(err: CorpusError) -> None:
        errors.append(err)
        msg.warn(str(err))

    for record in tqdm(read_documents(paths, report), unit=" documents", disable=not interactive()):
        merger.add(record)
    return len(errors)


def print_report(merger: "Merger", graph: "KnowledgeGraph") -> None:
    """What was merged as a table, and as warnings what was left out."""
    rows = [("documents", merger.documents), ("relations", merger.counts["relations"])]
    rows += [(f"  left out: {why}", n) for why, n in merger.counts.items() if n and why != "relations"]
    rows += [("edges", len(graph.edges)), ("  left out: too little support", merger.edges - len(graph.edges))]
    rows += [("nodes", len(graph.nodes)), ("  left out: concepts without an edge", merger.concepts - len(graph.nodes))]
    msg.table([(name, str(n)) for name, n in rows if n or not name.startswith(" ")], aligns=("l", "r"))
    for reason, n in merger.dropped.items():
        msg.warn(f"Left out: {reason}, {n} times, first at {merger.dropped_first[reason]}")
    if merger.without_sentences:
        msg.warn(Warnings.DW823.format(n=merger.without_sentences, total=merger.documents))


def _check(triples: List[Path], outputs: List[Path], base_uri: str) -> List[Path]:
    """The files that will be written. Raises ValueError or ImportError where they cannot be."""
    from ..graph import check_base_uri, check_output

    check_base_uri(base_uri)
    files = [file for path in outputs for file in check_output(path)]
    known = [path.resolve() for path in (*triples, *files)]
    for path in files:
        if known.count(path.resolve()) > 1:
            raise ValueError(Errors.DR832.format(path=path))
    return files


def _warn_of_unknown(merger: "Merger", names: List[str]) -> None:
    unknown = sorted(set(names) - merger.seen_predicates)
    if unknown:
        known = ", ".join(sorted(merger.seen_predicates)) or "none"
        msg.warn(Warnings.DW824.format(names=", ".join(unknown), known=known))
