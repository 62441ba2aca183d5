"""WebNLG, also the enriched one: XML with entries of triples and texts that say them.

Source: Gardent et al. 2017, "Creating Training Corpora for NLG Micro-Planners",
https://gitlab.com/shimorina/webnlg-dataset, and https://github.com/ThiagoCF05/webnlg.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..errors import Errors
from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import files_in, parse_xml, read_text, set_id
from .semeval import TYPE
from .tables import NOT_FOUND, places_of

_Triple = Tuple[Place, RelationRecord]


def read(path: Path) -> Iterator[Record]:
    """Read every .xml file of a folder and its subfolders in sorted order, or a single file.

    A document is an English text that is not marked as faulty, with the id "category/size/eid/lid"; see `set_id`. Its
    mentions are where the names in the modified triples stand in the text, ignoring case; see `_find`.
    """
    return as_corpus(path, "webnlg", _records(path))


def _records(path: Path) -> Iterator[Record]:
    seen: Set[str] = set()
    not_taken: Counter = Counter()
    last: Optional[Record] = None
    for file in files_in(path, ".xml"):
        root = parse_xml(read_text(file), file)
        if root.tag != "benchmark":
            raise Place(file, root.sourceline).error(Errors.DR351, name=root.tag, expected="benchmark")
        for entry in root.iter("entry"):
            triples = [_triple(node, file) for node in entry.iterfind("modifiedtripleset/mtriple")]
            for lex in entry.iterfind("lex"):
                language, comment = lex.get("lang") or "en", lex.get("comment") or "good"
                if (language, comment) != ("en", "good"):
                    not_taken[f"texts not taken: {comment if language == 'en' else f'language {language}'}"] += 1
                    continue
                if last is not None:
                    yield last
                # The enriched corpus has more than the text there
                node = lex.find("text")
                last = Record("", _text(lex if node is None else node, file).strip(), Place(file, lex.sourceline))
                ids = [*map(entry.get, ("category", "size", "eid")), lex.get("lid")]
                set_id(last, seen, len(seen) + 1, "/".join(filter(None, ids)))
                _annotate(last, triples)
    if last is not None:
        last.notes += not_taken
        yield last


def _text(node: Any, path: Path) -> str:
    if len(node):
        raise Place(path, node.sourceline).error(Errors.DR332, tag=node.tag)
    return node.text or ""


def _triple(node: Any, path: Path) -> _Triple:
    place = Place(path, node.sourceline)
    text = _text(node, path)
    values = text.split(" | ")
    if len(values) != 3:
        raise place.error(Errors.DR389, triple=text[:40])
    subject, predicate, object = values
    subject, object = (name.strip().strip('"').replace("_", " ").strip() for name in (subject, object))
    return place, RelationRecord(predicate.strip(), subject, object)


def _annotate(record: Record, triples: List[_Triple]) -> None:
    names = dict.fromkeys(name for _, rel in triples for name in (rel.subject, rel.object))
    found = _find(record.text, names)
    for name in names:
        start, end = found.get(name, (0, len(record.text)))
        record.add_mention(MentionRecord(name, TYPE, start, end), why="" if name in found else NOT_FOUND)
    for place, rel in triples:
        record.add_relation(rel, place)


def _find(text: str, names: Iterable[str]) -> Dict[str, Offsets]:
    """Where each name first stands outside of longer ones or, if it stands nowhere else, within one."""
    found: Dict[str, Offsets] = {}
    for name in sorted(filter(None, names), key=len, reverse=True):
        places = [(start, start + len(name)) for start in places_of(text, name, re.IGNORECASE)]
        free = [one for one in places if all(one[1] <= start or end <= one[0] for start, end in found.values())]
        if places:
            found[name] = (free or places)[0]
    return found


FORMATS = {"webnlg": Format(read)}
