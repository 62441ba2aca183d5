"""Open predicates: pipelines without a classifier that find predicates by their descriptions alone."""

from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy
import pytest
import spacy
import srsly
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
from spacy.tokens import DocBin

from spacy_dualre.annotations.mentions import ASKED
from spacy_dualre.models.dual_encoder import get_network, get_runner
from spacy_dualre.views import explain

ALL_PAIRS = {"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"}
NETWORK = {
    "cls_fusion": False,
    "mean_fusion": True,
    "types_as_words": True,
    "learned_negative": True,
    "frozen_descriptions": True,
}
PREDICATES = {label: text for label, text in DESCRIPTIONS.items() if label != "no_relation"}


@pytest.fixture
def make_open(trained: Callable[..., Language]) -> Callable[..., Language]:
    """A pipeline initialised on the three documents; the keywords are the model's."""

    def make(settings: Dict[str, Any] = {}, **model: Any) -> Language:
        given = {"alpha": 0.0, "description_mode": "generic", "candidates": ALL_PAIRS, **settings}
        return trained(model={**NETWORK, **model}, **given)

    return make


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def similarities(nlp: Language) -> numpy.ndarray:
    return numpy.concatenate([part.scores.similarity for part in nlp.get_pipe(NAME).stream(fresh_docs(nlp))])


def names_of(nlp: Language) -> List[str]:
    return list(nlp.get_pipe(NAME).label_data)


# The network


def test_the_negative_is_not_read(make_open: Callable[..., Language]) -> None:
    nlp = make_open()
    similarities(nlp)
    assert get_runner(nlp.get_pipe(NAME).model).memory.misses == len(PREDICATES)


def test_each_description_is_read_once_whatever_the_types(make_open: Callable[..., Language]) -> None:
    nlp = make_open()
    docs = [
        make_doc(nlp.vocab, [("Aspirin", one), ("inhibits", ""), ("COX-1", other), (".", "")])
        for one in ("CHEMICAL", "DRUG", "PLANT")
        for other in ("GENE", "TOWN")
    ]
    assert len(list(nlp.get_pipe(NAME).stream(docs))) > 1
    assert get_runner(nlp.get_pipe(NAME).model).memory.misses == len(PREDICATES)


def test_there_is_no_classifier(make_open: Callable[..., Language]) -> None:
    assert network(make_open()).classifier.out_features == 1


@pytest.mark.parametrize(
    "settings",
    [{"prediction": "joint"}, {"sampled_predicates": 3}, {"cascade": {"predicates": 1, "negative": 0.9}}],
)
def test_what_needs_a_classifier_is_refused(make_open: Callable[..., Language], settings: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="DR181"):
        make_open(settings)


# Training


@pytest.mark.parametrize("shared", ["frozen_embeddings", "dropout"])
def test_frozen_descriptions_stay_and_all_else_learns(make_open: Callable[..., Language], shared: str) -> None:
    nlp = make_open(**{shared: shared == "frozen_embeddings"})
    before = {name: weight.clone() for name, weight in network(nlp).state_dict().items()}
    train(nlp, 3)
    same = {name for name, weight in network(nlp).state_dict().items() if torch.equal(weight, before[name])}
    assert {name for name in same if name.startswith("description_encoder.")} == {
        name for name in before if name.startswith("description_encoder.")
    }
    for name in ("negative", "temperature", "text_projection.weight", "description_projection.weight"):
        assert name not in same


def test_a_memory_of_frozen_descriptions_changes_nothing(make_open: Callable[..., Language]) -> None:
    losses = []
    for memory in (0, 1, 100):
        nlp = make_open(description_memory=memory)
        losses.append([train(nlp, n)[1] for n in (1, 3)])
    assert losses[0] == pytest.approx(losses[1]) and losses[0] == pytest.approx(losses[2])


def test_without_freezing_descriptions_learn(make_open: Callable[..., Language]) -> None:
    nlp = make_open(frozen_descriptions=False)
    weights = [p for n, p in network(nlp).named_parameters() if n.startswith("description_encoder.") and "query" in n]
    before = [weight.detach().clone() for weight in weights]
    train(nlp, 2)
    assert not any(torch.equal(old, new) for old, new in zip(before, weights))


