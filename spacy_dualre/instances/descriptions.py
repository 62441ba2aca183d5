"""Predicate descriptions: plain-language templates, validated, chosen by predicate and types, adapted to a candidate.

As JSON: {predicate: template}, {predicate: [templates]}, or {predicate: {"SUBJECT|OBJECT": template or [templates]}},
where "*" stands for every other pair of types. A predicate that has no template for a pair of types is impossible for
that pair.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ..errors import Errors
from ..types import NEGATIVE, Candidate, Description, DescriptionTexts, Mark, MarkedText
from .markers import OBJECT, SUBJECT, type_words

ANY_TYPES = "*"
#: How a template begins that somebody still has to write.
UNWRITTEN = "TODO:"
_PLACEHOLDERS = {"{subject}": SUBJECT, "{object}": OBJECT}
#: a template, or the words of one, cut at its placeholders
Template = Tuple[str, ...]
#: {type pair or "*": templates}, for each predicate
Descriptions = Dict[str, Dict[str, Tuple[Template, ...]]]


def read_descriptions(path: Union[str, Path], without: Sequence[str] = ()) -> DescriptionTexts:
    """Registered as ``spacy-dualre.read_descriptions.v1``: predicate descriptions from a JSON file.

    without: predicates that are left out.
    Raises ValueError naming the file, and the predicate, where it is not usable.
    """
    try:
        texts = json.loads(Path(path).read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise ValueError(Errors.DR042.format(path=path, problem=err)) from err
    try:
        parse_descriptions(texts)
    except ValueError as err:
        raise ValueError(Errors.DR042.format(path=path, problem=err)) from err
    return {label: value for label, value in texts.items() if label not in without}


def parse_descriptions(texts: Any) -> Descriptions:
    """Validate descriptions and cut the templates at their placeholders.

    Raises ValueError naming the predicate and what is wrong with it.
    """
    if not isinstance(texts, dict):
        raise ValueError(Errors.DR040.format(kind=type(texts).__name__))
    parsed: Descriptions = {}
    for predicate, value in texts.items():
        if not isinstance(value, dict):
            value = {ANY_TYPES: value}
        if not value:
            raise _unusable(predicate, "it is empty")
        parsed[predicate] = {pair: _parse_templates(predicate, pair, templates) for pair, templates in value.items()}
    return parsed


def plain_template(label: str, negative: bool = False) -> str:
    """A template made from the label's name alone, for a predicate that nobody described."""
    if negative:
        return "There is no relation between {subject} and {object}."
    return "{subject} has the relation " + type_words(label) + " to {object}."


class Completed(NamedTuple):
    """Descriptions of all predicates, the negative one first; which are made from a name; which are not in gold."""

    texts: DescriptionTexts
    undescribed: List[str]
    unused: List[str]


def complete_descriptions(labels: Optional[Sequence[str]], given: DescriptionTexts, in_gold: Set[str]) -> Completed:
    """A description for each of the labels, each predicate described and each in gold."""
    names = [label for label in dict.fromkeys([*(labels or ()), *given, *sorted(in_gold)]) if label != NEGATIVE]
    texts: DescriptionTexts = {NEGATIVE: given.get(NEGATIVE, plain_template(NEGATIVE, negative=True))}
    texts.update({label: given.get(label, plain_template(label)) for label in names})
    return Completed(
        texts,
        undescribed=[label for label in names if label not in given],
        unused=[label for label in given if label not in in_gold and label != NEGATIVE],
    )


def choose_templates(
    descriptions: Descriptions, labels: Sequence[str], subject_type: str, object_type: str, directed: bool = True
) -> Tuple[Tuple[Template, ...], ...]:
    """For each label its templates for this pair of types; empty where it has none: the predicate is impossible.

    directed: false where subject and object are but the first and the second mention in the text; a template for the
    reverse pair of types is then used with its placeholders exchanged.
    """
    pair, reverse = f"{subject_type}|{object_type}", f"{object_type}|{subject_type}"
    chosen = []
    for label in labels:
        by_types = descriptions[label]
        templates = by_types.get(pair, ())
        if not templates and not directed:
            templates = tuple(map(_exchanged, by_types.get(reverse, ())))
        chosen.append(templates or by_types.get(ANY_TYPES, ()))
    return tuple(chosen)


def _exchanged(template: Template) -> Template:
    return tuple({"{subject}": "{object}", "{object}": "{subject}"}.get(part, part) for part in template)


def has_template(descriptions: Descriptions, label: str, candidate: Candidate, directed: bool = True) -> bool:
    """Whether a predicate is possible between the types of a candidate's mentions."""
    types = candidate.subject.label_, candidate.object.label_
    (templates,) = choose_templates(descriptions, [label], *types, directed=directed)
    return bool(templates)


def adapt(description: Description) -> MarkedText:
    """Put the words of the two mentions, marked, into the template's placeholders.

    The first word of a mention gets the blank that stands before the placeholder, not the one in its text.
    """
    words: List[str] = []
    marks: List[Mark] = []
    blank = False
    for part in description.template:
        role = _PLACEHOLDERS.get(part)
        if role is None:
            literal, blank = _words(part)
            words.extend(literal)
            continue
        if role == SUBJECT:
            mention, type = description.subject, description.subject_type
        else:
            mention, type = description.object, description.object_type
        marks.append(Mark(role, type, len(words), len(words) + len(mention)))
        words.extend(mention)
        if mention:
            words[-len(mention)] = (" " if blank else "") + mention[0].lstrip(" ")
        blank = False
    whole = (0, len(words))
    return MarkedText(tuple(words), tuple(marks), core=whole, window=whole)


@lru_cache(maxsize=10_000)
def _words(literal: str) -> Tuple[Tuple[str, ...], bool]:
    """The words of a template's literal part, each with its blank, and whether a blank stands at the end."""
    words = tuple((" " if blank else "") + word for blank, word in re.findall(r"(\s*)(\S+)", literal))
    return words, literal[-1:].isspace()


def _parse_templates(predicate: str, pair: str, templates: Any) -> Tuple[Template, ...]:
    types = pair.split("|")
    if pair != ANY_TYPES and (len(types) != 2 or not all(types) or pair != "|".join(type.strip() for type in types)):
        raise _unusable(predicate, f'{pair!r} is not of the form "SUBJECT_TYPE|OBJECT_TYPE"')
    if isinstance(templates, str):
        templates = [templates]
    if not isinstance(templates, list) or not templates:
        raise _unusable(predicate, f"{templates!r} is neither a template nor a list of templates")
    return tuple(_parse_template(predicate, template) for template in templates)


def _parse_template(predicate: str, template: Any) -> Template:
    if not isinstance(template, str) or not template.strip():
        raise _unusable(predicate, f"{template!r} is not a text")
    if template.startswith(UNWRITTEN):
        raise _unusable(predicate, f"{template!r} still has to be written")
    parts = tuple(part for part in re.split(r"(\{[^{}]*\})", template) if part)
    for part in parts:
        if part.startswith("{") and part not in _PLACEHOLDERS:
            raise _unusable(predicate, f"{template!r} has the unknown placeholder {part}")
    for placeholder in _PLACEHOLDERS:
        if placeholder not in parts:
            raise _unusable(predicate, f"{template!r} has no {placeholder}")
    return parts


def _unusable(predicate: Optional[str], problem: str) -> ValueError:
    return ValueError(Errors.DR041.format(predicate=predicate, problem=problem))
