"""The official counting rules: examples counted by hand, from Docs and from files, and the makers' own counts."""

import re
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy
import pytest
import spacy
import srsly
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import chemprot, pubtator, scierc, semeval
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs
from spacy_dualre.scoring.protocols import PROTOCOLS, Item, Items, Protocol, get_protocol, make_protocol_scorer

OFFICIAL = SHARED / "corpora"
VOCAB = Vocab()
JSONL = get_protocol("jsonl")
CHEMPROT, BIORED, SCIERC, SEMEVAL = (get_protocol(name) for name in ("chemprot", "biored", "scierc", "semeval"))


class Mention(NamedTuple):
    start: int
    end: int
    type: str = "X"
    id: str = ""
    concept: str = ""


def make_doc(
    text: str, mentions: Sequence[Mention], rels: Iterable[Tuple] = (), starts: Sequence[int] = (0,), **user_data: Any
) -> Doc:
    """A Doc of the words of a text. rels: (mention, predicate, mention, score), mentions by number; starts: words with
    which sentences start.
    """
    words = text.split(" ")
    spaces = [True] * (len(words) - 1) + [False]
    doc = Doc(VOCAB, words=words, spaces=spaces, sent_starts=[i in starts for i in range(len(words))])
    spans = [Span(doc, m.start, m.end, label=m.type, span_id=m.id, kb_id=m.concept) for m in mentions]
    doc.spans["entities"] = spans
    doc._.rels = [Relation(spans[s], predicate, spans[o], *score) for s, predicate, o, *score in rels]
    doc.user_data.update(user_data)
    return doc


def save(folder: Path, content: str, name: str = "file.txt") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf8", newline="")
    return path


def prf(protocol: Protocol, gold: Items, predicted: Items) -> Tuple[Any, ...]:
    (counts,) = protocol.count(gold, predicted)
    scores = protocol.scores(counts)
    return tuple(pytest.approx(scores[name]) for name in "prf")


def from_docs(protocol: Protocol, docs: Dict[str, Doc]) -> Items:
    return {id: protocol.from_doc(doc) for id, doc in docs.items()}


def written(protocol: Protocol, docs: Dict[str, Doc], folder: Path) -> Items:
    protocol.write(docs.items(), folder / "written")
    return protocol.read_predicted(folder / "written")


# ChemProt

CHEMPROT_GOLD = "11\tCPR:3\tArg1:T1\tArg2:T2\n11\tCPR:4\tArg1:T1\tArg2:T2\n12\tCPR:9\tArg1:T1\tArg2:T3\n"
#: In document 11 one right and one wrong, a group that does not count, a duplicate; and a document without gold.
CHEMPROT_PREDICTED = (
    "11\tCPR:3\tArg1:T1\tArg2:T2\n11\tCPR:9\tArg1:T1\tArg2:T2\n11\tCPR:10\tArg1:T1\tArg2:T3\n"
    "11\tCPR:3\tArg1:T1\tArg2:T2\n13\tCPR:4\tArg1:T1\tArg2:T2\n"
)


def drugs(*rels: Tuple) -> Doc:
    mentions = [Mention(0, 1, "CHEMICAL", "T1"), Mention(2, 3, "GENE", "T2"), Mention(2, 4, "GENE", "T3")]
    return make_doc("zarol lowers abcin beta", mentions, rels, doc_id="11")


def chemprot_docs() -> Dict[str, Doc]:
    found = drugs((0, "CPR:3", 1), (0, "CPR:9", 1), (0, "CPR:10", 2), (0, "CPR:3", 1))
    return {"11": found, "12": drugs(), "13": drugs((0, "CPR:4", 1))}


def test_chemprot_by_hand(tmp_path: Path) -> None:
    """1 true positive of 3 predicted and 3 gold items: P = R = F = 1/3."""
    gold = CHEMPROT.read_gold(save(tmp_path, CHEMPROT_GOLD, "gold"))
    predicted = CHEMPROT.read_predicted(save(tmp_path, CHEMPROT_PREDICTED))
    assert prf(CHEMPROT, gold, predicted) == (1 / 3, 1 / 3, 1 / 3)
    assert prf(CHEMPROT, gold, from_docs(CHEMPROT, chemprot_docs())) == (1 / 3, 1 / 3, 1 / 3)


def test_chemprot_several_groups_of_a_pair_are_several_items(tmp_path: Path) -> None:
    gold = CHEMPROT.read_gold(save(tmp_path, CHEMPROT_GOLD))
    assert gold["11"] == {Item("CPR:3", "T1", "T2"), Item("CPR:4", "T1", "T2")}
    assert CHEMPROT.from_doc(drugs((0, "CPR:3", 1), (0, "CPR:4", 1))) == gold["11"]


def test_chemprot_files_and_docs_agree(tmp_path: Path) -> None:
    # A document without relations has no line
    expected = {id: items for id, items in from_docs(CHEMPROT, chemprot_docs()).items() if items}
    assert CHEMPROT.read_predicted(save(tmp_path, CHEMPROT_PREDICTED)) == expected
    assert written(CHEMPROT, chemprot_docs(), tmp_path) == expected


def test_chemprot_the_chemical_is_the_first_argument() -> None:
    assert CHEMPROT.from_doc(drugs((1, "CPR:3", 0))) == {Item("CPR:3", "T1", "T2")}


