"""The network against the equations, written out in plain numpy from the encoders' hidden states."""

import math
from typing import Any, Dict, List, Sequence, Tuple

import numpy
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from spacy_dualre.models.blocks import NETWORK
from spacy_dualre.models.padding import pad
from spacy_dualre.models.pytorch.device import to_device
from spacy_dualre.models.pytorch.network import (
    DualEncoder,
    DualEncoderConfig,
    MarkedEmbedding,
    init_dual_encoder,
)
from spacy_dualre.types import Sequences

WIDTH, WORDS, MARKERS = 8, 20, 4
ENCODER: Dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}
# Markers are 20 to 23, the start markers 20 (subject) and 22 (object).
TEXTS = [
    [1, 5, 20, 6, 21, 7, 22, 8, 23, 2],
    [1, 22, 9, 23, 20, 10, 11, 21, 2],
    [1, 20, 3, 21, 12, 13, 14, 15, 16, 22, 4, 23, 17, 2],
]
DESCRIBED = [
    [1, 20, 6, 21, 9, 22, 8, 23, 2],
    [1, 5, 5, 22, 8, 23, 20, 6, 21, 2],
    [1, 20, 10, 11, 21, 22, 9, 23, 2],
    [1, 18, 20, 6, 21, 19, 19, 19, 22, 8, 23, 2],
    [1, 20, 3, 21, 22, 4, 23, 2],
]
TEXT_INDEX = [0, 1, 0, 2]
# The first predicate has one template, the second up to two, the third none for the candidates 1 and 3.
DESCRIPTION_INDEX = [
    [[0, -1], [1, 3], [0, -1]],
    [[2, -1], [2, -1], [-1, -1]],
    [[3, -1], [0, 1], [1, 3]],
    [[4, -1], [2, 4], [-1, -1]],
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    """Threads cost more than they bring in networks as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(seed: int = 0, **settings: Any) -> DualEncoder:
    """A random network whose LayerNorm, biases and temperature differ from their starting values."""
    torch.manual_seed(seed)
    own = {key: settings.pop(key) for key in ("encoder", "n_classes") if key in settings}
    given = {"encoder": BertConfig(**ENCODER).to_dict(), "n_classes": 3, **own}
    config = DualEncoderConfig(marker_offset=WORDS, n_markers=MARKERS, network={**NETWORK, **settings}, **given)
    made = DualEncoder(config)
    with torch.no_grad():
        made.norm.weight.copy_(1 + 0.3 * torch.randn(WIDTH))
        made.norm.bias.copy_(0.3 * torch.randn(WIDTH))
        made.temperature.fill_(1.7)
    return made.eval()


def batches(ids: Sequence[Sequence[int]], batch_tokens: int) -> Tuple[Any, numpy.ndarray]:
    sequences = Sequences(
        ids=numpy.array([i for sequence in ids for i in sequence], dtype="int64"),
        lengths=numpy.array([len(sequence) for sequence in ids], dtype="int64"),
        rows=numpy.arange(len(ids)),
        marks=numpy.array([(s.index(20), s.index(22)) for s in ids], dtype="int64").reshape(-1, 2),
    )
    padded, order = pad(sequences, batch_tokens, padding=0)
    return to_device(padded, torch.device("cpu")), order


def arguments(
    texts: Sequence[List[int]] = TEXTS,
    text_index: Sequence[int] = TEXT_INDEX,
    described: Sequence[List[int]] = DESCRIBED,
    index: Any = DESCRIPTION_INDEX,
    batch_tokens: int = 2_000,
) -> Dict[str, Any]:
    """What the network is given; the indices are by the order of the sequences here, not in the batches."""
    padded, text_order = batches(texts, batch_tokens)
    descriptions, order = batches(described, batch_tokens)
    rows = numpy.array(index)
    return {
        "texts": padded,
        "text_index": torch.from_numpy(text_order[text_index]),
        "descriptions": descriptions,
        "description_index": torch.from_numpy(numpy.where(rows >= 0, order[rows], -1)),
    }


def run(net: DualEncoder, **changed: Any) -> List[numpy.ndarray]:
    with torch.no_grad():
        return [output.numpy() for output in net(**arguments(**changed))]


def array(parameter: torch.Tensor) -> numpy.ndarray:
    return parameter.detach().numpy().astype("float64")


def hidden(encoder: nn.Module, ids: List[int]) -> numpy.ndarray:
    with torch.no_grad():
        return array(encoder(input_ids=torch.tensor([ids])).last_hidden_state[0])


def joint_space(
    net: DualEncoder, projection: nn.Linear, parts: Sequence[numpy.ndarray], states: numpy.ndarray
) -> numpy.ndarray:
    """LN(W [part; part; ...] + b), with the LayerNorm written out; with mean_fusion the mean of all states is added."""
    x = array(projection.weight) @ numpy.concatenate(parts) + array(projection.bias)
    x = x + states.mean(axis=0) if net.settings.mean_fusion else x
    x = (x - x.mean()) / numpy.sqrt(x.var() + 1e-5)
    return x * array(net.norm.weight) + array(net.norm.bias)


def expected(net: DualEncoder, cls_fusion: bool = True, index: Any = DESCRIPTION_INDEX) -> List[numpy.ndarray]:
    """Similarity and logits candidate by candidate, one unpadded sequence at a time."""
    similarity = numpy.zeros((len(TEXT_INDEX), len(index[0])))
    logits = numpy.zeros((len(TEXT_INDEX), 3))
    for p, text_row in enumerate(TEXT_INDEX):
        ids = TEXTS[text_row]
        h = hidden(net.text_encoder, ids)
        rho_text = joint_space(net, net.text_projection, [h[ids.index(20)], h[ids.index(22)]], h)
        logits[p] = array(net.classifier.weight) @ rho_text + array(net.classifier.bias)
        for predicate, rows in enumerate(index[p]):
            cosines = []
            for row in rows:
                if row == -1:
                    continue
                d_ids = DESCRIBED[row]
                d = hidden(net.description_encoder or net.text_encoder, d_ids)
                parts = [d[d_ids.index(20)], d[d_ids.index(22)], *([h[0]] if cls_fusion else [])]
                rho = joint_space(net, net.description_projection, parts, d)
                cosines.append(rho @ rho_text / numpy.linalg.norm(rho) / numpy.linalg.norm(rho_text))
            if cosines:
                similarity[p, predicate] = math.exp(1.7) * sum(cosines) / len(cosines)
    return [similarity, logits]


@pytest.mark.parametrize("shared_encoder", [False, True])
@pytest.mark.parametrize("cls_fusion", [False, True])
@pytest.mark.parametrize("mean_fusion", [False, True])
def test_similarity_and_logits_follow_the_equations(shared_encoder: bool, cls_fusion: bool, mean_fusion: bool) -> None:
    net = network(shared_encoder=shared_encoder, cls_fusion=cls_fusion, mean_fusion=mean_fusion)
    for found, wanted in zip(run(net), expected(net, cls_fusion), strict=True):
        numpy.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("cls_fusion", [False, True])
def test_a_learned_negative_has_no_description(cls_fusion: bool) -> None:
    net = network(learned_negative=True, cls_fusion=cls_fusion)
    vector = array(net.negative)[0]
    vector = (vector - vector.mean()) / numpy.sqrt(vector.var() + 1e-5)
    vector = vector * array(net.norm.weight) + array(net.norm.bias)
    similarity = expected(net, cls_fusion)[0]
    for p, row in enumerate(TEXT_INDEX):
        h, ids = hidden(net.text_encoder, TEXTS[row]), TEXTS[row]
        rho = joint_space(net, net.text_projection, [h[ids.index(20)], h[ids.index(22)]], h)
        similarity[p, 0] = math.exp(1.7) * rho @ vector / numpy.linalg.norm(rho) / numpy.linalg.norm(vector)
    numpy.testing.assert_allclose(run(net)[0], similarity, atol=1e-5)


def test_without_descriptions_there_are_logits_alone() -> None:
    net = network()
    given = arguments()
    similarity, logits = net(given["texts"], given["text_index"], None, given["description_index"])
    assert similarity is None
    numpy.testing.assert_array_equal(logits.detach().numpy(), run(net)[1])


def test_similarity_is_the_mean_over_the_templates() -> None:
    net = network()
    both = run(net, index=[[[0, 1]], [[0, 1]], [[0, 1]], [[0, 1]]])[0]
    one, other = (run(net, index=[[[row]], [[row]], [[row]], [[row]]])[0] for row in (0, 1))
    assert numpy.abs(one - other).max() > 1e-3
    numpy.testing.assert_allclose(both, (one + other) / 2, atol=1e-5)


def test_a_predicate_without_template_scores_zero_and_changes_nothing_else() -> None:
    net = network()
    masked = run(net, index=[[[0], [-1], [1]]] * 4)
    whole = run(net, index=[[[0], [2], [1]]] * 4)
    assert (masked[0][:, 1] == 0).all() and (whole[0][:, 1] != 0).all()
    numpy.testing.assert_array_equal(masked[0][:, [0, 2]], whole[0][:, [0, 2]])
    numpy.testing.assert_array_equal(masked[1], whole[1])


@pytest.mark.parametrize("batch_tokens", [1, 12, 25, 40, 10_000])
@pytest.mark.parametrize("settings", [{}, {"shared_encoder": True}, {"mean_fusion": True}], ids=str)
def test_batch_tokens_changes_no_result(batch_tokens: int, settings: Dict[str, bool]) -> None:
    net = network(**settings)
    wanted = run(net)
    for found, want in zip(run(net, batch_tokens=batch_tokens), wanted, strict=True):
        numpy.testing.assert_allclose(found, want, atol=1e-5)


@pytest.mark.parametrize("batch_tokens, sizes", [(1, [1] * 5), (18, [2, 1, 1, 1]), (27, [3, 2]), (1000, [5])])
def test_batches_hold_at_most_batch_tokens_pieces_with_padding(batch_tokens: int, sizes: List[int]) -> None:
    # Description lengths, sorted: 8, 9, 9, 10, 12. A single sequence goes through however long it is.
    net = network()
    seen: List[int] = []
    net.description_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(len(kwargs["inputs_embeds"])), with_kwargs=True
    )
    run(net, batch_tokens=batch_tokens)
    assert seen == sizes


@pytest.mark.parametrize("order", [[2, 1, 0], [1, 2, 0]])
def test_order_of_the_sequences_changes_no_result(order: List[int]) -> None:
    net = network()
    texts, text_index = [TEXTS[i] for i in order], [order.index(i) for i in TEXT_INDEX]
    reordered = run(net, texts=texts, text_index=text_index, batch_tokens=25)
    for found, wanted in zip(reordered, run(net), strict=True):
        numpy.testing.assert_allclose(found, wanted, atol=1e-5)


def test_order_of_the_descriptions_changes_no_result() -> None:
    net = network()
    order = [3, 0, 4, 2, 1]
    index = [[[order.index(i) if i >= 0 else -1 for i in rows] for rows in row] for row in DESCRIPTION_INDEX]
    reordered = run(net, described=[DESCRIBED[i] for i in order], index=index, batch_tokens=25)
    numpy.testing.assert_allclose(reordered[0], run(net)[0], atol=1e-5)


def test_marked_embedding_takes_markers_from_their_own_rows() -> None:
    words = nn.Embedding(3, 2)
    embedding = MarkedEmbedding(words, marker_offset=3, n_markers=2)
    with torch.no_grad():
        words.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
        embedding.markers.weight.copy_(torch.tensor([[10.0, 0.0], [20.0, 0.0]]))
    ids = torch.tensor([[0, 2, 3], [4, 1, 2]])
    found = embedding(ids).tolist()
    assert found == [[[1, 1], [3, 3], [10, 0]], [[20, 0], [2, 2], [3, 3]]]


def test_marked_embedding_sends_gradients_to_the_rows_used() -> None:
    embedding = MarkedEmbedding(nn.Embedding(3, 2), marker_offset=3, n_markers=2)
    embedding(torch.tensor([2, 4, 4])).sum().backward()
    assert embedding.words.weight.grad.tolist() == [[0, 0], [0, 0], [1, 1]]
    assert embedding.markers.weight.grad.tolist() == [[0, 0], [2, 2]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_markers_of_words_are_half_their_role_and_half_the_mean_of_their_types_words(dtype: torch.dtype) -> None:
    embedding = MarkedEmbedding(nn.Embedding(4, 2), marker_offset=4, n_markers=2).to(dtype)
    with torch.no_grad():
        embedding.words.weight.copy_(torch.tensor([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [8.0, 8.0]]))
        embedding.markers.weight.copy_(torch.tensor([[0.0, 10.0], [0.0, 20.0]]))
    # The first type is the words 1 and 2, the second the word 3, the third has no pieces
    types = torch.tensor([[1, 2], [3, -1], [-1, -1]])
    found = embedding(torch.tensor([[0, 4, 5], [3, 7, 6], [1, 8, 9]]), types).tolist()
    assert found == [[[1, 0], [1.5, 5], [1.5, 10]], [[8, 8], [4, 14], [4, 9]], [[2, 0], [0, 5], [0, 10]]]


@pytest.mark.parametrize("frozen", [False, True])
def test_markers_of_words_send_gradients_to_their_role_and_words(frozen: bool) -> None:
    embedding = MarkedEmbedding(nn.Embedding(4, 1), marker_offset=4, n_markers=2)
    embedding.words.requires_grad_(not frozen)
    embedding(torch.tensor([0, 4, 5, 6]), torch.tensor([[1, 2], [3, -1]])).sum().backward()
    # The first type's markers occur twice, the second's once
    assert embedding.markers.weight.grad.flatten().tolist() == [1, 0.5]
    words = embedding.words.weight.grad
    assert words is None if frozen else words.flatten().tolist() == [1, 0.5, 0.5, 0.5]


def changed_by_a_step(net: DualEncoder) -> Dict[str, bool]:
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    sgd = torch.optim.SGD([parameter for parameter in net.parameters() if parameter.requires_grad], lr=1.0)
    similarity, logits = net.train()(**arguments())
    (similarity[:, 0].sum() + logits[:, 0].sum()).backward()
    sgd.step()
    return {name: not torch.equal(before[name], parameter) for name, parameter in net.named_parameters()}


@pytest.mark.parametrize("tower", ["text_encoder", "description_encoder"])
def test_frozen_embeddings_leave_words_and_train_markers(tower: str) -> None:
    frozen = changed_by_a_step(network(frozen_embeddings=True))
    free = changed_by_a_step(network())
    words, markers = (f"{tower}.embeddings.word_embeddings.{kind}.weight" for kind in ("words", "markers"))
    # Of frozen ones there is a single copy, which has the text encoder's name
    assert (frozen.get(words, False), frozen[markers]) == (False, True)
    assert (free[words], free[markers]) == (True, True)
    assert frozen[f"{tower}.encoder.layer.0.attention.self.value.weight"]


def test_every_head_is_trained() -> None:
    changed = changed_by_a_step(network())
    heads = [name for name in changed if "encoder" not in name]
    assert len(heads) == 9 and all(changed[name] for name in heads)


def test_dropout_is_off_in_evaluation_and_on_in_training() -> None:
    net = network(dropout=0.5)
    numpy.testing.assert_array_equal(run(net)[0], run(net)[0])
    numpy.testing.assert_allclose(run(net)[0], expected(net)[0], atol=1e-5)
    net.train()
    assert not numpy.allclose(run(net)[0], run(net)[0])


def test_dropout_zero_and_still_encoders_make_training_deterministic() -> None:
    encoder = BertConfig(**ENCODER, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).to_dict()
    net = network(dropout=0.0, encoder=encoder).train()
    numpy.testing.assert_allclose(run(net)[0], expected(net)[0], atol=1e-5)


def test_temperature_starts_where_clip_starts_and_is_clamped_at_100() -> None:
    fresh = DualEncoder(network().config)
    assert fresh.temperature.shape == (1,) and fresh.temperature.item() == pytest.approx(math.log(1 / 0.07))
    net = network()
    with torch.no_grad():
        net.temperature.fill_(0.0)
        cosine = run(net)[0]
        net.temperature.fill_(math.log(50.0))
        numpy.testing.assert_allclose(run(net)[0], 50 * cosine, rtol=1e-4, atol=1e-4)
        net.temperature.fill_(9.0)
    assert numpy.abs(cosine).max() <= 1
    numpy.testing.assert_allclose(run(net)[0], 100 * cosine, rtol=1e-4, atol=1e-4)


def test_a_shared_encoder_is_stored_once() -> None:
    shared, two = network(shared_encoder=True), network(shared_encoder=False)
    assert not any(name.startswith("description_encoder") for name in shared.state_dict())
    assert len(list(shared.encoders())) == 1 and len(list(two.encoders())) == 2
    n_encoder = sum(name.startswith("text_encoder") for name in two.state_dict())
    assert len(two.state_dict()) == len(shared.state_dict()) + n_encoder
    pointers = [value.data_ptr() for value in shared.state_dict().values()]
    assert len(pointers) == len(set(pointers))


def test_two_encoders_share_no_weights() -> None:
    changed = network()
    with torch.no_grad():
        for parameter in changed.description_encoder.parameters():
            parameter.add_(torch.randn(parameter.shape))
    similarity, logits = run(changed)
    assert not numpy.allclose(similarity, run(network())[0])
    numpy.testing.assert_array_equal(logits, run(network())[1])


def test_no_pooler_is_built() -> None:
    assert not any("pooler" in name for name in network().state_dict())


def test_a_network_made_from_its_config_takes_the_weights_of_the_other() -> None:
    net = network(shared_encoder=True, cls_fusion=False, frozen_embeddings=True)
    copy = DualEncoder(DualEncoderConfig.from_dict(net.config.to_dict()))
    copy.load_state_dict(net.state_dict())
    for found, wanted in zip(run(copy.eval()), run(net), strict=True):
        numpy.testing.assert_array_equal(found, wanted)


def test_outputs_are_float32_and_know_their_shapes() -> None:
    similarity, logits = network()(**arguments())
    assert (similarity.dtype, logits.dtype) == (torch.float32, torch.float32)
    assert (tuple(similarity.shape), tuple(logits.shape)) == ((4, 3), (4, 3))
    fewer = network(n_classes=2)(**arguments())
    assert (tuple(fewer[0].shape), tuple(fewer[1].shape)) == ((4, 3), (4, 2))


def test_with_mean_fusion_sentences_are_compared_as_by_the_encoder_alone_at_the_start() -> None:
    encoder = BertModel(BertConfig(**ENCODER)).eval()
    made = network(mean_fusion=True)
    init_dual_encoder(made, (encoder, encoder), [[3], [4], [5], [6]])
    with torch.no_grad():
        made.norm.weight.fill_(1.0)
        made.norm.bias.fill_(0.0)
        index = [[[0], [1], [2]]] * 4
        similarity, _ = made(**arguments(index=index))
    texts, descriptions = (
        [numpy.mean(hidden(made.text_encoder, ids), axis=0) for ids in sequences] for sequences in (TEXTS, DESCRIBED)
    )
    correlations = numpy.corrcoef(texts, descriptions)[:3, 3:]
    wanted = math.exp(1.7) * correlations[TEXT_INDEX][:, :3]
    numpy.testing.assert_allclose(similarity.numpy(), wanted, rtol=1e-3, atol=1e-3)
