"""The thinc layer: the border to torch, initialisation, errors, serialisation."""

import logging
import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import torch
from helpers.pipelines import in_blocks, save_bert
from thinc.api import Model, NumpyOps
from transformers import AutoModel, AutoTokenizer

from spacy_dualre.instances.markers import OBJECT, SUBJECT, marker_tokens, marker_words
from spacy_dualre.models.architectures import dual_encoder_v1
from spacy_dualre.models.dual_encoder import convert_inputs, convert_outputs, get_batches, get_network
from spacy_dualre.types import (
    Description,
    Gradients,
    Instance,
    Mark,
    MarkedText,
    PaddedBatch,
    PairBatch,
    Query,
    RelScores,
)

BORDER: Any = SimpleNamespace(shims=[SimpleNamespace(device=torch.device("cpu"))], ops=NumpyOps())
TYPES = ["CHEMICAL", "GENE"]


def layer(name: Any, types: List[str] = TYPES, n_labels: int = 3, **settings: Any) -> Model:
    model = dual_encoder_v1(str(name), **in_blocks(settings))
    model.attrs["entity_types"] = types
    model.set_dim("nO", n_labels)
    return model


def network(model: Model) -> Any:
    return get_network(model)


def tokenizer(model: Model) -> Any:
    return get_batches(model).pieces.tokenizer


def text(words: str, subject: int, object: int) -> MarkedText:
    parts = tuple(f" {word}" for word in words.split())
    marks = (Mark(SUBJECT, "CHEMICAL", subject, subject + 1), Mark(OBJECT, "GENE", object, object + 1))
    whole = (0, len(parts))
    return MarkedText(parts, marks, core=whole, window=whole)


def describe(template: str, subject: str, object: str) -> Tuple[Description]:
    """The one description of a predicate: "S" and "O" stand for the mentions."""
    parts = template.replace("S", "|{subject}|").replace("O", "|{object}|").split("|")
    return (Description(tuple(filter(None, parts)), (subject,), "CHEMICAL", (object,), "GENE"),)


def instances() -> List[Instance]:
    first = text("Aspirin inhibits COX-1 in platelets", 0, 2)
    second = text("the AT1 receptor and losartan", 4, 1)
    aspirin, losartan = ("Aspirin", "COX-1"), ("losartan", "AT1")
    return [
        Instance(first, (describe("S lowers O", *aspirin), describe("S and O", *aspirin), ())),
        Instance(second, (describe("S lowers O", *losartan), (), describe("O has S", *losartan))),
    ]


def predict(model: Model, given: List[Instance]) -> RelScores:
    return model.predict(Query(given))


@pytest.fixture
def initialised(encoder: str) -> Model:
    model = layer(encoder)
    model.initialize()
    return model


# The border


def test_inputs_become_tensors_under_the_networks_names() -> None:
    def padded(ids: List[int], marks: List[int], positions: Any = None, types: Any = None) -> PaddedBatch:
        mask = numpy.array([[bool(i) for i in ids]])
        return PaddedBatch(numpy.array([ids]), mask, positions, numpy.array([0]), numpy.array([marks]), types)

    batch = PairBatch(
        texts=[padded([1, 5, 2, 0], [0, 1]), padded([1, 2], [0, 0], numpy.array([[2, 3]]), numpy.array([[5, -1]]))],
        descriptions=[padded([1, 6, 7, 2], [1, 2])],
        text_index=numpy.array([0, 0]),
        description_index=numpy.array([[[0], [-1]], [[-1], [0]]]),
    )
    converted, backprop = convert_inputs(BORDER, batch, True)
    assert converted.args == ()

    def listed(value: Any) -> Any:
        if isinstance(value, list):
            return [{name: listed(part) for name, part in vars(padded).items()} for padded in value]
        assert value is None or value.dtype in (torch.int64, torch.bool)
        return value if value is None else value.tolist()

    first = {"ids": [[1, 5, 2, 0]], "mask": [[True] * 3 + [False]], "positions": None, "rows": [0], "marks": [[0, 1]]}
    first["types"] = None
    second = {"ids": [[1, 2]], "mask": [[True] * 2], "positions": [[2, 3]], "rows": [0], "marks": [[0, 0]]}
    second["types"] = [[5, -1]]
    described = {"ids": [[1, 6, 7, 2]], "mask": [[True] * 4], "positions": None, "rows": [0], "marks": [[1, 2]]}
    described["types"] = None
    assert {name: listed(value) for name, value in converted.kwargs.items()} == {
        "texts": [first, second],
        "text_index": [0, 0],
        "descriptions": [described],
        "description_index": [[[0], [-1]], [[-1], [0]]],
    }
    assert backprop(None) == []
    without = PairBatch(batch.texts, batch.text_index, None, batch.description_index)
    assert convert_inputs(BORDER, without, True)[0].kwargs["descriptions"] is None


