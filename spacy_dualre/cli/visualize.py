"""`spacy dualre visualize`: drawings of the relations that a pipeline finds."""

from pathlib import Path
from typing import Optional

import typer
from wasabi import msg

from ..pipeline.pipelines import find_component, load_pipeline
from ..views import render, serve
from ..writing import check_writable, write_text
from .app import WITH_OVERRIDES, Code, Model, command, config_overrides
from .source import SOURCE_HELP, read_docs


@command("visualize", context_settings=WITH_OVERRIDES)
def visualize_cli(
    ctx: typer.Context,
    model: Model,
    source: str = typer.Argument(..., metavar="TEXT", help=SOURCE_HELP),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Write HTML to this file instead of serving it"),
    limit: int = typer.Option(10, min=0, help="Draw at most this many documents of a .spacy file; 0: all"),
    port: int = typer.Option(5000, help="Port to serve on, or the next free one"),
    code: Code = None,
) -> None:
    """Draw the relations in a text or documents as arcs over their sentences, to a file or in the browser."""
    check_writable(output)
    nlp = load_pipeline(model, config_overrides(ctx))
    _, rel = find_component(nlp)
    options = {"spans_key": rel.spans_key, "symmetric": rel.undirected}
    docs = read_docs(nlp, source, limit)
    if output is None:
        serve(docs, options=options, port=port)
        return
    write_text(output, render(docs, page=True, jupyter=False, options=options) or "")
    msg.good(f"Wrote the relations of {len(docs)} documents to {output}")
