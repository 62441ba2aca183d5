"""brat standoff: a .txt file and an .ann file of the same name or, as in BioNLP shared tasks, files .a1, .a2, .rel and
.co. Offsets are code points, CRLF counts as two.

Source: https://brat.nlplab.org/standoff.html and, for what it leaves open, brat's server/src/annotation.py.
"""

import re
from collections import Counter, defaultdict
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Tuple
from urllib.parse import quote

from ..annotations.concepts import SEPARATOR
from ..errors import CorpusError, Errors
from ..records.record import MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import count_long_forms, files_in, one_line, read_lines, read_text, write_lines

_ID = re.compile(r"[TRNEAM][A-Za-z]*[0-9]+\S*|\*|#.*")
_MENTION = re.compile(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*) *")
#: A type of relations in annotation.conf, with its two roles.
_RELATION_TYPE = re.compile(r"^[ \t]*(\S+)[ \t]+([^\s:,]+):[^,\n]*,[ \t]*([^\s:,]+):", re.MULTILINE)
_RELATION = re.compile(r"(\S+)\s+([^\s:]+):(\S+)\s+([^\s:]+):(\S+)\s*")
_ROLE = re.compile(r"([^\s:]+):(\S+)")
_EVENT = re.compile(r"[^\s:]+:(\S+)((?:\s+[^\s:]+:\S+)*)\s*")
#: The order of a predicate's two roles: that of the subject, that of the object.
_Roles = Dict[Tuple[str, FrozenSet[str]], List[str]]
_ANNOTATIONS = (".ann", ".a1", ".a2", ".co", ".rel")
#: Maximum number of characters of a path, without its ending: file systems allow 255 bytes for a name.
_LONGEST_NAME = 200


class _Line(NamedTuple):
    place: Place
    id: str
    data: str
    tail: str


def read(path: Path, events: bool = True) -> Iterator[Record]:
    """Read every .txt file of a folder and its subfolders in sorted order, or a single file.

    Document ids are the paths within the folder, without ending; mentions keep brat's ids. Blank lines are breaks.
    Normalisations are concepts, with their namespace; triggers are mentions. A relation goes from Arg1 or Subject to
    the other role; further roles have the order of annotation.conf or of the predicate's first relation.

    Args:
        events: Read an event's roles as relations of its trigger, which stands for the event as an argument.
    """
    roles: _Roles = {}
    return as_corpus(path, "brat", (_record(text_file, path, roles, events) for text_file in _text_files(path)))


def _text_files(path: Path) -> List[Path]:
    found = files_in(path, ".txt")
    if path.is_file() and path.suffix not in (".txt", *_ANNOTATIONS):
        raise Place(path).error(Errors.DR335)
    for annotations in sorted(path.rglob("*")) if path.is_dir() else found:
        if annotations.suffix in _ANNOTATIONS and not annotations.with_suffix(".txt").exists():
            raise Place(annotations).error(Errors.DR336, name=annotations.with_suffix(".txt").name)
    return [file.with_suffix(".txt") for file in found]


def _record(text_file: Path, root: Path, roles: _Roles, events: bool) -> Record:
    text = read_text(text_file)
    name = text_file.relative_to(root) if root.is_dir() else Path(text_file.name)
    blanks = [match for match in re.finditer(r"\s+", text) if match[0].count("\n") > 1]
    breaks = tuple(match.end() for match in blanks if match.start() > 0 and match.end() < len(text))
    record = Record(name.with_suffix("").as_posix(), text, Place(text_file), breaks=breaks)
    files = [file for file in map(text_file.with_suffix, _ANNOTATIONS) if file.exists()]
    # As brat does: the other files are parts of what an .ann file holds
    files = files[:1] if files and files[0].suffix == ".ann" else files
    roles.update(_configured(text_file))
    _annotate(record, _lines(files), roles, events)
    record.notes += Counter({"no .ann file": not files, "empty .txt file": not text})
    return record


