"""SemEval-2010 Task 8: one label for each sentence, unweighted mean of F1 over the relations in gold.

A relation with the wrong direction is a false positive and a false negative. Other is not averaged, but confusions with
it count.
"""

from pathlib import Path
from typing import Iterable, Set, Tuple

from spacy.tokens import Doc

from ...errors import Errors
from ...formats.semeval import NAMES, OTHER, parse_label, read_labels
from ...writing import write_text
from . import Item, Items, Protocol, id_error, rels_of

_NAME = "semeval"
_IDS = ("e1", "e2")
#: The item of each label except Other.
_LABELED = {
    f"{name}({first},{second})": Item(name, first, second) for name in NAMES for first, second in (_IDS, _IDS[::-1])
}
_PREDICATES = (*NAMES, *_LABELED, OTHER)


def from_doc(doc: Doc) -> Set[Item]:
    """The relation with the highest score, if there is one. Its predicate is a name, with the subject in the first
    role, or a label with direction. Raises ValueError for mentions without the ids e1 and e2.
    """
    best = max(rels_of(doc, _NAME, _PREDICATES), key=lambda rel: rel.score, default=None)
    if best is None or best.predicate == OTHER:
        return set()
    if best.predicate in _LABELED:
        return {_LABELED[best.predicate]}
    ids = best.subject.id_, best.object.id_
    if sorted(ids) != list(_IDS):
        wrong = best.subject if ids[0] not in _IDS else best.object
        raise id_error(wrong, "mentions with the ids e1 and e2")
    return {Item(best.predicate, *ids)}


def read(path: Path) -> Items:
    """Read what `read_labels` does. Raises CorpusError for a label without direction, as in TEST_FILE_KEY.TXT."""
    items: Items = {}
    for place, id, label in read_labels(path):
        if id in items:
            raise place.error(Errors.DR224, id=id)
        items[id] = set()
        if label != OTHER:
            name, roles = parse_label(label, place)
            items[id] = {Item(name, *roles)}
    return items


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """Write a line ``id<TAB>label`` for every document."""
    labels = {item: label for label, item in _LABELED.items()}
    found = ((id, labels[item] if item else OTHER) for id, doc in docs for item in from_doc(doc) or [None])
    write_text(path, "".join(f"{id}\t{label}\n" for id, label in found))


PROTOCOL = Protocol(_NAME, NAMES, from_doc, read, read, write, macro=True)