def test_chemprot_needs_the_ids_of_mentions() -> None:
    doc = make_doc("zarol lowers abcin", [Mention(0, 1, id="T1"), Mention(2, 3)], [(0, "CPR:4", 1)], doc_id="77")
    with pytest.raises(ValueError, match=r"DR202.*Document 77: the mention 'abcin' \(characters 13 to 18\)"):
        CHEMPROT.from_doc(doc)


def test_chemprot_nothing_found_is_an_empty_file(tmp_path: Path) -> None:
    assert written(CHEMPROT, {"11": drugs()}, tmp_path) == {}
    with pytest.raises(CorpusError, match="empty"):
        CHEMPROT.read_gold(tmp_path / "written")


# BioRED

D, G, V, C, T = (
    "DiseaseOrPhenotypicFeature",
    "GeneOrGeneProduct",
    "SequenceVariant",
    "ChemicalEntity",
    "OrganismTaxon",
)
#: Characters 0 to 16 are the title.
TEXT = "Zarol and scurfs . Abcin with c1 in rats"
MENTIONS = (
    f"5\t0\t5\tZarol\t{C}\tC1\n5\t10\t16\tscurfs\t{D}\tD1,D2\n5\t19\t24\tAbcin\t{G}\t7\n"
    f"5\t30\t32\tc1\t{V}\tc|DEL|1|\n5\t36\t40\trats\t{T}\t-\n"
)
HEAD = "5|t|Zarol and scurfs .\n5|a|Abcin with c1 in rats\n"
SECOND = f"\n6|t|Plum\n6|a|\n6\t0\t4\tPlum\t{C}\tC9\n"
#: Two that count, one of two diseases and one of a gene and a variant; and a relation of a concept with itself.
BIORED_GOLD = (
    f"{HEAD}{MENTIONS}5\tAssociation\tC1\tD1\tNovel\n5\tBind\t7\tC1\tNo\n5\tAssociation\tD1\tD2\tNo\n"
    f"5\tAssociation\t7\tc|DEL|1|\tNo\n{SECOND}6\tBind\tC9\tC9\tNo\n"
)
#: One right in the other order, one of another type, one too many and two that are ignored.
BIORED_PREDICTED = (
    f"{HEAD}{MENTIONS}5\tAssociation\tD1\tC1\tNo\n5\tAssociation\t7\tC1\tNo\n5\tAssociation\tC1\tD2\tNo\n"
    f"5\tBind\tD1\tD2\tNo\n5\tAssociation\tc|DEL|1|\t7\tNo\n{SECOND}"
)


def abstract(*rels: Tuple, **user_data: Any) -> Doc:
    mentions = [
        Mention(0, 1, C, concept="C1"),
        Mention(2, 3, D, concept="D1,D2"),
        Mention(4, 5, G, concept="7"),
        Mention(6, 7, V, concept="c|DEL|1|"),
        Mention(8, 9, T, concept="-"),
    ]
    return make_doc(TEXT, mentions, rels, starts=(0, 4), **user_data)


def plum() -> Doc:
    return make_doc("Plum", [Mention(0, 1, C, concept="C9")])


def biored_docs() -> Dict[str, Doc]:
    # A mention of two concepts gives a relation with each, and two mentions of a pair give one relation
    rels = [(1, "Association", 0), (0, "Association", 1), (2, "Association", 0), (3, "Association", 2)]
    return {"5": abstract(*rels), "6": plum()}


def test_biored_by_hand(tmp_path: Path) -> None:
    """1 true positive of 3 predicted and 3 gold items: P = R = F = 1/3."""
    gold = BIORED.read_gold(save(tmp_path, BIORED_GOLD, "gold"))
    predicted = BIORED.read_predicted(save(tmp_path, BIORED_PREDICTED))
    assert gold["5"] == {Item("Association", "C1", "D1"), Item("Bind", "7", "C1")}
    assert gold["6"] == {Item("Bind", "C9", "C9")}
    assert prf(BIORED, gold, predicted) == (1 / 3, 1 / 3, 1 / 3)
    assert prf(BIORED, gold, from_docs(BIORED, biored_docs())) == (1 / 3, 1 / 3, 1 / 3)


def test_biored_files_and_docs_agree(tmp_path: Path) -> None:
    expected = from_docs(BIORED, biored_docs())
    assert expected["6"] == set() and len(expected["5"]) == 3
    assert BIORED.read_predicted(save(tmp_path, BIORED_PREDICTED)) == expected
    assert written(BIORED, biored_docs(), tmp_path) == expected


@pytest.mark.parametrize("pair", [(D, D), (G, V), (V, G), (G, T), (T, G)])
def test_biored_ignores_pairs_of_types(pair: Tuple[str, str]) -> None:
    mentions = [Mention(0, 1, pair[0], concept="1"), Mention(1, 2, pair[1], concept="2"), Mention(2, 3, C, concept="3")]
    assert BIORED.from_doc(make_doc("a b c", mentions, [(0, "Bind", 1)])) == set()
    assert BIORED.from_doc(make_doc("a b c", mentions, [(0, "Bind", 2)])) == {Item("Bind", "1", "3")}


