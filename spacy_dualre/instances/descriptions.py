"""Predicate descriptions: plain-language templates that are validated, chosen by types and adapted to a candidate.

As JSON: {predicate: template}, {predicate: [templates]}, or {predicate: {"SUBJECT|OBJECT": template or [templates]}},
where "*" stands for every other pair of types. A predicate without a template for a pair of types is impossible there.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, Union

from ..errors import Errors
from ..types import NEGATIVE, Description, DescriptionTexts, Mark, MarkedText
from .markers import OBJECT, SUBJECT, type_words

ANY_TYPES = "*"
#: The beginning of a template that still has to be written.
UNWRITTEN = "TODO:"
_PLACEHOLDERS = ("{subject}", "{object}")
#: A template, cut at its placeholders.
Template = Tuple[str, ...]
#: {predicate: {type pair or "*": templates}}
Descriptions = Dict[str, Dict[str, Tuple[Template, ...]]]


def read_descriptions(path: Union[str, Path], without: Sequence[str] = ()) -> DescriptionTexts:
    """Registered as ``spacy-dualre.read_descriptions.v1``: read predicate descriptions from a JSON file, leaving
    some predicates out.

    Raises:
        ValueError: The file, or a description in it, is not usable; names the file and the predicate.
    """
    try:
        texts = json.loads(Path(path).read_text(encoding="utf8"))
        parse_descriptions(texts)
    except (OSError, ValueError) as err:
        raise ValueError(Errors.DR041.format(path=path, problem=err)) from err
    return {label: value for label, value in texts.items() if label not in without}


def parse_descriptions(texts: Any) -> Descriptions:
    """Validate descriptions and cut the templates at their placeholders. Raises ValueError naming the predicate."""
    if not isinstance(texts, dict):
        raise ValueError(Errors.DR040.format(kind=type(texts).__name__))
    parsed: Descriptions = {}
    for predicate, value in texts.items():
        by_types = value if isinstance(value, dict) else {ANY_TYPES: value}
        if not by_types:
            raise ValueError(Errors.DR042.format(predicate=predicate))
        parsed[predicate] = {pair: _parse_templates(predicate, pair, texts) for pair, texts in by_types.items()}
        if predicate == NEGATIVE and ANY_TYPES not in by_types:
            raise ValueError(Errors.DR166.format(label=NEGATIVE))
    return parsed


def plain_template(label: str, negative: bool = False) -> str:
    """Make a template from a label's name, for a predicate without a description."""
    if negative:
        return "There is no relation between {subject} and {object}."
    return "{subject} has the relation " + type_words(label) + " to {object}."


def add_named(described: DescriptionTexts, names: Sequence[str]) -> DescriptionTexts:
    """Add predicates that are only named, with plain templates, or given as a template, whose words are their names.

    Raises ValueError for a name that is empty, occurs twice, or is the negative predicate's.
    """
    texts = dict(described)
    for given in map(str.strip, names):
        is_template = "{" in given
        words = re.findall(r"\w+", re.sub(r"\{[^{}]*\}", " ", given))
        label = (" ".join(words) if is_template else "") or given
        if not label or label in texts:
            raise ValueError(Errors.DR049.format(names=", ".join(map(repr, (*described, *names)))))
        if label == NEGATIVE:
            raise ValueError(Errors.DR167.format(label=label))
        texts[label] = given if is_template else plain_template(label)
    return texts


def complete_descriptions(
    labels: Optional[Sequence[str]], given: DescriptionTexts, in_gold: Set[str]
) -> Tuple[DescriptionTexts, List[str], List[str]]:
    """Give every label, every described predicate and every predicate in gold a description.

    Returns:
        The descriptions, the negative predicate's first; the predicates without a given one; those that gold has not.
    """
    names = [label for label in dict.fromkeys([*(labels or ()), *given, *sorted(in_gold)]) if label != NEGATIVE]
    texts: DescriptionTexts = {NEGATIVE: given.get(NEGATIVE, plain_template(NEGATIVE, negative=True))}
    texts.update({label: given.get(label, plain_template(label)) for label in names})
    undescribed = [label for label in names if label not in given]
    return texts, undescribed, [label for label in given if label not in in_gold and label != NEGATIVE]