@pytest.mark.slow
def test_overfitting(make_open: Callable[..., Language]) -> None:
    nlp = make_open(dropout=0.0)
    # A random encoder that is not trained can hardly tell the others apart
    nlp.get_pipe(NAME).set_labels(
        {"INHIBITS": "{subject} blocks {object}.", "ACTIVATES": "Why {object} likes {subject}!"}
    )
    examples, loss = overfit(nlp)
    assert loss < 0.1 and nlp.evaluate(examples)["rels_f"] == 1.0


# Other predicates


def test_names_mean_nothing_and_descriptions_all(make_open: Callable[..., Language]) -> None:
    nlp = make_open({"threshold": 0.0})
    train(nlp, 5)
    before = similarities(nlp)
    rel = nlp.get_pipe(NAME)
    rel.set_labels({f"X {label}": text for label, text in reversed(PREDICATES.items())})
    assert rel.labels == tuple(f"X {label}" for label in reversed(PREDICATES))
    numpy.testing.assert_allclose(similarities(nlp), numpy.hstack([before[:, :1], before[:, :0:-1]]), rtol=1e-5)
    assert all(rel[1].startswith("X ") for doc in nlp.pipe(fresh_docs(nlp)) for rel in rels(doc))


def test_other_predicates_are_stored(make_open: Callable[..., Language], tmp_path: Any) -> None:
    nlp = make_open()
    train(nlp, 2)
    nlp.get_pipe(NAME).set_labels({"FOUNDED": ["{subject} was founded by {object}.", "{object} began {subject}."]})
    nlp.get_pipe(NAME).add_label("BOUGHT", description="{subject} was bought by {object}.")
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert names_of(loaded) == ["no_relation", "FOUNDED", "BOUGHT"]
    assert_close(probabilities(loaded, fresh_docs(loaded)), probabilities(nlp, fresh_docs(nlp)))


def test_a_classifier_keeps_its_predicates(trained: Callable[..., Language]) -> None:
    nlp = trained()
    with pytest.raises(ValueError, match="DR182.*alpha"):
        nlp.get_pipe(NAME).set_labels(PREDICATES)
    assert set(PREDICATES) < set(names_of(nlp))


def test_descriptions_are_checked_before_anything_changes(make_open: Callable[..., Language]) -> None:
    nlp = make_open()
    with pytest.raises(ValueError, match="DR048.*'NEW'"):
        nlp.get_pipe(NAME).set_labels({"NEW": "{subject} stands alone."})
    assert set(names_of(nlp)) == set(DESCRIPTIONS)


def test_a_document_may_name_what_it_is_asked_about(make_open: Callable[..., Language]) -> None:
    nlp = make_open({"predicates_per_corpus": True, "threshold": 0.0})
    asked, free = fresh_docs(nlp)[0], fresh_docs(nlp)[0]
    asked.user_data[ASKED] = ["ACTIVATES"]
    found = list(nlp.get_pipe(NAME).stream([asked, free]))
    names = numpy.array(names_of(nlp))
    assert all(
        set(names[row]) == {"no_relation", "ACTIVATES"}
        for part in found
        if part.doc is asked
        for row in part.scores.possible
    )
    assert all(part.scores.possible.all() for part in found if part.doc is free)


def test_a_document_asked_about_one_trains_on_that_alone(make_open: Callable[..., Language]) -> None:
    nlp = make_open({"predicates_per_corpus": True})
    examples = make_examples(nlp.vocab)
    for example in examples:
        example.predicted.user_data[ASKED] = sorted(PREDICATES)
    losses = [nlp.update(examples, sgd=optimizer())[NAME]]
    nlp = make_open({"predicates_per_corpus": True})
    losses.append(nlp.update(make_examples(nlp.vocab), sgd=optimizer())[NAME])
    assert losses[0] == pytest.approx(losses[1])


# Commands


