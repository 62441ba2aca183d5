"""Encoders in less precision: nearly the same scores, in prediction alone; what is stored and trained stays float32."""

from pathlib import Path
from typing import Any, Callable, Dict

import numpy
import pytest
import spacy
import torch
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    make_examples,
    optimizer,
    probabilities,
    train,
)
from spacy.language import Language

from spacy_dualre.models.blocks import PRECISIONS
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.models.pytorch.precision import Int8Linear, in_precision, largest_weight

LESS = [precision for precision in PRECISIONS if precision != "float32"]


@pytest.fixture(params=[False, True])
def folder(request: pytest.FixtureRequest, make_nlp: Callable[..., Language], tmp_path: Path) -> Path:
    nlp = make_nlp(model={"packed": request.param})
    examples = make_examples(nlp.vocab)
    spacy.util.fix_random_seed(0)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    train(nlp, steps=5)
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def load(folder: Path, precision: str) -> Language:
    return spacy.load(folder, config={f"components.{NAME}.model.run.precision": precision})


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def weights(nlp: Language) -> Dict[str, numpy.ndarray]:
    return {name: value.numpy().copy() for name, value in network(nlp).state_dict().items()}


@pytest.mark.parametrize("precision", LESS)
def test_scores_are_nearly_those_of_float32(folder: Path, precision: str) -> None:
    plain, nlp = spacy.load(folder), load(folder, precision)
    expected, found = probabilities(plain, fresh_docs(plain)), probabilities(nlp, fresh_docs(nlp))
    tolerance = {"bfloat16": 0.01, "int8": 0.005}[precision]
    difference = max(numpy.abs(found[key] - expected[key]).max() for key in expected)
    assert 1e-6 < difference < tolerance
    # The scores of different candidates lie much farther apart, however little the random network has learnt
    assert numpy.ptp(list(expected.values()), axis=0).max() > 10 * difference


@pytest.mark.slow
@pytest.mark.parametrize("precision", LESS)
def test_what_is_stored_is_float32(folder: Path, precision: str, tmp_path: Path) -> None:
    plain, nlp = spacy.load(folder), load(folder, precision)
    probabilities(nlp, fresh_docs(nlp))
    assert {parameter.dtype for parameter in network(nlp).parameters()} == {torch.float32}
    assert nlp.get_pipe(NAME).model.to_bytes() == plain.get_pipe(NAME).model.to_bytes()
    nlp.to_disk(tmp_path / "again")
    again = load(tmp_path / "again", "float32")
    assert again.get_pipe(NAME).to_bytes() == plain.get_pipe(NAME).to_bytes()
    assert_close(probabilities(again, fresh_docs(again)), probabilities(plain, fresh_docs(plain)))


@pytest.mark.slow
@pytest.mark.parametrize("precision", LESS)
def test_training_is_in_float32(folder: Path, precision: str) -> None:
    found = []
    for nlp in (spacy.load(folder), load(folder, precision)):
        spacy.util.fix_random_seed(0)
        probabilities(nlp, fresh_docs(nlp))
        sgd = optimizer()
        for _ in range(2):
            nlp.update(make_examples(nlp.vocab), sgd=sgd)
        found.append(weights(nlp))
    assert_close(found[0], found[1], 1e-7)


@pytest.mark.parametrize("precision", LESS)
def test_the_copy_is_of_the_weights_as_they_are(precision: str) -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.9))
    made = in_precision(layer, precision)
    with torch.no_grad():
        layer[0].weight.zero_()
    given = torch.ones(1, 3).to(torch.float32 if precision == "int8" else getattr(torch, precision))
    assert made(given).float().abs().sum() > 0.01
    # The dropout of the copy is off
    assert torch.equal(made(given), made(given))
    assert layer.training and layer[0].weight.dtype == torch.float32


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("largest", [127, 63])
def test_whole_numbers_are_those_of_the_equations(bias: bool, largest: int) -> None:
    torch.manual_seed(0)
    linear = torch.nn.Linear(24, 7, bias=bias)
    x = torch.randn(2, 5, 24)
    # A row that stands out, one of zeros, and an output with small weights
    x[0, 3] *= 1000
    x[1, 1] = 0
    with torch.no_grad():
        linear.weight[2] *= 1e-3
        found, exact = Int8Linear(linear, largest)(x).numpy(), linear(x).numpy()
    weight, rows = linear.weight.detach().numpy(), x.numpy()
    of_weight = numpy.abs(weight).max(axis=1) / largest
    of_row = numpy.abs(rows).max(axis=-1, keepdims=True).clip(1e-30) / 127
    product = (rows / of_row).round() @ (weight / of_weight[:, None]).round().T * of_row * of_weight
    numpy.testing.assert_allclose(found, product + (linear.bias.detach().numpy() if bias else 0), rtol=1e-4, atol=1e-5)
    # Each row is as exact as its own numbers allow, whatever stands beside it
    size = numpy.linalg.norm(rows, axis=-1, keepdims=True) * numpy.linalg.norm(weight, axis=1)
    assert (numpy.abs(found - exact) <= 0.03 * size + 1e-6).all()


def test_a_row_does_not_depend_on_its_batch() -> None:
    torch.manual_seed(0)
    layer, x = Int8Linear(torch.nn.Linear(24, 7)), torch.randn(9, 24)
    together = layer(x)
    for row, expected in zip(x, together, strict=True):
        assert torch.equal(layer(row[None])[0], expected)


def test_the_greatest_weight_does_not_overflow() -> None:
    n, greatest = 256, largest_weight()
    product = torch._int_mm(torch.full((n, n), 127, dtype=torch.int8), torch.full((n, n), greatest, dtype=torch.int8))
    assert (product == n * 127 * greatest).all()


def test_float32_is_the_encoder_itself() -> None:
    layer = torch.nn.Linear(3, 2)
    assert in_precision(layer, "float32") is layer


def test_a_pipeline_of_unknown_precision_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"DR100.*'float32', 'bfloat16', 'int8'.*not 'int4'"):
        load(folder, "int4")
