"""The component: training to overfit, input and output, invariances."""

import re
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy
import pytest
import spacy
from helpers.paths import ROOT
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    Score,
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
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from transformers import AutoModel, DebertaV2Config, DistilBertConfig, ElectraConfig, MPNetConfig

from spacy_dualre.annotations.mentions import get_mentions
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.decode import PREDICTIONS

NO_DROPOUT = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


def gradients(nlp):
    network = get_network(nlp.get_pipe(NAME).model)
    return {name: p.grad.numpy().copy() for name, p in network.named_parameters() if p.grad is not None}


@pytest.mark.slow
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_overfitting_and_io(trained, tmp_path, prediction):
    nlp = trained(prediction=prediction, threshold=0.5)
    examples, loss = overfit(nlp)
    assert loss < 0.1
    assert nlp.evaluate(examples)["rels_f"] == 1.0

    expected = [rels(nlp(doc)) for doc in fresh_docs(nlp)]
    assert any(expected)
    assert [rels(doc) for doc in nlp.pipe(fresh_docs(nlp))] == expected

    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert [rels(doc) for doc in loaded.pipe(fresh_docs(loaded))] == expected
    assert loaded.get_pipe(NAME).label_data == nlp.get_pipe(NAME).label_data

    copied = trained(prediction=prediction)
    copied.from_bytes(nlp.to_bytes())
    assert [rels(doc) for doc in copied.pipe(fresh_docs(copied))] == expected


def test_loaded_pipeline_goes_on_training(trained, tmp_path):
    nlp = trained()
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    _, loss = overfit(loaded)
    assert loss < 0.1


def test_relations_survive_docbin_and_processes(trained):
    nlp = trained(threshold=0.0)
    docs = list(nlp.pipe(fresh_docs(nlp)))
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    assert [rels(doc) for doc in DocBin().from_bytes(stored).get_docs(nlp.vocab)] == [rels(doc) for doc in docs]
    in_two = nlp.pipe(fresh_docs(nlp, n=3), n_process=2, batch_size=2)
    assert [rels(doc) for doc in in_two] == [rels(doc) for doc in docs] * 3


def test_threads_find_what_one_finds(trained):
    # A memory that forgets while others read, and dropout that must stay off
    nlp = trained(threshold=0.0, model={"description_memory": 4})
    rel, docs = nlp.get_pipe(NAME), fresh_docs(nlp, n=20)

    def scores(doc):
        return [Score(relation.score) for relation in rel.predict([doc])[0]]

    expected = [scores(doc) for doc in docs]
    assert any(expected)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(scores, docs)) == expected
    assert [scores(doc) for doc in docs] == expected


def test_scores_do_not_depend_on_slices_batches_or_order(trained, monkeypatch):
    nlp = trained()
    docs = fresh_docs(nlp)
    expected = probabilities(nlp, docs)
    assert len(expected) == 7
    assert_close(probabilities(nlp, docs[::-1]), expected)
    rel = nlp.get_pipe(NAME)
    rel.max_candidates_per_batch = 1
    monkeypatch.setattr(rel, "stream", partial(rel.stream, at_least=1))
    assert len(list(rel.stream(docs))) == 7
    assert_close(probabilities(nlp, docs), expected)
    single = {key: row for doc in docs for key, row in probabilities(nlp, [doc]).items()}
    assert_close(single, expected)


def test_gradients_do_not_depend_on_slices_or_order(trained):
    found = []
    state = None
    for size, order in ((64, 1), (1, 1), (2, -1)):
        nlp = trained(model=NO_DROPOUT, max_candidates_per_batch=size)
        if state is not None:
            nlp.get_pipe(NAME).model.from_bytes(state)
        state = nlp.get_pipe(NAME).model.to_bytes()
        loss = nlp.get_pipe(NAME).update(make_examples(nlp.vocab)[::order])[NAME]
        found.append({**gradients(nlp), "loss": numpy.asarray(loss)})
    assert len(found[0]) > 20
    assert_close(found[1], found[0])
    assert_close(found[2], found[0])


def test_training_is_reproducible(trained):
    weights = []
    for _ in range(2):
        spacy.util.fix_random_seed(3)
        nlp = trained(negatives_per_positive=1)
        train(nlp, steps=3)
        weights.append(get_network(nlp.get_pipe(NAME).model).classifier.weight.detach().numpy().copy())
    numpy.testing.assert_array_equal(*weights)