def choose_templates(
    descriptions: Descriptions, labels: Sequence[str], subject_type: str, object_type: str, directed: bool = True
) -> Tuple[Tuple[Template, ...], ...]:
    """Choose the templates of L labels for a pair of types: L tuples, of which an empty one means "impossible".

    Undirected, subject and object are merely the first and the second mention in the text, and a template for the
    reverse pair of types is used with its placeholders exchanged.
    """
    pair, reverse = f"{subject_type}|{object_type}", f"{object_type}|{subject_type}"
    chosen = []
    for label in labels:
        by_types = descriptions[label]
        templates = by_types.get(pair, ())
        if not templates and not directed:
            exchanged = {"{subject}": "{object}", "{object}": "{subject}"}
            templates = tuple(tuple(exchanged.get(part, part) for part in t) for t in by_types.get(reverse, ()))
        chosen.append(templates or by_types.get(ANY_TYPES, ()))
    return tuple(chosen)


def adapt(description: Description) -> MarkedText:
    """Fill a template's placeholders with the marked words of the two mentions (arXiv 2503.17799, section 3).

    The first word of a mention takes the blank before the placeholder, not the one in its own text.
    """
    words: List[str] = []
    marks: List[Mark] = []
    fillers = {
        "{subject}": (SUBJECT, description.subject_type, description.subject),
        "{object}": (OBJECT, description.object_type, description.object),
    }
    blank = False
    for part in description.template:
        if part not in fillers:
            literal, blank = cut_literal(part)
            words.extend(literal)
            continue
        role, type, mention = fillers[part]
        marks.append(Mark(role, type, len(words), len(words) + len(mention)))
        if mention:
            words += [(" " if blank else "") + mention[0].lstrip(" "), *mention[1:]]
        blank = False
    whole = (0, len(words))
    return MarkedText(tuple(words), tuple(marks), core=whole, window=whole)


@lru_cache(maxsize=10_000)
def cut_literal(literal: str) -> Tuple[Tuple[str, ...], bool]:
    """The words of a literal part, each with the blank before it, and whether the part ends with a blank."""
    words = tuple((" " if blank else "") + word for blank, word in re.findall(r"(\s*)(\S+)", literal))
    return words, literal[-1:].isspace()


def _parse_templates(predicate: str, pair: str, templates: Any) -> Tuple[Template, ...]:
    types = pair.split("|")
    if pair != ANY_TYPES and (len(types) != 2 or not all(types) or pair != "|".join(type.strip() for type in types)):
        raise ValueError(Errors.DR043.format(predicate=predicate, pair=pair))
    if isinstance(templates, str):
        templates = [templates]
    if not isinstance(templates, list) or not templates:
        raise ValueError(Errors.DR044.format(predicate=predicate, value=templates))
    return tuple(_parse_template(predicate, template) for template in templates)


def _parse_template(predicate: str, template: Any) -> Template:
    if not isinstance(template, str) or not template.strip():
        raise ValueError(Errors.DR045.format(predicate=predicate, value=template))
    if template.startswith(UNWRITTEN):
        raise ValueError(Errors.DR046.format(predicate=predicate, value=template))
    parts = tuple(part for part in re.split(r"(\{[^{}]*\})", template) if part)
    for part in parts:
        if part.startswith("{") and part not in _PLACEHOLDERS:
            raise ValueError(Errors.DR047.format(predicate=predicate, value=template, part=part))
    for placeholder in _PLACEHOLDERS:
        if placeholder not in parts:
            raise ValueError(Errors.DR048.format(predicate=predicate, value=template, placeholder=placeholder))
    return parts
