"""Reading PubTator: every trap of the format, every error with file and line, the official counts."""

import random
from collections import Counter
from pathlib import Path
from typing import Any, List, Union

import pytest
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.pubtator import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

OFFICIAL = SHARED / "corpora" / "biored"

#: The title is characters 0 to 17, the abstract starts at 18.
FIRST = (
    "71|t|Zorbin |t| quexia\n"
    "71|a|GLP9|GLP8 of mice: V7L. Zorbin.\n"
    "71\t0\t6\tZorbin\tChemical\tC71\n"
    "71\t11\t17\tquexia\tDisease\t-\n"
    "71\t18\t27\tGLP9|GLP8\tGene\t901,902\n"
    "71\t31\t35\tmice\tTaxon\t\n"
    "71\t37\t40\tV7L\tVariant\tp|SUB|V|7|L\n"
    "71\t42\t48\tZorbin\tChemical\tC71\n"
    "71\tBind\tC71\t902\tNovel\n"
    "71\tAssociation\tp|SUB|V|7|L\tC71\tNo\n"
    "71\tBind\tC71\tC71\tNovel\n"
)
SECOND = "72|t|No concept\n72|a|Nothing at all.\n"
#: As in BC5CDR: relations of four columns, and a composite mention with the names of its parts.
COMPOSITE = (
    "73|t|Left and right trouble\n"
    "73|a|By zorbin.\n"
    "73\t0\t22\tLeft and right trouble\tDisease\tD1|D2\tLeft trouble|right trouble\n"
    "73\t26\t32\tzorbin\tChemical\tC71\t\n"
    "73\tCID\tC71\tD2\n"
)
FILE = f"{FIRST}\n{SECOND}\n{COMPOSITE}\n"


def write(folder: Path, content: Union[str, bytes] = FILE, name: str = "Dev.PubTator") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


def read_all(folder: Path, content: Union[str, bytes] = FILE) -> List[Record]:
    return list(read(write(folder, content)))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return read_all(tmp_path)[0]


def test_documents_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert [record.id for record in read_all(tmp_path)] == ["71", "72", "73"]


def test_text_is_title_and_abstract_with_a_break_between(record: Record) -> None:
    assert record.text == "Zorbin |t| quexia GLP9|GLP8 of mice: V7L. Zorbin."
    assert record.breaks == (18,) and record.sentences is None
    assert (record.meta["corpus"], record.meta["split"]) == ("pubtator", "Dev")


def test_mentions_are_numbered_and_have_their_concepts(record: Record) -> None:
    assert record.mentions == [
        MentionRecord("0", "Chemical", 0, 6, ("C71",)),
        MentionRecord("1", "Disease", 11, 17, ("-",)),
        MentionRecord("2", "Gene", 18, 27, ("901", "902")),
        MentionRecord("3", "Taxon", 31, 35, ()),
        MentionRecord("4", "Variant", 37, 40, ("p|SUB|V|7|L",)),
        MentionRecord("5", "Chemical", 42, 48, ("C71",)),
    ]
    assert not record.dropped and not record.notes


def test_relations_are_between_concepts_and_may_be_of_one_with_itself(record: Record) -> None:
    assert record.concept_relations == [
        RelationRecord("Bind", "C71", "902"),
        RelationRecord("Association", "p|SUB|V|7|L", "C71"),
        RelationRecord("Bind", "C71", "C71"),
    ]
    assert record.relations == []


def test_novel_relations_are_in_meta_where_the_file_has_the_column(tmp_path: Path) -> None:
    first, second, third = read_all(tmp_path)
    assert first.meta["novel"] == [["Bind", "C71", "902"], ["Bind", "C71", "C71"]]
    assert "novel" not in second.meta and "novel" not in third.meta


def test_a_document_with_nothing_new_has_an_empty_list(tmp_path: Path) -> None:
    assert read_all(tmp_path, FIRST.replace("\tNovel", "\tNo"))[0].meta["novel"] == []


def test_relations_of_four_columns_and_composite_mentions(tmp_path: Path) -> None:
    record = read_all(tmp_path)[2]
    assert record.mentions[0] == MentionRecord("0", "Disease", 0, 22, ("D1", "D2"))
    assert record.concept_relations == [RelationRecord("CID", "C71", "D2")]
    assert record.notes == {"names within a composite mention not read": 1}