@pytest.mark.filterwarnings("error")
def test_serialisation_initialised_and_not(make_nlp, trained, tmp_path):
    for i, make in enumerate((make_nlp, trained)):
        nlp = make()
        nlp.to_disk(tmp_path / str(i))
        again = spacy.load(tmp_path / str(i))
        assert again.get_pipe(NAME).labels == nlp.get_pipe(NAME).labels
        make_nlp().from_bytes(nlp.to_bytes())
    assert spacy.load(tmp_path / "1").get_pipe(NAME).is_initialized


@pytest.mark.filterwarnings("error")
def test_label_added_before_initialisation_is_kept(make_nlp, tmp_path):
    nlp = make_nlp()
    nlp.get_pipe(NAME).add_label("INHIBITS", DESCRIPTIONS["INHIBITS"])
    nlp.to_disk(tmp_path)
    rel = spacy.load(tmp_path).get_pipe(NAME)
    assert rel.labels == ("INHIBITS",) and not rel.is_initialized


def test_settings_are_loaded_without_the_model(trained, tmp_path):
    nlp = trained(threshold=0.0)
    rel, docs = nlp.get_pipe(NAME), fresh_docs(nlp)
    expected = [rels(nlp(doc)) for doc in docs]
    rel.to_disk(tmp_path)
    rel.from_disk(tmp_path, exclude=["model"])
    rel.from_bytes(rel.to_bytes(), exclude=["model"])
    assert [rels(nlp(doc)) for doc in docs] == expected


def test_settings_can_be_changed_at_loading(trained, tmp_path):
    nlp = trained(threshold=0.25)
    nlp.to_disk(tmp_path / "pipeline")
    assert spacy.load(tmp_path / "pipeline").get_pipe(NAME).threshold == 0.25
    changed = spacy.load(tmp_path / "pipeline", config={"components": {NAME: {"threshold": 0.75}}})
    assert changed.get_pipe(NAME).threshold == 0.75