def test_outputs_become_arrays_and_their_gradients_reach_the_weights() -> None:
    weight = torch.tensor([[1.0, 2.0]], requires_grad=True)
    outputs = (3 * weight, weight * weight)
    (similarity, logits), convert_gradients = convert_outputs(BORDER, (None, outputs), True)
    assert isinstance(similarity, numpy.ndarray) and isinstance(logits, numpy.ndarray)
    assert (similarity.tolist(), logits.tolist()) == ([[3, 6]], [[1, 4]])
    gradients = Gradients(numpy.array([[1, 10]], dtype="float32"), numpy.array([[100, 1000]], dtype="float32"))
    arguments = convert_gradients(gradients)
    torch.autograd.backward(*arguments.args, **arguments.kwargs)
    # 3 * 1 + 2 * 1 * 100 and 3 * 10 + 2 * 2 * 1000
    assert weight.grad.tolist() == [[203, 4030]]


def test_a_similarity_that_was_not_asked_for_is_zero_and_has_no_gradient() -> None:
    weight = torch.tensor([[1.0, 2.0]], requires_grad=True)
    batch = PairBatch([], numpy.array([0]), None, numpy.full((1, 3, 2), -1))
    (similarity, logits), convert_gradients = convert_outputs(BORDER, (batch, (None, weight * weight)), True)
    assert (similarity.tolist(), logits.tolist()) == ([[0, 0, 0]], [[1, 4]])
    gradients = Gradients(numpy.ones((1, 3), dtype="float32"), numpy.array([[100, 1000]], dtype="float32"))
    arguments = convert_gradients(gradients)
    torch.autograd.backward(*arguments.args, **arguments.kwargs)
    assert weight.grad.tolist() == [[200, 4000]]


# Forward and backward


def test_scores_have_a_column_for_each_predicate_and_a_mask(initialised: Model) -> None:
    scores = predict(initialised, instances())
    assert scores.similarity.shape == (2, 3) and scores.logits.shape == (2, 3)
    assert scores.possible.tolist() == scores.read.tolist() == [[True, True, False], [True, False, True]]
    assert (scores.similarity[~scores.read] == 0).all() and (scores.similarity[scores.read] != 0).all()
    assert scores.shortened.total == 6 and scores.shortened.words == 0


def test_prediction_does_not_depend_on_the_company(initialised: Model) -> None:
    together = predict(initialised, instances())
    for i, instance in enumerate(instances()):
        alone = predict(initialised, [instance])
        numpy.testing.assert_allclose(alone.similarity[0], together.similarity[i], atol=1e-5)
        numpy.testing.assert_allclose(alone.logits[0], together.logits[i], atol=1e-5)


def test_gradients_are_those_of_the_network(encoder: str) -> None:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = layer(encoder, dropout=0.0, transformer_config=still)
    model.initialize()
    scores, backprop = model.begin_update(Query(instances()))
    d_similarity = numpy.array([[1, -2, 0], [0.5, 0, 1]], dtype="float32")
    d_logits = numpy.array([[0, 3, -1], [1, 0, 0.5]], dtype="float32")
    assert backprop(Gradients(d_similarity, d_logits)) == []
    temperature, bias = network(model).temperature.grad, network(model).classifier.bias.grad
    # similarity = exp(t) * cos, so its derivative by t is itself; the bias adds to the logits as it is.
    assert temperature.item() == pytest.approx(float((d_similarity * scores.similarity).sum()), abs=1e-4)
    numpy.testing.assert_allclose(bias.numpy(), d_logits.sum(0), atol=1e-5)


