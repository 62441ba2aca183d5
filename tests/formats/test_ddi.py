"""Reading the DDI corpus: every trap of the format, every error with file and line."""

from pathlib import Path
from typing import Any, Dict, List, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.ddi import read
from spacy_dualre.records.record import MentionRecord, Record, RelationRecord

FIRST = (
    '    <sentence id="D.d1.s0" text="Zorbin &amp; &quot;NA&quot; raise \U0001d518 quexol.&#xA;">\n'
    '        <entity id="D.d1.s0.e0" charOffset="0-5" type="drug" text="Zorbin"/>\n'
    '        <entity id="D.d1.s0.e1" charOffset="10-11" type="brand" text="NA"/>\n'
    '        <entity id="D.d1.s0.e2" charOffset="9-12" type="group" text="&quot;NA&quot;"/>\n'
    '        <entity id="D.d1.s0.e3" charOffset="22-27" type="drug_n" text="quexol"/>\n'
    '        <pair id="D.d1.s0.p0" e1="D.d1.s0.e0" e2="D.d1.s0.e1" ddi="false"/>\n'
    '        <pair id="D.d1.s0.p1" e1="D.d1.s0.e0" e2="D.d1.s0.e3" ddi="true" type="mechanism"/>\n'
    '        <pair id="D.d1.s0.p2" e1="D.d1.s0.e2" e2="D.d1.s0.e3" ddi="true"/>\n'
    "    </sentence>\n"
)
#: Starts at character 30 of the document.
SECOND = (
    '    <sentence id="D.d1.s1" text="Loop and stem lotions spare Zorbin.">\n'
    '        <entity id="D.d1.s1.e0" charOffset="0-3;14-20" type="group" text="Loop lotions"/>\n'
    '        <entity id="D.d1.s1.e1" charOffset="9-20" type="group" text="stem lotions"/>\n'
    '        <entity id="D.d1.s1.e2" charOffset="28-33" type="drug" text="Zorbin"/>\n'
    '        <pair id="D.d1.s1.p0" e1="D.d1.s1.e0" e2="D.d1.s1.e2" ddi="true" type="effect"/>\n'
    "    </sentence>\n"
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCUMENT = f'{HEAD}<document id="D.d1">\n{FIRST}{SECOND}</document>\n'


def write(folder: Path, content: Union[str, bytes] = DOCUMENT, name: str = "a_ddi.xml") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


def read_one(folder: Path, content: Union[str, bytes] = DOCUMENT) -> Record:
    (record,) = read(write(folder, content))
    return record


def document(body: str) -> str:
    return f'<document id="D.d1">\n{body}\n</document>'


def sentence(body: str, text: str = "Zorbin and NA.") -> str:
    return document(f'<sentence id="s" text="{text}">\n{body}\n</sentence>')


def entity(id: str = "e0", offset: str = "0-5", text: str = "Zorbin", type: str = "drug") -> str:
    return f'<entity id="{id}" charOffset="{offset}" type="{type}" text="{text}"/>'


def surface(record: Record) -> Dict[str, str]:
    return {mention.id: record.text[mention.start : mention.end] for mention in record.mentions}


def reasons(record: Record) -> List[Any]:
    return [(dropped.what, dropped.why) for dropped in record.dropped]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return read_one(tmp_path)


def test_the_text_is_that_of_the_sentences(record: Record) -> None:
    assert record.id == "D.d1"
    assert record.text == 'Zorbin & "NA" raise \U0001d518 quexol.\n Loop and stem lotions spare Zorbin.'
    assert record.sentences == (0, 31) and record.breaks == ()
    assert record.meta == {"corpus": "ddi", "split": "a_ddi"}
    assert (record.place.path.name, record.place.line) == ("a_ddi.xml", 2)


def test_offsets_include_the_last_character_and_count_from_the_sentence(record: Record) -> None:
    assert surface(record) == {
        "D.d1.s0.e0": "Zorbin",
        "D.d1.s0.e1": "NA",
        "D.d1.s0.e2": '"NA"',
        "D.d1.s0.e3": "quexol",
        "D.d1.s1.e0": "Loop and stem lotions",
        "D.d1.s1.e1": "stem lotions",
        "D.d1.s1.e2": "Zorbin",
    }
    assert record.mentions[0] == MentionRecord("D.d1.s0.e0", "drug", 0, 6)
    assert [mention.type for mention in record.mentions[1:4]] == ["brand", "group", "drug_n"]


def test_discontinuous_mentions_have_parts(record: Record) -> None:
    assert record.mentions[4] == MentionRecord("D.d1.s1.e0", "group", 31, 52, parts=((31, 35), (45, 52)))
    assert record.mentions[5].parts == ()


def test_pairs_with_an_interaction_are_relations(record: Record) -> None:
    assert record.relations == [
        RelationRecord("mechanism", "D.d1.s0.e0", "D.d1.s0.e3"),
        RelationRecord("int", "D.d1.s0.e2", "D.d1.s0.e3"),
        RelationRecord("effect", "D.d1.s1.e0", "D.d1.s1.e2"),
    ]
    assert record.notes == {"explicit negative pairs": 1, "interactions without type, read as int": 1}
    assert not record.dropped


@pytest.mark.parametrize("type", ["mechanism", "effect", "advise", "int"])
def test_all_types_of_interactions(tmp_path: Path, type: str) -> None:
    pair = f'<pair id="p0" e1="e0" e2="e1" ddi="true" type="{type}"/>'
    found = read_one(tmp_path, sentence(entity() + entity("e1", "11-12", "NA") + pair))
    assert found.relations == [RelationRecord(type, "e0", "e1")] and not found.notes


def test_pairs_may_stand_before_their_entities_and_keep_their_order(tmp_path: Path) -> None:
    pair = '<pair id="p0" e1="e1" e2="e0" ddi="true" type="int"/>'
    found = read_one(tmp_path, sentence(pair + entity() + entity("e1", "11-12", "NA")))
    assert found.relations == [RelationRecord("int", "e1", "e0")]


def test_blanks_of_sentences_stay(tmp_path: Path) -> None:
    texts = ["  One. ", "&#xD;&#xA;Zorbin.&#xA;", "Three."]
    body = "".join(f'<sentence id="s" text="{text}"/>' for text in texts)
    found = read_one(tmp_path, document(body))
    assert found.text == "  One.  \r\nZorbin.\n Three."
    assert found.sentences == (2, 10, 19) and not found.notes


def test_a_sentence_without_text_takes_no_room(tmp_path: Path) -> None:
    body = '<sentence id="s" text="One."/><sentence id="t" text=""/><sentence id="u" text="Zorbin.">'
    found = read_one(tmp_path, document(f'{body}{entity("e0")}</sentence><sentence id="v" text=" "/>'))
    assert found.text == "One. Zorbin.  " and found.sentences == (0, 5)
    assert surface(found) == {"e0": "Zorbin"}
    assert found.notes == {"sentences without text": 2}


def test_an_entity_of_a_sentence_without_text_is_not_looked_for_in_the_next(tmp_path: Path) -> None:
    body = f'<sentence id="s" text="">{entity()}</sentence><sentence id="t" text="Zorbin."/>'
    found = read_one(tmp_path, document(body))
    assert not found.mentions and reasons(found) == [("mention", "offsets do not match the text")]


def test_documents_without_sentences_or_entities(tmp_path: Path) -> None:
    found = read_one(tmp_path, '<document id="D.d1"/>')
    assert (found.text, found.sentences, found.mentions) == ("", (), [])
    assert not read_one(tmp_path, sentence("")).mentions


def test_an_end_of_line_within_an_attribute_is_a_blank_as_in_all_xml(tmp_path: Path) -> None:
    found = read_one(tmp_path, sentence(entity("e0", "0-9", "Zorbin&#10;and"), "Zorbin\r\nand NA."))
    assert found.text == "Zorbin and NA." and surface(found) == {"e0": "Zorbin and"}


@pytest.mark.parametrize(
    "offset, text, why",
    [
        ("0-6", "Zorbin a", "offsets do not match the text"),
        ("0-4", "Zorbin", "offsets do not match the text"),
        ("1-6", "Zorbin", "offsets do not match the text"),
        ("11-12", "na", "offsets do not match the text"),
        ("0-5;4-8", "Zorbinin an", "offsets do not match the text"),
        ("0-5;11-12", "Zorbin or NA", "offsets do not match the text"),
        ("0-5;8-7", "Zorbin", "offsets do not match the text"),
        ("5-0", "Zorbin", "offsets outside of the text"),
        ("1-0", "", "offsets outside of the text"),
        ("14-14", " ", "nothing but blanks"),
        ("14-18", " More", "offsets do not match the text"),
        ("600-605", "Zorbin", "offsets outside of the text"),
        ("6-6", " ", "nothing but blanks"),
    ],
)
def test_mentions_that_cannot_be_used_are_dropped(tmp_path: Path, offset: str, text: str, why: str) -> None:
    body = f'{entity("e1")}\n{entity("e0", offset, text)}<pair id="p" e1="e0" e2="e1" ddi="true" type="int"/>'
    more = '<sentence id="t" text="More."/></document>'
    found = read_one(tmp_path, sentence(body).replace("</document>", more))
    assert surface(found) == {"e1": "Zorbin"} and not found.relations
    assert reasons(found) == [("mention", why), ("relation", "argument was dropped")]
    assert "a_ddi.xml, line 4, document D.d1, mention e0" in found.dropped[0].where


def test_pieces_in_any_order_and_joined_in_any_way(tmp_path: Path) -> None:
    given = (("11-12;0-5", "NAZorbin"), ("0-5;11-12", "Zorbin NA"), ("0-5;11-12", "Zorbin and NA"))
    entities = [entity(f"e{number}", offsets, text) for number, (offsets, text) in enumerate(given)]
    found = read_one(tmp_path, sentence("".join(entities)))
    assert [mention.parts for mention in found.mentions] == [((0, 6), (11, 13))] * 3 and not found.notes


def test_blanks_at_the_ends_of_a_mention_are_cut_off(tmp_path: Path) -> None:
    found = read_one(tmp_path, sentence(entity("e0", "10-12", " NA")))
    assert found.mentions == [MentionRecord("e0", "drug", 11, 13)]
    assert found.notes == {"blanks cut off at the ends of a mention": 1}


def test_mentions_whose_ids_occur_twice_are_dropped(tmp_path: Path) -> None:
    pair = '<pair id="p0" e1="e0" e2="e1" ddi="true" type="int"/>'
    second = '<pair id="p0" e1="e1" e2="e0" ddi="true" type="int"/>'
    found = read_one(tmp_path, sentence(entity() + entity("e1", "11-12", "NA") + entity() + pair + second))
    assert len(found.mentions) == 2 and reasons(found) == [("mention", "id occurs twice")]
    # The ids of pairs stand for nothing
    assert found.relations == [RelationRecord("int", "e0", "e1"), RelationRecord("int", "e1", "e0")]


@pytest.mark.parametrize(
    "attributes, why",
    [
        ('e1="e0" e2="e9" ddi="true" type="int"', "unknown argument"),
        ('e1="e9" e2="e0" ddi="true" type="int"', "unknown argument"),
        ('e1="e0" e2="e0" ddi="maybe" type="int"', "ddi is neither true nor false"),
        ('e1="e0" e2="e0" ddi="" type="int"', "ddi is neither true nor false"),
        ('e1="e0" e2="e0" ddi="true" type="advice"', "unknown type of interaction"),
    ],
)
def test_pairs_that_cannot_be_used_are_dropped(tmp_path: Path, attributes: str, why: str) -> None:
    found = read_one(tmp_path, sentence(f'{entity()}\n<pair id="p0" {attributes}/>'))
    assert not found.relations and reasons(found) == [("relation", why)]
    assert "a_ddi.xml, line 4, document D.d1" in found.dropped[0].where


def test_folders_are_read_with_their_subfolders_in_order(tmp_path: Path) -> None:
    for number, name in enumerate(("b/x.xml", "c.xml", "a.xml", "b/d/x.xml")):
        write(tmp_path / "Train" / Path(name).parent, DOCUMENT.replace("D.d1", f"D.d{number}"), Path(name).name)
    (tmp_path / "Train" / "a.xml~").write_text("stray")
    (tmp_path / "Train" / "notes.txt").write_text("stray")
    records = list(read(tmp_path / "Train"))
    assert [record.id for record in records] == ["D.d2", "D.d3", "D.d0", "D.d1"]
    assert {record.meta["split"] for record in records} == {"Train"}


def test_a_document_given_twice(tmp_path: Path) -> None:
    write(tmp_path, name="a.xml")
    write(tmp_path, name="b.xml")
    with pytest.raises(CorpusError, match=r"b\.xml, line 2: document D\.d1 occurs twice"):
        list(read(tmp_path))


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "no-such-thing", "shift_jis"])
def test_files_are_utf8_whatever_they_declare(tmp_path: Path, encoding: str) -> None:
    text = DOCUMENT.replace('encoding="UTF-8"', f'encoding="{encoding}"').replace("\n", "\r\n")
    assert read_one(tmp_path, "\ufeff" + text).text == read_one(tmp_path / "plain").text


