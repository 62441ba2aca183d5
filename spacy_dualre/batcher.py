"""Training batches of even work, whatever the documents."""

from typing import Callable, Iterable, Iterator, List, Optional, Sequence

from spacy.training import Example

from .candidates import CANDIDATE_RANGE, CandidatePolicy, get_mentions, given_type_pairs, gold_relations

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
    """

    def batch(examples: Iterable[Example]) -> Iterator[List[Example]]:
        examples = list(examples)
        gold = [rel for example in examples for rel in gold_relations(example)]
        type_pairs = given_type_pairs(candidates.type_pairs, gold, symmetric)
        per_batch = max(size // (1 + len({rel.predicate for rel in gold})), 1)
        current: List[Example] = []
        room = per_batch
        for example in examples:
            doc = example.predicted
            n_candidates = sum(1 for _ in candidates(doc, get_mentions(doc, spans_key), type_pairs))
            done = 0
            while n_candidates - done > room:
                if room:
                    current.append(_share(example, done, done + room))
                done += room
                yield current
                current, room = [], per_batch
            current.append(_share(example, done, n_candidates) if done else example)
            room -= n_candidates - done
        if current:
            yield current

    return batch


def _share(example: Example, start: int, stop: int) -> Example:
    predicted = example.predicted.copy()
    predicted.user_data[CANDIDATE_RANGE] = (start, stop)
    return Example(predicted, example.reference)
