"""The command group `spacy dualre`, and code shared by its commands.

Commands parse options and print; the work is done elsewhere. spaCy imports this module for each of its own commands, so
the command modules, and torch with them, are only imported when called.
"""

import multiprocessing
import os
import signal
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Callable, Dict, Iterable, Iterator, List, Optional

import typer
from spacy.cli._util import InterpolationError, app, import_code
from typer.core import TyperGroup
from typer.main import get_group
from wasabi import Printer

from ..errors import visible
from ..pipeline.configs import in_words

HELP = "Relation extraction with predicate descriptions: convert corpora, evaluate, extract, measure."
#: Everyday commands first, the laboratory last.
COMMANDS = {
    "init-config": "Start a project for your own corpus",
    "convert": "Convert a corpus to .spacy",
    "train": "Train like `spacy train`, with checkpoints",
    "evaluate": "Score a pipeline on annotated documents",
    "extract": "Find relations in documents, any number of them",
    "visualize": "Draw relations over their sentences",
    "check": "Say what a pipeline needs, has, knows and lacks",
    "explain": "Show why a pipeline finds a relation, or none",
    "graph": "Merge extracted relations into a knowledge graph",
    "tune": "Find a better threshold and a faster cascade",
    "card": "Write a model card",
    "shrink": "Store a pipeline in half the space",
    "score": "Score predictions officially and compare them",
    "benchmark": "Measure the speed and memory use of a pipeline",
    "ablations": "Train the variants of a plan and compare them",
    "results": "Make tables of ablations",
}
#: What may follow each command, for its help.
EXAMPLES = {
    "init-config": "--labels WORKS_FOR,FOUNDED --types PERSON,COMPANY --output mine",
    "convert": "jsonl corpus/mine/data.jsonl corpus/mine/train.spacy",
    "train": "configs/default.cfg --output training/mine --paths.train train.spacy --paths.dev dev.spacy",
    "evaluate": "training/demo/model-best corpus/demo/test.spacy --output scores.json",
    "extract": "training/demo/pipeline abstracts.csv relations.jsonl --threshold 0.7",
    "visualize": 'training/demo/pipeline "Zileuton inhibits 5-lipoxygenase." --output relations.html',
    "check": "training/demo/pipeline corpus/demo/test.spacy",
    "explain": 'training/demo/pipeline "Zileuton inhibits 5-lipoxygenase."',
    "graph": "relations.jsonl --output graph.html --output graph.ttl --min-score 0.7",
    "tune": "training/demo/model-best corpus/demo/dev.spacy training/demo/model-tuned --threshold",
    "card": "training/demo/model-best --scores scores.json",
    "shrink": "training/demo/pipeline training/demo/small",
    "score": "chemprot gold_standard.tsv first.tsv second.tsv",
    "benchmark": "training/demo/model-best corpus/demo/test.spacy --limit 10",
    "ablations": "configs/ablations.json --output training/demo/ablations",
    "results": "training/demo/ablations --output table.md",
}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is called; the help texts come from `COMMANDS`."""

    def list_commands(self, ctx: Any) -> List[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            with readable_errors():  # of a library that only this command needs
                import_module(f"{__package__}.{cmd_name.replace('-', '_')}")
        found = get_group(dualre_cli).commands.get(cmd_name)
        if found is not None:
            # \b keeps it in one line, to be copied
            found.epilog = f"\b\nExample: python -m spacy dualre {cmd_name} {EXAMPLES[cmd_name]}"
        return found

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.rich_markup_mode = None  # rich would import every command for its help
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class _Printer(Printer):
    """Prints texts and names from documents too: see `visible`."""

    def text(self, title: Any = "", text: Any = "", *more: Any, **settings: Any) -> Any:
        return super().text(visible(title), visible(text), *more, **settings)

    def divider(self, text: str = "", *more: Any, **settings: Any) -> Any:
        return super().divider(visible(text), *more, **settings)

    def table(self, data: Iterable[Iterable[Any]], **settings: Any) -> Any:
        return super().table([tuple(map(visible, row)) for row in data], **settings)


msg = _Printer()


def say(text: str, err: bool = False) -> None:
    """Print a text as it is, but for what `visible` replaces."""
    typer.echo(visible(text), err=err)


dualre_cli = typer.Typer(name="dualre", help=HELP, cls=LazyGroup, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dualre_cli)

#: For commands that take config settings as options, as `spacy train` does
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}
Model = Annotated[str, typer.Argument(help="Trained pipeline: folder or installed package")]
Gpu = Annotated[int, typer.Option("--gpu-id", "--gpu", "-g", help="GPU ID or -1 for CPU")]
#: The file is imported before the pipeline is loaded
Code = Annotated[Optional[Path], typer.Option("--code", "-c", callback=import_code, help="Python file to import")]
#: Without a path the pipeline keeps its predicates
Descriptions = Annotated[Optional[Path], typer.Option(help="Ask about the predicates in this file, not the pipeline's")]
MaxLength = Annotated[Optional[int], typer.Option(min=1, help="Longest text in characters, not spaCy's 1,000,000")]
JsonOutput = Annotated[Optional[Path], typer.Option("--output", "-o", help="Write the results as JSON to this file")]


class Interrupted(SystemExit):
    """Raised on a signal, with the exit status 128 plus the signal's number."""