@pytest.mark.parametrize("pair", [(G, G), (V, V), (T, T), (D, V), (D, G), (D, T), (V, T), (C, V)])
def test_biored_counts_all_other_pairs(pair: Tuple[str, str]) -> None:
    mentions = [Mention(0, 1, pair[0], concept="1"), Mention(1, 2, pair[1], concept="2")]
    assert BIORED.from_doc(make_doc("a b", mentions, [(1, "Bind", 0)])) == {Item("Bind", "1", "2")}


def test_biored_a_concept_of_two_types_is_ignored_if_both_are() -> None:
    mentions = [Mention(0, 1, G, concept="1"), Mention(1, 2, V, concept="2")]
    assert BIORED.from_doc(make_doc("a b c", [*mentions, Mention(2, 3, T, concept="2")], [(0, "Bind", 1)])) == set()
    assert BIORED.from_doc(make_doc("a b c", [*mentions, Mention(2, 3, C, concept="2")], [(0, "Bind", 1)])) == {
        Item("Bind", "1", "2")
    }


def test_biored_a_mention_that_was_not_found_has_no_relation() -> None:
    assert BIORED.from_doc(abstract((0, "Bind", 4))) == set()


def test_biored_mentions_without_ids_count_by_their_form_in_docs_and_files(tmp_path: Path) -> None:
    mentions = [Mention(0, 1, C), Mention(1, 2, D), Mention(2, 3, C)]
    docs = {"8": make_doc("1,2-Zarol scurfs 1,2-ZAROL", mentions, [(0, "Bind", 1), (2, "Bind", 1)])}
    assert len(BIORED.from_doc(docs["8"])) == 1
    assert written(BIORED, docs, tmp_path) == from_docs(BIORED, docs)


@pytest.mark.parametrize("breaks, title", [([], "Zarol and scurfs ."), ([10], "Zarol and"), ([7, 19], TEXT[:18])])
def test_biored_the_title_ends_at_the_first_break_or_sentence(tmp_path: Path, breaks: List[int], title: str) -> None:
    """A break within a word cannot be written: the format has a blank there."""
    BIORED.write([("5", abstract((0, "Bind", 2), breaks=breaks))], tmp_path / "out")
    (record,) = pubtator.read(tmp_path / "out")
    assert record.text == TEXT and record.breaks == (len(title) + 1,)
    assert not record.dropped and len(record.mentions) == 5
    assert (tmp_path / "out").read_text(encoding="utf8").endswith("\n5\tBind\t7\tC1\tNo\n\n")