def _configured(text_file: Path) -> _Roles:
    """The roles of relations in the nearest annotation.conf."""
    for folder in text_file.absolute().parents:
        if (folder / "annotation.conf").is_file():
            types = _RELATION_TYPE.findall(read_text(folder / "annotation.conf"))
            return {(predicate, frozenset(pair)): pair for predicate, *pair in types}
    return {}


def _lines(files: List[Path]) -> Dict[str, List[_Line]]:
    """The lines of each kind, since mentions need not precede what refers to them."""
    lines = defaultdict(list)
    for place, text in chain.from_iterable(read_lines(file, may_be_empty=True) for file in files):
        if text.strip():
            line = _Line(place, *(text.split("\t", 2) + ["", ""])[:3])
            if not _ID.fullmatch(line.id):
                raise place.error(Errors.DR337, id=line.id[:40])
            if not line.data.strip() and line.id[0] != "#":
                raise _unexpected(line, "an id, a tab and more")
            lines[line.id[0]].append(line)
    return lines


def _unexpected(line: _Line, expected: str) -> CorpusError:
    found = f"{line.data}\t{line.tail}" if line.tail else line.data
    return line.place.error(Errors.DR338, found=found[:80], id=line.id[:40], expected=expected)


def _annotate(record: Record, lines: Dict[str, List[_Line]], roles: _Roles, events: bool) -> None:
    concepts = _concepts(record, lines["N"], {line.id for line in lines["T"]})
    for line in lines["T"]:
        type, pieces = _mention(line)
        record.add_mention(MentionRecord.of_parts(line.id, type, pieces, concepts[line.id]), line.place, line.tail)
    found = list(_relations(record, lines, roles))
    triggers: Dict[str, str] = {}
    for line in _distinct(record, lines["E"], "brat event"):
        match = _EVENT.fullmatch(line.data)
        if not match:
            raise _unexpected(line, "a type and its trigger, then roles, each with an id")
        triggers[line.id] = match[1]
        if events:
            found += [(line, role.rstrip("0123456789"), line.id, id) for role, id in _ROLE.findall(match[2])]
        else:
            record.drop("brat event", "not read", line.place, line.id)
    for line, predicate, *arguments in found:
        of_event = bool(triggers.keys() & arguments)
        if of_event and not events:
            record.drop("relation", "argument is an event", line.place, line.id)
            continue
        record.notes += Counter({"relation of a brat event, read as one of its trigger": of_event})
        subject, object = (triggers.get(id, id) for id in arguments)
        record.add_relation(RelationRecord(predicate, subject, object), line.place)
    for line in (*lines["A"], *lines["M"]):
        record.drop("brat attribute", "not read", line.place, line.id)
    if lines["#"]:
        record.notes["brat notes not read"] += len(lines["#"])


def _relations(record: Record, lines: Dict[str, List[_Line]], roles: _Roles) -> Iterator[Tuple[_Line, str, str, str]]:
    for line in _distinct(record, lines["R"], "relation"):
        match = _RELATION.fullmatch(line.data)
        if not match or line.tail.strip():
            raise _unexpected(line, "a type, Arg1: with the id of a mention and Arg2: with another")
        predicate, first, subject, second, object = match.groups()
        given = [first, second]
        usual = given[::-1] if second.lower() in ("arg1", "subject") else given
        if roles.setdefault((predicate, frozenset(given)), usual) != given:
            subject, object = object, subject
        yield line, predicate, subject, object
    for line in lines["*"]:
        predicate, *ids = line.data.split()
        if predicate == "Equiv":
            record.drop("brat equivalence", "not read", line.place, line.id)
        elif len(ids) < 2:
            raise _unexpected(line, "a type and the ids of mentions")
        else:
            record.notes["relation without direction"] += 1
            yield from ((line, predicate, *pair) for pair in combinations(ids, 2))


