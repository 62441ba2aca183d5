"""Thresholds and cascades that are tuned on annotated documents, and `spacy dualre tune`."""

import json
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from helpers.commands import dualre, match
from helpers.pipelines import DESCRIPTIONS, NAME, Score, fresh_docs, make_examples, train
from scipy.special import softmax
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.cli.evaluate import evaluate
from spacy_dualre.scoring.protocols import get_protocol
from spacy_dualre.scoring.tuning import Development, cuts, tune
from spacy_dualre.training.reader import copy_mentions, rel_corpus
from spacy_dualre.types import Cascade

CONCEPTS = {"@misc": "spacy-dualre.concept_pairs.v1", "mention_pairs": 2, "type_pairs": "all"}
SETTINGS = {
    "one": {},
    "all": {"threshold": 0.0},
    "joint": {"prediction": "joint", "threshold": 0.3},
    "several": {"multi_label": True, "threshold": 0.3},
    "symmetric": {"symmetric": ["INHIBITS"], "threshold": 0.0},
    "concepts": {"candidates": CONCEPTS, "threshold": 0.0},
}


@pytest.fixture
def half_trained(trained):
    """A pipeline that has learnt something, but not all; its settings come after that."""

    def make(steps=12, **settings):
        nlp = trained(**settings)
        train(nlp, steps=steps)
        return nlp

    return make


def make_dev(nlp, examples=None):
    return Development(nlp, make_examples(nlp.vocab) if examples is None else examples)


def f_of(model, data, protocol=None):
    nlp = spacy.load(model)
    return evaluate(nlp, list(rel_corpus(data)(nlp)), protocol=protocol)["rels_f"]


def found(predictions):
    """Per Doc the relations as values, with their scores."""
    return [
        sorted((r.subject.start, r.subject.end, r.predicate, r.object.start, Score(r.score)) for r in rels)
        for rels in predictions
    ]


def probabilities(dev):
    """Numbers between the classifier's probabilities of the negative predicate, and 0 and 1."""
    logits = numpy.where(dev.possible[:, : dev.logits.shape[1]], dev.logits, -numpy.inf)
    return [0.0, *cuts(softmax(logits, axis=1)[:, 0], 50), 1.0]


def distinct_descriptions(dev, cascade):
    """The same count from the instances themselves."""
    chosen = set()
    instances = (instance for scored in dev.rel.stream(dev.docs) for instance in scored.instances)
    for instance, row in zip(instances, dev.read(cascade)):
        chosen.update(item for group, is_read in zip(instance.descriptions, row) if is_read for item in group)
    return len(chosen)


# Trying cascades without the model


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_simulated_cascades_predict_what_the_component_predicts(half_trained, settings):
    nlp = half_trained(**settings)
    dev, rel = make_dev(nlp), nlp.get_pipe(NAME)
    outcomes = set()
    for predicates in (1, 2):
        for negative in probabilities(dev):
            cascade = Cascade(predicates, negative)
            simulated = found(dev.predict(cascade))
            rel.cascade = cascade
            assert simulated == found(rel.predict(dev.docs)), cascade
            outcomes.add(str(simulated))
    assert len(outcomes) > 2, "the cascades make no difference: nothing was tested"


def test_without_a_cascade_the_component_predicts_the_same(half_trained):
    nlp = half_trained(threshold=0.2)
    exact = found(make_dev(nlp).predict())
    assert exact == found(nlp.get_pipe(NAME).predict(fresh_docs(nlp))) and any(exact)


def test_descriptions_are_counted_once_each(half_trained):
    nlp = half_trained()
    examples = [*make_examples(nlp.vocab), *make_examples(nlp.vocab)]
    once, dev = make_dev(nlp), make_dev(nlp, examples)
    assert len(dev.candidates) == 2 * len(once.candidates)
    counts = set()
    for cascade in [None, *(Cascade(predicates, p) for predicates in (1, 2) for p in probabilities(dev))]:
        assert dev.count(cascade) == once.count(cascade) == distinct_descriptions(dev, cascade)
        counts.add(dev.count(cascade))
    assert len(counts) > 3
    assert dev.count(Cascade(1, 0.0)) == 0


