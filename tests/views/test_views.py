"""The public names of the views, and what importing them costs."""

import subprocess
import sys

import pytest

from spacy_dualre import views


def test_public_names_can_be_imported():
    for name in views.__all__:
        assert callable(getattr(views, name))
    assert not hasattr(views, "nothing")


@pytest.mark.slow
def test_importing_the_package_imports_nothing_else():
    script = (
        "import sys, spacy_dualre; before = set(sys.modules); import spacy_dualre.views;"
        "print(*(set(sys.modules) - before))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["spacy_dualre.views"]
