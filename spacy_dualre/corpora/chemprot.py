"""ChemProt, BioCreative VI track 5: the four TSV files of one split in a folder.

Tab-separated, UTF-8, without header, quoting or escaping. Offsets are code points into title + one character +
abstract, end exclusive.
"""

from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

from .record import MentionRecord, Record, RelationRecord, corpus_error

#: The groups of relations that the task scores.
GROUPS = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
#: Whether a protein name can be normalised is not part of the task.
TYPES = {"CHEMICAL": "CHEMICAL", "GENE-Y": "GENE", "GENE-N": "GENE"}


class _Row(NamedTuple):
    path: Path
    line: int
    values: List[str]


def read(folder: Path) -> Iterator[Record]:
    """The documents of one split in the order of its abstracts file, with the relations of its gold standard file.

    folder: holds ``*_abstracts*.tsv``, ``*_entities*.tsv`` and, unless it is not annotated, ``*_gold_standard*.tsv``.
    Raises CorpusError naming file and line for anything that is not as the format says.
    """
    if not folder.is_dir():
        raise corpus_error(
            folder,
            "no such folder. Put the files of one ChemProt split there: *_abstracts*.tsv, *_entities*.tsv, "
            "*_gold_standard*.tsv",
        )
    abstracts = _one(folder, "*_abstracts*.tsv")
    mentions = _mentions(_one(folder, "*_entities*.tsv"))
    has_gold = any(folder.glob("*_gold_standard*.tsv"))
    relations = _relations(_one(folder, "*_gold_standard*.tsv")) if has_gold else {}
    seen = set()
    for row in _rows(abstracts, 3):
        pmid, title, abstract = row.values
        if pmid in seen:
            raise corpus_error(row.path, f"document {pmid} occurs twice", row.line)
        seen.add(pmid)
        record = Record(
            pmid, f"{title} {abstract}", breaks=(len(title) + 1,), meta={"corpus": "chemprot", "split": folder.name}
        )
        for mention_row in mentions.get(pmid, []):
            record.mentions.append(_mention(mention_row, record))
        ids = {mention.id for mention in record.mentions}
        for relation_row in relations.get(pmid, []):
            record.relations.append(_relation(relation_row, ids))
        yield record
    for rows in (mentions, relations):
        for pmid in rows.keys() - seen:
            raise corpus_error(rows[pmid][0].path, f"document {pmid} is not in {abstracts.name}", rows[pmid][0].line)


def _one(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise corpus_error(folder, f"expected one file {pattern}, found {len(paths)}")
    return paths[0]


def _rows(path: Path, columns: int) -> Iterator[_Row]:
    try:
        text = path.read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError) as err:
        raise corpus_error(path, f"cannot be read as UTF-8 ({err})") from err
    # Not splitlines: it would also cut at separators that occur inside abstracts.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.removesuffix("\r")
        if not line:
            continue
        values = line.split("\t")
        if len(values) != columns:
            raise corpus_error(path, f"{len(values)} columns in place of {columns}", number)
        yield _Row(path, number, values)


def _mentions(path: Path) -> Dict[str, List[_Row]]:
    rows = defaultdict(list)
    for row in _rows(path, 6):
        rows[row.values[0]].append(row)
    return rows


def _mention(row: _Row, record: Record) -> MentionRecord:
    _, mention_id, type, start_text, end_text, text = row.values
    if type not in TYPES:
        raise corpus_error(row.path, f"unknown entity type {type!r}", row.line)
    if not all(offset.isdecimal() and len(offset) < 10 for offset in (start_text, end_text)):
        raise corpus_error(
            row.path, f"offsets {start_text[:12]!r}, {end_text[:12]!r} in document {record.id} are no offsets", row.line
        )
    start, end = int(start_text), int(end_text)
    if not 0 <= start < end <= len(record.text) or record.text[start:end] != text:
        found = record.text[start:end]
        raise corpus_error(
            row.path, f"characters {start} to {end} of document {record.id} are {found!r}, not {text!r}", row.line
        )
    if any(mention.id == mention_id for mention in record.mentions):
        raise corpus_error(row.path, f"entity {mention_id} of document {record.id} occurs twice", row.line)
    return MentionRecord(mention_id, TYPES[type], start, end)


def _relations(path: Path) -> Dict[str, List[_Row]]:
    rows = defaultdict(list)
    for row in _rows(path, 4):
        if row.values[1] not in GROUPS:
            raise corpus_error(path, f"unknown relation group {row.values[1]!r}", row.line)
        rows[row.values[0]].append(row)
    return rows


def _relation(row: _Row, ids: set) -> RelationRecord:
    pmid, group, *arguments = row.values
    subject, object = (_argument(row, text, prefix, ids) for text, prefix in zip(arguments, ("Arg1:", "Arg2:")))
    return RelationRecord(group, subject, object)


def _argument(row: _Row, text: str, prefix: str, ids: set) -> str:
    if not text.startswith(prefix) or text.removeprefix(prefix) not in ids:
        raise corpus_error(
            row.path, f"{text!r} is not {prefix} and the id of an entity of document {row.values[0]}", row.line
        )
    return text.removeprefix(prefix)
