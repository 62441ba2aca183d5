"""One pipeline that learns from corpora with different predicates."""

import numpy
import pytest
import spacy
import srsly
from helpers.pipelines import DESCRIPTIONS, NAME, fresh_docs, make_examples, optimizer, rels
from spacy.tokens import DocBin

from spacy_dualre.extract import Extraction
from spacy_dualre.formats.documents import Documents
from spacy_dualre.formats.jsonl import to_json
from spacy_dualre.records.from_docs import doc_to_record
from spacy_dualre.records.record import Place
from spacy_dualre.training.reader import rel_corpus

CORPORA = ("inhibition", "activation")


def mixed(vocab):
    """The three documents twice: one corpus has annotated inhibition alone, the other activation."""
    for corpus, predicate in zip(CORPORA, ("INHIBITS", "ACTIVATES")):
        for example in make_examples(vocab):
            reference = example.reference
            reference._.rels = [rel for rel in reference._.rels if rel.predicate == predicate]
            for doc in (reference, example.predicted):
                doc.user_data["corpus"] = corpus
            yield example


@pytest.fixture
def make(make_nlp):
    def initialised(**settings):
        nlp = make_nlp(**settings)
        nlp.get_pipe(NAME).initialize(lambda: mixed(nlp.vocab), nlp=nlp, descriptions=DESCRIPTIONS)
        return nlp

    return initialised


def possible(nlp, corpus):
    """(P, L) booleans: the predicates that the documents are asked about if they name this corpus."""
    docs = fresh_docs(nlp)
    for doc in docs:
        if corpus is not None:
            doc.user_data["corpus"] = corpus
    return numpy.concatenate([scored.scores.possible for scored in nlp.get_pipe(NAME).stream(docs)])


@pytest.mark.parametrize("per_corpus", [True, False])
def test_documents_are_asked_about_the_predicates_of_their_corpus(make, per_corpus):
    nlp = make(predicates_per_corpus=per_corpus)
    labels = list(nlp.get_pipe(NAME).label_data)
    for corpus, only in (("inhibition", "INHIBITS"), ("activation", "ACTIVATES"), ("another", None), (None, None)):
        expected = [label in ("no_relation", only) or only is None or not per_corpus for label in labels]
        assert (possible(nlp, corpus) == numpy.array(expected)).all()


def test_extraction_asks_about_the_predicates_of_the_corpus(make, tmp_path):
    nlp = make(predicates_per_corpus=True, threshold=0.0)
    docs = fresh_docs(nlp)
    for doc in docs:
        doc.user_data["corpus"] = "inhibition"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "in.spacy")
    lines = [
        {
            **to_json(doc_to_record(doc, str(i), Place(tmp_path))),
            "meta": {"corpus": "inhibition", "split": "x", "year": 1},
        }
        for i, doc in enumerate(docs)
    ]
    srsly.write_jsonl(tmp_path / "in.jsonl", lines)
    for name in ("in.spacy", "in.jsonl"):
        extraction = Extraction(nlp, print)
        found = list(extraction.extract(extraction.read(Documents(tmp_path / name)), batch_size=2))
        assert {rel.predicate for record in found for rel in record.relations} == {"INHIBITS"}
        assert all(record.meta["corpus"] == "inhibition" for record in found)
    assert found[0].meta["split"] == "x" and found[0].meta["year"] == 1


def test_a_corpus_that_is_no_text_is_none(make, tmp_path):
    nlp = make(predicates_per_corpus=True, threshold=0.0)
    plain, doc = (fresh_docs(nlp)[0] for _ in range(2))
    expected = rels(nlp(plain))
    doc.user_data.update({"corpus": [b"mine"], "split": b"x"})
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "in.spacy")
    extraction = Extraction(nlp, print)
    (found,) = extraction.extract(extraction.read(Documents(tmp_path / "in.spacy")), batch_size=2)
    assert len(found.relations) == len(expected) > 0 and "corpus" not in found.meta
    assert rels(nlp(doc)) == expected


@pytest.mark.slow
def test_what_a_corpus_has_not_annotated_is_not_learnt_as_negative(make):
    nlp = make(predicates_per_corpus=True)
    spacy.util.fix_random_seed(0)
    sgd = optimizer()
    examples = list(mixed(nlp.vocab))
    for _ in range(150):
        if nlp.update(examples, sgd=sgd)[NAME] < 0.02:
            break
    # Documents of neither corpus get the relations that each corpus has annotated a half of
    found = {(s, p, o) for doc in nlp.pipe(fresh_docs(nlp)) for s, p, o, _ in rels(doc)}
    assert found == {
        (rel.subject.text, rel.predicate, rel.object.text)
        for example in make_examples(nlp.vocab)
        for rel in example.reference._.rels
    }


def test_in_training_the_reference_says_the_corpus_of_a_document_that_does_not(make):
    rel = make(predicates_per_corpus=True).get_pipe(NAME)

    def loss(corpora):
        """With these corpora said by the predicted Docs; None: not said."""
        examples = list(mixed(rel.vocab))
        for example, corpus in zip(examples, corpora):
            example.predicted.user_data["corpus"] = corpus
        spacy.util.fix_random_seed(0)
        return rel.update(examples)[NAME]

    said = [corpus for corpus in CORPORA for _ in range(3)]
    assert loss([None] * 6) == loss([["a note"]] * 6) == loss(said)
    assert loss(["another"] * 6) != loss(said)


def test_predicates_that_no_corpus_has_are_asked_for_everywhere(make):
    nlp = make(predicates_per_corpus=True)
    nlp.get_pipe(NAME).add_label("BINDS", "{subject} sticks to {object}.")
    assert possible(nlp, "inhibition")[:, -1].all()
    labels = list(nlp.get_pipe(NAME).label_data)
    assert not possible(nlp, "inhibition")[:, labels.index("ACTIVATES")].any()


def test_it_is_stored(make, tmp_path):
    nlp = make(predicates_per_corpus=True)
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert loaded.get_pipe(NAME).cfg["of_corpus"] == {"activation": ["ACTIVATES"], "inhibition": ["INHIBITS"]}
    numpy.testing.assert_array_equal(possible(loaded, "activation"), possible(nlp, "activation"))


def test_a_folder_of_converted_corpora_is_read_with_their_names(make, tmp_path):
    nlp = make(predicates_per_corpus=True)
    for corpus in CORPORA:
        docs = [example.reference for example in mixed(nlp.vocab) if example.reference.user_data["corpus"] == corpus]
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / f"{corpus}.spacy")
    examples = list(rel_corpus(tmp_path)(nlp))
    assert sorted(example.predicted.user_data["corpus"] for example in examples) == sorted(CORPORA * 3)
    expected = {"activation": ["ACTIVATES"], "inhibition": ["INHIBITS"]}
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    assert nlp.get_pipe(NAME).cfg["of_corpus"] == expected
