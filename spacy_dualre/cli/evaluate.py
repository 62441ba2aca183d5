"""`spacy dualre evaluate`: the scores of a trained pipeline on annotated documents."""

from pathlib import Path
from time import perf_counter
from typing import Any, Dict, List, Optional

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example

from ..annotations.mentions import get_mentions
from ..errors import Errors
from ..pipeline.pipelines import ask_about, check_finds_mentions, find_component, load_pipeline, predict_examples
from ..scoring.protocols import PROTOCOLS, Protocol, document_ids, get_protocol, predicates_of
from ..scoring.scorer import make_rel_scorer, score_mentions
from ..scoring.significance import official_scores
from ..training.reader import rel_corpus
from ..views.report import write_report
from ..writing import check_writable, write_json
from .app import WITH_OVERRIDES, Code, Descriptions, Gpu, JsonOutput, Model, command, print_scores

SCORES = ("rels_p", "rels_r", "rels_f", "rels_macro_f", "rels_per_type")


@command("evaluate", context_settings=WITH_OVERRIDES)
def evaluate_cli(
    ctx: typer.Context,
    model: Model,
    data_path: Path = typer.Argument(..., metavar="DATA", help="Annotated documents, .spacy"),
    output: JsonOutput = None,
    descriptions: Descriptions = None,
    protocol: Optional[str] = typer.Option(None, help=f"Score as the official scorer does: {', '.join(PROTOCOLS)}"),
    predictions: Optional[Path] = typer.Option(None, help="Write the relations found, in the protocol's own format"),
    report: Optional[Path] = typer.Option(None, help="Write an error report (index.html) to this folder"),
    gold_mentions: bool = typer.Option(True, help="Give the pipeline the gold mentions; else it finds its own"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Score Doc._.rels. Every gold relation counts, whether or not it had a candidate.

    With --no-gold-mentions the pipeline gets raw text. A relation is then correct if its predicate and both mentions,
    with their offsets and types, are; mentions are scored too.
    """
    setup_gpu(use_gpu, silent=False)
    check_writable(output, predictions, report and report / "index.html")
    if predictions is not None and protocol is None:
        raise ValueError(Errors.DR821.format(known=", ".join(PROTOCOLS)))
    if protocol is not None and not gold_mentions:
        raise ValueError(Errors.DR822)
    official = get_protocol(protocol) if protocol is not None else None
    corpus = rel_corpus(data_path, gold_mentions=gold_mentions)
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    ask_about(nlp, descriptions)
    _, rel = find_component(nlp)
    examples = list(corpus(nlp))
    if not examples:
        raise ValueError(Errors.DR714.format(path=data_path))
    if gold_mentions and not any(get_mentions(example.predicted, rel.spans_key) for example in examples):
        raise ValueError(Errors.DR823.format(path=data_path))
    # Fails before the work if predictions cannot be written for lack of ids
    ids = document_ids(example.reference for example in examples) if predictions is not None else []
    scores = evaluate(nlp, examples, gold_mentions, official)
    if official is not None and predictions is not None:
        official.write(zip(ids, (example.predicted for example in examples)), predictions)
    if report is not None:
        write_report(nlp, examples, report)
    write_json(output, scores)
    print_scores(scores)


def evaluate(
    nlp: Language, examples: List[Example], gold_mentions: bool = True, protocol: Optional[Protocol] = None
) -> Dict[str, Any]:
    """Score the relations that a pipeline finds in annotated documents.

    Returns:
        documents, rels_p, rels_r, rels_f, rels_macro_f and rels_per_type (0 to 1), speed in words per second; with a
        protocol also protocol and rels_f_interval; without gold mentions also ents_p, ents_r, ents_f, ents_per_type.
    """
    _, rel = find_component(nlp)
    if not gold_mentions:
        check_finds_mentions(nlp)
        # Strict, by offsets and type: found mentions lack ids
        rel.scorer = make_rel_scorer()
    start = perf_counter()
    predict_examples(nlp, examples, gold_mentions)
    speed = sum(len(example.predicted) for example in examples) / (perf_counter() - start)
    scores = Scorer(nlp).score(examples)
    result = {"documents": len(examples), **{name: scores.get(name) for name in SCORES}, "speed": speed}
    if not gold_mentions:
        result.update(score_mentions(examples, rel.spans_key, rel.type_map))
    if protocol is not None:
        protocol = protocol.counting(predicates_of(examples))
        result.update(official_scores(protocol, protocol.count_examples(examples)), protocol=protocol.name)
    return result
