"""The campaigns of `python -m tests.campaign` find nothing, and would find faults."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from campaign.trials import Campaign, Trial, run
from helpers.paths import ROOT

pytestmark = pytest.mark.slow

#: A fault of each kind: documents that are done are done again, offsets are not checked, nothing is escaped, weights
#: may run code, and other threads than the first find nothing.
FAULTS = """
import threading
import torch
from spacy_dualre.extract import Extraction
from spacy_dualre.pipeline.component import DualEncoderRel
from spacy_dualre.records.record import Record
from spacy_dualre.views.templating import environment

add, load, decide = Record.add_mention, torch.load, DualEncoderRel.decide
Extraction.skip = lambda self, records, done: list(done) and None
Record.add_mention = lambda self, one, *args, **more: self.text[one.end - 1] and add(self, one, *args, **more)
environment.autoescape = False
torch.load = lambda *args, **more: load(*args, **{**more, "weights_only": False})
DualEncoderRel.decide = lambda *args: decide(*args) if threading.current_thread() is threading.main_thread() else []
"""
RUN = "import sys; from tests.campaign.__main__ import main; sys.exit(main(sys.argv[1:]))"
SMALL = ("--kills", "2", "--files", "10", "--strings", "12", "--rounds", "1")


def campaign(*args, faults=""):
    """The exit status, the numbers of failures by campaign, and the output."""
    command = [sys.executable, "-c", f"{faults}\n{RUN}", *args]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(result.stdout, result.stderr)
    rows = re.findall(r"^(\S+) .* (\d+) +(\d+) +(\d+) +\d+$", result.stdout, re.MULTILINE)
    return result.returncode, {name: (int(tries), int(failures)) for name, tries, failures, _ in rows}, result.stdout


def test_nothing_new_fails():
    status, rows, output = campaign(*SMALL)
    assert status == 0 and "New failures" not in output
    assert len(rows) > 10 and all(tries for name, (tries, _) in rows.items() if name != "hostile-browser")


def test_faults_are_found():
    names = ("extract", "extract-brat", "files-read", "files-stream", "hostile-render", "foreign", "threads")
    status, rows, output = campaign(*SMALL, *(f"--only={name}/" for name in names), faults=FAULTS)
    assert status == 1 and "New failures" in output
    assert {name for name, (_, failures) in rows.items() if failures} == set(names)


def hang(_):
    time.sleep(60)


def crash(_):
    os.kill(os.getpid(), signal.SIGKILL)


def fill_memory(_):
    return bytearray(10**9)


def fail(attempt):
    attempt.tell("the impossible")
    raise KeyError("no")


def test_trials_that_hang_crash_or_take_too_much_memory_have_failed_and_the_others_go_on(tmp_path):
    runs = {"good": lambda attempt: attempt.tell("good"), "bad": fail, "hang": hang, "crash": crash, "big": fill_memory}
    trials = [Trial(f"own/{name}", run) for name, run in [*runs.items(), ("last", runs["good"])]]
    found = {one.name: one for one in run(Campaign("own", "", lambda: trials, 2, 500), 0, tmp_path)}
    assert [name for name, one in found.items() if one.problem is None] == ["own/good", "own/last"]
    for name, problem in (("hang", "not over after 2 s"), ("crash", "status -9"), ("big", "MemoryError")):
        assert problem in found[f"own/{name}"].problem
    assert re.fullmatch(
        r"own/bad \| the impossible \| KeyError: 'no' \(tests/test_campaign.py:\d+\)", str(found["own/bad"])
    )
    assert sorted(path.name.split("-")[1] for path in tmp_path.iterdir() if path.is_dir()) == [
        "bad",
        "big",
        "crash",
        "hang",
    ]


def test_the_same_seed_tries_the_same(tmp_path):
    def told(seed, only=""):
        trials = [Trial(f"own/{n}", lambda attempt: attempt.tell(str(attempt.random.random()))) for n in range(3)]
        return [one.tried for one in run(Campaign("own", "", lambda: trials, 5), seed, tmp_path, only)]

    assert told(1) == told(1) != told(2) and told(1, "own/2") == told(1)[2:] and len({*told(1)}) == 3
