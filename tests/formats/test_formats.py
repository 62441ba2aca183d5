"""Formats are found by being there, and finding them imports nothing heavy."""

import subprocess
import sys

import pytest

from spacy_dualre.formats import all_formats, function, names

LOOK = """
import sys
import spacy
without = {*sys.modules}
import spacy_dualre.formats
assert not [name for name in sys.modules if name.startswith("spacy_dualre.formats.")]
assert all(map(spacy_dualre.formats.names, ("read", "stream", "write")))
packages = {name.partition(".")[0] for name in sys.modules.keys() - without} - {*sys.stdlib_module_names}
print(*packages)
"""


@pytest.mark.slow
def test_finding_the_formats_imports_no_library_beyond_those_of_spacy():
    result = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["spacy_dualre"]


@pytest.mark.parametrize("name", all_formats())
def test_every_format_can_do_something(name):
    able = [what for what in ("read", "stream", "write") if name in names(what)]
    assert able and all(callable(function(name, what)) for what in able)
    assert bool(all_formats()[name].inputs) == ("stream" in able)
    assert not all_formats()[name].outputs or "write" in able


def test_a_format_that_cannot_do_it_is_refused_with_those_that_can():
    with pytest.raises(ValueError, match="DR004.*corpus format 'pubmed'.*bioc, brat"):
        function("pubmed", "read")
