"""The command group `spacy dualre`. Commands parse options and print; the work is done elsewhere."""

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
    """Report errors in the user's files and settings on one line, with exit status 1; clean up on SIGTERM."""
    try:
        with interruptible(signal.SIGTERM):
            yield
    except Interrupted as err:
        raise typer.Exit(err.code) from None
    except ClickException as err:  # spaCy's, of options that are no settings
        msg.fail(err.format_message(), exits=1)
    except (ValueError, OSError, ImportError) as err:
        msg.fail(str(err), exits=1)


def mentions_key(nlp: "Language") -> Optional[str]:
    """The span group that holds a pipeline's mentions; None for ``doc.ents``."""
    from ..pipeline.component import DualEncoderRel

    return next((pipe.spans_key for _, pipe in nlp.pipeline if isinstance(pipe, DualEncoderRel)), SPANS_KEY)


def config_overrides(ctx: typer.Context, env_var: Optional[str] = None) -> Dict[str, Any]:
    """Config settings among a command's options and, if it is named, in an environment variable."""
    return parse_config_overrides(ctx.args, env_var=env_var)


def existing(path: Path, hint: str) -> Path:
    """Return the path, or raise ValueError with the hint if nothing is there."""
    if not path.exists():
        raise ValueError(Errors.DR005.format(path=path, hint=hint))
    return path


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


def interactive() -> bool:
    """Whether standard error is a terminal, so that a progress bar makes sense."""
    return sys.stderr.isatty()