def test_biored_a_text_of_one_sentence_is_a_title(tmp_path: Path) -> None:
    BIORED.write([("6", plum())], tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf8") == SECOND.removeprefix("\n") + "\n"


def test_biored_line_breaks_and_tabs_of_a_text_do_not_break_the_file(tmp_path: Path) -> None:
    doc = Doc(VOCAB, words=["Ab", "\n\n", "\t", "cd", "\r\n", "ef"], spaces=[True, False, False, False, False, False])
    spans = [Span(doc, 0, 4, label=C), Span(doc, 3, 6, label=D, kb_id="D1")]
    doc._.rels = [Relation(spans[0], "Bind", spans[1])]
    BIORED.write([("1", doc)], tmp_path / "out")
    (record,) = pubtator.read(tmp_path / "out")
    assert not record.dropped and len(record.mentions) == 2
    assert BIORED.read_predicted(tmp_path / "out") == {"1": BIORED.from_doc(doc)}


def test_biored_mentions_are_the_entities_where_there_is_no_group(tmp_path: Path) -> None:
    doc = plum()
    del doc.spans["entities"]
    doc.ents = [Span(doc, 0, 1, label=C, kb_id="C9")]
    BIORED.write([("6", doc)], tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf8") == SECOND.removeprefix("\n") + "\n"


# SciERC

#: Two sentences of four tokens. A duplicate, and a symmetric relation in both directions: 3 items.
SCIERC_GOLD = (
    '{"doc_key": "a", "sentences": [["Plums", "and", "pears", "."], ["They", "feed", "big", "wasps"]], "relations": '
    '[[[0, 0, 2, 2, "CONJUNCTION"], [2, 2, 0, 0, "CONJUNCTION"], [0, 0, 2, 2, "PART-OF"]], '
    '[[4, 4, 6, 7, "USED-FOR"], [4, 4, 6, 7, "USED-FOR"]]], "clusters": []}\n'
    '{"doc_key": "b", "sentences": [["None"]], "relations": [[]]}\n'
)
#: The symmetric one in the other direction, right; a directed one in the wrong direction; one with too long a span.
SCIERC_PREDICTED = (
    '{"doc_key": "a", "sentences": [["Plums", "and", "pears", "."], ["They", "feed", "big", "wasps"]], '
    '"relations": [[[0, 0, 2, 2, "PART-OF"]], []], '
    '"predicted_relations": [[[2, 2, 0, 0, "CONJUNCTION", 7.1, 0.9], [2, 2, 0, 0, "PART-OF", 1.0, 0.5]], '
    '[[4, 5, 6, 7, "USED-FOR"]]]}\n'
    '{"doc_key": "b", "sentences": [["None"]], "predicted_relations": [[]]}\n'
)
FRUIT = [Mention(0, 1), Mention(2, 3), Mention(4, 5), Mention(4, 6), Mention(6, 8)]


def fruit(*rels: Tuple) -> Doc:
    return make_doc("Plums and pears . They feed big wasps", FRUIT, rels, starts=(0, 4))


def scierc_docs() -> Dict[str, Doc]:
    found = fruit((1, "CONJUNCTION", 0), (0, "CONJUNCTION", 1), (1, "PART-OF", 0), (3, "USED-FOR", 4, 0.51234))
    return {"a": found, "b": make_doc("None", [])}


def test_scierc_by_hand(tmp_path: Path) -> None:
    """1 true positive of 3 predicted and 3 gold items: P = R = F = 1/3."""
    gold = SCIERC.read_gold(save(tmp_path, SCIERC_GOLD, "gold"))
    predicted = SCIERC.read_predicted(save(tmp_path, SCIERC_PREDICTED))
    assert gold == {
        "a": {Item("CONJUNCTION", "0-0", "2-2"), Item("PART-OF", "0-0", "2-2"), Item("USED-FOR", "4-4", "6-7")},
        "b": set(),
    }
    assert prf(SCIERC, gold, predicted) == (1 / 3, 1 / 3, 1 / 3)
    assert prf(SCIERC, gold, from_docs(SCIERC, scierc_docs())) == (1 / 3, 1 / 3, 1 / 3)


def test_scierc_files_and_docs_agree(tmp_path: Path) -> None:
    expected = from_docs(SCIERC, scierc_docs())
    assert SCIERC.read_predicted(save(tmp_path, SCIERC_PREDICTED)) == expected
    assert written(SCIERC, scierc_docs(), tmp_path) == expected


def test_scierc_predictions_stand_in_their_sentences_with_scores(tmp_path: Path) -> None:
    SCIERC.write(scierc_docs().items(), tmp_path / "out")
    first, second = (srsly.json_loads(line) for line in (tmp_path / "out").read_text().splitlines())
    assert first["sentences"] == [["Plums", "and", "pears", "."], ["They", "feed", "big", "wasps"]]
    assert [len(rows) for rows in first["predicted_relations"]] == [3, 1]
    assert first["predicted_relations"][1] == [[4, 5, 6, 7, "USED-FOR", 0.5123]]
    assert second == {"doc_key": "b", "sentences": [["None"]], "predicted_relations": [[]]}


@pytest.mark.parametrize("label", ["CONJUNCTION", "COMPARE"])
def test_scierc_symmetric_spans_are_in_the_order_of_tokens(label: str) -> None:
    words = " ".join("abcdefghijkl")
    doc = make_doc(words, [Mention(9, 10), Mention(10, 11)], [(1, label, 0)])
    assert SCIERC.from_doc(doc) == {Item(label, "9-9", "10-10")}
    assert SCIERC.from_doc(make_doc(words, [Mention(9, 10), Mention(10, 11)], [(1, "USED-FOR", 0)])) == {
        Item("USED-FOR", "10-10", "9-9")
    }


def test_scierc_gold_is_never_what_was_predicted(tmp_path: Path) -> None:
    path = save(tmp_path, SCIERC_PREDICTED.splitlines()[0])
    assert SCIERC.read_gold(path) == {"a": {Item("PART-OF", "0-0", "2-2")}}
    with pytest.raises(CorpusError, match="line 2: document b has no relations"):
        SCIERC.read_gold(save(tmp_path, SCIERC_PREDICTED))


def test_scierc_predictions_may_stand_in_relations(tmp_path: Path) -> None:
    path = save(tmp_path, SCIERC_GOLD)
    assert SCIERC.read_predicted(path) == SCIERC.read_gold(path)


# SemEval

SEMEVAL_KEY = (
    "1\tCause-Effect(e1,e2)\n2\tCause-Effect(e2,e1)\n3\tCause-Effect(e2,e1)\n4\tMessage-Topic(e1,e2)\n"
    "5\tOther\n6\tOther\n"
)
SEMEVAL_FULL = (
    '1\t"<e1>Rain</e1> brings <e2>mud</e2>."\r\nCause-Effect(e1,e2)\r\nComment:\r\n\r\n'
    '2\t"<e1>Mud</e1> from <e2>rain</e2>."\r\nCause-Effect(e2,e1)\r\nComment: a "note"\r\n\r\n'
    '3\t"<e1>Mud</e1> from <e2>fog</e2>."\r\nCause-Effect(e2,e1)\r\nComment:\r\n\r\n'
    '4\t"<e1>Note</e1> on <e2>mud</e2>."\r\nMessage-Topic(e1,e2)\r\nComment:\r\n\r\n'
    '5\t"<e1>Mud</e1> and <e2>fog</e2>."\r\nOther\r\nComment:\r\n\r\n'
    '6\t"<e1>Fog</e1> and <e2>mud</e2>."\r\nOther\r\nComment:\r\n\r\n'
)
#: Right, right, wrong direction, missed, too many, right that there is none.
SEMEVAL_PREDICTED = (
    "1\tCause-Effect(e1,e2)\n2\tCause-Effect(e2,e1)\n3\tCause-Effect(e1,e2)\n4\tOther\n"
    "5\tMember-Collection(e2,e1)\n6\tOther\n"
)


def sentence(*rels: Tuple) -> Doc:
    return make_doc("Mud and fog", [Mention(0, 1, id="e1"), Mention(2, 3, id="e2")], rels)


def semeval_docs() -> Dict[str, Doc]:
    return {
        "1": sentence((0, "Cause-Effect", 1, 0.6), (1, "Cause-Effect", 0, 0.5)),
        "2": sentence((1, "Cause-Effect", 0, 0.5), (0, "Message-Topic", 1, 0.4)),
        "3": sentence((1, "Cause-Effect(e1,e2)", 0, 0.5)),
        "4": sentence((0, "Other", 1, 0.5), (0, "Message-Topic", 1, 0.4)),
        "5": sentence((0, "Member-Collection(e2,e1)", 1, 0.5)),
        "6": sentence(),
    }


def test_semeval_by_hand(tmp_path: Path) -> None:
    """Cause-Effect: 2 right of 3 predicted and 3 gold, F = 2/3; Message-Topic 0. Member-Collection is not in gold."""
    gold = SEMEVAL.read_gold(save(tmp_path, SEMEVAL_KEY, "gold"))
    expected = (1 / 3, 1 / 3, 1 / 3)
    assert prf(SEMEVAL, gold, SEMEVAL.read_predicted(save(tmp_path, SEMEVAL_PREDICTED))) == expected
    assert prf(SEMEVAL, gold, from_docs(SEMEVAL, semeval_docs())) == expected


def test_semeval_a_wrong_direction_is_a_false_positive_and_a_false_negative() -> None:
    gold, predicted = {"1": {Item("Cause-Effect", "e1", "e2")}}, {"1": {Item("Cause-Effect", "e2", "e1")}}
    (counts,) = SEMEVAL.count(gold, predicted)
    assert counts.shape == (1, 9, 3)
    assert counts[0, 0].tolist() == [0, 1, 1] and counts.sum() == 2


def test_semeval_files_and_docs_agree(tmp_path: Path) -> None:
    expected = from_docs(SEMEVAL, semeval_docs())
    assert SEMEVAL.read_predicted(save(tmp_path, SEMEVAL_PREDICTED)) == expected
    assert written(SEMEVAL, semeval_docs(), tmp_path) == expected
    assert (tmp_path / "written").read_text() == SEMEVAL_PREDICTED


@pytest.mark.parametrize(
    "content", [SEMEVAL_FULL, SEMEVAL_FULL.replace("\r", ""), SEMEVAL_FULL.replace("\r\n\r\n", "\n")]
)
def test_semeval_the_corpus_itself_is_a_key(tmp_path: Path, content: str) -> None:
    assert SEMEVAL.read_gold(save(tmp_path, content)) == SEMEVAL.read_gold(save(tmp_path, SEMEVAL_KEY, "key"))


def test_semeval_a_key_without_directions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match="file.txt, line 2: .*'Message-Topic'; expected .* with its direction.*TEST_FILE_FULL"
    ):
        SEMEVAL.read_gold(save(tmp_path, "1\tOther\n2\tMessage-Topic\n"))


@pytest.mark.parametrize("ids", [("e1", "e1"), ("e1", ""), ("e3", "e2")])
def test_semeval_needs_the_ids_of_mentions(ids: Tuple[str, str]) -> None:
    doc = make_doc("Mud and fog", [Mention(0, 1, id=ids[0]), Mention(2, 3, id=ids[1])], [(0, "Cause-Effect", 1)])
    wrong = "Mud" if ids[0] == "e3" else "fog"
    with pytest.raises(ValueError, match=f"DR202.*Document 'Mud and fog': the mention '{wrong}'"):
        SEMEVAL.from_doc(doc)


# Any corpus


def people(*rels: Tuple, id: str = "1") -> Doc:
    mentions = [Mention(0, 1, "PERSON"), Mention(2, 3, "PERSON"), Mention(4, 5, "FIRM"), Mention(0, 1, "CAT")]
    return make_doc("Ada met Bo at Northwind", mentions, rels, doc_id=id)


def test_jsonl_by_hand(tmp_path: Path) -> None:
    """Of 4 predicted relations 1 is right; of the wrong ones one has another direction, one another type, and one a
    predicate that gold does not have. 2 gold relations: P = 1/4, R = 1/2, F = 1/3.
    """
    predicted = people((0, "KNOWS", 1), (1, "KNOWS", 0), (3, "WORKS_FOR", 2), (0, "OWNS", 2), (0, "no_relation", 2))
    gold = {"1": people((0, "KNOWS", 1), (0, "KNOWS", 1), (0, "WORKS_FOR", 2)), "2": people(id="2")}
    protocol = JSONL.counting(["WORKS_FOR", "KNOWS", "OWNS", "no_relation"])
    assert protocol.labels == ("KNOWS", "OWNS", "WORKS_FOR")
    found = {"1": predicted, "2": people(id="2")}
    assert prf(protocol, from_docs(JSONL, gold), from_docs(JSONL, found)) == (1 / 4, 1 / 2, 1 / 3)
    assert written(JSONL, gold, tmp_path) == from_docs(JSONL, gold)
    assert written(JSONL, found, tmp_path) == from_docs(JSONL, found)
    scores = make_protocol_scorer("jsonl")([Example(predicted, gold["1"])])
    assert (scores["rels_p"], scores["rels_r"], scores["rels_f"]) == pytest.approx((1 / 4, 1 / 2, 1 / 3))
    assert set(scores["rels_per_type"]) == {"KNOWS", "OWNS", "WORKS_FOR"}


def test_jsonl_refuses_what_it_would_have_to_leave_out(tmp_path: Path) -> None:
    line = '{"text": "Ada met Bo", "mentions": [{"id": "a", "start": 0, "end": 3, "type": "PERSON"}], "rels": [%s]}'
    path = save(tmp_path, line % '{"subject": "a", "predicate": "KNOWS", "object": "b"}')
    with pytest.raises(CorpusError, match="DR220.*file.txt, line 1, .*relation.*unknown argument"):
        JSONL.read_gold(path)


# All protocols


def test_no_relation_is_none() -> None:
    docs = (drugs, abstract, fruit, sentence)
    for protocol, doc in zip((CHEMPROT, BIORED, SCIERC, SEMEVAL), docs, strict=True):
        assert protocol.from_doc(doc((0, "no_relation", 1))) == set()


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "jsonl"])
def test_an_unknown_predicate_is_named(name: str) -> None:
    doc = {"chemprot": drugs, "biored": abstract, "scierc": fruit, "semeval": sentence}[name]
    with pytest.raises(ValueError, match=f"DR201.*'{name}' does not know the predicate 'LIKES'"):
        get_protocol(name).from_doc(doc((0, "LIKES", 1)))


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(ValueError, match="DR004.*'ace'.*biored, chemprot, jsonl, scierc, semeval"):
        get_protocol("ace")


