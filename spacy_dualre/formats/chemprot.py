"""ChemProt, BioCreative VI track 5: the TSV files of one split in a folder.

Tab-separated, UTF-8, without header, quoting or escaping. Offsets are code points into title + one character +
abstract, end exclusive.
"""

from collections import defaultdict
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple

from ..records.record import MentionRecord, Place, Record, RelationRecord, corpus_error
from .files import read_lines

#: The groups of relations that the task scores.
GROUPS = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
#: All groups; CPR:10 is a relation that the text denies, CPR:0 an undefined one.
ALL_GROUPS = tuple(f"CPR:{number}" for number in range(11))
#: Whether a protein name can be normalised is not part of the task.
TYPES = {"CHEMICAL": "CHEMICAL", "GENE-Y": "GENE", "GENE-N": "GENE"}


class _Row(NamedTuple):
    place: Place
    values: List[str]


_ByDocument = Dict[str, List[_Row]]


def read(folder: Path) -> Iterator[Record]:
    """The documents of one split in the order of its abstracts file, with the relations of the five scored groups.

    folder: holds ``*_abstracts*.tsv``, ``*_entities*.tsv`` and, unless it is not annotated, ``*_gold_standard*.tsv``.
    Raises CorpusError naming file and line for anything that is not as the format says.
    """
    return _read(folder, "*_gold_standard*.tsv", 4, _gold_row)


def read_groups(folder: Path) -> Iterator[Record]:
    """The same with all groups, CPR:0 to CPR:10, from ``*_relations*.tsv``."""
    return _read(folder, "*_relations*.tsv", 6, _group_row)


def read_fine(folder: Path) -> Iterator[Record]:
    """The same with the fine labels of all groups, such as INDIRECT-UPREGULATOR, from ``*_relations*.tsv``."""
    return _read(folder, "*_relations*.tsv", 6, _fine_row)


def _read(folder: Path, pattern: str, columns: int, parse: Callable[[_Row], RelationRecord]) -> Iterator[Record]:
    if not folder.is_dir():
        raise corpus_error(
            folder,
            "no such folder. Put the files of one ChemProt split there: *_abstracts*.tsv, *_entities*.tsv, "
            "*_gold_standard*.tsv",
        )
    abstracts = _one(folder, "*_abstracts*.tsv")
    mentions = _by_document(_one(folder, "*_entities*.tsv"), 6)
    has_relations = any(folder.glob(pattern))
    relations = _by_document(_one(folder, pattern), columns) if has_relations else {}
    seen = set()
    for row in _rows(abstracts, 3):
        pmid, title, abstract = row.values
        if pmid in seen:
            raise corpus_error(row.place.path, f"document {pmid} occurs twice", row.place.line)
        seen.add(pmid)
        record = Record(pmid, f"{title} {abstract}", row.place, breaks=(len(title) + 1,))
        record.meta = {"corpus": "chemprot", "split": folder.name}
        if not has_relations:
            record.notes[f"documents without relations: no file {pattern}"] += 1
        for mention_row in mentions.get(pmid, []):
            mention = _mention(mention_row)
            record.add_mention(mention, mention_row.place, text=mention_row.values[5])
        for relation_row in relations.get(pmid, []):
            record.add_relation(parse(relation_row), relation_row.place)
        yield record
    for rows in (mentions, relations):
        for pmid, (row, *_) in rows.items():
            if pmid not in seen:
                raise corpus_error(row.place.path, f"document {pmid} is not in {abstracts.name}", row.place.line)


def _one(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise corpus_error(folder, f"expected one file {pattern}, found {len(paths)}")
    return paths[0]


def _rows(path: Path, columns: int, may_be_empty: bool = False) -> Iterator[_Row]:
    for number, line in read_lines(path, may_be_empty):
        if not line:
            continue
        values = line.split("\t")
        if len(values) != columns:
            raise corpus_error(path, f"{len(values)} columns in place of {columns}", number)
        yield _Row(Place(path, number), values)


def _by_document(path: Path, columns: int) -> _ByDocument:
    rows = defaultdict(list)
    # A split whose documents have no mention or no relation has an empty file.
    for row in _rows(path, columns, may_be_empty=True):
        rows[row.values[0]].append(row)
    return rows


def _mention(row: _Row) -> MentionRecord:
    _, mention_id, type, start, end, _ = row.values
    if type not in TYPES:
        raise corpus_error(row.place.path, f"unknown entity type {type!r}", row.place.line)
    if not all(offset.isdecimal() and len(offset) < 10 for offset in (start, end)):
        raise corpus_error(row.place.path, f"{start[:12]!r}, {end[:12]!r} are no offsets", row.place.line)
    return MentionRecord(mention_id, TYPES[type], int(start), int(end))


def _gold_row(row: _Row) -> RelationRecord:
    return _relation(row, _group(row, GROUPS), row.values[2:])


def _group_row(row: _Row) -> RelationRecord:
    return _relation(row, _group(row, ALL_GROUPS), row.values[4:])


def _fine_row(row: _Row) -> RelationRecord:
    _group(row, ALL_GROUPS)
    return _relation(row, row.values[3], row.values[4:])


def _group(row: _Row, known: tuple) -> str:
    group = row.values[1]
    if group not in known:
        raise corpus_error(row.place.path, f"unknown relation group {group!r}", row.place.line)
    return group


def _relation(row: _Row, predicate: str, arguments: List[str]) -> RelationRecord:
    subject, object = (_argument(row, text, prefix) for text, prefix in zip(arguments, ("Arg1:", "Arg2:")))
    return RelationRecord(predicate, subject, object)


def _argument(row: _Row, text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise corpus_error(row.place.path, f"{text!r} does not begin with {prefix}", row.place.line)
    return text.removeprefix(prefix)
