"""`spacy dualre results`: tables of finished runs."""

from pathlib import Path
from typing import List, Optional

import typer

from ..lab import tables
from ..writing import check_writable, write_json, write_text
from .app import command, msg


@command("results")
def results_cli(
    folders: List[Path] = typer.Argument(..., metavar="FOLDER...", help="Output of `spacy dualre ablations`"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Write the tables as Markdown to this file"),
    json: Optional[Path] = typer.Option(None, help="Write the tables as JSON to this file"),
    reference: Optional[str] = typer.Option(None, help="Compare with this variant instead of the plan's reference"),
) -> None:
    """Make a table for each corpus from the results of runs: mean and standard deviation of each variant over seeds,
    and whether it differs significantly from the reference.
    """
    check_writable(output, json)
    write_tables(folders, output, json, reference)


def write_tables(
    folders: List[Path], markdown: Optional[Path], json: Optional[Path], reference: Optional[str] = None
) -> None:
    """Make the tables of the results in folders, write them to files, and print scores in per cent and differences in
    points.
    """
    made = tables.make_tables(tables.read_results(folders), reference)
    if markdown is not None:
        write_text(markdown, tables.to_markdown(made))
    write_json(json, {"tables": [tables.asdict(table) for table in made]})
    for table in made:
        msg.divider(table.title)
        header, *rows = table.cells
        msg.table(rows, header=header, aligns=("l", *"r" * (len(header) - 1)))
