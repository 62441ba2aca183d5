"""Hostile strings are written in every format and read back: what is not counted as lost comes back."""

import os
import re
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Dict, Iterator, List

import spacy
from helpers.tools import submit_predictions
from spacy.vocab import Vocab

from spacy_dualre.formats import all_formats, function, names, tables
from spacy_dualre.formats.files import Source
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import Place, Record
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

from .ground import Ground
from .processes import finish, start
from .strings import choose, make_doc
from .trials import Attempt, Campaign, Trial

#: A file name that is not UTF-8.
_BYTES = b"\xff"


def campaigns(ground: Ground, seed: int, strings: int) -> List[Campaign]:
    """Each string in each format that can be written, and as the name of a file."""
    return [
        Campaign("formats", "write and read back", partial(trips, seed, strings), 60, 2000),
        Campaign("file-names", "extract from files with odd names", partial(file_names, ground, seed, strings), 120),
    ]


# Formats


def trips(seed: int, strings: int) -> Iterator[Trial]:
    """A trial for each format and string."""
    for name in names("write"):
        for kind, text in choose(Random(seed), strings):
            yield Trial(f"formats/{name}/{kind}", partial(_trip, name, text))


def _trip(name: str, text: str, attempt: Attempt) -> None:
    attempt.tell(ascii(text))
    written = list(_records(text))
    path = attempt.folder / "folder" / ("out" + [*all_formats()[name].outputs, ""][0])
    path.parent.mkdir()
    lost: Counter = Counter()
    try:
        function(name, "write")(written, path, lost)
    except ValueError as err:
        assert "[DR" in str(err), f"refused by an error that is not the package's: {err!r}"
        return
    outside = {one.name for one in attempt.folder.iterdir()} - {"folder"}
    assert not outside, f"files outside of the folder: {outside}"
    found = list(_read(name, path))
    if not +lost:
        one, other = (sorted(map(_content, records), key=repr) for records in (found, written))
        assert _of_table(one) == _of_table(other) if name in ("csv", "spreadsheet") else one == other, (
            f"{_difference(one, other)}"
        )


def _records(text: str) -> Iterator[Record]:
    for number in range(2):
        doc = make_doc(Vocab(), text, number)
        yield doc_to_record(doc, f"{number}{text}", Place(Path("made-up"), number + 1))


def _read(name: str, path: Path) -> Iterator[Record]:
    """Read with the format's reader, or with the one for what it writes."""
    if name in ("csv", "spreadsheet"):
        documents: Any = tables.stream_relations(Source(path))
    elif name == "label-studio":
        documents = function(name, "read")(submit_predictions(path))
    elif all_formats()[name].read is not None:
        documents = function(name, "read")(path)
    else:
        documents = function(name, "stream")(Source(path))
    for record in documents:
        assert isinstance(record, Record), f"cannot be read again: {record}"
        nlp = spacy.blank("xx")
        nlp.add_pipe("sentencizer")
        list(records_to_docs([record], nlp, ConversionReport()))
        yield record


def _content(record: Record) -> Dict[str, Any]:
    """What formats promise to keep."""
    mentions = {mention.id: mention for mention in record.mentions}
    keys = {id: (m.start, m.end, m.type, *m.concepts) for id, m in mentions.items()}
    rels = sorted((keys[rel.subject], rel.predicate, keys[rel.object]) for rel in record.relations)
    return {"id": record.id, "text": record.text, "mentions": sorted(keys.values()), "relations": rels}


def _of_table(contents: List[Dict[str, Any]]) -> List[Any]:
    """A table has the relations alone."""
    return [(content["id"], content["relations"]) for content in contents]


def _difference(found: List[Dict[str, Any]], expected: List[Dict[str, Any]]) -> str:
    if len(found) != len(expected):
        return f"{len(found)} documents instead of {len(expected)}"
    for one, other in zip(found, expected):
        for key in one:
            if one[key] != other[key]:
                return f"other {key}: {ascii(one[key])} instead of {ascii(other[key])}"
    return "other relations"


# Names of files


def file_names(ground: Ground, seed: int, strings: int) -> Iterator[Trial]:
    """Extractions from a folder in which one file has an odd name, each to one of the formats."""
    odd = [(kind, re.sub("[/\0]", "", text).encode()[:200]) for kind, text in choose(Random(seed), strings)]
    formats = names("write")
    for number, (kind, name) in enumerate(odd):
        yield Trial(f"file-names/{kind}", partial(_extract, ground, name, formats[number % len(formats)]))
    for format in formats:
        yield Trial(f"file-names/not-utf8-to-{format}", partial(_extract, ground, _BYTES, format))


def _extract(ground: Ground, name: bytes, format: str, attempt: Attempt) -> None:
    attempt.tell(f"{name!r} to {format}")
    folder = attempt.folder / "in"
    folder.mkdir()
    for own in (name + b".txt", b"usual.txt"):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), own))).write_text("Aspirin inhibits COX-1.")
    output = attempt.folder / ("out" + [*all_formats()[format].outputs, ""][0])
    status = finish(start("dualre", "extract", ground.pipeline, folder, output, "--to", format), 60)
    assert status == 0, f"the exit status is {status}"
    assert len(list(_read(format, output))) == 2, "not both documents were written"
