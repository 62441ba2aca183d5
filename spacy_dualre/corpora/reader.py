"""The registered corpus reader for training and evaluation."""

from itertools import islice
from pathlib import Path
from typing import Callable, Iterable, Iterator, Optional, Sequence, Union

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Corpus, Example

from ..errors import Errors
from ..extension import get_rels

#: What of ``doc.user_data`` says where a document is from, and is no annotation.
ORIGIN = ("doc_id", "corpus", "split", "breaks")


class RelCorpus(Corpus):
    """Examples from .spacy files, see `rel_corpus`."""

    def __init__(
        self, path: Union[str, Path], *, gold_mentions: bool = True, limit: int = 0, without: Sequence[str] = ()
    ) -> None:
        super().__init__(path)
        self.gold_mentions = gold_mentions
        self.without = frozenset(without)
        # spaCy's own limit counts anew in each file of a folder
        self.total_limit = limit

    def __call__(self, nlp: Language) -> Iterator[Example]:
        examples = (example for example in super().__call__(nlp) if not self._is_left_out(example.reference))
        return islice(examples, self.total_limit or None)

    def _is_left_out(self, reference: Doc) -> bool:
        return bool(self.without) and any(rel.predicate in self.without for rel in get_rels(reference))

    def _make_example(self, nlp: Language, reference: Doc, gold_preproc: bool) -> Example:
        if self.gold_mentions:
            example = Example(copy_mentions(reference), reference)
        else:
            example = super()._make_example(nlp, reference, gold_preproc)
        origin = {key: reference.user_data[key] for key in ORIGIN if key in reference.user_data}
        example.predicted.user_data.update(origin)
        return example


def rel_corpus(
    path: Optional[Path], gold_mentions: bool = True, limit: int = 0, without: Sequence[str] = ()
) -> Callable[[Language], Iterable[Example]]:
    """Registered as ``spacy-dualre.RelCorpus.v1``: a file or folder of .spacy files.

    gold_mentions: the predicted Docs get the gold tokens, sentences and mentions (``doc.ents`` and all span groups), so
    that relations are trained and scored apart from entity recognition; false: only the text, for the pipeline's own
    components to annotate.
    limit: read this many documents; 0: all. without: leave out documents with a relation of one of these predicates, as
    if they were not known yet.
    Raises ValueError naming the path if it does not exist.
    """
    if path is None or not Path(path).exists():
        raise ValueError(Errors.DR120.format(path=path, hint="Convert the corpus first, or set its path in [paths]."))
    return RelCorpus(path, gold_mentions=gold_mentions, limit=limit, without=without)


def copy_mentions(reference: Doc) -> Doc:
    """A new Doc with the tokens, sentences, entities and span groups of another, and nothing else."""
    doc = Doc(
        reference.vocab,
        words=[token.text for token in reference],
        spaces=[bool(token.whitespace_) for token in reference],
        sent_starts=[token.is_sent_start for token in reference] if reference.has_annotation("SENT_START") else None,
    )
    doc.ents = tuple(_copy(span, doc) for span in reference.ents)
    for key, spans in reference.spans.items():
        doc.spans[key] = [_copy(span, doc) for span in spans]
    return doc


def _copy(span: Span, doc: Doc) -> Span:
    return Span(doc, span.start, span.end, label=span.label, kb_id=span.kb_id, span_id=span.id)