def test_f_is_that_of_the_scorer(half_trained):
    nlp = half_trained(threshold=0.0)
    dev = make_dev(nlp)
    nothing = [[] for _ in dev.docs]
    assert dev.f(nothing) == 0.0
    expected = nlp.evaluate(make_examples(nlp.vocab))["rels_f"]
    assert dev.f(dev.predict()) == dev.measure() == expected > 0


def test_docs_get_what_the_components_before_write(half_trained):
    nlp = half_trained()
    n_candidates = len(make_dev(nlp).candidates)
    nlp.add_pipe("sentencizer", before=NAME)
    with_sentences = make_dev(nlp)
    starts = [[token.i for token in doc if token.is_sent_start] for doc in with_sentences.docs]
    assert starts[1] == [0, 6]
    assert len(with_sentences.candidates) == n_candidates
    assert nlp.pipe_names == ["sentencizer", NAME]


# Choosing a cascade


@pytest.mark.slow
@pytest.mark.parametrize("steps, loss", [(12, 0.0), (12, 0.3), (60, 0.3), (60, 1.0)])
def test_the_cheapest_cascades_read_least_within_the_loss(half_trained, steps, loss):
    dev = make_dev(half_trained(steps, threshold=0.3))
    at_least = dev.f(dev.predict()) - loss
    first, second = dev.cheapest_cascades(at_least)
    assert (first.predicates, second.predicates) == (1, 2)
    for cascade in (first, second):
        cheaper = [Cascade(cascade.predicates, p) for p in probabilities(dev) if p < cascade.negative]
        cheaper = [other for other in cheaper if 0 < dev.count(other) < dev.count(cascade)]
        assert all(dev.f(dev.predict(other)) < at_least for other in cheaper)
    assert dev.f(dev.predict(second)) >= at_least


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_the_cheapest_cascade_is_chosen(half_trained, loss):
    nlp = half_trained(60, threshold=0.3)
    tuned = tune(nlp, make_examples(nlp.vocab), loss)
    dev, rel = make_dev(nlp), nlp.get_pipe(NAME)
    rel.cascade = None
    at_least = tuned["f_exact"] - loss
    within = [one for one in dev.cheapest_cascades(at_least) if dev.f(dev.predict(one)) >= at_least]
    assert tuned["read"] == min(map(dev.count, [None, *within]))
    assert tuned["f"] >= at_least
    assert (tuned["cascade"] is None) == (tuned["read"] == tuned["descriptions"])


def test_f_must_not_fall_where_no_loss_is_allowed(half_trained, monkeypatch):
    """On scores made up so that a cascade that skips more than two candidates finds less."""
    dev = make_dev(half_trained())
    monkeypatch.setattr(dev, "predict", lambda cascade: int((~dev.read(cascade).any(axis=1)).sum()))
    monkeypatch.setattr(dev, "f", lambda skipped: 0.9 if skipped <= 2 else 0.5)
    assert [dev.predict(cascade) for cascade in dev.cheapest_cascades(0.9)] == [2, 2]
    assert [dev.predict(cascade) for cascade in dev.cheapest_cascades(0.91)] == [0, 0]


def test_skipped_candidates_and_descriptions_are_reported(half_trained):
    nlp = half_trained(60)
    tuned = tune(nlp, make_examples(nlp.vocab), 1.0)
    dev, cascade = make_dev(nlp), nlp.get_pipe(NAME).cascade
    assert tuned["skipped"] == int((dev.read(cascade).sum(axis=1) == 0).sum()) > 0
    assert tuned["read"] == distinct_descriptions(dev, cascade) < tuned["descriptions"]
    assert tuned["descriptions"] == distinct_descriptions(dev, None)
    assert (tuned["documents"], tuned["candidates"], tuned["gold"]) == (3, len(dev.odds), 4)


