"""`spacy dualre shrink`: a pipeline in half the space."""

from pathlib import Path

import typer
from spacy.cli._util import parse_config_overrides

from ..models.dual_encoder import get_network
from ..pipeline.pipelines import find_component, load_pipeline
from ..writing import check_writable
from .app import WITH_OVERRIDES, Code, Model, command, msg


@command("shrink", context_settings=WITH_OVERRIDES)
def shrink_cli(
    ctx: typer.Context,
    model: Model,
    output_path: Path = typer.Argument(..., metavar="OUTPUT", help="Folder to write the pipeline to"),
    code: Code = None,
) -> None:
    """Store a pipeline with its weights in float16. It computes as before, with weights that are rounded.

    Settings may be changed, as by --components.dual_encoder_rel.model.run.store_frozen false.
    """
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    check_writable(output_path / "meta.json")
    _, rel = find_component(nlp)
    get_network(rel.model).half()
    nlp.to_disk(output_path)
    msg.good(f"Wrote the pipeline to {output_path}")
