"""Records -> Docs: nothing moves, nothing is lost without being counted."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_dualre.corpora.chemprot import read
from spacy_dualre.corpora.convert import SPANS_KEY, ConversionReport, records_to_docs
from spacy_dualre.corpora.record import MentionRecord, Record, RelationRecord
from spacy_dualre.errors import CorpusError

DEMO = Path(__file__).parents[1] / "assets" / "demo"
SAMPLE = Path(__file__).parents[2] / "shared" / "corpora" / "chemprot" / "chemprot_sample"


def sentencizer() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


NLP = sentencizer()


@Language.component("spacy_dualre_test_every_token_a_sentence")
def every_token_a_sentence(doc: Doc) -> Doc:
    for token in doc:
        token.is_sent_start = True
    return doc


def cutting() -> Language:
    """A splitter that cuts before every token, so also inside names."""
    nlp = spacy.blank("en")
    nlp.add_pipe("spacy_dualre_test_every_token_a_sentence")
    return nlp


CUTTING = cutting()


def record(text: str, *mentions: Tuple[str, str], relations: Any = (), breaks: Tuple[int, ...] = ()) -> Record:
    """Mentions are (surface, type), each at its first place in the text, with the ids T1, T2 and so on."""
    found = [
        MentionRecord(f"T{i}", type, text.index(s), text.index(s) + len(s)) for i, (s, type) in enumerate(mentions, 1)
    ]
    return Record("d1", text, found, [RelationRecord(*rel) for rel in relations], breaks, {"corpus": "c", "split": "s"})


def convert(*records: Record, nlp: Language = NLP) -> Tuple[List[Doc], ConversionReport]:
    report = ConversionReport()
    return list(records_to_docs(records, nlp, report)), report


def spans(doc: Doc) -> List[Tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.spans[SPANS_KEY]]


def test_mentions_relations_and_origin_reach_the_doc() -> None:
    (doc,), report = convert(
        record("Aspirin inhibits COX-1.", ("COX-1", "GENE"), ("Aspirin", "CHEMICAL"), relations=[("CPR:4", "T2", "T1")])
    )
    assert spans(doc) == [("Aspirin", "CHEMICAL"), ("COX-1", "GENE")]
    assert [span.id_ for span in doc.spans[SPANS_KEY]] == ["T2", "T1"]
    assert [(ent.text, ent.label_) for ent in doc.ents] == spans(doc)
    assert [(r.subject.text, r.predicate, r.object.text, r.score) for r in doc._.rels] == [
        ("Aspirin", "CPR:4", "COX-1", 1.0)
    ]
    assert {key: doc.user_data[key] for key in ("doc_id", "corpus", "split")} == {
        "doc_id": "d1",
        "corpus": "c",
        "split": "s",
    }
    assert (report.documents, report.mentions, report.relations) == (1, 2, 1)


def test_concepts_become_kb_ids() -> None:
    (doc,), _ = convert(Record("d", "Aspirin", [MentionRecord("m", "CHEMICAL", 0, 7, concept="D001241")]))
    assert [(span.kb_id_, span.id_) for span in doc.spans[SPANS_KEY]] == [("D001241", "m")]


def test_a_mention_glued_into_a_token_is_cut_out() -> None:
    text = "the anti-IL2pathway-type drug"
    (doc,), report = convert(record(text, ("IL2", "GENE"), ("drug", "CHEMICAL")))
    assert doc.text == text
    assert spans(doc) == [("IL2", "GENE"), ("drug", "CHEMICAL")]
    assert "IL2" not in [token.text for token in spacy.blank("en")(text)]
    assert report.mentions_that_split_a_token == 1


def test_cuts_keep_blanks_where_they_were() -> None:
    text = "xAxB yC  z"
    mentions = [MentionRecord("1", "X", 1, 2), MentionRecord("2", "X", 3, 4), MentionRecord("3", "X", 6, 7)]
    (doc,), report = convert(Record("d", text, mentions))
    assert doc.text == text
    assert [(token.text, token.whitespace_) for token in doc][:6] == [
        ("x", ""), ("A", ""), ("x", ""), ("B", " "), ("y", ""), ("C", " "),
    ]  # fmt: skip
    assert report.mentions_that_split_a_token == 3


def test_a_text_without_cuts_keeps_the_tokenizers_tokens() -> None:
    text = "Aspirin doesn't inhibit COX-1 (in vitro)."
    (doc,), report = convert(record(text, ("Aspirin", "CHEMICAL")))
    assert [token.text for token in doc] == [token.text for token in spacy.blank("en")(text)]
    assert report.mentions_that_split_a_token == 0


def test_nested_mentions_are_all_in_the_spans_and_the_longest_in_ents() -> None:
    (doc,), report = convert(
        record("tyrosine kinase and ATP", ("tyrosine", "CHEMICAL"), ("tyrosine kinase", "GENE"), ("ATP", "CHEMICAL"))
    )
    assert spans(doc) == [("tyrosine", "CHEMICAL"), ("tyrosine kinase", "GENE"), ("ATP", "CHEMICAL")]
    assert [ent.text for ent in doc.ents] == ["tyrosine kinase", "ATP"]
    assert report.mentions_not_in_ents == 1 and report.mentions_merged == 0


def test_one_span_with_two_types_is_two_mentions() -> None:
    (doc,), report = convert(
        record("insulin rose", ("insulin", "CHEMICAL"), ("insulin", "GENE"), relations=[("CPR:3", "T1", "T2")])
    )
    assert spans(doc) == [("insulin", "CHEMICAL"), ("insulin", "GENE")]
    assert [(r.subject.label_, r.object.label_) for r in doc._.rels] == [("CHEMICAL", "GENE")]
    assert report.mentions_merged == 0 and report.mentions_not_in_ents == 1


def test_the_same_mention_given_twice_is_one_and_counted() -> None:
    (doc,), report = convert(
        record(
            "A1 hits B2",
            ("A1", "CHEMICAL"),
            ("A1", "CHEMICAL"),
            ("B2", "GENE"),
            relations=[("CPR:3", "T1", "T3"), ("CPR:3", "T2", "T3"), ("CPR:4", "T2", "T3")],
        )
    )
    assert spans(doc) == [("A1", "CHEMICAL"), ("B2", "GENE")]
    assert [r.predicate for r in doc._.rels] == ["CPR:3", "CPR:4"]
    assert (report.mentions, report.mentions_merged) == (3, 1)
    assert (report.relations, report.duplicate_relations, report.pairs_with_several_predicates) == (2, 1, 1)


def test_predicates_and_type_pairs_are_counted() -> None:
    _, report = convert(
        record(
            "A1 hits B2 and C3",
            ("A1", "CHEMICAL"),
            ("B2", "GENE"),
            ("C3", "GENE"),
            relations=[("CPR:3", "T1", "T2"), ("CPR:3", "T1", "T3"), ("CPR:9", "T3", "T2")],
        )
    )
    assert report.predicates == {"CPR:3": 2, "CPR:9": 1}
    assert report.type_pairs == {"CHEMICAL|GENE": 2, "GENE|GENE": 1}
    assert report.to_json()["predicates"] == {"CPR:3": 2, "CPR:9": 1}
    assert type(report.to_json()["predicates"]) is dict


def test_no_sentence_starts_inside_a_mention() -> None:
    (doc,), report = convert(record("see alpha beta gamma here", ("alpha beta gamma", "GENE")), nlp=CUTTING)
    assert [sent.text for sent in doc.sents] == ["see", "alpha beta gamma", "here"]
    assert report.sentence_breaks_removed_inside_a_mention == 2


def test_no_sentence_starts_where_a_token_was_cut_inside_a_mention() -> None:
    (doc,), _ = convert(
        record("B2-O-CH(2) works. Yes.", ("B2-O-CH(2)", "CHEMICAL"), ("CH", "GENE"), ("O", "GENE")), nlp=CUTTING
    )
    assert [sent.text for sent in doc.sents][:2] == ["B2-O-CH(2)", "works"]


def test_a_sentence_starts_at_a_break() -> None:
    text = "A title without stop The abstract. More."
    (doc,), _ = convert(record(text, breaks=(21,)))
    assert [sent.text for sent in doc.sents] == ["A title without stop", "The abstract.", "More."]


def test_a_break_counts_without_a_splitter_too() -> None:
    (doc,), _ = convert(record("Title Abstract one.", breaks=(6,)), nlp=spacy.blank("en"))
    assert [sent.text for sent in doc.sents] == ["Title", "Abstract one."]


def test_relations_across_sentences_are_kept_and_counted() -> None:
    (doc,), report = convert(
        record(
            "A1 works. B2 rests. C3 too.",
            ("A1", "CHEMICAL"),
            ("B2", "GENE"),
            ("C3", "GENE"),
            relations=[("CPR:3", "T1", "T2"), ("CPR:3", "T2", "T3"), ("CPR:3", "T2", "T2")],
        )
    )
    assert len(doc._.rels) == 3 and report.relations_across_sentences == 2


def test_the_report_adds_up_over_documents() -> None:
    one = record("A1 hits B2", ("A1", "CHEMICAL"), ("B2", "GENE"), relations=[("CPR:3", "T1", "T2")])
    docs, report = convert(one, one, one)
    assert len(docs) == 3
    assert (report.documents, report.mentions, report.relations, report.predicates["CPR:3"]) == (3, 6, 3, 3)


def test_a_document_without_anything_is_converted() -> None:
    (doc,), report = convert(record("Nothing to see."), nlp=NLP)
    assert spans(doc) == [] and doc.ents == () and doc._.rels == []
    assert report.to_json()["documents"] == 1


def test_a_splitter_that_parses_is_of_use_too() -> None:
    @Language.component("spacy_dualre_test_parser")
    def parser(doc: Doc) -> Doc:
        words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
        # One tree over all four words: a parser that overlooked the end of the title.
        return Doc(doc.vocab, words=words, spaces=spaces, heads=[0] * len(doc), deps=["dep"] * len(doc))

    nlp = spacy.blank("en")
    nlp.add_pipe("spacy_dualre_test_parser")
    (doc,), _ = convert(record("Big red title Abstract", ("Abstract", "GENE"), breaks=(14,)), nlp=nlp)
    assert [sent.text for sent in doc.sents] == ["Big red title", "Abstract"]


ALPHABET = ["a", "B", "1", "-", "(", ")", ".", ",", "'", " ", " ", "\u00a0", "\u2009", "β", "e\u0301", "/"]


@st.composite
def any_records(draw: Any) -> Record:
    text = "".join(draw(st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=40)))
    mentions = []
    for i in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        mentions.append(MentionRecord(f"T{i}", draw(st.sampled_from(["CHEMICAL", "GENE"])), start, end))
    ids = [mention.id for mention in mentions]
    pairs = (
        draw(st.lists(st.tuples(st.sampled_from(["P", "Q"]), st.sampled_from(ids), st.sampled_from(ids))))
        if ids
        else []
    )
    return Record("d", text, mentions, [RelationRecord(*pair) for pair in pairs])


def has_blank_edge(record: Record) -> bool:
    return any(not record.text[m.start : m.end][i].strip() for m in record.mentions for i in (0, -1))


@settings(max_examples=200, deadline=None)
@given(any_records())
def test_every_mention_keeps_its_characters_and_every_relation_its_mentions(record: Record) -> None:
    record.mentions = [m for m in record.mentions if not has_blank_edge(Record("", record.text, [m]))]
    ids = {mention.id: mention for mention in record.mentions}
    record.relations = [rel for rel in record.relations if rel.subject in ids and rel.object in ids]
    (doc,), report = convert(record, nlp=CUTTING)
    assert doc.text == record.text
    found = {(span.start_char, span.end_char, span.label_) for span in doc.spans[SPANS_KEY]}
    assert found == {(m.start, m.end, m.type) for m in record.mentions}
    assert len(doc.spans[SPANS_KEY]) == len(found) == report.mentions - report.mentions_merged

    def place(mention: Any) -> Tuple[int, int, str]:
        return (mention.start, mention.end, mention.type)

    rels = {
        (
            (r.subject.start_char, r.subject.end_char, r.subject.label_),
            r.predicate,
            (r.object.start_char, r.object.end_char, r.object.label_),
        )
        for r in doc._.rels
    }
    assert rels == {(place(ids[r.subject]), r.predicate, place(ids[r.object])) for r in record.relations}
    assert len(record.relations) == report.relations + report.duplicate_relations
    starts = {token.i for token in doc if token.is_sent_start}
    assert not any(starts & set(range(span.start + 1, span.end)) for span in doc.spans[SPANS_KEY])


@settings(max_examples=200, deadline=None)
@given(any_records())
def test_whatever_the_mentions_only_a_corpus_error_comes_out(record: Record) -> None:
    try:
        (doc,), _ = convert(record)
    except CorpusError:
        return
    assert doc.text == record.text and len(doc._.rels) <= len(record.relations)


@pytest.mark.parametrize("surface", [" inhibits", "inhibits ", "\u00a0COX-1"])
def test_a_mention_that_begins_or_ends_with_a_blank_is_no_crash(surface: str) -> None:
    try:
        (doc,), _ = convert(record("Aspirin inhibits \u00a0COX-1 here", (surface, "GENE")))
    except CorpusError:
        return
    assert [text.strip() for text, _ in spans(doc)] == [surface.strip()]


def as_bytes(folder: Path, limit: int) -> bytes:
    docs = records_to_docs(list(read(folder))[:limit], sentencizer(), ConversionReport())
    return DocBin(docs=docs, store_user_data=True).to_bytes()


def test_the_same_input_gives_the_same_bytes() -> None:
    assert as_bytes(DEMO / "demo_development", 5) == as_bytes(DEMO / "demo_development", 5)


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "import hashlib, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from test_convert import as_bytes; print(hashlib.sha256(as_bytes(Path(sys.argv[2]), 5)).hexdigest())"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(DEMO / "demo_development")]
    result = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == hashlib.sha256(as_bytes(DEMO / "demo_development", 5)).hexdigest()


def test_converted_docs_survive_the_file() -> None:
    nlp = sentencizer()
    docs = list(records_to_docs(list(read(DEMO / "demo_development"))[:5], nlp, ConversionReport()))
    loaded = list(
        DocBin().from_bytes(DocBin(docs=docs, store_user_data=True).to_bytes()).get_docs(spacy.blank("en").vocab)
    )
    for before, after in zip(docs, loaded, strict=True):
        assert before.text == after.text and spans(before) == spans(after)
        assert [span.id_ for span in before.spans[SPANS_KEY]] == [span.id_ for span in after.spans[SPANS_KEY]]
        assert [(r.subject.text, r.predicate, r.object.text) for r in before._.rels] == [
            (r.subject.text, r.predicate, r.object.text) for r in after._.rels
        ]
        assert [sent.text for sent in before.sents] == [sent.text for sent in after.sents]
        assert after.user_data["doc_id"] == before.user_data["doc_id"]


@pytest.mark.parametrize("folder", [DEMO / "demo_training", SAMPLE], ids=["demo", "official sample"])
def test_a_whole_split_loses_nothing(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the official files are not there (folder shared/corpora/chemprot beside the repository)")
    records = list(read(folder))
    docs, report = convert(*records)
    assert report.documents == len(docs) == len(records)
    assert report.mentions == sum(len(record.mentions) for record in records)
    assert report.relations + report.duplicate_relations == sum(len(record.relations) for record in records)
    assert sum(len(doc._.rels) for doc in docs) == report.relations == sum(report.predicates.values())
    assert sum(len(doc.spans[SPANS_KEY]) for doc in docs) == report.mentions - report.mentions_merged
    assert sum(len(doc.ents) for doc in docs) == report.mentions - report.mentions_merged - report.mentions_not_in_ents
    assert set(report.type_pairs) == {"CHEMICAL|GENE"}
