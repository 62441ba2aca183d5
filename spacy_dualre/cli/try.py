"""`spacy dualre try`: a first look at a text, for predicates that are only named or described."""

from pathlib import Path
from typing import Iterable, Optional

import typer

from ..annotations.relations import set_rels
from ..instances.descriptions import add_named, read_descriptions
from ..pipeline.component import DualEncoderRel
from ..pipeline.pipelines import find_component
from ..types import Relation
from ..views import render
from ..views.trial import FINDERS, GENERAL, best_relations, load_general, with_mentions
from ..writing import check_writable, write_text
from .app import Code, command, msg, say
from .source import text_of

_TEXT = "A text, a .txt file, or - for standard input. It may mark its mentions: [Marie Curie|PERSON], or [Warsaw]"
_PREDICATES = 'Names, parted by commas, or templates without a comma such as "{subject} was born in {object}."'
_DESCRIPTIONS = "JSON file with predicates and their templates"
_PIPELINE = "Trained pipeline for any predicates: folder or installed package"
_MENTIONS = f"Pipeline that finds mentions where none are given; by default --pipeline if it can, else {FINDERS[0]}"
_OUTPUT = "Draw the relations in this HTML file"
#: Candidates that are shown if none is a relation.
_SHOWN = 5


@command("try")
def try_cli(
    source: str = typer.Argument(..., metavar="TEXT", help=_TEXT),
    predicates: Optional[str] = typer.Option(None, "--predicates", "-p", help=_PREDICATES),
    descriptions: Optional[Path] = typer.Option(None, "--descriptions", "-d", help=_DESCRIPTIONS),
    pipeline: str = typer.Option(GENERAL, help=_PIPELINE),
    mentions: Optional[str] = typer.Option(None, help=_MENTIONS),
    threshold: Optional[float] = typer.Option(None, min=0.0, max=1.0, help="Threshold, instead of the pipeline's"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help=_OUTPUT),
    code: Code = None,
) -> None:
    """Find the relations between the mentions of a text for predicates that were never trained, by their names or
    descriptions alone. Without any, for those of the pipeline.
    """
    check_writable(output)
    text = text_of(source)
    asked = read_descriptions(descriptions) if descriptions is not None else {}
    if predicates is not None:
        asked = add_named(asked, predicates.split(","))
    nlp = load_general(pipeline)
    _, rel = find_component(nlp)
    if predicates is not None or descriptions is not None:
        rel.set_labels(asked)
    doc = with_mentions(nlp, text, mentions)
    best = best_relations(nlp, doc)
    threshold = rel.threshold if threshold is None else threshold
    found = [one for one in best if one.score >= threshold]
    if not found:
        msg.warn(f"No relation reaches the threshold of {threshold}. The nearest:")
    _print(found or best[:_SHOWN], rel)
    if output is not None:
        set_rels(doc, found)
        options = {"spans_key": rel.spans_key, "symmetric": rel.undirected}
        write_text(output, render(doc, page=True, jupyter=False, options=options) or "")
        msg.good(f"Drew {len(found)} relations in {output}")


def _print(relations: Iterable[Relation], rel: DualEncoderRel) -> None:
    for one in relations:
        subject, object = (" ".join(span.text.split()) for span in (one.subject, one.object))
        arrow = "-" if one.predicate in rel.undirected else "->"
        say(f"{subject} - {one.predicate} {arrow} {object}  {one.score:.2f}")
