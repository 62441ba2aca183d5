"""AdamW: what is decayed, what learns faster, and that a step is torch's."""

import numpy
import pytest
import srsly
import torch
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, make_examples
from spacy.tokens import DocBin
from spacy.util import load_config, load_model_from_config, registry
from spacy.vocab import Vocab
from thinc.api import Config, warmup_linear

from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.training.optimizer import AdamW, fit_learn_rate

MATRIX = "text_encoder.encoder.layer.0.output.dense.weight"


def step(sgd, name, weights, gradient):
    """The weights after one step."""
    weights = numpy.array(weights, dtype="float32")
    return sgd((1, name), weights, numpy.array(gradient, dtype="float32"))[0]


@pytest.mark.parametrize(
    "name, decayed",
    [
        (MATRIX, True),
        ("text_projection.weight", True),
        ("classifier.weight", True),
        ("text_encoder.embeddings.word_embeddings.markers.weight", True),
        ("text_encoder.encoder.layer.0.output.dense.bias", False),
        ("text_encoder.encoder.layer.0.output.LayerNorm.weight", False),
        ("text_encoder.embeddings.LayerNorm.bias", False),
        ("norm.weight", False),
        ("classifier.bias", False),
        ("temperature", False),
    ],
)
def test_decay_keeps_away_from_biases_norms_and_temperature(name, decayed):
    after = step(AdamW(0.5, weight_decay=0.25), name, [4.0], [0.0])
    assert after == pytest.approx([3.5 if decayed else 4.0])  # 4 - 0.5 * 0.25 * 4


def test_decay_is_back_after_a_parameter_without():
    sgd = AdamW(0.5, weight_decay=0.25)
    step(sgd, "classifier.bias", [4.0], [0.0])
    assert step(sgd, "classifier.weight", [4.0], [0.0]) == pytest.approx([3.5])


def test_decay_is_back_after_a_failed_step():
    sgd = AdamW(0.5, weight_decay=0.25)
    with pytest.raises(Exception):  # noqa: B017
        sgd((1, "classifier.bias"), None, None)
    assert step(sgd, "classifier.weight", [4.0], [0.0]) == pytest.approx([3.5])


@pytest.mark.parametrize(
    "name, is_new",
    [
        (MATRIX, False),
        ("description_encoder.embeddings.LayerNorm.weight", False),
        ("text_encoder.embeddings.word_embeddings.words.weight", False),
        ("text_encoder.embeddings.word_embeddings.markers.weight", True),
        ("description_encoder.embeddings.word_embeddings.markers.weight", True),
        ("text_encoder.encoder.layer.0.output.dense.lora_A.default.weight", True),
        ("description_encoder.encoder.layer.0.output.dense.lora_B.default.weight", True),
        ("text_encoder.encoder.layer.0.output.dense.base_layer.weight", False),
        ("text_projection.weight", True),
        ("description_projection.bias", True),
        ("classifier.weight", True),
        ("norm.weight", True),
        ("temperature", True),
    ],
)
def test_new_weights_have_a_rate_of_their_own(name, is_new):
    """Adam's first step is the rate, against the gradient's sign."""
    after = step(AdamW(0.01, weight_decay=0.0, new_weights_lr_scale=10), name, [1.0, 1.0], [0.5, -0.5])
    rate = 0.1 if is_new else 0.01
    assert after == pytest.approx([1 - rate, 1 + rate], abs=1e-5)


def test_new_weights_decay_at_their_own_rate():
    assert step(
        AdamW(0.1, weight_decay=0.25, new_weights_lr_scale=10), "classifier.weight", [4.0], [0.0]
    ) == pytest.approx([3.0])


def test_by_default_all_weights_have_one_rate():
    steps = {step(AdamW(0.01, weight_decay=0.0), name, [1.0], [0.5])[0] for name in (MATRIX, "classifier.weight")}
    assert len(steps) == 1


@pytest.mark.parametrize("name, decay", [("classifier.weight", 0.1), ("classifier.bias", 0.0)])
def test_steps_are_torchs(name, decay):
    numbers = numpy.random.RandomState(0)
    weights = numbers.standard_normal((4, 3)).astype("float32")
    expected = torch.nn.Parameter(torch.tensor(weights))
    torchs = torch.optim.AdamW([expected], lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=decay)
    sgd = AdamW(1e-3, weight_decay=0.1, grad_clip=0.0)
    for _ in range(5):
        gradient = numbers.standard_normal((4, 3)).astype("float32")
        expected.grad = torch.tensor(gradient)
        torchs.step()
        weights = step(sgd, name, weights, gradient)
    assert numpy.allclose(weights, expected.detach().numpy(), atol=5e-6)


def test_each_parameter_has_its_own_moments():
    alone, together = AdamW(0.01), AdamW(0.01)
    for gradient in (1.0, -0.5, 0.25):
        step(together, "classifier.bias", [1.0], [7.0])
        assert step(together, MATRIX, [1.0], [gradient]) == step(alone, MATRIX, [1.0], [gradient])