def test_the_present_cascade_is_dropped(half_trained):
    nlp = half_trained(60)
    plain = tune(nlp, make_examples(nlp.vocab), 0.0)
    nlp.get_pipe(NAME).cascade = Cascade(1, 0.0)
    assert nlp.evaluate(make_examples(nlp.vocab))["rels_f"] in (None, 0.0)
    assert tune(nlp, make_examples(nlp.vocab), 0.0) == plain
    assert plain["f_exact"] > 0


def test_predictions_that_turn_out_worse_than_simulated_are_not_taken(half_trained, monkeypatch):
    nlp = half_trained(60)
    monkeypatch.setattr(Development, "measure", lambda dev: 0.0)
    tuned = tune(nlp, make_examples(nlp.vocab), 0.0)
    assert tuned["cascade"] is None and nlp.get_pipe(NAME).cascade is None
    assert tuned["f"] == tuned["f_exact"] and tuned["read"] == tuned["descriptions"]
    assert nlp.get_pipe_config(NAME)["cascade"] is None


# Thresholds


def test_the_tuned_threshold_raises_f(half_trained):
    nlp = half_trained(threshold=1.0, multi_label=True)
    tuned = tune(nlp, make_examples(nlp.vocab), 0.0, threshold=True)
    rel = nlp.get_pipe(NAME)
    assert tuned["threshold_before"] == 1.0 > rel.threshold == tuned["threshold"]
    rel.cascade = None
    assert nlp.evaluate(make_examples(nlp.vocab))["rels_f"] == tuned["f_exact"] > tuned["f_before"] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SETTINGS[name] for name in ("one", "several", "symmetric", "concepts")])
def test_no_other_threshold_is_better(half_trained, settings):
    nlp = half_trained(**settings)
    rel = nlp.get_pipe(NAME)
    f_of = {}
    for threshold in (*numpy.linspace(0, 1, 21), make_dev(nlp).best_threshold()):
        rel.threshold = float(threshold)
        f_of[threshold] = nlp.evaluate(make_examples(nlp.vocab))["rels_f"] or 0.0
    assert f_of[rel.threshold] == max(f_of.values()) > min(f_of.values())


def test_no_threshold_is_tuned_that_was_not_asked_for(half_trained):
    nlp = half_trained(threshold=0.3)
    tuned = tune(nlp, make_examples(nlp.vocab))
    assert tuned["threshold"] == tuned["threshold_before"] == nlp.get_pipe(NAME).threshold == 0.3
    assert tuned["f_before"] == tuned["f_exact"] > 0


@pytest.mark.parametrize(
    "wrong, right, low, high",
    [
        ([0.3], [0.6], 0.5, 0.5),
        ([0.7], [0.8, 0.96], 0.7, 0.8),
        ([0.1], [0.2, 0.96], 0.1, 0.2),
        # F is 2/3 both above 0.8 and below 0.4
        ([0.1, 0.7, 0.8], [0.4, 0.95], 0.1, 0.4),
    ],
)
def test_of_equal_thresholds_the_nearest_to_a_half_is_taken(trained, monkeypatch, wrong, right, low, high):
    """On relations with made-up scores."""
    dev = make_dev(trained())
    subject, object = dev.docs[0].ents[:2]
    rels = [Relation(subject, "INHIBITS", object, score) for score in (*wrong, *right)]
    monkeypatch.setattr(dev, "predict", lambda threshold: [rels])

    def f(predictions):
        correct = sum(rel.score in right for rel in predictions[0])
        return 2 * correct / (len(predictions[0]) + len(right))

    monkeypatch.setattr(dev, "f", f)
    assert low <= dev.best_threshold() <= high


def test_a_classifier_has_a_threshold_but_no_cascade(half_trained):
    nlp = half_trained(prediction="classifier", threshold=1.0, multi_label=True)
    tuned = tune(nlp, make_examples(nlp.vocab), 0.0, threshold=True)
    assert tuned["cascade"] is None and tuned["descriptions"] == tuned["read"] == 0
    assert tuned["f"] == tuned["f_exact"] > tuned["f_before"]
    with pytest.raises(ValueError) as err:
        tune(nlp, make_examples(nlp.vocab))
    match("DR208", str(err.value))


