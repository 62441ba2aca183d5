"""spaCy users who do not use the package do not pay for it: it imports neither torch nor other libraries by itself.

spaCy loads every plug-in's commands for each of its own, and every plug-in's factories for each pipeline.
"""

import json
import subprocess
import sys
from typing import List, Set

import pytest

#: Blocked: importing them fails. jinja2 is not among them because spaCy's own commands need it.
HEAVY = "torch transformers spacy_transformers sklearn scipy lxml networkx rdflib".split()
#: Other plug-ins may import anything, so none but this one is seen.
RUN = """
import importlib.metadata as metadata, json, runpy, sys

blocked, plugins, code, *sys.argv = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(blocked))
distributions = metadata.distributions
metadata.distributions = lambda **kwargs: (found for found in distributions(**kwargs) if found.name in plugins)
try:
    exec(code) if code else runpy.run_module("spacy", run_name="__main__", alter_sys=True)
finally:
    print(json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""
PIPELINE = "import spacy; spacy.blank('en').add_pipe('sentencizer')"


def imported(command: List[str], code: str = "", plugins: List[str] = ["spacy-dualre"]) -> Set[str]:
    """The modules and packages that a spaCy command or some code imports when heavy libraries are blocked."""
    args = json.dumps([HEAVY, plugins, code, "spacy", *command])
    done = subprocess.run([sys.executable, "-c", RUN, args], capture_output=True, encoding="utf8")
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout.splitlines()[-1])
    return {*modules, *(name.partition(".")[0] for name in modules)}


@pytest.fixture(scope="module")
def without() -> Set[str]:
    """The modules that spaCy imports without the package."""
    modules = imported([], code=f"{PIPELINE}; import spacy.cli", plugins=[])
    assert "spacy_dualre" not in modules
    return modules


@pytest.mark.parametrize(
    "command, code, ours",
    [
        (["info"], "", "spacy_dualre.cli.app"),
        (["dualre", "--help"], "", "spacy_dualre.cli.app"),
        ([], "import spacy_dualre", "spacy_dualre.types"),
        ([], PIPELINE, "spacy_dualre.pipeline.factory"),
    ],
)
def test_no_library_is_imported_on_our_account(without: Set[str], command: List[str], code: str, ours: str) -> None:
    modules = imported(command, code)
    assert ours in modules, "else this shows nothing"
    packages = {name for name in modules - without if "." not in name} - set(sys.stdlib_module_names)
    assert packages == {"spacy_dualre"}
