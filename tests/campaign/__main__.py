"""Run the campaigns and print what failed. The exit status is 1 if anything failed that was not known."""

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List, Sequence

import torch
from wasabi import msg

from . import damage, foreign, hostile, kills, round_trips, sharing
from .ground import Ground
from .known import cause
from .trials import Campaign, Outcome, run

_HEADER = ("campaign", "what is tried", "tries", "failures", "known", "seconds")


def main(arguments: Sequence[str]) -> int:
    """Run the campaigns. Returns the exit status."""
    options = parse(arguments)
    # The networks are tiny, and processes are forked
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    logging.getLogger("spacy_dualre").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        failures: List[Outcome] = []
        for campaign in all_campaigns(Ground(folder.resolve()), options):
            begin = time.monotonic()
            outcomes: List[Outcome] = []
            if not campaign.skipped:
                outcomes = list(run(campaign, options.seed, folder.resolve(), tuple(options.only or [""])))
            failed = [outcome for outcome in outcomes if outcome.problem is not None]
            failures += failed
            tried = f"{campaign.tried} (skipped: {campaign.skipped})" if campaign.skipped else campaign.tried
            counts = (len(outcomes), len(failed), sum(cause(outcome) is not None for outcome in failed))
            rows.append((campaign.name, tried, *counts, f"{time.monotonic() - begin:.0f}"))
            print(campaign.name, *counts, file=sys.stderr, flush=True)
    msg.table(rows, header=_HEADER, aligns=tuple("llrrrr"), divider=True, max_col=80)
    for wrong in sorted({cause(outcome) for outcome in failures}, key=lambda wrong: wrong or ""):
        print(f"Known: {wrong}" if wrong else "New failures")
        print(*(f"  {outcome}" for outcome in failures if cause(outcome) == wrong), "", sep="\n")
    if failures:
        sizes = f"--seed {options.seed} --kills {options.kills} --files {options.files} --strings {options.strings}"
        print(f"Repeat one with: python -m tests.campaign {sizes} --folder KEPT --only NAME")
    return 1 if any(cause(outcome) is None for outcome in failures) else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser("python -m tests.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="kills at times, and at file operations, of each command")
    parser.add_argument("--files", type=int, default=50, help="damaged files of each kind")
    parser.add_argument("--strings", type=int, default=50, help="hostile strings for each kind of output")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of threads, and of processes, with each setting")
    parser.add_argument("--seed", type=int, default=0, help="decides all that is random")
    parser.add_argument("--only", action="append", metavar="NAME", help="trials whose names start so; may be repeated")
    parser.add_argument("--folder", type=Path, help="work here, and keep what failing trials leave, and log.txt")
    return parser.parse_args(arguments)


def all_campaigns(ground: Ground, options: argparse.Namespace) -> Iterator[Campaign]:
    """The campaigns that have trials to run."""
    found = [
        *kills.campaigns(ground, options.seed, options.kills),
        *damage.campaigns(ground, options.files),
        *hostile.campaigns(ground, options.seed, options.strings),
        *round_trips.campaigns(ground, options.seed, options.strings),
        *foreign.campaigns(ground, options.strings),
        *sharing.campaigns(ground, options.rounds),
    ]
    for campaign in found:
        trials = f"{campaign.name}/"
        if any(trials.startswith(name) or name.startswith(trials) for name in options.only or [""]):
            yield campaign


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
