"""Records -> Docs: nothing moves, nothing is lost without being counted."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
import spacy
from helpers.paths import ROOT, SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_dualre.annotations.mentions import SPANS_KEY
from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import chemprot, jsonl
from spacy_dualre.records.record import MentionRecord, Place, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

DEMO = ROOT / "assets" / "demo"
PLACE = Place(Path("made-up.txt"), 3)
SAMPLE = SHARED / "corpora" / "chemprot" / "chemprot_sample"


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


def record(text: str, *mentions: Tuple[str, str], relations: Any = (), **values: Any) -> Record:
    """Mentions are (surface, type), each at its first place in the text, with the ids T1, T2 and so on."""
    record = Record("d1", text, PLACE, meta={"corpus": "c", "split": "s"}, **values)
    for i, (surface, type) in enumerate(mentions, 1):
        start = text.index(surface)
        record.add_mention(MentionRecord(f"T{i}", type, start, start + len(surface)))
    for rel in relations:
        record.add_relation(RelationRecord(*rel))
    return record


def with_concepts(text: str, mentions: Dict[str, Tuple[str, ...]], relations: Any = ()) -> Record:
    """Mentions are surface -> concepts, in the order of the text; relations are between concepts."""
    record, end = Record("d1", text, PLACE), 0
    for i, (surface, concepts) in enumerate(mentions.items(), 1):
        start = text.index(surface, end)
        end = start + len(surface)
        record.add_mention(MentionRecord(f"T{i}", "GENE", start, end, concepts))
    for rel in relations:
        record.add_concept_relation(RelationRecord(*rel))
    return record


def convert(*records: Record, nlp: Language = NLP, **settings: Any) -> Tuple[List[Doc], ConversionReport]:
    report = ConversionReport()
    return list(records_to_docs(records, nlp, report, **settings)), report


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
    origin = {key: value for key, value in doc.user_data.items() if isinstance(key, str)}
    assert origin == {"doc_id": "d1", "breaks": [], "corpus": "c", "split": "s"}
    assert (report.counts["documents"], report.counts["mentions"], report.counts["relations"]) == (1, 2, 1)


def test_scores_of_relations_are_kept() -> None:
    (doc,), _ = convert(record("A1 hits B2", ("A1", "X"), ("B2", "Y"), relations=[("P", "T1", "T2", 0.25)]))
    assert [r.score for r in doc._.rels] == [0.25]


def test_breaks_reach_the_doc() -> None:
    (doc,), _ = convert(record("Title Abstract", breaks=(6,)))
    assert doc.user_data["breaks"] == [6]


def test_meta_data_reach_the_doc_but_never_hide_its_id() -> None:
    (doc,), _ = convert(Record("d1", "A b", PLACE, breaks=(2,), meta={"x": [1, None], "doc_id": "m", "breaks": "m"}))
    origin = {key: value for key, value in doc.user_data.items() if isinstance(key, str)}
    assert origin == {"x": [1, None], "doc_id": "d1", "breaks": [2]}


@pytest.mark.parametrize("value", [10**30, {"a": object()}, "\ud800"])
def test_meta_data_that_no_file_can_hold_are_refused(value: Any) -> None:
    with pytest.raises(CorpusError, match="made-up.txt, line 3: the meta data of document d1 cannot be stored"):
        convert(Record("d1", "A b", PLACE, meta={"x": value}))


@pytest.mark.parametrize("key", ["sc", "rel mentions"])
def test_the_span_group_can_be_chosen(key: str) -> None:
    (doc,), _ = convert(record("A1 hits B2", ("A1", "X")), spans_key=key)
    assert list(doc.spans) == [key] and [span.text for span in doc.spans[key]] == ["A1"]


def test_a_mention_glued_into_a_token_is_cut_out() -> None:
    text = "the anti-IL2pathway-type drug"
    (doc,), report = convert(record(text, ("IL2", "GENE"), ("drug", "CHEMICAL")))
    assert doc.text == text
    assert spans(doc) == [("IL2", "GENE"), ("drug", "CHEMICAL")]
    assert "IL2" not in [token.text for token in spacy.blank("en")(text)]
    assert report.counts["mentions_that_split_a_token"] == 1


def test_cuts_keep_blanks_where_they_were() -> None:
    text = "xAxB yC  z"
    mentions = [MentionRecord("1", "X", 1, 2), MentionRecord("2", "X", 3, 4), MentionRecord("3", "X", 6, 7)]
    (doc,), report = convert(Record("d", text, PLACE, mentions))
    assert doc.text == text
    assert [(token.text, token.whitespace_) for token in doc][:6] == [
        ("x", ""), ("A", ""), ("x", ""), ("B", " "), ("y", ""), ("C", " "),
    ]  # fmt: skip
    assert report.counts["mentions_that_split_a_token"] == 3


def test_a_text_without_cuts_keeps_the_tokenizers_tokens() -> None:
    text = "Aspirin doesn't inhibit COX-1 (in vitro)."
    (doc,), report = convert(record(text, ("Aspirin", "CHEMICAL")))
    assert [token.text for token in doc] == [token.text for token in spacy.blank("en")(text)]
    assert report.counts["mentions_that_split_a_token"] == 0


def test_nested_mentions_are_all_in_the_spans_and_the_longest_in_ents() -> None:
    (doc,), report = convert(
        record("tyrosine kinase and ATP", ("tyrosine", "CHEMICAL"), ("tyrosine kinase", "GENE"), ("ATP", "CHEMICAL"))
    )
    assert spans(doc) == [("tyrosine", "CHEMICAL"), ("tyrosine kinase", "GENE"), ("ATP", "CHEMICAL")]
    assert [ent.text for ent in doc.ents] == ["tyrosine kinase", "ATP"]
    assert report.counts["mentions_nested_or_overlapping"] == 1 and report.counts["mentions_merged"] == 0


def test_one_span_with_two_types_is_two_mentions() -> None:
    (doc,), report = convert(
        record("insulin rose", ("insulin", "CHEMICAL"), ("insulin", "GENE"), relations=[("CPR:3", "T1", "T2")])
    )
    assert spans(doc) == [("insulin", "CHEMICAL"), ("insulin", "GENE")]
    assert [(r.subject.label_, r.object.label_) for r in doc._.rels] == [("CHEMICAL", "GENE")]
    assert report.counts["mentions_merged"] == 0 and report.counts["mentions_nested_or_overlapping"] == 1
    assert report.counts["relations_with_itself"] == 0


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
    assert (report.counts["mentions"], report.counts["mentions_merged"]) == (3, 1)
    assert (
        report.counts["relations"],
        report.counts["relations_given_twice"],
        report.counts["pairs_with_several_predicates"],
    ) == (2, 1, 1)


def test_types_predicates_and_type_pairs_are_counted() -> None:
    _, report = convert(
        record(
            "A1 hits B2 and C3",
            ("A1", "CHEMICAL"),
            ("B2", "GENE"),
            ("C3", "GENE"),
            relations=[("CPR:3", "T1", "T2"), ("CPR:3", "T1", "T3"), ("CPR:9", "T3", "T2")],
        )
    )
    assert report.counts_by["mentions_of_type"] == {"GENE": 2, "CHEMICAL": 1}
    assert report.counts_by["relations_of_predicate"] == {"CPR:3": 2, "CPR:9": 1}
    assert report.counts_by["relations_of_type_pair"] == {"CHEMICAL|GENE": 2, "GENE|GENE": 1}


def test_the_report_is_json_with_the_most_frequent_first() -> None:
    report = ConversionReport(Counter(documents=2))
    report.counts_by["relations_of_predicate"].update(["A", "B", "B"])
    values = report.to_json()
    assert list(values["relations_of_predicate"].items()) == [("B", 2), ("A", 1)]
    assert type(values["relations_of_predicate"]) is dict and values["documents"] == 2
    assert json.loads(json.dumps(values)) == values


def test_the_blanks_that_were_cut_off_a_mention_are_reported() -> None:
    (doc,), report = convert(record("A1 hits B2", ("A1 ", "X"), (" B2", "Y"), relations=[("P", "T1", "T2")]))
    assert spans(doc) == [("A1", "X"), ("B2", "Y")] and len(doc._.rels) == 1
    assert report.counts_by["notes"] == {"blanks cut off at the ends of a mention": 2} and not report.dropped.counts


def test_what_a_reader_left_out_is_counted_with_its_first_place() -> None:
    bad = record("A1 hits B2", ("A1", "X"))
    for start in (90, 80):
        bad.add_mention(MentionRecord(f"M{start}", "X", start, 99), Place(Path("there.txt"), start))
    bad.add_relation(RelationRecord("P", "T1", "M80"))
    bad.drop("brat event", "not read")
    (doc,), report = convert(bad)
    assert spans(doc) == [("A1", "X")]
    assert report.dropped.counts == {
        "mention: offsets outside of the text": 2,
        "relation: argument was dropped": 1,
        "brat event: not read": 1,
    }
    assert report.dropped.first == {
        "mention: offsets outside of the text": "there.txt, line 90, document d1, mention M90 (90 to 99)",
        "relation: argument was dropped": "made-up.txt, line 3, document d1, relation P of T1 and M80",
        "brat event: not read": "made-up.txt, line 3, document d1",
    }


def test_a_discontinuous_mention_covers_the_stretch_of_its_parts() -> None:
    text = "left and right lung"
    parts = Record("d1", text, PLACE)
    parts.add_mention(MentionRecord("T1", "ORGAN", 0, 19, parts=((0, 4), (15, 19))))
    parts.add_mention(MentionRecord("T2", "ORGAN", 9, 19))
    (doc,), report = convert(parts)
    assert spans(doc) == [("left and right lung", "ORGAN"), ("right lung", "ORGAN")]
    assert (report.counts["mentions_discontinuous"], report.counts["mentions_nested_or_overlapping"]) == (1, 1)


# Concepts


@pytest.mark.parametrize("concepts, kb_id", [((), ""), (("D001",), "D001"), (("D001", "MESH:2"), "D001,MESH:2")])
def test_concepts_become_kb_ids(concepts: Tuple[str, ...], kb_id: str) -> None:
    (doc,), report = convert(with_concepts("Aspirin", {"Aspirin": concepts}))
    assert [(span.kb_id_, span.id_) for span in doc.spans[SPANS_KEY]] == [(kb_id, "T1")]
    assert [ent.kb_id_ for ent in doc.ents] == [kb_id]
    assert report.counts["mentions_of_several_concepts"] == (len(concepts) > 1)
    assert report.counts["mentions_not_normalised"] == 0


def test_a_mention_that_was_looked_up_and_not_found_says_so() -> None:
    (doc,), report = convert(with_concepts("Aspirin", {"Aspirin": ("-",)}))
    assert [span.kb_id_ for span in doc.spans[SPANS_KEY]] == ["-"] and report.counts["mentions_not_normalised"] == 1


def test_merged_mentions_have_the_concepts_of_all() -> None:
    same = Record("d1", "IL2 rose", PLACE)
    for i, concepts in enumerate([("B",), ("A", "B"), ()]):
        same.add_mention(MentionRecord(f"T{i}", "GENE", 0, 3, concepts))
    (doc,), report = convert(same)
    assert [(span.kb_id_, span.id_) for span in doc.spans[SPANS_KEY]] == [("B,A", "T0")]
    assert (report.counts["mentions"], report.counts["mentions_merged"]) == (3, 2)


def concept_rels(doc: Doc) -> List[Tuple[str, str, str]]:
    return [(rel.subject.id, rel.predicate, rel.object.id) for rel in doc._.concept_rels]


def places(doc: Doc) -> List[Tuple[Tuple[str, str], Tuple[str, str]]]:
    """(surface, kb_id) of the arguments of each relation."""
    return [((r.subject.text, r.subject.kb_id_), (r.object.text, r.object.kb_id_)) for r in doc._.rels]


@pytest.mark.parametrize("subject, object", [("A", "B"), ("B", "A")])
def test_a_relation_of_concepts_is_placed_on_their_closest_mentions(subject: str, object: str) -> None:
    text = "alpha is far from beta , and later ALPHA hits BETA"
    mentions = {"alpha": ("A",), "beta": ("B",), "ALPHA": ("A",), "BETA": ("B",)}
    (doc,), report = convert(with_concepts(text, mentions, [("BIND", subject, object)]))
    closest = {"A": ("ALPHA", "A"), "B": ("BETA", "B")}
    assert places(doc) == [(closest[subject], closest[object])]
    assert concept_rels(doc) == [(subject, "BIND", object)]
    assert (report.counts["relations"], report.counts["relations_with_itself"]) == (1, 0)


def test_mentions_of_one_sentence_are_closer_than_those_of_two() -> None:
    text = "The alpha came. BETA, so it is widely said, hits ALPHA."
    mentions = {"alpha": ("A",), "BETA": ("B",), "ALPHA": ("A",)}
    (doc,), report = convert(with_concepts(text, mentions, [("BIND", "A", "B")]))
    assert places(doc) == [(("ALPHA", "A"), ("BETA", "B"))] and report.counts["relations_across_sentences"] == 0


def test_a_relation_of_a_merged_mention_is_about_the_concepts_that_it_was_given() -> None:
    same = with_concepts("x1 binds y2", {"x1": ("A",), "y2": ("C",)})
    same.add_mention(MentionRecord("M", "GENE", 0, 2, ("B",)))
    same.add_relation(RelationRecord("BIND", "M", "T2"))
    (doc,), report = convert(same)
    assert [span.kb_id_ for span in doc.spans[SPANS_KEY]] == ["A,B", "C"] and report.counts["mentions_merged"] == 1
    assert concept_rels(doc) == [("B", "BIND", "C")]


def test_an_argument_stands_for_the_one_concept_that_is_related() -> None:
    text = "p53/p73 bind MDM2"
    mentions = {"p53/p73": ("7157", "7161"), "MDM2": ("4193", "17246")}
    (doc,), report = convert(with_concepts(text, mentions, [("BIND", "7161", "4193"), ("BIND", "7157", "17246")]))
    assert [span.kb_id_ for span in doc.spans[SPANS_KEY]] == ["7157,7161", "4193,17246"]
    assert {(s[1], o[1]) for s, o in places(doc)} == {("7161", "4193"), ("7157", "17246")}
    assert sorted(concept_rels(doc)) == [("7157", "BIND", "17246"), ("7161", "BIND", "4193")]
    assert (
        report.counts["relations"],
        report.counts["relations_given_twice"],
        report.counts["mentions_of_several_concepts"],
    ) == (2, 0, 2)


def test_a_concept_related_to_itself_uses_two_of_its_mentions() -> None:
    (doc,), report = convert(with_concepts("x1 binds X-one", {"x1": ("X",), "X-one": ("X",)}, [("BIND", "X", "X")]))
    assert [(s[0], o[0]) for s, o in places(doc)] == [("x1", "X-one")]
    assert concept_rels(doc) == [("X", "BIND", "X")] and report.counts["relations_with_itself"] == 1


def test_a_concept_with_one_mention_may_be_related_to_itself() -> None:
    (doc,), report = convert(with_concepts("x1 binds itself", {"x1": ("X",)}, [("BIND", "X", "X")]))
    assert places(doc) == [(("x1", "X"), ("x1", "X"))]
    assert concept_rels(doc) == [("X", "BIND", "X")] and report.counts["relations_with_itself"] == 1


def test_two_concepts_of_a_single_mention_may_be_related() -> None:
    (doc,), report = convert(with_concepts("the x/y complex", {"x/y": ("X", "Y")}, [("BIND", "X", "Y")]))
    assert places(doc) == [(("x/y", "X"), ("x/y", "Y"))]
    assert concept_rels(doc) == [("X", "BIND", "Y")] and report.counts["relations_with_itself"] == 0


def test_a_relation_of_concepts_given_twice_is_one() -> None:
    rows = [("BIND", "X", "Y"), ("BIND", "X", "Y"), ("BIND", "Y", "X"), ("ACT", "X", "Y")]
    (doc,), report = convert(with_concepts("x1 binds y2", {"x1": ("X",), "y2": ("Y",)}, rows))
    assert sorted(concept_rels(doc)) == [("X", "ACT", "Y"), ("X", "BIND", "Y"), ("Y", "BIND", "X")]
    assert (
        report.counts["relations"],
        report.counts["relations_given_twice"],
        report.counts["pairs_with_several_predicates"],
    ) == (3, 1, 1)


@pytest.mark.parametrize("concept", ["-", "", "Z"])
def test_a_relation_of_no_concept_is_dropped_and_counted(concept: str) -> None:
    mentions = {"x1": ("X",), "y2": ("-",), "z3": ("",)}
    (doc,), report = convert(with_concepts("x1 y2 z3", mentions, [("BIND", "X", concept), ("BIND", concept, "X")]))
    assert not doc._.rels and report.dropped.counts == {"relation: no mention of an argument's concept": 2}


def test_mentions_that_were_not_found_are_not_one_concept() -> None:
    unknown = with_concepts("x1 binds y2", {"x1": ("-",), "y2": ("-",)})
    unknown.add_relation(RelationRecord("BIND", "T1", "T2"))
    (doc,), report = convert(unknown)
    assert (report.counts["relations"], report.counts["relations_with_itself"]) == (1, 0)


# A corpus's own tokens and sentences


def own(text: str, tokens: str, **values: Any) -> Record:
    """The tokens, parted by blanks, as they follow each other in the text."""
    offsets, end = [], 0
    for token in tokens.split():
        start = text.index(token, end)
        end = start + len(token)
        offsets.append((start, end))
    return record(text, tokens=tuple(offsets), **values)


@pytest.mark.parametrize(
    "text, tokens, expected",
    [
        ("do n't stop-it", "do n't stop-it", ["do ", "n't ", "stop-it"]),
        ("don't", "do n't", ["do", "n't"]),
        ("a  b", "a b", ["a ", " ", "b"]),
        ("a   b", "a b", ["a ", "  ", "b"]),
        ("a\tb", "a b", ["a", "\t", "b"]),
        ("a \n b", "a b", ["a ", "\n ", "b"]),
        (" a b ", "a b", [" ", "a ", "b "]),
        ("a b  ", "a b", ["a ", "b ", " "]),
        ("a (gap) b", "a b", ["a ", "(gap) ", "b"]),
        ("gap x", "x", ["gap ", "x"]),
        ("only a gap", "", ["only a gap"]),
        ("", "", []),
    ],
)
def test_own_tokens_are_the_docs_tokens_and_gaps_lose_nothing(text: str, tokens: str, expected: List[str]) -> None:
    (doc,), _ = convert(own(text, tokens))
    assert doc.text == text
    assert [token.text_with_ws for token in doc] == expected


def test_an_own_token_may_hold_a_blank() -> None:
    (doc,), _ = convert(record("New York rests", tokens=((0, 8), (9, 14))))
    assert [token.text for token in doc] == ["New York", "rests"]


def test_own_tokens_are_cut_by_mentions_too() -> None:
    mentions = [MentionRecord("T1", "X", 4, 7), MentionRecord("T2", "X", 13, 17)]
    (doc,), report = convert(own("the IL2-like drug", "the IL2-like drug", mentions=mentions))
    assert [token.text for token in doc] == ["the", "IL2", "-like", "drug"]
    assert spans(doc) == [("IL2", "X"), ("drug", "X")] and report.counts["mentions_that_split_a_token"] == 1


def test_a_text_that_is_too_long_is_left_out_and_named() -> None:
    nlp = spacy.blank("en")
    nlp.max_length = 5
    records = [Record("d1", "Long text", PLACE), Record("d2", "Short", PLACE)]
    docs, report = convert(*records, nlp=nlp)
    assert [doc.user_data["doc_id"] for doc in docs] == ["d2"] and report.counts["documents"] == 1
    reason = "document: longer than 5 characters, which --max-length can raise"
    assert list(report.dropped) == [(reason, 1, f"{PLACE}, document d1")]
    with pytest.raises(CorpusError, match="DR305.*document left out: longer than 5"):
        convert(Record("d1", "Long text", PLACE), nlp=nlp, strict=True)


def test_own_sentences_are_kept_whatever_a_splitter_says() -> None:
    text = "One. two is. Three"
    (doc,), report = convert(record(text, sentences=(0, 5)))
    assert [sent.text for sent in doc.sents] == ["One.", "two is. Three"]
    assert not report.counts_by["sentence_starts_removed"]


@pytest.mark.parametrize(
    "starts, expected",
    [
        ((0,), ["ab cde fg"]),
        ((), ["ab cde fg"]),
        ((3,), ["ab", "cde fg"]),
        ((0, 2, 6), ["ab", "cde", "fg"]),
        ((0, 4), ["ab c", "de fg"]),
        ((0, 9), ["ab cde fg"]),
    ],
)
def test_own_sentences_may_start_at_a_blank_or_inside_a_token(starts: Tuple[int, ...], expected: List[str]) -> None:
    (doc,), _ = convert(record("ab cde fg", sentences=starts), nlp=CUTTING)
    assert doc.text == "ab cde fg"
    assert [sent.text for sent in doc.sents] == expected


def test_own_tokens_are_what_a_splitter_sees() -> None:
    (doc,), _ = convert(own("Dr.Who is. No.", "Dr.Who is. No ."))
    assert [sent.text for sent in doc.sents] == ["Dr.Who is. No."]
    (doc,), _ = convert(own("Dr.Who is. No.", "Dr.Who is . No ."))
    assert [sent.text for sent in doc.sents] == ["Dr.Who is.", "No."]


# Sentences that a splitter finds


def test_no_sentence_starts_inside_a_mention() -> None:
    (doc,), report = convert(record("See. Alpha. Beta. Gamma. Here.", ("Alpha. Beta. Gamma", "GENE")))
    assert [sent.text for sent in doc.sents] == ["See.", "Alpha. Beta. Gamma.", "Here."]
    assert report.counts_by["sentence_starts_removed"] == {"inside a mention": 2}


def test_no_sentence_starts_where_a_token_was_cut_inside_a_mention() -> None:
    (doc,), report = convert(
        record("It is B2.O.CH(2) here. Yes.", ("B2.O.CH(2)", "CHEMICAL"), ("CH", "GENE"), ("O", "GENE")), nlp=CUTTING
    )
    assert [sent.text for sent in doc.sents] == ["It is B2.O.CH(2) here.", "Yes."]
    assert (
        report.counts["mentions_that_split_a_token"] == 2
        and report.counts_by["sentence_starts_removed"]["inside a mention"] >= 4
    )


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
    assert len(doc._.rels) == 3 and report.counts["relations_across_sentences"] == 2
    assert report.counts["relations_with_itself"] == 1


def test_the_report_adds_up_over_documents() -> None:
    one = record("A1 hits B2", ("A1", "CHEMICAL"), ("B2", "GENE"), relations=[("CPR:3", "T1", "T2")])
    docs, report = convert(one, one, one)
    assert len(docs) == 3
    assert (
        report.counts["documents"],
        report.counts["mentions"],
        report.counts["relations"],
        report.counts_by["relations_of_predicate"]["CPR:3"],
    ) == (3, 6, 3, 3)


def test_a_document_without_anything_is_converted() -> None:
    (doc,), report = convert(record("Nothing to see."), nlp=NLP)
    assert spans(doc) == [] and doc.ents == () and doc._.rels == ()
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


ALPHABET = ["a", "B", "1", "-", "(", ")", ".", ",", "'", " ", " ", "\n", "\u00a0", "\u2009", "β", "e\u0301", "/"]


@st.composite
def any_records(draw: Any) -> Record:
    text = "".join(draw(st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=40)))
    offset = st.integers(0, len(text))
    found = Record("d", text, PLACE, breaks=tuple(draw(st.lists(offset, max_size=2))))
    if draw(st.booleans()):
        found.sentences = tuple(sorted(draw(st.sets(offset))))
    if draw(st.booleans()):
        edges = sorted(draw(st.sets(offset)))
        found.tokens = tuple(zip(edges, edges[1:]))
    for i in range(draw(st.integers(0, 5))):
        type, concepts = draw(st.sampled_from(["CHEMICAL", "GENE"])), draw(st.lists(st.sampled_from("XYZ-")))
        found.add_mention(MentionRecord(f"T{i}", type, draw(offset), draw(offset), tuple(concepts)))
    argument = st.sampled_from([f"T{i}" for i in range(5)])
    for pair in draw(st.lists(st.tuples(st.sampled_from(["P", "Q"]), argument, argument), max_size=5)):
        found.add_relation(RelationRecord(*pair))
    concept = st.sampled_from("XYZ-")
    for pair in draw(st.lists(st.tuples(st.sampled_from(["P", "Q"]), concept, concept), max_size=5)):
        found.add_concept_relation(RelationRecord(*pair))
    return found


@settings(max_examples=300, deadline=None)
@given(any_records())
def test_every_mention_keeps_its_characters_and_every_relation_its_mentions(record: Record) -> None:
    record.concept_relations = []
    ids = {mention.id: mention for mention in record.mentions}
    (doc,), report = convert(record, nlp=CUTTING)
    assert doc.text == record.text
    found = {(span.start_char, span.end_char, span.label_) for span in doc.spans[SPANS_KEY]}
    assert found == {(m.start, m.end, m.type) for m in record.mentions}
    assert len(doc.spans[SPANS_KEY]) == len(found) == report.counts["mentions"] - report.counts["mentions_merged"]
    assert len(doc.ents) == len(found) - report.counts["mentions_nested_or_overlapping"]

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
    assert len(record.relations) == report.counts["relations"] + report.counts["relations_given_twice"]
    assert report.dropped.counts.total() == len(record.dropped)


@settings(max_examples=200, deadline=None)
@given(any_records())
def test_every_relation_of_concepts_can_be_read_from_the_doc(record: Record) -> None:
    record.relations = []
    (doc,), report = convert(record)
    expected = {(rel.subject, rel.predicate, rel.object) for rel in record.concept_relations}
    assert set(concept_rels(doc)) == expected
    assert (
        report.counts["relations"]
        == len(expected)
        == len(record.concept_relations) - report.counts["relations_given_twice"]
    )


@settings(max_examples=200, deadline=None)
@given(any_records())
def test_own_sentences_and_breaks_are_starts_but_inside_mentions(record: Record) -> None:
    (doc,), _ = convert(record)
    own = record.breaks if record.sentences is None else record.sentences
    starts = {token.idx for token in doc if token.is_sent_start}
    inside = {i for m in record.mentions for i in range(m.start + 1, m.end)}
    assert {token.idx for token in doc if token.idx in own} - inside <= starts and not inside & starts
    if record.sentences is not None:
        # A start at the blank after a token, or after the text's last character, has no token of its own.
        assert len(starts - {0}) <= len(set(own))
        assert all(start in own or start - 1 in own for start in starts - {0})


@pytest.mark.parametrize("surface", [" inhibits", "inhibits ", "\u00a0COX-1"])
def test_a_mention_that_begins_or_ends_with_a_blank_loses_it(surface: str) -> None:
    (doc,), _ = convert(record("Aspirin inhibits \u00a0COX-1 here", (surface, "GENE")))
    assert spans(doc) == [(surface.strip(), "GENE")]


# Strictly: (what was left out, how a record comes to it)

LEFT_OUT = {
    "offsets outside of the text": lambda r: r.add_mention(MentionRecord("M", "X", 5, 99)),
    "offsets do not match the text": lambda r: r.add_mention(MentionRecord("M", "X", 0, 2), text="A2"),
    "id occurs twice": lambda r: r.add_mention(MentionRecord("T1", "X", 0, 2)),
    "nothing but blanks": lambda r: r.add_mention(MentionRecord("M", "X", 2, 3)),
    "no type": lambda r: r.add_mention(MentionRecord("M", "", 0, 2)),
    "unknown argument": lambda r: r.add_relation(RelationRecord("P", "T1", "M")),
    "no predicate": lambda r: r.add_relation(RelationRecord("", "T1", "T2")),
    "no mention of an argument's concept": lambda r: r.add_concept_relation(RelationRecord("P", "X", "Y")),
    "not read": lambda r: r.drop("brat event", "not read"),
}


@pytest.mark.parametrize("why, leave_out", LEFT_OUT.items(), ids=LEFT_OUT.keys())
def test_strictly_nothing_may_be_left_out(why: str, leave_out: Any) -> None:
    fine = record("A1 hits B2", ("A1", "X"), ("B2", "Y"))
    bad = record("A1 hits B2", ("A1", "X"), ("B2", "Y"))
    leave_out(bad)
    convert(bad, fine)
    convert(fine, strict=True)
    with pytest.raises(CorpusError) as caught:
        convert(fine, bad, strict=True)
    assert "made-up.txt, line 3, document d1" in str(caught.value)
    assert f" left out: {why}. " in str(caught.value)


def test_strictly_the_first_that_was_left_out_is_named() -> None:
    bad = record("A1 hits B2", ("A1", "X"))
    bad.add_mention(MentionRecord("M", "X", 5, 99), Place(Path("there.txt"), 8))
    bad.add_relation(RelationRecord("P", "M", "T1"))
    with pytest.raises(CorpusError) as caught:
        convert(bad, strict=True)
    where = "there.txt, line 8, document d1, mention M (5 to 99)"
    assert str(caught.value).startswith(f"[DR305] {where}: mention left out: offsets outside of the text")


def test_strictly_what_lost_nothing_is_no_error() -> None:
    noted = record("A1 hits B2", ("A1 ", "X"))
    (doc,), report = convert(noted, strict=True)
    assert spans(doc) == [("A1", "X")] and sum(report.counts_by["notes"].values()) == 1


# Files


def saved(docs: List[Doc]) -> List[Doc]:
    loaded = DocBin().from_bytes(DocBin(docs=docs, store_user_data=True).to_bytes())
    return list(loaded.get_docs(spacy.blank("en").vocab))


def as_bytes(path: Path, limit: int) -> bytes:
    docs = records_to_docs(list(jsonl.read(path))[:limit], sentencizer(), ConversionReport())
    return DocBin(docs=docs, store_user_data=True).to_bytes()


def test_the_same_input_gives_the_same_bytes() -> None:
    assert as_bytes(DEMO / "dev.jsonl", 5) == as_bytes(DEMO / "dev.jsonl", 5)


def test_converted_docs_survive_the_file() -> None:
    nlp = sentencizer()
    docs = list(records_to_docs(list(jsonl.read(DEMO / "dev.jsonl"))[:5], nlp, ConversionReport()))
    for before, after in zip(docs, saved(docs), strict=True):
        assert before.text == after.text and spans(before) == spans(after)
        assert [span.id_ for span in before.spans[SPANS_KEY]] == [span.id_ for span in after.spans[SPANS_KEY]]
        assert [(r.subject.text, r.predicate, r.object.text) for r in before._.rels] == [
            (r.subject.text, r.predicate, r.object.text) for r in after._.rels
        ]
        assert [sent.text for sent in before.sents] == [sent.text for sent in after.sents]
        assert after.user_data["doc_id"] == before.user_data["doc_id"]


def test_concepts_tokens_and_breaks_survive_the_file() -> None:
    text = "x/y complex  binds Z9"
    mentions = {"x/y": ("X", "Y"), "Z9": ("Z",)}
    concepts = with_concepts(text, mentions, [("BIND", "Y", "Z"), ("BIND", "X", "Y")])
    concepts.tokens, concepts.breaks = ((0, 3), (4, 11), (13, 18), (19, 21)), (13,)
    docs, _ = convert(concepts, record(""), spans_key="sc")
    one, empty = saved(docs)
    assert one.text == text and [token.text for token in one] == ["x/y", "complex", " ", "binds", "Z9"]
    assert [(span.text, span.kb_id_) for span in one.spans["sc"]] == [("x/y", "X,Y"), ("Z9", "Z")]
    assert [ent.kb_id_ for ent in one.ents] == ["X,Y", "Z"]
    assert places(one) == places(docs[0]) and len(places(one)) == 2
    assert sorted(concept_rels(one)) == [("X", "BIND", "Y"), ("Y", "BIND", "Z")]
    assert [sent.text for sent in one.sents] == ["x/y complex  ", "binds Z9"]
    assert list(one.user_data["breaks"]) == [13]
    assert empty.text == "" and empty._.rels == ()


@pytest.mark.parametrize(
    "read, path", [(jsonl.read, DEMO / "train.jsonl"), (chemprot.read, SAMPLE)], ids=["demo", "official sample"]
)
def test_a_whole_split_loses_nothing(read: Callable[[Path], Iterator[Record]], path: Path) -> None:
    if not path.exists():
        pytest.skip("the official files are not there (folder shared/corpora/chemprot beside the repository)")
    records = list(read(path))
    docs, report = convert(*records, strict=True)
    assert report.counts["documents"] == len(docs) == len(records)
    assert (
        report.counts["mentions"]
        == sum(len(record.mentions) for record in records)
        == sum(report.counts_by["mentions_of_type"].values())
    )
    assert report.counts["relations"] + report.counts["relations_given_twice"] == sum(
        len(record.relations) for record in records
    )
    assert (
        sum(len(doc._.rels) for doc in docs)
        == report.counts["relations"]
        == sum(report.counts_by["relations_of_predicate"].values())
    )
    assert (
        sum(len(doc.spans[SPANS_KEY]) for doc in docs) == report.counts["mentions"] - report.counts["mentions_merged"]
    )
    in_ents = (
        report.counts["mentions"] - report.counts["mentions_merged"] - report.counts["mentions_nested_or_overlapping"]
    )
    assert sum(len(doc.ents) for doc in docs) == in_ents
    assert set(report.counts_by["relations_of_type_pair"]) == {"CHEMICAL|GENE"}
    assert not report.dropped.counts
