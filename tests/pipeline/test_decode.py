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
from spacy_dualre.pipeline import component as pipeline
from spacy_dualre.pipeline import decode as decoding
from spacy_dualre.pipeline.decode import best_of_each, by_doc, canonical, decode, log_odds, threshold_row
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
    return RelScores(
        similarity, logits, numpy.ones(similarity.shape, dtype=bool) if mask is None else numpy.asarray(mask)
    )


def probabilities(scores, prediction, alpha):
    return decoding.probabilities(log_odds(scores, prediction, alpha))


def odds_of(probs):
    with numpy.errstate(divide="ignore"):
        return numpy.log(numpy.asarray(probs)) - numpy.log1p(-numpy.asarray(probs)) + 1e-12


def found(doc, probs, pairs=((0, 1),), thresholds=(0.5, 0.5, 0.5), symmetric=(), multi_label=False):
    """The relations of one document as (subject, predicate, object, score)."""
    candidates = [Candidate(doc.ents[s], doc.ents[o]) for s, o in pairs]
    rels = best_of_each(decode(candidates, odds_of(probs), LABELS, list(thresholds), set(symmetric), multi_label))
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
@settings(max_examples=200, deadline=None)
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
@settings(max_examples=200, deadline=None)
def test_threshold_of_a_half_is_the_argmax(similarity):
    ranked = numpy.sort(similarity, axis=1)
    assume((ranked[:, -1] > ranked[:, -2]).all())
    doc = make_doc(VOCAB, [("a", "A"), ("b", "B"), ("c", "A")])
    labels = ["no_relation", "P", "Q", "R"]
    candidates = [Candidate(doc.ents[s], doc.ents[o]) for s, o in ((0, 1), (1, 2), (2, 0))]
    rels = decode(candidates, log_odds(scores_of(similarity), "similarity", 0.5), labels, [0.5] * 4, set(), False)
    best = similarity.argmax(axis=1)
    expected = [(c.subject, labels[i], c.object) for c, i in zip(candidates, best, strict=True) if i > 0]
    assert [(rel.subject, rel.predicate, rel.object) for rel in rels] == expected


def test_argmax_of_very_sure_scores(doc):
    odds = log_odds(scores_of([[0.0, 18.0, 25.0]]), "similarity", 0.5)
    (rel,) = decode([Candidate(doc.ents[0], doc.ents[1])], odds, LABELS, [0.5] * 3, set(), False)
    assert rel.predicate == "Q"


def test_best_predicate_that_reaches_its_threshold(doc):
    assert found(doc, [[0.5, 0.75, 0.625]]) == [("a", "P", "b", 0.75)]
    assert found(doc, [[0.5, 0.25, 0.375]]) == []


def test_threshold_per_predicate(doc):
    thresholds = [0.5, 0.875, 0.25]
    rows = [[0.5, 0.75, 0.125], [0.5, 0.875, 0.125], [0.5, 0.125, 0.25]]
    assert found(doc, rows, [(0, 1), (1, 2), (2, 0)], thresholds) == [("b", "P", "c", 0.875), ("c", "Q", "a", 0.25)]


def test_a_threshold_of_0_never_lets_an_impossible_predicate_through(doc):
    assert found(doc, [[0.5, 0.0, 0.125]], thresholds=[0, 0, 0], multi_label=True) == [("a", "Q", "b", 0.125)]
    assert found(doc, [[0.5, 0.0, 0.0]], thresholds=[0, 0, 0]) == []


def test_multi_label_gives_every_predicate_that_reaches_its_threshold(doc):
    rows = [[0.5, 0.75, 0.625]]
    assert found(doc, rows, multi_label=True) == [("a", "P", "b", 0.75), ("a", "Q", "b", 0.625)]
    assert found(doc, rows, thresholds=[0.5, 0.875, 0.5], multi_label=True) == [("a", "Q", "b", 0.625)]
    assert found(doc, rows) == [("a", "P", "b", 0.75)]


def test_the_negative_predicate_never_comes_out(doc):
    assert found(doc, [[1.0, 0.125, 0.25]], thresholds=[0, 0.5, 0.5], multi_label=True) == []


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


