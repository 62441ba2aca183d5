"""brat standoff: a .txt file and an .ann file of the same name, with one annotation per line.

UTF-8. Offsets are code points into the text file, end exclusive, and CRLF counts as two. Columns are separated by tabs;
the first is an id whose first letter tells the kind of annotation.

Source: https://brat.nlplab.org/standoff.html and, for what it leaves open, brat's server/src/annotation.py.
"""

import codecs
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple
from urllib.parse import quote

from ..annotations.concepts import SEPARATOR
from ..errors import CorpusError, Errors
from ..records.record import MISMATCH, MentionRecord, Offsets, Place, Record, RelationRecord, as_corpus, hold
from . import Format
from .files import count_long_forms, files_in, one_line, read_lines, read_text

_ID = re.compile(r"[TRNEAM][A-Za-z]*[0-9]+\S*|\*|#.*")
_MENTION = re.compile(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*) *")
#: Annotations that a record has no place for.
_NOT_READ = {"E": "brat event", "A": "brat attribute", "M": "brat attribute", "*": "brat equivalence"}
#: Maximum number of characters in a file name, without its ending: file systems allow 255 bytes.
_LONGEST_NAME = 200


class _Line(NamedTuple):
    place: Place
    id: str
    data: str
    tail: str


class _Mention(NamedTuple):
    line: _Line
    type: str
    offsets: List[Offsets]

    def pieces(self, shift: int) -> List[Offsets]:
        return [(start - shift, end - shift) for start, end in self.offsets]


def read(path: Path) -> Iterator[Record]:
    """Read every .txt file of a folder and its subfolders in sorted order, or a single .txt or .ann file.

    Document ids are the paths within the folder, without ending; mentions keep brat's ids. Blank lines are breaks. Arg1
    of a relation is its subject and Arg2 its object; other roles keep their order. Normalisations are concepts, with
    their namespace. Events, attributes and equivalences are dropped; triggers are mentions. A document without .ann
    file has no annotations.
    """
    return as_corpus(path, "brat", (_record(text_file, path) for text_file in _text_files(path)))


def _text_files(path: Path) -> List[Path]:
    found = files_in(path, ".txt")
    if path.is_file() and path.suffix not in (".txt", ".ann"):
        raise Place(path).error(Errors.DR335)
    for annotations in sorted(path.rglob("*.ann")) if path.is_dir() else found:
        if not annotations.with_suffix(".txt").exists():
            raise Place(annotations).error(Errors.DR336, name=annotations.with_suffix(".txt").name)
    return [file.with_suffix(".txt") for file in found]


def _record(text_file: Path, root: Path) -> Record:
    text = read_text(text_file)
    if not text:
        raise Place(text_file).error(Errors.DR323)
    inner = text_file.relative_to(root) if root.is_dir() else Path(text_file.name)
    record = Record(inner.with_suffix("").as_posix(), text, Place(text_file), breaks=_paragraphs(text))
    annotations = text_file.with_suffix(".ann")
    if annotations.exists():
        _annotate(record, _lines(annotations))
    else:
        record.notes["no .ann file"] += 1
    return record


def _paragraphs(text: str) -> Tuple[int, ...]:
    """The offsets at which text follows blank lines."""
    blanks = (match for match in re.finditer(r"\s+", text) if match[0].count("\n") > 1)
    return tuple(match.end() for match in blanks if match.start() > 0 and match.end() < len(text))


def _lines(path: Path) -> Dict[str, List[_Line]]:
    """The lines of each kind, since mentions need not precede what refers to them."""
    lines = defaultdict(list)
    for place, text in read_lines(path, may_be_empty=True):
        if not text.strip():
            continue
        id, _, rest = text.partition("\t")
        data, _, tail = rest.partition("\t")
        if not _ID.fullmatch(id):
            raise place.error(Errors.DR337, id=id[:40])
        line = _Line(place, id, data, tail)
        if not data.strip() and id[0] != "#":
            raise _unexpected(line, "an id, a tab and more")
        lines[id[0]].append(line)
    return lines


def _unexpected(line: _Line, expected: str) -> CorpusError:
    found = f"{line.data}\t{line.tail}" if line.tail else line.data
    return line.place.error(Errors.DR338, found=found[:80], id=line.id[:40], expected=expected)


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
        raise _unexpected(line, "a type, start and end (several separated by ;), a tab and the text")
    pieces = [piece.split() for piece in match[2].split(";")]
    return _Mention(line, match[1], [(int(start), int(end)) for start, end in pieces])


def _shift(record: Record, mentions: List[_Mention]) -> int:
    """1 if the offsets count a byte order mark, as brat does, else 0, as when one was added later."""
    with record.place.path.open("rb") as file:
        if not file.read(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
            return 0

    def matching(shift: int) -> int:
        return sum(hold(mention.pieces(shift), record.text, mention.line.tail) for mention in mentions)

    return max((1, 0), key=matching)


def _add_mention(record: Record, mention: _Mention, concepts: Tuple[str, ...], shift: int) -> None:
    pieces = mention.pieces(shift)
    usable = hold(pieces, record.text, mention.line.tail)
    if usable and " ".join(record.text[start:end] for start, end in pieces) != mention.line.tail:
        record.notes["text of a mention given with other blanks"] += 1
    value = MentionRecord.of_pieces(mention.line.id, mention.type, pieces, concepts)
    record.add_mention(value, mention.line.place, why="" if usable else MISMATCH)


def _concepts(record: Record, lines: List[_Line], mentions: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """The distinct concepts of each mention in the order of the lines."""
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
    """The lines, dropping those whose id occurred before."""
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
        lines = "".join(f"{line}\n" for line in _annotations(record, lost))
        text_file.with_suffix(".ann").write_bytes(lines.encode("utf8"))


def _free_name(folder: Path, id: str, lost: Counter) -> str:
    """A new name for the document's text file, always inside the folder."""
    name = "/".join(map(_file_name, id.split("/")))
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
        pieces = _pieces(mention, record)
        offsets = ";".join(f"{start} {end}" for start, end in pieces)
        covered = one_line(" ".join(record.text[start:end] for start, end in pieces))
        yield f"T{number}\t{_word(mention.type, lost)} {offsets}\t{covered}"
        for concept in mention.concepts:
            concepts += 1
            yield f"N{concepts}\tReference T{number} {_word(concept, lost)}\t{covered}"
    for number, rel in enumerate(record.relations, 1):
        yield f"R{number}\t{_word(rel.predicate, lost)} Arg1:{ids[rel.subject]} Arg2:{ids[rel.object]}"
        yield f"#{number}\tAnnotatorNotes R{number}\tscore {rel.score}"


def _pieces(mention: MentionRecord, record: Record) -> List[Offsets]:
    """The parts of the mention, split at line ends, which brat does not allow within a piece."""
    return [
        (start + match.start(), start + match.end())
        for start, end in mention.parts or ((mention.start, mention.end),)
        for match in re.finditer(r"[^\r\n]+", record.text[start:end])
    ]


def _word(name: str, lost: Counter) -> str:
    word = "_".join(name.split())
    lost["type, predicate or concept with blanks, replaced by _"] += word != name
    return word


FORMATS = {"brat": Format(read, write=write)}