def test_gold_documents_without_predictions_have_false_negatives() -> None:
    gold = {"1": {Item("Bind", "a", "b")}, "2": {Item("Bind", "a", "b")}}
    assert prf(BIORED, gold, {"1": {Item("Bind", "a", "b")}}) == (1, 1 / 2, 2 / 3)


@pytest.mark.parametrize("protocol", [BIORED, SCIERC, SEMEVAL], ids=lambda protocol: protocol.name)
def test_predictions_for_a_document_that_gold_does_not_have(protocol: Protocol) -> None:
    with pytest.raises(ValueError, match="DR200.*Document 2: "):
        protocol.count({"1": set()}, {"1": set()}, {"2": set()})


def test_chemprot_predictions_for_documents_without_gold_are_false_positives() -> None:
    (counts,) = CHEMPROT.count({"1": set()}, {"2": {Item("CPR:3", "T1", "T2")}})
    assert counts.sum(axis=(0, 1)).tolist() == [0, 1, 0]


def test_systems_are_counted_over_the_same_documents() -> None:
    item = Item("CPR:3", "T1", "T2")
    first, second = CHEMPROT.count({"1": {item}}, {"2": {item}}, {"1": {item}})
    assert first[:, 0].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert second[:, 0].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_scores_per_type_and_macro() -> None:
    """CPR:3: 1 of 2 predicted, 1 gold, F = 2/3; CPR:4: 0 of 1 gold; CPR:9: not in gold, so in no mean."""
    gold = {"1": {Item("CPR:3", "a", "b"), Item("CPR:4", "a", "b")}}
    predicted = {"1": {Item("CPR:3", "a", "b"), Item("CPR:3", "a", "c"), Item("CPR:9", "a", "b")}}
    scores = CHEMPROT.scores(CHEMPROT.count(gold, predicted)[0])
    assert list(scores["per_type"]) == ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"]
    assert scores["per_type"]["CPR:3"] == pytest.approx(
        {"p": 1 / 2, "r": 1.0, "f": 2 / 3, "tp": 1, "predicted": 2, "gold": 1}
    )
    assert scores["macro_f"] == pytest.approx(1 / 3)
    assert (scores["p"], scores["r"]) == (pytest.approx(1 / 3), pytest.approx(1 / 2))


