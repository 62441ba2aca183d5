"""Reading ChemProt: every trap of the format, every error with file and line, the official counts."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import spacy
from helpers.damage import assert_sound
from helpers.paths import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.chemprot import ALL_GROUPS, DRUGPROT, GROUPS, read, read_drugprot, read_groups
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs

OFFICIAL = ROOT.parent / "shared" / "corpora" / "chemprot"
Files = Dict[str, str]
read_fine = partial(read_groups, label=3)

#: Characters 0 to 9 are the title of document 7, character 10 separates it from the abstract.
ABSTRACTS = (
    '7\tDrug abuse\t"Ecstasy" and NA\u00a0salt block 5-HT\u2009transporter kinase. They do.\n'
    "3\tNothing here\tAspirin inhibits COX-1.\n"
    "9\tAlone\tNo mentions at all.\n"
)
#: Documents in another order than above, mentions in no order.
ENTITIES = (
    "3\tT2\tGENE-Y\t30\t35\tCOX-1\n"
    "3\tT1\tCHEMICAL\t13\t20\tAspirin\n"
    "7\tT3\tGENE-N\t39\t62\t5-HT\u2009transporter kinase\n"
    '7\tT1\tCHEMICAL\t11\t20\t"Ecstasy"\n'
    "7\tT9\tCHEMICAL\t39\t43\t5-HT\n"
    "7\tT4\tCHEMICAL\t25\t27\tNA\n"
    "7\tT5\tCHEMICAL\t25\t32\tNA\u00a0salt\n"
    "7\tT6\tGENE-Y\t25\t32\tNA\u00a0salt\n"
)
RELATIONS = (
    "7\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T3\n"
    "7\tCPR:6\tY \tANTAGONIST\tArg1:T1\tArg2:T3\n"
    "7\tCPR:10\tN \tNOT\tArg1:T4\tArg2:T3\n"
    "7\tCPR:4\tY \tINDIRECT-DOWNREGULATOR\tArg1:T1\tArg2:T3\n"
    "7\tCPR:0\tN \tUNDEFINED\tArg1:T9\tArg2:T3\n"
    "3\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T2\n"
)
GOLD = (
    "3\tCPR:4\tArg1:T1\tArg2:T2\n7\tCPR:4\tArg1:T1\tArg2:T3\n7\tCPR:6\tArg1:T1\tArg2:T3\n7\tCPR:9\tArg1:T9\tArg2:T3\n"
)
SPLIT: Files = {"abstracts": ABSTRACTS, "entities": ENTITIES, "relations": RELATIONS, "gold_standard": GOLD}


def write(folder: Path, infix: str = "", **changed: Any) -> Path:
    """A split of three documents. The keywords replace a file's content; None leaves the file out."""
    folder.mkdir(exist_ok=True)
    for kind, content in {**SPLIT, **changed}.items():
        if content is not None:
            suffix = infix if kind != "gold_standard" else ""
            data = content if isinstance(content, bytes) else content.encode("utf8")
            (folder / f"chemprot_test_{kind}{suffix}.tsv").write_bytes(data)
    return folder


def read_all(folder: Path, reader: Callable[[Path], Iterator[Record]] = read) -> List[Record]:
    return list(reader(folder))


def read_seven(folder: Path, reader: Callable[[Path], Iterator[Record]]) -> Record:
    return next(record for record in reader(folder) if record.id == "7")


@pytest.fixture
def records(tmp_path: Path) -> Dict[str, Record]:
    return {record.id: record for record in read_all(write(tmp_path / "split"))}


def surface(record: Record) -> Dict[str, str]:
    return {mention.id: record.text[mention.start : mention.end] for mention in record.mentions}


def test_documents_come_in_the_order_of_the_abstracts(tmp_path: Path) -> None:
    assert [record.id for record in read(write(tmp_path / "split"))] == ["7", "3", "9"]


