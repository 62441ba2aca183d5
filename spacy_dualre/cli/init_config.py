"""`spacy dualre init-config`: a starter project for a new corpus."""

from pathlib import Path
from typing import List

import typer
from wasabi import msg

from ..starter import write_starter
from .app import command


@command("init-config")
def init_config_cli(
    labels: str = typer.Option(..., help="Predicates, separated by commas"),
    types: str = typer.Option(..., help="Types of mentions, separated by commas"),
    output: Path = typer.Option(..., "--output", "-o", help="Folder to write to"),
    type_pairs: str = typer.Option("", help="Pairs of types, such as A|B,B|B; by default those of the training data"),
    symmetric: str = typer.Option("", help="Predicates without direction, separated by commas"),
) -> None:
    """Write a config, a project file and a template of descriptions for your own corpus."""
    pairs = [(first.strip(), second.strip()) for first, _, second in (p.partition("|") for p in _split(type_pairs))]
    paths = write_starter(output, _split(labels), _split(types), pairs, _split(symmetric))
    for path in paths:
        msg.good(f"Wrote {path}")
    msg.text(f"Now fill in {paths[1]}, check {paths[2]}, then run: python -m spacy project run all {output}")


def _split(names: str) -> List[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
