"""`spacy dualre evaluate`: the scores of a trained pipeline on annotated documents."""

from pathlib import Path
from typing import Any, Dict, Optional

import srsly
import typer
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpora.reader import rel_corpus
from .app import dualre_cli, existing, load_pipeline, readable_errors

SCORES = ("rels_p", "rels_r", "rels_f", "rels_macro_f", "rels_per_type")


@dualre_cli.command("evaluate", no_args_is_help=True)
def evaluate_cli(
    model: str = typer.Argument(..., help="Trained pipeline: folder or installed package"),
    data_path: Path = typer.Argument(..., metavar="DATA", help="Annotated documents, .spacy"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Write the scores as JSON to this file"),
    gold_mentions: bool = typer.Option(True, help="Give the pipeline the gold mentions; else it must find them"),
    use_gpu: int = typer.Option(-1, "--gpu-id", "-g", help="GPU ID or -1 for CPU"),
) -> None:
    """Score Doc._.rels. Every gold relation counts, whether or not it had a candidate."""
    with readable_errors():
        setup_gpu(use_gpu, silent=False)
        scores = evaluate(model, data_path, gold_mentions)
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)
            srsly.write_json(output, scores)
    print_scores(scores)


def evaluate(model: str, data_path: Path, gold_mentions: bool = True) -> Dict[str, Any]:
    """The relation scores (0 to 1) of a pipeline, with its speed."""
    existing(data_path, "Expected annotated documents, as `spacy dualre convert` writes them.")
    nlp = load_pipeline(model)
    examples = list(rel_corpus(data_path, gold_mentions=gold_mentions)(nlp))
    scores = nlp.evaluate(examples)
    return {"documents": len(examples), **{name: scores.get(name) for name in SCORES}, "speed": scores["speed"]}


def print_scores(scores: Dict[str, Any]) -> None:
    """A table of the scores per predicate, micro and macro, in per cent."""
    if scores["rels_per_type"] is None:
        msg.warn("No relations, neither in the data nor predicted.")
        return
    rows = [(name, *_percent(score["p"], score["r"], score["f"])) for name, score in scores["rels_per_type"].items()]
    micro = _percent(scores["rels_p"], scores["rels_r"], scores["rels_f"])
    rows += [("all (micro)", *micro), ("all (macro)", "", "", *_percent(scores["rels_macro_f"]))]
    msg.table(rows, header=("", "P", "R", "F"), aligns=("l", "r", "r", "r"))
    msg.text(f"{scores['documents']} documents, {scores['speed']:.0f} words/s")


def _percent(*values: float) -> tuple:
    return tuple(f"{100 * value:.1f}" for value in values)
