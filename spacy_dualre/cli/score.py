"""`spacy dualre score`: official scores of any system's predictions, and a significance test between two."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import spacy
import typer

from ..scoring.protocols import PROTOCOLS, Items, Protocol, get_protocol
from ..scoring.significance import approximate_randomization, official_scores
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import JsonOutput, command, msg, print_scores

_FILES = "In the corpus's original format, or .spacy"


@command("score")
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
    check_writable(output)
    paths = [predictions] if other is None else [predictions, other]
    results = score(get_protocol(protocol), gold_path, paths, samples, seed)
    write_json(output, results)
    for path, scores in zip(paths, results["predictions"]):
        msg.divider(str(path))
        print_scores(scores)
    if "p_value" in results:
        msg.text(f"F1 differs by {100 * results['difference']:+.2f}, p = {results['p_value']:.4f}")


def score(protocol: Protocol, gold_path: Path, paths: List[Path], samples: int, seed: int) -> Dict[str, Any]:
    """The official scores of one or two predictions; for two also their F1 difference (second - first) and p-value."""
    gold = read_items(protocol, gold_path, protocol.read_gold)
    systems = [read_items(protocol, path, protocol.read_predicted) for path in paths]
    occurring = (item for items in (gold, *systems) for found in items.values() for item in found)
    protocol = protocol.counting(item.predicate for item in occurring)
    counts = protocol.count(gold, *systems)
    scores = [{"documents": len(count), **official_scores(protocol, count, samples, seed)} for count in counts]
    results: Dict[str, Any] = {"protocol": protocol.name, "predictions": scores}
    if len(counts) == 2:
        first, second = (float(protocol.f1(count.sum(axis=0))) for count in counts)
        results["difference"] = second - first
        results["p_value"] = approximate_randomization(counts[0], counts[1], protocol.f1, samples, seed)
    return results


def read_items(protocol: Protocol, path: Path, read: Callable[[Path], Items]) -> Items:
    """The relations of a file, in .spacy or as the protocol reads them. Raises ValueError if it cannot be used."""
    if path.is_dir() or path.suffix == ".spacy":
        return protocol.from_docs(example.reference for example in rel_corpus(path)(spacy.blank("en")))
    return read(path)
