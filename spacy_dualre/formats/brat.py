"""brat standoff: a text file and beside it, under the same name, an .ann file with one annotation in each line.

UTF-8. Offsets are code points into the text file, end exclusive; an end of line counts as it stands in the file, CRLF
as two. Columns are parted by tabs, the first is an id whose first letter says what the line is.

Source: https://brat.nlplab.org/standoff.html; where it is silent, what brat's server (server/src/annotation.py) reads.
"""

import codecs
import re
from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from ..annotations.concepts import SEPARATOR
from ..records.record import Offsets, Place, Record, RelationRecord, corpus_error
from .files import files_in, read_lines, read_text
from .pieces import MISMATCH, hold, mention_of

_ID = re.compile(r"[TRNEAM][A-Za-z]*[0-9]+\S*|\*|#.*")
_MENTION = re.compile(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*) *")
#: Lines that say something of the document that a record has no place for.
_NOT_READ = {"E": "brat event", "A": "brat attribute", "M": "brat attribute", "*": "brat equivalence"}


class _Line(NamedTuple):
    place: Place
    id: str
    data: str
    tail: str


class _Mention(NamedTuple):
    line: _Line
    type: str
    pieces: List[Offsets]


def read(path: Path) -> Iterator[Record]:
    """One document for each .txt file of a folder and its subfolders, in sorted order; or that of one .txt or .ann.

    Ids of documents are the files' paths within the folder, without suffix; those of mentions are brat's. Paragraphs
    (blank lines) are breaks, other ends of lines are not. Of a relation between Arg1 and Arg2 those are subject and
    object; other roles leave them in their order. Normalisations are the concepts of their mentions, with their
    namespace. Events, attributes and equivalences are dropped; triggers stay as mentions. A document without .ann file
    has no annotations. Raises CorpusError naming file and line for an .ann file without text and for lines that are
    not as the format says.
    """
    for text_file in _text_files(path):
        yield _record(text_file, path)


def _text_files(path: Path) -> List[Path]:
    found = files_in(path, ".txt")
    if path.is_file() and path.suffix not in (".txt", ".ann"):
        raise corpus_error(path, "is no .txt or .ann file; expected one, or a folder of them")
    for annotations in sorted(path.rglob("*.ann")) if path.is_dir() else found:
        if not annotations.with_suffix(".txt").exists():
            raise corpus_error(annotations, f"there is no {annotations.with_suffix('.txt').name} beside it")
    return [file.with_suffix(".txt") for file in found]


def _record(text_file: Path, root: Path) -> Record:
    text = read_text(text_file)
    if not text:
        raise corpus_error(text_file, "is empty")
    inner = text_file.relative_to(root) if root.is_dir() else Path(text_file.name)
    record = Record(inner.with_suffix("").as_posix(), text, Place(text_file), breaks=_paragraphs(text))
    record.meta = {"corpus": "brat", "split": root.name if root.is_dir() else root.stem}
    annotations = text_file.with_suffix(".ann")
    if annotations.exists():
        _annotate(record, _lines(annotations))
    else:
        record.notes["no .ann file"] += 1
    return record


def _paragraphs(text: str) -> Tuple[int, ...]:
    """Where the text goes on after blank lines."""
    blanks = (match for match in re.finditer(r"\s+", text) if match[0].count("\n") > 1)
    return tuple(match.end() for match in blanks if match.start() > 0 and match.end() < len(text))


def _lines(path: Path) -> Dict[str, List[_Line]]:
    """The lines of each kind. Mentions need not stand before what refers to them."""
    lines = defaultdict(list)
    for number, text in read_lines(path, may_be_empty=True):
        if not text.strip():
            continue
        id, _, rest = text.partition("\t")
        data, _, tail = rest.partition("\t")
        if not _ID.fullmatch(id):
            raise corpus_error(path, f"{id[:40]!r} is no id of an annotation; expected one of T R N E A M # *", number)
        line = _Line(Place(path, number), id, data, tail)
        if not data.strip() and id[0] != "#":
            raise _unexpected(line, "an id, a tab and more")
        lines[id[0]].append(line)
    return lines


def _unexpected(line: _Line, expected: str) -> Exception:
    found = f"{line.data}\t{line.tail}" if line.tail else line.data
    return corpus_error(line.place.path, f"{found[:80]!r} after {line.id[:40]!r}; expected {expected}", line.place.line)


