"""A model card: what a trained pipeline finds, how well, learnt from what, and where its limits are."""

from typing import Any, Dict, List, Mapping, Optional

from huggingface_hub import EvalResult, ModelCardData
from spacy.cli.package import generate_readme
from spacy.language import Language
from wasabi import MarkdownRenderer

from ..instances.descriptions import ANY_TYPES
from ..pipeline.component import DualEncoderRel
from ..pipeline.components import components_before, find_component, finds_mentions

#: What of a pipeline's meta.json a reader of the card needs, and training does not fill in.
WANTED = ("description", "license", "author", "sources")
_USE = """import spacy

nlp = spacy.load("{name}")
doc = nlp("{text}")
for rel in doc._.rels:
    print(rel.subject, rel.predicate, rel.object, rel.score)"""
_INTENDED = (
    "Finding the predicates above between mentions, in texts like those that the pipeline was trained on, for people "
    "who check what matters: each relation comes with a score and with the place in the text that it was read from.",
    "It is not meant to decide anything about a person, such as a diagnosis or a treatment, without an expert.",
)
_LIMITS = (
    "A relation whose mentions are missed, or that the text does not state, is not found.",
    "On other kinds of text, and in other years and fields, expect lower scores: measure it there.",
    "Negated, hedged and planned statements are told apart only as far as the corpus does.",
    "Predicates that are added by a description alone were never measured.",
)


def model_card(nlp: Language, scores: Optional[Mapping[str, Any]] = None, front_matter: bool = False) -> str:
    """The card of a pipeline, in Markdown: what `spacy package` would generate from its
    meta.json, and what it does not know.

    scores: as `spacy dualre evaluate` writes them. front_matter: begin with YAML for the Hugging Face hub, which
    `spacy huggingface-hub push` adds by itself.
    Raises ValueError where the pipeline has no dual_encoder_rel.
    """
    component, rel = find_component(nlp)
    meta = {key: value for key, value in nlp.meta.items() if value}
    md = MarkdownRenderer()
    if front_matter:
        md.add(f"---\n{_hub_data(meta, scores).to_yaml()}\n---")
    md.add(generate_readme(meta).strip())
    _add_relations(md, component, rel)
    _add_use(md, nlp, component, rel, f"{meta['lang']}_{meta['name']}")
    if scores is not None:
        _add_scores(md, scores)
    md.add(md.title(3, "Intended Use"))
    md.add(md.list(_INTENDED))
    md.add(md.title(3, "Limits"))
    md.add(md.list([_reach(nlp, component), *_LIMITS]))
    return md.text + "\n"


def missing(nlp: Language) -> List[str]:
    """The keys of meta.json that the card wants and that are empty."""
    return [key for key in WANTED if not nlp.meta.get(key)]


def _hub_data(meta: Mapping[str, Any], scores: Optional[Mapping[str, Any]]) -> ModelCardData:
    name = f"{meta['lang']}_{meta['name']}"
    results = []
    for kind, title in (("p", "precision"), ("r", "recall"), ("f", "f1")):
        if scores is not None and scores.get("rels_f") is not None:
            result = EvalResult(
                task_type="relation-extraction",
                dataset_type="custom",
                dataset_name=_corpus(meta),
                metric_type=title,
                metric_value=round(scores[f"rels_{kind}"], 4),
            )
            results.append(result)
    return ModelCardData(
        language=meta["lang"] if meta["lang"] != "xx" else "multilingual",
        license=meta.get("license", "").lower().replace(" ", "-") or None,
        library_name="spacy",
        tags=["spacy", "relation-extraction"],
        model_name=name,
        eval_results=results or None,
    )


def _corpus(meta: Mapping[str, Any]) -> str:
    sources = meta.get("sources") or ["not named"]
    return ", ".join(source["name"] if isinstance(source, dict) else source for source in sources)


def _add_relations(md: MarkdownRenderer, component: str, rel: DualEncoderRel) -> None:
    md.add(md.title(3, "Relations"))
    md.add(
        f"{md.code(component)} reads the mentions of {md.code(rel.mentions_from)} and writes (subject, predicate, "
        f"object) triples to {md.code('doc._.rels')}. A predicate is what its description says:"
    )
    rows = [
        (md.code(label), "no" if label in rel.undirected else "yes", _cell(templates))
        for label, templates in rel.label_data.items()
        if label != rel.NIL
    ]
    md.add(md.table(rows, ["Predicate", "Directed", "Description"]))
    pairs = sorted(rel.type_pairs or ())
    if pairs:
        md.add(
            "Subject and object are of these types: " + ", ".join(f"{one} and {other}" for one, other in pairs) + "."
        )


def _cell(value: Any) -> str:
    """The templates of a predicate as a cell of a table."""
    by_types: Dict[str, Any] = value if isinstance(value, dict) else {ANY_TYPES: value}
    lines = []
    for types, templates in by_types.items():
        prefix = "" if types == ANY_TYPES else f"{types}: "
        lines += [prefix + text for text in ([templates] if isinstance(templates, str) else templates)]
    return "<br>".join(line.replace("|", "\\|").replace("\n", " ") for line in lines)


def _add_use(md: MarkdownRenderer, nlp: Language, component: str, rel: DualEncoderRel, package: str) -> None:
    md.add(md.title(3, "Use"))
    md.add(md.code_block(_USE.format(name=package, text="..."), "python"))
    if not any(finds_mentions(nlp, name) for name in components_before(nlp, component)):
        md.add(
            "The pipeline finds no mentions itself: put a component before it that writes them to "
            f"{md.code(rel.mentions_from)}, and one that starts sentences."
        )


def _add_scores(md: MarkdownRenderer, scores: Mapping[str, Any]) -> None:
    md.add(md.title(3, "Scores"))
    mentions = "found by the pipeline in raw text" if "ents_f" in scores else "given, as the corpus has them"
    counted = f", counted as the protocol {scores['protocol']} does" if "protocol" in scores else ""
    md.add(f"On {scores['documents']} documents, with the mentions {mentions}{counted}, in per cent:")
    rows = [
        (md.code(label), *_percent(score["p"], score["r"], score["f"]))
        for label, score in (scores.get("rels_per_type") or {}).items()
    ]
    for title, key in (("all relations", "rels"), ("mentions", "ents")):
        if scores.get(f"{key}_f") is not None:
            rows.append((title, *_percent(*(scores[f"{key}_{kind}"] for kind in "prf"))))
    md.add(md.table(rows, ["", "P", "R", "F"]))


def _percent(*values: float) -> tuple:
    return tuple(f"{100 * value:.1f}" for value in values)


def _reach(nlp: Language, component: str) -> str:
    """How far apart subject and object may be, in words, where the candidates' settings say so."""
    settings = nlp.config["components"][component]["candidates"]
    sentences = settings.get("max_sentences")
    if "max_sentences" not in settings or sentences is None:
        return f"Candidates are made by `{settings.get('@misc')}`, also across sentences."
    return (
        "Relations across sentences are not looked for."
        if sentences == 0
        else (f"Relations of mentions more than {sentences} sentences apart are not looked for.")
    )
