"""Training that reads the descriptions of gold predicates, the negative one and a sample of the others."""

import numpy
import pytest
import spacy
from helpers.pipelines import NAME, make_examples, optimizer, overfit
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spacy_dualre.models.cascade import sample
from spacy_dualre.models.dual_encoder import get_batches, get_network
from spacy_dualre.types import Query

STILL = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}
#: A third predicate, so that there is something to choose from.
MORE = {"BINDS": "{subject} sticks to {object}."}


@given(
    st.integers(0, 9),
    st.integers(1, 4),
    arrays.arrays(bool, (4, 8)),
    arrays.arrays(bool, (4, 8)),
    arrays.arrays("float32", (4, 6), elements=st.floats(-50, 50, width=32)),
)
def test_gold_the_negative_one_and_n_others(seed, n, mask, gold, logits):
    numpy.random.seed(seed)
    mask[:, 0] = True
    chosen = sample(logits, mask, gold & mask, n)
    assert not chosen[~mask].any() and chosen[gold & mask].all()
    assert chosen[:, 0].all() and (chosen == mask)[:, 6:].all()
    others = (mask & ~gold)[:, 1:6]
    assert ((chosen[:, 1:6] & others).sum(1) == numpy.minimum(others.sum(1), n)).all()


def test_draws_follow_the_classifiers_probabilities():
    numpy.random.seed(0)
    logits = numpy.log(numpy.array([[0.5, 0.1, 0.3, 0.1]] * 20_000))
    gold = numpy.zeros(logits.shape, dtype=bool)
    gold[:, 3] = True
    chosen = sample(logits, numpy.ones(logits.shape, dtype=bool), gold, 1)
    numpy.testing.assert_allclose(chosen.mean(0), [1, 0.25, 0.75, 1], atol=0.02)


@pytest.fixture
def four(trained):
    """A pipeline with four predicates, all known to the classifier."""

    def make(**settings):
        nlp = trained(**settings)
        rel = nlp.get_pipe(NAME)
        spacy.util.fix_random_seed(1)
        rel.initialize(lambda: make_examples(nlp.vocab), nlp=nlp, labels={**rel.label_data, **MORE})
        return nlp

    return make


def query(nlp, sampled):
    """The three documents' candidates as training asks for them."""
    rel = nlp.get_pipe(NAME)
    candidates, rows = rel.training_targets(make_examples(nlp.vocab))
    return Query(rel.instance_maker()(candidates), sampled=sampled, gold=rows)


def test_only_what_is_sampled_is_encoded(four):
    nlp = four()
    asked = query(nlp, sampled=1)
    model = nlp.get_pipe(NAME).model
    numpy.random.seed(0)
    scores, _ = model.begin_update(asked)
    batches = get_batches(model)
    batch, _ = batches.pairs(batches.texts(asked.instances), asked.instances, scores.read)
    assert scores.possible.all() and scores.read[:, 0].all()
    assert (scores.read.sum(1) == numpy.where(asked.gold[:, 0] > 0, 2, 3)).all()
    rows = zip(asked.instances, scores.read)
    read = {texts for instance, row in rows for texts, is_read in zip(instance.descriptions, row) if is_read}
    assert sum(len(part.rows) for part in batch.descriptions) == len(read)


def test_a_classifier_alone_samples_nothing(four):
    nlp = four(sampled_predicates=1, alpha=1.0)
    scores, _ = nlp.get_pipe(NAME).model.begin_update(query(nlp, sampled=1)._replace(similarity=False))
    assert not scores.read.any()
    assert nlp.update(make_examples(nlp.vocab))[NAME] > 0


def test_a_sample_of_all_trains_as_all(four):
    losses, weights = [], []
    for sampled in (None, 3):
        nlp = four(model=STILL, sampled_predicates=sampled)
        sgd = optimizer()
        losses.append([nlp.update(make_examples(nlp.vocab), sgd=sgd)[NAME] for _ in range(3)])
        network = get_network(nlp.get_pipe(NAME).model)
        weights.append(network.text_projection.weight.detach().numpy())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    numpy.testing.assert_allclose(*weights, atol=1e-5)


def test_predicates_that_were_not_read_train_the_classifier_alone(four):
    nlp = four(model=STILL, sampled_predicates=1, alpha=0.25)
    asked = query(nlp, sampled=1)
    numpy.random.seed(0)
    scores, _ = nlp.get_pipe(NAME).model.begin_update(asked)

    def mean_loss(values, mask):
        exp = numpy.where(mask, numpy.exp(values.astype("float64")), 0.0)
        return -numpy.log((exp * asked.gold).sum(1) / exp.sum(1)).mean()

    expected = 0.25 * mean_loss(scores.logits, scores.possible) + 0.75 * mean_loss(scores.similarity, scores.read)
    numpy.random.seed(0)
    assert nlp.update(make_examples(nlp.vocab))[NAME] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_overfitting(four):
    nlp = four(sampled_predicates=1)
    examples, loss = overfit(nlp)
    assert loss < 0.1 and nlp.evaluate(examples)["rels_f"] == 1.0


@pytest.mark.parametrize("settings, code", [({"sampled_predicates": 0}, "DR002"), ({"alpha": 0.0}, "DR181")])
def test_what_cannot_be_is_refused(make_nlp, settings, code):
    with pytest.raises(ValueError, match=code):
        make_nlp(**{"sampled_predicates": 1, **settings})