def test_semeval_divides_by_the_relations_in_gold() -> None:
    """One of two gold relations is found, and one that gold does not have: P = R = F = 1/2."""
    gold = {"1": {Item("Cause-Effect", "e1", "e2")}, "2": {Item("Message-Topic", "e1", "e2")}, "3": set()}
    predicted = {**gold, "2": set(), "3": {Item("Entity-Origin", "e1", "e2")}}
    assert prf(SEMEVAL, gold, gold) == (1, 1, 1)
    assert prf(SEMEVAL, gold, predicted) == (1 / 2, 1 / 2, 1 / 2)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_nothing_to_score_is_zero(name: str) -> None:
    protocol = get_protocol(name)
    for gold in ({}, {"1": set()}):
        (counts,) = protocol.count(gold, {})
        assert counts.shape == (len(gold), len(protocol.labels), 3)
        scores = protocol.scores(counts)
        assert [scores[figure] for figure in ("p", "r", "f", "macro_f")] == [0, 0, 0, 0]


# Bad files: content, line, a part of the message

BAD_GOLD = {
    "chemprot": {
        "columns": (CHEMPROT_GOLD + "12\tCPR:9\tArg1:T1\n", 4, "3 columns; expected 4"),
        "too many columns": (CHEMPROT_GOLD + "12\tCPR:9\tArg1:T1\tArg2:T2\tx\n", 4, "5 columns; expected 4"),
        "prefix": (CHEMPROT_GOLD.replace("Arg2:T3", "T3"), 3, "does not begin with Arg2:"),
        "group": (CHEMPROT_GOLD.replace("CPR:9", "CPR:99"), 3, "unknown relation 'CPR:99'"),
    },
    "biored": {
        "type": (BIORED_GOLD.replace("\tBind\t7", "\tLikes\t7"), 1, "unknown relation type 'Likes' in document 5"),
        "concept": (BIORED_GOLD.replace("\tBind\t7", "\tBind\t8"), 9, "no mention of an argument's concept"),
        "document": (BIORED_GOLD.replace("\n6|t", "\n5|t").replace("\n6", "\n5"), 13, "document 5 occurs twice"),
    },
    "scierc": {
        "json": (SCIERC_GOLD.replace("[[]]}", "[[]]"), 2, "JSON"),
        "label": (SCIERC_GOLD.replace("USED-FOR", "LIKES"), 1, "unknown relation label"),
        "row": (SCIERC_GOLD.replace('0, 0, 2, 2, "PART', '0, 0, 2, "PART'), 1, "valid integer in relations.0.2.3"),
        "token": (SCIERC_GOLD.replace("6, 7", "6, 8"), 1, "tokens from 0 to 7"),
        "negative token": (SCIERC_GOLD.replace("4, 4", "-4, 4"), 1, "sentence 2 of document a has the tokens 4 to 7"),
        "other sentence": (SCIERC_GOLD.replace("4, 4", "0, 0"), 1, "sentence 2 of document a has the tokens 4 to 7"),
        "reversed": (SCIERC_GOLD.replace("6, 7", "7, 6"), 1, "tokens from 0 to 7"),
        "fraction": (SCIERC_GOLD.replace("6, 7", "6.0, 7"), 1, "valid integer in relations.1.0.2"),
        "truth value": (SCIERC_GOLD.replace("6, 7", "true, 7"), 1, "valid integer in relations.1.0.2"),
        "long number": (SCIERC_GOLD.replace("6, 7", f"6, {'7' * 4000}"), 1, "tokens from 0 to 7"),
        "document": (SCIERC_GOLD.replace('"b"', '"a"'), 2, "document a occurs twice"),
    },
    "semeval": {
        "label": (SEMEVAL_KEY.replace("Message-Topic", "Message"), 4, "unknown label 'Message(e1,e2)'"),
        "no label": (SEMEVAL_KEY + "7\n", 7, "a number, a tab and a label"),
        "no number": (SEMEVAL_KEY + "x\tOther\n", 7, "a number, a tab and a label"),
        "sentence": (SEMEVAL_KEY + "1\tOther\n", 7, "sentence 1 occurs twice"),
        "no comment": (SEMEVAL_FULL.replace("Comment: a", "a"), 5, "and a line Comment:"),
        "no labels": ('1\t"<e1>Rain</e1> brings <e2>mud</e2>."\n2\t"x"\n3\t"y"\n', 1, "its label and a line Comment:"),
        "blanks": (" \n\n", 0, "is empty"),
    },
}
BAD = [(name, *case) for name, cases in BAD_GOLD.items() for case in cases.values()]
BAD_IDS = [f"{name}, {what}" for name, cases in BAD_GOLD.items() for what in cases]


