"""The runner: no setting changes a score, nothing is stale, no description is read that is not needed."""

import itertools
import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy
import pytest
import spacy
import torch
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    in_blocks,
    make_doc,
    make_examples,
    optimizer,
    overfit,
    train,
)
from spacy.language import Language
from spacy.tokens import Doc

from spacy_dualre.models.batches import number
from spacy_dualre.models.dual_encoder import get_batches, get_network, get_runner
from spacy_dualre.types import NEGATIVE

Scores = Dict[Tuple[str, int, str, int], float]


@pytest.fixture
def folder(trained: Callable[..., Language], tmp_path: Path) -> Path:
    """A trained pipeline that gives every predicate of every candidate with its score."""
    nlp = trained(multi_label=True, threshold=0.0, context=100)
    train(nlp, steps=5)
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def load(folder: Path, model: Dict[str, Any] = {}, **settings: Any) -> Language:
    return spacy.load(folder, config={"components": {NAME: {"model": in_blocks(model), **settings}}})


def runner(nlp: Language) -> Any:
    return get_runner(nlp.get_pipe(NAME).model)


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def make_docs(nlp: Language) -> List[Doc]:
    """The three documents, and some of different lengths that share mentions, also at the start of a sentence."""
    docs = fresh_docs(nlp)
    for i, (drug, gene) in enumerate(itertools.product(("Aspirin", "losartan", "warfarin"), ("COX-1", "AGTR1"))):
        words = [(drug, "CHEMICAL"), ("inhibits", ""), (gene, "GENE"), ("and", ""), ("Aspirin", "CHEMICAL")]
        docs.append(make_doc(nlp.vocab, [("the", "")] * i + words + [("in", ""), ("platelets", "")] * 3 * i))
    return docs


def scores(nlp: Language, docs: List[Doc], batch_size: int = 1000) -> Scores:
    return {
        (doc.text, rel.subject.start, rel.predicate, rel.object.start): rel.score
        for doc in nlp.pipe(docs, batch_size=batch_size)
        for rel in doc._.rels
    }


def naive_scores(nlp: Language, docs: List[Doc]) -> Scores:
    """The same from the texts with markers, tokenized as texts, one sequence at a time through the encoders."""
    rel, net = nlp.get_pipe(NAME), network(nlp)
    tokenizer = get_batches(rel.model).pieces.tokenizer

    def encode(encoder: Any, text: str) -> Tuple[torch.Tensor, torch.Tensor]:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        hidden = encoder(input_ids=ids).last_hidden_state[0]
        starts = tokenizer.convert_tokens_to_ids(["<S:CHEMICAL>", "<S:GENE>", "<O:CHEMICAL>", "<O:GENE>"])
        found = {int(i) for i in ids[0]}.intersection(starts)
        marks = [ids[0].tolist().index(start) for start in starts if start in found]
        return hidden[marks].flatten(), hidden[0]

    def mark(role: str, span: Any) -> str:
        return f"<{role}:{span.label_}> {span.text} </{role}:{span.label_}>"

    found: Scores = {}
    net.eval()
    with torch.no_grad():
        for doc in docs:
            for subject, object, _ in rel.get_candidates(doc):
                words = [token.text for token in doc]
                for role, span in (("S", subject), ("O", object)):
                    words[span.start] = mark(role, span)
                marks, cls = encode(net.text_encoder, " ".join(words))
                text = net.norm(net.text_projection(marks))
                similarity = {}
                for predicate, template in DESCRIPTIONS.items():
                    filled = template.replace("{subject}", mark("S", subject)).replace("{object}", mark("O", object))
                    described, _ = encode(net.description_encoder, filled)
                    described = net.norm(net.description_projection(torch.cat([described, cls])))
                    cosine = torch.nn.functional.cosine_similarity(text, described, dim=0)
                    similarity[predicate] = float(net.temperature.exp() * cosine)
                for predicate in set(DESCRIPTIONS) - {NEGATIVE}:
                    score = 1 / (1 + numpy.exp(similarity[NEGATIVE] - similarity[predicate]))
                    found[doc.text, subject.start, predicate, object.start] = score
    net.train()
    return found


# No setting changes a score


def test_scores_are_those_of_each_sequence_alone(folder: Path) -> None:
    nlp = load(folder)
    expected = naive_scores(nlp, make_docs(nlp))
    assert len(expected) == 2 * (7 + 6 * 2)
    assert_close(scores(nlp, make_docs(nlp)), expected)
    # The whole window fits, so these are scores of different texts and differ, by more than what is equal above
    assert len({round(score, 5) for score in expected.values()}) > 30


