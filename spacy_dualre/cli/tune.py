"""`spacy dualre tune`: find the best threshold and cascade of a pipeline on annotated documents."""

from dataclasses import asdict
from pathlib import Path
from typing import List, Optional, Tuple

import typer
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..errors import Warnings
from ..pipeline.pipelines import load_pipeline
from ..scoring.tuning import Tuned, tune
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import Code, Gpu, Model, command

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
    """Find out which descriptions the encoder can skip, and write a pipeline that skips them."""
    setup_gpu(use_gpu, silent=False)
    corpus = rel_corpus(dev_path)
    nlp = load_pipeline(model)
    check_writable(output / "meta.json", report)
    tuned = tune(nlp, list(corpus(nlp)), loss / 100, threshold)
    nlp.to_disk(output)
    write_json(report, {**asdict(tuned), "cascade": tuned.cascade and tuned.cascade._asdict()})
    if tuned.gold < _FEW:
        msg.warn(Warnings.DW820.format(n=tuned.gold))
    print_tuned(tuned)
    msg.good(f"Wrote the pipeline to {output}")


def print_tuned(tuned: Tuned) -> None:
    """Print tables of the threshold, if changed, and of the cascade."""
    if tuned.threshold != tuned.threshold_before:
        before = ("before", str(tuned.threshold_before), _percent(tuned.f_before))
        after = ("after", str(tuned.threshold), _percent(tuned.f_exact))
        msg.table([before, after], header=("", "threshold", "F"), aligns=("l", "l", "r"))
    rows: List[Tuple[str, ...]] = [("exact", _percent(tuned.f_exact), "", "", str(tuned.descriptions), "100.0%", "")]
    if tuned.cascade is None:
        msg.text("No cascade reads less within the allowed loss: the pipeline has none.")
    else:
        read, skipped = f"{tuned.read / tuned.descriptions:.1%}", f"{tuned.skipped / tuned.candidates:.1%}"
        rows.append(("cascade", _percent(tuned.f), *map(str, tuned.cascade), str(tuned.read), read, skipped))
    header = ("", "F", "predicates", "negative", "descriptions", "read", "candidates skipped")
    msg.table(rows, header=header, aligns=("l", *"rrrrrr"))
    msg.text(f"{tuned.documents} documents, {tuned.candidates} candidates, {tuned.gold} gold relations")


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