@pytest.mark.parametrize("name, content, line, message", BAD, ids=BAD_IDS)
def test_a_bad_line_is_named(tmp_path: Path, name: str, content: str, line: int, message: str) -> None:
    path = save(tmp_path, content)
    with pytest.raises(CorpusError) as caught:
        get_protocol(name).read_gold(path)
    assert re.search(rf"file.txt, line {line}\b" if line else "file.txt: ", str(caught.value))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_missing_or_empty_gold_file_is_named(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "nowhere", tmp_path, save(tmp_path, "")):
        with pytest.raises(CorpusError, match=path.name):
            get_protocol(name).read_gold(path)


CONTENTS = {
    "chemprot": [CHEMPROT_GOLD, CHEMPROT_PREDICTED],
    "biored": [BIORED_GOLD, BIORED_PREDICTED],
    "scierc": [SCIERC_GOLD, SCIERC_PREDICTED],
    "semeval": [SEMEVAL_KEY, SEMEVAL_FULL],
}
_PIECES = [
    b"\t",
    b"\n",
    b"\r\n",
    b"9" * 5000,
    b"Arg1:",
    b"|",
    b'"',
    b"[]",
    b"{",
    b"null",
    b"Comment:",
    b"\xff",
    b"Other",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(CONTENTS)),
    number=st.integers(0, 1),
    edits=st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 9), st.one_of(st.binary(max_size=4), st.sampled_from(_PIECES))),
        min_size=1,
        max_size=4,
    ),
    cut=st.one_of(st.none(), st.integers(0, 600)),
)
def test_whatever_is_in_a_file_only_a_corpus_error_comes_out(
    tmp_path: Path, name: str, number: int, edits: List[Any], cut: Any
) -> None:
    content = CONTENTS[name][number].encode("utf8")
    for at, removed, inserted in edits:
        content = content[:at] + inserted + content[at + removed :]
    path = tmp_path / "file"
    path.write_bytes(content[:cut])
    for read in (get_protocol(name).read_gold, get_protocol(name).read_predicted):
        try:
            items = read(path)
        except CorpusError:
            continue
        assert {item.predicate for found in items.values() for item in found} <= set(get_protocol(name).labels)


# The scorer for spaCy


