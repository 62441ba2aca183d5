"""The command group `spacy dualre`. Commands print; everything that they do is done elsewhere."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import spacy
import typer
from spacy.cli._util import app
from spacy.language import Language
from wasabi import msg

from ..errors import Errors

HELP = "Relation extraction with predicate descriptions: convert corpora, evaluate, extract."

dualre_cli = typer.Typer(name="dualre", help=HELP, no_args_is_help=True)
app.add_typer(dualre_cli)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn errors about the user's files and settings into one line and exit status 1."""
    try:
        yield
    except (ValueError, OSError, ImportError) as err:
        msg.fail(str(err), exits=1)


def load_pipeline(path: str) -> Language:
    """A trained pipeline from a folder or an installed package. Raises ValueError where there is none."""
    try:
        return spacy.load(path)
    except OSError as err:
        raise ValueError(Errors.DR120.format(path=path, hint=f"Expected a trained pipeline. ({err})")) from err


def existing(path: Path, hint: str) -> Path:
    """The path, if it exists. Raises ValueError with the hint if not."""
    if not path.exists():
        raise ValueError(Errors.DR120.format(path=path, hint=hint))
    return path


def interactive() -> bool:
    """Whether somebody watches: progress bars are for them alone."""
    return sys.stderr.isatty()
