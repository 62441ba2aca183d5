"""What annotated documents say of a config and of descriptions for them."""

import re
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from spacy.tokens import Doc, Span

from ..annotations.mentions import SPANS_KEY, get_mentions, mention_key
from ..annotations.relations import get_rels
from ..candidates.entity_pairs import entity_pairs
from ..instances.descriptions import plain_template
from ..types import NEGATIVE, Relation, TypePair

#: Predicates with fewer relations are not judged by the order of their mentions.
_ENOUGH = 20
#: The most tokens of a phrase between two mentions that may become a description.
_PHRASE = 6


class Facts(NamedTuple):
    """What a config and descriptions are written from.

    Attributes:
        labels: The predicates, most frequent first.
        type_pairs: The pairs of types that are related; none: they are learnt in training.
        symmetric: The predicates without direction: in data, those given in both directions.
        one_way: Predicates whose subject nearly always comes first in the text, or last, though it might be either by
            its type; they may be symmetric.
        spans_key: Where the mentions are, None for ``doc.ents``.
        candidates: Pairs of mentions in one sentence to train on; 0 if unknown.
        drafts: A template for each predicate; none if there are no examples of it.
    """

    labels: Sequence[str]
    types: Sequence[str]
    type_pairs: Sequence[TypePair] = ()
    symmetric: Sequence[str] = ()
    one_way: Sequence[str] = ()
    spans_key: Optional[str] = SPANS_KEY
    candidates: int = 0
    drafts: Dict[str, str] = {}


def find_facts(docs: Sequence[Doc]) -> Facts:
    """Look at documents with mentions and gold relations."""
    rels = [rel for doc in docs for rel in get_rels(doc) if rel.predicate != NEGATIVE]
    spans_key = _find_spans_key(docs)
    types = Counter(mention.label_ for doc in docs for mention in get_mentions(doc, spans_key))
    type_pairs = Counter((rel.subject.label_, rel.object.label_) for rel in rels)
    symmetric = _find_symmetric(rels)
    facts = Facts(
        labels=_by_frequency(Counter(rel.predicate for rel in rels)),
        types=_by_frequency(types),
        type_pairs=_by_frequency(type_pairs),
        symmetric=symmetric,
        one_way=_find_one_way([rel for rel in rels if rel.predicate not in symmetric]),
        spans_key=spans_key,
    )
    return _with_drafts(facts, docs)


def _by_frequency(counts: Counter) -> List[Any]:
    return [value for value, _ in counts.most_common()]


def _find_symmetric(rels: Sequence[Relation]) -> List[str]:
    places = {(id(rel.subject.doc), rel.predicate, mention_key(rel.subject), mention_key(rel.object)) for rel in rels}
    distinct = Counter(label for _, label, _, _ in places)
    both_ways = Counter(label for doc, label, one, other in places if (doc, label, other, one) in places)
    return [label for label in _by_frequency(distinct) if both_ways[label] > 0.9 * distinct[label]]


def _find_one_way(rels: Sequence[Relation]) -> List[str]:
    # Otherwise the direction is in the types
    alike = [rel for rel in rels if rel.subject.label_ == rel.object.label_]
    n = Counter(rel.predicate for rel in alike)
    first = Counter(rel.predicate for rel in alike if rel.subject.start < rel.object.start)
    return [label for label in _by_frequency(n) if n[label] >= _ENOUGH and not 0.1 < first[label] / n[label] < 0.9]


def _with_drafts(facts: Facts, docs: Sequence[Doc]) -> Facts:
    """Count the candidates, and draft descriptions from their phrases."""
    in_all: Counter = Counter()
    in_gold: Dict[str, Counter] = {label: Counter() for label in facts.labels}
    for doc in docs:
        mentions = get_mentions(doc, facts.spans_key)
        candidates = entity_pairs()(doc, mentions, frozenset(facts.type_pairs))
        in_all.update(_phrase(subject, object, mentions) for subject, object, _ in candidates)
        for rel in get_rels(doc):
            if rel.predicate != NEGATIVE:
                in_gold[rel.predicate][_phrase(rel.subject, rel.object, mentions)] += 1
    drafts = {label: _draft(label, phrases, in_all) for label, phrases in in_gold.items()}
    return facts._replace(candidates=in_all.total(), drafts=drafts)


def _find_spans_key(docs: Sequence[Doc]) -> Optional[str]:
    """The group with the most arguments of relations; among equals that of `convert`, then ``doc.ents``."""
    keys = list(dict.fromkeys([SPANS_KEY, None, *(key for doc in docs for key in doc.spans)]))
    found: Counter = Counter()
    for doc in docs:
        for key in keys:
            spans = {mention_key(span) for span in (doc.ents if key is None else doc.spans.get(key, ()))}
            arguments = (span for rel in get_rels(doc) for span in (rel.subject, rel.object))
            found[key] += sum(mention_key(span) in spans for span in arguments)
    return max(keys, key=lambda key: found[key])


def _phrase(subject: Span, object: Span, mentions: Sequence[Span]) -> Optional[str]:
    """The text from one mention to the other as a template, if it is short, has a word and no other mention."""
    left, right = sorted((subject, object), key=mention_key)
    between = subject.doc[left.end : max(left.end, right.start)]
    if len(between) > _PHRASE or not any(map(str.isalpha, between.text)) or {*"{}"} & {*between.text}:
        return None
    if any(left.end <= mention.start and mention.end <= right.start for mention in mentions):
        return None
    words = " ".join(subject.doc.text[left.end_char : right.start_char].split())
    first, last = ("subject", "object") if left is subject else ("object", "subject")
    return f"{{{first}}}{'' if words[0] in ',;:)' else ' '}{words} {{{last}}}."


def _draft(label: str, in_gold: Counter, in_all: Counter) -> str:
    """The phrase that is frequent among a predicate's relations and rare elsewhere, preferably with a longer word than
    "of" and "with", or a sentence with the predicate's name.
    """

    def worth(phrase: Optional[str]) -> float:
        n = in_gold[phrase]
        if phrase is None or n < 2:
            return 0.0
        words = re.sub("{subject}|{object}", "", phrase).split()
        return n * n / max(in_all[phrase], n) * (1.0 if max(map(len, words)) > 4 else 0.25)

    best = max(in_gold, key=worth, default=None)
    return best if best is not None and worth(best) else plain_template(label)
