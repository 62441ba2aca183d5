"""Scores -> relations: probabilities of each head, thresholds, directions, duplicates."""

import math

import numpy
import pytest
from helpers.pipelines import fresh_docs, make_doc, rels
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from spacy.vocab import Vocab

from spacy_dualre import Candidate, Relation
from spacy_dualre.annotations.concepts import Concept
from spacy_dualre.candidates.policy import mention_pairs
from spacy_dualre.pipeline import decode as decoding
from spacy_dualre.pipeline.decode import as_relation, decode, in_text_order, log_odds
from spacy_dualre.types import RelScores

VOCAB = Vocab()
LABELS = ["no_relation", "P", "Q"]
LN3 = math.log(3)


@pytest.fixture
def doc():
    return make_doc(VOCAB, [("a", "A"), ("b", "B"), ("c", "A")])


def scores_of(similarity, logits=None, mask=None):
    similarity = numpy.asarray(similarity, dtype="float32")
    logits = similarity if logits is None else numpy.asarray(logits, dtype="float32")
    mask = numpy.ones(similarity.shape, dtype=bool) if mask is None else numpy.asarray(mask)
    return RelScores(similarity, logits, mask, mask)


def candidate(subject, object):
    (pair,) = mention_pairs(subject, object)
    return Candidate(subject, object, pair)


def probabilities(scores, prediction, alpha):
    return decoding.probabilities(log_odds(scores, prediction, alpha))


def odds_of(probs):
    with numpy.errstate(divide="ignore"):
        return numpy.log(numpy.asarray(probs)) - numpy.log1p(-numpy.asarray(probs)) + 1e-12


def found(doc, probs, pairs=((0, 1),), threshold=0.5, symmetric=(), multi_label=False):
    """The relations of one document as (subject, predicate, object, score)."""
    candidates = [candidate(doc.ents[s], doc.ents[o]) for s, o in pairs]
    rels = decode(candidates, odds_of(probs), LABELS, threshold, set(symmetric), multi_label)
    return [(rel.subject.text, rel.predicate, rel.object.text, round(rel.score, 6)) for rel in rels]


def test_similarity_against_the_negative():
    probs = probabilities(scores_of([[1.0, 1.0 + LN3, 1.0 - LN3]], [[9.0, 0.0, 0.0]]), "similarity", 0.5)
    assert numpy.allclose(probs, [[0.5, 0.75, 0.25]])


def test_classifier_against_the_negative():
    probs = probabilities(scores_of([[9.0, 0.0, 0.0]], [[1.0, 1.0 + LN3, 1.0 - LN3]]), "classifier", 0.5)
    assert numpy.allclose(probs, [[0.5, 0.75, 0.25]])


def test_joint_weighs_the_classifier_by_alpha():
    scores = scores_of([[0.0, 4 * LN3, 0.0]], [[0.0, 0.0, -4 * LN3]])
    assert numpy.allclose(probabilities(scores, "joint", 0.75), [[0.5, 0.75, 1 / 28]])


@pytest.mark.parametrize("alpha, head", [(0.0, "similarity"), (1.0, "classifier")])
def test_joint_with_one_head_only(alpha, head):
    scores = scores_of([[1.0, 2.0, 3.0]], [[3.0, 0.5, 1.0]])
    assert numpy.allclose(probabilities(scores, "joint", alpha), probabilities(scores, head, 0.5))


@pytest.mark.parametrize("prediction", ["classifier", "joint"])
def test_predicate_unknown_to_the_classifier_is_judged_by_similarity(prediction):
    scores = scores_of([[0.0, 2.0, LN3]], [[0.0, -LN3]])
    probs = probabilities(scores, prediction, 1.0)
    assert numpy.allclose(probs, [[0.5, 0.25, 0.75]])


@pytest.mark.parametrize("prediction", ["similarity", "classifier", "joint"])
def test_masked_predicate_has_probability_0(prediction):
    scores = scores_of([[0.0, 5.0, LN3]], mask=[[True, False, True]])
    assert numpy.allclose(probabilities(scores, prediction, 0.5), [[0.5, 0.0, 0.75]])


def test_extreme_scores_stay_finite():
    with numpy.errstate(all="raise", under="ignore"):
        probs = probabilities(scores_of([[0.0, 1e4, -1e4]]), "similarity", 0.5)
    assert numpy.allclose(probs, [[0.5, 1.0, 0.0]])


def test_no_candidates(doc):
    assert probabilities(scores_of(numpy.zeros((0, 3))), "joint", 0.5).shape == (0, 3)
    assert found(doc, numpy.zeros((0, 3)), pairs=()) == []


HALVES = arrays("float32", (3, 4), elements=st.integers(-12, 12).map(lambda n: n / 2))
MASKS = arrays(bool, (3, 3)).map(lambda mask: numpy.concatenate([numpy.ones((3, 1), dtype=bool), mask], axis=1))