def test_works_beside_other_components(trained):
    nlp = trained(threshold=0.0)
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("entity_ruler", before=NAME).add_patterns(
        [{"label": "CHEMICAL", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX-1"}]
    )
    doc = nlp("Aspirin inhibits COX-1.")
    assert [(r.subject.text, r.object.text) for r in doc._.rels] == [("Aspirin", "COX-1")]
    with nlp.select_pipes(disable=NAME):
        assert nlp("Aspirin inhibits COX-1.")._.rels == ()


def test_symmetric_predicate_comes_out_once_first_mention_first(make_nlp):
    nlp = make_nlp(symmetric=["BINDS"])
    words = [("A1", "GENE"), ("binds", ""), ("B1", "GENE"), (".", "")]
    reference = make_doc(nlp.vocab, words, [(1, "BINDS", 0)])
    examples = [Example(make_doc(nlp.vocab, words), reference)]
    rel = nlp.get_pipe(NAME)
    rel.initialize(
        lambda: examples, descriptions={"BINDS": "{subject} binds {object}.", "no_relation": "{subject}, {object}"}
    )
    rel.threshold = 0.0
    assert [(s, o) for s, _, o, _ in rels(nlp(make_doc(nlp.vocab, words)))] == [("A1", "B1")]
    assert nlp.evaluate(examples)["rels_f"] == 1.0


def test_undirected_candidates_train_and_score_either_direction(make_nlp):
    nlp = make_nlp(candidates={"@misc": "spacy-dualre.entity_pairs.v1", "directed": False})
    words = [("A1", "GENE"), ("binds", ""), ("B1", "CHEMICAL"), (".", "")]
    examples = [Example(make_doc(nlp.vocab, words), make_doc(nlp.vocab, words, [(1, "BINDS", 0)]))]
    rel = nlp.get_pipe(NAME)
    with pytest.warns(UserWarning, match="DW161"):
        rel.initialize(lambda: examples)
    sgd = optimizer()
    for _ in range(40):
        nlp.update(examples, sgd=sgd)
    assert nlp.evaluate(examples)["rels_f"] == 1.0


def test_spans_key_reads_nested_mentions(make_nlp):
    nlp = make_nlp(spans_key="all", threshold=0.0)

    def annotate():
        doc = make_doc(nlp.vocab, [("dopamine", ""), ("transporter", ""), ("moves", ""), ("dopamine", ""), (".", "")])
        spans = [doc[0:1], doc[0:2], doc[3:4]]
        doc.spans["all"] = [
            spacy.tokens.Span(doc, span.start, span.end, label=label)
            for span, label in zip(spans, ("CHEMICAL", "GENE", "CHEMICAL"))
        ]
        return doc

    reference = annotate()
    reference._.rels = [(reference.spans["all"][2], "CARRIED_BY", reference.spans["all"][1])]
    examples = [Example(annotate(), reference)]
    rel = nlp.get_pipe(NAME)
    with pytest.warns(UserWarning, match="DW161"):
        rel.initialize(lambda: examples)
    assert [(s, o) for s, _, o, _ in rels(nlp(annotate()))] == [
        ("dopamine", "dopamine transporter"),
        ("dopamine", "dopamine transporter"),
    ]
    assert len(get_mentions(examples[0].predicted, "all")) == 3


def test_no_sentence_boundaries_is_said_once(trained):
    nlp = trained(threshold=0.0)
    docs = [make_doc(nlp.vocab, [("A", "CHEMICAL"), (".", ""), ("B", "GENE")], sent_starts=()) for _ in range(3)]
    with pytest.warns(UserWarning, match="DW160") as caught:
        assert all(len(nlp(doc)._.rels) == 1 for doc in docs)
    assert len([w for w in caught if "DW160" in str(w.message)]) == 1


def test_batch_without_candidates_is_said_once(trained):
    nlp = trained()
    empty = make_doc(nlp.vocab, [("nothing", ""), ("here", "")])
    examples = [Example(empty.copy(), empty)]
    with pytest.warns(UserWarning, match="DW164") as caught:
        for _ in range(3):
            assert nlp.update(examples, sgd=optimizer())[NAME] == 0.0
    assert len(caught) == 1


def test_undirected_templates_for_a_pair_of_types_hold_in_text_order(make_nlp):
    nlp = make_nlp(candidates={"@misc": "spacy-dualre.entity_pairs.v1", "directed": False})
    words = [("G1", "GENE"), ("meets", ""), ("C1", "CHEMICAL"), (".", "")]
    examples = [Example(make_doc(nlp.vocab, words), make_doc(nlp.vocab, words, [(1, "MEETS", 0)]))]
    described = {"no_relation": "{subject}, {object}", "MEETS": {"CHEMICAL|GENE": "{subject} meets {object}."}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=described)
    spacy.util.fix_random_seed(0)
    sgd = optimizer()
    for _ in range(40):
        nlp.update(examples, sgd=sgd)
    assert nlp.evaluate(examples)["rels_f"] == 1.0


@pytest.mark.slow
def test_several_processes_with_several_threads_come_to_an_end(encoder):
    code = f"""
import torch, spacy; from helpers import pipelines as conftest
torch.set_num_threads(2)
nlp = spacy.blank("en")
nlp.add_pipe("dual_encoder_rel", config={{"threshold": 0.0, "model": {{"name": {encoder!r}}}}})
examples = conftest.make_examples(nlp.vocab)
nlp.get_pipe("dual_encoder_rel").initialize(lambda: examples, nlp=nlp, descriptions=conftest.DESCRIPTIONS)
nlp.update(examples)
docs = [example.predicted for example in examples] * 4
print(sum(len(doc._.rels) for doc in nlp.pipe([doc.copy() for doc in docs])))
print(sum(len(doc._.rels) for doc in nlp.pipe([doc.copy() for doc in docs], n_process=2, batch_size=3)))
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, timeout=120)
    assert result.stdout.split() == ["28", "28"], result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("model", [{}, {"lora_rank": 4, "store_frozen": False}])
@pytest.mark.parametrize("kind", ["distilbert", "electra", "deberta", "mpnet"])
def test_other_kinds_of_encoders(make_nlp, encoder, tmp_path, kind, model):
    shutil.copytree(encoder, tmp_path / kind)
    vocab_size = len(Path(encoder, "vocab.txt").read_text().splitlines())
    sizes = {"vocab_size": vocab_size, "num_attention_heads": 2, "max_position_embeddings": 130}
    config = {
        "distilbert": lambda: DistilBertConfig(dim=16, n_layers=2, hidden_dim=32, n_heads=2, **sizes),
        "electra": lambda: ElectraConfig(embedding_size=8, hidden_size=16, num_hidden_layers=2, **sizes),
        # More rows than the tokenizer has words, as the published ones
        "deberta": lambda: DebertaV2Config(
            hidden_size=16, num_hidden_layers=2, **{**sizes, "vocab_size": vocab_size + 9}
        ),
        "mpnet": lambda: MPNetConfig(hidden_size=16, num_hidden_layers=2, **sizes),
    }[kind]()
    config.intermediate_size = 32
    AutoModel.from_config(config).save_pretrained(tmp_path / kind)
    nlp = make_nlp(model={"name": str(tmp_path / kind), **model})
    examples = make_examples(nlp.vocab)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    before = nlp.update(examples, sgd=optimizer())[NAME]
    assert train(nlp, steps=40)[1] < before
    nlp.to_disk(tmp_path / "pipeline")
    expected = probabilities(nlp, fresh_docs(nlp))
    assert_close(probabilities(spacy.load(tmp_path / "pipeline"), fresh_docs(nlp)), expected)


def test_docs_without_pairs(trained):
    nlp = trained(threshold=0.0)
    one = make_doc(nlp.vocab, [("Aspirin", "CHEMICAL"), ("works", "")])
    docs = [Doc(nlp.vocab), make_doc(nlp.vocab, [("nothing", "")]), one]
    assert [rels(doc) for doc in nlp.pipe(docs)] == [[], [], []]
    assert list(nlp.pipe([])) == []


def test_old_relations_are_replaced(trained):
    nlp = trained(threshold=1.0)
    doc = make_examples(nlp.vocab)[0].reference
    assert doc._.rels
    assert nlp(doc)._.rels == ()


MAPPED = {"DRUG": "CHEMICAL", "PROTEIN": "GENE"}


def renamed(doc):
    """The same document with the types of another component."""
    types = {type: own for own, type in MAPPED.items()}
    spans = [Span(doc, ent.start, ent.end, label=types[ent.label_]) for ent in doc.ents]
    doc.ents = spans
    return doc


def test_types_of_other_components_are_mapped(trained):
    nlp = trained(threshold=0.0, type_map=MAPPED)
    expected = [rels(nlp(doc)) for doc in fresh_docs(nlp)]
    found = [nlp(renamed(doc)) for doc in fresh_docs(nlp)]
    assert any(expected) and [rels(doc) for doc in found] == expected
    arguments = [span for doc in found for rel in doc._.rels for span in (rel.subject, rel.object)]
    assert {span.label_ for span in arguments} == set(MAPPED)
    assert all(span in span.doc.ents for span in arguments)


def test_a_mention_of_two_types_that_mean_the_same_is_one(trained):
    nlp = trained(threshold=0.0, spans_key="all", type_map=MAPPED)
    doc = make_doc(nlp.vocab, [("Aspirin", ""), ("inhibits", ""), ("COX-1", ""), (".", "")])
    places = [(0, "CHEMICAL"), (0, "DRUG"), (2, "GENE"), (2, "PROTEIN")]
    doc.spans["all"] = [Span(doc, start, start + 1, label=label) for start, label in places]
    assert [(rel.subject.text, rel.object.text) for rel in nlp(doc)._.rels] == [("Aspirin", "COX-1")]


@pytest.mark.parametrize("own", [("predicted",), ("reference",), ("predicted", "reference")])
def test_training_and_scores_see_mapped_types(make_nlp, own):
    nlp = make_nlp(type_map=MAPPED, threshold=0.0)
    rel, examples = nlp.get_pipe(NAME), make_examples(nlp.vocab)
    expected = rel.candidates.type_pairs == "learn" and [("CHEMICAL", "GENE")]
    for example in examples:
        for doc in (getattr(example, side) for side in own):
            gold = [(r.subject.start, r.predicate, r.object.start) for r in doc._.rels]
            of_token = {ent.start: ent for ent in renamed(doc).ents}
            doc._.rels = [(of_token[s], predicate, of_token[o]) for s, predicate, o in gold]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rel.initialize(lambda: examples, descriptions=DESCRIPTIONS)
    assert rel.model.attrs["entity_types"] == ["CHEMICAL", "GENE"] and rel.cfg["type_pairs"] == expected
    assert (rel.training_targets(examples).rows[:, 0] == 0).sum() == 4
    for example in examples:
        of_token = {ent.start: ent for ent in example.predicted.ents}
        example.predicted._.rels = [
            (of_token[r.subject.start], r.predicate, of_token[r.object.start]) for r in example.reference._.rels
        ]
    assert rel.score(examples)["rels_f"] == 1.0


def test_a_type_must_not_be_mapped_twice(make_nlp):
    with pytest.raises(ValueError, match="DR180.*'DRUG'"):
        make_nlp(type_map={"SIMPLE": "DRUG", "DRUG": "CHEMICAL"})
    assert make_nlp(type_map={"DRUG": "CHEMICAL", "CHEMICAL": "CHEMICAL"}).get_pipe(NAME).type_map


def said(caught, code):
    return [str(warning.message) for warning in caught if code in str(warning.message)]


@pytest.mark.parametrize(
    "words, settings, found",
    [
        ([("nothing", ""), ("here", "")], {}, "in doc.ents: no mention."),
        ([("a", "CHEM"), ("b", "PROT"), ("c", "CHEM")], {}, r"in doc.ents: CHEM \d, PROT \d."),
        ([("a", "CHEM"), ("b", "PROT")], {"type_map": {"CHEM": "DRUGS"}}, r"in doc.ents: DRUGS \d, PROT \d."),
        ([("a", "CHEM")], {"spans_key": "all"}, r"in doc.spans\['all'\] or doc.ents: CHEM \d."),
    ],
)
@pytest.mark.parametrize("in_batches", [True, False])
def test_documents_without_usable_mentions_are_said_once(trained, words, settings, found, in_batches):
    nlp = trained(**settings)
    docs = [Doc(nlp.vocab), *(make_doc(nlp.vocab, words) for _ in range(3))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = list(nlp.pipe(docs)) if in_batches else [nlp(doc) for doc in docs]
    assert all(doc._.rels == () for doc in done)
    (message,) = said(caught, "DW180")
    assert re.search(f"Found {found}.*Types that it knows: CHEMICAL, GENE", message)
    # Types that are listed are not said once more
    assert not said(caught, "DW165")


def test_usable_mentions_among_the_first_documents_are_enough(trained):
    nlp = trained()
    empty = make_doc(nlp.vocab, [("nothing", "")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(nlp.pipe([empty, *fresh_docs(nlp)]))
        nlp(empty)


def test_every_evaluation_without_mentions_says_so(trained):
    nlp = trained()
    examples = [Example(nlp.make_doc(e.reference.text), e.reference) for e in make_examples(nlp.vocab)]
    for _ in range(2):
        with pytest.warns(UserWarning, match="DW180"):
            assert nlp.evaluate(examples)["rels_f"] == 0.0


def test_unknown_types_are_said_with_the_known_ones(trained):
    nlp = trained()
    with pytest.warns(UserWarning, match="DW165.*'DISEASE'.*CHEMICAL, GENE.*type_map"):
        nlp(make_doc(nlp.vocab, [("Aspirin", "CHEMICAL"), ("fever", "DISEASE")]))


def test_analyze_pipes_sees_what_is_missing(make_nlp):
    nlp = make_nlp()
    assert set(nlp.analyze_pipes()["problems"][NAME]) == {"doc.ents", "doc.sents"}
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("entity_ruler", before=NAME)
    assert nlp.analyze_pipes()["problems"][NAME] == []


def test_one_document_that_fails_leaves_the_others_of_its_batch(trained, monkeypatch):
    nlp = trained(threshold=0.0)
    rel, docs = nlp.get_pipe(NAME), fresh_docs(nlp)
    expected = [rels(nlp(doc)) for doc in fresh_docs(nlp)]
    candidates = rel.get_candidates

    def failing(doc):
        if doc is docs[1]:
            raise RuntimeError("bad document")
        return candidates(doc)

    monkeypatch.setattr(rel, "get_candidates", failing)
    with pytest.raises(RuntimeError, match="bad document"):
        list(nlp.pipe(docs))
    failed = []
    nlp.set_error_handler(lambda name, component, docs, error: failed.append((name, docs, str(error))))
    assert [rels(doc) for doc in nlp.pipe(docs)] == [expected[0], expected[2]]
    assert failed == [(NAME, [docs[1]], "bad document")]
