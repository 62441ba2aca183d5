"""SemEval-2010 Task 8: one label for each sentence, unweighted mean of F1 over the nine relations.

A relation with the wrong direction is a false positive and a false negative of the same relation. Other is not
averaged, but confusions with it count.
"""

from pathlib import Path
from typing import Dict, Iterable, List, Optional, Set, Tuple

from spacy.tokens import Doc, Span

from ...formats.files import read_lines
from ...formats.semeval import NAMES, OTHER, parse_label
from ...records.record import Place, corpus_error
from .protocol import Item, Items, Protocol, id_error, rels_of, write_lines

_NAME = "semeval"
_IDS = ("e1", "e2")
#: Each label but Other with its item.
_LABELED = {
    f"{name}({first},{second})": Item(name, first, second) for name in NAMES for first, second in (_IDS, _IDS[::-1])
}
_PREDICATES = (*NAMES, *_LABELED, OTHER)
_Rows = List[Tuple[Place, str]]


def from_doc(doc: Doc) -> Set[Item]:
    """The relation with the highest score, if there is one.

    Its predicate is a name, whose first role the subject fills, or a whole label such as Cause-Effect(e2,e1); then
    subject and object mean nothing. Raises ValueError where mentions do not have the ids e1 and e2.
    """
    item = _best(doc)
    return {item} if item else set()


def _best(doc: Doc) -> Optional[Item]:
    best = max(rels_of(doc, _NAME, _PREDICATES), key=lambda rel: rel.score, default=None)
    if best is None or best.predicate == OTHER:
        return None
    if best.predicate in _LABELED:
        return _LABELED[best.predicate]
    return Item(best.predicate, *_checked(best.subject, best.object))


def _checked(subject: Span, object: Span) -> Tuple[str, str]:
    ids = (subject.id_, object.id_)
    if sorted(ids) != list(_IDS):
        wrong = subject if ids[0] not in _IDS else object
        raise id_error(wrong, _NAME, "mentions with the ids e1 and e2")
    return ids


def read(path: Path) -> Items:
    """Lines ``id<TAB>label``, or the blocks of TRAIN_FILE.TXT and TEST_FILE_FULL.TXT.

    Raises CorpusError for a label without direction, such as those of TEST_FILE_KEY.TXT.
    """
    rows = [(Place(path, number), line.strip()) for number, line in read_lines(path) if line.strip()]
    if not rows:
        raise corpus_error(path, "has nothing but empty lines")
    pairs = _from_blocks(rows) if '\t"' in rows[0][1] else [(place, *_columns(place, line)) for place, line in rows]
    items: Items = {}
    for place, id, label in pairs:
        if id in items:
            raise corpus_error(path, f"sentence {id} occurs twice", place.line)
        items[id] = _parsed(label, place)
    return items


def _from_blocks(rows: _Rows) -> Iterable[Tuple[Place, str, str]]:
    for at in range(0, len(rows), 3):
        (place, sentence), *others = rows[at : at + 3]
        if len(others) != 2 or not others[1][1].startswith("Comment:"):
            raise corpus_error(place.path, "expected a sentence, its label and a line Comment:", place.line)
        yield others[0][0], _columns(place, sentence)[0], others[0][1]


def _columns(place: Place, line: str) -> Tuple[str, str]:
    id, tab, label = line.partition("\t")
    if not tab or not id.isdecimal():
        raise corpus_error(place.path, "expected a number, a tab and a label", place.line)
    return id, label


def _parsed(label: str, place: Place) -> Set[Item]:
    if label == OTHER:
        return set()
    name, roles = parse_label(label, place)
    return {Item(name, *roles)}


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """A line ``id<TAB>label`` for every document."""
    labels: Dict[Optional[Item], str] = {item: label for label, item in _LABELED.items()}
    labels[None] = OTHER
    write_lines(path, (f"{id}\t{labels[_best(doc)]}" for id, doc in docs))


PROTOCOL = Protocol(_NAME, NAMES, from_doc, read, read, write, macro=True)