@contextmanager
def interruptible(*kinds: signal.Signals) -> Iterator[None]:
    """Make these signals raise Interrupted, once, and kill worker processes, whose batches are no longer needed."""
    owner = os.getpid()

    def stop(number: int, frame: Optional[FrameType]) -> None:
        if os.getpid() != owner:
            os._exit(128 + number)
        for kind in before:
            signal.signal(kind, signal.SIG_IGN)
        for worker in multiprocessing.active_children():
            worker.kill()
        raise Interrupted(128 + number)

    before = {kind: signal.signal(kind, stop) for kind in kinds}
    try:
        yield
    except Exception as err:
        # transformers says that it lacks a library if it is interrupted while it loads a tokenizer
        cause: Optional[BaseException] = err
        while isinstance(cause, Exception):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise cause from None
        raise
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Report errors in the user's files and settings in one line, with exit status 1; clean up on SIGTERM."""
    try:
        with interruptible(signal.SIGTERM):
            yield
    except (ValueError, OSError, ImportError, InterpolationError) as err:
        msg.fail(in_words(err), exits=1)


def command(name: str, **settings: Any) -> Callable[[Callable], Callable]:
    """Register a command with readable errors."""
    register = dualre_cli.command(name, no_args_is_help=True, **settings)
    return lambda function: register(readable_errors()(function))


def print_scores(scores: Dict[str, Any]) -> None:
    """Print precision, recall and F1 in per cent: per predicate, micro-averaged or official, and macro-averaged."""
    if scores["rels_per_type"] is None:
        msg.warn("No relations, neither in the data nor predicted.")
        return
    rows = [(name, *_percent(score["p"], score["r"], score["f"])) for name, score in scores["rels_per_type"].items()]
    total = _percent(scores["rels_p"], scores["rels_r"], scores["rels_f"])
    rows += [("official" if "rels_f_interval" in scores else "all (micro)", *total)]
    rows += [("all (macro)", "", "", *_percent(scores["rels_macro_f"]))]
    if "ents_f" in scores:
        rows += [("mentions", *_percent(scores["ents_p"], scores["ents_r"], scores["ents_f"]))]
    msg.table(rows, header=("", "P", "R", "F"), aligns=("l", "r", "r", "r"))
    if "rels_f_interval" in scores:
        msg.text("95 % interval of the official F: {} to {}".format(*_percent(*scores["rels_f_interval"])))
    speed = f", {scores['speed']:.0f} words/s" if "speed" in scores else ""
    msg.text(f"{scores['documents']} documents{speed}")


def _percent(*values: float) -> tuple:
    return tuple(f"{100 * value:.1f}" for value in values)
