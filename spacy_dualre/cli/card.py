"""`spacy dualre card`: the model card of a trained pipeline."""

from pathlib import Path
from typing import Any, Dict, Optional

import srsly
import typer
from wasabi import msg

from ..errors import Errors, Warnings
from ..pipeline.pipelines import load_pipeline
from ..views.card import missing, model_card
from ..writing import check_writable, write_text
from .app import dualre_cli, existing, readable_errors
from .parameters import Code


@dualre_cli.command("card", no_args_is_help=True)
def card_cli(
    model: Path = typer.Argument(..., help="Folder of a trained pipeline"),
    output: Optional[Path] = typer.Option(
        None,
        "--output",
        "-o",
        help="File to write; by default README.md in the pipeline's folder, where spacy package looks for it",
    ),
    scores_path: Optional[Path] = typer.Option(None, "--scores", help="Scores from `spacy dualre evaluate --output`"),
    force: bool = typer.Option(False, "--force", "-f", help="Overwrite an existing file"),
    code: Code = None,
) -> None:
    """Write a model card: what the pipeline finds, its scores, corpus, licence and limits."""
    with readable_errors():
        existing(model, "Expected the folder of a trained pipeline.")
        path = output or model / "README.md"
        if path.exists() and not force:
            raise ValueError(Errors.DR843.format(path=path))
        check_writable(path)
        scores = _read_scores(scores_path) if scores_path is not None else None
        nlp = load_pipeline(str(model))
        write_text(path, model_card(nlp, scores))
    if missing(nlp):
        msg.warn(Warnings.DW828.format(names=", ".join(missing(nlp)), path=model / "meta.json"))
    msg.good(f"Wrote {path}")


def _read_scores(path: Path) -> Dict[str, Any]:
    existing(path, "Expected scores from `spacy dualre evaluate --output`.")
    try:
        scores = srsly.read_json(path)
    except ValueError as err:
        raise ValueError(Errors.DR844.format(path=path)) from err
    if not isinstance(scores, dict) or not {"documents", "rels_f"} <= scores.keys():
        raise ValueError(Errors.DR844.format(path=path))
    return scores