def test_cuts_part_the_values():
    values = numpy.array([0.1, 0.1, 0.5, 0.52, 0.9999999])
    assert cuts(values, 100) == [0.3, 0.51, 0.8]
    assert [sorted([*values, cut]).index(cut) for cut in cuts(values, 100)] == [2, 3, 4]
    assert len(cuts(numpy.random.default_rng(0).random(500), 20)) <= 20
    assert cuts(numpy.array([0.5, numpy.nextafter(0.5, 1)]), 5) == []
    (cut,) = cuts(numpy.array([0.5, 0.5 + 3e-8]), 5)
    assert 0.5 < cut < 0.5 + 3e-8 and srsly.json_loads(srsly.json_dumps(cut)) == cut
    assert cuts(numpy.array([0.5]), 5) == cuts(numpy.array([]), 5) == []


# The command


def save(nlp, folder: Path, examples=None):
    nlp.to_disk(folder / "pipeline")
    docs = [example.reference for example in examples or make_examples(nlp.vocab)]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "dev.spacy")
    return folder / "pipeline", folder / "dev.spacy", folder / "new" / "tuned"


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [True, False])
def test_the_written_pipeline_has_the_settings_and_the_f_that_was_printed(half_trained, tmp_path, threshold):
    nlp = half_trained(30, threshold=0.625, cascade={"predicates": 1, "negative": 0.0})
    model, dev, output = save(nlp, tmp_path)
    report = tmp_path / "reports" / "tuned.json"
    options = ("--loss", 5, "--report", report, *["--threshold"] * threshold)
    result = dualre("tune", model, dev, output, *options)
    assert result.exit_code == 0, result.output
    # srsly reads some numbers inexactly
    tuned = json.loads(report.read_text())
    assert tuned["cascade"] is not None and tuned["read"] < tuned["descriptions"]
    assert tuned["f_exact"] - 0.05 <= tuned["f"]
    written = spacy.load(output)
    rel = written.get_pipe(NAME)
    assert rel.cascade._asdict() == tuned["cascade"] == written.config["components"][NAME]["cascade"]
    assert rel.threshold == pytest.approx(tuned["threshold"]) and (rel.threshold == 0.625) == (not threshold)
    f = f_of(output, dev)
    assert f == pytest.approx(tuned["f"], abs=1e-9) and f > 0
    lines = [line.split() for line in result.output.splitlines()]
    assert ["cascade", f"{100 * f:.2f}"] in [line[:2] for line in lines]
    assert ["exact", f"{100 * tuned['f_exact']:.2f}"] in [line[:2] for line in lines]
    assert (["before"] in [line[:1] for line in lines]) == threshold
    assert "DW820" in result.output and "4 gold relations" in result.output


def chemprot_examples(vocab):
    """The three documents with ChemProt's predicates and ids."""
    docs = []
    for number, example in enumerate(make_examples(vocab)):
        doc = copy_mentions(example.reference)
        doc.ents = [Span(doc, e.start, e.end, e.label, span_id=f"T{i}") for i, e in enumerate(doc.ents, 1)]
        at = {ent.start: ent for ent in doc.ents}
        names = {"INHIBITS": "CPR:4", "ACTIVATES": "CPR:3"}
        gold = example.reference._.rels
        doc._.rels = [Relation(at[r.subject.start], names[r.predicate], at[r.object.start]) for r in gold]
        doc.user_data["doc_id"] = str(number)
        docs.append(doc)
    return [Example(copy_mentions(doc), doc) for doc in docs]


