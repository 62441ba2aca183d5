"""The command group `spacy dualre`. Commands print; everything that they do is done elsewhere."""

import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional

import typer
from click import ClickException
from spacy.cli._util import app, parse_config_overrides
from wasabi import msg

from ..annotations.mentions import SPANS_KEY
from ..errors import Errors
from .interrupt import Interrupted, interruptible

if TYPE_CHECKING:
    from spacy.language import Language

HELP = "Relation extraction with predicate descriptions: convert corpora, evaluate, extract, measure."

dualre_cli = typer.Typer(name="dualre", help=HELP, no_args_is_help=True)
app.add_typer(dualre_cli)


#: For commands that take settings of the pipeline's config as options, as `spacy train` does
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn errors about the user's files and settings into one line and exit status 1, and SIGTERM into an end that
    leaves nothing unfinished behind.
    """
    try:
        with interruptible(signal.SIGTERM):
            yield
    except Interrupted as err:
        raise typer.Exit(err.code) from None
    except (ValueError, OSError, ImportError) as err:
        msg.fail(str(err), exits=1)


def mentions_key(nlp: "Language") -> Optional[str]:
    """The span group that a pipeline's relations are read from; None: ``doc.ents``."""
    from ..pipeline.component import DualEncoderRel

    return next((pipe.spans_key for _, pipe in nlp.pipeline if isinstance(pipe, DualEncoderRel)), SPANS_KEY)


def config_overrides(ctx: typer.Context, env_var: Optional[str] = None) -> Dict[str, Any]:
    """The settings of the config among a command's options and, if it is named, in an environment variable. Raises
    ValueError for one that looks like none.
    """
    try:
        return parse_config_overrides(ctx.args, env_var=env_var)
    except ClickException as err:
        raise ValueError(err.format_message()) from err


def existing(path: Path, hint: str) -> Path:
    """The path, if it exists. Raises ValueError with the hint if not."""
    if not path.exists():
        raise ValueError(Errors.DR005.format(path=path, hint=hint))
    return path


def print_scores(scores: Dict[str, Any]) -> None:
    """A table of the scores per predicate, micro (or official) and macro, in per cent."""
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


def interactive() -> bool:
    """Whether somebody watches: progress bars are for them alone."""
    return sys.stderr.isatty()
