"""The joint loss and its gradients, against numbers by hand and against torch's autograd."""

import math

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.training.loss import cross_entropy, joint_loss
from spacy_dualre.types import RelScores

ALL = numpy.ones((1, 3), dtype=bool)


def row(*values):
    return numpy.array([values], dtype="float64")


def scores_of(similarity, logits, mask):
    """Scores of candidates whose possible predicates' descriptions were all read."""
    return RelScores(similarity, logits, possible=mask, read=mask)


def torch_cross_entropy(scores, targets, mask):
    """Sum over the rows of -sum(targets * log_softmax), over the columns of the mask."""
    masked = scores.masked_fill(~torch.as_tensor(mask), -math.inf)
    log_probs = masked.log_softmax(dim=1).masked_fill(~torch.as_tensor(mask), 0.0)
    return -(torch.as_tensor(targets, dtype=scores.dtype) * log_probs).sum()


def draw_batch(seed, n=5, n_labels=4, n_classes=4, dtype="float64", masked=True):
    """Scores; targets of one or two predicates or none; masks that leave column 0 and the targets' columns."""
    numbers = numpy.random.RandomState(seed)
    similarity = (3 * numbers.standard_normal((n, n_labels))).astype(dtype)
    logits = (3 * numbers.standard_normal((n, n_classes))).astype(dtype)
    targets = numpy.zeros((n, n_labels), dtype="float32")
    for target in targets:
        columns = numbers.choice(n_labels, size=numbers.randint(1, 3), replace=False)
        target[columns] = 1 / len(columns)
    mask = numbers.random_sample((n, n_labels)) < 0.6 if masked else numpy.ones((n, n_labels), dtype=bool)
    mask[:, 0] = True
    return scores_of(similarity, logits, mask | (targets > 0)), targets


def test_cross_entropy_by_hand():
    loss, gradient = cross_entropy(row(0.0, math.log(2), 0.0), row(0, 1, 0), ALL)
    assert loss == pytest.approx(math.log(2))
    assert numpy.allclose(gradient, [[0.25, -0.5, 0.25]])


def test_rows_are_summed():
    scores, targets = numpy.zeros((4, 2)), numpy.array([[1.0, 0.0]] * 4)
    loss, gradient = cross_entropy(scores, targets, numpy.ones((4, 2), dtype=bool))
    assert loss == pytest.approx(4 * math.log(2))
    assert numpy.allclose(gradient, [[-0.5, 0.5]] * 4)


def test_masked_column_takes_no_part():
    loss, gradient = cross_entropy(row(0.0, 50.0, 0.0), row(1, 0, 0), numpy.array([[True, False, True]]))
    assert loss == pytest.approx(math.log(2))
    assert numpy.allclose(gradient, [[-0.5, 0.0, 0.5]])


def test_target_in_a_masked_column_is_no_target():
    loss, gradient = cross_entropy(row(1.0, 2.0, 3.0), row(0, 1, 0), numpy.array([[True, False, True]]))
    assert (loss, gradient.tolist()) == (0.0, [[0.0, 0.0, 0.0]])


def test_two_gold_predicates_share_the_row():
    loss, gradient = cross_entropy(row(0.0, 0.0, 0.0), row(0, 0.5, 0.5), ALL)
    assert loss == pytest.approx(math.log(3))
    assert numpy.allclose(gradient, [[1 / 3, -1 / 6, -1 / 6]])


def test_row_without_targets_has_no_loss():
    loss, gradient = cross_entropy(row(1.0, 2.0, 3.0), row(0, 0, 0), ALL)
    assert (loss, gradient.tolist()) == (0.0, [[0.0, 0.0, 0.0]])


def test_row_without_a_possible_predicate_has_no_loss_and_no_gradient():
    loss, gradient = cross_entropy(row(1.0, 2.0, 3.0), row(1, 0, 0), ~ALL)
    assert (loss, gradient.tolist()) == (0.0, [[0.0, 0.0, 0.0]])


def test_extreme_scores_stay_finite():
    loss, gradient = cross_entropy(row(1000.0, -1000.0, 0.0).astype("float32"), row(0, 1, 0), ALL)
    assert loss == pytest.approx(2000)
    assert numpy.allclose(gradient, [[1, -1, 0]])


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from(["float64", "float32"]))
@settings(max_examples=60, deadline=None)
def test_cross_entropy_is_torchs(seed, masked, dtype):
    batch, targets = draw_batch(seed, dtype=dtype, masked=masked)
    scores = torch.tensor(batch.similarity, requires_grad=True)
    expected = torch_cross_entropy(scores, targets, batch.possible)
    expected.backward()
    loss, gradient = cross_entropy(batch.similarity, targets, batch.possible)
    assert loss == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    assert gradient.dtype == numpy.float32 and numpy.allclose(gradient, scores.grad.numpy(), atol=1e-6)


