"""Model cards: what a trained pipeline finds, its scores, training data and limits."""

from typing import Any, List, Mapping, Optional, Sequence

from spacy.cli.package import generate_readme
from spacy.language import Language

from ..instances.descriptions import ANY_TYPES, Template, parse_descriptions
from ..pipeline.pipelines import components_before, find_component, finds_mentions
from .templating import environment


def model_card(nlp: Language, scores: Optional[Mapping[str, Any]] = None) -> str:
    """Make a model card in Markdown, extending the one that `spacy package` generates from meta.json.

    Args:
        scores: As written by `spacy dualre evaluate`.

    Raises:
        ValueError: The pipeline has no component for relations.
    """
    component, rel = find_component(nlp)
    meta = {key: value for key, value in nlp.meta.items() if value}
    templates = parse_descriptions(rel.label_data)
    text = environment.get_template("card.md").render(
        readme=generate_readme(meta).strip(),
        component=component,
        rel=rel,
        predicates=[(label, _lines(templates[label])) for label in rel.labels],
        type_pairs=", ".join(f"{subject} and {object}" for subject, object in sorted(rel.type_pairs or ())),
        package=f"{meta['lang']}_{meta['name']}",
        has_mentions=any(finds_mentions(nlp, name) for name in components_before(nlp, component)),
        scores=scores,
        candidates=nlp.config.interpolate()["components"][component]["candidates"],
    )
    return f"{text}\n"


def _lines(by_types: Mapping[str, Sequence[Template]]) -> List[str]:
    """The templates of a predicate, with the types that they are for."""
    texts = [(types, "".join(template)) for types, templates in by_types.items() for template in templates]
    return [text if types == ANY_TYPES else f"{types}: {text}" for types, text in texts]