def test_training_uses_dropout_and_prediction_does_not(initialised: Model) -> None:
    predicted = predict(initialised, instances()).similarity
    numpy.testing.assert_array_equal(predicted, predict(initialised, instances()).similarity)
    trained, _ = initialised.begin_update(Query(instances()))
    assert not numpy.allclose(trained.similarity, predicted)
    numpy.testing.assert_array_equal(predicted, predict(initialised, instances()).similarity)


def test_what_is_shortened_is_counted(encoder: str) -> None:
    model = layer(encoder)
    model.initialize()
    get_batches(model).max_length = 10
    shortened = predict(model, instances()[:1]).shortened
    assert (shortened.total, shortened.words, shortened.limit) == (3, 3, 10)


# Initialisation


def test_nothing_is_loaded_before_initialize(tmp_path: Path) -> None:
    model = layer(tmp_path / "nowhere")
    for ask in (network, tokenizer, lambda model: predict(model, instances())):
        with pytest.raises(ValueError, match="DR101"):
            ask(model)
    with pytest.raises(ValueError, match="DR102"):
        model.initialize()


@pytest.mark.parametrize("kind", ["bert-uncased", "bert-cased", "roberta"])
def test_both_encoders_start_as_the_pretrained_one(encoders: Dict[str, Path], kind: str) -> None:
    model = layer(encoders[kind])
    model.initialize()
    pretrained = AutoModel.from_pretrained(encoders[kind]).state_dict()
    towers = list(network(model).encoders())
    assert len(towers) == 2
    for tower in towers:
        found = {name.replace(".words.", "."): value for name, value in tower.state_dict().items()}
        del found["embeddings.word_embeddings.markers.weight"]
        assert found.keys() == {name for name in pretrained if not name.startswith("pooler")}
        assert all(torch.equal(value, pretrained[name]) for name, value in found.items())


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
@pytest.mark.parametrize("shared_encoder", [False, True])
def test_markers_start_as_the_mean_of_their_words(encoders: Dict[str, Path], kind: str, shared_encoder: bool) -> None:
    model = layer(encoders[kind], types=["GENE", "CHEMICAL"], shared_encoder=shared_encoder)
    model.initialize()
    plain, words = AutoTokenizer.from_pretrained(encoders[kind]), marker_words(TYPES)
    pretrained = AutoModel.from_pretrained(encoders[kind]).get_input_embeddings().weight
    assert words[:2] == ["subject chemical", "end of subject chemical"]
    assert tokenizer(model).convert_tokens_to_ids(marker_tokens(TYPES)) == list(range(len(plain), len(plain) + 8))
    for tower in network(model).encoders():
        markers = tower.get_input_embeddings().markers.weight
        assert len(markers) == 8
        for row, meaning in zip(markers, words, strict=True):
            ids = plain(meaning, add_special_tokens=False)["input_ids"]
            torch.testing.assert_close(row, pretrained[ids].mean(0))


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
def test_roles_start_as_the_mean_of_their_words(encoders: Dict[str, Path], kind: str) -> None:
    model = layer(encoders[kind], types_as_words=True)
    model.initialize()
    plain = AutoTokenizer.from_pretrained(encoders[kind])
    pretrained = AutoModel.from_pretrained(encoders[kind]).get_input_embeddings().weight
    # No type is stored: not in the tokenizer, which is the encoder's, nor beside it
    assert tokenizer(model).get_vocab() == plain.get_vocab() and model.attrs["entity_types"] == []
    assert network(model).config.marker_offset == len(plain)
    for tower in network(model).encoders():
        roles = ["subject", "end of subject", "object", "end of object"]
        for row, meaning in zip(tower.get_input_embeddings().markers.weight, roles, strict=True):
            ids = plain(meaning, add_special_tokens=False)["input_ids"]
            torch.testing.assert_close(row, pretrained[ids].mean(0))


