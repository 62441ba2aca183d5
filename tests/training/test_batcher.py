"""Batches of even work: every candidate once, no document lost."""

import pytest
from helpers.pipelines import make_doc, make_examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

from spacy_dualre.annotations.mentions import get_mentions
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.training.batcher import batch_by_candidates, chosen

VOCAB = Vocab()
ALL_PAIRS = entity_pairs(type_pairs="all")


def examples_of(*n_mentions):
    """A document for each number n of mentions, with n * (n - 1) candidates and, if that is not 0, the relation P."""
    docs = [
        make_doc(VOCAB, [(f"t{i}", "A") for i in range(n)] + [(".", "")], [(0, "P", n - 1)] if n > 1 else [])
        for n in n_mentions
    ]
    return [Example(doc.copy(), doc) for doc in docs]


def candidates_of(example, policy=ALL_PAIRS, spans_key=None):
    """The (subject start, object start) that training takes from this document's share."""
    doc = example.predicted
    every = policy(doc, get_mentions(doc, spans_key), None)
    return [(candidate.subject.start, candidate.object.start) for candidate in chosen(doc, every)]


def works(batches):
    return [sum(len(candidates_of(example)) for example in batch) for batch in batches]


def test_documents_that_fit_stay_whole():
    examples = examples_of(2, 2, 2, 2, 2)
    batches = list(batch_by_candidates(8, ALL_PAIRS)(examples))  # 8 descriptions: 4 candidates x 2 predicates
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert all(given is kept for given, kept in zip(examples, sum(batches, []), strict=True))


def test_oversized_document_is_shared_out():
    (example,) = examples_of(4)
    batches = list(batch_by_candidates(10, ALL_PAIRS)([example]))
    assert works(batches) == [5, 5, 2]
    assert all(len(batch) == 1 and batch[0].reference is example.reference for batch in batches)
    assert sum((candidates_of(batch[0]) for batch in batches), []) == candidates_of(example)


def test_rest_of_a_shared_document_is_joined_by_the_next():
    examples = examples_of(4, 3, 2)
    assert works(batch_by_candidates(10, ALL_PAIRS)(examples)) == [5, 5, 5, 5]


def test_documents_without_candidates_are_kept():
    examples = examples_of(0, 2, 1, 0, 2, 0)
    batches = list(batch_by_candidates(4, ALL_PAIRS)(examples))
    references = [example.reference for batch in batches for example in batch]
    assert all(any(example.reference is reference for reference in references) for example in examples)
    assert works(batches) == [2, 2]


def test_documents_whose_mentions_are_found_later_come_in_batches_too():
    batches = list(batch_by_candidates(3, ALL_PAIRS)(examples_of(0, 1, 0, 0, 1)))
    assert [len(batch) for batch in batches] == [3, 2]


def test_the_last_share_of_a_document_is_open_ended():
    (example,) = examples_of(3)
    *_, last = [share for batch in batch_by_candidates(8, ALL_PAIRS)([example]) for share in batch]
    # A component before may find more mentions
    assert list(chosen(last.predicted, iter(range(9)))) == [4, 5, 6, 7, 8]


def test_a_share_survives_the_copies_that_training_makes_and_is_not_stored():
    (example,) = examples_of(3)
    *_, last = [share for batch in batch_by_candidates(8, ALL_PAIRS)([example]) for share in batch]
    assert list(chosen(last.predicted.copy(), iter(range(6)))) == [4, 5]
    assert last.predicted.user_data == example.predicted.user_data


def test_nothing_to_batch():
    assert list(batch_by_candidates(10, ALL_PAIRS)([])) == []
    assert works(batch_by_candidates(10, ALL_PAIRS)(examples_of(0))) == [0]


def test_more_predicates_make_smaller_batches():
    examples = examples_of(4)
    assert works(batch_by_candidates(24, ALL_PAIRS)(examples)) == [12]
    doc = examples[0].reference
    doc._.rels = [rel._replace(predicate=name) for rel in doc._.rels for name in "PQR"]
    assert works(batch_by_candidates(24, ALL_PAIRS)(examples)) == [6, 6]