def test_relations_of_bc5cdr(tmp_path: Path) -> None:
    """One may be between concepts that are not together in a sentence, or of a composite; -1 is no concept."""
    text = "74|t|Zorbin.\n74|a|Quexia, left and right.\n"
    mentions = "74\t0\t6\tZorbin\tChemical\tD1\n74\t8\t14\tQuexia\tDisease\tD2|D3\n74\t16\t20\tleft\tDisease\t-1\n"
    (record,) = read_all(tmp_path, f"{text}{mentions}74\tCID\tD1\tD3\n74\tCID\tD1\t-1\n")
    assert record.concept_relations == [RelationRecord("CID", "D1", "D3")] and "novel" not in record.meta
    assert [dropped.why for dropped in record.dropped] == ["no mention of an argument's concept"]


def test_mentions_without_the_column_of_identifiers(tmp_path: Path) -> None:
    record = read_all(tmp_path, SECOND + "72\t0\t2\tNo\tWord\n")[0]
    assert record.mentions == [MentionRecord("0", "Word", 0, 2)] and not record.concept_relations


def test_relations_may_stand_before_mentions(tmp_path: Path) -> None:
    lines = FIRST.splitlines(keepends=True)
    (record,) = read_all(tmp_path, "".join(lines[:2] + lines[8:] + lines[2:8]))
    assert len(record.concept_relations) == 3 and not record.dropped


def test_titles_and_abstracts_may_be_empty(tmp_path: Path) -> None:
    (record,) = read_all(tmp_path, "5|t|\n5|a|\n")
    assert (record.text, record.breaks) == (" ", (1,))


def test_documents_without_an_abstract(tmp_path: Path) -> None:
    title = "74|t|Zorbin lowers quexia\n"
    first, second = read_all(tmp_path, f"{title}74\t0\t6\tZorbin\tChemical\tC71\n\n{title.replace('74', '75')}")
    assert (first.text, first.breaks, second.text) == ("Zorbin lowers quexia", (), "Zorbin lowers quexia")
    assert first.mentions == [MentionRecord("0", "Chemical", 0, 6, ("C71",))] and not second.mentions


@pytest.mark.parametrize(
    "ids, concepts",
    [
        ("C1;C2", ("C1", "C2")),
        ("MESH:C1|MESH:C2", ("MESH:C1", "MESH:C2")),
        ("C1; C2,C3|C1", ("C1", "C2", "C3")),
        ("C3|C4", ("C3|C4",)),
        ("p|SUB|V|7|L", ("p|SUB|V|7|L",)),
        ("|Allele|V|7", ("|Allele|V|7",)),
        ("c|DEL888|C", ("c|DEL888|C",)),
        ("tmVar:rs12;VariantGroup:0;RS#:12", ("tmVar:rs12;VariantGroup:0;RS#:12",)),
    ],
)
def test_several_concepts_of_a_mention(tmp_path: Path, ids: str, concepts: Any) -> None:
    """A concept that a relation names is whole, as BioRED has some."""
    rels = "".join(f"76\tX\t{concept}\t9\tNo\n" for concept in (concepts[0], "C3|C4"))
    lines = f"76\t0\t6\tZorbin\tA\t{ids}\n76\t7\t13\tquexia\tA\t9;C3|C4\n76\t7\t13\tquexia\tA\tC3|C4\n"
    (record,) = read_all(tmp_path, f"76|t|Zorbin quexia\n76|a|\n{lines}{rels}")
    assert record.mentions[0].concepts == concepts and not record.dropped
    assert record.concept_relations[0] == RelationRecord("X", concepts[0], "9")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: "\n\n" + text.replace("\n\n", "\n \n\n") + "\n\n",
    ],
    ids=["CRLF", "BOM", "no end of line", "more empty lines"],
)
def test_ways_to_end_lines_and_begin_files_change_nothing(tmp_path: Path, change: Any) -> None:
    def content(records: List[Record]) -> List[Any]:
        return [(one.id, one.text, one.mentions, one.concept_relations, one.meta) for one in records]

    assert content(read_all(tmp_path, change(FILE))) == content(read_all(tmp_path))


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x0b", "\x1c"])
def test_separators_inside_a_text_do_not_cut_its_line(tmp_path: Path, separator: str) -> None:
    records = read_all(tmp_path, FILE.replace("at all", f"at{separator}all"))
    assert records[1].text == f"No concept Nothing at{separator}all."