def test_the_two_encoders_are_trained_apart(initialised: Model) -> None:
    text_encoder, description_encoder = network(initialised).encoders()
    with torch.no_grad():
        text_encoder.get_input_embeddings().words.weight.zero_()
    assert description_encoder.get_input_embeddings().words.weight.abs().sum() > 0


def test_a_second_initialize_starts_anew(initialised: Model) -> None:
    with torch.no_grad():
        network(initialised).classifier.bias.fill_(7.0)
    initialised.initialize()
    assert 7 not in network(initialised).classifier.bias.tolist()


def test_the_classifier_has_a_class_for_each_predicate(encoder: str) -> None:
    model = layer(encoder, n_labels=5)
    model.initialize()
    assert network(model).classifier.out_features == 5


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
def test_max_length_is_the_encoders_limit_unless_given(encoders: Dict[str, Path], kind: str) -> None:
    default, given = layer(encoders[kind]), layer(encoders[kind], max_length=128)
    default.initialize()
    given.initialize()
    # 128 is the tokenizer's own limit; the encoder of the RoBERTa kind has 130 positions, of which 2 are no pieces.
    assert default.attrs["max_length"] == given.attrs["max_length"] == 128
    long = text("aspirin inhibits " * 60, 0, 2)
    assert predict(
        default, [Instance(long, (describe("S lowers O" + " and so on" * 60, "aspirin", "COX-1"),))]
    ).similarity.shape == (1, 1)


def test_max_length_can_be_changed_when_a_trained_layer_is_loaded(encoder: str) -> None:
    trained = layer(encoder, max_length=40)
    trained.initialize()
    long = Instance(text("aspirin inhibits " * 20, 0, 2), (describe("S lowers O", "aspirin", "COX-1"),))
    assert predict(trained, [long]).shortened.words == 1
    for wanted, shortened in ((60, 0), (None, 1), (16, 1)):
        loaded = layer(encoder, max_length=wanted).from_bytes(trained.to_bytes())
        assert predict(loaded, [long]).shortened.words == shortened
        assert get_batches(loaded).max_length == (wanted or 40)
    loaded = layer(encoder, max_length=129).from_bytes(trained.to_bytes())
    with pytest.raises(ValueError, match=r"DR104.*'max_length' must be from 16 to the 128 .*not 129"):
        predict(loaded, [long])


@pytest.mark.parametrize("kind, limit", [("bert-uncased", 130), ("roberta", 128)])
def test_the_encoders_positions_are_all_of_use(encoders: Dict[str, Path], kind: str, limit: int) -> None:
    model = layer(encoders[kind], tokenizer_config={"model_max_length": 10_000})
    model.initialize()
    assert model.attrs["max_length"] == limit
    long = text("aspirin inhibits " * 80, 0, 2)
    scores = predict(model, [Instance(long, (describe("S lowers O" + " and so on" * 60, "aspirin", "COX-1"),))])
    assert scores.similarity.shape == (1, 1) and scores.shortened.words == 2


# Errors


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"DR102.*nowhere.*no such folder(.|\n)*config\.json"):
        layer(tmp_path / "nowhere").initialize()


def test_layers_that_are_left_out_are_not_listed(tmp_path: Path) -> None:
    encoder = save_bert(tmp_path / "encoder", lowercase=True, layers=2)
    said: List[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = said.append  # type: ignore[method-assign]
    root = logging.getLogger("transformers")
    root.addHandler(handler)
    layer(encoder, transformer_config={"num_hidden_layers": 1}).initialize()
    assert not said
    AutoModel.from_pretrained(encoder, num_hidden_layers=1)
    assert any("not used" in record.getMessage() for record in said)
    root.removeHandler(handler)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"DR102.*empty(.|\n)*config\.json"):
        layer(tmp_path / "empty").initialize()


