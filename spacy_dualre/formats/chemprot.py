"""ChemProt, BioCreative VI track 5, and DrugProt, BioCreative VII track 1: the TSV files of one split in a folder,
without header, quoting or escaping.

Offsets are code points into title + one character + abstract, end exclusive.
"""

from collections import defaultdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import Row, is_offset, read_lines

#: The relation groups that the task scores.
GROUPS = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
#: All groups, with CPR:0 for undefined and CPR:10 for negated relations.
ALL_GROUPS = tuple(f"CPR:{number}" for number in range(11))
#: DrugProt's relations.
DRUGPROT = (
    *("ACTIVATOR", "AGONIST", "AGONIST-ACTIVATOR", "AGONIST-INHIBITOR", "ANTAGONIST", "DIRECT-REGULATOR"),
    *("INDIRECT-DOWNREGULATOR", "INDIRECT-UPREGULATOR", "INHIBITOR", "PART-OF", "PRODUCT-OF", "SUBSTRATE"),
    "SUBSTRATE_PRODUCT-OF",
)
#: The tasks do not distinguish genes that can be normalised (Y) from others, and DrugProt's test set names neither.
TYPES = {"CHEMICAL": "CHEMICAL", "GENE-Y": "GENE", "GENE-N": "GENE", "GENE": "GENE"}


def read(folder: Path) -> Iterator[Record]:
    """Read one split with the relations of the five scored groups, from ``*_gold_standard*.tsv`` if it is annotated.

    Texts are in ``*_abstracts*.tsv``, mentions in ``*_entities*.tsv``.
    """
    return as_corpus(folder, "chemprot", _records(folder, "*_gold_standard*.tsv", 4, groups=GROUPS))


def read_groups(folder: Path, label: int = 1) -> Iterator[Record]:
    """Like `read`, with all groups, from ``*_relations*.tsv``; column 3 has fine labels (INDIRECT-UPREGULATOR ...)."""
    return as_corpus(folder, "chemprot", _records(folder, "*_relations*.tsv", 6, label=label))


def read_drugprot(folder: Path) -> Iterator[Record]:
    """Like `read`, for DrugProt, with the relations of ``*_relations*.tsv``, which its test set lacks."""
    return as_corpus(folder, "drugprot", _records(folder, "*_relations*.tsv", 4, groups=DRUGPROT))


def read_gold_standard(path: Path, may_be_empty: bool = False) -> Iterator[Tuple[str, RelationRecord]]:
    """Iterate over document ids and relations of a gold standard, or of predictions in its format, in any group."""
    for place, columns in _rows(path, 4, may_be_empty):
        yield columns[0], _relation(place, columns)


def _records(folder: Path, pattern: str, columns: int, **options: Any) -> Iterator[Record]:
    if not folder.is_dir():
        raise Place(folder).error(Errors.DR340)
    # So spelled in DrugProt
    has_abstracs = any(folder.glob("*_abstracs*.tsv"))
    abstracts = _one(folder, "*_abstracs*.tsv" if has_abstracs else "*_abstracts*.tsv")
    mentions = _by_document(_one(folder, "*_entities*.tsv"), 6)
    has_relations = any(folder.glob(pattern))
    relations = _by_document(_one(folder, pattern), columns) if has_relations else {}
    seen = set()
    for place, (pmid, title, abstract) in _rows(abstracts, 3):
        seen.add(pmid)
        record = Record(pmid, f"{title} {abstract}", place, breaks=(len(title) + 1,))
        if not has_relations:
            record.notes[f"documents without relations: no file {pattern}"] += 1
        for place, (_, id, type, start, end, form) in mentions.get(pmid, ()):
            if type not in TYPES:
                raise place.error(Errors.DR344, value=type, known=", ".join(TYPES))
            if not (is_offset(start) and is_offset(end)):
                raise place.error(Errors.DR345, start=start[:12], end=end[:12])
            record.add_mention(MentionRecord(id, TYPES[type], int(start), int(end)), place, form)
        for place, row in relations.get(pmid, ()):
            record.add_relation(_relation(place, row, **options), place)
        yield record
    for pmid, rows in chain(mentions.items(), relations.items()):
        if pmid not in seen:
            raise rows[0][0].error(Errors.DR343, id=pmid, name=abstracts.name)


def _one(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise Place(folder).error(Errors.DR341, pattern=pattern, n=len(paths))
    return paths[0]


def _rows(path: Path, n: int, may_be_empty: bool = False) -> Iterator[Row]:
    for place, line in read_lines(path, may_be_empty):
        if line:
            columns = line.split("\t")
            if len(columns) != n:
                raise place.error(Errors.DR342, n=len(columns), expected=n)
            yield place, columns


def _by_document(path: Path, columns: int) -> Dict[str, List[Row]]:
    rows = defaultdict(list)
    # A split without any mention or relation has an empty file
    for place, row in _rows(path, columns, may_be_empty=True):
        rows[row[0]].append((place, row))
    return rows


def _relation(place: Place, columns: List[str], label: int = 1, groups: Sequence[str] = ALL_GROUPS) -> RelationRecord:
    """The relation of a row, given the column of the predicate. The arguments are the last two."""
    if columns[1] not in groups:
        raise place.error(Errors.DR346, value=columns[1], known=", ".join(groups))
    for text, prefix in zip(columns[-2:], ("Arg1:", "Arg2:")):
        if not text.startswith(prefix):
            raise place.error(Errors.DR347, value=text, prefix=prefix)
    subject, object = (text.partition(":")[2] for text in columns[-2:])
    return RelationRecord(columns[label], subject, object)


FORMATS = {
    "chemprot": Format(read),
    "chemprot-fine": Format(partial(read_groups, label=3)),
    "chemprot-groups": Format(read_groups),
    "drugprot": Format(read_drugprot),
}