def log_softmax(scores, mask):
    scores = numpy.where(mask, scores.astype("float64"), -numpy.inf)
    return scores - numpy.log(numpy.exp(scores).sum(axis=1, keepdims=True))


@given(HALVES, HALVES, MASKS, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
@settings(max_examples=100, deadline=None)
def test_joint_ranks_as_the_weighted_sum_of_both_log_softmaxes(similarity, logits, mask, alpha):
    with numpy.errstate(invalid="ignore"):
        summed = alpha * log_softmax(logits, mask) + (1 - alpha) * log_softmax(similarity, mask)
    summed = numpy.where(mask, summed, -numpy.inf)
    probs = probabilities(scores_of(similarity, logits, mask), "joint", alpha)
    ranked = numpy.sort(summed, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-3
    assume(clear.any())
    assert (probs.argmax(axis=1) == summed.argmax(axis=1))[clear].all()
    apart = numpy.abs(summed - summed[:, :1]) > 1e-3
    assert ((probs > 0.5) == (summed > summed[:, :1]))[apart].all()


@given(HALVES)
@settings(max_examples=100, deadline=None)
def test_threshold_of_a_half_is_the_argmax(similarity):
    ranked = numpy.sort(similarity, axis=1)
    assume((ranked[:, -1] > ranked[:, -2]).all())
    doc = make_doc(VOCAB, [("a", "A"), ("b", "B"), ("c", "A")])
    labels = ["no_relation", "P", "Q", "R"]
    candidates = [candidate(doc.ents[s], doc.ents[o]) for s, o in ((0, 1), (1, 2), (2, 0))]
    rels = decode(candidates, log_odds(scores_of(similarity), "similarity", 0.5), labels, 0.5, set(), False)
    best = similarity.argmax(axis=1)
    expected = [(c.subject, labels[i], c.object) for c, i in zip(candidates, best, strict=True) if i > 0]
    assert [(rel.subject, rel.predicate, rel.object) for rel in rels] == expected


def test_argmax_of_very_sure_scores(doc):
    odds = log_odds(scores_of([[0.0, 18.0, 25.0]]), "similarity", 0.5)
    (rel,) = decode([candidate(doc.ents[0], doc.ents[1])], odds, LABELS, 0.5, set(), False)
    assert rel.predicate == "Q"


def test_best_predicate_that_reaches_its_threshold(doc):
    assert found(doc, [[0.5, 0.75, 0.625]]) == [("a", "P", "b", 0.75)]
    assert found(doc, [[0.5, 0.25, 0.375]]) == []


def test_threshold(doc):
    rows = [[0.5, 0.75, 0.125], [0.5, 0.875, 0.125], [0.5, 0.125, 0.25]]
    pairs = [(0, 1), (1, 2), (2, 0)]
    assert found(doc, rows, pairs, threshold=0.875) == [("b", "P", "c", 0.875)]
    assert len(found(doc, rows, pairs, threshold=0.25)) == 3


def test_a_threshold_of_0_never_lets_an_impossible_predicate_through(doc):
    assert found(doc, [[0.5, 0.0, 0.125]], threshold=0, multi_label=True) == [("a", "Q", "b", 0.125)]
    assert found(doc, [[0.5, 0.0, 0.0]], threshold=0) == []


def test_multi_label_gives_every_predicate_that_reaches_its_threshold(doc):
    rows = [[0.5, 0.75, 0.625]]
    assert found(doc, rows, multi_label=True) == [("a", "P", "b", 0.75), ("a", "Q", "b", 0.625)]
    assert found(doc, rows, threshold=0.7, multi_label=True) == [("a", "P", "b", 0.75)]
    assert found(doc, rows) == [("a", "P", "b", 0.75)]


def test_the_negative_predicate_never_comes_out(doc):
    assert found(doc, [[1.0, 0.125, 0.25]], threshold=0.5, multi_label=True) == []


@pytest.mark.parametrize("probs", [(0.75, 0.875), (0.875, 0.75)])
def test_symmetric_in_both_directions_is_one_relation_with_the_better_score(doc, probs):
    rows = [[0.5, prob, 0.125] for prob in probs]
    assert found(doc, rows, [(0, 1), (1, 0)], symmetric=["P"]) == [("a", "P", "b", 0.875)]
    assert len(found(doc, rows, [(0, 1), (1, 0)])) == 2


def test_symmetric_in_the_reverse_direction_alone_is_turned(doc):
    assert found(doc, [[0.5, 0.75, 0.125]], [(2, 1)], symmetric=["P"]) == [("b", "P", "c", 0.75)]
    assert found(doc, [[0.5, 0.75, 0.125]], [(2, 1)], symmetric=["Q"]) == [("c", "P", "b", 0.75)]


def test_symmetric_predicates_of_each_direction_stay_apart(doc):
    rows = [[0.5, 0.75, 0.125], [0.5, 0.125, 0.625]]
    turned = found(doc, rows, [(0, 1), (1, 0)], symmetric=["P", "Q"])
    assert turned == [("a", "P", "b", 0.75), ("a", "Q", "b", 0.625)]


def test_predictions_of_documents_together_are_those_of_each_alone(trained):
    """With a threshold of 0 every pair has a relation; the two documents have their mentions at the same places."""
    nlp = trained(threshold=0.0)
    docs = [
        make_doc(nlp.vocab, [(drug, "CHEMICAL"), ("hits", ""), ("COX-1", "GENE")]) for drug in ("Aspirin", "Warfarin")
    ]
    pipe = nlp.get_pipe("dual_encoder_rel")
    together = pipe.predict(docs)
    assert [[rel.subject.text for rel in rels] for rels in together] == [["Aspirin"], ["Warfarin"]]
    assert [[rel.predicate for rel in rels] for rels in together] == [
        [rel.predicate for rel in pipe.predict([doc])[0]] for doc in docs
    ]


@pytest.mark.parametrize("size", [1, 2, 512])
def test_stream_gives_each_documents_candidates_whatever_the_slices(trained, size):
    nlp = trained(max_candidates_per_batch=1)
    pipe, docs = nlp.get_pipe("dual_encoder_rel"), fresh_docs(nlp)
    parts = list(pipe.stream(docs, at_least=size))
    candidates = [one for part in parts for one in part.candidates]
    assert candidates == [one for doc in docs for one in pipe.get_candidates(doc)]
    assert all(len(part.candidates) == len(part.instances) == len(part.odds) <= size for part in parts)
    assert all(one.subject.doc is part.doc for part in parts for one in part.candidates)
    together = numpy.concatenate([part.odds for part in pipe.stream(docs)])
    numpy.testing.assert_allclose(numpy.concatenate([part.odds for part in parts]), together, atol=1e-4)


def test_a_part_of_the_stream_comes_before_the_next_document_is_asked_for(trained):
    nlp = trained(max_candidates_per_batch=1)
    asked = []
    docs = (asked.append(doc) or doc for doc in fresh_docs(nlp))
    next(nlp.get_pipe("dual_encoder_rel").stream(docs, at_least=1))
    assert len(asked) == 1


def test_the_same_document_twice_in_a_batch(trained, monkeypatch):
    nlp = trained(threshold=0.0)
    one, other = fresh_docs(nlp)[:2]
    expected = [rels(nlp(doc)) for doc in fresh_docs(nlp)[:2]]
    pipe = nlp.get_pipe("dual_encoder_rel")
    asked = []
    monkeypatch.setattr(pipe, "get_candidates", lambda doc, ask=pipe.get_candidates: asked.append(doc) or ask(doc))
    assert [rels(doc) for doc in nlp.pipe([one, other, one])] == [*expected, expected[0]]
    assert [id(doc) for doc in asked] == [id(one), id(other)]


def test_candidates_about_the_same_pair_give_one_relation_with_the_better_score(doc):
    a, b, c = doc.ents
    candidates = [Candidate(a, b, ("x", "y")), Candidate(a, c, ("x", "y")), Candidate(b, c, ("y", "x"))]
    odds = odds_of([[0.5, 0.625, 0.0], [0.5, 0.75, 0.0], [0.5, 0.875, 0.0]])
    assert [rel.object.text for rel in decode(candidates, odds, LABELS, 0.5, set(), False)] == ["c", "c"]
    (rel,) = decode(candidates, odds, LABELS, 0.5, {"P"}, False)
    assert (rel.subject.text, rel.object.text, round(rel.score, 6)) == ("b", "c", 0.875)


def test_a_relation_of_concepts_names_the_candidates_concepts_only(doc):
    a, b, _ = doc.ents
    a.kb_id_, b.kb_id_ = "1,2", ""
    rel = as_relation(Candidate(a, b, (Concept("A", "2"), Concept("B", "b"))), "P", 0.75)
    assert (rel.subject.kb_id_, rel.object.kb_id_, rel.score) == ("2", "", 0.75)
    assert as_relation(candidate(a, b), "P").subject.kb_id_ == "1,2"


def test_only_undirected_relations_are_put_into_text_order(doc):
    a, b, _ = doc.ents
    assert in_text_order(Relation(b, "P", a, 0.5), {"P"}) == Relation(a, "P", b, 0.5)
    assert in_text_order(Relation(a, "P", b, 0.5), {"P"}) == Relation(a, "P", b, 0.5)
    assert in_text_order(Relation(b, "P", a, 0.5), {"Q"}) == Relation(b, "P", a, 0.5)
