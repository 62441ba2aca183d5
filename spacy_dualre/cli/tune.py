"""`spacy dualre tune`: find the best threshold and cascade of a pipeline on annotated documents."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Optional

import typer
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..errors import Warnings
from ..pipeline.pipelines import load_pipeline
from ..scoring.tuning import Tuned, tune
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import dualre_cli, existing, readable_errors
from .parameters import Code, Gpu, Model

#: With fewer gold relations comes a warning.
_FEW = 500


@dualre_cli.command("tune", no_args_is_help=True)
def tune_cli(
    model: Model,
    dev_path: Path = typer.Argument(
        ..., metavar="DEV", help="Annotated documents other than the test documents, .spacy"
    ),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="Folder to write the tuned pipeline to"),
    loss: float = typer.Option(0.1, min=0.0, max=100.0, help="F1 points (of 100) that the cascade may cost"),
    threshold: bool = typer.Option(False, help="First find the threshold with the best F1"),
    report: Optional[Path] = typer.Option(None, help="Write the results as JSON to this file"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Find out which descriptions the encoder can skip, and write a pipeline that skips them."""
    with readable_errors():
        setup_gpu(use_gpu, silent=False)
        existing(dev_path, "Expected annotated documents, as `spacy dualre convert` writes them.")
        nlp = load_pipeline(model)
        # Fails before the work if the results cannot be written
        check_writable(output / "meta.json", report)
        tuned = tune(nlp, list(rel_corpus(dev_path)(nlp)), loss / 100, threshold)
        nlp.to_disk(output)
        if report is not None:
            write_json(report, to_json(tuned))
    print_tuned(tuned)
    msg.good(f"Wrote the pipeline to {output}")


def to_json(tuned: Tuned) -> Dict[str, Any]:
    """The report as JSON values, with the cascade as the component's setting."""
    return {**asdict(tuned), "cascade": tuned.cascade._asdict() if tuned.cascade else None}


def print_tuned(tuned: Tuned) -> None:
    """Print tables of the threshold, if changed, and of the cascade."""
    if tuned.gold < _FEW:
        msg.warn(Warnings.DW820.format(n=tuned.gold))
    if tuned.threshold != tuned.threshold_before:
        before = ("before", str(tuned.threshold_before), _percent(tuned.f_before))
        after = ("after", str(tuned.threshold), _percent(tuned.f_exact))
        msg.table([before, after], header=("", "threshold", "F"), aligns=("l", "l", "r"))
    _print_cascade(tuned)
    msg.text(f"{tuned.documents} documents, {tuned.candidates} candidates, {tuned.gold} gold relations")


def _print_cascade(tuned: Tuned) -> None:
    header = ("", "F", "predicates", "negative", "descriptions", "read", "candidates skipped")
    rows = [("exact", _percent(tuned.f_exact), "", "", str(tuned.descriptions), "100.0 %", "")]
    if tuned.cascade is not None:
        settings = str(tuned.cascade.predicates), str(tuned.cascade.negative)
        read = str(tuned.read), _share(tuned.read, tuned.descriptions), _share(tuned.skipped, tuned.candidates)
        rows.append(("cascade", _percent(tuned.f), *settings, *read))
    msg.table(rows, header=header, aligns=("l", *"rrrrrr"))
    if tuned.cascade is None:
        msg.text("No cascade reads less within the allowed loss: the pipeline has none.")


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"
