"""`spacy dualre zero-shot`: a trained pipeline on predicates that it was not trained on."""

from pathlib import Path
from typing import Any, Dict, Optional

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu

from ..errors import Errors, Warnings
from ..instances.descriptions import read_descriptions
from ..lab.zero_shot import zero_shot
from ..pipeline.pipelines import load_pipeline
from ..training.reader import rel_corpus
from ..writing import check_writable, write_json
from .app import WITH_OVERRIDES, Code, Gpu, JsonOutput, Model, command, msg


@command("zero-shot", context_settings=WITH_OVERRIDES)
def zero_shot_cli(
    ctx: typer.Context,
    model: Model,
    data_path: Path = typer.Argument(..., metavar="DATA", help="Documents with predicates not trained on, .spacy"),
    descriptions: Optional[Path] = typer.Option(None, help="Descriptions of these, JSON, if not the pipeline's own"),
    predicates: str = typer.Option("", help="Those to ask about, separated by commas; by default all in DATA"),
    trained_data: Optional[Path] = typer.Option(None, help="Other documents, with trained predicates, .spacy"),
    seed: int = typer.Option(0, min=0, help="Which documents find a threshold or a constant for which others"),
    output: JsonOutput = None,
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Measure a pipeline, trained with alpha = 0, on predicates that it was not trained on: on related pairs alone, on
    all candidates and, with --trained-data, against the trained predicates. "Calibrated" takes each predicate's mean
    score over the pairs from its scores.

    Where a document is annotated for one pair of mentions, as in FewRel, its reverse is the only pair that is not
    related. Documents with predicates other than --predicates are left out. Of those in --trained-data, the ones left
    out of the training, or else a half of all, play the unseen ones to find a constant that the trained ones lose.
    """
    setup_gpu(use_gpu, silent=False)
    check_writable(output)
    texts = read_descriptions(descriptions) if descriptions is not None else {}
    corpus, of_trained = rel_corpus(data_path), trained_data and rel_corpus(trained_data)
    nlp = load_pipeline(model, parse_config_overrides(ctx.args, env_var=None))
    examples, trained_examples = list(corpus(nlp)), list(of_trained(nlp)) if of_trained else []
    for path, given in ((data_path, examples), (trained_data, trained_examples)):
        if path is not None and not given:
            raise ValueError(Errors.DR714.format(path=path))
    asked = list(filter(None, (name.strip() for name in predicates.split(","))))
    scores = zero_shot(nlp, examples, texts, asked, trained_examples, seed)
    write_json(output, scores)
    if scores["known_to_the_pipeline"]:
        msg.warn(Warnings.DW829.format(names=", ".join(scores["known_to_the_pipeline"])))
    print_zero_shot(scores)


def print_zero_shot(scores: Dict[str, Any]) -> None:
    """Print a table for each protocol, and the counts."""
    pure, rejection, rivals = scores["pure"], scores["rejection"], scores.get("generalised")
    kinds = ("plain", "calibrated")
    unanswered = f", {pure['unanswered']} unanswered for their types" if pure["unanswered"] else ""
    msg.divider(f"{pure['pairs']} related pairs{unanswered}")
    figures = ("accuracy", "macro_f", "f_of_means")
    rows = [(kind, *(_percent(pure[kind][name]) for name in figures)) for kind in kinds]
    msg.table(rows, header=("", "accuracy", "macro F", "F of means"), aligns=("l", "r", "r", "r"))
    msg.divider(f"All {rejection['candidates']} candidates")
    rows = []
    for kind in kinds:
        for way, title in (("threshold", kind), ("best_threshold", f"{kind}, other half's best")):
            found = rejection[kind][way]
            thresholds = " and ".join(dict.fromkeys(f"{value:.3f}" for value in found["thresholds"]))
            rows.append((title, *(_percent(found[name]) for name in ("p", "r", "f", "macro_f")), thresholds))
    msg.table(rows, header=("", "P", "R", "F", "macro F", "threshold"), aligns=("l", *"rrrrr"))
    if rivals is not None:
        msg.divider("{} related pairs, and {} of trained predicates".format(*rivals["pairs"]))
        ways = {"plain": "plain", "with_constant": f"trained ones less {rivals['constant']:.4g}"}
        means = ("unseen", "trained", "harmonic_mean")
        rows = [(title, *(_percent(rivals[way][name]) for name in means)) for way, title in ways.items()]
        header = ("macro F", "unseen", "trained", "harmonic mean")
        msg.table(rows, header=header, aligns=("l", "r", "r", "r"))
        msg.text(f"Played unseen: {', '.join(rivals['played_unseen'])}")
    msg.text(
        f"{scores['documents']} documents, {scores['documents_without_relations']} of them without relations, "
        f"{scores['documents_left_out']} left out for other predicates"
    )
    msg.text(
        f"{len(scores['predicates'])} predicates, {rejection['relations']} gold relations, "
        f"{rejection['relations_without_candidate']} without a candidate"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
