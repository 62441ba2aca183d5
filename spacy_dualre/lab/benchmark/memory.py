"""Memory for a long stream of documents, and for one document with many mentions."""

import warnings
from itertools import chain, islice
from typing import Any, Dict, List, Tuple

from spacy.tokens import Doc, Span

from ...errors import Errors
from .measure import measured, release_memory, resident_mb
from .workload import Workload

#: Memory is sampled after each of this many parts of a stream.
_PARTS = 10
#: The words between two mentions of a made-up document.
_BETWEEN = ("while", "others", "seemed", "to")


def measure_soak(workload: Workload, n: int) -> Dict[str, Any]:
    """Watch the resident memory (MB) while n documents, the data repeated, stream through the pipeline.

    Returns:
        The memory after each tenth, and its largest growth since the first, which is the warm-up.
    """
    every = max(n // _PARTS, 1)
    resident: List[Dict[str, float]] = []
    workload.start_cold()
    with measured(workload.device, documents=n) as figures:
        docs = workload.pipe(islice(workload.endless_docs(), n), batch_size=min(workload.nlp.batch_size, every))
        for done, _ in enumerate(docs, 1):
            if done % every == 0:
                resident.append({"documents": done, "resident_mb": resident_mb()})
    values = [point["resident_mb"] for point in resident]
    return {
        "documents": n,
        "resident": resident,
        "after_warm_up_mb": values[0],
        "largest_growth_mb": max(value - values[0] for value in values),
        **{name: figures[name] for name in ("documents_per_s", "peak_memory_mb")},
    }


def measure_mentions(workload: Workload, n: int) -> List[Dict[str, Any]]:
    """Measure made-up documents without sentences with n / 2 mentions and with n.

    Raises:
        ValueError: There are no candidates.
    """
    workload.warm_up()
    return [_one_document(workload, size) for size in (n // 2, n)]


def _one_document(workload: Workload, n: int) -> Dict[str, Any]:
    doc = make_doc(workload, n)
    with warnings.catch_warnings():
        # A document without sentences counts as one sentence, with a warning; that is intended here
        warnings.simplefilter("ignore")
        candidates = sum(1 for _ in workload.rel.get_candidates(doc))
        if not candidates:
            raise ValueError(Errors.DR701.format(n=n, types=", ".join(mention_types(workload))))
        workload.start_cold()
        release_memory()
        before = resident_mb()
        with measured(workload.device) as figures:
            workload.exhaust([doc])
    figures["memory_growth_mb"] = figures["peak_memory_mb"] - before
    figures["seconds_per_candidate"] = figures["seconds"] / candidates
    return {"mentions": n, "candidates": candidates, **figures}


def make_doc(workload: Workload, n: int) -> Doc:
    """Make a Doc without sentences, with n one-word mentions of n concepts and two alternating types."""
    types = mention_types(workload)
    words = list(chain.from_iterable((f"name{i}", *_BETWEEN) for i in range(n)))
    doc = Doc(workload.nlp.vocab, words=words)
    starts = range(0, len(words), 1 + len(_BETWEEN))
    mentions = [Span(doc, start, start + 1, label=types[i % 2], kb_id=f"C{i}") for i, start in enumerate(starts)]
    doc.ents = tuple(mentions)
    if workload.rel.spans_key is not None:
        doc.spans[workload.rel.spans_key] = mentions
    return doc


def mention_types(workload: Workload) -> Tuple[str, str]:
    """The first pair of types allowed as a candidate."""
    pairs = workload.rel.type_pairs
    types = workload.rel.model.attrs["entity_types"]
    return min(pairs) if pairs else (types[0], types[-1])