def _annotate(record: Record, lines: Dict[str, List[_Line]]) -> None:
    mentions = [_mention(line) for line in lines["T"]]
    concepts = _concepts(record, lines["N"], {mention.line.id for mention in mentions})
    shift = _shift(record, mentions)
    if shift:
        record.notes["offsets that count a byte order mark"] += 1
    for mention in mentions:
        _add_mention(record, mention, concepts.get(mention.line.id, ()), shift)
    _add_relations(record, lines)
    for kind, what in _NOT_READ.items():
        for line in lines[kind]:
            record.drop(what, "not read", line.place, line.id)
    if lines["#"]:
        record.notes["brat notes not read"] += len(lines["#"])


def _mention(line: _Line) -> _Mention:
    match = _MENTION.fullmatch(line.data)
    if not match or not line.tail:
        raise _unexpected(line, "a type, start and end (several parted by ;), a tab and the text")
    pieces = [piece.split() for piece in match[2].split(";")]
    return _Mention(line, match[1], [(int(start), int(end)) for start, end in pieces])


def _shift(record: Record, mentions: List[_Mention]) -> int:
    """How many characters the offsets are ahead of the text.

    brat counts a byte order mark, which is no part of the record's text; where one was added later, it is not counted.
    """
    with record.place.path.open("rb") as file:
        if not file.read(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
            return 0

    def matching(shift: int) -> int:
        return sum(hold(_shifted(mention, shift), record.text, mention.line.tail) for mention in mentions)

    return max((1, 0), key=matching)


def _shifted(mention: _Mention, shift: int) -> List[Offsets]:
    return [(start - shift, end - shift) for start, end in mention.pieces]


def _add_mention(record: Record, mention: _Mention, concepts: Tuple[str, ...], shift: int) -> None:
    pieces = _shifted(mention, shift)
    usable = hold(pieces, record.text, mention.line.tail)
    if usable and " ".join(record.text[start:end] for start, end in pieces) != mention.line.tail:
        record.notes["text of a mention given with other blanks"] += 1
    why = "" if usable else MISMATCH
    record.add_mention(mention_of(mention.line.id, mention.type, pieces, concepts), mention.line.place, why=why)


def _concepts(record: Record, lines: List[_Line], mentions: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """The concepts of each mention, every one once, in the order of the lines."""
    concepts: Dict[str, Dict[str, None]] = {mention: {} for mention in mentions}
    for line in _distinct(record, lines, "concept"):
        fields = line.data.split()
        if len(fields) != 3:
            raise _unexpected(line, "Reference, the id of a mention and that of a concept")
        _, mention, concept = fields
        why = "" if mention in concepts else "unknown mention"
        if SEPARATOR in concept:
            why = f"its id holds {SEPARATOR!r}, which separates concepts"
        if why:
            record.drop("concept", why, line.place, f"{line.id}: {concept} of {mention}")
        else:
            concepts[mention][concept] = None
    return {mention: tuple(values) for mention, values in concepts.items()}


def _distinct(record: Record, lines: List[_Line], what: str) -> Iterator[_Line]:
    """The lines without those whose id was seen before, which are dropped."""
    seen = set()
    for line in lines:
        if line.id in seen:
            record.drop(what, "id occurs twice", line.place, line.id)
        else:
            seen.add(line.id)
            yield line


def _add_relations(record: Record, lines: Dict[str, List[_Line]]) -> None:
    events = {line.id for line in lines["E"]}
    for line in _distinct(record, lines["R"], "relation"):
        relation = _relation(line)
        if events & {relation.subject, relation.object}:
            record.drop("relation", "argument is an event", line.place, line.id)
        else:
            record.add_relation(relation, line.place)


def _relation(line: _Line) -> RelationRecord:
    predicate, *fields = line.data.split()
    arguments = [(role, id) for role, _, id in (field.partition(":") for field in fields)]
    if len(arguments) != 2 or not all(role and id for role, id in arguments) or line.tail.strip():
        raise _unexpected(line, "a type, Arg1: with the id of a mention and Arg2: with another")
    if [role for role, _ in arguments] == ["Arg2", "Arg1"]:
        arguments.reverse()
    (_, subject), (_, object) = arguments
    return RelationRecord(predicate, subject, object)
