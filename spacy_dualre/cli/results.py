"""`spacy dualre results`: tables and a plot of runs that were made."""

from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

import typer
from wasabi import msg

from ..writing import check_writable, write_json, write_text
from .app import dualre_cli, existing, readable_errors

if TYPE_CHECKING:
    from ..lab.ablations.table import Table


@dualre_cli.command("results", no_args_is_help=True)
def results_cli(
    folders: List[Path] = typer.Argument(..., metavar="FOLDER...", help="Where `spacy dualre ablations` wrote to"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Write the tables as Markdown to this file"),
    json: Optional[Path] = typer.Option(None, help="Write the tables as JSON to this file"),
    plot: Optional[Path] = typer.Option(None, help="Plot to this .png, .svg or .pdf file"),
    samples: int = typer.Option(10_000, min=1, help="Random samples of the test"),
    seed: int = typer.Option(0, help="Seed of the samples"),
    reference: Optional[str] = typer.Option(None, help="Compare with this variant, in place of the plan's reference"),
) -> None:
    """One table for each corpus from the results of runs: every variant's mean and standard deviation over seeds, and
    whether it differs from the reference by more than chance.
    """
    with readable_errors():
        tables = results(folders, output, json, plot, samples, seed, reference)
    print_tables(tables)


def results(
    folders: List[Path],
    output: Optional[Path] = None,
    json: Optional[Path] = None,
    plot: Optional[Path] = None,
    samples: int = 10_000,
    seed: int = 0,
    reference: Optional[str] = None,
) -> "List[Table]":
    """The tables of all results in these folders, written where a path is given.

    Raises ValueError where there is no result, none of the reference, or two do not fit together, ImportError for a
    plot without matplotlib.
    """
    from ..lab.ablations.plot import plot_tables
    from ..lab.ablations.result import read_results
    from ..lab.ablations.table import make_tables, to_markdown

    for folder in folders:
        existing(folder, "Expected a folder of results, as `spacy dualre ablations` writes them.")
    check_writable(output, json, plot)
    tables = make_tables(read_results(folders), samples, seed, reference)
    if output is not None:
        write_text(output, to_markdown(tables))
    if json is not None:
        write_json(json, {"tables": [table.to_json() for table in tables]})
    if plot is not None:
        plot_tables(tables, plot)
    return tables


def print_tables(tables: "List[Table]") -> None:
    """Scores in per cent, differences in points."""
    from ..lab.ablations.table import header, to_cells

    for table in tables:
        msg.divider(table.title)
        aligns = ("l", *"r" * (len(header(table)) - 1))
        msg.table([to_cells(row) for row in table.rows], header=header(table), aligns=aligns)
