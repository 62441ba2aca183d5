"""`spacy dualre explain`: why a pipeline does or does not relate two mentions."""

from typing import Dict, List, Optional, Tuple

import srsly
import typer
from spacy.cli._util import parse_config_overrides

from ..errors import Errors
from ..pipeline.pipelines import load_pipeline
from ..views.explanation import Explanation, explain
from .app import WITH_OVERRIDES, Code, Model, command, msg, say
from .source import SOURCE_HELP, read_docs

#: Unscored pairs listed per reason.
_SHOWN = 5


@command("explain", context_settings=WITH_OVERRIDES)
def explain_cli(
    ctx: typer.Context,
    model: Model,
    source: str = typer.Argument(..., metavar="TEXT", help=SOURCE_HELP),
    subject: Optional[str] = typer.Option(None, help="Only explain pairs whose subject has this text"),
    object: Optional[str] = typer.Option(None, help="Only explain pairs whose object has this text"),
    limit: int = typer.Option(1, min=0, help="Explain at most this many documents of a .spacy file; 0: all"),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON"),
    code: Code = None,
) -> None:
    """Show the model's input for each pair of mentions, the score of each predicate, and the decision.

    Pairs that were not scored are listed with the reason.
    """
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    explained = [
        (str(doc.user_data.get("doc_id") or number), chosen(explain(nlp, doc), subject, object))
        for number, doc in enumerate(read_docs(nlp, source, limit), 1)
    ]
    if as_json:
        values = [{"id": id, "pairs": [pair.to_json() for pair in pairs]} for id, pairs in explained]
        say(srsly.json_dumps(values, indent=2))
        return
    for id, pairs in explained:
        if len(explained) > 1 or source.endswith(".spacy"):
            msg.divider(f"Document {id}")
        print_explanations(pairs)


def chosen(pairs: List[Explanation], subject: Optional[str], object: Optional[str]) -> List[Explanation]:
    """The pairs with this subject and object text. Raises ValueError if there is no such mention."""
    known = dict.fromkeys(span.text for pair in pairs for span in (pair.subject, pair.object))
    for text in (subject, object):
        if text is not None and text not in known:
            raise ValueError(Errors.DR834.format(text=text, known=", ".join(known) or "fewer than two"))
    return [pair for pair in pairs if subject in (None, pair.subject.text) and object in (None, pair.object.text)]


def print_explanations(pairs: List[Explanation]) -> None:
    """Print a table of predicates for each scored pair, then the other pairs by reason."""
    left_out: Dict[str, List[Explanation]] = {}
    for pair in pairs:
        if pair.reason is not None:
            left_out.setdefault(pair.reason, []).append(pair)
        else:
            _print_scored(pair)
    for reason, group in left_out.items():
        names = "; ".join(_name(pair) for pair in group[:_SHOWN])
        more = f" and {len(group) - _SHOWN} more (--json lists all)" if len(group) > _SHOWN else ""
        msg.info(f"Not scored, {reason}: {names}{more}")
    if not pairs:
        msg.warn("No pairs: there are fewer than two mentions, or no pair in this direction.")


def _name(pair: Explanation) -> str:
    subject, object = (f"{span.text} ({span.label_})" for span in (pair.subject, pair.object))
    concepts = f", as {pair.concepts[0].id} -> {pair.concepts[1].id}" if pair.concepts else ""
    return f"{subject} -> {object}{concepts}"


def _print_scored(pair: Explanation) -> None:
    msg.divider(_name(pair))
    say(f"read: {pair.text}\n")
    rows: List[Tuple[str, ...]] = []
    decided = {rel.predicate for rel in pair.decided}
    for score in pair.scores:
        numbers = (score.similarity, score.classifier, score.probability, score.threshold)
        cells = [score.predicate, *("-" if number is None else f"{number:.3f}" for number in numbers)]
        cells.append("decided" if score.predicate in decided else "" if score.possible else "not for these types")
        first, *others = score.descriptions or [""]
        rows += [(*cells, first), *(("", "", "", "", "", "", text) for text in others)]
    header = ("", "similarity", "classifier", "probability", "threshold", "", "description read")
    msg.table(rows, header=header, aligns=("l", "r", "r", "r", "r", "l", "l"), max_col=200)
    names = ", ".join(f"{rel.predicate} ({rel.score:.2f})" for rel in pair.decided)
    say(f"decided: {names or 'no relation'}")