def test_text_is_title_and_abstract_with_a_break_between(records: Dict[str, Record]) -> None:
    record = records["3"]
    assert record.text == "Nothing here Aspirin inhibits COX-1."
    assert record.breaks == (13,) and record.text[13:].startswith("Aspirin")
    assert record.meta == {"corpus": "chemprot", "split": "split"}


def test_mentions_keep_offsets_and_merge_the_gene_types(records: Dict[str, Record]) -> None:
    assert records["3"].mentions == [MentionRecord("T2", "GENE", 30, 35), MentionRecord("T1", "CHEMICAL", 13, 20)]
    assert {mention.type for mention in records["7"].mentions} == {"CHEMICAL", "GENE"}


def test_quotes_are_text(records: Dict[str, Record]) -> None:
    assert records["7"].text.startswith('Drug abuse "Ecstasy" and')
    assert surface(records["7"])["T1"] == '"Ecstasy"'


def test_the_text_na_is_a_mention(records: Dict[str, Record]) -> None:
    assert surface(records["7"])["T4"] == "NA"


def test_blanks_beyond_ascii_keep_their_places(records: Dict[str, Record]) -> None:
    assert surface(records["7"])["T5"] == "NA\u00a0salt"
    assert surface(records["7"])["T3"] == "5-HT\u2009transporter kinase"


def test_nested_and_identical_spans_all_stay(records: Dict[str, Record]) -> None:
    spans = {mention.id: (mention.start, mention.end, mention.type) for mention in records["7"].mentions}
    assert len(spans) == 6
    assert (spans["T5"][:2], spans["T5"][2], spans["T6"][2]) == (spans["T6"][:2], "CHEMICAL", "GENE")
    assert spans["T3"][0] == spans["T9"][0] and spans["T9"][1] < spans["T3"][1]


def test_a_pair_may_have_several_relations(records: Dict[str, Record]) -> None:
    assert records["7"].relations == [
        RelationRecord("CPR:4", "T1", "T3"),
        RelationRecord("CPR:6", "T1", "T3"),
        RelationRecord("CPR:9", "T9", "T3"),
    ]


def test_relations_come_from_the_gold_standard(tmp_path: Path) -> None:
    without = write(tmp_path / "split", relations=None)
    assert sum(len(record.relations) for record in read(without)) == 4


def test_a_document_without_entities_is_read(records: Dict[str, Record]) -> None:
    assert (records["9"].mentions, records["9"].relations) == ([], [])


def test_the_relations_file_with_its_flags_is_not_in_the_way(tmp_path: Path) -> None:
    flags = {line.split("\t")[2] for line in RELATIONS.splitlines()}
    assert flags == {"Y ", "N "}
    groups = [rel.predicate for record in read(write(tmp_path / "split")) for rel in record.relations]
    assert "CPR:10" not in groups


def test_the_test_splits_names_are_found(tmp_path: Path) -> None:
    plain, infix = write(tmp_path / "a"), write(tmp_path / "b", infix="_gs")
    assert (infix / "chemprot_test_abstracts_gs.tsv").exists() and (infix / "chemprot_test_gold_standard.tsv").exists()
    for one, other in zip(read(plain), read(infix), strict=True):
        assert (one.text, one.mentions, one.relations) == (other.text, other.mentions, other.relations)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text + "\n\n",
    ],
    ids=["CRLF", "BOM", "BOM and CRLF", "no end of line", "empty lines"],
)
def test_ways_to_end_lines_and_begin_files_change_nothing(tmp_path: Path, change: Any) -> None:
    expected = read_all(write(tmp_path / "split"))
    changed = {kind: change(content) for kind, content in SPLIT.items()}
    assert read_all(write(tmp_path / "split", **changed)) == expected


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x0b", "\x1c"])
def test_separators_inside_a_text_do_not_cut_its_line(tmp_path: Path, separator: str) -> None:
    abstracts = ABSTRACTS.replace("They do", f"They{separator}do")
    record = read_all(write(tmp_path / "split", abstracts=abstracts))[0]
    assert f"They{separator}do." in record.text


