"""`spacy dualre shrink`: a pipeline in half the space."""

from pathlib import Path

import typer

from ..models.dual_encoder import get_network
from ..pipeline.pipelines import find_component, load_pipeline
from ..writing import check_writable
from .app import Code, Model, command, msg


@command("shrink")
def shrink_cli(
    model: Model,
    output_path: Path = typer.Argument(..., metavar="OUTPUT", help="Folder to write the pipeline to"),
    code: Code = None,
) -> None:
    """Store a pipeline with its weights in float16. It computes as before, with weights that are rounded."""
    nlp = load_pipeline(model)
    check_writable(output_path / "meta.json")
    _, rel = find_component(nlp)
    get_network(rel.model).half()
    nlp.to_disk(output_path)
    msg.good(f"Wrote the pipeline to {output_path}")
