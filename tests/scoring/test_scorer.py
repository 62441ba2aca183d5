"""Precision, recall and F1 of small sets of relations, counted by hand."""

import pytest
from helpers.pipelines import make_doc
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.candidates.concept_pairs import concept_pairs
from spacy_dualre.scoring.scorer import make_rel_scorer, score_mentions

VOCAB = Vocab()
score = make_rel_scorer()
TOKENS = [("a", "A"), ("b", "B"), ("c", "A"), ("d", "B")]


def example(predicted, gold, tokens=TOKENS, predicted_tokens=TOKENS):
    return Example(make_doc(VOCAB, predicted_tokens, predicted), make_doc(VOCAB, tokens, gold))


def prf(scores):
    return tuple(pytest.approx(scores[key]) for key in ("rels_p", "rels_r", "rels_f"))


def test_all_right():
    gold = [(0, "P", 1), (2, "Q", 3)]
    scores = score([example(gold, gold)])
    assert prf(scores) == (1.0, 1.0, 1.0)
    assert scores["rels_macro_f"] == pytest.approx(1.0)


def test_counted_by_hand():
    """P: 1 right, 1 missing, 1 too many; Q: 1 right, 2 too many."""
    first = example([(0, "P", 1), (1, "P", 0), (0, "Q", 3)], [(0, "P", 1), (0, "P", 3)])
    second = example([(0, "Q", 1), (1, "Q", 2)], [(0, "Q", 1)])
    scores = score([first, second])
    assert prf(scores) == (2 / 5, 2 / 3, 0.5)
    per_type = scores["rels_per_type"]
    assert list(per_type) == ["P", "Q"]
    assert per_type["P"] == pytest.approx({"p": 1 / 2, "r": 1 / 2, "f": 1 / 2})
    assert per_type["Q"] == pytest.approx({"p": 1 / 3, "r": 1.0, "f": 1 / 2})


def test_gold_without_a_candidate_is_a_false_negative():
    predicted_tokens = [("a", "A"), ("b", "B"), ("c", ""), ("d", "")]
    scores = score([example([(0, "P", 1)], [(0, "P", 1), (2, "P", 3)], predicted_tokens=predicted_tokens)])
    assert prf(scores) == (1.0, 1 / 2, 2 / 3)


def test_nothing_predicted():
    scores = score([example([], [(0, "P", 1)])])
    assert prf(scores) == (0.0, 0.0, 0.0)
    assert scores["rels_per_type"] == {"P": {"p": 0.0, "r": 0.0, "f": 0.0}}


def test_predictions_where_gold_has_none():
    scores = score([example([(0, "P", 1)], [])])
    assert prf(scores) == (0.0, 0.0, 0.0)
    assert scores["rels_macro_f"] == 0.0


@pytest.mark.parametrize("examples", [[], [example([], [])]], ids=["no documents", "no relations"])
def test_none_where_there_is_nothing_to_score(examples):
    scores = score(examples)
    assert set(scores) == {"rels_p", "rels_r", "rels_f", "rels_macro_f", "rels_per_type"}
    assert all(value is None for value in scores.values())


def test_direction_matters():
    assert score([example([(1, "P", 0)], [(0, "P", 1)])])["rels_f"] == 0.0


def test_symmetric_is_right_in_either_direction():
    assert prf(score([example([(1, "P", 0)], [(0, "P", 1)])], symmetric=["P"])) == (1.0, 1.0, 1.0)
    assert score([example([(1, "P", 0)], [(0, "P", 1)])], symmetric=["Q"])["rels_f"] == 0.0


def test_symmetric_in_both_directions_counts_once():
    both = [(0, "P", 1), (1, "P", 0)]
    assert prf(score([example(both, [(0, "P", 1), (2, "P", 3)])], symmetric=["P"])) == (1.0, 1 / 2, 2 / 3)
    assert prf(score([example([(0, "P", 1), (2, "P", 3)], both)], symmetric=["P"])) == (1 / 2, 1.0, 2 / 3)


def test_symmetric_may_be_an_iterator():
    examples = [example([(1, name, 0)], [(0, name, 1)]) for name in ("P", "Q", "P")]
    assert score(examples, symmetric=iter(["P", "Q"]))["rels_f"] == pytest.approx(1.0)


def test_duplicates_count_once():
    twice = example([(0, "P", 1), (0, "P", 1)], [(0, "P", 1), (0, "P", 1), (0, "P", 3)])
    assert prf(score([twice])) == (1.0, 1 / 2, 2 / 3)


def test_same_relation_in_two_documents_counts_twice():
    right, missed = example([(0, "P", 1)], [(0, "P", 1)]), example([], [(0, "P", 1)])
    assert prf(score([right, missed])) == (1.0, 1 / 2, 2 / 3)


def test_predicate_matters():
    scores = score([example([(0, "Q", 1)], [(0, "P", 1)])])
    assert scores["rels_f"] == 0.0
    assert scores["rels_per_type"]["Q"]["p"] == scores["rels_per_type"]["P"]["r"] == 0.0


@pytest.mark.parametrize("types", [["X", "B"], ["A", "X"]])
def test_types_of_both_mentions_matter(types):
    tokens = list(zip("ab", types, strict=True))
    scores = score([example([(0, "P", 1)], [(0, "P", 1)], tokens=TOKENS[:2], predicted_tokens=tokens)])
    assert scores["rels_f"] == 0.0