def test_same_places_in_two_documents_are_two_relations(doc):
    other = make_doc(VOCAB, [("x", "A"), ("y", "B")])
    candidates = [Candidate(*doc.ents[:2]), Candidate(*other.ents)]
    rels = decode(candidates, odds_of([[0.5, 0.75, 0.0]] * 2), LABELS, [0.5] * 3, set(), False)
    assert [(rel.subject.text, rel.object.text) for rel in rels] == [("a", "b"), ("x", "y")]


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


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_slices_that_cross_documents_become_documents_again(sizes, size):
    docs = [make_doc(VOCAB, [("x", "A"), ("y", "B")]) for _ in sizes]
    candidates = [Candidate(*doc.ents) for doc, n in zip(docs, sizes, strict=True) for _ in range(n)]
    odds = numpy.arange(3.0 * len(candidates)).reshape(-1, 3)
    slices = [(candidates[i : i + size], odds[i : i + size]) for i in range(0, len(candidates), size)]
    found = [(pairs[0].subject.doc, len(pairs), rows.tolist()) for pairs, rows in by_doc(iter(slices))]
    ends = numpy.cumsum(sizes).tolist()
    assert found == [(doc, n, odds[end - n : end].tolist()) for doc, n, end in zip(docs, sizes, ends, strict=True) if n]
    assert all(pair.subject.doc is pairs[0].subject.doc for pairs, _ in by_doc(iter(slices)) for pair in pairs)


def test_a_document_comes_out_before_the_next_slice_is_asked_for(doc):
    other = make_doc(VOCAB, [("x", "A"), ("y", "B")])
    asked = []

    def slices():
        for chunk in ([doc, doc], [doc, other], [other]):
            asked.append(len(chunk))
            yield [Candidate(*of.ents[:2]) for of in chunk], numpy.zeros((len(chunk), 3))

    stream = by_doc(slices())
    assert len(next(stream)[0]) == 3 and asked == [2, 2]
    assert len(next(stream)[0]) == 2 and asked == [2, 2, 1]


@pytest.mark.parametrize("size", [1, 2, 512])
def test_the_same_document_twice_in_a_batch(trained, monkeypatch, size):
    monkeypatch.setattr(pipeline, "_SLICE", size)
    nlp = trained(threshold=0.0, max_candidates_per_batch=1)
    one, other = fresh_docs(nlp)[:2]
    expected = [rels(nlp(doc)) for doc in fresh_docs(nlp)[:2]]
    pipe = nlp.get_pipe("dual_encoder_rel")
    asked = []
    monkeypatch.setattr(pipe, "get_candidates", lambda doc, ask=pipe.get_candidates: asked.append(doc) or ask(doc))
    assert [rels(doc) for doc in nlp.pipe([one, other, one])] == [*expected, expected[0]]
    assert [id(doc) for doc in asked] == [id(one), id(other)]


def test_best_of_each_keeps_the_better_score_and_the_order(doc):
    a, b, c = doc.ents
    rels = [Relation(a, "P", b, 0.25), Relation(c, "P", a, 0.5), Relation(a, "P", b, 0.75), Relation(a, "Q", b, 0.125)]
    assert best_of_each(rels) == [rels[2], rels[1], rels[3]]


def test_best_of_each_joins_the_directions_of_symmetric_predicates(doc):
    a, b, _ = doc.ents
    rels = [Relation(a, "P", b, 0.25), Relation(b, "P", a, 0.5), Relation(a, "Q", b, 0.25), Relation(b, "Q", a, 0.5)]
    assert best_of_each(rels, {"P"}) == [rels[1], rels[2], rels[3]]


def test_best_of_each_asks_what_relations_are_about(doc):
    a, b, c = doc.ents
    rels = [Relation(a, "P", b, 0.25), Relation(a, "P", c, 0.5), Relation(b, "P", c, 0.75)]
    assert best_of_each(rels, pairs=lambda subject, _: [(subject.text, "")]) == [rels[1], rels[2]]


def test_canonical_turns_symmetric_relations_only(doc):
    a, b, _ = doc.ents
    assert canonical(Relation(b, "P", a, 0.5), {"P"}) == Relation(a, "P", b, 0.5)
    assert canonical(Relation(a, "P", b, 0.5), {"P"}) == Relation(a, "P", b, 0.5)
    assert canonical(Relation(b, "P", a, 0.5), {"Q"}) == Relation(b, "P", a, 0.5)


@pytest.mark.parametrize(
    "threshold, row",
    [
        (0.25, [0.25, 0.25, 0.25]),
        (1, [1.0, 1.0, 1.0]),
        ({"P": 0.25}, [0.5, 0.25, 0.5]),
        ({"P": 0.25, "*": 0.75}, [0.75, 0.25, 0.75]),
        ({}, [0.5, 0.5, 0.5]),
    ],
)
def test_threshold_row(threshold, row):
    assert threshold_row(threshold, LABELS) == row
