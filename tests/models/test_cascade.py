"""Which descriptions are read by what the classifier makes of a candidate; what that does to relations."""

from typing import Any, Dict, Optional

import numpy
import pytest
import spacy
from helpers.pipelines import NAME, fresh_docs, rels, train
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spacy_dualre.models.cascade import CLASSIFIER_ALONE, needed
from spacy_dualre.models.dual_encoder import get_runner
from spacy_dualre.types import Cascade

#: Reads everything, however sure the classifier is.
ALL = {"predicates": 99, "negative": 1.0}


@st.composite
def classified(draw: Any) -> Any:
    """Logits of up to 5 candidates for up to 6 predicates, a mask for up to 3 more; the negative one is possible."""
    n, known, more = draw(st.integers(1, 5)), draw(st.integers(2, 6)), draw(st.integers(0, 3))
    logits = draw(
        arrays.arrays("float32", (n, known), elements=st.integers(-5, 5), unique=True)
        if n * known < 11
        else arrays.arrays("float32", (n, known), elements=st.floats(-9, 9, width=32))
    )
    mask = draw(arrays.arrays(bool, (n, known + more)))
    mask[:, 0] = True
    return logits, mask, Cascade(draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0])))


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(classified())
def test_the_likeliest_predicates_are_read_where_the_negative_one_is_unsure(drawn: Any) -> None:
    logits, mask, cascade = drawn
    chosen = needed(logits, mask, cascade)
    known = logits.shape[1]
    assert chosen.shape == mask.shape and chosen.dtype == bool
    for row, possible, read in zip(logits.astype("float64"), mask, chosen, strict=True):
        assert not (read & ~possible).any()
        # What the classifier does not know is read always, and what it is compared with
        assert (read[known:] == possible[known:]).all()
        of_possible = [row[i] for i in range(known) if possible[i]]
        negative = numpy.exp(row[0]) / numpy.exp(of_possible).sum()
        is_open = negative < cascade.negative
        if abs(negative - cascade.negative) < 1e-9 and len(of_possible) > 1:
            continue
        assert read[0] == (is_open or known < len(possible))
        others = [i for i in range(1, known) if possible[i]]
        taken = [i for i in others if read[i]]
        assert len(taken) == (min(cascade.predicates, len(others)) if is_open else 0)
        left = [row[i] for i in others if i not in taken]
        assert not taken or not left or min(row[i] for i in taken) >= max(left)


def test_needed_by_hand() -> None:
    # Probabilities 0.5, 0.3, 0.15, 0.05, and a predicate that the classifier does not know
    logits = numpy.log(numpy.array([[0.5, 0.3, 0.15, 0.05]] * 3, dtype="float32"))
    mask = numpy.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [1, 1, 1, 1, 0]], dtype=bool)
    assert needed(logits, mask, Cascade(1, 0.6)).astype(int).tolist() == [
        [1, 1, 0, 0, 1],
        [1, 0, 0, 0, 1],  # 0.5 of 0.7 is more than 0.6
        [1, 1, 0, 0, 0],
    ]
    assert needed(logits, mask, Cascade(2, 0.8)).astype(int).tolist() == [
        [1, 1, 1, 0, 1],
        [1, 0, 1, 1, 1],
        [1, 1, 1, 0, 0],
    ]
    assert needed(logits[:, :], mask[:, :4], Cascade(2, 0.4)).sum() == 0


@pytest.mark.parametrize("sign", [-1, 1])
def test_logits_of_any_size_are_compared(sign: int) -> None:
    logits = numpy.array([[sign * 3e4, 0.0, 1.0]], dtype="float32")
    chosen = needed(logits, numpy.ones((1, 3), dtype=bool), Cascade(1, 0.5))
    assert chosen.tolist() == [[False] * 3 if sign > 0 else [True, False, True]]