def test_score_of_the_relation_does_not_matter():
    unsure = example([(0, "P", 1)], [(0, "P", 1)])
    unsure.predicted._.rels = [rel._replace(score=0.5) for rel in unsure.predicted._.rels]
    assert score([unsure])["rels_f"] == pytest.approx(1.0)


def test_mentions_are_compared_by_characters_whatever_the_tokens():
    reference = Doc(VOCAB, words=["New", "York", "UN"])
    predicted = Doc(VOCAB, words=["New York", "UN"])
    reference._.rels = [Relation(Span(reference, 0, 2, label="A"), "P", Span(reference, 2, 3, label="B"))]
    predicted._.rels = [Relation(Span(predicted, 0, 1, label="A"), "P", Span(predicted, 1, 2, label="B"))]
    assert score([Example(predicted, reference)])["rels_f"] == pytest.approx(1.0)


def test_macro_is_the_unweighted_mean_over_the_gold_predicates():
    """P: f 1 (twice right); Q: f 0 (missing); R: predicted only, in no mean."""
    scores = score([example([(0, "P", 1), (2, "P", 3), (0, "R", 3)], [(0, "P", 1), (2, "P", 3), (0, "Q", 3)])])
    assert scores["rels_macro_f"] == pytest.approx(1 / 2)
    assert scores["rels_f"] == pytest.approx(2 / 3)
    assert set(scores["rels_per_type"]) == {"P", "Q", "R"}


def test_other_arguments_of_spacys_evaluation_are_ignored():
    assert score([example([(0, "P", 1)], [(0, "P", 1)])], nlp=None, attr="x")["rels_f"] == pytest.approx(1.0)


def test_component_scores_undirected_candidates_in_either_direction(make_nlp):
    mixed = [example([(1, "P", 0)], [(0, "P", 1)])]
    undirected = {"@misc": "spacy-dualre.entity_pairs.v1", "directed": False}
    for settings, f in (({}, 0.0), ({"symmetric": ["P"]}, 1.0), ({"candidates": undirected}, 1.0)):
        pipe = make_nlp(**settings).get_pipe("dual_encoder_rel")
        pipe.cfg["descriptions"] = {"no_relation": "{subject} {object}", "P": "{subject} p {object}"}
        assert pipe.score(mixed)["rels_f"] == pytest.approx(f)


def test_gold_that_is_about_no_concept_is_a_false_negative():
    reference = make_doc(VOCAB, TOKENS)
    subject = Span(reference, 0, 1, label="A", kb_id="-")
    reference._.rels = [Relation(subject, "R", reference.ents[1])]
    scores = score([Example(make_doc(VOCAB, TOKENS), reference)], pairs=concept_pairs().pairs)
    assert scores["rels_per_type"] == {"R": {"p": 0.0, "r": 0.0, "f": 0.0}}


def test_mentions_that_are_found_stand_for_the_concepts_of_the_gold_ones_in_their_place():
    """The gold: D1 affects 77, 78 does not; what is found: both mentions of 77 under names of their own, and 78."""
    tokens = [("aspirin", "A"), ("ASA", "A"), ("cox", "B"), ("cox-2", "B")]
    reference = make_doc(VOCAB, tokens)
    ids = ("D1", "D1", "77", "78")
    gold = [Span(reference, i, i + 1, label=type, kb_id=ids[i]) for i, (_, type) in enumerate(tokens)]
    reference.ents = gold
    reference._.rels = [Relation(gold[0], "R", gold[2])]
    predicted = make_doc(VOCAB, tokens, [(0, "R", 2), (1, "R", 2), (1, "R", 3)])
    pairs = concept_pairs().pairs
    assert prf(score([Example(predicted, reference)], pairs=pairs)) == (1 / 2, 1.0, pytest.approx(2 / 3))
    # Ids of its own decide, whatever stands there in gold
    linked = [Span(predicted, 1, 2, label="A", kb_id="D2"), Span(predicted, 2, 3, label="B", kb_id="77")]
    predicted._.rels = [Relation(linked[0], "R", linked[1])]
    assert score([Example(predicted, reference)], pairs=pairs)["rels_f"] == 0.0
    # Another type is another mention, unless it is mapped
    other = make_doc(VOCAB, [("aspirin", "X"), *tokens[1:]], [(0, "R", 2)])
    assert score([Example(other, reference)], pairs=pairs)["rels_f"] == 0.0
    assert score([Example(other, reference)], pairs=pairs, type_map={"X": "A"})["rels_f"] == 1.0
    assert score_mentions([Example(other, reference)], None, {"X": "A"})["ents_f"] == 1.0


def test_mentions_are_scored_by_offsets_and_type():
    gold = make_doc(VOCAB, [("Aspirin", "DRUG"), ("blocks", ""), ("COX-1", "GENE"), ("well", "")])
    # Other tokens, and the last mention cuts a gold token
    found = Doc(VOCAB, words=["Aspirin", "blocks", "COX", "-1", "well"], spaces=[True, True, False, True, True])
    found.ents = [Span(found, 0, 1, "DRUG"), Span(found, 1, 2, "DRUG"), Span(found, 2, 3, "GENE")]
    scores = score_mentions([Example(found, gold)], None)
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == pytest.approx((1 / 3, 1 / 2, 0.4))
    assert scores["ents_per_type"]["DRUG"] == pytest.approx({"p": 0.5, "r": 1.0, "f": 2 / 3})
    assert scores["ents_per_type"]["GENE"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    gold.spans["entities"] = [Span(gold, 0, 1, "DRUG")]
    assert score_mentions([Example(found, gold)], "entities")["ents_r"] == 1.0
