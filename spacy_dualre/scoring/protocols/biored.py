"""BioRED: distinct (type, unordered pair of concepts) of each document, micro F1.

Disease-disease, gene-variant and gene-taxon pairs are ignored in gold and predictions. Concepts have the types of their
mentions; if there are several, a pair is ignored if all combinations are.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, Set, Tuple

from spacy.tokens import Doc

from ...annotations.concepts import SEPARATOR, Concept, get_concept_rels, get_concepts
from ...annotations.mentions import SPANS_KEY, get_mentions
from ...errors import Errors
from ...formats import pubtator
from ...records.record import Record, RelationRecord
from ...types import NEGATIVE
from ...writing import whole_file
from . import Item, Items, Protocol, refuse_dropped, rels_of, to_record

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
IGNORED = (frozenset({_DISEASE}), frozenset({_GENE, "SequenceVariant"}), frozenset({_GENE, "OrganismTaxon"}))
_SEPARATORS = str.maketrans("\t\r\n", "   ")


def from_doc(doc: Doc) -> Set[Item]:
    """The relations between concepts. A mention without kb_id counts by its surface form."""
    arguments = [span for rel in rels_of(doc, _NAME, LABELS) for span in (rel.subject, rel.object)]
    concepts = (concept for span in (*get_mentions(doc, SPANS_KEY), *arguments) for concept in get_concepts(span))
    return _counted(_items(doc), ((_id(concept), concept.type) for concept in concepts))


def _items(doc: Doc) -> Set[Item]:
    rels_of(doc, _NAME, LABELS)
    rels = (rel for rel in get_concept_rels(doc) if rel.predicate != NEGATIVE)
    return {_item(rel.predicate, _id(rel.subject), _id(rel.object)) for rel in rels}


def _item(predicate: str, first: str, second: str) -> Item:
    return Item(predicate, *sorted((first, second)))


def _id(concept: Concept) -> str:
    # Changes surface forms only, to those in a file
    return concept.id.replace(SEPARATOR, " ").translate(_SEPARATORS).strip()


def _counted(items: Set[Item], typed: Iterable[Tuple[str, str]]) -> Set[Item]:
    """The items that are not ignored, given the concepts with their types."""
    types: Dict[str, Set[str]] = defaultdict(set)
    for concept, type in typed:
        types[concept].add(type)

    def is_ignored(item: Item) -> bool:
        return all(frozenset({a, b}) in IGNORED for a in types[item.subject] for b in types[item.object])

    return {item for item in items if not is_ignored(item)}


def read(path: Path) -> Items:
    """Read PubTator with the mentions. Raises CorpusError for a relation of an unknown type, or of a concept without
    mention.
    """
    found: Items = {}
    for record in pubtator.read(path):
        refuse_dropped(record, "relation")
        for rel in record.concept_relations:
            if rel.predicate not in LABELS:
                raise record.place.error(Errors.DR221, label=rel.predicate, id=record.id, known=", ".join(LABELS))
        items = {_item(rel.predicate, rel.subject, rel.object) for rel in record.concept_relations}
        typed = ((concept, mention.type) for mention in record.mentions for concept in mention.concepts)
        found[record.id] = _counted(items, typed)
    return found


def write(docs: Iterable[Tuple[str, Doc]], path: Path) -> None:
    """Write PubTator with texts, mentions and all relations. Their novelty, which is not predicted, is "No"."""
    with whole_file(path) as file:
        pubtator.write((_to_record(id, doc, path) for id, doc in docs), file, Counter())


def _to_record(id: str, doc: Doc, path: Path) -> Record:
    pairs = [RelationRecord(*item) for item in sorted(_items(doc))]
    return replace(to_record(id, doc, path), relations=[], concept_relations=pairs, meta={"novel": []})


PROTOCOL = Protocol(_NAME, LABELS, from_doc, read, read, write)
