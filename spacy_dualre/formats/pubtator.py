"""PubTator, as in BioRED: UTF-8, documents separated by empty lines.

::

    pmid|t|title
    pmid|a|abstract
    pmid TAB start TAB end TAB text TAB type TAB identifiers
    pmid TAB type TAB identifier TAB identifier TAB Novel or No

Offsets are code points into title + blank + abstract, end exclusive. Identifiers of one mention are separated by
commas; "-" means that it was looked up and not found. Relations are between identifiers and have no direction.

Variants: relations of four columns, without novelty (BC5CDR); mentions without identifiers; mentions of seven columns,
where the last lists the names in a composite such as "renal and hepatic failure" and "|" separates their identifiers
(BC5CDR).

Sources: https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/ and the readme of the BioCreative V CDR corpus.
"""

from collections import Counter
from itertools import filterfalse
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ..annotations.concepts import SEPARATOR, is_concept
from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus, split_concepts
from . import Format
from .files import is_offset, one_line, read_blocks, write_lines


class _Row(NamedTuple):
    place: Place
    columns: List[str]


def read(path: Path) -> Iterator[Record]:
    """Read a PubTator file, numbering the mentions of each document from "0".

    ``meta["novel"]`` lists [type, identifier, identifier] of the novel relations, if the file has novelty.
    """
    return as_corpus(path, "pubtator", map(_record, read_blocks(path)))


def add_concept_relation(record: Record, rel: RelationRecord, place: Place, novelty: Optional[str]) -> None:
    """Add a relation between concepts, with its novelty in BioRED: "Novel", "No" or None."""
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


def _record(block: List[Tuple[Place, str]]) -> Record:
    place = block[0][0]
    pmid, title = _text_line(*block[0], "t", "title")
    if len(block) == 1:
        raise place.error(Errors.DR362, id=pmid)
    other, abstract = _text_line(*block[1], "a", "abstract")
    _check_document(other, pmid, block[1][0])
    record = Record(pmid, f"{title} {abstract}", place, breaks=(len(title) + 1,))
    rows = [_row(*line, pmid) for line in block[2:]]
    for number, row in enumerate(filter(_is_mention, rows)):
        _add_mention(record, str(number), row)
    for row in filterfalse(_is_mention, rows):
        _add_relation(record, row)
    return record


def _text_line(place: Place, line: str, kind: str, name: str) -> Tuple[str, str]:
    # Titles and abstracts may contain "|"
    values = line.split("|", 2)
    if len(values) != 3 or values[1] != kind or not values[0].strip():
        raise place.error(Errors.DR363, kind=kind, name=name)
    return values[0], values[2]


def _row(place: Place, line: str, pmid: str) -> _Row:
    row = _Row(place, line.split("\t"))
    if len(row.columns) == 1:
        raise place.error(Errors.DR364)
    _check_document(row.columns[0], pmid, place)
    if not _is_mention(row) and len(row.columns) not in (4, 5):
        raise place.error(Errors.DR365, n=len(row.columns))
    return row


def _check_document(found: str, pmid: str, place: Place) -> None:
    if found != pmid:
        raise place.error(Errors.DR366, found=found, id=pmid)


def _is_mention(row: _Row) -> bool:
    return 5 <= len(row.columns) <= 7 and all(map(is_offset, row.columns[1:3]))


def _add_mention(record: Record, id: str, row: _Row) -> None:
    _, start, end, text, type, *more = row.columns
    identifiers, names = (*more, "", "")[:2]
    if names:
        record.notes["names within a composite mention not read"] += 1
        identifiers = identifiers.replace("|", SEPARATOR)
    mention = MentionRecord(id, type, int(start), int(end), split_concepts(identifiers))
    record.add_mention(mention, row.place, text)


def _add_relation(record: Record, row: _Row) -> None:
    _, type, first, second, *novelty = row.columns
    rel = RelationRecord(type, first.strip(), second.strip())
    add_concept_relation(record, rel, row.place, novelty[0] if novelty else None)


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write the documents, each followed by an empty line.

    The title ends at the first break, or else the first sentence start, after a blank. A relation between mentions is
    written for all pairs of their concepts. The concept of a mention without one is its long or else surface form in
    lower case, as in `concepts.Concept`; a mention that was looked up and not found ("-") cannot be an argument.
    Relations have a novelty column if there is ``meta["novel"]``.
    """
    write_lines(path, (line for record in records for line in (*_lines(record, lost), "")))


def _lines(record: Record, lost: Counter) -> Iterator[str]:
    id, text = one_line(record.id).replace("|", " "), one_line(record.text)
    lost["document id with a tab, line end or |, replaced by a blank"] += id != record.id
    lost["text with tabs or line ends, replaced by blanks"] += text != record.text
    title, abstract = _halves(text, record)
    lost["text of one sentence, with a blank added at its end"] += f"{title} {abstract}" != text
    yield f"{id}|t|{title}"
    yield f"{id}|a|{abstract}"
    concepts: Dict[Tuple[int, int, str], Dict[str, None]] = {}
    for mention in record.mentions:
        lost["mention without concept, given its text in lower case as one"] += not mention.concepts
        same = concepts.setdefault((mention.start, mention.end, mention.type), {})
        same.update(dict.fromkeys(_concepts(mention, record)))
    for (start, end, type), ids in sorted(concepts.items()):
        yield "\t".join([id, str(start), str(end), text[start:end], one_line(type), SEPARATOR.join(ids)])
    for row in dict.fromkeys(_triples(record, lost)):
        yield "\t".join([id, *map(one_line, row)])


def _halves(text: str, record: Record) -> Tuple[str, str]:
    """Title and abstract, separated by a blank of the text, so that all offsets hold."""
    starts = (start for start in (*record.breaks, *(record.sentences or ())) if start and text[start - 1] == " ")
    start = next(starts, None)
    return (text[: start - 1], text[start:]) if start else (text.removesuffix(" "), "")


def _triples(record: Record, lost: Counter) -> Iterator[Tuple[str, ...]]:
    mentions = {mention.id: mention for mention in record.mentions}
    for rel in record.relations:
        subjects, objects = (
            [concept for concept in _concepts(mentions[id], record) if is_concept(concept)]
            for id in (rel.subject, rel.object)
        )
        lost["relation of a mention that was looked up and not found, left out"] += not (subjects and objects)
        lost["score of a relation"] += 1
        yield from ((rel.predicate, subject, object) for subject in subjects for object in objects)
    novel = record.meta.get("novel")
    for pair in record.concept_relations:
        row = (pair.predicate, pair.subject, pair.object)
        yield row if novel is None else (*row, "Novel" if list(row) in novel else "No")


def _concepts(mention: MentionRecord, record: Record) -> List[str]:
    form = " ".join(record.long_form(mention).lower().split())
    return [one_line(concept) for concept in mention.concepts] or [form.replace(SEPARATOR, " ").strip()]


FORMATS = {"pubtator": Format(read, write=write, outputs=(".pubtator",))}
