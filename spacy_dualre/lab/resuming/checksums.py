"""Checksums of a training's inputs: the contents of the files that its config names."""

import json
import random
import zlib
from typing import Any, Dict, Iterable, List, Sequence

import numpy
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import resolve_dot_names
from thinc.api import Config

from ...annotations.mentions import get_corpus, gold_relations
from .states import random_states, set_random_states


def given_by(nlp: Language, config: Config) -> Dict[str, int]:
    """Checksums, by name, of the initialised components without their weights, and of the dev documents.

    The config must be interpolated. Random states are left unchanged.
    """
    known = {f"component {name!r}": _known_by(pipe) for name, pipe in nlp.pipeline if isinstance(pipe, TrainablePipe)}
    (corpus,) = resolve_dot_names(config, [config["training"]["dev_corpus"]])
    before = random_states()
    # For corpora with random augmentation
    random.seed(0)
    numpy.random.seed(0)
    documents = checksum(corpus(nlp))
    set_random_states(before)
    return {**known, "dev documents": documents}


def checksum(examples: Iterable[Example], start: int = 0) -> int:
    """CRC-32 of the texts, corpora, mentions and gold relations of examples, continued from an earlier one."""
    for example in examples:
        doc = example.reference
        mentions = {"": _spans(doc.ents), **{key: _spans(group) for key, group in sorted(doc.spans.items())}}
        relations = [(rel.predicate, *_spans((rel.subject, rel.object))) for rel in gold_relations(example)]
        start = zlib.crc32(repr((doc.text, get_corpus(doc), mentions, relations)).encode("utf8"), start)
    return start


def _known_by(pipe: TrainablePipe) -> int:
    known = [pipe.cfg, getattr(pipe, "label_data", None), getattr(pipe.model, "attrs", {}).get("entity_types")]
    return zlib.crc32(json.dumps(known).encode("utf8"))


def _spans(spans: Iterable[Span]) -> List[Sequence[Any]]:
    return [(span.start_char, span.end_char, span.label_, span.kb_id_) for span in spans]
