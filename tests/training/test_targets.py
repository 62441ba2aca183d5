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
from spacy_dualre.training.targets import gold_predicates, sample_negatives, target_rows

VOCAB = Vocab()
POLICY = entity_pairs()
LABELS = ["no_relation", "P", "Q"]
NIL = "no_relation"
TOKENS = [("a", "A"), ("b", "B"), ("c", "A")]


def gold(relations, undirected=(), tokens=TOKENS, doc_id=None):
    """The gold predicates by the texts of the two mentions, both one letter and a blank apart."""
    reference = make_doc(VOCAB, TOKENS, relations)
    if doc_id:
        reference.user_data["doc_id"] = doc_id
    example = Example(make_doc(VOCAB, tokens), reference)
    found = gold_predicates(example, POLICY, set(undirected), LABELS)
    text = reference.text
    return {text[subject[0]] + text[object[0]]: predicates for (subject, object), predicates in found.items()}


def test_gold_predicates_of_each_pair():
    assert gold([(0, "P", 1), (2, "Q", 1)]) == {"ab": ["P"], "cb": ["Q"]}


def test_several_predicates_of_one_pair():
    assert gold([(0, "P", 1), (0, "Q", 1)]) == {"ab": ["P", "Q"]}


def test_relation_given_twice_counts_once():
    assert gold([(0, "P", 1), (0, "P", 1)]) == {"ab": ["P"]}


def test_undirected_predicate_holds_in_both_directions():
    assert gold([(1, "P", 0), (2, "Q", 1)], undirected=["P"]) == {"ab": ["P"], "ba": ["P"], "cb": ["Q"]}


def test_undirected_predicate_given_in_both_directions_counts_once():
    assert gold([(1, "P", 0), (0, "P", 1)], undirected=["P"]) == {"ab": ["P"], "ba": ["P"]}


def test_negative_predicate_in_gold_is_no_gold():
    assert gold([(0, NIL, 1), (0, "P", 2)]) == {"ac": ["P"]}


def test_keys_are_those_of_the_candidates():
    doc = make_doc(VOCAB, TOKENS, [(0, "P", 1)])
    found = gold_predicates(Example(doc.copy(), doc), POLICY, set(), LABELS)
    assert found == {((0, 1, "A"), (2, 3, "B")): ["P"]}
    candidate = next(POLICY(doc, doc.ents, None))
    assert list(found) == POLICY.pairs(*candidate)


def test_unknown_label_names_document_label_and_what_is_known():
    with pytest.raises(ValueError, match="Document PMID-17: .*'NEW'.*It knows: P, Q\\.") as caught:
        gold([(0, "P", 1), (0, "NEW", 1)], doc_id="PMID-17")
    assert NIL not in str(caught.value)


def test_document_without_an_id_is_named_by_its_text():
    with pytest.raises(ValueError, match="Document 'a b c ?':"):
        gold([(0, "NEW", 1)])
    long = make_doc(VOCAB, [("word", "")] * 50)
    assert len(doc_name(Example(long, long))) == 42


def test_rows():
    rows = target_rows([["P"], [], ["Q", "P"]], LABELS)
    assert rows.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0.5, 0.5]]
    assert rows.dtype == "float32"


def test_rows_follow_the_order_of_the_labels():
    assert target_rows([["P"], []], ["Q", "P", NIL]).tolist() == [[0, 1, 0], [0, 0, 1]]


def test_no_candidates_no_rows():
    assert target_rows([], LABELS).shape == (0, 3)


@given(st.lists(st.lists(st.sampled_from(["P", "Q"]), unique=True, max_size=2), max_size=8))
@settings(max_examples=50, deadline=None)
def test_each_row_is_a_distribution(targets):
    rows = target_rows(targets, LABELS)
    assert (rows.sum(axis=1) == 1).all() and (rows >= 0).all()
    assert [bool(row[0]) for row in rows] == [not predicates for predicates in targets]


TARGETS = [[], ["P"], [], [], ["Q", "P"], [], [], []]


@pytest.mark.parametrize("ratio, n_negatives", [(0, 0), (0.5, 1), (1, 2), (2, 4), (3, 6), (100, 6)])
def test_sample_keeps_all_positives_and_the_asked_for_negatives(ratio, n_negatives):
    kept = sample_negatives(TARGETS, ratio)
    assert {1, 4} <= set(kept) and len(kept) == len(set(kept)) == 2 + n_negatives
    assert kept == sorted(kept)


def test_sample_without_positives_keeps_one_positives_worth():
    assert len(sample_negatives([[]] * 10, 3)) == 3
    assert sample_negatives([[]] * 2, 3) == [0, 1]
    assert sample_negatives([], 3) == []


def test_sample_is_the_same_for_the_same_seed_and_another_for_another():
    def draw(seed):
        random.seed(seed)
        return sample_negatives([[]] * 100 + [["P"]], 10)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_component_trains_on_the_sample(trained):
    nlp = trained(negatives_per_positive=1)
    tokens = [(letter, "CHEMICAL" if letter == "a" else "GENE") for letter in "abcdefgh"]
    doc = make_doc(nlp.vocab, tokens, [(0, "INHIBITS", 1), (0, "ACTIVATES", 2)])
    _, targets = nlp.get_pipe("dual_encoder_rel")._training_candidates([Example(doc.copy(), doc)])
    assert sorted(targets) == [[], [], ["ACTIVATES"], ["INHIBITS"]]
