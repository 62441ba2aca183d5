"""`spacy dualre results`: tables and a plot of finished runs."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from ..lab.ablations.plot import plot_tables
from ..lab.ablations.result import pack_results, read_results
from ..lab.ablations.table import Table, header, make_tables, to_cells, to_json, to_markdown
from ..writing import check_writable, write_json, write_text
from .app import dualre_cli, readable_errors


@dualre_cli.command("results", no_args_is_help=True)
def results_cli(
    folders: List[Path] = typer.Argument(
        ..., metavar="FOLDER...", help="Output of `spacy dualre ablations`, or packed"
    ),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Write the tables as Markdown to this file"),
    json: Optional[Path] = typer.Option(None, help="Write the tables as JSON to this file"),
    plot: Optional[Path] = typer.Option(None, help="Write a plot to this .png, .svg or .pdf file"),
    samples: int = typer.Option(10_000, min=1, help="Random samples for the significance test"),
    seed: int = typer.Option(0, help="Seed of the samples"),
    reference: Optional[str] = typer.Option(None, help="Compare with this variant instead of the plan's reference"),
    pack: Optional[Path] = typer.Option(None, help="Pack what the tables need into two small files in this folder"),
) -> None:
    """Make a table for each corpus from the results of runs: mean and standard deviation of each variant over seeds,
    and whether it differs significantly from the reference.
    """
    with readable_errors():
        check_writable(output, json, plot)
        found = read_results(folders)
        tables = make_tables(found, samples, seed, reference)
        if output is not None:
            write_text(output, to_markdown(tables))
        write_json(json, to_json(tables))
        if plot is not None:
            plot_tables(tables, plot)
        if pack is not None:
            pack_results(found, pack)
    print_tables(tables)


def print_tables(tables: List[Table]) -> None:
    """Print scores in per cent and differences in points."""
    for table in tables:
        msg.divider(table.title)
        aligns = ("l", *"r" * (len(header(table)) - 1))
        msg.table([to_cells(row) for row in table.rows], header=header(table), aligns=aligns)