def test_where_the_classifier_decides_only_what_it_does_not_know_is_read() -> None:
    mask = numpy.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1]], dtype=bool)
    logits = numpy.array([[0, 9, 0, 0, 0], [9, 0, 0, 0, 0]], dtype="float32")
    assert needed(logits[:, :3], mask, CLASSIFIER_ALONE).astype(int).tolist() == [[1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]
    assert not needed(logits, mask, CLASSIFIER_ALONE).any()


# The component


def read(nlp: Any) -> int:
    """How many descriptions were asked for."""
    memory = get_runner(nlp.get_pipe(NAME).model).memory
    return memory.hits + memory.misses


def load(folder: Any, cascade: Optional[Dict[str, float]] = None, prediction: str = "similarity") -> Any:
    nlp = spacy.load(folder, config={"components": {NAME: {"prediction": prediction}}})
    nlp.get_pipe(NAME).cascade = cascade and Cascade(**cascade)
    return nlp


@pytest.fixture
def folder(trained: Any, tmp_path: Any) -> Any:
    nlp = trained(multi_label=True, threshold=0.0)
    train(nlp, steps=12)
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.mark.parametrize("prediction", ["similarity", "joint", "classifier"])
def test_a_cascade_that_reads_everything_changes_nothing(folder: Any, prediction: str) -> None:
    found = []
    for cascade in (None, ALL):
        nlp = load(folder, cascade, prediction)
        found.append([rels(doc) for doc in nlp.pipe(fresh_docs(nlp))])
        assert (read(nlp) == 0) == (prediction == "classifier")
    assert found[0] == found[1] and sum(map(len, found[0])) == 14


@pytest.mark.parametrize("prediction", ["similarity", "joint"])
def test_a_cascade_leaves_scores_as_they_are_and_leaves_out_relations(folder: Any, prediction: str) -> None:
    plain = load(folder, prediction=prediction)
    one = load(folder, {"predicates": 1, "negative": 1.0}, prediction)
    every = [rels(doc) for doc in plain.pipe(fresh_docs(plain))]
    fewer = [rels(doc) for doc in one.pipe(fresh_docs(one))]
    assert 0 < read(one) < read(plain)
    # One predicate of the two for each pair of mentions, scored as before
    assert sum(map(len, fewer)) == 7
    assert all(rel in found for some, found in zip(fewer, every, strict=True) for rel in some)


def test_where_the_negative_predicate_need_not_be_likely_no_description_is_read(folder: Any) -> None:
    nlp = load(folder, {"predicates": 9, "negative": 0.0})
    assert [rels(doc) for doc in nlp.pipe(fresh_docs(nlp))] == [[], [], []]
    assert read(nlp) == 0


def test_predicates_that_the_classifier_does_not_know_are_read_all_the_same(folder: Any) -> None:
    plain = load(folder)
    nlp = load(folder, {"predicates": 9, "negative": 0.0})
    for one in (plain, nlp):
        one.get_pipe(NAME).add_label("BLOCKS", description="{subject} blocks {object}.")
        one.get_pipe(NAME).threshold = 0.0
    expected = [[rel for rel in rels(doc) if rel[1] == "BLOCKS"] for doc in plain.pipe(fresh_docs(plain))]
    assert [rels(doc) for doc in nlp.pipe(fresh_docs(nlp))] == expected and sum(map(len, expected)) == 7
    # The new one and the negative one
    assert 0 < read(nlp) < read(plain)


@pytest.mark.parametrize(
    "cascade, message",
    [
        ({}, r"DR164.*not {}"),
        ({"predicates": 1}, "DR164.*'predicates' and 'negative'"),
        ({"predicates": 1, "negative": 0.5, "more": 1}, "DR164.*more"),
        ({"predicates": 1, "negative": 1.5}, "DR001.*cascade.negative.*from 0 to 1, not 1.5"),
        ({"predicates": 1, "negative": -0.1}, "DR001.*cascade.negative"),
        ({"predicates": 0, "negative": 0.5}, "DR002.*cascade.predicates.*at least 1, not 0"),
        ({"predicates": 1.5, "negative": 0.5}, "DR002.*cascade.predicates.*not 1.5"),
    ],
)
def test_a_cascade_out_of_range_is_named(make_nlp: Any, cascade: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_nlp(cascade=cascade)


def test_the_cascade_is_a_setting_of_the_pipeline(make_nlp: Any) -> None:
    nlp = make_nlp(cascade={"predicates": 2, "negative": 0.5})
    assert nlp.get_pipe(NAME).cascade == Cascade(2, 0.5)
    assert make_nlp().get_pipe(NAME).cascade is None
