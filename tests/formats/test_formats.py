"""The table of formats: what it says holds, and looking at it imports none of them."""

import subprocess
import sys

import pytest

from spacy_dualre.formats import FORMATS, function, names

LOOK = """
import sys
from spacy_dualre.formats import names
assert all(map(names, ("read", "stream", "write")))
print(*(name for name in sys.modules if name.startswith(("lxml", "spacy_dualre.formats."))))
"""


def test_names_and_endings_are_known_without_importing_a_format():
    result = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_functions_that_the_table_gives_it(name):
    able = [what for what in ("read", "stream", "write") if name in names(what)]
    assert len(able) == len(FORMATS[name].functions) > 0
    assert all(callable(function(name, what)) for what in able)
    assert bool(FORMATS[name].inputs) == ("stream" in able)
    assert not FORMATS[name].outputs or "write" in able


def test_a_format_that_cannot_do_it_is_refused_with_those_that_can():
    with pytest.raises(ValueError, match="DR004.*corpus format 'pubmed'.*bioc, brat"):
        function("pubmed", "read")
