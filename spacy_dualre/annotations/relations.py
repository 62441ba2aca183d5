"""``Doc._.rels``: relations as plain values in ``doc.user_data``, which survive every way a Doc travels.

Each subject's relations are stored as spaCy stores a custom attribute of a span: under a key with its character
offsets, with the object's offset relative to the subject. ``Doc.from_docs`` keeps and shifts exactly such keys.
"""

import warnings
from numbers import Real
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc, Span

from ..errors import Errors, Warnings
from ..types import Relation

_KEY = "spacy_dualre_rels"


def install(name: str, getter: Callable, setter: Optional[Callable] = None) -> None:
    """Install ``Doc._.<name>``. Calling it again is safe; it warns if another package has taken the name."""
    if not Doc.has_extension(name):
        Doc.set_extension(name, getter=getter, setter=setter)
    elif Doc.get_extension(name)[2] is not getter:
        warnings.warn(
            Warnings.DW020.format(attribute=name, module=getter.__module__, getter=getter.__name__), stacklevel=2
        )


def get_rels(doc: Doc) -> Tuple[Relation, ...]:
    """Return the Doc's relations, sorted by subject, object and predicate.

    They are a tuple, since what is appended to a list would be lost. If the tokens have changed, arguments are widened
    to whole tokens. In a part of another Doc (``span.as_doc``), relations that reach outside it are left out.
    """
    rels: List[Relation] = []
    for key in _keys(doc):
        _, _, start, end = key
        for subject_labels, predicate, object_labels, offset, length, score in doc.user_data[key]:
            subject = restore(doc, start, end, subject_labels)
            obj = restore(doc, start + offset, start + offset + length, object_labels)
            if subject is not None and obj is not None:
                rels.append(Relation(subject, predicate, obj, score))
    return tuple(sorted(rels, key=lambda rel: (*_position(rel.subject), *_position(rel.object), rel.predicate)))


def set_rels(doc: Doc, rels: Iterable[Relation]) -> None:
    """Replace the Doc's relations by others, or by what `rels_to_json` gave.

    Raises:
        ValueError: An argument is not a non-empty span of this Doc.
    """
    stored: Dict[tuple, List[tuple]] = {}
    if not isinstance(rels, Iterable):
        raise ValueError(Errors.DR021.format(value=rels))
    for rel in rels:
        rel = _checked(doc, rel)
        subject, obj = rel.subject, rel.object
        start, length = obj.start_char - subject.start_char, obj.end_char - obj.start_char
        row = (labels_of(subject), rel.predicate, labels_of(obj), start, length, float(rel.score))
        stored.setdefault(("._.", _KEY, subject.start_char, subject.end_char), []).append(row)
    for key in _keys(doc):
        del doc.user_data[key]
    doc.user_data.update(stored)


def rels_to_json(doc: Doc) -> List[Dict[str, Any]]:
    """Return the Doc's relations as JSON values with character offsets (end exclusive) into ``doc.text``.

    They are read as ``Doc._.rels_json``, which can be set too: `Doc.to_json(underscore=["rels_json"])` and
    `Doc.from_json` keep them.
    """
    return [
        {
            "subject": span_to_json(rel.subject),
            "predicate": rel.predicate,
            "object": span_to_json(rel.object),
            "score": round(rel.score, 4),
        }
        for rel in get_rels(doc)
    ]


def span_to_json(span: Span) -> Dict[str, Any]:
    """Return a mention as JSON values: character offsets (end exclusive), text, type and, if set, id and kb_id."""
    values = {"start": span.start_char, "end": span.end_char, "text": span.text, "type": span.label_}
    if span.id_:
        values["id"] = span.id_
    if span.kb_id_:
        values["kb_id"] = span.kb_id_
    return values


def labels_of(span: Span) -> tuple:
    """What a span is besides its characters: type, kb_id and id."""
    return (span.label_, span.kb_id_, span.id_)


def restore(doc: Doc, start: int, end: int, labels: tuple) -> Optional[Span]:
    """The span with these characters and `labels_of`, widened to whole tokens; None outside of the text."""
    # Not len(doc.text), which spaCy rebuilds at each access
    if not len(doc) or not 0 <= start < end <= doc[-1].idx + len(doc[-1]):
        return None
    label, kb_id, span_id = labels
    return doc.char_span(start, end, label=label, kb_id=kb_id, span_id=span_id, alignment_mode="expand")


def _keys(doc: Doc) -> List[Any]:
    return [key for key in doc.user_data if isinstance(key, tuple) and len(key) == 4 and key[1] == _KEY]


def _position(span: Span) -> tuple:
    return (span.start_char, span.end_char, span.label_)


def _checked(doc: Doc, rel: Any) -> Relation:
    try:
        rel = _from_json(doc, **rel) if isinstance(rel, dict) else Relation(*rel)
    except (TypeError, KeyError):
        raise ValueError(Errors.DR021.format(value=rel)) from None
    if not isinstance(rel.predicate, str) or not isinstance(rel.score, Real):
        raise ValueError(Errors.DR021.format(value=rel))
    for span in (rel.subject, rel.object):
        if not (isinstance(span, Span) and span.doc is doc and 0 <= span.start < span.end <= len(doc)):
            raise ValueError(Errors.DR020.format(relation=rel, argument=span))
    return rel


def _from_json(doc: Doc, subject: Dict, predicate: str, object: Dict, score: float) -> Any:
    spans = [
        restore(doc, span["start"], span["end"], (span["type"], span.get("kb_id", ""), span.get("id", "")))
        for span in (subject, object)
    ]
    return Relation(spans[0], predicate, spans[1], score)  # type: ignore[arg-type]