def test_xml_may_have_comments_and_other_quotes(tmp_path: Path) -> None:
    text = DOCUMENT.replace("<sentence ", "<!-- one --><?do it?><sentence ").replace('"0-5"', "'0-5'")
    assert read_one(tmp_path, text).mentions == read_one(tmp_path / "plain").mentions


@pytest.mark.parametrize(
    "text, line, message",
    [
        (DOCUMENT[: DOCUMENT.index("</document>")], 17, "damaged or cut off XML ("),
        (DOCUMENT[: DOCUMENT.index("quexol.")], 3, "damaged or cut off XML ("),
        (DOCUMENT.replace("</sentence>", "</sentences>"), 11, "damaged or cut off XML ("),
        (DOCUMENT + "<document/>", 19, "damaged or cut off XML ("),
        (DOCUMENT.replace("&amp;", "&"), 3, "damaged or cut off XML ("),
        (DOCUMENT.replace("&amp;", "&what;"), 3, "damaged or cut off XML ("),
        (DOCUMENT.replace("&amp;", "&#0;"), 3, "damaged or cut off XML ("),
        (DOCUMENT.replace("&amp;", "\x00"), 3, "damaged or cut off XML ("),
        (DOCUMENT.replace('type="drug"', 'type="drug" type="drug"'), 4, "damaged or cut off XML ("),
        (" " + DOCUMENT, 1, "damaged or cut off XML ("),
        ("Zorbin\t0\t5\n", 1, "damaged or cut off XML ("),
        ("\n\n", 2, "damaged or cut off XML ("),
        ('{"a": 1}', 1, "damaged or cut off XML ("),
        ("<corpus/>", 1, "starts with <corpus>; expected <document>"),
        ("<sentence/>", 1, "starts with <sentence>; expected"),
        ("<document/>", 1, "<document> without the attribute 'id'"),
        ('<document id=" "/>', 1, "a document without id"),
        (document("<sentence id='s'/>"), 2, "<sentence> without the attribute 'text'"),
        (sentence(entity().replace("id=", "ID=")), 3, "<entity> without the attribute 'id'"),
        (sentence(entity().replace("type=", "kind=")), 3, "<entity> without the attribute 'type'"),
        (sentence(entity().replace("text=", "name=")), 3, "<entity> without the attribute 'text'"),
        (sentence(entity().replace("charOffset=", "offset=")), 3, "<entity> without the attribute 'charOffset'"),
        (sentence('<pair id="p" e1="e" ddi="false"/>'), 3, "<pair> without the attribute 'e2'"),
        (sentence('<pair id="p" e2="e" ddi="false"/>'), 3, "<pair> without the attribute 'e1'"),
        (sentence('<pair id="p" e1="e" e2="e"/>'), 3, "<pair> without the attribute 'ddi'"),
        (sentence('<pair e1="e" e2="e" ddi="false"/>'), 3, "<pair> without the attribute 'id'"),
    ],
)
def test_files_that_are_not_of_the_format(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(CorpusError) as err:
        read_one(tmp_path, text)
    assert f"a_ddi.xml, line {line}: {message}" in str(err.value)


@pytest.mark.parametrize("offset", ["", "0", "0-", "-1-5", "0-5;", "0-5,7-9", "0 - 5", "٠-٥", f"0-{'9' * 5000}", "a-b"])
def test_offsets_that_are_none(tmp_path: Path, offset: str) -> None:
    with pytest.raises(CorpusError, match=r"a_ddi\.xml, line 3: charOffset '.*'; expected first and last"):
        read_one(tmp_path, sentence(entity(offset=offset)))


def test_entities_of_a_document_type_declaration_fill_no_memory(tmp_path: Path) -> None:
    names = "abcdefghi"
    entities = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip(names, names[1:]))
    declaration = f'<!DOCTYPE document [<!ENTITY a "Zorbin">{entities}]>'
    with pytest.raises(CorpusError, match=r"a_ddi\.xml, line \d: damaged or cut off XML"):
        read_one(tmp_path, DOCUMENT.replace(HEAD, f"{HEAD}{declaration}\n").replace("&amp;", "&i;"))