@pytest.mark.slow
@pytest.mark.parametrize("batch_tokens", [1, 50, 2000, None])
@pytest.mark.parametrize("memory", [0, 3, 10_000])
def test_scores_do_not_depend_on_how_the_network_is_run(folder: Path, batch_tokens: Any, memory: int) -> None:
    plain = load(folder)
    expected = scores(plain, make_docs(plain))
    nlp = load(folder, {"batch_tokens": batch_tokens, "description_memory": memory})
    assert (runner(nlp).batches.batch_tokens, runner(nlp).memory.capacity) == (batch_tokens or 2000, memory)
    for batch_size in (1, 2, 1000):
        docs = make_docs(nlp)
        random.Random(batch_size).shuffle(docs)
        assert_close(scores(nlp, docs, batch_size), expected)
    assert len(runner(nlp).memory) <= memory and (runner(nlp).memory.hits > 0) == (memory > 0)


def test_batches_are_as_large_as_the_setting_says(folder: Path) -> None:
    for batch_tokens in (50, 2000):
        nlp = load(folder, {"batch_tokens": batch_tokens})
        seen: List[Tuple[int, int]] = []
        for encoder in network(nlp).encoders():
            encoder.register_forward_pre_hook(
                lambda module, args, kwargs, seen=seen: seen.append(tuple(kwargs["inputs_embeds"].shape[:2])),
                with_kwargs=True,
            )
        scores(nlp, make_docs(nlp))
        assert all(rows * columns <= batch_tokens for rows, columns in seen)
        assert (len(seen) == 2) == (batch_tokens == 2000)


def test_a_comparison_in_parts_gives_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = load(folder)
    expected = scores(nlp, make_docs(nlp))
    # 3 predicates with a template each and a width of 16: two candidates at once
    runner(nlp).most_numbers = 3 * 16 * 2 + 5
    compared: List[int] = []
    compare = network(nlp).compare
    monkeypatch.setattr(
        network(nlp), "compare", lambda texts, *rest: compared.append(len(texts.rho)) or compare(texts, *rest)
    )
    assert_close(scores(nlp, make_docs(nlp)), expected)
    assert compared == [2] * 9 + [1]


# Descriptions are read once, and only those that are needed


def test_a_description_is_read_once_for_all_candidates_with_its_mentions(folder: Path) -> None:
    nlp = load(folder)
    memory = runner(nlp).memory
    docs = make_docs(nlp)
    rel = nlp.get_pipe(NAME)
    mentions = {(one.subject.text, one.object.text) for doc in docs for one in rel.get_candidates(doc)}
    assert len(mentions) == 11
    for doc in nlp.pipe(docs, batch_size=1):
        assert doc._.rels
    assert memory.misses == 3 * len(mentions) and memory.hits > 0
    scores(nlp, make_docs(nlp))
    assert memory.misses == 3 * len(mentions)


def test_prediction_by_the_classifier_reads_no_description(folder: Path) -> None:
    nlp = load(folder, prediction="classifier")
    assert len(scores(nlp, make_docs(nlp))) == 38
    assert (runner(nlp).memory.hits, runner(nlp).memory.misses) == (0, 0)


# Nothing is stale


def reloaded(nlp: Language, folder: Path) -> Language:
    nlp.to_disk(folder)
    return spacy.load(folder)


def test_training_forgets_what_was_remembered(folder: Path, tmp_path: Path) -> None:
    nlp = load(folder)
    before = scores(nlp, make_docs(nlp))
    sgd = optimizer()
    nlp.update(make_examples(nlp.vocab), sgd=sgd)
    after = scores(nlp, make_docs(nlp))
    fresh = reloaded(nlp, tmp_path / "after")
    assert_close(after, scores(fresh, make_docs(fresh)))
    assert max(abs(after[key] - before[key]) for key in before) > 1e-3
    # Also where gradients were collected before and weights change after a prediction
    nlp.get_pipe(NAME).update(make_examples(nlp.vocab))
    assert_close(scores(nlp, make_docs(nlp)), after)
    nlp.get_pipe(NAME).finish_update(sgd)
    changed = scores(nlp, make_docs(nlp))
    fresh = reloaded(nlp, tmp_path / "changed")
    assert_close(changed, scores(fresh, make_docs(fresh)))
    assert max(abs(changed[key] - after[key]) for key in after) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("part", ["text_encoder", "description_encoder", "description_projection"])