def test_documents_are_read_one_by_one(tmp_path: Path) -> None:
    records = read(write(tmp_path, FIRST + "\nnonsense\n"))
    assert next(records).id == "71"
    with pytest.raises(CorpusError, match="line 13: "):
        next(records)


# What is left out: (the changed file, what, why, line)

DROPPED = {
    "other text": (FIRST.replace("\tmice\t", "\trats\t"), "mention", "offsets do not match the text", 6),
    "shifted": (FIRST.replace("\t31\t35\t", "\t32\t36\t"), "mention", "offsets do not match the text", 6),
    "beyond the text": (FIRST.replace("\t35\t", "\t3500\t"), "mention", "offsets outside of the text", 6),
    "reversed": (FIRST.replace("\t31\t35\t", "\t35\t31\t"), "mention", "offsets outside of the text", 6),
    "no type": (FIRST.replace("\tTaxon\t", "\t\t"), "mention", "no type", 6),
    "unknown concept": (FIRST.replace("C71\t902", "C71\t903"), "relation", "no mention of an argument's concept", 9),
    "not a concept": (FIRST.replace("C71\t902", "C71\t-"), "relation", "no mention of an argument's concept", 9),
    "no relation type": (FIRST.replace("Bind\tC71\t902", "\tC71\t902"), "relation", "no predicate", 9),
    "no such novelty": (FIRST.replace("902\tNovel", "902\tnovel"), "novelty", "neither Novel nor No", 9),
}


@pytest.mark.parametrize("content, what, why, line", DROPPED.values(), ids=DROPPED.keys())
def test_what_is_wrong_with_one_line_is_left_out_and_named(
    tmp_path: Path, content: str, what: str, why: str, line: int
) -> None:
    assert content != FIRST
    (record,) = read_all(tmp_path, content)
    (dropped,) = record.dropped
    assert (dropped.what, dropped.why) == (what, why)
    assert f"Dev.PubTator, line {line}, document 71, " in dropped.where
    assert len(record.mentions) == 6 - (what == "mention")
    assert len(record.concept_relations) == 3 - (what == "relation")
    assert len(record.meta["novel"]) == 2 - (what != "mention")


def test_a_mention_that_was_left_out_keeps_its_number(tmp_path: Path) -> None:
    (record,) = read_all(tmp_path, FIRST.replace("\tmice\t", "\trats\t"))
    assert [mention.id for mention in record.mentions] == ["0", "1", "2", "4", "5"]


# Bad input: (the file, line, a part of the message)

BAD_LINES = {
    "no title": (FIRST.removeprefix("71|t|Zorbin |t| quexia\n"), 1, "expected a line pmid|t|title"),
    "no abstract": (FIRST.replace("71|a|", "71|t|"), 2, "expected a line pmid|a|abstract"),
    "neither abstract nor tabs": ("71|t|Zorbin\nnothing\n", 2, "expected a line pmid|a|abstract"),
    "no id": ("|t|Zorbin\n|a|Text.\n", 1, "expected a line pmid|t|title"),
    "mentions after an empty line": (FIRST.replace(": V7L. Zorbin.\n", ": V7L. Zorbin.\n\n"), 4, "pmid|t|title"),
    "no empty line between": (FIRST + SECOND, 12, "documents are separated by an empty line"),
    "abstract of another": (FIRST.replace("71|a|", "70|a|"), 2, "a line of document '70' within document '71'"),
    "mention of another": (FIRST.replace("71\t31", "70\t31"), 6, "a line of document '70' within document '71'"),
    "relation of another": (FIRST.replace("71\tAss", "70\tAss"), 10, "a line of document '70' within document '71'"),
    "document twice": (f"{FIRST}\n{FIRST}", 13, "document 71 occurs twice"),
    "three columns": (FIRST.replace("\tC71\t902\tNovel", "\tC71"), 9, "3 columns; expected a mention pmid, start"),
    "eight columns": (COMPOSITE.replace("\t\n", "\t\t\n"), 4, "8 columns"),
    "no offset": (FIRST.replace("\t31\t", "\tx\t"), 6, "6 columns; expected a mention"),
    "negative offset": (FIRST.replace("\t31\t", "\t-1\t"), 6, "6 columns; expected a mention"),
    "superscript offset": (FIRST.replace("\t31\t", "\t\u00b2\t"), 6, "6 columns; expected a mention"),
    "offset of 5000 digits": (FIRST.replace("\t31\t", f"\t{'9' * 5000}\t"), 6, "6 columns; expected a mention"),
    "not UTF-8": (FIRST.encode("utf8").replace(b"mice\t", b"mic\xe9\t"), 6, "not UTF-8"),
    "empty": ("", 0, "is empty"),
    "empty lines only": ("\n \n\n", 0, "contains no document"),
}


