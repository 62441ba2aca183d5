"""brat standoff, see `corpora.brat`: a folder with a .txt and an .ann file for each document, named by its id.

Scores are notes of the annotator, which brat shows.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator
from urllib.parse import quote

from ...records.record import MentionRecord, Record
from .record import as_record, count_long_forms, one_line

SUFFIXES = ()
#: Characters of a file's name, less its suffix: file systems allow 255 bytes.
_LONGEST_NAME = 200


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """Two files for each document; a "/" in its id makes a folder."""
    path.mkdir()
    for document in documents:
        record = as_record(document)
        count_long_forms(document, lost)
        if not record.text:
            lost["document without text, left out"] += 1
            continue
        text_file = path / _free_name(path, record.id, lost)
        text_file.parent.mkdir(parents=True, exist_ok=True)
        text_file.write_bytes(record.text.encode("utf8"))
        lines = "".join(f"{line}\n" for line in _lines(record, lost))
        text_file.with_suffix(".ann").write_bytes(lines.encode("utf8"))


def _free_name(folder: Path, id: str, lost: Counter) -> str:
    """The name of the document's text file, which never leaves the folder."""
    name = "/".join(map(_file_name, id.split("/")))
    lost["document id that is no file name, written with % and digits"] += name != id
    free, number = name, 1
    while (folder / f"{free}.txt").exists():
        number += 1
        free = f"{name}~{number}"
    lost["document id given twice, with a number behind it"] += free != name
    return f"{free}.txt"


def _file_name(part: str) -> str:
    name = quote(part, safe=" ()[]+,;=@~")[:_LONGEST_NAME]
    return name if name.strip(".") else "%" + name.replace(".", "%2E")


def _lines(record: Record, lost: Counter) -> Iterator[str]:
    ids: Dict[str, str] = {}
    concepts = 0
    for number, mention in enumerate(record.mentions, 1):
        ids[mention.id] = f"T{number}"
        pieces = ";".join(_pieces(record.text, mention))
        covered = one_line(record.text[mention.start : mention.end])
        yield f"T{number}\t{_word(mention.type, lost)} {pieces}\t{covered}"
        for concept in mention.concepts:
            concepts += 1
            yield f"N{concepts}\tReference T{number} {_word(concept, lost)}\t{covered}"
    for number, rel in enumerate(record.relations, 1):
        yield f"R{number}\t{_word(rel.predicate, lost)} Arg1:{ids[rel.subject]} Arg2:{ids[rel.object]}"
        yield f"#{number}\tAnnotatorNotes R{number}\tscore {rel.score}"


def _pieces(text: str, mention: MentionRecord) -> Iterator[str]:
    """brat wants no line end within a piece."""
    for match in re.finditer(r"[^\r\n]+", text[mention.start : mention.end]):
        yield f"{mention.start + match.start()} {mention.start + match.end()}"


def _word(name: str, lost: Counter) -> str:
    word = "_".join(name.split())
    lost["type, predicate or concept with blanks, for which _ stands"] += word != name
    return word
