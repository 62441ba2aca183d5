"""Candidates and templates -> instances: what the model reads of each candidate, as words and positions."""

from typing import Callable, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..annotations.mentions import get_corpus, sentence_indices
from ..types import Candidate, Description, Instance, Mark, MarkedText
from .descriptions import Descriptions, Template, choose_templates
from .markers import OBJECT, SUBJECT, type_words

#: How the placeholders of a template are filled: with the mentions (the method), with the words of their types, or
#: with the latter in place of a description, the predicate's name alone (ablations).
MODES = ("adapted", "static", "label")
#: Words farther than this from the outer mentions cannot reach any encoder; it keeps Docs without sentences affordable.
_FARTHEST = 512


class InstanceMaker:
    """Makes instances for one set of predicates.

    labels: the L predicates in the model's order. descriptions: their parsed templates. context: window in words,
    filled up around the sentence, half on each side (arXiv 2503.17799; 100 there). mode: one of MODES. of_corpus: the
    predicates that each corpus has; its candidates are not asked about those that only others have. corpus: which one a
    Doc is from.
    """

    def __init__(
        self,
        labels: Sequence[str],
        descriptions: Descriptions,
        context: int,
        mode: str,
        directed: bool = True,
        of_corpus: Mapping[str, Collection[str]] = {},
        corpus: Callable[[Doc], Optional[str]] = get_corpus,
    ) -> None:
        self.labels = tuple(labels)
        self.descriptions = descriptions
        self.context = context
        self.mode = mode
        self.directed = directed
        self.of_corpus = of_corpus
        self.corpus = corpus
        self._window: Optional[_Window] = None
        self._templates: Dict[Tuple[Optional[str], str, str], Tuple[Tuple[Template, ...], ...]] = {}

    def __call__(self, candidates: Iterable[Candidate]) -> List[Instance]:
        """One instance for each candidate, in order."""
        return [self._make(candidate) for candidate in candidates]

    def _make(self, candidate: Candidate) -> Instance:
        # Candidates come Doc by Doc
        if self._window is None or self._window.doc is not candidate.subject.doc:
            self._window = _Window(candidate.subject.doc, self.context)
        return Instance(self._window.mark(candidate), self._describe(candidate, self._window))

    def _describe(self, candidate: Candidate, window: "_Window") -> Tuple[Tuple[Description, ...], ...]:
        subject, object = candidate
        types = (subject.label_, object.label_)
        corpus = self.corpus(window.doc) if self.of_corpus else None
        key = (corpus, *types)
        if key not in self._templates:
            self._templates[key] = self._templates_for(*key)
        if self.mode == "adapted":
            fillers = _filler(window.words, subject), _filler(window.words, object)
        else:
            fillers = _as_words(type_words(types[0])), _as_words(type_words(types[1]))
        return tuple(
            tuple(Description(template, fillers[0], types[0], fillers[1], types[1]) for template in templates)
            for templates in self._templates[key]
        )

    def _templates_for(
        self, corpus: Optional[str], subject_type: str, object_type: str
    ) -> Tuple[Tuple[Template, ...], ...]:
        chosen = choose_templates(self.descriptions, self.labels, subject_type, object_type, self.directed)
        if corpus is not None and corpus in self.of_corpus:
            others = set().union(*self.of_corpus.values()) - {*self.of_corpus[corpus]}
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
        sentence_of = sentence_indices(doc)
        self._starts: List[int] = []
        self._ends: List[int] = []
        start = 0
        for i, sentence in enumerate(sentence_of):
            if sentence != sentence_of[start]:
                start = i
            self._starts.append(start)
        end = len(sentence_of)
        for i in reversed(range(len(sentence_of))):
            self._ends.append(end)
            if self._starts[i] == i:
                end = i
        self._ends.reverse()

    def mark(self, candidate: Candidate) -> MarkedText:
        """The sentence or sentences of a candidate with the context around them, both mentions marked."""
        subject, object = candidate
        first, last = min(subject.start, object.start), max(subject.end, object.end)
        core_start = max(self._starts[first], first - _FARTHEST)
        core_end = min(max(self._ends[last - 1], last), last + _FARTHEST)
        spare = max(self.context - (core_end - core_start), 0)
        start = max(core_start - spare // 2, 0)
        end = min(core_end + spare - spare // 2, len(self.words))
        return MarkedText(
            self.words,
            (_mark(SUBJECT, subject), _mark(OBJECT, object)),
            core=(core_start, core_end),
            window=(start, end),
            crossing=self._starts[last - 1] != self._starts[first],
        )


def _mark(role: str, span: Span) -> Mark:
    return Mark(role, span.label_, span.start, span.end)


def _filler(words: Tuple[str, ...], span: Span) -> Tuple[str, ...]:
    """The words of a mention, without the blank before them: the template's counts, so descriptions are equal."""
    first, *rest = words[span.start : span.end]
    return (first.lstrip(" "), *rest)


def _as_words(text: str) -> Tuple[str, ...]:
    return tuple((" " if i else "") + word for i, word in enumerate(text.split()))