@pytest.fixture
def stored(make_open: Callable[..., Language], tmp_path: Path) -> Dict[str, Path]:
    """An open pipeline that finds every pair related, documents, and descriptions of other predicates."""
    nlp = make_open({"threshold": 0.0})
    paths = {name: tmp_path / name for name in ("pipeline", "docs.spacy", "new.json")}
    nlp.to_disk(paths["pipeline"])
    DocBin(docs=[one.reference for one in make_examples(nlp.vocab)], store_user_data=True).to_disk(paths["docs.spacy"])
    srsly.write_json(paths["new.json"], {"NEW": "{subject} is new to {object}."})
    return paths


def test_evaluate_asks_about_other_predicates(stored: Dict[str, Path], tmp_path: Path) -> None:
    found = []
    for options in ([], ["--descriptions", stored["new.json"]]):
        output = tmp_path / "scores.json"
        result = dualre("evaluate", stored["pipeline"], stored["docs.spacy"], "--output", output, *options)
        assert result.exit_code == 0, result.output
        per_type = srsly.read_json(output)["rels_per_type"]
        found.append({name for name, scores in per_type.items() if scores["p"] or name not in PREDICATES})
    assert "NEW" not in found[0] and found[1] == {"NEW"}


def test_extract_asks_about_other_predicates_and_remembers_them(stored: Dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "found.jsonl"
    arguments = ("extract", stored["pipeline"], stored["docs.spacy"], output, "--resume", "--descriptions")
    result = dualre(*arguments, stored["new.json"])
    assert result.exit_code == 0, result.output
    assert {rel["predicate"] for doc in srsly.read_jsonl(output) for rel in doc["rels"]} == {"NEW"}


def test_a_file_of_descriptions_that_is_wrong_is_named(stored: Dict[str, Path]) -> None:
    stored["new.json"].write_text('{"NEW": "nothing of both"}')
    result = dualre("evaluate", stored["pipeline"], stored["docs.spacy"], "--descriptions", stored["new.json"])
    assert result.exit_code == 1
    match(r"DR041.*new\.json.*'NEW'", result.output)


def test_other_predicates_are_asked_of_every_corpus(make_open: Callable[..., Language]) -> None:
    nlp = make_open({"predicates_per_corpus": True})
    rel = nlp.get_pipe(NAME)
    rel.cfg["of_corpus"] = {"one": ["INHIBITS"], "other": ["ACTIVATES"]}
    rel.set_labels({"INHIBITS": PREDICATES["INHIBITS"]})
    docs = fresh_docs(nlp)
    for doc in docs:
        doc.user_data["corpus"] = "other"
    assert all(part.scores.possible.all() for part in rel.stream(docs))


def test_tune_takes_the_predicates_that_were_held_out(make_open: Callable[..., Language], tmp_path: Path) -> None:
    nlp = make_open({"threshold": 0.0})
    nlp.config = nlp.config.merge({"corpora": {"dev": {"only": ["INHIBITS"]}}})
    nlp.to_disk(tmp_path / "pipeline")
    docs = [one.reference for one in make_examples(nlp.vocab)]
    alone = make_doc(nlp.vocab, [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE")], [(0, "INHIBITS", 1)])
    DocBin(docs=[*docs, alone], store_user_data=True).to_disk(tmp_path / "dev.spacy")
    paths = [tmp_path / name for name in ("pipeline", "dev.spacy", "tuned")]
    result = dualre("tune", *paths, "--threshold", "--report", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    expected = sum({rel.predicate for rel in doc._.rels} == {"INHIBITS"} for doc in [*docs, alone])
    report = srsly.read_json(tmp_path / "report.json")
    assert report["documents"] == expected < 4 and report["cascade"] is None
    assert spacy.load(tmp_path / "tuned").get_pipe(NAME).threshold == report["threshold"]


def test_an_explanation_shows_what_was_compared(make_open: Callable[..., Language]) -> None:
    nlp = make_open()
    scores = next(one.scores for one in explain(nlp, fresh_docs(nlp)[0]) if one.scores)
    negative, *others = scores
    assert negative.descriptions == () and negative.similarity is not None
    assert all(one.descriptions for one in others) and all(one.classifier is None for one in scores)