@pytest.mark.parametrize("damaged", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_folder_is_named(encoder: str, tmp_path: Path, damaged: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(encoder, folder)
    (folder / damaged).write_bytes(b"{ not what it should be")
    with pytest.raises(ValueError, match=r"DR102.*damaged"):
        layer(folder).initialize()


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_an_incomplete_folder_is_named(encoder: str, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "incomplete"
    shutil.copytree(encoder, folder)
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=r"DR102.*incomplete"):
        layer(folder).initialize()


@pytest.mark.parametrize("value", [129, 512])
def test_a_max_length_beyond_the_encoder_is_refused(encoder: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"DR104.*'max_length' must be from 16 to the 128 .*not {value}"):
        layer(encoder, max_length=value).initialize()


@pytest.mark.parametrize("value", [-1, 0, 1, 5])
def test_a_max_length_without_room_for_the_markers_is_refused(encoder: str, value: int) -> None:
    with pytest.raises(ValueError, match="max_length"):
        layer(encoder, max_length=value).initialize()


def test_a_tokenizer_without_separator_is_refused(encoder: str) -> None:
    with pytest.raises(ValueError, match=r"DR103.*no classification or separator"):
        layer(encoder, tokenizer_config={"sep_token": None}).initialize()


# Serialisation


def stored(model: Model) -> Dict[str, Any]:
    """What is part of a trained model: all but how it is run."""
    return {name: value for name, value in model.attrs.items() if name != "run"}


@pytest.fixture
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warnings")
@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"frozen_embeddings": True},
        {"types_as_words": True},
        {"shared_encoder": True, "cls_fusion": False, "frozen_embeddings": True},
        {"lora_rank": 2},
    ],
)
def test_an_initialised_layer_round_trips(encoders: Dict[str, Path], kind: str, settings: Dict[str, Any]) -> None:
    model = layer(encoders[kind], **settings)
    model.initialize()
    with torch.no_grad():
        network(model).norm.bias.copy_(torch.arange(16) / 10)
    # As when a pipeline is loaded: nothing is known but the config.
    loaded = dual_encoder_v1("not/needed", **in_blocks(settings)).from_bytes(model.to_bytes())
    assert loaded.get_dim("nO") == 3 and stored(loaded) == stored(model)
    # Small numbers are not rounded
    assert network(loaded).text_encoder.config.layer_norm_eps == network(model).text_encoder.config.layer_norm_eps > 0
    before, after = predict(model, instances()), predict(loaded, instances())
    numpy.testing.assert_array_equal(before.similarity, after.similarity)
    numpy.testing.assert_array_equal(before.logits, after.logits)
    grads = {name: parameter.requires_grad for name, parameter in network(model).named_parameters()}
    assert {name: parameter.requires_grad for name, parameter in network(loaded).named_parameters()} == grads
    assert tokenizer(loaded).get_vocab() == tokenizer(model).get_vocab()


def test_frozen_embeddings_are_stored_once(encoder: str) -> None:
    sizes = {}
    for frozen in (True, False):
        model = layer(encoder, frozen_embeddings=frozen)
        model.initialize()
        words = network(model).text_encoder.get_input_embeddings().words.weight
        sizes[frozen] = len(model.to_bytes())
    assert sizes[False] - sizes[True] == pytest.approx(words.numel() * words.element_size(), rel=0.05)


@pytest.mark.usefixtures("no_warnings")
def test_a_layer_that_was_never_initialised_round_trips(encoder: str) -> None:
    model = layer(encoder, transformer_config={"hidden_dropout_prob": 0.0}, max_length=40)
    loaded = dual_encoder_v1("other").from_bytes(model.to_bytes())
    # How long its sequences are, it is told when it is initialised
    assert stored(loaded) == {**stored(model), "max_length": 40}
    loaded.initialize()
    assert network(loaded).config.encoder["hidden_dropout_prob"] == 0.0
    assert predict(loaded, instances()).similarity.shape == (2, 3)


@pytest.mark.usefixtures("no_warnings")
def test_a_loaded_layer_survives_the_encoders_folder(encoder: str, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(encoder, folder)
    model = layer(folder)
    model.initialize()
    expected = predict(model, instances()).similarity
    model.to_disk(tmp_path / "model")
    shutil.rmtree(folder)
    loaded = dual_encoder_v1(str(folder)).from_disk(tmp_path / "model")
    numpy.testing.assert_array_equal(predict(loaded, instances()).similarity, expected)
