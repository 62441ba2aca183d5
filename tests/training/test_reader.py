"""The corpus reader: what the predicted Docs get to see, and what they do not."""

from pathlib import Path
from typing import Any, List, Tuple

import pytest
import spacy
from helpers.pipelines import make_doc
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import get_long_forms, set_long_forms
from spacy_dualre.annotations.mentions import get_asked
from spacy_dualre.training.reader import copy_mentions, rel_corpus

NLP = spacy.blank("en")
WORDS = [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE"), (".", "")]
MORE = [("Losartan", "CHEMICAL"), ("blocks", ""), ("AT1", "GENE"), (".", "")]


def annotated() -> Doc:
    """Two sentences with a relation each, nested spans with ids, and what must not be seen: tags and user data."""
    doc = make_doc(NLP.vocab, WORDS + MORE, [(0, "INHIBITS", 1), (2, "BLOCKS", 3)], sent_starts=(0, 4))
    doc.spans["entities"] = [
        Span(doc, 0, 1, label="CHEMICAL", kb_id="D001241", span_id="T1"),
        Span(doc, 0, 3, label="GENE", span_id="T2"),
    ]
    doc.spans["other"] = [Span(doc, 1, 2, label="VERB")]
    doc[1].tag_ = "VBZ"
    doc.user_data["doc_id"] = "d1"
    return doc


def save(folder: Path, docs: List[Doc], name: str = "train") -> Path:
    path = folder / f"{name}.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def read(path: Any, **settings: Any) -> List[Example]:
    return list(rel_corpus(path, **settings)(spacy.blank("en")))


def triples(doc: Doc) -> List[Tuple[str, str, str]]:
    return [(r.subject.text, r.predicate, r.object.text) for r in doc._.rels]


def full(span: Span) -> Tuple[int, int, str, str, str]:
    return (span.start, span.end, span.label_, span.kb_id_, span.id_)


def test_predicted_docs_have_the_gold_mentions_and_sentences(tmp_path: Path) -> None:
    (example,) = read(save(tmp_path, [annotated()]))
    reference, predicted = example.reference, example.predicted
    assert predicted.text == reference.text == "Aspirin inhibits COX-1 . Losartan blocks AT1 . "
    assert [full(ent) for ent in predicted.ents] == [full(ent) for ent in reference.ents]
    assert len(predicted.ents) == 4
    assert set(predicted.spans) == {"entities", "other"}
    assert [full(span) for span in predicted.spans["entities"]] == [
        (0, 1, "CHEMICAL", "D001241", "T1"),
        (0, 3, "GENE", "", "T2"),
    ]
    assert [sent.start for sent in predicted.sents] == [0, 4]


def test_predicted_docs_have_no_relations_and_nothing_else(tmp_path: Path) -> None:
    (example,) = read(save(tmp_path, [annotated()]))
    assert triples(example.reference) == [("Aspirin", "INHIBITS", "COX-1"), ("Losartan", "BLOCKS", "AT1")]
    assert triples(example.predicted) == [] and example.predicted.user_data == {"doc_id": "d1"}
    assert not example.predicted.has_annotation("TAG")


def test_the_copy_is_a_document_of_its_own() -> None:
    doc = annotated()
    copy = copy_mentions(doc)
    copy.ents = ()
    copy.spans["entities"] = []
    copy._.rels = [Relation(copy[0:1], "X", copy[2:3])]
    assert len(doc.ents) == 4 and len(doc.spans["entities"]) == 2 and len(doc._.rels) == 2


def test_blanks_and_odd_tokens_are_copied() -> None:
    doc = Doc(NLP.vocab, words=["anti-", "IL2", "\u2009", "x", "."], spaces=[False, True, False, False, False])
    copy = copy_mentions(doc)
    assert copy.text == doc.text == "anti-IL2 \u2009x."
    assert [token.text for token in copy] == [token.text for token in doc]


def test_a_document_without_sentences_stays_without() -> None:
    doc = make_doc(NLP.vocab, WORDS, sent_starts=())
    assert not copy_mentions(doc).has_annotation("SENT_START")


def test_an_empty_document_is_copied() -> None:
    copy = copy_mentions(Doc(NLP.vocab))
    assert len(copy) == 0 and not copy.spans


def test_without_gold_mentions_the_predicted_docs_have_only_the_text(tmp_path: Path) -> None:
    (example,) = read(save(tmp_path, [annotated()]), gold_mentions=False)
    assert example.predicted.text == example.reference.text
    assert not example.predicted.ents and not example.predicted.spans
    assert not example.predicted.has_annotation("SENT_START") and triples(example.predicted) == []
    assert len(triples(example.reference)) == 2


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    save(tmp_path, [annotated(), annotated()], "a")
    save(tmp_path, [annotated()], "b")
    assert len(read(tmp_path)) == len(read(str(tmp_path))) == 3


def test_limit_stops_within_a_file(tmp_path: Path) -> None:
    path = save(tmp_path, [annotated()] * 3)
    assert [len(read(path, limit=limit)) for limit in (0, 1, 2, 5)] == [3, 1, 2, 3]


def test_limit_counts_over_all_files_of_a_folder(tmp_path: Path) -> None:
    save(tmp_path, [annotated(), annotated()], "a")
    save(tmp_path, [annotated()], "b")
    assert len(read(tmp_path, limit=2)) == 2


def test_documents_with_some_predicates_are_left_out(tmp_path: Path) -> None:
    docs = [annotated(), annotated(), annotated()]
    docs[0]._.rels = [docs[0]._.rels[0]._replace(predicate="NEW"), *docs[0]._.rels[1:]]
    docs[1]._.rels = []
    path = save(tmp_path, docs)
    left = read(path, without=["NEW", "NEVER"])
    assert [len(example.reference._.rels) for example in left] == [0, 2]
    assert len(read(path, without=["NEW"], limit=1)) == 1


def test_documents_of_some_predicates_alone_are_asked_about_these(tmp_path: Path) -> None:
    both, none = annotated(), make_doc(NLP.vocab, WORDS)
    one = make_doc(NLP.vocab, WORDS, [(0, "INHIBITS", 1)])
    path = save(tmp_path, [both, none, one])
    (example,) = read(path, only=["INHIBITS", "OTHER"])
    assert triples(example.reference) == [("Aspirin", "INHIBITS", "COX-1")]
    assert get_asked(example.predicted) == {"INHIBITS", "OTHER"}
    assert len(read(path, only=["INHIBITS", "BLOCKS"])) == 2
    assert [get_asked(example.predicted) for example in read(path)] == [None, None, None]


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    corpus = rel_corpus(save(tmp_path, [annotated(), annotated()]))
    nlp = spacy.blank("en")
    assert [eg.predicted.text for eg in corpus(nlp)] == [eg.predicted.text for eg in corpus(nlp)]
    assert len(list(corpus(nlp))) == 2


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "One."}')
    with pytest.raises(ValueError, match="DR153.*data.jsonl: expected a .spacy file"):
        rel_corpus(path)


