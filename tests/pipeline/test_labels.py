"""Predicates: given, learnt, added later, several to a pair."""

import warnings

import numpy
import pytest
import spacy
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    fresh_docs,
    make_doc,
    make_examples,
    optimizer,
    overfit,
    probabilities,
    rels,
    train,
)
from spacy.training import Example

from spacy_dualre.models.dual_encoder import get_network


def test_new_label_is_scored_from_its_description_alone(trained, tmp_path):
    nlp = trained(prediction="joint")
    train(nlp, steps=30)
    rel = nlp.get_pipe(NAME)
    docs = fresh_docs(nlp)
    before = probabilities(nlp, docs)
    # The words of a trained description under a new name: what similarity alone says of the trained predicate.
    assert rel.add_label("BLOCKS", description=DESCRIPTIONS["INHIBITS"]) == 1
    assert rel.labels == ("INHIBITS", "ACTIVATES", "BLOCKS")
    after = probabilities(nlp, docs)
    rel.prediction = "similarity"
    similarity = probabilities(nlp, docs)
    inhibits = list(rel.label_data).index("INHIBITS")
    for key in before:
        numpy.testing.assert_allclose(after[key][:3], before[key], atol=1e-5)
        numpy.testing.assert_allclose(after[key][3], similarity[key][inhibits], atol=1e-5)
    rel.prediction = "classifier"
    classifier = probabilities(nlp, docs)
    assert all(abs(classifier[key][3] - similarity[key][3]) < 1e-5 for key in before)
    nlp.to_disk(tmp_path / "pipeline")
    assert "BLOCKS" in spacy.load(tmp_path / "pipeline").get_pipe(NAME).labels


def test_add_label_replaces_and_rejects(trained):
    rel = trained().get_pipe(NAME)
    assert rel.add_label("INHIBITS", description="{subject} stops {object}.") == 0
    assert rel.label_data["INHIBITS"] == "{subject} stops {object}."
    with pytest.warns(UserWarning, match="DW161.*BINDS_TO"):
        assert rel.add_label("BINDS_TO") == 1
    assert "binds to" in rel.label_data["BINDS_TO"]
    with pytest.raises(ValueError, match="DR048.*BINDS_TO.*lacks {object}"):
        rel.add_label("BINDS_TO", description="{subject} binds.")
    with pytest.raises(ValueError, match="DR167"):
        rel.add_label(rel.NIL, description="{subject} {object}")


def test_training_goes_on_with_a_new_label(trained):
    nlp = trained()
    nlp.get_pipe(NAME).add_label("NEW", description="{subject} is new to {object}.")
    examples = make_examples(nlp.vocab)
    doc = examples[0].reference
    doc._.rels = [rel._replace(predicate="NEW") for rel in doc._.rels]
    sgd = optimizer()
    for _ in range(80):
        nlp.update(examples, sgd=sgd)
    assert nlp.evaluate(examples)["rels_per_type"]["NEW"]["f"] == 1.0


def test_multi_label_gives_every_predicate_over_the_threshold(trained):
    nlp = trained(multi_label=True, threshold=0.0)
    rel = nlp.get_pipe(NAME)
    found = [r for doc in nlp.pipe(fresh_docs(nlp)) for r in rels(doc)]
    assert len(found) == 7 * 2 and {predicate for _, predicate, _, _ in found} == set(rel.labels)
    rel.threshold = sorted(score for *_, score in found)[7]
    assert 0 < sum(len(rels(doc)) for doc in nlp.pipe(fresh_docs(nlp))) < 14
    rel.threshold, rel.multi_label = 0.0, False
    assert sum(len(rels(doc)) for doc in nlp.pipe(fresh_docs(nlp))) == 7


def test_label_data_initialises_another_component(trained, make_nlp):
    label_data = trained().get_pipe(NAME).label_data
    nlp = make_nlp()
    examples = make_examples(nlp.vocab)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, labels=label_data)
    assert nlp.get_pipe(NAME).label_data == label_data


def test_labels_added_before_initialisation_stay(make_nlp):
    nlp = make_nlp()
    rel = nlp.get_pipe(NAME)
    rel.add_label("BINDS", description="{subject} binds {object}.")
    examples = make_examples(nlp.vocab)
    with pytest.warns(UserWarning, match="DW162.*BINDS"):
        rel.initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    assert list(rel.label_data) == ["no_relation", "BINDS", "INHIBITS", "ACTIVATES"]


def test_new_label_brings_its_types_as_candidates(trained):
    nlp = trained(threshold=0.0)
    words = [("COX-1", "GENE"), ("binds", ""), ("COX-3", "GENE"), (".", "")]
    assert nlp(make_doc(nlp.vocab, words))._.rels == ()
    nlp.get_pipe(NAME).add_label("BINDS", description={"GENE|GENE": "{subject} binds {object}."})
    found = nlp(make_doc(nlp.vocab, words))._.rels
    assert [(rel.subject.text, rel.object.text) for rel in found] == [("COX-1", "COX-3"), ("COX-3", "COX-1")]


def test_initialised_from_labels_alone_restricts_no_types(make_nlp):
    nlp = make_nlp(threshold=0.0)
    docs = [example.predicted for example in make_examples(nlp.vocab)]
    rel = nlp.get_pipe(NAME)
    rel.initialize(lambda: [Example(doc, doc.copy()) for doc in docs], nlp=nlp, labels=DESCRIPTIONS)
    assert rel.type_pairs is None
    assert len(nlp(docs[0])._.rels) == 6


def test_bytes_of_a_pipeline_with_other_labels_can_be_loaded(trained, make_nlp):
    nlp, other = trained(), make_nlp()
    examples = make_examples(other.vocab)
    with pytest.warns(UserWarning, match="DW162"):
        more = {**DESCRIPTIONS, "BINDS": "{subject} binds {object}."}
        other.get_pipe(NAME).initialize(lambda: examples, nlp=other, descriptions=more)
    nlp.from_bytes(other.to_bytes())
    assert "BINDS" in nlp.get_pipe(NAME).labels


@pytest.mark.slow
def test_initialising_again_starts_anew(trained, tmp_path):
    nlp = trained()
    train(nlp, steps=3)
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    examples = make_examples(loaded.vocab)
    examples[0].reference._.rels = [r._replace(predicate="NEW") for r in examples[0].reference._.rels]
    rel = loaded.get_pipe(NAME)
    with pytest.warns(UserWarning, match="DW161.*NEW"):
        rel.initialize(lambda: examples, nlp=loaded)
    network = get_network(rel.model)
    assert network.classifier.out_features == len(rel.label_data) == 4
    assert overfit(loaded)[1] < 0.1