def test_long_gradients_are_clipped_to_the_norm():
    """A gradient of norm 10 counts as one of norm 1: seen in the next step, the first is the same for any length."""
    clipped, short = AdamW(0.01, grad_clip=1.0), AdamW(0.01, grad_clip=0.0)
    for long_gradient, short_gradient in (([6.0, 8.0], [0.6, 0.8]), ([0.1, 0.2], [0.1, 0.2])):
        after = [step(clipped, MATRIX, [1.0, 1.0], long_gradient), step(short, MATRIX, [1.0, 1.0], short_gradient)]
    assert after[0] == pytest.approx(after[1])
    unclipped = AdamW(0.01, grad_clip=0.0)
    step(unclipped, MATRIX, [1.0, 1.0], [6.0, 8.0])
    assert abs(step(unclipped, MATRIX, [1.0, 1.0], [0.1, 0.2]) - after[0]).max() > 1e-4


def test_learning_rate_may_be_a_schedule():
    sgd = AdamW(warmup_linear(0.1, 2, 10), weight_decay=0.0)
    moved = []
    for _ in range(4):
        moved.append(1 - step(sgd, MATRIX, [1.0], [1.0])[0])
        sgd.step_schedules()
    # of 0.1: warm-up over 2 of 10 steps (0, 1/2), then down by 1/8 a step (8/8, 7/8)
    assert moved == pytest.approx([0.0, 0.05, 0.1, 0.0875], abs=1e-4)


def test_registered_with_no_averages():
    sgd = registry.get("optimizers", "spacy-dualre.AdamW.v1")(learn_rate=3e-5, weight_decay=0.02)
    assert (sgd.learn_rate, sgd.L2, sgd.averages) == (pytest.approx(3e-5), pytest.approx(0.02), None)


def test_of_the_networks_own_parameters_matrices_are_decayed_and_vectors_are_not(trained):
    """Biases, norms and the temperature are the vectors. Adam's own step is nothing where the gradient is 0."""
    network = get_network(trained().get_pipe("dual_encoder_rel").model)
    sgd = AdamW(0.5, weight_decay=0.5)
    for name, parameter in network.named_parameters():
        before = numpy.ones(parameter.shape, dtype="float32")
        after = step(sgd, name, before, numpy.zeros(parameter.shape))
        assert numpy.allclose(after, 0.75 if parameter.ndim > 1 else 1.0), name


def test_of_the_networks_own_parameters_those_that_are_not_pretrained_are_new(trained):
    network = get_network(trained().get_pipe("dual_encoder_rel").model)
    sgd = AdamW(0.01, weight_decay=0.0, new_weights_lr_scale=10, grad_clip=0.0)
    new = set()
    for name, parameter in network.named_parameters():
        after = step(sgd, name, numpy.ones(parameter.shape), numpy.ones(parameter.shape))
        if numpy.allclose(after, 0.9, atol=1e-4):
            new.add(name)
        else:
            assert numpy.allclose(after, 0.99, atol=1e-4), name
    markers = "embeddings.word_embeddings.markers.weight"
    assert new == {
        *(f"{layer}.{part}" for layer in ("text_projection", "description_projection") for part in ("weight", "bias")),
        *("classifier.weight", "classifier.bias", "norm.weight", "norm.bias", "temperature"),
        *(f"text_encoder.{markers}", f"description_encoder.{markers}"),
    }


def test_a_training_that_goes_on_at_rate_0_says_so_once():
    sgd = AdamW(warmup_linear(0.1, 2, 5))
    for _ in range(6):
        sgd.step_schedules()  # of a training of 5 steps and spaCy's one more
    with pytest.warns(UserWarning, match="DW850") as warned:
        for _ in range(5):
            sgd.step_schedules()
    assert len(warned) == 1


@pytest.fixture
def nlp(tmp_path, encoder):
    """The pipeline of the default config, with a corpus of 7 candidates."""
    DocBin(docs=[example.reference for example in make_examples(Vocab())], store_user_data=True).to_disk(
        tmp_path / "data.spacy"
    )
    srsly.write_json(tmp_path / "descriptions.json", DESCRIPTIONS)
    paths = {"train": "data.spacy", "dev": "data.spacy", "descriptions": "descriptions.json"}
    overrides = {"paths.encoder": encoder, **{f"paths.{name}": str(tmp_path / file) for name, file in paths.items()}}
    return load_model_from_config(load_config(ROOT / "configs" / "default.cfg", overrides=overrides), auto_fill=True)


@pytest.mark.parametrize(
    "settings, steps",
    [
        # Batches of 2 candidates with 3 predicates: 4 an epoch
        ({"max_epochs": 10}, (40, 4)),
        ({"max_epochs": 10, "max_steps": 25}, (25, 2)),
        ({"max_epochs": 0, "max_steps": 30}, (30, 3)),
        ({"max_epochs": -1, "max_steps": 30}, (30, 3)),
        ({"max_epochs": 10, "optimizer": {"learn_rate": {"warmup_steps": 7}}}, (40, 7)),
        ({"max_epochs": 10, "optimizer": {"learn_rate": {"total_steps": 9}}}, (9, 0)),
    ],
)
def test_the_schedule_gets_the_length_of_the_training(nlp, settings, steps):
    training = Config(nlp.config["training"]).merge({"max_steps": 0, "batcher": {"size": 6}, **settings})
    nlp.config["training"] = training
    fit_learn_rate()(nlp)
    schedule = nlp.config["training"]["optimizer"]["learn_rate"]
    assert (schedule["total_steps"], schedule["warmup_steps"]) == steps


def test_without_a_length_the_rate_stays(nlp):
    nlp.config["training"].update(max_epochs=0, max_steps=0)
    with pytest.warns(UserWarning, match="DW851.*5e-05"):
        fit_learn_rate()(nlp)
    assert nlp.create_optimizer().learn_rate == 5e-5