def test_weights_changed_in_place_count(folder: Path, tmp_path: Path, part: str, precision: str) -> None:
    nlp = load(folder, {"precision": precision})
    before = scores(nlp, make_docs(nlp))
    with torch.no_grad():
        for parameter in getattr(network(nlp), part).parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    after = scores(nlp, make_docs(nlp))
    nlp.to_disk(tmp_path / "changed")
    fresh = load(tmp_path / "changed", {"precision": precision})
    assert_close(after, scores(fresh, make_docs(fresh)))
    assert max(abs(after[key] - before[key]) for key in before) > 1e-3


def test_averaged_weights_count_while_they_are_used(folder: Path) -> None:
    nlp = load(folder)
    before = scores(nlp, make_docs(nlp))
    (shim,) = nlp.get_pipe(NAME).model.layers[0].shims
    halved = {f"pytorch_{shim.id}_{name}": (value / 2).numpy() for name, value in network(nlp).state_dict().items()}
    with nlp.use_params(halved):
        assert max(abs(score - before[key]) for key, score in scores(nlp, make_docs(nlp)).items()) > 1e-3
    assert_close(scores(nlp, make_docs(nlp)), before)


def test_other_weights_and_another_network_count(folder: Path, trained: Callable[..., Language]) -> None:
    other, nlp = load(folder), trained(multi_label=True, threshold=0.0, context=100)
    before = scores(nlp, make_docs(nlp))
    expected = scores(other, make_docs(other))
    nlp.from_bytes(other.to_bytes())
    assert_close(scores(nlp, make_docs(nlp)), expected)
    nlp.get_pipe(NAME).initialize(lambda: make_examples(nlp.vocab), nlp=nlp, descriptions=DESCRIPTIONS)
    again = scores(nlp, make_docs(nlp))
    assert_close(again, naive_scores(nlp, make_docs(nlp)))
    assert max(abs(again[key] - before[key]) for key in before) > 1e-3


def test_a_changed_description_counts(folder: Path, tmp_path: Path) -> None:
    nlp = load(folder)
    before = scores(nlp, make_docs(nlp))
    nlp.get_pipe(NAME).add_label("INHIBITS", description="warfarin of {object} and {subject}.")
    after = scores(nlp, make_docs(nlp))
    fresh = reloaded(nlp, tmp_path / "changed")
    assert_close(after, scores(fresh, make_docs(fresh)))
    assert max(abs(after[key] - before[key]) for key in before) > 1e-3


# A classifier alone


def test_the_classifier_alone_trains_without_descriptions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = load(folder, alpha=1.0, prediction="classifier", threshold=0.5, multi_label=False)
    before = {name: value.clone() for name, value in network(nlp).state_dict().items()}
    monkeypatch.setattr(network(nlp).description_encoder, "forward", None)
    examples, loss = overfit(nlp)
    assert loss < 0.1 and nlp.evaluate(examples)["rels_f"] == 1.0
    after = network(nlp).state_dict()
    changed = {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"text_encoder", "text_projection", "norm", "classifier"}
    assert (runner(nlp).memory.hits, runner(nlp).memory.misses) == (0, 0)


def test_a_predicate_added_to_a_classifier_is_scored_by_similarity(folder: Path) -> None:
    plain, nlp = load(folder), load(folder, alpha=1.0, prediction="classifier")
    for one in (plain, nlp):
        one.get_pipe(NAME).add_label("BLOCKS", description="{subject} blocks {object}.")
    found, expected = scores(nlp, make_docs(nlp)), scores(plain, make_docs(plain))
    added = {key: score for key, score in found.items() if key[2] == "BLOCKS"}
    assert_close(added, {key: score for key, score in expected.items() if key[2] == "BLOCKS"})
    assert len(added) == 19 and runner(nlp).memory.misses == 2 * 11
    # Training goes on without it
    nlp.update(make_examples(nlp.vocab), sgd=optimizer())
    assert len(scores(nlp, make_docs(nlp))) == 3 * 19


# Numbering


def test_distinct_items_are_numbered_as_they_come() -> None:
    items = [[["b", "a"], [], ["b"]], [["c"], ["a"], ["d", "a"]]]
    distinct, rows = number(items)
    assert distinct == ["b", "a", "c", "d"]
    assert rows.tolist() == [[[0, 1], [-1, -1], [0, -1]], [[2, -1], [1, -1], [3, 1]]]
    read = numpy.array([[False, True, True], [False, True, False]])
    assert number(items, read)[0] == ["b", "a"]
    assert number(items, read)[1].tolist() == [[[-1, -1], [-1, -1], [0, -1]], [[-1, -1], [1, -1], [-1, -1]]]
