"""What a pipeline needs to find relations, has, knows and lacks, in words."""

from typing import Any, Iterable, Iterator, NamedTuple, Sequence

from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example

from ..annotations.mentions import get_mentions
from ..annotations.relations import get_rels
from ..pipeline.diagnosis import diagnose
from ..pipeline.pipelines import components_before, find_component, finds_mentions


class Finding(NamedTuple):
    """A line of the page; `is_lack` if relations may be missing for it."""

    topic: str
    text: str
    is_lack: bool = False


def check_pipeline(nlp: Language) -> Iterator[Finding]:
    """What can be said without a document. Raises ValueError if there is no component for relations."""
    name, rel = find_component(nlp)
    types = rel.model.attrs["entity_types"]
    before = components_before(nlp, name)
    # A ruler of spans does not declare the entities that it may write
    finders = [one for one in before if finds_mentions(nlp, one) or getattr(nlp.get_pipe(one), "annotate_ents", False)]
    splitters = [one for one in before if {"doc.sents", "token.is_sent_start"} & {*nlp.get_pipe_meta(one).assigns}]
    pairs = [" and ".join(pair) for pair in sorted(rel.type_pairs or ())]
    yield Finding("pipeline", f"{nlp.meta['lang']}_{nlp.meta['name']} with {_join(nlp.pipe_names)}")
    yield Finding("knows", f"predicates: {_join(rel.labels)}", not rel.labels)
    yield Finding("", f"types: {_join(types) if types else 'all'}")
    yield Finding("", f"pairs: {_join(pairs) if pairs else 'all types'}")
    yield Finding("decides", f"by {rel.prediction}, from a score of {rel.threshold} on")
    yield Finding("needs", f"mentions in {rel.mentions_from}{'' if rel.spans_key is None else ' or doc.ents'}")
    yield Finding("", f"found by: {_join(finders)}") if finders else _NO_FINDER
    for finder in finders:
        found = {rel.type_map.get(type, type) for type in getattr(nlp.get_pipe(finder), "labels", ())}
        if types and not found <= {*types}:
            problem = f"a type_map for {_join(sorted(found - {*types}))} of '{finder}', if they mean known types"
            yield Finding("lacks", problem, not found & {*types})
    yield Finding("needs", "sentences")
    yield Finding("", f"started by: {_join(splitters)}") if splitters else _NO_SPLITTER


_NO_FINDER = Finding("lacks", "ner, span_ruler or the like for documents without mentions", True)
_NO_SPLITTER = Finding("lacks", "sentencizer or the like for documents without sentences", True)


def check_documents(nlp: Language, examples: Sequence[Example]) -> Iterator[Finding]:
    """What documents hold that went through the pipeline, whose references may have gold relations."""
    _, rel = find_component(nlp)
    types = rel.model.attrs["entity_types"]

    def is_possible(label: str, subject: Span, object: Span) -> bool:
        return label in rel.labels and rel.is_possible(label, subject, object)

    settings = (rel.spans_key, rel.type_pairs, rel.undirected, is_possible, rel.type_map)
    found = diagnose(examples, rel.candidates, *settings)
    strangers = {type: n for type, n in found.mentions.items() if types and type not in types}
    docs = [example.predicted for example in examples]
    empty = sum(not get_mentions(doc, rel.spans_key) for doc in docs)
    unsplit = sum(not doc.has_annotation("SENT_START") for doc in docs)
    candidates = sum(1 for doc in docs for _ in rel.get_candidates(doc))
    n_rels = sum(len(get_rels(doc)) for doc in docs)
    yield Finding("documents", f"{len(docs)}, {empty} without mentions, {unsplit} without sentences", unsplit > 0)
    yield Finding("mentions", _counts(found.mentions), not found.mentions)
    if strangers:
        yield Finding("lacks", f"pairs for mentions of unknown types: {_counts(strangers)}", True)
    yield Finding("candidates", str(candidates), not candidates)
    yield Finding("relations", f"{n_rels} found", not n_rels)
    if found.relations:
        yield Finding("gold", f"{found.relations.total()} relations")
    unknown = found.relations.keys() - {*rel.labels}
    if unknown:
        yield Finding("lacks", f"the predicates {_join(sorted(unknown))}", True)
    if found.uncovered:
        yield Finding("lacks", f"candidates for gold relations: {found.reasons}", True)


def _join(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _counts(counts: Any) -> str:
    return _join(f"{name} {n}" for name, n in sorted(counts.items()))
