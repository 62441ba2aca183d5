"""PubTator, see `corpora.pubtator`, whose relations are between concepts of the whole document.

A relation between mentions becomes one between each of their concepts. For a mention without one its long or else
surface form in lower case stands, as in `concepts.Concept`; one that was looked up and not found ("-") can be no
argument. The title is the first sentence where a blank parts it from the second, else the whole text.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from ...annotations.concepts import SEPARATOR, is_concept
from ...records.record import MentionRecord, Record
from .record import as_record, one_line

SUFFIXES = (".pubtator",)


def write(documents: Iterable[Dict[str, Any]], path: Path, lost: Counter) -> None:
    """The documents, each followed by an empty line."""
    with path.open("w", encoding="utf8", newline="\n") as file:
        for document in documents:
            file.writelines(f"{line}\n" for line in _lines(as_record(document), lost))
            file.write("\n")


def _lines(record: Record, lost: Counter) -> Iterator[str]:
    id, text = one_line(record.id).replace("|", " "), one_line(record.text)
    lost["document id with a tab, a line end or |, for which a blank stands"] += id != record.id
    lost["text with tabs or line ends, for which blanks stand"] += text != record.text
    title, abstract = _halves(text, record)
    lost["text that ends with a blank more, since it has one sentence"] += f"{title} {abstract}" != text
    yield f"{id}|t|{title}"
    yield f"{id}|a|{abstract}"
    distinct = {(mention.start, mention.end, mention.type): mention for mention in reversed(record.mentions)}
    for (start, end, type), mention in sorted(distinct.items()):
        identifiers = SEPARATOR.join(_concepts(mention, record))
        yield "\t".join([id, str(start), str(end), text[start:end], one_line(type), identifiers])
        lost["mention without concept, for which its text in lower case stands"] += not mention.concepts
    for row in dict.fromkeys(_triples(record, lost)):
        yield "\t".join([id, *map(one_line, row)])


def _halves(text: str, record: Record) -> Tuple[str, str]:
    starts = [start for start in record.sentences or () if start and text[start - 1] == " "]
    return (text[: starts[0] - 1], text[starts[0] :]) if starts else (text.removesuffix(" "), "")


def _triples(record: Record, lost: Counter) -> Iterator[Tuple[str, str, str]]:
    mentions = {mention.id: mention for mention in record.mentions}
    for rel in record.relations:
        subjects, objects = (
            [concept for concept in _concepts(mentions[id], record) if is_concept(concept)]
            for id in (rel.subject, rel.object)
        )
        lost["relation of a mention that was looked up and not found, left out"] += not (subjects and objects)
        lost["score of a relation"] += 1
        for subject in subjects:
            for object in objects:
                yield rel.predicate, subject, object


def _concepts(mention: MentionRecord, record: Record) -> List[str]:
    form = record.long_form(mention).lower().replace(SEPARATOR, " ")
    return [one_line(concept) for concept in mention.concepts] or [" ".join(form.split())]
