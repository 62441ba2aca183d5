"""`spacy dualre explain`: why a pipeline finds a relation between two mentions, or none."""

from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

import srsly
import typer
from wasabi import msg

from ..errors import Errors
from .app import WITH_OVERRIDES, config_overrides, dualre_cli, readable_errors
from .options import Code, Model
from .source import SOURCE_HELP, read_docs

if TYPE_CHECKING:
    from ..views.explanation import Explanation

#: Of the pairs that were left out for the same reason, this many are printed.
_SHOWN = 5


@dualre_cli.command("explain", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def explain_cli(
    ctx: typer.Context,
    model: Model,
    source: str = typer.Argument(..., metavar="TEXT", help=SOURCE_HELP),
    subject: Optional[str] = typer.Option(None, help="Pairs with this subject alone: the text of a mention"),
    object: Optional[str] = typer.Option(None, help="Pairs with this object alone: the text of a mention"),
    limit: int = typer.Option(1, min=0, help="Explain this many documents of a .spacy file; 0: all"),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON"),
    code: Code = None,
) -> None:
    """Show for every pair of mentions the text and the descriptions that were read, the scores and thresholds of all
    predicates and what was decided, and why other pairs were not scored.
    """
    from ..pipeline.loading import load_pipeline
    from ..views.explanation import explain

    with readable_errors():
        nlp = load_pipeline(model, config_overrides(ctx))
        explained = [
            (str(doc.user_data.get("doc_id") or number), chosen(explain(nlp, doc), subject, object))
            for number, doc in enumerate(read_docs(nlp, source, limit), 1)
        ]
    if as_json:
        values = [{"id": id, "pairs": [pair.to_json() for pair in pairs]} for id, pairs in explained]
        print(srsly.json_dumps(values, indent=2))
        return
    for id, pairs in explained:
        if len(explained) > 1 or source.endswith(".spacy"):
            msg.divider(f"Document {id}")
        print_explanations(pairs)


def chosen(pairs: "List[Explanation]", subject: Optional[str], object: Optional[str]) -> "List[Explanation]":
    """Those with this subject and object. Raises ValueError where there is no such mention."""
    known = dict.fromkeys(span.text for pair in pairs for span in (pair.subject, pair.object))
    for text in (subject, object):
        if text is not None and text not in known:
            raise ValueError(Errors.DR834.format(text=text, known=", ".join(known) or "one alone"))
    return [pair for pair in pairs if subject in (None, pair.subject.text) and object in (None, pair.object.text)]


def print_explanations(pairs: "List[Explanation]") -> None:
    """Each scored pair with a table of its predicates, then the others by reason."""
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
        msg.warn("No pairs: there is one mention or none, or no pair in this direction.")


def _name(pair: "Explanation") -> str:
    return f"{pair.subject.text} ({pair.subject.label_}) -> {pair.object.text} ({pair.object.label_})"


def _print_scored(pair: "Explanation") -> None:
    msg.divider(_name(pair))
    print(f"read: {pair.text}\n")
    rows: List[Tuple[str, ...]] = []
    decided = {rel.predicate for rel in pair.decided}
    for score in pair.scores:
        numbers = (score.similarity, score.classifier, score.probability, score.threshold)
        cells = [score.predicate, *("-" if number is None else f"{number:.3f}" for number in numbers)]
        first = "decided" if score.predicate in decided else "" if score.possible else "not for these types"
        rows.append((*cells, first, *score.descriptions[:1]) if score.descriptions else (*cells, first, ""))
        rows += [("", "", "", "", "", "", text) for text in score.descriptions[1:]]
    header = ("", "similarity", "classifier", "probability", "threshold", "", "description read")
    msg.table(rows, header=header, aligns=("l", "r", "r", "r", "r", "l", "l"), max_col=200)
    names = ", ".join(f"{rel.predicate} ({rel.score:.2f})" for rel in pair.decided)
    print(f"decided: {names or 'no relation'}")
