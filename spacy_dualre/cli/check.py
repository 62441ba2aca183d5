"""`spacy dualre check`: why a pipeline may find no relations."""

from typing import Optional

import typer
from spacy.cli._util import parse_config_overrides

from ..errors import Errors
from ..pipeline.pipelines import load_pipeline
from ..views.checkup import check_documents, check_pipeline
from .app import WITH_OVERRIDES, Code, Model, command, msg
from .source import SOURCE_HELP, read_examples


@command("check", context_settings=WITH_OVERRIDES)
def check_cli(
    ctx: typer.Context,
    model: Model,
    source: Optional[str] = typer.Argument(None, metavar="[TEXT]", help=SOURCE_HELP),
    limit: int = typer.Option(100, min=0, help="Look at this many documents of .spacy files; 0: all"),
    code: Code = None,
) -> None:
    """Say what a pipeline needs to find relations, has, knows and lacks.

    With a text or documents, also what becomes of these. The exit status is 1 if they hold no candidate.
    """
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    findings = list(check_pipeline(nlp))
    if source is not None:
        findings += check_documents(nlp, read_examples(nlp, source, limit))
    for topic, text, is_lack in findings:
        line = f"{f'{topic}:' if topic else '':<12} {text}"
        msg.warn(line) if is_lack else msg.text(f"  {line}")
    if any(finding.topic == "candidates" and finding.is_lack for finding in findings):
        raise ValueError(Errors.DR837)
