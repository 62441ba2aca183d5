"""What training asks of the model for each candidate."""

import random

import pytest
from helpers.pipelines import make_doc
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_dualre.annotations.mentions import doc_name
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.training.targets import training_targets

VOCAB = Vocab()
POLICY = entity_pairs()
LABELS = ["no_relation", "P", "Q"]
NIL = "no_relation"
TOKENS = [("a", "A"), ("b", "B"), ("c", "A")]


def targets_of(examples, undirected=(), labels=LABELS, ratio=None):
    return training_targets(
        examples, lambda doc: POLICY(doc, doc.ents, None), POLICY.pairs, set(undirected), labels, ratio
    )


def gold(relations, undirected=(), doc_id=None):
    """The targets of the positive candidates, by the texts of their mentions."""
    reference = make_doc(VOCAB, TOKENS, relations)
    if doc_id:
        reference.user_data["doc_id"] = doc_id
    targets = targets_of([Example(make_doc(VOCAB, TOKENS), reference)], undirected)
    named = {c.subject.text + c.object.text: row.tolist() for c, row in zip(*targets)}
    assert len(named) == 6
    return {
        pair: {label: share for label, share in zip(LABELS, row) if share}
        for pair, row in named.items()
        if row != [1, 0, 0]
    }


def test_gold_predicates_of_each_candidate():
    assert gold([(0, "P", 1), (2, "Q", 1)]) == {"ab": {"P": 1}, "cb": {"Q": 1}}


def test_several_predicates_of_one_pair_share_its_row():
    assert gold([(0, "P", 1), (0, "Q", 1)]) == {"ab": {"P": 0.5, "Q": 0.5}}


def test_relation_given_twice_counts_once():
    assert gold([(0, "P", 1), (0, "P", 1)]) == {"ab": {"P": 1}}


def test_undirected_predicate_holds_in_both_directions():
    assert gold([(1, "P", 0), (2, "Q", 1)], undirected=["P"]) == {"ab": {"P": 1}, "ba": {"P": 1}, "cb": {"Q": 1}}


def test_undirected_predicate_given_in_both_directions_counts_once():
    assert gold([(1, "P", 0), (0, "P", 1)], undirected=["P"]) == {"ab": {"P": 1}, "ba": {"P": 1}}


def test_negative_predicate_in_gold_is_no_gold():
    assert gold([(0, NIL, 1), (0, "P", 2)]) == {"ac": {"P": 1}}


def test_unknown_label_names_document_label_and_what_is_known():
    with pytest.raises(ValueError, match="DR150.*Document PMID-17: .*'NEW'.*It knows: P, Q\\.") as caught:
        gold([(0, "P", 1), (0, "NEW", 1)], doc_id="PMID-17")
    assert NIL not in str(caught.value)


def test_document_without_an_id_is_named_by_its_text():
    with pytest.raises(ValueError, match="Document 'a b c ?':"):
        gold([(0, "NEW", 1)])
    long = make_doc(VOCAB, [("word", "")] * 50)
    assert len(doc_name(long)) == 42


def test_rows_follow_the_order_of_the_labels():
    doc = make_doc(VOCAB, TOKENS[:2], [(0, "P", 1)])
    rows = targets_of([Example(doc.copy(), doc)], labels=["Q", "P", NIL]).rows
    assert rows.tolist() == [[0, 1, 0], [0, 0, 1]] and rows.dtype == "float32"


def test_no_candidates_no_rows():
    doc = make_doc(VOCAB, [("a", "A")])
    assert targets_of([Example(doc.copy(), doc)]).rows.shape == (0, 3)


def test_a_predicted_document_takes_over_its_references_corpus():
    reference = make_doc(VOCAB, TOKENS)
    reference.user_data["corpus"] = "x"
    silent, own = Example(make_doc(VOCAB, TOKENS), reference), Example(make_doc(VOCAB, TOKENS), reference)
    own.predicted.user_data["corpus"] = "y"
    targets_of([silent, own])
    assert [example.predicted.user_data["corpus"] for example in (silent, own)] == ["x", "y"]


def letters(n, n_positives):
    """An example with n * (n - 1) candidates, the first of which are positive."""
    pairs = [(s, o) for s in range(n) for o in range(n) if s != o][:n_positives]
    doc = make_doc(VOCAB, [(f"t{i}", "A") for i in range(n)], [(s, "P", o) for s, o in pairs])
    return Example(doc.copy(), doc)


@given(st.integers(0, 5), st.integers(0, 4), st.sampled_from([0, 0.5, 1, 2, 3, 100]))
@settings(max_examples=60, deadline=None)
def test_sample_keeps_all_positives_and_the_asked_for_negatives_in_order(n, n_positives, ratio):
    example = letters(n, n_positives)
    every, kept = targets_of([example]), targets_of([example], ratio=ratio)
    positives = int((every.rows[:, 0] == 0).sum())
    negatives = min(len(every.rows) - positives, round(ratio * max(positives, 1)))
    assert int((kept.rows[:, 0] == 0).sum()) == positives and len(kept.rows) == positives + negatives
    places = [every.candidates.index(candidate) for candidate in kept.candidates]
    assert places == sorted(set(places))
    assert (kept.rows == every.rows[places]).all() and (kept.rows.sum(axis=1) == 1).all()


def test_sample_is_the_same_for_the_same_seed_and_another_for_another():
    def draw(seed):
        random.seed(seed)
        return [c.about for c in targets_of([letters(9, 1)], ratio=10).candidates]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_component_trains_on_the_sample(trained):
    nlp = trained(negatives_per_positive=1)
    tokens = [(letter, "CHEMICAL" if letter == "a" else "GENE") for letter in "abcdefgh"]
    doc = make_doc(nlp.vocab, tokens, [(0, "INHIBITS", 1), (0, "ACTIVATES", 2)])
    _, rows = nlp.get_pipe("dual_encoder_rel").training_targets([Example(doc.copy(), doc)])
    assert sorted(rows.argmax(axis=1).tolist()) == [0, 0, 1, 2]
