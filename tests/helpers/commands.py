"""Commands of the package, called as typer calls them."""

import re

from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401


def dualre(*args, **settings):
    """Call `spacy dualre` with these arguments."""
    return CliRunner().invoke(app, ["dualre", *map(str, args)], **settings)


def match(pattern, output):
    """Assert that output contains a pattern, however the terminal has wrapped its lines."""
    assert re.search(pattern, " ".join(output.split()).replace("- ", "-")), output
