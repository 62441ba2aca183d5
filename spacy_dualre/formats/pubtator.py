"""PubTator, as in BioRED: UTF-8, documents separated by empty lines. Offsets are code points into title + blank +
abstract.

Sources: https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/ and the readme of the BioCreative V CDR corpus (BC5CDR), whose
relations have no novelty, and whose composites such as "renal and hepatic failure" list their names in a last column.
"""

import re
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, Tuple

from ..annotations.concepts import SEPARATOR, is_concept, split_concepts
from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import Row, is_offset, one_line, read_blocks, write_lines

#: A variant such as c|SUB|A|12|T or tmVar:c|SUB|A|12|T;HGVS:c.12A>T;CorrespondingGene:901.
_VARIANT = re.compile(r"(^|:)[a-z]?\||tmVar:|HGVS:|RS#:")


def read(path: Path) -> Iterator[Record]:
    """Read a PubTator file, numbering the mentions of each document from "0"."""
    return as_corpus(path, "pubtator", map(_record, read_blocks(path)))


def _record(block: List[Tuple[Place, str]]) -> Record:
    place = block[0][0]
    pmid, title = _text_line(*block[0], "t", "title")
    record = Record(pmid, title, place)
    rows = block[1:]
    # Some documents have no abstract, not even an empty one
    if rows and not rows[0][1].startswith(f"{pmid}\t"):
        other, abstract = _text_line(*rows[0], "a", "abstract")
        _check_document(other, pmid, rows[0][0])
        record.text, record.breaks = f"{title} {abstract}", (len(title) + 1,)
        rows = rows[1:]
    mentions: List[Row] = []
    relations: List[Row] = []
    for place, line in rows:
        found, *columns = line.split("\t")
        if not columns:
            raise place.error(Errors.DR364)
        _check_document(found, pmid, place)
        is_mention = 4 <= len(columns) <= 6 and all(map(is_offset, columns[:2]))
        if not is_mention and len(columns) not in (3, 4):
            raise place.error(Errors.DR365, n=len(columns) + 1)
        (mentions if is_mention else relations).append((place, columns))
    named = {id.strip() for _, (_, first, second, *_) in relations for id in (first, second)}
    for number, (place, (start, end, text, type, *more)) in enumerate(mentions):
        identifiers, names = (*more, "", "")[:2]
        if names:
            record.notes["names within a composite mention not read"] += 1
        mention = MentionRecord(str(number), type, int(start), int(end), split_identifiers(identifiers, named))
        record.add_mention(mention, place, text)
    for place, (type, first, second, *novelty) in relations:
        rel = RelationRecord(type, first.strip(), second.strip())
        record.add_concept_relation(rel, place, novelty[0] if novelty else None)
    return record


def split_identifiers(text: str, named: Collection[str] = ()) -> Tuple[str, ...]:
    """The distinct concepts in a list with commas, semicolons or bars.

    Variants, which may hold the latter, and concepts that relations name, as in BioRED, are kept whole.
    """
    ids = (
        id if id in named or _VARIANT.search(id) else re.sub("[;|]", SEPARATOR, id)
        for id in map(str.strip, text.split(SEPARATOR))
    )
    return split_concepts(SEPARATOR.join(ids))


def count_split(record: Record, lost: Counter) -> None:
    """Count the concepts that would be read as several."""
    ids = [id for mention in record.mentions for id in mention.concepts]
    lost["concept with ; or |, which separate concepts"] += sum(len(split_identifiers(id)) > 1 for id in ids)


def _text_line(place: Place, line: str, kind: str, name: str) -> Tuple[str, str]:
    # Titles and abstracts may contain "|"
    values = line.split("|", 2)
    if len(values) != 3 or values[1] != kind or not values[0].strip():
        raise place.error(Errors.DR363, kind=kind, name=name)
    return values[0], values[2]


def _check_document(found: str, pmid: str, place: Place) -> None:
    if found != pmid:
        raise place.error(Errors.DR366, found=found, id=pmid)


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write the documents, each followed by an empty line.

    The title ends at the first break, or else the first sentence start, after a blank. A relation between mentions is
    written for all pairs of their concepts. The concept of a mention without one is its long or else surface form in
    lower case, as in `concepts.Concept`. Relations have a novelty column if there is ``meta["novel"]``.
    """
    write_lines(path, (line for record in records for line in (*_lines(record, lost), "")))


def _lines(record: Record, lost: Counter) -> Iterator[str]:
    id, text = one_line(record.id).replace("|", " "), one_line(record.text)
    count_split(record, lost)
    lost["document id with a tab, line end or |, replaced by a blank"] += id != record.id
    lost["text with tabs or line ends, replaced by blanks"] += text != record.text
    # Title and abstract are separated by a blank of the text, so that all offsets hold
    starts = (start for start in (*record.breaks, *(record.sentences or ())) if start and text[start - 1] == " ")
    start = next(starts, None)
    title, abstract = (text[: start - 1], text[start:]) if start else (text.removesuffix(" "), "")
    lost["text of one sentence, with a blank added at its end"] += f"{title} {abstract}" != text
    yield f"{id}|t|{title}"
    yield f"{id}|a|{abstract}"
    concepts: Dict[Tuple[int, int, str], Dict[str, None]] = defaultdict(dict)
    for mention in record.mentions:
        lost["mention without concept, given its text in lower case as one"] += not mention.concepts
        concepts[mention.key].update(dict.fromkeys(_concepts(mention, record)))
    for (start, end, type), ids in sorted(concepts.items()):
        yield "\t".join([id, str(start), str(end), text[start:end], one_line(type), SEPARATOR.join(ids)])
    for row in dict.fromkeys(_triples(record, lost)):
        yield "\t".join([id, *map(one_line, row)])


def _triples(record: Record, lost: Counter) -> Iterator[Tuple[str, ...]]:
    concepts = {mention.id: list(filter(is_concept, _concepts(mention, record))) for mention in record.mentions}
    for rel in record.relations:
        pairs = list(product(concepts[rel.subject], concepts[rel.object]))
        lost["relation of a mention that was looked up and not found, left out"] += not pairs
        lost["score of a relation"] += 1
        yield from ((rel.predicate, *pair) for pair in pairs)
    novel = record.meta.get("novel")
    for rel in record.concept_relations:
        row = (rel.predicate, rel.subject, rel.object)
        yield row if novel is None else (*row, "Novel" if list(row) in novel else "No")


def _concepts(mention: MentionRecord, record: Record) -> List[str]:
    form = " ".join(record.long_form(mention).lower().split())
    return [one_line(concept) for concept in mention.concepts] or [form.replace(SEPARATOR, " ").strip()]


FORMATS = {"pubtator": Format(read, write=write, outputs=(".pubtator",))}