@pytest.mark.parametrize("content, line, message", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named(tmp_path: Path, content: Union[str, bytes], line: int, message: str) -> None:
    assert content not in (FIRST, COMPOSITE)
    with pytest.raises(CorpusError) as caught:
        read_all(tmp_path, content)
    assert f"Dev.PubTator{f', line {line}' if line else ''}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere: cannot be read"):
        list(read(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="is a folder; expected a file"):
        list(read(tmp_path))


EDITS = st.lists(
    st.tuples(
        st.integers(0, len(FILE)),
        st.integers(0, 6),
        st.one_of(
            st.binary(max_size=4), st.sampled_from([b"\t", b"\n", b"\r\n", b"\n\n", b"|", b"71", b"9" * 30, b"-", b","])
        ),
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, shuffled=st.one_of(st.none(), st.integers(0, 99)), end=st.integers(0, 2 * len(FILE)))
def test_only_a_corpus_error_comes_out_of_any_file(tmp_path: Path, edits: Any, shuffled: Any, end: int) -> None:
    lines = FILE.encode("utf8").splitlines(keepends=True)
    if shuffled is not None:
        random.Random(shuffled).shuffle(lines)
    content = b"".join(lines)
    for at, removed, inserted in edits:
        content = content[:at] + inserted + content[at + removed :]
    try:
        records = read_all(tmp_path, content[:end])
    except CorpusError:
        return
    for record in records:
        assert all(record.text[mention.start : mention.end].strip() for mention in record.mentions)
        assert all({rel.subject, rel.object} <= record.concepts - {"-"} for rel in record.concept_relations)


# The official files

COUNTS = {"Train": (400, 13351, 4178, 2838), "Dev": (100, 3533, 1162, 835), "Test": (100, 3535, 1163, 859)}
RELATIONS = {
    "Association": (2192, 560, 635),
    "Positive_Correlation": (1089, 352, 325),
    "Negative_Correlation": (763, 216, 171),
    "Bind": (61, 19, 9),
    "Cotreatment": (31, 10, 14),
    "Comparison": (28, 5, 6),
    "Drug_Interaction": (11, 0, 2),
    "Conversion": (3, 0, 1),
}
SEVERAL_CONCEPTS = {"Train": 367, "Dev": 77, "Test": 85}
NO_CONCEPT = {"Train": 31, "Dev": 20, "Test": 12}
WITH_ITSELF = {"Train": 3, "Dev": 1, "Test": 0}


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="no official files (folder shared/corpora/biored beside the project)")
@pytest.mark.parametrize("split", COUNTS)
def test_official_counts(split: str) -> None:
    records = list(read(OFFICIAL / f"{split}.PubTator"))
    mentions = [mention for record in records for mention in record.mentions]
    relations = [rel for record in records for rel in record.concept_relations]
    novel = sum(len(record.meta.get("novel", [])) for record in records)
    assert (len(records), len(mentions), len(relations), novel) == COUNTS[split]
    assert not any(record.dropped or record.notes for record in records)
    of_type = {type: counts[list(COUNTS).index(split)] for type, counts in RELATIONS.items()}
    assert Counter(rel.predicate for rel in relations) == Counter(of_type)
    assert sum(len(mention.concepts) > 1 for mention in mentions) == SEVERAL_CONCEPTS[split]
    assert sum(mention.concepts == ("-",) for mention in mentions) == NO_CONCEPT[split]
    assert sum(rel.subject == rel.object for rel in relations) == WITH_ITSELF[split]
