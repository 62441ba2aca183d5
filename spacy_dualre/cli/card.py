"""`spacy dualre card`: the model card of a trained pipeline."""

from pathlib import Path
from typing import Any, Dict, Optional

import srsly
import typer

from ..errors import Errors, Warnings
from ..pipeline.pipelines import load_pipeline
from ..views.card import model_card
from ..writing import check_writable, write_text
from .app import Code, command, msg


@command("card")
def card_cli(
    model: Path = typer.Argument(..., exists=True, help="Folder of a trained pipeline"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Instead of the pipeline's README.md"),
    scores: Optional[Path] = typer.Option(None, exists=True, help="Scores from `spacy dualre evaluate --output`"),
    force: bool = typer.Option(False, "--force", "-f", help="Overwrite an existing file"),
    code: Code = None,
) -> None:
    """Write a model card: what the pipeline finds, its scores, corpus, licence and limits."""
    path = output or model / "README.md"
    if path.exists() and not force:
        raise ValueError(Errors.DR843.format(path=path))
    check_writable(path)
    found = _read_scores(scores) if scores is not None else None
    nlp = load_pipeline(str(model))
    write_text(path, model_card(nlp, found))
    missing = [key for key in ("description", "license", "author", "sources") if not nlp.meta.get(key)]
    if missing:
        msg.warn(Warnings.DW828.format(names=", ".join(missing), path=model / "meta.json"))
    msg.good(f"Wrote {path}")


def _read_scores(path: Path) -> Dict[str, Any]:
    try:
        scores = srsly.read_json(path)
    except ValueError:
        scores = None
    if not isinstance(scores, dict) or not {"documents", "rels_f"} <= scores.keys():
        raise ValueError(Errors.DR844.format(path=path))
    return scores