@pytest.mark.parametrize("n_classes", [4, 2], ids=["all known", "two new labels"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_joint_loss_is_torchs(alpha, n_classes, seed):
    batch, targets = draw_batch(seed, n_classes=n_classes)
    similarity, logits = (torch.tensor(x, requires_grad=True) for x in (batch.similarity, batch.logits))
    classifier = torch_cross_entropy(logits, targets[:, :n_classes], batch.possible[:, :n_classes])
    contrastive = torch_cross_entropy(similarity, targets, batch.possible)
    expected = (alpha * classifier + (1 - alpha) * contrastive) / 5
    expected.backward()
    loss, gradients = joint_loss(batch, targets, alpha, 5)
    assert loss == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    assert numpy.allclose(gradients.similarity, similarity.grad.numpy(), atol=1e-6)
    assert numpy.allclose(gradients.logits, logits.grad.numpy(), atol=1e-6)


def test_alpha_weighs_the_classifier():
    batch = scores_of(row(0.0, 0.0, 0.0, 0.0), row(0.0, 0.0), numpy.ones((1, 4), dtype=bool))
    loss, gradients = joint_loss(batch, row(1, 0, 0, 0), 0.75, 1)
    assert loss == pytest.approx(0.75 * math.log(2) + 0.25 * math.log(4))
    assert numpy.allclose(gradients.logits, [[-0.375, 0.375]])
    assert numpy.allclose(gradients.similarity, [[-0.1875, 0.0625, 0.0625, 0.0625]])


def test_alpha_0_and_1_train_one_head_alone():
    batch, targets = draw_batch(1)
    assert not joint_loss(batch, targets, 0.0, 5)[1].logits.any()
    assert not joint_loss(batch, targets, 1.0, 5)[1].similarity.any()


def test_new_label_trains_the_similarity_alone():
    batch = scores_of(row(0.0, 0.0, 0.0), row(3.0, 1.0), ALL)
    loss, gradients = joint_loss(batch, row(0, 0, 1), 0.5, 1)
    assert loss == pytest.approx(0.5 * math.log(3))
    assert gradients.logits.tolist() == [[0.0, 0.0]]
    assert numpy.allclose(gradients.similarity, [[1 / 6, 1 / 6, -1 / 3]])


def test_loss_is_the_mean_over_the_candidates():
    one, targets = draw_batch(2, n=1)
    three = scores_of(*(numpy.repeat(x, 3, axis=0) for x in (one.similarity, one.logits, one.possible)))
    loss_one, gradients_one = joint_loss(one, targets, 0.5, 1)
    loss_three, gradients_three = joint_loss(three, numpy.repeat(targets, 3, axis=0), 0.5, 3)
    assert loss_three == pytest.approx(loss_one)
    assert numpy.allclose(gradients_three.similarity.sum(axis=0), gradients_one.similarity[0], atol=1e-6)


def test_a_description_that_was_not_read_trains_the_classifier_alone():
    read = numpy.array([[True, False, True]])
    loss, gradients = joint_loss(RelScores(row(0.0, 9.0, 0.0), row(0.0, 0.0, 0.0), ALL, read), row(1, 0, 0), 0.5, 1)
    assert loss == pytest.approx(0.5 * math.log(3) + 0.5 * math.log(2))
    assert numpy.allclose(gradients.similarity, [[-0.25, 0.0, 0.25]])
    assert numpy.allclose(gradients.logits, [[-1 / 3, 1 / 6, 1 / 6]])


@given(st.integers(0, 10_000), st.integers(1, 7), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=40, deadline=None)
def test_slices_add_up_to_the_batch(seed, size, alpha):
    batch, targets = draw_batch(seed, n=7, n_classes=3)
    whole, gradients = joint_loss(batch, targets, alpha, 7)
    parts = [
        joint_loss(
            scores_of(batch.similarity[i : i + size], batch.logits[i : i + size], batch.possible[i : i + size]),
            targets[i : i + size],
            alpha,
            7,
        )
        for i in range(0, 7, size)
    ]
    assert sum(loss for loss, _ in parts) == pytest.approx(whole)
    for name in ("similarity", "logits"):
        joined = numpy.concatenate([getattr(part, name) for _, part in parts])
        assert numpy.allclose(joined, getattr(gradients, name), atol=1e-7)