def test_a_split_without_gold_standard_has_no_relations(tmp_path: Path) -> None:
    records = read_all(write(tmp_path / "split", gold_standard=None))
    assert len(records) == 3 and not any(record.relations for record in records)
    note = "documents without relations: no file *_gold_standard*.tsv"
    assert all(record.notes == {note: 1} and not record.dropped for record in records)


@pytest.mark.parametrize("reader", [read_groups, read_fine])
def test_the_relations_file_may_be_missing_too(tmp_path: Path, reader: Any) -> None:
    records = read_all(write(tmp_path / "split", relations=None), reader)
    assert len(records) == 3 and not any(record.relations for record in records)
    assert all(record.notes == {"documents without relations: no file *_relations*.tsv": 1} for record in records)


@pytest.mark.parametrize("kind", ["entities", "relations", "gold_standard"])
def test_a_file_without_rows_means_none_of_them(tmp_path: Path, kind: str) -> None:
    empty = {"entities": ("entities", "relations", "gold_standard")}.get(kind, (kind,))
    folder = write(tmp_path / "split", **{name: "" for name in empty})
    for reader in (read, read_groups, read_fine):
        records = read_all(folder, reader)
        assert [record.id for record in records] == ["7", "3", "9"]
        assert not any(record.dropped or record.notes for record in records)
        assert any(record.mentions for record in records) == (kind != "entities")


def test_every_group_of_the_relations_file(tmp_path: Path) -> None:
    record = read_seven(write(tmp_path / "split"), read_groups)
    assert record.relations == [
        RelationRecord("CPR:4", "T1", "T3"),
        RelationRecord("CPR:6", "T1", "T3"),
        RelationRecord("CPR:10", "T4", "T3"),
        RelationRecord("CPR:4", "T1", "T3"),
        RelationRecord("CPR:0", "T9", "T3"),
    ]


def test_the_fine_labels_of_the_relations_file(tmp_path: Path) -> None:
    record = read_seven(write(tmp_path / "split"), read_fine)
    assert [(rel.predicate, rel.subject) for rel in record.relations] == [
        ("INHIBITOR", "T1"),
        ("ANTAGONIST", "T1"),
        ("NOT", "T4"),
        ("INDIRECT-DOWNREGULATOR", "T1"),
        ("UNDEFINED", "T9"),
    ]


@pytest.mark.parametrize("group", ALL_GROUPS)
def test_all_eleven_groups_are_known(tmp_path: Path, group: str) -> None:
    folder = write(tmp_path / "split", relations=f"3\t{group}\tN \tSOMETHING\tArg1:T1\tArg2:T2\n")
    assert [rel.predicate for record in read_groups(folder) for rel in record.relations] == [group]
    assert [rel.predicate for record in read_fine(folder) for rel in record.relations] == ["SOMETHING"]


@pytest.mark.parametrize("flag", ["Y ", "Y", "N ", "N"])
def test_the_flag_with_its_blank_is_of_no_account(tmp_path: Path, flag: str) -> None:
    folder = write(tmp_path / "split", relations=f"3\tCPR:3\t{flag}\tACTIVATOR\tArg1:T1\tArg2:T2\n")
    assert [rel for record in read_groups(folder) for rel in record.relations] == [RelationRecord("CPR:3", "T1", "T2")]


def test_all_readers_agree_on_everything_but_the_relations(tmp_path: Path) -> None:
    folder = write(tmp_path / "split")
    for records in zip(read(folder), read_groups(folder), read_fine(folder), strict=True):
        assert len({(record.text, record.breaks, tuple(record.mentions)) for record in records}) == 1


def test_two_fine_labels_of_one_group_are_one_relation_of_the_doc(tmp_path: Path) -> None:
    folder, report = write(tmp_path / "split"), ConversionReport()
    doc, *_ = records_to_docs(read_groups(folder), spacy.blank("en"), report)
    assert [(rel.subject.text, rel.predicate) for rel in doc._.rels] == [
        ('"Ecstasy"', "CPR:4"),
        ('"Ecstasy"', "CPR:6"),
        ("NA", "CPR:10"),
        ("5-HT", "CPR:0"),
    ]
    doc, *_ = records_to_docs(read_fine(folder), spacy.blank("en"), report)
    assert [rel.predicate for rel in doc._.rels][:3] == ["ANTAGONIST", "INDIRECT-DOWNREGULATOR", "INHIBITOR"]


