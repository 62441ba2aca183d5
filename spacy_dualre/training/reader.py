"""The registered corpus reader for training and evaluation."""

from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator, Optional, Sequence, Union

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Corpus, Example
from spacy.vocab import Vocab

from ..annotations.concepts import get_long_forms, set_long_forms
from ..annotations.mentions import ASKED, annotated_spans, get_mentions
from ..annotations.relations import get_rels
from ..errors import Errors
from ..records.shards import read_docs

#: Keys of ``doc.user_data`` that say where a document comes from; they are not annotations.
ORIGIN = ("doc_id", "corpus", "split", "breaks")


class RelCorpus(Corpus):
    """Registered as ``spacy-dualre.RelCorpus.v1``: examples from a file or folder of .spacy files.

    Args:
        path: The file or folder.
        gold_mentions: True copies the gold tokens, sentences and mentions (``doc.ents`` and all span groups) to the
            predicted Docs, so that relations are trained and scored apart from entity recognition. False leaves them
            the text alone.
        limit: Read this many documents; 0 reads all.
        annotating_components: Components that annotate documents without gold mentions, such as
            ["sentencizer", "ner"]. They must be trained already. ``training.annotating_components`` alone would come
            too late for initialisation and batches, and would change the documents with gold mentions too.
        without: Leave out documents with a relation of one of these predicates.
        only: Keep documents whose relations all have one of these predicates, at least one, and ask them about these
            alone: to measure, while others are trained, how well predicates are found that are not.

    Raises:
        ValueError: The path does not exist, it is another kind of file, or (when read) a component is missing.
    """

    def __init__(
        self,
        path: Optional[Path],
        gold_mentions: bool = True,
        limit: int = 0,
        annotating_components: Sequence[str] = (),
        without: Sequence[str] = (),
        only: Sequence[str] = (),
    ) -> None:
        if path is None:
            raise ValueError(Errors.DR152)
        if not Path(path).exists():
            raise ValueError(Errors.DR005.format(path=path, hint="Convert the corpus first."))
        if Path(path).is_file() and Path(path).suffix != ".spacy":
            raise ValueError(Errors.DR153.format(path=path))
        super().__init__(path)
        self.gold_mentions = gold_mentions
        # spaCy's own limit restarts in each file of a folder
        self.total_limit = limit
        self.annotating_components = annotating_components
        self.without = frozenset(without)
        self.only = frozenset(only)

    def __call__(self, nlp: Language) -> Iterator[Example]:
        return islice(filter(self._is_wanted, super().__call__(nlp)), self.total_limit or None)

    def read_docbin(self, vocab: Vocab, locs: Iterable[Union[str, Path]]) -> Iterator[Doc]:
        """Read Docs as spaCy does, with errors that name the file."""
        for path in locs:
            yield from (doc for doc in read_docs(Path(path), vocab) if len(doc))

    def _is_wanted(self, example: Example) -> bool:
        predicates = {rel.predicate for rel in get_rels(example.reference)}
        return not predicates & self.without and (not self.only or bool(predicates) and predicates <= self.only)

    def _make_example(self, nlp: Language, reference: Doc, gold_preproc: bool) -> Example:
        if self.gold_mentions:
            example = Example(copy_mentions(reference), reference)
        else:
            example = super()._make_example(nlp, reference, gold_preproc)
            for name in self.annotating_components:
                if name not in nlp.component_names:
                    values = {"setting": "annotating_components", "known": ", ".join(nlp.component_names)}
                    raise ValueError(Errors.DR151.format(name=name, **values))
                # Even a disabled one, as frozen components are at initialisation
                example.predicted = doc = nlp.get_pipe(name)(example.predicted)
                # spaCy cannot copy a group whose tokens were merged since
                doc.spans.update({key: get_mentions(doc, key) for key in doc.spans})
        given = reference.user_data
        example.predicted.user_data.update({key: given[key] for key in ORIGIN if key in given})
        if self.only:
            example.predicted.user_data[ASKED] = sorted(self.only)
        return example


#: The name that configs and Python use.
rel_corpus = RelCorpus


def copy_mentions(reference: Doc) -> Doc:
    """Make a Doc with the tokens, sentences, entities, span groups and long forms of another, and nothing else."""
    doc = Doc(
        reference.vocab,
        words=[token.text for token in reference],
        spaces=[bool(token.whitespace_) for token in reference],
        sent_starts=[token.is_sent_start for token in reference] if reference.has_annotation("SENT_START") else None,
    )
    doc.ents = tuple(_copy(span, doc) for span in reference.ents)
    for key in reference.spans:
        doc.spans[key] = [_copy(span, doc) for span in annotated_spans(reference, key)]
    set_long_forms(doc, get_long_forms(reference))
    return doc


def _copy(span: Span, doc: Doc) -> Span:
    return Span(doc, span.start, span.end, label=span.label, kb_id=span.kb_id, span_id=span.id)
