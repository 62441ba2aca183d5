"""PubTator, as in BioRED: one file, UTF-8, documents separated by empty lines.

::

    pmid|t|title
    pmid|a|abstract
    pmid TAB start TAB end TAB text TAB type TAB identifiers
    pmid TAB type TAB identifier TAB identifier TAB Novel or No

Offsets are code points into title + blank + abstract, end exclusive. Identifiers of one mention are separated by
commas, "-" where it was looked up and not found. Relations are between identifiers, of the whole document, and have no
direction.

Also read is what other corpora have: relations of four columns, without novelty (BC5CDR); mentions without identifiers;
mentions of seven columns, where the seventh holds the names that a composite such as "renal and hepatic failure" stands
for and "|" separates their identifiers (BC5CDR).

Sources: https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/ and the readme of the BioCreative V CDR corpus.
"""

from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..annotations.concepts import SEPARATOR, is_concept
from ..errors import CorpusError
from ..records.record import ConceptRelationRecord, MentionRecord, Place, Record, corpus_error, distinct
from .files import read_lines


class _Line(NamedTuple):
    place: Place
    text: str


class _Row(NamedTuple):
    place: Place
    columns: List[str]


def read(path: Path) -> Iterator[Record]:
    """The documents of a PubTator file, one after the other.

    Mentions have no ids there: they are numbered "0", "1" ... within their document. ``meta["novel"]`` lists [type,
    identifier, identifier] of the novel relations, in documents whose relations say so. Raises CorpusError naming file
    and line for lines that are no PubTator, lines of another document within a document, and documents given twice.
    """
    yield from distinct(path, (_record(block) for block in _blocks(path)))


def split_identifiers(text: str) -> Tuple[str, ...]:
    """The concepts of a mention, from "3172,3651"; none from an empty text."""
    return tuple(part.strip() for part in text.split(SEPARATOR) if part.strip())


def add_concept_relation(record: Record, rel: ConceptRelationRecord, place: Place, novelty: Optional[str]) -> None:
    """Add a relation between concepts, and what BioRED says of its novelty: "Novel" or "No"; None: nothing."""
    detail = f"relation {rel.predicate} of {rel.subject} and {rel.object}"
    if not rel.predicate:
        record.drop("relation", "no type", place, detail)
        return
    if not (is_concept(rel.subject) and is_concept(rel.object)):
        record.drop("relation", "an argument without a concept", place, detail)
        return
    before = len(record.concept_relations)
    record.add_concept_relation(rel, place)
    if novelty is None or len(record.concept_relations) == before:
        return
    novel = record.meta.setdefault("novel", [])
    if novelty == "Novel":
        novel.append([rel.predicate, rel.subject, rel.object])
    elif novelty != "No":
        record.drop("novelty", "neither Novel nor No", place, detail)


def _blocks(path: Path) -> Iterator[List[_Line]]:
    block: List[_Line] = []
    for number, text in read_lines(path):
        if text.strip():
            block.append(_Line(Place(path, number), text))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _record(block: List[_Line]) -> Record:
    pmid, title = _text_line(block[0], "t", "title")
    if len(block) == 1:
        raise _error(block[0].place, f"document {pmid} ends here; expected a line {pmid}|a|abstract")
    other, abstract = _text_line(block[1], "a", "abstract")
    _check_document(other, pmid, block[1].place)
    meta = {"corpus": "pubtator", "split": block[0].place.path.stem.removesuffix(".PubTator")}
    record = Record(pmid, f"{title} {abstract}", block[0].place, breaks=(len(title) + 1,), meta=meta)
    rows = [_row(line, pmid) for line in block[2:]]
    mentions = [row for row in rows if _is_mention(row)]
    for number, row in enumerate(mentions):
        _add_mention(record, str(number), row)
    for row in rows:
        if not _is_mention(row):
            _add_relation(record, row)
    return record


def _text_line(line: _Line, kind: str, name: str) -> Tuple[str, str]:
    # Titles and abstracts hold "|" too.
    values = line.text.split("|", 2)
    if len(values) != 3 or values[1] != kind or not values[0].strip():
        raise _error(line.place, f"expected a line pmid|{kind}|{name}; documents are separated by an empty line")
    return values[0], values[2]


def _row(line: _Line, pmid: str) -> _Row:
    row = _Row(line.place, line.text.split("\t"))
    if len(row.columns) == 1:
        raise _error(line.place, "expected a mention or a relation with tabs; documents are separated by an empty line")
    _check_document(row.columns[0], pmid, line.place)
    if not _is_mention(row) and len(row.columns) not in (4, 5):
        problem = (
            f"{len(row.columns)} columns; expected a mention (pmid, start and end in digits, text, type, identifiers) "
            "or a relation (pmid, type, identifier, identifier, Novel or No)"
        )
        raise _error(line.place, problem)
    return row


def _check_document(found: str, pmid: str, place: Place) -> None:
    if found != pmid:
        raise _error(place, f"a line of document {found!r} within document {pmid!r}")


def _is_mention(row: _Row) -> bool:
    return 5 <= len(row.columns) <= 7 and all(map(_is_offset, row.columns[1:3]))


def _is_offset(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _add_mention(record: Record, id: str, row: _Row) -> None:
    _, start, end, text, type, *more = row.columns
    identifiers, names = (*more, "", "")[:2]
    if names:
        record.notes["names within a composite mention not read"] += 1
        identifiers = identifiers.replace("|", SEPARATOR)
    mention = MentionRecord(id, type, int(start), int(end), split_identifiers(identifiers))
    record.add_mention(mention, row.place, text)


def _add_relation(record: Record, row: _Row) -> None:
    _, type, first, second, *novelty = row.columns
    rel = ConceptRelationRecord(type, first.strip(), second.strip())
    add_concept_relation(record, rel, row.place, novelty[0] if novelty else None)


def _error(place: Place, problem: str) -> CorpusError:
    return corpus_error(place.path, problem, place.line)