# DrugProt


def write_drugprot(folder: Path, relations: Any, abstracts: str = "training_abstracs") -> Path:
    folder.mkdir()
    files = {abstracts: ABSTRACTS, "training_entities": ENTITIES, "training_relations": relations}
    for name, content in files.items():
        if content is not None:
            (folder / f"drugprot_{name}.tsv").write_text(content, encoding="utf8")
    return folder


@pytest.mark.parametrize("abstracts", ["training_abstracs", "development_abstracts"])
def test_drugprot_has_labels_for_groups_and_two_ways_to_spell_abstracts(tmp_path: Path, abstracts: str) -> None:
    relations = "7\tINHIBITOR\tArg1:T1\tArg2:T3\n7\tPART-OF\tArg1:T1\tArg2:T3\n3\tAGONIST\tArg1:T1\tArg2:T9\n"
    seven, three, _ = read_all(write_drugprot(tmp_path / "split", relations, abstracts), read_drugprot)
    assert seven.relations == [RelationRecord("INHIBITOR", "T1", "T3"), RelationRecord("PART-OF", "T1", "T3")]
    assert [dropped.why for dropped in three.dropped] == ["unknown argument"]
    assert three.text == "Nothing here Aspirin inhibits COX-1." and three.breaks == (13,)
    assert three.mentions == [MentionRecord("T2", "GENE", 30, 35), MentionRecord("T1", "CHEMICAL", 13, 20)]
    assert three.meta == {"corpus": "drugprot", "split": "split"}


@pytest.mark.parametrize("label", DRUGPROT)
def test_all_thirteen_labels_of_drugprot_are_known(tmp_path: Path, label: str) -> None:
    folder = write_drugprot(tmp_path / "split", f"3\t{label}\tArg1:T1\tArg2:T2\n")
    assert [rel for record in read_drugprot(folder) for rel in record.relations] == [RelationRecord(label, "T1", "T2")]
    assert len(DRUGPROT) == 13


def test_drugprots_test_set_has_genes_and_no_relations(tmp_path: Path) -> None:
    folder = tmp_path / "split"
    write_drugprot(folder, None)
    entities = folder / "drugprot_training_entities.tsv"
    entities.write_text(ENTITIES.replace("GENE-Y", "GENE").replace("GENE-N", "GENE"), encoding="utf8")
    records = read_all(folder, read_drugprot)
    assert {mention.type for record in records for mention in record.mentions} == {"CHEMICAL", "GENE"}
    assert all(record.notes == {"documents without relations: no file *_relations*.tsv": 1} for record in records)


