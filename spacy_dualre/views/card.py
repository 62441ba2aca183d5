"""Model cards: what a trained pipeline finds, its scores, training data and limits."""

from typing import Any, Dict, List, Mapping, Optional

from huggingface_hub import EvalResult, ModelCardData
from spacy.cli.package import generate_readme
from spacy.language import Language

from ..instances.descriptions import ANY_TYPES
from ..pipeline.pipelines import components_before, find_component, finds_mentions
from .templating import environment

#: Keys of meta.json that readers of the card need and training does not fill in.
WANTED = ("description", "license", "author", "sources")


def model_card(nlp: Language, scores: Optional[Mapping[str, Any]] = None, front_matter: bool = False) -> str:
    """Make a model card in Markdown, extending the one that `spacy package` generates from meta.json.

    Args:
        scores: As written by `spacy dualre evaluate`.
        front_matter: Begin with YAML for the Hugging Face hub. `spacy huggingface-hub push` adds its own.

    Raises:
        ValueError: The pipeline has no component for relations.
    """
    component, rel = find_component(nlp)
    meta = {key: value for key, value in nlp.meta.items() if value}
    text = environment.get_template("card.md").render(
        readme=generate_readme(meta).strip(),
        component=component,
        rel=rel,
        predicates=[(label, _cell(value)) for label, value in rel.label_data.items() if label != rel.NIL],
        type_pairs=", ".join(f"{subject} and {object}" for subject, object in sorted(rel.type_pairs or ())),
        package=f"{meta['lang']}_{meta['name']}",
        has_mentions=any(finds_mentions(nlp, name) for name in components_before(nlp, component)),
        scores=scores,
        rows=_score_rows(scores or {}),
        reach=_reach(nlp, component),
    )
    front = f"---\n{_hub_data(meta, scores or {}).to_yaml()}\n---\n\n" if front_matter else ""
    return f"{front}{text}\n"


def missing(nlp: Language) -> List[str]:
    """The empty keys of meta.json that the card needs."""
    return [key for key in WANTED if not nlp.meta.get(key)]


def _hub_data(meta: Mapping[str, Any], scores: Mapping[str, Any]) -> ModelCardData:
    sources = meta.get("sources") or ["not named"]
    corpus = ", ".join(source["name"] if isinstance(source, dict) else source for source in sources)
    results = [
        EvalResult("relation-extraction", "custom", corpus, metric, round(scores[key], 4))
        for key, metric in (("rels_p", "precision"), ("rels_r", "recall"), ("rels_f", "f1"))
        if scores.get("rels_f") is not None
    ]
    return ModelCardData(
        language=meta["lang"] if meta["lang"] != "xx" else "multilingual",
        license=meta.get("license", "").lower().replace(" ", "-") or None,
        library_name="spacy",
        tags=["spacy", "relation-extraction"],
        model_name=f"{meta['lang']}_{meta['name']}",
        eval_results=results or None,
    )


def _cell(value: Any) -> str:
    """The templates of a predicate as a table cell."""
    by_types: Dict[str, Any] = value if isinstance(value, dict) else {ANY_TYPES: value}
    lines = []
    for types, templates in by_types.items():
        prefix = "" if types == ANY_TYPES else f"{types}: "
        lines += [prefix + text for text in ([templates] if isinstance(templates, str) else templates)]
    return "<br>".join(line.replace("|", "\\|").replace("\n", " ") for line in lines)


def _score_rows(scores: Mapping[str, Any]) -> List[tuple]:
    rows = [(f"`{label}`", score) for label, score in (scores.get("rels_per_type") or {}).items()]
    for title, key in (("all relations", "rels"), ("mentions", "ents")):
        if scores.get(f"{key}_f") is not None:
            rows.append((title, {kind: scores[f"{key}_{kind}"] for kind in "prf"}))
    return rows


def _reach(nlp: Language, component: str) -> str:
    """How far apart subject and object may be, according to the candidates' settings."""
    settings = nlp.config["components"][component]["candidates"]
    sentences = settings.get("max_sentences")
    if sentences is None:
        return f"Candidates are made by `{settings.get('@misc')}`, also across sentences."
    if sentences == 0:
        return "Relations across sentences are not found."
    return f"Relations between mentions more than {sentences} sentences apart are not found."
