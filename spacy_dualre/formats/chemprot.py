"""ChemProt, BioCreative VI track 5: the TSV files of one split in a folder.

Tab-separated, UTF-8, without header, quoting or escaping. Offsets are code points into title + one character +
abstract, end exclusive.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import is_offset, read_lines

#: The relation groups that the task scores.
GROUPS = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
#: All groups, with CPR:0 for undefined and CPR:10 for negated relations.
ALL_GROUPS = tuple(f"CPR:{number}" for number in range(11))
#: The task does not distinguish genes that can be normalised (Y) from others.
TYPES = {"CHEMICAL": "CHEMICAL", "GENE-Y": "GENE", "GENE-N": "GENE"}


class _Row(NamedTuple):
    place: Place
    values: List[str]


def read(folder: Path) -> Iterator[Record]:
    """Read one split with the relations of the five scored groups, from ``*_gold_standard*.tsv`` if it is annotated.

    Texts are in ``*_abstracts*.tsv``, mentions in ``*_entities*.tsv``.
    """
    return as_corpus(
        folder, "chemprot", _records(folder, "*_gold_standard*.tsv", 4, partial(_relation, groups=GROUPS, arguments=2))
    )


def read_groups(folder: Path) -> Iterator[Record]:
    """Like `read`, with all groups, from ``*_relations*.tsv``."""
    return as_corpus(folder, "chemprot", _records(folder, "*_relations*.tsv", 6, _relation))


def read_fine(folder: Path) -> Iterator[Record]:
    """Like `read_groups`, with fine labels such as INDIRECT-UPREGULATOR."""
    return as_corpus(folder, "chemprot", _records(folder, "*_relations*.tsv", 6, partial(_relation, label=3)))


def read_gold_standard(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[str, RelationRecord]]:
    """Iterate over document ids and relations of a gold standard, or of predictions in its format, in any group."""
    for row in _rows(path, 4, may_be_empty):
        yield row.values[0], _relation(row, arguments=2)


def _records(folder: Path, pattern: str, columns: int, parse: Callable[[_Row], RelationRecord]) -> Iterator[Record]:
    if not folder.is_dir():
        raise Place(folder).error(Errors.DR340)
    abstracts = _one(folder, "*_abstracts*.tsv")
    mentions = _by_document(_one(folder, "*_entities*.tsv"), 6)
    has_relations = any(folder.glob(pattern))
    relations = _by_document(_one(folder, pattern), columns) if has_relations else {}
    seen = set()
    for place, (pmid, title, abstract) in _rows(abstracts, 3):
        seen.add(pmid)
        record = Record(pmid, f"{title} {abstract}", place, breaks=(len(title) + 1,))
        if not has_relations:
            record.notes[f"documents without relations: no file {pattern}"] += 1
        for row in mentions.get(pmid, []):
            record.add_mention(_mention(row), row.place, text=row.values[5])
        for row in relations.get(pmid, []):
            record.add_relation(parse(row), row.place)
        yield record
    for rows in (mentions, relations):
        for pmid, (row, *_) in rows.items():
            if pmid not in seen:
                raise row.place.error(Errors.DR343, id=pmid, name=abstracts.name)


def _one(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise Place(folder).error(Errors.DR341, pattern=pattern, n=len(paths))
    return paths[0]


def _rows(path: Path, columns: int, may_be_empty: bool = False) -> Iterator[_Row]:
    for place, line in read_lines(path, may_be_empty):
        if line:
            values = line.split("\t")
            if len(values) != columns:
                raise place.error(Errors.DR342, n=len(values), expected=columns)
            yield _Row(place, values)


def _by_document(path: Path, columns: int) -> Dict[str, List[_Row]]:
    rows = defaultdict(list)
    # A split without any mention or relation has an empty file
    for row in _rows(path, columns, may_be_empty=True):
        rows[row.values[0]].append(row)
    return rows


def _mention(row: _Row) -> MentionRecord:
    _, mention_id, type, start, end, _ = row.values
    if type not in TYPES:
        raise row.place.error(Errors.DR344, value=type, known=", ".join(TYPES))
    if not (is_offset(start) and is_offset(end)):
        raise row.place.error(Errors.DR345, start=start[:12], end=end[:12])
    return MentionRecord(mention_id, TYPES[type], int(start), int(end))


def _relation(row: _Row, label: int = 1, groups: Sequence[str] = ALL_GROUPS, arguments: int = 4) -> RelationRecord:
    """The relation of a row, given the columns of the predicate and the first argument."""
    if row.values[1] not in groups:
        raise row.place.error(Errors.DR346, value=row.values[1], known=", ".join(groups))
    subject, object = (_argument(row, text, prefix) for text, prefix in zip(row.values[arguments:], ("Arg1:", "Arg2:")))
    return RelationRecord(row.values[label], subject, object)


def _argument(row: _Row, text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise row.place.error(Errors.DR347, value=text, prefix=prefix)
    return text.removeprefix(prefix)


FORMATS = {"chemprot": Format(read), "chemprot-fine": Format(read_fine), "chemprot-groups": Format(read_groups)}