@pytest.mark.parametrize(
    "relation, message",
    [
        ("3\tCPR:4\tArg1:T1\tArg2:T2", "unknown relation 'CPR:4'; expected one of ACTIVATOR, AGONIST"),
        ("3\tINHIBITOR\tT1\tArg2:T2", "'T1' does not begin with Arg1:"),
        ("3\tINHIBITOR\tArg1:T1", "3 columns; expected 4"),
        ("5\tINHIBITOR\tArg1:T1\tArg2:T2", "document 5 is not in drugprot_training_abstracs.tsv"),
    ],
)
def test_a_bad_line_of_drugprot_is_named(tmp_path: Path, relation: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_all(write_drugprot(tmp_path / "split", f"{relation}\n"), read_drugprot)
    assert "drugprot_training_relations.tsv, line 1: " in str(caught.value) and message in str(caught.value)


# Bad input: (file, its content, line, a part of the message)

BAD_LINES = {
    "columns missing": ("abstracts", ABSTRACTS + "12\tTitle\n", 4, "2 columns; expected 3"),
    "columns too many": ("entities", ENTITIES.replace("\tAspirin", "\tAspirin\tx"), 2, "7 columns; expected 6"),
    "document twice": ("abstracts", ABSTRACTS + "3\tAgain\tText.\n", 4, "document 3 occurs twice"),
    "unknown type": ("entities", ENTITIES.replace("GENE-N", "PROTEIN"), 3, "unknown entity type 'PROTEIN'"),
    "offset no number": ("entities", ENTITIES.replace("\t13\t", "\tx\t"), 2, "'x', '20' are not offsets"),
    "offset negative": ("entities", ENTITIES.replace("\t13\t", "\t-13\t"), 2, "'-13', '20' are not offsets"),
    "offset a fraction": ("entities", ENTITIES.replace("\t13\t", "\t13.0\t"), 2, "are not offsets"),
    "offset superscript": ("entities", ENTITIES.replace("\t13\t", "\t\u00b2\t"), 2, "are not offsets"),
    "offset of 5000 digits": ("entities", ENTITIES.replace("\t13\t", f"\t{'9' * 5000}\t"), 2, "'999999999999', '20'"),
    "entities of no document": ("entities", ENTITIES + "4\tT1\tCHEMICAL\t0\t1\tx\n", 9, "document 4 is not in"),
    "relations of no document": ("gold_standard", GOLD + "4\tCPR:3\tArg1:T1\tArg2:T2\n", 5, "document 4 is not in"),
    "unknown group": ("gold_standard", GOLD.replace("CPR:9", "CPR:10"), 4, "unknown relation 'CPR:10'"),
    "arguments without prefix": ("gold_standard", GOLD.replace("Arg2:T2", "T2"), 1, "'T2'"),
    "arguments exchanged": ("gold_standard", GOLD.replace("Arg1:T1\tArg2:T2", "Arg2:T2\tArg1:T1"), 1, "'Arg2:T2'"),
}


@pytest.mark.parametrize("kind, content, line, message", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named(tmp_path: Path, kind: str, content: str, line: int, message: str) -> None:
    assert content != SPLIT[kind]
    folder = write(tmp_path / "split", **{kind: content})
    with pytest.raises(CorpusError) as caught:
        read_all(folder)
    assert f"chemprot_test_{kind}.tsv, line {line}: " in str(caught.value)
    assert message in str(caught.value)


BAD_RELATIONS = {
    "unknown group": (RELATIONS.replace("CPR:10", "CPR:11"), 3, "unknown relation 'CPR:11'"),
    "group in lower case": (RELATIONS.replace("CPR:10", "cpr:10"), 3, "unknown relation 'cpr:10'"),
    "no group": (RELATIONS.replace("CPR:10", ""), 3, "unknown relation ''"),
    "columns of the gold standard": (GOLD, 1, "4 columns; expected 6"),
    "arguments exchanged": (RELATIONS.replace("Arg1:T4\tArg2:T3", "Arg2:T3\tArg1:T4"), 3, "'Arg2:T3'"),
    "no document": (RELATIONS + "4\tCPR:3\tY \tACTIVATOR\tArg1:T1\tArg2:T2\n", 7, "document 4 is not in"),
}


@pytest.mark.parametrize("reader", [read_groups, read_fine])
@pytest.mark.parametrize("content, line, message", BAD_RELATIONS.values(), ids=BAD_RELATIONS.keys())
def test_a_bad_line_of_the_relations_file_is_named(
    tmp_path: Path, reader: Any, content: str, line: int, message: str
) -> None:
    assert content != RELATIONS
    folder = write(tmp_path / "split", relations=content)
    with pytest.raises(CorpusError) as caught:
        read_all(folder, reader)
    assert f"chemprot_test_relations.tsv, line {line}: " in str(caught.value)
    assert message in str(caught.value)


def test_the_first_row_of_no_document_is_named(tmp_path: Path) -> None:
    strays = "".join(f"{pmid}\tT1\tCHEMICAL\t0\t1\tx\n" for pmid in (55, 4, 66, 2))
    with pytest.raises(CorpusError, match="entities.tsv, line 9: document 55 is not in"):
        read_all(write(tmp_path / "split", entities=ENTITIES + strays))


# Single mentions and relations that cannot be used: (file, its content, line, what, why, a part of the place)

UNUSABLE = {
    "beyond the text": (
        *("entities", ENTITIES.replace("\t20\tAspirin", "\t999\tAspirin"), 2),
        *("mention", "offsets outside of the text", "document 3, mention T1 (13 to 999)"),
    ),
    "reversed": (
        *("entities", ENTITIES.replace("\t13\t20\t", "\t20\t13\t"), 2),
        *("mention", "offsets outside of the text", "document 3, mention T1 (20 to 13)"),
    ),
    "other text": (
        *("entities", ENTITIES.replace("\tAspirin", "\taspirin"), 2),
        *("mention", "offsets do not match the text", "document 3, mention T1 (13 to 20)"),
    ),
    "shifted by one": (
        *("entities", ENTITIES.replace("\t13\t20\t", "\t14\t21\t"), 2),
        *("mention", "offsets do not match the text", "document 3, mention T1 (14 to 21)"),
    ),
    "entity twice": (
        *("entities", ENTITIES.replace("3\tT1\t", "3\tT2\t"), 2),
        *("mention", "id occurs twice", "document 3, mention T2 (13 to 20)"),
    ),
    "no such entity": (
        *("gold_standard", GOLD.replace("Arg1:T9", "Arg1:T8"), 4),
        *("relation", "unknown argument", "document 7, relation CPR:9 of T8 and T3"),
    ),
    "entity of another document": (
        *("gold_standard", GOLD.replace("3\tCPR:4\tArg1:T1", "3\tCPR:4\tArg1:T9"), 1),
        *("relation", "unknown argument", "document 3, relation CPR:4 of T9 and T2"),
    ),
}


@pytest.mark.parametrize("kind, content, line, what, why, where", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_is_left_out_with_its_reason_and_place(
    tmp_path: Path, kind: str, content: str, line: int, what: str, why: str, where: str
) -> None:
    assert content != SPLIT[kind]
    records = read_all(write(tmp_path / "split", **{kind: content}))
    first, *others = [dropped for record in records for dropped in record.dropped]
    assert (first.what, first.why) == (what, why)
    assert f"chemprot_test_{kind}.tsv, line {line}, " in first.where and where in first.where
    # The only other loss is the relation whose argument was dropped with its mention.
    lost = Counter(dropped.what for dropped in (first, *others))
    assert sum(len(record.mentions) for record in records) == 8 - lost["mention"]
    assert sum(len(record.relations) for record in records) == 4 - lost["relation"]


def test_the_relation_of_a_dropped_mention_is_dropped_with_it(tmp_path: Path) -> None:
    entities = ENTITIES.replace("\tAspirin", "\taspirin")
    record = read_all(write(tmp_path / "split", entities=entities))[1]
    assert [mention.id for mention in record.mentions] == ["T2"] and record.relations == []
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [
        ("mention", "offsets do not match the text"),
        ("relation", "argument was dropped"),
    ]
    assert record.dropped[1].where.endswith("gold_standard.tsv, line 1, document 3, relation CPR:4 of T1 and T2")


def test_a_missing_fine_label_is_no_predicate(tmp_path: Path) -> None:
    record = read_seven(write(tmp_path / "split", relations=RELATIONS.replace("ANTAGONIST", "")), read_fine)
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [("relation", "no predicate")]


def test_a_line_after_a_byte_order_mark_and_empty_lines_keeps_its_number(tmp_path: Path) -> None:
    folder = write(tmp_path / "split", abstracts="\ufeff\r\n\r\n" + ABSTRACTS.replace("\n", "\r\n") + "x\r\n")
    with pytest.raises(CorpusError, match="abstracts.tsv, line 6: 1 columns"):
        read_all(folder)


@pytest.mark.parametrize("kind", ["abstracts", "entities", "gold_standard"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, kind: str) -> None:
    folder = write(tmp_path / "split", **{kind: SPLIT[kind].encode("utf8") + b"\xff\xfe\n"})
    with pytest.raises(CorpusError, match=f"chemprot_test_{kind}.tsv.*UTF-8"):
        read_all(folder)


@pytest.mark.parametrize("kind", ["abstracts", "entities"])
def test_a_missing_file_is_named(tmp_path: Path, kind: str) -> None:
    with pytest.raises(CorpusError, match=rf"split: expected one file \*_{kind}\*\.tsv, found 0"):
        read_all(write(tmp_path / "split", **{kind: None}))


def test_files_of_two_splits_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "split")
    write(folder, infix="_gs")
    with pytest.raises(CorpusError, match=r"expected one file \*_abstracts\*\.tsv, found 2"):
        read_all(folder)


@pytest.mark.parametrize("name", ["nowhere", "file.tsv"])
def test_what_is_not_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.tsv").write_text("x", encoding="utf8")
    with pytest.raises(CorpusError, match=f"{name}: no such folder"):
        read_all(tmp_path / name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["abstracts", "entities", "gold_standard", "relations"]),
    edits=st.lists(
        st.tuples(
            st.integers(0, 400),
            st.integers(0, 6),
            st.one_of(
                st.binary(max_size=4), st.sampled_from([b"\t", b"\n", b"\r\n", b"9" * 30, b"T1", b"-1", b"\xc2\xa0"])
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_is_in_a_file_only_a_corpus_error_comes_out(tmp_path: Path, kind: str, edits: List[Any]) -> None:
    content = SPLIT[kind].encode("utf8")
    for at, removed, inserted in edits:
        content = content[:at] + inserted + content[at + removed :]
    folder = write(tmp_path / "split", **{kind: content})
    reader, known = (read_groups, ALL_GROUPS) if kind == "relations" else (read, GROUPS)
    try:
        records = read_all(folder, reader)
    except CorpusError as err:
        assert str(folder) in str(err)
        return
    for record in records:
        assert_sound(record)
        assert all(rel.predicate in known for rel in record.relations)


# The official files

COUNTS = {
    "training": (1020, (13017, 8348 + 4387), 4157, 10, 9),
    "development": (612, (8004, 5151 + 2412), 2416, 4, 0),
    "test_gs": (800, (10810, 6658 + 3360), 3458, 14, 8),
}
#: Rows of CPR:0 to CPR:10, rows that repeat pair and group, pairs with several groups, pairs with several fine labels.
GROUP_COUNTS = {
    "training": ((1, 308, 1652, 777, 2260, 173, 235, 29, 34, 727, 241), 21, 28, 49),
    "development": ((2, 153, 780, 552, 1103, 116, 199, 19, 2, 457, 175), 12, 31, 43),
    "test_gs": ((0, 215, 1743, 667, 1667, 198, 293, 25, 25, 644, 267), 14, 65, 79),
}
#: Label, then rows in training, development and test.
FINE_COUNTS = """
    ACTIVATOR 323 257 292
    AGONIST 159 111 182
    AGONIST-ACTIVATOR 10 5 4
    AGONIST-INHIBITOR 4 0 12
    ANTAGONIST 235 199 293
    COFACTOR 34 2 25
    DIRECT-REGULATOR 649 305 645
    DOWNREGULATOR 131 21 72
    INDIRECT-DOWNREGULATOR 487 270 340
    INDIRECT-REGULATOR 258 155 311
    INDIRECT-UPREGULATOR 387 278 334
    INHIBITOR 1642 812 1255
    MODULATOR 11 0 5
    MODULATOR-ACTIVATOR 12 19 15
    MODULATOR-INHIBITOR 6 0 5
    NOT 241 175 267
    PART-OF 308 153 215
    PRODUCT-OF 233 130 191
    REGULATOR 745 320 787
    SUBSTRATE 480 322 453
    SUBSTRATE_PRODUCT-OF 14 5 0
    UNDEFINED 1 2 0
    UPREGULATOR 67 17 41
"""


def official(split: str, reader: Callable[[Path], Iterator[Record]] = read) -> List[Record]:
    if not OFFICIAL.is_dir():
        pytest.skip("the official files are not there (folder shared/corpora/chemprot beside the repository)")
    return read_all(OFFICIAL / f"chemprot_{split}", reader)


def predicates_of_pairs(records: List[Record]) -> Dict[Any, List[str]]:
    pairs: Dict[Any, List[str]] = {}
    for record in records:
        for rel in record.relations:
            pairs.setdefault((record.id, rel.subject, rel.object), []).append(rel.predicate)
    return pairs


@pytest.mark.slow
@pytest.mark.parametrize("split", COUNTS)
def test_official_counts(split: str) -> None:
    documents, (chemicals, genes), relations, several, na = COUNTS[split]
    records = official(split)
    types = Counter(mention.type for record in records for mention in record.mentions)
    texts = Counter(text for record in records for text in surface(record).values())
    assert len(records) == documents
    assert types == {"CHEMICAL": chemicals, "GENE": genes}
    assert sum(len(record.relations) for record in records) == relations
    assert sum(len(predicates) > 1 for predicates in predicates_of_pairs(records).values()) == several
    assert texts["NA"] == na
    assert not any(record.dropped or record.notes for record in records)


@pytest.mark.slow
@pytest.mark.parametrize("split", GROUP_COUNTS)
def test_official_counts_of_groups(split: str) -> None:
    rows, repeated, several, _ = GROUP_COUNTS[split]
    records = official(split, read_groups)
    pairs = predicates_of_pairs(records)
    counts = Counter(predicate for predicates in pairs.values() for predicate in predicates)
    assert tuple(counts[group] for group in ALL_GROUPS) == rows
    assert sum(len(predicates) - len(set(predicates)) for predicates in pairs.values()) == repeated
    assert sum(len(set(predicates)) > 1 for predicates in pairs.values()) == several
    assert not any(record.dropped for record in records)


@pytest.mark.slow
@pytest.mark.parametrize("number, split", list(enumerate(GROUP_COUNTS)))
def test_official_counts_of_fine_labels(number: int, split: str) -> None:
    records = official(split, read_fine)
    pairs = predicates_of_pairs(records)
    counts = Counter(predicate for predicates in pairs.values() for predicate in predicates)
    expected = {label: int(rows[number]) for label, *rows in map(str.split, FINE_COUNTS.strip().splitlines())}
    assert counts == Counter(expected) and sum(counts.values()) == sum(GROUP_COUNTS[split][0])
    assert all(len(predicates) == len(set(predicates)) for predicates in pairs.values())
    assert sum(len(predicates) > 1 for predicates in pairs.values()) == GROUP_COUNTS[split][3]
    assert not any(record.dropped for record in records)


@pytest.mark.parametrize(
    "reader, split, mentions, repeated",
    [(read, "sample", 1289, 0), (read_groups, "development", 15567, 12), (read_fine, "sample", 1289, 0)],
)
@pytest.mark.slow
def test_a_whole_official_split_becomes_docs_without_a_loss(
    reader: Any, split: str, mentions: int, repeated: int
) -> None:
    records, report = official(split, reader), ConversionReport()
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    docs = list(records_to_docs(records, nlp, report, strict=True))
    assert len(docs) == len(records) and report.counts["mentions"] == mentions and report.counts["mentions_merged"] == 0
    assert report.counts["relations_given_twice"] == repeated
    assert sum(len(doc._.rels) for doc in docs) == sum(len(record.relations) for record in records) - repeated
    assert not report.dropped.counts


def test_the_abstract_that_starts_with_a_quote() -> None:
    record = next(record for record in official("training") if record.id == "23194825")
    assert record.text[record.breaks[0] :].startswith('"Ecstasy" (3,4-')
    assert len(record.mentions) > 0