def test_a_document_type_declaration_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    declaration = f'<!DOCTYPE document [<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    with pytest.raises(CorpusError, match="external entity"):
        read_one(tmp_path, DOCUMENT.replace(HEAD, f"{HEAD}{declaration}\n").replace("&amp;", "&e;"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a_ddi\.xml, line 3: not UTF-8"):
        read_one(tmp_path, DOCUMENT.encode("utf8").replace(b"&amp;", b"\xfc"))
    with pytest.raises(CorpusError, match=r"a_ddi\.xml, line 1: not UTF-8"):
        read_one(tmp_path, DOCUMENT.encode("utf16"))
    with pytest.raises(CorpusError, match=r"a_ddi\.xml: is empty"):
        read_one(tmp_path, b"")


def test_paths_that_hold_no_document(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "a.xml").mkdir(parents=True)
    with pytest.raises(CorpusError, match="none: no such file or folder"):
        list(read(tmp_path / "none"))
    with pytest.raises(CorpusError, match=r"empty: no file \*\.xml in this folder"):
        list(read(tmp_path / "empty"))
    with pytest.raises(CorpusError, match=r"a\.xml: is a folder; expected a file"):
        list(read(tmp_path / "folder"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The document with bytes changed, left out or added, values or lines swapped, or its end cut off."""
    lines = DOCUMENT.encode("utf8").splitlines(keepends=True)
    data = bytearray(
        b"".join(draw(st.permutations(lines)) if draw(st.sampled_from([False, False, False, True])) else lines)
    )
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        at = draw(st.integers(0, len(data)))
        new = draw(
            st.sampled_from([b"", b"1", b"9", b"-", b";", b" ", b"\n", b"e", b'"', b"<", b"&", b"\xff", b"\x00"])
        )
        data[at : at + draw(st.integers(0, 2))] = new
    for old in draw(st.lists(st.sampled_from([b"0-5", b"9-20", b"true", b"D.d1.s0.e3", b"effect", b"Zorbin", b"id="]))):
        new = draw(st.sampled_from([b"", b"0-0", b"33-99", b"4-1", b"false", b"D.d1.s1.e0", b"0-5;7-7", b"&lt;"]))
        data = data.replace(old, new, 1)
    return bytes(
        data[: draw(st.integers(0, len(data)))] if draw(st.sampled_from([False, False, False, True])) else data
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutated())
def test_damaged_files_raise_nothing_but_corpus_errors(tmp_path: Path, data: bytes) -> None:
    try:
        record = read_one(tmp_path, data)
    except CorpusError as err:
        assert "a_ddi.xml" in str(err)
        return
    ids = {mention.id for mention in record.mentions}
    for mention in record.mentions:
        assert record.text[mention.start : mention.end].strip()
    assert all({relation.subject, relation.object} <= ids for relation in record.relations)
    assert record.sentences == tuple(sorted(set(record.sentences or ())))
