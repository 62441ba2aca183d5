"""`spacy dualre tune`: find the best threshold and cascade of a pipeline on annotated documents."""

from pathlib import Path
from typing import Any, Dict, Optional

import typer
from spacy.cli._util import setup_gpu

from ..errors import Warnings
from ..pipeline.pipelines import load_pipeline
from ..scoring.tuning import tune
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import Code, Gpu, Model, command, msg

#: With fewer gold relations comes a warning.
_FEW = 500


@command("tune")
def tune_cli(
    model: Model,
    dev_path: Path = typer.Argument(..., metavar="DEV", help="Annotated documents, .spacy; not the test documents"),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="Folder to write the tuned pipeline to"),
    loss: float = typer.Option(0.1, min=0.0, max=100.0, help="F1 points (of 100) that the cascade may cost"),
    threshold: bool = typer.Option(False, help="First find the threshold with the best F1"),
    report: Optional[Path] = typer.Option(None, help="Write the results as JSON to this file"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Find out which descriptions the encoder can skip, and write a pipeline that skips them.

    If the training held predicates out for its dev documents (`only`), the same are used here.
    """
    setup_gpu(use_gpu, silent=False)
    rel_corpus(dev_path)  # fails before the pipeline is loaded
    nlp = load_pipeline(model)
    held_out = nlp.config.interpolate().get("corpora", {}).get("dev", {}).get("only", ())
    corpus = rel_corpus(dev_path, only=held_out)
    check_writable(output / "meta.json", report)
    tuned = tune(nlp, list(corpus(nlp)), loss / 100, threshold)
    nlp.to_disk(output)
    write_json(report, tuned)
    if tuned["gold"] < _FEW:
        msg.warn(Warnings.DW820.format(n=tuned["gold"]))
    print_tuned(tuned)
    msg.good(f"Wrote the pipeline to {output}")


def print_tuned(tuned: Dict[str, Any]) -> None:
    """Print a table of the component before, with the new threshold, and with the cascade too."""
    exact = tuned["descriptions"], 0
    rows = [("exact", tuned["f_exact"], tuned["threshold"], *exact)]
    if tuned["threshold"] != tuned["threshold_before"]:
        rows.insert(0, ("before", tuned["f_before"], tuned["threshold_before"], *exact))
    if tuned["cascade"]:
        rows.append(("cascade", tuned["f"], tuned["threshold"], tuned["read"], tuned["skipped"]))
    cells = [(name, f"{100 * f:.2f}", *map(str, counts)) for name, f, *counts in rows]
    header = ("", "F", "threshold", "descriptions read", "candidates skipped")
    msg.table(cells, header=header, aligns=("l", *"rrrr"))
    msg.text(f"Cascade: {tuned['cascade'] or 'none, as no other reads less within the allowed loss'}")
    msg.text(f"{tuned['documents']} documents, {tuned['candidates']} candidates, {tuned['gold']} gold relations")