def test_an_official_scorer(make_nlp, tmp_path):
    scorer = {"@scorers": "spacy-dualre.protocol_scorer.v1", "protocol": "chemprot"}
    nlp = make_nlp(scorer=scorer, threshold=1.0)
    examples = chemprot_examples(nlp.vocab)
    texts = {"no_relation": DESCRIPTIONS["no_relation"], "CPR:4": DESCRIPTIONS["INHIBITS"]}
    texts["CPR:3"] = DESCRIPTIONS["ACTIVATES"]
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=texts)
    spacy.util.fix_random_seed(0)
    sgd = spacy.util.registry.get("optimizers", "spacy-dualre.AdamW.v1")(5e-3)
    for _ in range(20):
        nlp.update(examples, sgd=sgd)
    model, dev, output = save(nlp, tmp_path, examples)
    report = tmp_path / "tuned.json"
    result = dualre("tune", model, dev, output, "--loss", 0, "--threshold", "--report", report)
    assert result.exit_code == 0, result.output
    tuned = srsly.read_json(report)
    assert tuned["f_exact"] > tuned["f_before"]
    assert f_of(output, dev, get_protocol("chemprot")) == pytest.approx(tuned["f"], abs=1e-9)
    assert f_of(output, dev) == pytest.approx(tuned["f"], abs=1e-9)


def test_a_component_of_another_name(make_nlp, tmp_path):
    nlp = make_nlp(multi_label=True, threshold=0.0)
    nlp.rename_pipe(NAME, "second")
    examples = make_examples(nlp.vocab)
    nlp.get_pipe("second").initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    model, dev, output = save(nlp, tmp_path)
    result = dualre("tune", model, dev, output, "--loss", 100)
    assert result.exit_code == 0, result.output
    assert spacy.load(output).get_pipe("second").cascade is not None


# What is wrong is said


def without_relations(vocab):
    examples = make_examples(vocab)
    for example in examples:
        example.reference._.rels = [rel._replace(predicate="no_relation") for rel in example.reference._.rels]
    return examples


def without_candidates(vocab):
    doc = Doc(vocab, words=["Aspirin", "inhibits", "COX-1"], sent_starts=[True, False, True])
    doc.ents = [Span(doc, 0, 1, label="CHEMICAL"), Span(doc, 2, 3, label="GENE")]
    doc._.rels = [Relation(doc.ents[0], "INHIBITS", doc.ents[1])]
    return [Example(copy_mentions(doc), doc)]


@pytest.mark.parametrize(
    "make, problem", [(without_relations, "DR206"), (without_candidates, f"DR207.*{NAME}")], ids=["gold", "candidates"]
)
def test_documents_with_nothing_to_tune_on(trained, tmp_path, make, problem):
    nlp = trained()
    result = dualre("tune", *save(nlp, tmp_path, make(nlp.vocab)))
    assert result.exit_code == 1
    match(problem, result.output)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "changed, problem",
    [
        ({0: "missing"}, "DR005.*missing"),
        ({1: "missing.spacy"}, "DR005.*missing.spacy"),
        ({2: "dev.spacy"}, "DR824.*dev.spacy/meta.json: cannot be written"),
        ({3: "--report", 4: "dev.spacy/report.json"}, "DR824.*dev.spacy/report.json: cannot be written"),
    ],
)
def test_mistakes_in_the_arguments(trained, tmp_path, monkeypatch, changed, problem):
    monkeypatch.chdir(tmp_path)
    nlp = trained()
    arguments = dict(enumerate(save(nlp, tmp_path)))
    result = dualre("tune", *{**arguments, **changed}.values())
    assert result.exit_code == 1
    match(problem, result.output)
    assert not (tmp_path / "new" / "tuned" / "config.cfg").exists()


@pytest.mark.parametrize("loss", [-1, 101])
def test_a_loss_that_is_none(trained, tmp_path, loss):
    result = dualre("tune", *save(trained(), tmp_path), "--loss", loss)
    assert result.exit_code == 2 and "loss" in result.output


def test_a_pipeline_that_finds_nothing_right(trained):
    nlp = trained(threshold=1.0)
    with pytest.raises(ValueError) as err:
        tune(nlp, make_examples(nlp.vocab))
    match("DR210.*threshold", str(err.value))
    assert tune(nlp, make_examples(nlp.vocab), threshold=True)["f"] > 0


def test_a_scorer_without_f(trained):
    nlp = trained()
    nlp.get_pipe(NAME).scorer = lambda examples, **kwargs: {"rels_p": 1.0}
    with pytest.raises(ValueError) as err:
        tune(nlp, make_examples(nlp.vocab))
    match("DR209.*rels_f", str(err.value))
