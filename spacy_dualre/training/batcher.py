"""Training batches of even work, whatever the documents."""

from typing import Callable, Iterable, Iterator, List, Optional, Sequence

from spacy.training import Example
from spacy.util import minibatch

from ..annotations.mentions import get_mentions, gold_relations
from ..candidates.policy import CANDIDATE_RANGE, CandidatePolicy, given_type_pairs
from ..types import TypePairs

Batcher = Callable[[Iterable[Example]], Iterator[List[Example]]]


def batch_by_candidates(
    size: int,
    candidates: CandidatePolicy,
    spans_key: Optional[str] = None,
    symmetric: Sequence[str] = (),
) -> Batcher:
    """Registered as ``spacy-dualre.batch_by_candidates.v1``: batches of `size` descriptions, candidates x predicates.

    candidates, spans_key, symmetric: as in the component. So that both have the same, write them here and refer to them
    there, as in ``candidates = ${training.batcher.candidates}``. The predicates are those of the gold relations and the
    negative one. A document that does not fit into what is left of a batch is shared out: the next batch gets its other
    candidates. Only the last batch is smaller.

    Where no document has candidates yet, because annotating_components find the mentions later, a batch has as many
    documents as it might have candidates. Reads an epoch at a time, so it is not for an endless corpus
    (max_epochs = -1).
    """

    def batch(examples: Iterable[Example]) -> Iterator[List[Example]]:
        examples = list(examples)
        gold = [rel for example in examples for rel in gold_relations(example)]
        type_pairs = given_type_pairs(candidates.type_pairs, gold, symmetric)
        per_batch = max(size // (1 + len({rel.predicate for rel in gold})), 1)
        counts = [_count(example, candidates, spans_key, type_pairs) for example in examples]
        if not any(counts):
            yield from minibatch(examples, per_batch)
            return
        yield from share_out(examples, counts, per_batch)

    return batch


def share_out(examples: Iterable[Example], counts: Iterable[int], per_batch: int) -> Iterator[List[Example]]:
    """Batches of per_batch candidates each but the last, of consecutive examples; counts: the candidates of each."""
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


def _count(example: Example, candidates: CandidatePolicy, spans_key: Optional[str], type_pairs: TypePairs) -> int:
    return sum(1 for _ in candidates(example.predicted, get_mentions(example.predicted, spans_key), type_pairs))


def _share(example: Example, start: int, stop: Optional[int]) -> Example:
    predicted = example.predicted.copy()
    predicted.user_data[CANDIDATE_RANGE] = (start, stop)
    return Example(predicted, example.reference)
