"""Reading brat standoff: every trap of the format, every error with file and line."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.brat import read
from spacy_dualre.records.record import Dropped, MentionRecord, Record, RelationRecord

Content = Union[str, bytes]
OF_EVENT = "relation of a brat event, read as one of its trigger"
#: Three mentions to relate.
THREE = "T1\tDrug 0 6\tZorbin\nT2\tDrug 11 13\tNA\nT3\tCut 14 17\tcut\n"

#: Line 1 is characters 0 to 22, line 2 to 46; a paragraph starts at 48.
TEXT = 'Zorbin and NA cut "GLP"\nof left and right lobes\n\nMice 𝔘 had quexia.\n'
ANNOTATIONS = (
    "R2\tHURTS Arg2:T4 Arg1:T1\t\n"
    "T1\tDrug 0 6\tZorbin\n"
    "T2\tDrug 11 13\tNA\n"
    'T3\tGene 18 23\t"GLP"\n'
    "T4\tOrgan 27 31;42 47\tleft lobes\n"
    "T5\tOrgan 36 41\tright\n"
    "T6\tTaxon 49 55\tMice 𝔘\n"
    "T7\tDisease 60 66\tquexia\n"
    "T8\tGene 19 22\tGLP\n"
    "T9\tCut 14 17\tcut\n"
    "N1\tReference T1 MESH:C071\tzorbin\n"
    "N2\tReference T1 CHEBI:15\n"
    "N3\tReference T1 MESH:C071\tzorbin once more\n"
    "R1\tCAUSES Arg1:T1 Arg2:T7\n"
    "R3\tPART-OF Whole:T4 Piece:T5\n"
    "E1\tCut:T9 Agent:T1 Theme:T3\n"
    "A1\tNegated E1\n"
    "M1\tSpeculated E1\n"
    "*\tEquiv T1 T2\n"
    "#1\tAnnotatorNotes T1\tIs it one?\tYes\n"
)


def write(folder: Path, text: Optional[Content] = TEXT, ann: Optional[Content] = ANNOTATIONS, name: str = "a") -> Path:
    """A document of a project. None leaves a file out."""
    folder.mkdir(exist_ok=True, parents=True)
    for suffix, content in ((".txt", text), (".ann", ann)):
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode("utf8")
            (folder / f"{name}{suffix}").write_bytes(data)
    return folder


def read_one(folder: Path, text: Optional[Content] = TEXT, ann: Optional[Content] = ANNOTATIONS) -> Record:
    (record,) = read(write(folder / "project", text, ann))
    return record


def surface(record: Record) -> Dict[str, str]:
    return {mention.id: record.text[mention.start : mention.end] for mention in record.mentions}


def reasons(record: Record) -> List[Any]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return read_one(tmp_path)


def test_the_text_is_that_of_the_file(record: Record) -> None:
    assert record.id == "a" and record.text == TEXT
    assert record.meta == {"corpus": "brat", "split": "project"}
    assert str(record.place).endswith("a.txt")


def test_mentions_keep_ids_types_and_offsets(record: Record) -> None:
    assert record.mentions[1] == MentionRecord("T2", "Drug", 11, 13)
    assert surface(record) == {
        "T1": "Zorbin",
        "T2": "NA",
        "T3": '"GLP"',
        "T4": "left and right lobes",
        "T5": "right",
        "T6": "Mice 𝔘",
        "T7": "quexia",
        "T8": "GLP",
        "T9": "cut",
    }


def test_discontinuous_mentions_have_parts(record: Record) -> None:
    by_id = {mention.id: mention for mention in record.mentions}
    assert by_id["T4"] == MentionRecord("T4", "Organ", 27, 47, parts=((27, 31), (42, 47)))
    assert by_id["T5"].parts == ()


def test_normalisations_are_concepts_with_their_namespace_each_once(record: Record) -> None:
    assert record.mentions[0].concepts == ("MESH:C071", "CHEBI:15")
    assert record.mentions[1].concepts == ()


def test_relations_run_from_arg1_to_arg2_wherever_they_stand(record: Record) -> None:
    assert record.relations == [
        RelationRecord("HURTS", "T1", "T4"),
        RelationRecord("CAUSES", "T1", "T7"),
        RelationRecord("PART-OF", "T4", "T5"),
        RelationRecord("Agent", "T9", "T1"),
        RelationRecord("Theme", "T9", "T3"),
    ]


def test_only_blank_lines_are_breaks(record: Record) -> None:
    assert record.breaks == (49,) and record.text[49:].startswith("Mice")
    assert record.sentences is None


@pytest.mark.parametrize(
    "text, breaks",
    [
        ("One.\nTwo.", ()),
        ("\n\nOne.\n\n", ()),
        ("One.\n \t\n\n  Two.\n\nThree.\n", (11, 17)),
        ("One.\r\n\r\nTwo.\r\nThree.", (8,)),
        (" \n \n", ()),
    ],
)
def test_paragraphs(tmp_path: Path, text: str, breaks: tuple) -> None:
    assert read_one(tmp_path, text, "").breaks == breaks


def test_what_is_not_read_is_counted(record: Record) -> None:
    assert reasons(record) == [
        ("brat equivalence", "not read"),
        ("brat attribute", "not read"),
        ("brat attribute", "not read"),
    ]
    assert "a.ann, line 19, document a, *" in record.dropped[0].where
    assert record.notes == {"brat notes not read": 1, OF_EVENT: 2}


def test_a_line_before_the_mention_may_refer_to_it(tmp_path: Path) -> None:
    ann = "N1\tReference T1 X:1\nR1\tIS Arg1:T1 Arg2:T2\nT2\tDrug 11 13\tNA\nT1\tDrug 0 6\tZorbin\n"
    found = read_one(tmp_path, ann=ann)
    assert found.mentions[1].concepts == ("X:1",)
    assert found.relations == [RelationRecord("IS", "T1", "T2")] and not found.dropped


def test_arg1_and_arg2_among_other_roles_keep_the_order_of_the_line(tmp_path: Path) -> None:
    ann = "T1\tDrug 0 6\tZorbin\nT2\tDrug 11 13\tNA\nR1\tIS Arg2:T1 Other:T2\nR2\tIS Arg1:T2 Arg1:T1\n"
    pairs = [(relation.subject, relation.object) for relation in read_one(tmp_path, ann=ann).relations]
    assert pairs == [("T1", "T2"), ("T2", "T1")]


def arguments(record: Record) -> List[tuple]:
    return [(rel.predicate, rel.subject, rel.object) for rel in record.relations]


@pytest.mark.parametrize("conf", ["", "[relations]\nR \tFrom:Drug|Cut, To:<ANY>, <REL-TYPE>:symmetric\n"])
@pytest.mark.parametrize("roles", [("From", "To"), ("Subject", "Object"), ("arg1", "arg2")])
def test_roles_keep_their_sides_in_any_order_and_document(tmp_path: Path, roles: tuple, conf: str) -> None:
    first, second = roles
    (tmp_path / "annotation.conf").write_text(conf)
    lines = [f"R1\tR {first}:T1 {second}:T2\n", f"R2\tR {second}:T2 {first}:T1\n"]
    if conf or first != "From":
        lines.reverse()
    for name, line in zip("ab", lines):
        write(tmp_path / "project", ann=THREE + line, name=name)
    assert [arguments(record) for record in read(tmp_path / "project")] == [[("R", "T1", "T2")]] * 2


def test_stars_with_a_name_are_relations_without_direction(tmp_path: Path) -> None:
    found = read_one(tmp_path, ann=THREE + "*\tSame T2 T1 T3\n*\tEquiv T1 T2\n")
    assert arguments(found) == [("Same", "T2", "T1"), ("Same", "T2", "T3"), ("Same", "T1", "T3")]
    assert reasons(found) == [("brat equivalence", "not read")] and found.notes == {"relation without direction": 1}


def test_an_event_is_its_trigger(tmp_path: Path) -> None:
    events = "E2\tSee:T2 Theme1:E1\tx\nE1\tCut:T3 Agent:T1 Site2:T2\nE3\tDrug:T1\n"
    folder = write(tmp_path, ann=f"{THREE}{events}R1\tIS Arg1:E1 Arg2:T1\nR2\tIS Arg1:E3 Arg2:E1\n")
    (found,) = read(folder)
    expected = [
        ("IS", "T3", "T1"),
        ("IS", "T1", "T3"),
        ("Theme", "T2", "T3"),
        ("Agent", "T3", "T1"),
        ("Site", "T3", "T2"),
    ]
    assert arguments(found) == expected and not found.dropped and found.notes == {OF_EVENT: 5}
    (found,) = read(folder, events=False)
    assert not found.relations and not found.notes
    assert reasons(found) == [("brat event", "not read")] * 3 + [("relation", "argument is an event")] * 2


def test_files_of_shared_tasks_are_joined_where_there_is_no_ann(tmp_path: Path) -> None:
    parts = {
        "a1": THREE,
        "a2": "N1\tBase Annotation:T1 Referent:X:1\nR1\tIN Drug:T1 Place:T2\n",
        "rel": "R2\tIS Arg1:T2 Arg2:T3\n",
    }
    write(tmp_path, ann=None)
    for suffix, lines in parts.items():
        (tmp_path / f"a.{suffix}").write_text(lines)
    (found,) = read(tmp_path)
    assert len(found.mentions) == 3 and arguments(found) == [("IN", "T1", "T2"), ("IS", "T2", "T3")]
    assert found.mentions[0].concepts == ("X:1",) and not found.notes and not found.dropped
    assert len(list(read(tmp_path / "a.a1"))[0].mentions) == 3
    write(tmp_path, ann="T1\tDrug 0 6\tZorbin\n")
    assert len(next(read(tmp_path)).mentions) == 1
    (tmp_path / "b.a2").write_text("")
    with pytest.raises(CorpusError, match=r"b\.a2: there is no b\.txt beside it"):
        next(read(tmp_path))


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_an_empty_document_is_noted(tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "T1\tDrug 0 6\tZorbin\n")
    write(tmp_path, name="b")
    empty, other = read(tmp_path)
    assert (empty.text, empty.notes["empty .txt file"], len(other.mentions)) == ("", 1, 9)
    assert reasons(empty) == [("mention", "offsets outside of the text")]


def test_relations_of_triggers_are_kept(tmp_path: Path) -> None:
    found = read_one(tmp_path, ann="T1\tDrug 0 6\tZorbin\nT2\tCut 14 17\tcut\nE1\tCut:T2\nR1\tIS Arg1:T1 Arg2:T2\n")
    assert found.relations == [RelationRecord("IS", "T1", "T2")]


@pytest.mark.parametrize(
    "line, why",
    [
        ("T2\tDrug 0 5\tZorbin", "offsets do not match the text"),
        ("T2\tDrug 1 7\tZorbin", "offsets do not match the text"),
        ("T2\tDrug 0 6\tZorbin and", "offsets do not match the text"),
        ("T2\tDrug 0 6\tZorbin\tand", "offsets do not match the text"),
        ("T2\tDrug 0 6;9 13\tZorbin NA", "offsets do not match the text"),
        ("T2\tDrug 0 6;11 13\tZorbin or NA", "offsets do not match the text"),
        ("T2\tDrug 0 6;4 8\tZorbin in a", "offsets do not match the text"),
        ("T2\tDrug 0 6;11 11\tZorbin", "offsets do not match the text"),
        ("T2\tDrug 0 6;900 905\tZorbin", "offsets outside of the text"),
        ("T2\tDrug 60 600\tquexia.", "offsets outside of the text"),
        ("T2\tDrug 600 606\tquexia", "offsets outside of the text"),
        ("T2\tDrug 6 0\tZorbin", "offsets outside of the text"),
        ("T2\tDrug 6 6\tZorbin", "offsets outside of the text"),
        ("T2\tDrug 23 24\t ", "nothing but blanks"),
        ("T1\tDrug 11 13\tNA", "id occurs twice"),
    ],
)
def test_mentions_that_cannot_be_used_are_dropped(tmp_path: Path, line: str, why: str) -> None:
    found = read_one(tmp_path, ann=f"T1\tDrug 0 6\tZorbin\n{line}\nR1\tIS Arg1:T1 Arg2:T2\n")
    assert surface(found) == {"T1": "Zorbin"} and not found.relations
    assert (found.dropped[0].what, found.dropped[0].why) == ("mention", why)
    assert "a.ann, line 2, document a, mention T" in found.dropped[0].where
    unknown = "unknown argument" if line.startswith("T1") else "argument was dropped"
    assert reasons(found)[1:] == [("relation", unknown)]


@pytest.mark.parametrize(
    "line, expected",
    [
        ("T1\tOrgan 42 47;27 31\tlobes left", ((27, 31), (42, 47))),
        ("T1\tOrgan 27 31;42 47\tleftlobes", ((27, 31), (42, 47))),
        ('T1\tOrgan 18 23;24 26\t"GLP" of', ((18, 23), (24, 26))),
        ("T1\tDrug 0 6;11 13\tZorbin and NA", ((0, 6), (11, 13))),
    ],
)
def test_pieces_in_any_order_and_joined_in_any_way(tmp_path: Path, line: str, expected: tuple) -> None:
    (mention,) = read_one(tmp_path, ann=line).mentions
    assert mention.parts == expected
    assert (mention.start, mention.end) == (expected[0][0], expected[-1][1])


@pytest.mark.parametrize("said", ['"GLP" of', '"GLP"  of '])
def test_an_end_of_line_within_a_mention_is_a_blank(tmp_path: Path, said: str) -> None:
    found = read_one(tmp_path, ann=f"T1\tGene 18 26\t{said}\n")
    assert surface(found) == {"T1": '"GLP"\nof'} and not found.notes


def test_blanks_at_the_ends_of_a_mention_are_cut_off(tmp_path: Path) -> None:
    found = read_one(tmp_path, ann="T1\tDrug 10 14\t NA \nR1\tIS Arg1:T1 Arg2:T1\n")
    assert found.mentions == [MentionRecord("T1", "Drug", 11, 13)]
    assert found.relations == [RelationRecord("IS", "T1", "T1")]
    assert found.notes == {"blanks cut off at the ends of a mention": 1}


def test_a_concept_that_no_doc_can_hold_is_dropped(tmp_path: Path) -> None:
    found = read_one(tmp_path, ann="T1\tDrug 0 6\tZorbin\nN1\tReference T1 X:1,2\nN2\tReference T1 X:3\n")
    assert [mention.concepts for mention in found.mentions] == [("X:3",)]
    (dropped,) = found.dropped
    assert (dropped.what, dropped.why) == ("concept", "its id holds ',', which separates concepts")
    assert ".ann, line 2" in dropped.where


def test_ids_that_occur_twice_and_unknown_ids_are_dropped(tmp_path: Path) -> None:
    ann = (
        "T1\tDrug 0 6\tZorbin\nT2\tDrug 11 13\tNA\n"
        "R1\tIS Arg1:T1 Arg2:T2\nR1\tIS Arg1:T2 Arg2:T1\nR2\tIS Arg1:T1 Arg2:T7\nR3\tIS Arg1:R1 Arg2:T1\n"
        "N1\tReference T1 X:1\nN1\tReference T2 X:2\nN2\tReference T7 X:3\n"
    )
    found = read_one(tmp_path, ann=ann)
    assert found.relations == [RelationRecord("IS", "T1", "T2")]
    assert [mention.concepts for mention in found.mentions] == [("X:1",), ()]
    assert [(dropped.what, dropped.why, dropped.where.split(", ")[1]) for dropped in found.dropped] == [
        ("concept", "id occurs twice", "line 8"),
        ("concept", "unknown mention", "line 9"),
        ("relation", "id occurs twice", "line 4"),
        ("relation", "unknown argument", "line 5"),
        ("relation", "unknown argument", "line 6"),
    ]


def test_an_end_of_line_counts_as_it_stands_in_the_file(tmp_path: Path) -> None:
    found = read_one(tmp_path, b"One.\r\nZorbin.\r\n", b"T1\tDrug 6 12\tZorbin\r\nR1\tIS Arg1:T1 Arg2:T1\r\n")
    assert found.text == "One.\r\nZorbin.\r\n" and surface(found) == {"T1": "Zorbin"}
    assert len(found.relations) == 1 and not found.dropped and not found.notes


def test_separators_within_texts_end_no_line(tmp_path: Path) -> None:
    found = read_one(tmp_path, "Zor\u2028bin\x0b\x85.", "T1\tDrug 0 7\tZor\u2028bin\n")
    assert surface(found) == {"T1": "Zor\u2028bin"}


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    found = read_one(tmp_path, "\ufeff" + TEXT, "\ufeffT1\tDrug 0 6\tZorbin\nT2\tDrug 1 7\tZorbin\n")
    assert found.text == TEXT and surface(found) == {"T1": "Zorbin"}
    assert reasons(found) == [("mention", "offsets do not match the text")]


def test_a_document_without_annotations(tmp_path: Path) -> None:
    found = read_one(tmp_path, ann=None)
    assert (found.text, found.mentions, found.notes) == (TEXT, [], {"no .ann file": 1})
    assert not read_one(tmp_path / "empty", ann="").notes
    assert not read_one(tmp_path / "blank", ann="\n \n").dropped


def test_folders_are_read_with_their_subfolders_in_order(tmp_path: Path) -> None:
    for folder, name in (("b", "x.y"), ("", "c"), ("b/d", "x"), ("", "a")):
        write(tmp_path / "project" / folder, name=name)
    (tmp_path / "project" / "a.ann~").write_text("stray")
    (tmp_path / "project" / "a.txt.xml").write_text("stray")
    records = list(read(tmp_path / "project"))
    assert [record.id for record in records] == ["a", "b/d/x", "b/x.y", "c"]
    assert all(len(record.mentions) == 9 for record in records)


@pytest.mark.parametrize("suffix", [".txt", ".ann"])
def test_a_single_file_is_read_with_its_partner(tmp_path: Path, suffix: str) -> None:
    write(tmp_path, name="x.y")
    write(tmp_path, name="other")
    (record,) = read(tmp_path / f"x.y{suffix}")
    assert (record.id, len(record.mentions), record.meta["split"]) == ("x.y", 9, "x.y")


@pytest.mark.parametrize(
    "line, message",
    [
        ("T1\tDrug 0 6", "expected a type, start and end"),
        ("T1\tDrug 0 6\t", "expected a type, start and end"),
        ("T1\tDrug 0\tZorbin", "expected a type, start and end"),
        ("T1\tDrug 0 6 9\tZorbin", "expected a type, start and end"),
        ("T1\tDrug 0 6;\tZorbin", "expected a type, start and end"),
        ("T1\tDrug 0 6;9\tZorbin", "expected a type, start and end"),
        ("T1\tDrug -1 6\tZorbin", "expected a type, start and end"),
        ("T1\tDrug ٠ ٦\tZorbin", "expected a type, start and end"),
        (f"T1\tDrug 0 {'9' * 5000}\tZorbin", "expected a type, start and end"),
        ("T1\t0 6\tZorbin", "expected a type, start and end"),
        ("T1 Drug 0 6 Zorbin", "is not the id of an annotation; expected one of T R N E A M # * and a tab, no blank"),
        ("E1\tDrug", "expected a type and its trigger"),
        ("E1\tDrug:T1 Agent:", "expected a type and its trigger"),
        ("*\tSame T1", "expected a type and the ids of mentions"),
        ("T1", "expected an id, a tab and more"),
        ("E1\t", "expected an id, a tab and more"),
        ("X1\tDrug 0 6\tZorbin", "'X1' is not the id of an annotation; expected one of T R N E A M # *"),
        ("T\tDrug 0 6\tZorbin", "'T' is not the id of an annotation"),
        ("\tDrug 0 6\tZorbin", "'' is not the id of an annotation"),
        ("R1\tIS Arg1:T1", "expected a type, Arg1: with"),
        ("R1\tIS Arg1:T1 Arg2:T1 Arg3:T1", "expected a type, Arg1: with"),
        ("R1\tIS Arg1:T1 T1", "expected a type, Arg1: with"),
        ("R1\tIS Arg1:T1 Arg2:", "expected a type, Arg1: with"),
        ("R1\tIS Arg1:T1 :T1", "expected a type, Arg1: with"),
        ("R1\tIS Arg1:T1 Arg2:T1\tmore", "expected a type, Arg1: with"),
        ("R1\tIS", "expected a type, Arg1: with"),
        ("N1\tReference T1", "expected Reference, the id of a mention"),
        ("N1\tReference T1 X:1 X:2\tname", "expected Reference, the id of a mention"),
    ],
)
def test_lines_that_are_no_annotation(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(tmp_path, ann=f"\n{line}\n")
    assert "a.ann, line 2: " in str(err.value) and message in str(err.value)


def test_a_truncated_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.ann, line 15: 'PART-OF Whole:T4' after 'R3'"):
        read_one(tmp_path, ann=ANNOTATIONS[: ANNOTATIONS.index(" Piece:")])


@pytest.mark.parametrize(
    "text, ann, message",
    [
        (b"One.\nZ\xfcrbin", ANNOTATIONS, r"a\.txt, line 2: not UTF-8"),
        (TEXT, b"T1\tDrug 0 6\tZorbin\nT2\tDrug 0 1\t\xff\n", r"a\.ann, line 2: not UTF-8"),
        (None, ANNOTATIONS, r"project.*: no file \*\.txt in this folder"),
        (None, None, r"project.*: no file \*\.txt in this folder"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, text: Optional[Content], ann: Optional[Content], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        read_one(tmp_path, text, ann)


def test_annotations_without_text(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path / "sub", None, name="b")
    with pytest.raises(CorpusError, match=r"b\.ann: there is no b\.txt beside it"):
        list(read(tmp_path))
    with pytest.raises(CorpusError, match=r"b\.ann: there is no b\.txt beside it"):
        list(read(tmp_path / "sub" / "b.ann"))


@pytest.mark.parametrize("name", ["none", "none.txt"])
def test_a_path_that_does_not_exist(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match=f"{name}: no such file or folder"):
        list(read(tmp_path / name))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("T1\tDrug 0 6\tZorbin\n")
    with pytest.raises(CorpusError, match=r"a\.tsv: is not a \.txt file, one of annotations"):
        list(read(tmp_path / "a.tsv"))


@pytest.mark.parametrize("folder", ["a.txt", "a.ann"])
def test_a_folder_in_place_of_a_file(tmp_path: Path, folder: str) -> None:
    write(tmp_path)
    (tmp_path / folder).unlink()
    (tmp_path / folder).mkdir()
    with pytest.raises(CorpusError, match=f"{folder}: is a folder"):
        list(read(tmp_path))


def test_the_place_of_what_is_dropped_is_named(record: Record) -> None:
    assert all(isinstance(dropped, Dropped) and ".ann, line " in dropped.where for dropped in record.dropped)


@st.composite
def mutated(draw: st.DrawFn, content: str) -> bytes:
    """The content with bytes changed, left out or added, lines in another order, or its end cut off."""
    lines = content.encode("utf8").splitlines(keepends=True)
    data = bytearray(b"".join(draw(st.permutations(lines)) if draw(st.booleans()) else lines))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        new = draw(st.sampled_from([b"", b"\t", b" ", b"\n", b"\r", b":", b";", b"9", b"-", b"T1", b"\xff", b"\x00"]))
        data[at : at + draw(st.integers(0, 3))] = new
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=mutated(TEXT), ann=mutated(ANNOTATIONS))
def test_damaged_files_raise_nothing_but_corpus_errors(tmp_path: Path, text: bytes, ann: bytes) -> None:
    try:
        (record,) = read(write(tmp_path, text, ann))
    except CorpusError as err:
        assert "a.ann" in str(err) or "a.txt" in str(err)
        return
    ids = {mention.id for mention in record.mentions}
    for mention in record.mentions:
        assert record.text[mention.start : mention.end].strip()
    assert all({relation.subject, relation.object} <= ids for relation in record.relations)
