"""BioRED: distinct (type, unordered pair of concepts) of each document, micro F1.

Pairs of two diseases, of a gene and a variant, and of a gene and a taxon are ignored on both sides. The types are those
of the concepts' mentions; where these have several, a pair is ignored if all combinations are.
"""

from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Set, Tuple

from spacy.tokens import Doc, Span

from ...annotations.concepts import NO_CONCEPT, SEPARATOR, Concept, get_concept_rels, get_concepts
from ...annotations.mentions import SPANS_KEY, get_mentions, mention_key
from ...errors import CorpusError, Errors
from ...formats import pubtator
from ...records.record import Record, corpus_error
from ...types import NEGATIVE
from .protocol import Item, Items, Protocol, rels_of, write_lines

_NAME = "biored"
LABELS = (
    "Association",
    "Positive_Correlation",
    "Negative_Correlation",
    "Bind",
    "Cotreatment",
    "Comparison",
    "Drug_Interaction",
    "Conversion",
)
_DISEASE, _GENE = "DiseaseOrPhenotypicFeature", "GeneOrGeneProduct"
#: Unordered pairs of types that the scorer ignores.
IGNORED = (
    frozenset({_DISEASE}),
    frozenset({_GENE, "SequenceVariant"}),
    frozenset({_GENE, "OrganismTaxon"}),
)
#: Concept id -> the types of its mentions
_Types = Mapping[str, Set[str]]
#: What would end a column, a line or an identifier of the file
_SEPARATORS = str.maketrans("\t\r\n", "   ")


def from_doc(doc: Doc) -> Set[Item]:
    """The relations between concepts, ``doc._.concept_rels``. A mention without a kb_id counts by its surface form."""
    types: Dict[str, Set[str]] = defaultdict(set)
    for span in _mentions(doc):
        for concept in get_concepts(span):
            types[_id(concept)].add(concept.type)
    return {item for item in _items(doc) if _counts(item, types)}


def _items(doc: Doc) -> Set[Item]:
    rels_of(doc, _NAME, LABELS)
    return {
        _item(rel.predicate, _id(rel.subject), _id(rel.object))
        for rel in get_concept_rels(doc)
        if rel.predicate != NEGATIVE
    }


def _item(predicate: str, first: str, second: str) -> Item:
    return Item(predicate, *sorted((first, second)))


def _id(concept: Concept) -> str:
    # Changes surface forms alone, so that they are the same in a file
    return concept.id.replace(SEPARATOR, " ").translate(_SEPARATORS).strip()


def _counts(item: Item, types: _Types) -> bool:
    pairs = [frozenset({first, second}) for first in types[item.subject] for second in types[item.object]]
    return not all(pair in IGNORED for pair in pairs)


def _mentions(doc: Doc) -> List[Span]:
    """All mentions, the arguments of relations too, in text order."""
    mentions = get_mentions(doc, SPANS_KEY if SPANS_KEY in doc.spans else None)
    arguments = [span for rel in rels_of(doc, _NAME, LABELS) for span in (rel.subject, rel.object)]
    return sorted([*mentions, *arguments], key=mention_key)


def read(path: Path) -> Items:
    """A PubTator file, of gold relations or predictions. Both have the mentions, which give the concepts' types.

    Raises CorpusError for a relation of an unknown type or of a concept that has no mention.
    """
    return {record.id: _from_record(record) for record in pubtator.read(path)}


def _from_record(record: Record) -> Set[Item]:
    for dropped in record.dropped:
        if dropped.what == "relation":
            problem = f"the relation cannot be scored: {dropped.why}"
            raise CorpusError(Errors.DR003.format(where=dropped.where, problem=problem))
    types: Dict[str, Set[str]] = defaultdict(set)
    for mention in record.mentions:
        for concept in mention.concepts:
            types[concept].add(mention.type)
    for rel in record.concept_relations:
        if rel.predicate not in LABELS:
            problem = f"unknown relation type {rel.predicate!r} in document {record.id}"
            raise corpus_error(record.place.path, problem, record.place.line)
    items = {_item(rel.predicate, rel.subject, rel.object) for rel in record.concept_relations}
    return {item for item in items if _counts(item, types)}


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """PubTator with texts, mentions and relations, the ignored ones too. Novelty is not predicted: it is "No".

    The title ends where ``doc.user_data["breaks"]`` has its first offset, else with the first sentence. A tab or line
    break in a text becomes a blank.
    """
    write_lines(path, (line for id, doc in docs for line in _lines(id, doc)))


def _lines(id: str, doc: Doc) -> Iterator[str]:
    text = doc.text.translate(_SEPARATORS)
    end = _end_of_title(doc, text)
    yield f"{id}|t|{text[:end]}"
    yield f"{id}|a|{text[end + 1 :]}"
    concepts: Dict[Tuple[int, int, str], Dict[str, None]] = {}
    for span in _mentions(doc):
        ids = concepts.setdefault((span.start_char, span.end_char, span.label_), {})
        ids.update(dict.fromkeys(map(_id, get_concepts(span))))
    for (start, stop, type), ids in concepts.items():
        yield "\t".join((id, str(start), str(stop), text[start:stop], type, SEPARATOR.join(ids) or NO_CONCEPT))
    for item in sorted(_items(doc)):
        yield "\t".join((id, *item, "No"))
    yield ""


def _end_of_title(doc: Doc, text: str) -> int:
    """Where the one blank stands that the format puts between title and abstract, so that all offsets hold."""
    starts = [*doc.user_data.get("breaks", ()), *(token.idx for token in doc if token.is_sent_start)]
    ends = (start - 1 for start in starts if start > 1 and text[start - 1 : start].isspace())
    return next(ends, len(text))


PROTOCOL = Protocol(_NAME, LABELS, from_doc, read, read, write)
