"""`spacy dualre visualize`: drawings of the relations that a pipeline finds."""

from pathlib import Path

import typer
from spacy.cli._util import parse_config_overrides

from ..pipeline.pipelines import find_component, load_pipeline
from ..views import render
from ..writing import check_writable, write_text
from .app import WITH_OVERRIDES, Code, Model, command, msg
from .source import SOURCE_HELP, read_docs


@command("visualize", context_settings=WITH_OVERRIDES)
def visualize_cli(
    ctx: typer.Context,
    model: Model,
    source: str = typer.Argument(..., metavar="TEXT", help=SOURCE_HELP),
    output: Path = typer.Option("relations.html", "--output", "-o", help="HTML file to write"),
    limit: int = typer.Option(10, min=0, help="Draw at most this many documents of a .spacy file; 0: all"),
    code: Code = None,
) -> None:
    """Draw the relations in a text or documents as arcs over their sentences, as a page for the browser."""
    check_writable(output)
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    _, rel = find_component(nlp)
    options = {"spans_key": rel.spans_key, "symmetric": rel.undirected}
    docs = read_docs(nlp, source, limit)
    write_text(output, render(docs, page=True, jupyter=False, options=options) or "")
    msg.good(f"Wrote the relations of {len(docs)} documents to {output}")