def test_scorer_gives_the_official_figures(tmp_path: Path) -> None:
    """As by hand above: 2/3 for Cause-Effect, 0 for Message-Topic."""
    score = make_protocol_scorer("semeval")
    gold = [("Cause-Effect", 0, 1), ("Cause-Effect", 1, 0), ("Cause-Effect", 1, 0), ("Message-Topic", 0, 1), None, None]
    references = [sentence((rel[1], rel[0], rel[2])) if rel else sentence((0, "no_relation", 1)) for rel in gold]
    predicted = semeval_docs().values()
    scores = score([Example(doc, reference) for doc, reference in zip(predicted, references, strict=True)], attr="x")
    for name in ("rels_p", "rels_r", "rels_f", "rels_macro_f"):
        assert scores[name] == pytest.approx(1 / 3)
    assert set(scores["rels_per_type"]) == {"Cause-Effect", "Message-Topic", "Member-Collection"}
    assert scores["rels_per_type"]["Cause-Effect"] == pytest.approx({"p": 2 / 3, "r": 2 / 3, "f": 2 / 3})


def test_scorer_is_micro_where_the_protocol_is() -> None:
    """1 right of 2 predicted and 1 gold: F = 2/3. The one group in gold has F = 1."""
    predicted, reference = drugs((0, "CPR:3", 1), (0, "CPR:9", 1)), drugs((0, "CPR:3", 1))
    scores = make_protocol_scorer("chemprot")([Example(predicted, reference)])
    assert scores["rels_f"] == pytest.approx(2 / 3) and scores["rels_macro_f"] == pytest.approx(1)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_scorer_gives_none_where_there_is_nothing(name: str) -> None:
    for examples in ([], [Example(sentence(), sentence())]):
        scores = make_protocol_scorer(name)(examples)
        assert scores == dict.fromkeys(("rels_p", "rels_r", "rels_f", "rels_macro_f", "rels_per_type"))


def test_scorer_of_an_unknown_protocol() -> None:
    with pytest.raises(ValueError, match="DR004.*protocol 'ace'"):
        make_protocol_scorer("ace")


# The official files


def official(*parts: str) -> Path:
    path = OFFICIAL.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the official files are not there (folder shared/corpora/{parts[0]} beside the repository)")
    return path


def test_official_chemprot_evaluation() -> None:
    folder = official("chemprot", "chemprot_sample")
    lines = (folder / "chemprot_sample_predictions_eval.txt").read_text().splitlines()
    expected = {name: float(value) for name, value in (line.split(":") for line in lines if line)}
    (counts,) = CHEMPROT.count(
        CHEMPROT.read_gold(folder / "chemprot_sample_gold_standard.tsv"),
        CHEMPROT.read_predicted(folder / "chemprot_sample_predictions.tsv"),
    )
    tp, predicted, gold = counts.sum(axis=(0, 1))
    assert (tp, predicted, gold) == (121, 142, 239)
    assert (tp, predicted, gold) == (expected["TP"], expected["Total predictions"], expected["Total annotations"])
    scores = CHEMPROT.scores(counts)
    for name, key in (("Precision", "p"), ("Recall", "r"), ("F-score", "f")):
        assert scores[key] == pytest.approx(expected[name], abs=1e-11)


COUNTS = {
    ("chemprot", "chemprot_training", "chemprot_training_gold_standard.tsv"): 4157,
    ("chemprot", "chemprot_development", "chemprot_development_gold_standard.tsv"): 2416,
    ("chemprot", "chemprot_test_gs", "chemprot_test_gold_standard.tsv"): 3458,
    ("biored", "Train.PubTator"): 4177,
    ("biored", "Dev.PubTator"): 1162,
    ("biored", "Test.PubTator"): 1163,
    ("scierc", "train.json"): 3215,
    ("scierc", "dev.json"): 455,
    ("scierc", "test.json"): 974,
    ("semeval2010t8", "TRAIN_FILE.TXT"): 8000 - 1410,
    ("semeval2010t8", "TEST_FILE_FULL.TXT"): 2717 - 454,
}


@pytest.mark.parametrize("parts", COUNTS, ids=lambda parts: parts[-1])
def test_official_counts(parts: Tuple[str, ...]) -> None:
    protocol = get_protocol(parts[0].removesuffix("2010t8"))
    gold = protocol.read_gold(official(*parts))
    assert sum(map(len, gold.values())) == COUNTS[parts]
    assert protocol.scores(protocol.count(gold, gold)[0])["f"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, read, folder, file",
    [
        ("chemprot", chemprot.read, ("chemprot", "chemprot_sample"), ("chemprot_sample_gold_standard.tsv",)),
        ("biored", pubtator.read, ("biored", "Dev.PubTator"), ()),
        ("scierc", scierc.read, ("scierc", "dev.json"), ()),
        ("semeval", semeval.read, ("semeval2010t8", "TEST_FILE_FULL.TXT"), ()),
        ("semeval", partial(semeval.read, whole_labels=True), ("semeval2010t8", "TEST_FILE_FULL.TXT"), ()),
    ],
)
def test_official_files_and_docs_agree(tmp_path: Path, name: str, read: Any, folder: Any, file: Any) -> None:
    protocol = get_protocol(name)
    records = islice(read(official(*folder)), 100)
    docs = {doc.user_data["doc_id"]: doc for doc in records_to_docs(records, spacy.blank("en"), ConversionReport())}
    gold = protocol.read_gold(official(*folder, *file))
    found = from_docs(protocol, docs)
    assert {id: items for id, items in found.items() if items} == {id: gold[id] for id in found if gold.get(id)}
    again = written(protocol, docs, tmp_path)
    assert numpy.array_equal(*protocol.count(gold, found, again))
