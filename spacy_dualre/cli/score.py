"""`spacy dualre score`: official scores of any system's predictions, and a significance test between two."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import spacy
import typer
from wasabi import msg

from ..scoring.protocols import PROTOCOLS, Items, Protocol, get_protocol
from ..scoring.significance import approximate_randomization, official_scores
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import dualre_cli, existing, print_scores, readable_errors
from .parameters import JsonOutput

_FILES = "In the corpus's original format, or .spacy"


@dualre_cli.command("score", no_args_is_help=True)
def score_cli(
    protocol: str = typer.Argument(..., help=f"Scoring protocol: {', '.join(PROTOCOLS)}"),
    gold_path: Path = typer.Argument(..., metavar="GOLD", help=f"Gold relations. {_FILES}"),
    predictions: Path = typer.Argument(..., metavar="PREDICTIONS", help=f"Predicted relations. {_FILES}"),
    other: Optional[Path] = typer.Argument(None, metavar="[OTHER]", help="Other predictions to compare with"),
    samples: int = typer.Option(10_000, min=1, help="Random samples for the interval and the test"),
    seed: int = typer.Option(0, help="Seed of the samples"),
    output: JsonOutput = None,
) -> None:
    """Compute official scores with 95 % bootstrap intervals and, for two predictions, whether they differ significantly
    (paired approximate randomisation).
    """
    paths = [predictions] if other is None else [predictions, other]
    with readable_errors():
        check_writable(output)
        results = score(get_protocol(protocol), gold_path, paths, samples, seed)
        if output is not None:
            write_json(output, results)
    for path, scores in zip(paths, results["predictions"]):
        msg.divider(str(path))
        print_scores(scores)
    if "p_value" in results:
        msg.text(f"F1 differs by {100 * results['difference']:+.2f}, p = {results['p_value']:.4f}")


def score(protocol: Protocol, gold_path: Path, paths: List[Path], samples: int, seed: int) -> Dict[str, Any]:
    """The official scores of one or two predictions; for two also their F1 difference (second - first) and p-value."""
    gold = read_items(protocol, gold_path, is_gold=True)
    counts = protocol.count(gold, *(read_items(protocol, path) for path in paths))
    results: Dict[str, Any] = {
        "protocol": protocol.name,
        "predictions": [
            {"documents": len(count), **official_scores(protocol, count, samples, seed)} for count in counts
        ],
    }
    if len(counts) == 2:
        first, second = (float(protocol.f1(count.sum(axis=0))) for count in counts)
        results["difference"] = second - first
        results["p_value"] = approximate_randomization(counts[0], counts[1], protocol.f1, samples, seed)
    return results


def read_items(protocol: Protocol, path: Path, is_gold: bool = False) -> Items:
    """The relations of a file. Raises CorpusError or ValueError if it cannot be used."""
    existing(path, "Expected relations in the corpus's original format, or .spacy.")
    if path.is_dir() or path.suffix == ".spacy":
        return protocol.from_docs(example.reference for example in rel_corpus(path)(spacy.blank("en")))
    return protocol.read_gold(path) if is_gold else protocol.read_predicted(path)
