"""Training batches of even work, whatever the documents."""

from itertools import islice
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.mentions import get_mentions, gold_relations
from ..candidates.policy import CandidatePolicy, given_type_pairs
from ..types import Candidate

Batcher = Callable[[Iterable[Example]], Iterator[List[Example]]]
#: Where ``doc.user_hooks`` has the slice of a Doc's candidates. nlp.update copies Docs with their hooks.
_HOOK = "spacy_dualre_candidates"


def chosen(doc: Doc, candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """The candidates of a Doc that its batch is to learn from; all, unless the batcher has shared the Doc out."""
    share: Any = doc.user_hooks.get(_HOOK, slice(None))
    return islice(candidates, share.start, share.stop)


def batch_by_candidates(
    size: int, candidates: CandidatePolicy, spans_key: Optional[str] = None, symmetric: Sequence[str] = ()
) -> Batcher:
    """Registered as ``spacy-dualre.batch_by_candidates.v1``: batches of `size` descriptions, candidates x predicates.

    Component and batcher must find the same candidates, so both refer to one section, as in
    ``candidates = ${relations.candidates}`` (spaCy resolves ``[training]`` without ``[components]``). The predicates
    are those of the gold relations and the negative one. A document that does not fit into what is left of a batch is
    shared out: the next batch gets its other candidates. Only the last batch is smaller.

    If no document has candidates yet, because annotating_components find the mentions later, a batch has as many
    documents as it should have candidates. An epoch is read at a time, so this is not for an endless corpus
    (max_epochs = -1).
    """

    def batch(examples: Iterable[Example]) -> Iterator[List[Example]]:
        examples = list(examples)
        gold = [rel for example in examples for rel in gold_relations(example)]
        type_pairs = given_type_pairs(candidates.type_pairs, gold, symmetric)
        per_batch = max(size // (1 + len({rel.predicate for rel in gold})), 1)
        docs = [example.predicted for example in examples]
        counts = [sum(1 for _ in candidates(doc, get_mentions(doc, spans_key), type_pairs)) for doc in docs]
        if any(counts):
            yield from share_out(examples, counts, per_batch)
        else:
            yield from minibatch(examples, per_batch)

    return batch


def share_out(examples: Iterable[Example], counts: Iterable[int], per_batch: int) -> Iterator[List[Example]]:
    """Cut consecutive examples into batches of `per_batch` candidates; `counts` are the candidates of each example."""
    current: List[Example] = []
    room = per_batch
    for example, n_candidates in zip(examples, counts):
        done = 0
        while n_candidates - done > room:
            if room:
                current.append(_share(example, done, done + room))
            done += room
            yield current
            current, room = [], per_batch
        current.append(_share(example, done, None) if done else example)
        room -= n_candidates - done
    if current:
        yield current


def _share(example: Example, start: int, stop: Optional[int]) -> Example:
    predicted = example.predicted.copy()
    predicted.user_hooks[_HOOK] = slice(start, stop)  # type: ignore[assignment]
    return Example(predicted, example.reference)
