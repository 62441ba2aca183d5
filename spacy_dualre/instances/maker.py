"""Makes instances of candidates: what the model reads of each one, as words and positions."""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Collection, FrozenSet, Iterable, List, Mapping, Sequence, Tuple, Union

from spacy.tokens import Doc, Span

from ..annotations.mentions import get_asked, get_corpus, sentence_indices, with_type
from ..types import NEGATIVE, Candidate, Description, Instance, Mark, MarkedText
from .descriptions import Descriptions, Template, choose_templates, cut_literal
from .markers import OBJECT, SUBJECT, type_words

#: How a candidate is described: by the template with its mentions ("adapted", the paper's method), by the template with
#: the words of their types ("static") or the same words for all ("generic"), or by the predicate's name ("label").
MODES = ("adapted", "static", "generic", "label")
#: Words farther than this from the outer mentions reach no encoder. The limit keeps Docs without sentences affordable.
_FARTHEST = 512
#: What a Doc is asked about: the predicates of a corpus, these, or all.
_About = Union[str, FrozenSet[str], None]


@dataclass
class InstanceMaker:
    """Makes instances for the L predicates of a model.

    Args:
        context: Size of the window in words, filled up half on each side of the sentence (100 in arXiv 2503.17799).
        mode: One of MODES.
        directed: Whether candidates come in both orders, see `choose_templates`.
        of_corpus: The predicates of each corpus. Its documents are not asked about those that only others have, and
            those that name predicates of their own about no other.
        type_map: The types that others stand for, in markers and descriptions.
    """

    labels: Sequence[str]
    descriptions: Descriptions
    context: int
    mode: str
    directed: bool = True
    of_corpus: Mapping[str, Collection[str]] = field(default_factory=dict)
    type_map: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Candidates come Doc by Doc
        self._window = lru_cache(maxsize=1)(_Window)
        self._templates = cache(self._choose)
        self._by_types = cache(self._describe_types)

    def __call__(self, candidates: Iterable[Candidate]) -> List[Instance]:
        """Make an instance of each candidate, in order."""
        instances = []
        for candidate in candidates:
            subject, object = (with_type(mention, self.type_map) for mention in candidate[:2])
            window = self._window(subject.doc, self.context)
            instances.append(Instance(window.mark(subject, object), self._describe(subject, object, window)))
        return instances

    def _describe(self, subject: Span, object: Span, window: "_Window") -> Tuple[Tuple[Description, ...], ...]:
        types = (subject.label_, object.label_)
        if self.mode != "adapted":
            return self._by_types(window.asked or get_corpus(window.doc), *types)
        fillers = _filler(window.words, subject), _filler(window.words, object)
        return _fill(self._templates(window.asked or get_corpus(window.doc), *types), fillers, types)

    def _describe_types(self, about: _About, *types: str) -> Tuple[Tuple[Description, ...], ...]:
        shown = ("", "") if self.mode == "generic" else (types[0], types[1])
        fillers = cut_literal(type_words(shown[0]))[0], cut_literal(type_words(shown[1]))[0]
        return _fill(self._templates(about, *types), fillers, shown)

    def _choose(self, about: _About, subject_type: str, object_type: str) -> Tuple[Tuple[Template, ...], ...]:
        chosen = choose_templates(self.descriptions, self.labels, subject_type, object_type, self.directed)
        others: Collection[str] = ()
        if isinstance(about, frozenset):
            others = {*self.labels} - about - {NEGATIVE}
        elif about is not None and about in self.of_corpus:
            others = set().union(*self.of_corpus.values()) - {*self.of_corpus[about]}
        chosen = tuple(() if label in others else templates for label, templates in zip(self.labels, chosen))
        if self.mode != "label":
            return chosen
        return tuple(
            (("{subject}", f" {type_words(label)} ", "{object}"),) if templates else ()
            for label, templates in zip(self.labels, chosen)
        )


class _Window:
    """The words and sentences of one Doc."""

    def __init__(self, doc: Doc, context: int) -> None:
        self.doc = doc
        blanks = [""] + [token.whitespace_ for token in doc][:-1]
        self.words = tuple(blank + token.text for blank, token in zip(blanks, doc))
        self.context = context
        self.asked = get_asked(doc)
        self.sentence_of = sentence_indices(doc)
        #: Where each sentence starts, and the end of the last one
        self.bounds = [i for i, n in enumerate(self.sentence_of) if i == 0 or n != self.sentence_of[i - 1]] + [len(doc)]

    def mark(self, subject: Span, object: Span) -> MarkedText:
        """Mark both mentions in their sentence or sentences, with the context around them."""
        first, last = min(subject.start, object.start), max(subject.end, object.end)
        sentences = self.sentence_of[first], self.sentence_of[last - 1]
        core_start = max(self.bounds[sentences[0]], first - _FARTHEST)
        core_end = min(self.bounds[sentences[1] + 1], last + _FARTHEST)
        spare = max(self.context - (core_end - core_start), 0)
        start = max(core_start - spare // 2, 0)
        end = min(core_end + spare - spare // 2, len(self.words))
        mentions = (SUBJECT, subject), (OBJECT, object)
        marks = tuple(Mark(role, span.label_, span.start, span.end) for role, span in mentions)
        return MarkedText(self.words, marks, (core_start, core_end), (start, end), sentences[0] != sentences[1])


def _fill(
    chosen: Tuple[Tuple[Template, ...], ...], fillers: Tuple[Tuple[str, ...], Tuple[str, ...]], types: Tuple[str, str]
) -> Tuple[Tuple[Description, ...], ...]:
    return tuple(
        tuple(Description(template, fillers[0], types[0], fillers[1], types[1]) for template in templates)
        for templates in chosen
    )


def _filler(words: Tuple[str, ...], span: Span) -> Tuple[str, ...]:
    """The words of a mention without the blank before it: the template's counts, so that descriptions are equal."""
    first, *rest = words[span.start : span.end]
    return (first.lstrip(" "), *rest)