@pytest.mark.parametrize("name", ["nowhere.spacy", "nowhere"])
def test_a_missing_path_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"DR005.*{name}: not found"):
        rel_corpus(tmp_path / name)


def test_no_path_is_an_error_too() -> None:
    with pytest.raises(ValueError, match="DR152.*--paths.train"):
        rel_corpus(None)


def test_the_reader_is_registered() -> None:
    assert registry.readers.get("spacy-dualre.RelCorpus.v1") is rel_corpus


def ruled() -> Language:
    """A pipeline whose ruler finds two of the four mentions, and one that is wrong."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    patterns = [("CHEMICAL", "Aspirin"), ("GENE", "COX-1"), ("GENE", "blocks")]
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": pattern} for label, pattern in patterns])
    return nlp


def test_components_of_the_pipeline_find_the_mentions(tmp_path: Path) -> None:
    corpus = rel_corpus(save(tmp_path, [annotated()]), False, annotating_components=["sentencizer", "entity_ruler"])
    nlp = ruled()
    # As frozen ones are at initialisation
    with nlp.select_pipes(disable=["entity_ruler"]):
        (example,) = corpus(nlp)
    assert [(ent.text, ent.label_) for ent in example.predicted.ents] == [
        ("Aspirin", "CHEMICAL"),
        ("COX-1", "GENE"),
        ("blocks", "GENE"),
    ]
    assert example.predicted.has_annotation("SENT_START") and len(example.reference.ents) == 4


def test_an_annotating_component_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DR151.*'ner'.*sentencizer, entity_ruler"):
        list(rel_corpus(save(tmp_path, [annotated()]), False, annotating_components=["ner"])(ruled()))


def test_long_forms_are_copied() -> None:
    doc = annotated()
    set_long_forms(doc, {"COX-1": "cyclooxygenase-1"})
    assert get_long_forms(copy_mentions(doc)) == {"COX-1": "cyclooxygenase-1"}
