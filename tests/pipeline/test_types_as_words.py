"""Pipelines whose markers are made of their types' words: the scores, types that training never saw, storing."""

import warnings
from typing import Any, Callable, Dict, List

import numpy
import pytest
import spacy
import torch
from helpers.commands import dualre, match
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    make_doc,
    make_examples,
    optimizer,
    overfit,
    probabilities,
    rels,
    train,
)
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.models.dual_encoder import get_batches, get_network
from spacy_dualre.training.reader import copy_mentions
from spacy_dualre.views import explain

ALL_PAIRS = {"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"}
OWN_TYPES = ("CHEMICAL", "GENE")


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    """Least of all of types."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


@pytest.fixture
def words(trained: Callable[..., Language]) -> Callable[..., Language]:
    """A pipeline initialised on the three documents, for which any type will do; the keywords are the model's."""

    def make(settings: Dict[str, Any] = {}, **model: Any) -> Language:
        return trained(model={"types_as_words": True, **model}, candidates=ALL_PAIRS, **settings)

    return make


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def typed(nlp: Language, subject: str, object: str) -> Doc:
    return make_doc(nlp.vocab, [("Aspirin", subject), ("inhibits", ""), ("COX-1", object), (".", "")])


def scores(nlp: Language, docs: List[Doc]) -> numpy.ndarray:
    """Similarities and logits of all candidates."""
    parts = nlp.get_pipe(NAME).stream(docs)
    return numpy.concatenate([numpy.hstack([part.scores.similarity, part.scores.logits]) for part in parts])


# The scores


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
@pytest.mark.parametrize(
    "model",
    [
        {},
        {"packed": True},
        {"frozen_embeddings": True},
        {"shared_encoder": True, "precision": "int8"},
        {"precision": "bfloat16", "packed": True},
    ],
    ids=str,
)
def test_scores_are_those_of_tokens_with_the_vectors_of_the_formula(
    words: Callable[..., Language],
    trained: Callable[..., Language],
    encoders: Dict[str, Any],
    kind: str,
    model: Dict[str, Any],
) -> None:
    model = {**model, "name": str(encoders[kind])}
    nlp = words(**model)
    train(nlp, steps=3)
    expected = trained(model=model, candidates=ALL_PAIRS)
    weights = {name: value for name, value in network(nlp).state_dict().items() if ".markers." not in name}
    assert all(".markers." in name for name in network(expected).load_state_dict(weights, strict=False).missing_keys)
    tokenizer = get_batches(nlp.get_pipe(NAME).model).pieces.tokenizer
    for composed, table in zip(network(nlp).encoders(), network(expected).encoders(), strict=True):
        own = composed.get_input_embeddings()
        rows = []
        for type in ("chemical", "gene"):
            ids = tokenizer(" " + type, add_special_tokens=False)["input_ids"]
            rows += [(role + own.words.weight[ids].mean(0)) / 2 for role in own.markers.weight]
        with torch.no_grad():
            table.get_input_embeddings().markers.weight.copy_(torch.stack(rows))
    # In bfloat16 the vectors of the formula are rounded once more
    tolerance = 1e-2 if "bfloat16" in model.values() else 1e-5
    found = probabilities(nlp, fresh_docs(nlp))
    assert_close(found, probabilities(expected, fresh_docs(expected)), tolerance)
    assert numpy.ptp(list(found.values()), axis=0).max() > 10 * tolerance


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("types_as_words", [False, True])
def test_overfitting(trained: Callable[..., Language], packed: bool, types_as_words: bool) -> None:
    nlp = trained(model={"packed": packed, "types_as_words": types_as_words})
    examples, loss = overfit(nlp)
    assert loss < 0.1 and nlp.evaluate(examples)["rels_f"] == 1.0


# Types that training never saw

NEW_TYPES = [("Drug", "ProteinComplex"), ("GENE", "Drug"), ("ProteinComplex", "Drug"), ("DISEASE", "CHEMICAL")]


def test_new_types_have_scores_of_their_own(words: Callable[..., Language], tmp_path: Any) -> None:
    nlp = words()
    train(nlp, steps=5)
    nlp.to_disk(tmp_path / "pipeline")
    for pipeline in (nlp, spacy.load(tmp_path / "pipeline")):
        found = scores(pipeline, [typed(pipeline, *types) for types in [OWN_TYPES, *NEW_TYPES]])
        assert len(found) == 2 * (1 + len(NEW_TYPES)) and numpy.isfinite(found).all()
        distances = numpy.abs(found[:, None] - found).max(-1) + numpy.eye(len(found))
        assert distances.min() > 1e-3
        # The words count, not how they are written
        numpy.testing.assert_allclose(scores(pipeline, [typed(pipeline, "Chemical", "gene")]), found[:2], atol=1e-5)