def test_a_batch_has_at_least_one_candidate():
    assert works(batch_by_candidates(1, ALL_PAIRS)(examples_of(2))) == [1, 1]


def test_given_documents_are_not_touched():
    examples = examples_of(4, 4)
    assert len(list(batch_by_candidates(10, ALL_PAIRS)(examples))) > 1
    assert not any(example.predicted.user_hooks for example in examples)
    assert [len(candidates_of(example)) for example in examples] == [12, 12]


def test_batches_can_be_made_anew_each_epoch():
    batcher, examples = batch_by_candidates(10, ALL_PAIRS), examples_of(4, 3)
    assert works(batcher(examples)) == works(batcher(iter(examples))) == [5, 5, 5, 3]


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_every_candidate_comes_exactly_once_in_even_batches(n_mentions, per_batch):
    assume(any(n > 1 for n in n_mentions))
    examples = examples_of(*n_mentions)
    n_predicates = 2
    batches = list(batch_by_candidates(per_batch * n_predicates, ALL_PAIRS)(examples))
    shares = [example for batch in batches for example in batch]
    for example in examples:
        own = [share for share in shares if share.reference is example.reference]
        assert own
        assert sum((candidates_of(share) for share in own), []) == candidates_of(example)
    assert all(batch for batch in batches)
    *full, last = works(batches) or [0]
    assert all(work == per_batch for work in full) and last <= per_batch


def two_types(spans_key=None):
    """Three mentions a, b and c, of which (a, b) is a relation."""
    doc = make_doc(VOCAB, [("a", "A"), ("b", "B"), ("c", "C")], [(0, "P", 1)])
    if spans_key:
        doc.spans[spans_key] = [*doc.ents, Span(doc, 0, 3, label="A")]
    return [Example(doc.copy(), doc)]


@pytest.mark.parametrize(
    "settings, n",
    [
        ({"candidates": entity_pairs()}, 1),
        ({"candidates": entity_pairs(), "symmetric": ["P"]}, 2),
        ({"candidates": entity_pairs(type_pairs=[["A", "B"], ["A", "C"]])}, 2),
        ({"candidates": ALL_PAIRS}, 6),
        ({"candidates": entity_pairs(type_pairs="all", directed=False)}, 3),
        ({"candidates": ALL_PAIRS, "spans_key": "more"}, 12),
        ({"candidates": entity_pairs(), "spans_key": "more"}, 2),
    ],
)
def test_candidates_are_counted_as_the_component_finds_them(settings, n):
    """One candidate a batch, so there are as many batches as candidates."""
    assert len(list(batch_by_candidates(2, **settings)(two_types("more")))) == n


def test_registered_batcher_and_component_agree(trained):
    nlp = trained()
    pipe = nlp.get_pipe("dual_encoder_rel")
    examples = make_examples(nlp.vocab)
    batcher = registry.get("batchers", "spacy-dualre.batch_by_candidates.v1")(6, pipe.candidates)
    shared = [
        sum(len(list(pipe.get_candidates(example.predicted))) for example in batch) for batch in batcher(examples)
    ]
    every = sum(len(list(pipe.get_candidates(example.predicted))) for example in examples)
    assert shared == [2] * (every // 2) + [1] * (every % 2) and every > 2


def test_component_trains_on_the_shares(trained):
    nlp = trained()
    pipe = nlp.get_pipe("dual_encoder_rel")
    examples = make_examples(nlp.vocab)
    batches = list(batch_by_candidates(6, pipe.candidates)(examples))
    together = sorted(row for batch in batches for row in pipe.training_targets(batch).rows.tolist())
    assert together == sorted(pipe.training_targets(examples).rows.tolist())
    assert all(nlp.update(batch)["dual_encoder_rel"] > 0 for batch in batches)