def _mention(line: _Line) -> Tuple[str, List[Offsets]]:
    """The type of a mention and its pieces."""
    match = _MENTION.fullmatch(line.data)
    if not match or not line.tail:
        raise _unexpected(line, "a type, start and end (several separated by ;), a tab and the text")
    pieces = [piece.split() for piece in match[2].split(";")]
    return match[1], [(int(start), int(end)) for start, end in pieces]


def _concepts(record: Record, lines: List[_Line], mentions: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """The distinct concepts of each mention in the order of the lines."""
    concepts: Dict[str, Dict[str, None]] = {mention: {} for mention in mentions}
    for line in _distinct(record, lines, "concept"):
        fields = [field.removeprefix("Annotation:").removeprefix("Referent:") for field in line.data.split()]
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
    """The lines, dropping those whose id occurred before."""
    seen = set()
    for line in lines:
        if line.id in seen:
            record.drop(what, "id occurs twice", line.place, line.id)
        else:
            seen.add(line.id)
            yield line


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write a folder with a .txt and an .ann file for each document, named by its id, where "/" makes a subfolder.

    Scores are written as annotator notes, which brat displays.
    """
    path.mkdir()
    for record in records:
        count_long_forms(record, lost)
        if not record.text:
            lost["document without text, left out"] += 1
            continue
        text_file = path / _free_name(path, record.id, lost)
        text_file.parent.mkdir(parents=True, exist_ok=True)
        text_file.write_bytes(record.text.encode("utf8"))
        write_lines(text_file.with_suffix(".ann"), _annotations(record, lost))


def _free_name(folder: Path, id: str, lost: Counter) -> str:
    """A new name for the document's text file, always inside the folder."""
    # No folder may have the name of another document's file, and a file system bounds the whole path
    *folders, last = map(_file_name, id.split("/"))
    name = "/".join([*(re.sub(r"(?i)\.(?=(txt|ann)$)", "%2E", part) for part in folders), last])
    name = name if len(name) <= _LONGEST_NAME else _file_name(id)
    lost["document id that is not a file name, percent-encoded"] += name != id
    free, number = name, 1
    while (folder / f"{free}.txt").exists():
        number += 1
        free = f"{name}~{number}"
    lost["document id that occurs twice, with a number appended"] += free != name
    return f"{free}.txt"


def _file_name(part: str) -> str:
    name = quote(part, safe=" ()[]+,;=@~")[:_LONGEST_NAME]
    return name if name.strip(".") else "%" + name.replace(".", "%2E")


def _annotations(record: Record, lost: Counter) -> Iterator[str]:
    ids: Dict[str, str] = {}
    concepts = 0
    for number, mention in enumerate(record.mentions, 1):
        ids[mention.id] = f"T{number}"
        # brat allows no line ends within a piece
        pieces = [
            (start + match.start(), start + match.end())
            for start, end in mention.parts or ((mention.start, mention.end),)
            for match in re.finditer(r"[^\r\n]+", record.text[start:end])
        ]
        offsets = ";".join(f"{start} {end}" for start, end in pieces)
        covered = one_line(" ".join(record.text[start:end] for start, end in pieces))
        yield f"T{number}\t{_word(mention.type, lost)} {offsets}\t{covered}"
        for concept in mention.concepts:
            concepts += 1
            yield f"N{concepts}\tReference T{number} {_word(concept, lost)}\t{covered}"
    for number, rel in enumerate(record.relations, 1):
        yield f"R{number}\t{_word(rel.predicate, lost)} Arg1:{ids[rel.subject]} Arg2:{ids[rel.object]}"
        yield f"#{number}\tAnnotatorNotes R{number}\tscore {rel.score}"


def _word(name: str, lost: Counter) -> str:
    word = "_".join(name.split())
    lost["type, predicate or concept with blanks, replaced by _"] += word != name
    return word


FORMATS = {"brat": Format(read, write=write), "brat-relations": Format(partial(read, events=False))}