@pytest.mark.parametrize("packed", [False, True])
def test_scores_do_not_depend_on_types_seen_before_or_beside(words: Callable[..., Language], packed: bool) -> None:
    nlp = words(packed=packed)
    data, docs = nlp.to_bytes(), [typed(nlp, *types) for types in NEW_TYPES]
    expected = {types: scores(words(packed=packed).from_bytes(data), [doc]) for types, doc in zip(NEW_TYPES, docs)}
    for order in (1, -1):
        again = words(packed=packed).from_bytes(data)
        for types in NEW_TYPES[::order]:
            numpy.testing.assert_array_equal(scores(again, [typed(again, *types)]), expected[types])
    numpy.testing.assert_allclose(scores(nlp, docs), numpy.concatenate([*expected.values()]), atol=1e-5)


def test_new_types_in_other_processes(words: Callable[..., Language]) -> None:
    nlp = words({"threshold": 0.0})
    expected = [rels(nlp(typed(nlp, *types))) for types in NEW_TYPES]
    docs = (typed(nlp, *types) for types in NEW_TYPES)
    assert all(expected) and [rels(doc) for doc in nlp.pipe(docs, n_process=2, batch_size=1)] == expected


def test_training_goes_on_with_new_types(words: Callable[..., Language]) -> None:
    nlp = words()
    train(nlp, steps=2)
    doc = typed(nlp, "Drug", "ProteinComplex")
    doc._.rels = [Relation(doc.ents[0], "INHIBITS", doc.ents[1])]
    examples, sgd = [Example(copy_mentions(doc), doc), *make_examples(nlp.vocab)], optimizer()
    losses = [nlp.update(examples, sgd=sgd)[NAME] for _ in range(30)]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_read_is_spelt_with_the_types(words: Callable[..., Language], packed: bool) -> None:
    nlp = words(packed=packed)
    one, other = explain(nlp, nlp(typed(nlp, "Drug", "ProteinComplex")))
    assert one.text.startswith("[CLS] <S:Drug> aspirin </S:Drug> inhibits <O:ProteinComplex> cox")
    assert other.text == one.text.replace("S:", "?").replace("O:", "S:").replace("?", "O:")


# Mentions without a type


@pytest.mark.parametrize("mode", ["adapted", "static"])
def test_mentions_without_a_type_are_entities(make_nlp: Callable[..., Language], mode: str) -> None:
    nlp = make_nlp(model={"types_as_words": True}, spans_key="all", description_mode=mode)
    rel, examples = nlp.get_pipe(NAME), []
    for example in make_examples(nlp.vocab):
        doc = example.reference
        # doc.ents takes no spans without a label
        doc.spans["all"] = [Span(doc, ent.start, ent.end) for ent in doc.ents]
        of_token = {span.start: span for span in doc.spans["all"]}
        doc._.rels = [(of_token[r.subject.start], r.predicate, of_token[r.object.start]) for r in doc._.rels]
        examples.append(Example(copy_mentions(doc), doc))
    rel.initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    sgd = optimizer()
    losses = [nlp.update(examples, sgd=sgd)[NAME] for _ in range(30)]
    assert losses[-1] < losses[0] / 2
    doc = examples[0].predicted
    expected = scores(nlp, [doc])
    assert len(expected) == 6 and numpy.isfinite(expected).all()
    doc.spans["all"] = [Span(doc, span.start, span.end, label="Entity") for span in doc.spans["all"]]
    rel.cfg["type_pairs"] = None
    numpy.testing.assert_allclose(scores(nlp, [doc]), expected, atol=1e-5)


# Storing


def test_no_type_is_stored_with_the_weights(
    words: Callable[..., Language], trained: Callable[..., Language], tmp_path: Any
) -> None:
    nlp = words({"threshold": 0.0})
    expected = scores(nlp, [typed(nlp, *types) for types in NEW_TYPES])
    stored = nlp.get_pipe(NAME).model.to_bytes()
    assert not any(type.encode() in stored for type in (*OWN_TYPES, "Drug", "ProteinComplex", "DISEASE"))
    assert all(type.encode() in trained().get_pipe(NAME).model.to_bytes() for type in OWN_TYPES)
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    numpy.testing.assert_array_equal(scores(loaded, [typed(loaded, *types) for types in NEW_TYPES]), expected)


def test_it_is_said_that_any_type_will_do(words: Callable[..., Language], tmp_path: Any) -> None:
    nlp = words()
    with pytest.warns(UserWarning, match="DW180.*no mention.*Types that it knows: all"):
        nlp(make_doc(nlp.vocab, [("nothing", "")]))
    nlp.to_disk(tmp_path / "pipeline")
    match("types: all pairs: all types", dualre("check", tmp_path / "pipeline").output)
