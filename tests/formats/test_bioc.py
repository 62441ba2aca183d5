"""Reading BioC, XML and JSON: passages, sentences, both kinds of relations, damage, and the same as from PubTator."""

import copy
import json
import socket
from pathlib import Path
from typing import Any, Callable, Dict, List, Union

import pytest
from bioc import biocjson, biocxml
from helpers.paths import SHARED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import bioc, pubtator
from spacy_dualre.records.record import MISMATCH, MentionRecord, Record, RelationRecord

OFFICIAL = SHARED / "corpora" / "biored"
Json = Dict[str, Any]

#: One corpus three times, with keys and elements as BioRED has them.
PUBTATOR = (
    "71|t|Zorbin <b> quexia\n"
    "71|a|GLP9/8 of mice: V7L. Zorbin.\n"
    "71\t0\t6\tZorbin\tChemical\tC71\n"
    "71\t11\t17\tquexia\tDisease\t-\n"
    "71\t18\t24\tGLP9/8\tGene\t901,902\n"
    "71\t34\t37\tV7L\tVariant\tp|SUB|V|7|L\n"
    "71\tBind\tC71\t902\tNovel\n"
    "71\tAssociation\tp|SUB|V|7|L\tC71\tNo\n"
    "\n"
    "72|t|No concept\n"
    "72|a|Nothing at all.\n"
)
XML = (
    "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM \"BioC.dtd\">"
    "<collection><source>Own</source><date>2020</date><key>BioC.key</key>\n"
    '<document><id>71</id><passage><infon key="type">title</infon><offset>0</offset>'
    "<text>Zorbin &lt;b> quexia</text>"
    '<annotation id="0"><infon key="identifier">C71</infon><infon key="type">Chemical</infon>'
    '<location offset="0" length="6"/><text>Zorbin</text></annotation>'
    '<annotation id="1"><infon key="identifier">-</infon><infon key="type">Disease</infon>'
    '<location offset="11" length="6"/><text>quexia</text></annotation></passage>\n'
    '<passage><infon key="type">abstract</infon><offset>18</offset><text>GLP9/8 of mice: V7L. Zorbin.</text>'
    '<annotation id="2"><infon key="identifier">901,902</infon><infon key="type">Gene</infon>'
    '<location offset="18" length="6"/><text>GLP9/8</text></annotation>'
    '<annotation id="3"><infon key="identifier">p|SUB|V|7|L</infon><infon key="type">Variant</infon>'
    '<location offset="34" length="3"/><text>V7L</text></annotation></passage>\n'
    '<relation id="R0"><infon key="entity1">C71</infon><infon key="entity2">902</infon>'
    '<infon key="type">Bind</infon><infon key="novel">Novel</infon></relation>'
    '<relation id="R1"><infon key="entity1">p|SUB|V|7|L</infon><infon key="entity2">C71</infon>'
    '<infon key="type">Association</infon><infon key="novel">No</infon></relation></document>\n'
    '<document><id>72</id><passage><infon key="type">title</infon><offset>0</offset><text>No concept</text></passage>'
    '<passage><infon key="type">abstract</infon><offset>11</offset><text>Nothing at all.</text></passage></document>\n'
    "</collection>"
)


def annotation(id: str, type: str, identifier: str, text: str, *locations: Any) -> Json:
    places = [{"offset": start, "length": length} for start, length in locations]
    return {"id": id, "infons": {"identifier": identifier, "type": type}, "text": text, "locations": places}


def concept_relation(id: str, type: str, first: str, second: str, novel: str) -> Json:
    return {"id": id, "infons": {"entity1": first, "entity2": second, "type": type, "novel": novel}}


JSON: Json = {
    "source": "Own",
    "date": "2020",
    "key": "BioC.key",
    "documents": [
        {
            "id": "71",
            "passages": [
                {
                    "offset": 0,
                    "text": "Zorbin <b> quexia",
                    "annotations": [
                        annotation("0", "Chemical", "C71", "Zorbin", (0, 6)),
                        annotation("1", "Disease", "-", "quexia", (11, 6)),
                    ],
                },
                {
                    "offset": 18,
                    "text": "GLP9/8 of mice: V7L. Zorbin.",
                    "annotations": [
                        annotation("2", "Gene", "901,902", "GLP9/8", (18, 6)),
                        annotation("3", "Variant", "p|SUB|V|7|L", "V7L", (34, 3)),
                    ],
                },
            ],
            "relations": [
                concept_relation("R0", "Bind", "C71", "902", "Novel"),
                concept_relation("R1", "Association", "p|SUB|V|7|L", "C71", "No"),
            ],
        },
        {
            "id": "72",
            "passages": [
                {"offset": 0, "text": "No concept", "annotations": []},
                {"offset": 11, "text": "Nothing at all.", "annotations": []},
            ],
            "relations": [],
        },
    ],
}

#: Two mentions and a relation between them, in one document.
NODES: Json = {
    "documents": [
        {
            "id": "d",
            "passages": [
                {
                    "offset": 0,
                    "text": "Zorbin lowers quexia.",
                    "annotations": [
                        annotation("T1", "Chemical", "C71", "Zorbin", (0, 6)),
                        annotation("T2", "Disease", "D5", "quexia", (14, 6)),
                    ],
                    "relations": [
                        {
                            "id": "R1",
                            "infons": {"type": "Lowers"},
                            "nodes": [{"refid": "T1", "role": ""}, {"refid": "T2", "role": ""}],
                        }
                    ],
                }
            ],
        }
    ]
}


def write(folder: Path, content: Union[str, bytes, Json], name: str = "Dev.BioC") -> Path:
    path = folder / name
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


def read_all(folder: Path, content: Union[str, bytes, Json]) -> List[Record]:
    return list(bioc.read(write(folder, content)))


def as_xml(content: Json) -> str:
    """The same in XML, as the library writes it."""
    complete = copy.deepcopy(content)
    for document in complete["documents"]:
        document.setdefault("infons", {})
        document.setdefault("relations", [])
        for part in [*document["passages"], *(s for p in document["passages"] for s in p.get("sentences", []))]:
            part.setdefault("text", "")
            for key, empty in {"infons": {}, "annotations": [], "relations": [], "sentences": []}.items():
                part.setdefault(key, empty)
    return biocxml.dumps(
        biocjson.decoder.parse_collection({**complete, "source": "", "date": "", "key": "", "infons": {}})
    )


def changed(content: Json, change: Callable[[Json], Any]) -> Json:
    """A copy whose first document was changed."""
    result = copy.deepcopy(content)
    change(result["documents"][0])
    return result


def contents(records: List[Record]) -> List[Any]:
    """What the formats must agree on."""
    return [
        (one.id, one.text, one.breaks, one.mentions, set(one.concept_relations), one.relations, one.meta.get("novel"))
        for one in records
    ]


# What is read


@pytest.mark.parametrize("content", [XML, JSON], ids=["XML", "JSON"])
def test_the_same_as_from_pubtator(tmp_path: Path, content: Any) -> None:
    records = read_all(tmp_path, content)
    assert contents(records) == contents(list(pubtator.read(write(tmp_path, PUBTATOR, "Dev.PubTator"))))
    assert not any(record.dropped or record.notes for record in records)
    assert records[0].concept_relations[0] == RelationRecord("Bind", "C71", "902")
    assert records[0].meta["novel"] == [["Bind", "C71", "902"]] and "novel" not in records[1].meta


@pytest.mark.parametrize("envelope", ["PubTator3", "list"])
def test_the_envelopes_of_ncbi(tmp_path: Path, envelope: str) -> None:
    """As the APIs of PubTator 3 and of BioC for PMC have them."""
    documents = JSON["documents"]
    several = [{"bioctype": "BioCCollection", "documents": [document]} for document in documents]
    content = several if envelope == "list" else {"PubTator3": documents}
    assert contents(read_all(tmp_path, json.dumps(content))) == contents(read_all(tmp_path, JSON))
    where = r"0\.documents\.0" if envelope == "list" else r"documents\.0"
    with pytest.raises(CorpusError, match=f"in {where}"):
        read_all(tmp_path, json.dumps(content).replace('"passages"', '"nothing"'))


def test_corpus_and_split_are_in_meta(tmp_path: Path) -> None:
    (record,) = bioc.read(write(tmp_path, NODES, "Dev.BioC.JSON"))
    assert record.meta == {"corpus": "bioc", "split": "Dev"}


@pytest.mark.parametrize("content", [f"\ufeff{XML}", f"\ufeff \n{json.dumps(JSON)}"], ids=["XML", "JSON"])
def test_what_stands_before_the_first_character(tmp_path: Path, content: str) -> None:
    assert [record.id for record in read_all(tmp_path, content)] == ["71", "72"]


def test_xml_in_another_layout_and_with_comments_is_the_same(tmp_path: Path) -> None:
    layout = XML.replace("><", ">\r\n <").replace("Nothing at", "<![CDATA[Noth]]>ing<!-- not -->&#32;a<?x y?>t")
    assert contents(read_all(tmp_path, layout)) == contents(read_all(tmp_path, XML))


def test_xml_documents_are_read_one_by_one(tmp_path: Path) -> None:
    passage = "<passage><offset>0</offset><text>x</text></passage>"
    many = "".join(f"<document><id>{number}</id>{passage}</document>\n" for number in range(2000))
    records = bioc.read(write(tmp_path, f"<collection>\n{many}<collection>"))
    assert next(records).id == "0" and next(records).place.line == 3
    with pytest.raises(CorpusError, match="line 2002: damaged or cut off XML"):
        list(records)


@pytest.fixture(params=["XML", "JSON"])
def reads(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Json], Record]:
    """Reads a document given as JSON from either format."""

    def read_one(content: Json) -> Record:
        (record,) = read_all(tmp_path, as_xml(content) if request.param == "XML" else content)
        return record

    return read_one


def test_a_relation_between_two_annotations(reads: Any) -> None:
    record = reads(NODES)
    assert record.mentions == [
        MentionRecord("T1", "Chemical", 0, 6, ("C71",)),
        MentionRecord("T2", "Disease", 14, 20, ("D5",)),
    ]
    assert record.relations == [RelationRecord("Lowers", "T1", "T2")] and not record.dropped
    assert "novel" not in record.meta


@pytest.mark.parametrize(
    "roles, arguments",
    [
        (("", ""), ("T1", "T2")),
        (("object", "subject"), ("T2", "T1")),
        (("Subject", "Object"), ("T1", "T2")),
        (("OBJECT", "SUBJECT"), ("T2", "T1")),
        (("Arg2", "Arg1"), ("T2", "T1")),
        (("Arg1", "Arg2"), ("T1", "T2")),
        (("object", "drug"), ("T2", "T1")),
        (("drug", "disease"), ("T1", "T2")),
        (("subject", "subject"), ("T1", "T2")),
    ],
)
def test_roles_decide_what_is_the_subject(reads: Any, roles: Any, arguments: Any) -> None:
    def change(document: Json) -> None:
        for node, role in zip(document["passages"][0]["relations"][0]["nodes"], roles):
            node["role"] = role

    assert reads(changed(NODES, change)).relations == [RelationRecord("Lowers", *arguments)]


def test_a_node_without_a_role(tmp_path: Path) -> None:
    xml = as_xml(NODES)
    assert ' role=""' in xml
    (record,) = read_all(tmp_path, xml.replace(' role=""', ""))
    assert record.relations == [RelationRecord("Lowers", "T1", "T2")]


@pytest.mark.parametrize("level", ["document", "sentence"])
def test_annotations_and_relations_of_every_level(reads: Any, level: str) -> None:
    def change(document: Json) -> None:
        (passage,) = document["passages"]
        passage["sentences"] = [{"offset": 0, "text": passage["text"]}]
        holder = document if level == "document" else passage["sentences"][0]
        holder["annotations"], holder["relations"] = passage.pop("annotations"), passage.pop("relations")

    record = reads(changed(NODES, change))
    assert len(record.mentions) == 2 and record.relations == [RelationRecord("Lowers", "T1", "T2")]


def test_gaps_between_passages_are_blanks(reads: Any) -> None:
    passages = [{"offset": 3, "text": "One."}, {"offset": 10, "text": "Two."}, {"offset": 14, "text": "Three."}]
    record = reads({"documents": [{"id": "d", "passages": passages}]})
    assert record.text == "   One.   Two.Three."
    assert record.breaks == (10, 14) and record.sentences is None


def test_passages_in_another_order(reads: Any) -> None:
    passages = [{"offset": 5, "text": "Two."}, {"offset": 0, "text": "One."}]
    assert reads({"documents": [{"id": "d", "passages": passages}]}).text == "One. Two."


def test_passages_without_text_are_placed_as_in_pubtator(tmp_path: Path) -> None:
    passages = [{"offset": 0, "text": "Title."}, {"offset": 7, "text": None}]
    records = read_all(tmp_path, {"documents": [{"id": "5", "passages": passages}]})
    assert contents(records) == contents(list(pubtator.read(write(tmp_path, "5|t|Title.\n5|a|\n"))))


def test_texts_in_sentences(reads: Any) -> None:
    sentences = [{"offset": 7, "text": "One i.v. one."}, {"offset": 22, "text": "Two."}]
    passages = [{"offset": 0, "sentences": [{"offset": 0, "text": "Title."}]}, {"offset": 7, "sentences": sentences}]
    record = reads({"documents": [{"id": "d", "passages": passages}]})
    assert record.text == "Title. One i.v. one.  Two."
    assert record.breaks == (7,) and record.sentences == (0, 7, 22)


def test_texts_in_passages_with_sentences_that_say_where_they_start(reads: Any) -> None:
    sentences = [{"offset": 0, "text": "One."}, {"offset": 5, "text": "Two."}]
    record = reads(
        {"documents": [{"id": "d", "passages": [{"offset": 0, "text": "One. Two.", "sentences": sentences}]}]}
    )
    assert record.text == "One. Two." and record.sentences == (0, 5)


def test_sentences_of_some_passages_only_are_not_used(reads: Any) -> None:
    passages = [{"offset": 0, "text": "Title."}, {"offset": 7, "sentences": [{"offset": 7, "text": "Text."}]}]
    record = reads({"documents": [{"id": "d", "passages": passages}]})
    assert (record.text, record.sentences) == ("Title. Text.", None)
    assert record.notes == {"sentences not used: only some passages have them": 1}


@pytest.mark.parametrize(
    "text",
    [
        "left trouble",
        "lefttrouble",
        "left right trouble",
        "left ... trouble",
        "left…trouble",
        "left [...] trouble",
        "",
    ],
)
def test_a_mention_with_several_locations_is_discontinuous(reads: Any, text: str) -> None:
    mention = annotation("T1", "Disease", "D1", text, (15, 7), (4, 4))
    content = {"documents": [{"id": "d", "passages": [{"offset": 0, "text": "Its left right trouble."}]}]}
    record = reads(changed(content, lambda document: document["passages"][0].update(annotations=[mention])))
    assert record.mentions == [MentionRecord("T1", "Disease", 4, 22, ("D1",), ((4, 8), (15, 22)))]
    assert sum(record.notes.values()) == (not text)


@pytest.mark.parametrize(
    "infons, concepts",
    [
        ({"Identifier": "D1"}, ("D1",)),
        ({"identifier": "D1,D2"}, ("D1", "D2")),
        ({"identifier": None, "Identifier": "D1"}, ("D1",)),
        ({"identifier": 9606}, ("9606",)),
        ({"identifier": ["D1", "D2"]}, ("D1", "D2")),
        ({"identifier": ""}, ()),
        ({}, ()),
        ({"identifier": "D1;D2"}, ("D1", "D2")),
        ({"MESH": "D1|D2"}, ("D1", "D2")),
        ({"cui": "C0001"}, ("C0001",)),
        ({"NCBI Gene identifier": "901"}, ("901",)),
        ({"omim_id": "5", "identifier": "D1"}, ("D1",)),
        ({"identifier": "tmVar:p|SUB|V|7|L;HGVS:p.V7L"}, ("tmVar:p|SUB|V|7|L;HGVS:p.V7L",)),
        ({"annotator_id": "7"}, ()),
    ],
)
def test_where_identifiers_are(tmp_path: Path, infons: Json, concepts: Any) -> None:
    def change(document: Json) -> None:
        document["passages"][0]["annotations"][0]["infons"] = {"type": "Chemical", **infons}

    (record,) = read_all(tmp_path, changed(NODES, change))
    assert record.mentions[0].concepts == concepts


ROLE1, ROLE2 = {"identifier": "C71", "type": "Chemical"}, {"identifier": "D5", "type": "Disease"}
VARIANT = "tmVar:p|SUB|V|7|L;HGVS:p.V7L"
BETWEEN_CONCEPTS = {
    "PubTator 3, JSON": ({"role1": ROLE1, "role2": ROLE2, "type": "x"}, ("C71", "D5")),
    "PubTator 3, XML": ({"role1": "Disease|D5", "role2": "Chemical|C71", "type": "x"}, ("D5", "C71")),
    "PubTator 3, variant": ({"role1": f"Variant|{VARIANT}", "role2": "Disease|D5", "type": "x"}, (VARIANT, "D5")),
    "PubTator 3, several": ({"role1": "Gene|8;9", "role2": "Disease|D5", "type": "x"}, ("8;9", "D5")),
    "one of several": ({"role1": "Gene|9", "role2": "Disease|D5", "type": "x"}, ("9", "D5")),
    "BC5CDR": ({"relation": "x", "Chemical": "C71", "Disease": "D5"}, ("C71", "D5")),
    "numbers": ({"relation type": "x", "Argument 1": 8, "Argument 2": "D5"}, ("8", "D5")),
}


@pytest.mark.parametrize("nodes", [[], [{"refid": "0", "role": "0,1"}]], ids=["no node", "a node"])
@pytest.mark.parametrize("infons, arguments", BETWEEN_CONCEPTS.values(), ids=BETWEEN_CONCEPTS.keys())
def test_relations_whose_infons_name_concepts(tmp_path: Path, infons: Json, arguments: Any, nodes: List[Json]) -> None:
    def change(document: Json) -> None:
        document["passages"][0]["annotations"] += [
            annotation("T3", "Variant", VARIANT, "lowers", (7, 6)),
            annotation("T4", "Gene", "8;9", "lowers", (7, 6)),
        ]
        document["passages"][0]["relations"] = [{"id": "R1", "infons": {"score": "0.75", **infons}, "nodes": nodes}]

    (record,) = read_all(tmp_path, changed(NODES, change))
    assert record.concept_relations == [RelationRecord("x", *arguments, 0.75)]
    assert not record.dropped and not record.notes and not record.relations


def test_infons_that_are_not_read_are_noted(reads: Any) -> None:
    def change(document: Json) -> None:
        document["passages"][0]["annotations"][0]["infons"].update(valid="yes", MESH="C1", empty="")
        document["passages"][0]["relations"][0]["infons"].update(score="high", by="Ada")

    record = reads(changed(NODES, change))
    assert record.relations == [RelationRecord("Lowers", "T1", "T2")] and record.mentions[0].concepts == ("C71",)
    assert record.notes == {
        "infon 'valid' of a mention not read": 1,
        "infon 'MESH' of a mention not read": 1,
        "infon 'score' of a relation not read": 1,
        "infon 'by' of a relation not read": 1,
    }


@pytest.mark.parametrize("text", ["zorbin-a lower", "zorbin-alpha lower"])
def test_a_mention_whose_text_is_given_in_ascii_is_kept_and_noted(reads: Any, text: str) -> None:
    passage = {"offset": 0, "text": "A zorbin-α lower.", "annotations": [annotation("T1", "X", "C1", text, (2, 14))]}
    record = reads({"documents": [{"id": "d", "passages": [passage]}]})
    assert [record.covered(mention) for mention in record.mentions] == ["zorbin-α lower"] and not record.dropped
    assert record.notes == {"text of a mention given in other characters": 1}


# What is left out: (what is changed, why)

BAD_ANNOTATIONS = {
    "other text": ({"text": "Quexia"}, MISMATCH),
    "beyond the text": ({"locations": [{"offset": 14, "length": 60}]}, "offsets outside of the text"),
    "before the text": ({"locations": [{"offset": -7, "length": 6}]}, "offsets outside of the text"),
    "far beyond": ({"locations": [{"offset": 14, "length": 10**4000}]}, "offsets outside of the text"),
    "no length": ({"locations": [{"offset": 14, "length": 0}]}, "offsets outside of the text"),
    "no location": ({"locations": []}, "no location"),
    "id twice": ({"id": "T1"}, "id occurs twice"),
    "no type": ({"infons": {}}, 'no infon "type" (found: none)'),
    "other infons": ({"infons": {"class": "x", "MESH": "y"}}, 'no infon "type" (found: class, MESH)'),
    "pieces overlap": ({"locations": [{"offset": 14, "length": 4}, {"offset": 17, "length": 3}]}, MISMATCH),
    "empty piece": ({"locations": [{"offset": 14, "length": 6}, {"offset": 20, "length": 0}]}, MISMATCH),
    "other text of pieces": (
        {"locations": [{"offset": 14, "length": 3}, {"offset": 18, "length": 2}], "text": "que xx"},
        MISMATCH,
    ),
}
BAD_RELATIONS = {
    "one node": ({"nodes": [{"refid": "T1", "role": ""}]}, "neither two nodes nor two known concepts"),
    "three nodes": ({"nodes": [{"refid": "T1", "role": ""}] * 3}, "neither two nodes nor two known concepts"),
    "no nodes": ({"nodes": []}, "neither two nodes nor two known concepts"),
    "node a relation": ({"nodes": [{"refid": "T1", "role": ""}, {"refid": "R1", "role": ""}]}, "unknown argument"),
    "no type": ({"infons": {}}, "no predicate"),
    "unknown concept": (
        {"infons": {"entity1": "C71", "entity2": "D6", "type": "x"}},
        "no mention of an argument's concept",
    ),
    "not a concept": (
        {"infons": {"entity1": "C71", "entity2": "-", "type": "x"}},
        "no mention of an argument's concept",
    ),
    "concepts without type": ({"infons": {"entity1": "C71", "entity2": "D5"}}, "no predicate"),
}


@pytest.mark.parametrize("change, why", BAD_ANNOTATIONS.values(), ids=BAD_ANNOTATIONS.keys())
def test_an_annotation_that_is_wrong_is_left_out_and_named(reads: Any, change: Json, why: str) -> None:
    record = reads(changed(NODES, lambda document: document["passages"][0]["annotations"][1].update(change)))
    first, second = record.dropped
    assert (first.what, first.why) == ("mention", why)
    assert f"{record.place}, document d, mention T" in first.where
    assert [mention.id for mention in record.mentions] == ["T1"]
    assert second.what == "relation" and not record.relations


@pytest.mark.parametrize("change, why", BAD_RELATIONS.values(), ids=BAD_RELATIONS.keys())
def test_a_relation_that_is_wrong_is_left_out_and_named(reads: Any, change: Json, why: str) -> None:
    record = reads(changed(NODES, lambda document: document["passages"][0]["relations"][0].update(change)))
    (dropped,) = record.dropped
    assert (dropped.what, dropped.why) == ("relation", why)
    assert f"{record.place}, document d, relation " in dropped.where
    assert len(record.mentions) == 2 and not record.relations and not record.concept_relations


def test_a_novelty_of_another_kind_is_left_out(reads: Any) -> None:
    infons = {"entity1": "C71", "entity2": "D5", "type": "x", "novel": "perhaps"}
    record = reads(changed(NODES, lambda document: document["passages"][0]["relations"][0].update(infons=infons)))
    assert len(record.concept_relations) == 1 and record.meta["novel"] == []
    assert [(dropped.what, dropped.why) for dropped in record.dropped] == [("novelty", "neither Novel nor No")]


# Bad input: (the file, line, a part of the message)


def without(content: Json, *keys: Any) -> Json:
    """A copy without the value that these keys lead to."""
    result = value = copy.deepcopy(content)
    for key in keys[:-1]:
        value = value[key]
    del value[keys[-1]]
    return result


def with_offset(offset: Any) -> Json:
    return changed(JSON, lambda document: document["passages"][1].update(offset=offset))


BAD_FILES = {
    "empty": ("", 0, "is empty"),
    "blanks": (" \n \n", 0, "starts with ''; expected BioC XML (<) or BioC JSON ({ or [)"),
    "neither": ("71|t|Zorbin\n", 0, "starts with '7'; expected BioC XML"),
    "JSON: a list": ("[]", 0, "contains no document"),
    "JSON: a list of something else": ("[1]", 0, "in 0"),
    "JSON: truncated": (json.dumps(JSON)[:-9], 0, "Invalid JSON: EOF while parsing"),
    "JSON: not UTF-8": (json.dumps(JSON).encode("utf8").replace(b"mice", b"mic\xe9"), 1, "not UTF-8"),
    "JSON: lone surrogate": (json.dumps(JSON).replace("mice", "\\ud800"), 0, "Invalid JSON"),
    "JSON: no collection": ("{}", 0, "Field required in documents"),
    "JSON: no documents": ('{"documents": []}', 0, "contains no document"),
    "JSON: no id": (without(JSON, "documents", 0, "id"), 0, "Field required in documents.0.id"),
    "JSON: empty id": (changed(JSON, lambda document: document.update(id=" ")), 0, "a document without id"),
    "JSON: no offset": (
        without(JSON, "documents", 1, "passages", 1, "offset"),
        0,
        "Field required in documents.1.passages.1.offset",
    ),
    "JSON: offset a string": (with_offset("18"), 0, "valid integer in documents.0.passages.1.offset"),
    "JSON: offset a fraction": (with_offset(18.5), 0, "valid integer in documents.0.passages.1.offset"),
    "JSON: overlap": (with_offset(16), 0, "document 71 has a text at 16; expected 17 to 10000000"),
    "JSON: negative offset": (with_offset(-1), 0, "document 71 has a text at -1; expected 0 to"),
    "JSON: offset beyond memory": (with_offset(10**15), 0, "document 71 has a text at 1000000000000000; expected"),
    "JSON: text a number": (
        changed(JSON, lambda document: document["passages"][0].update(text=7)),
        0,
        "valid string in documents.0.passages.0.text",
    ),
    "JSON: document twice": (changed(JSON, lambda document: document.update(id="72")), 0, "document 72 occurs twice"),
    "XML: truncated": (XML[:-9], 6, "damaged or cut off XML ("),
    "XML: no documents": ("<collection><source/></collection>", 0, "contains no document"),
    "XML: another root": ("<articles><article/></articles>", 0, "contains no document"),
    "XML: no collection": ("<document><id>5</id></document>", 1, "Field required in passages"),
    "XML: not UTF-8": (XML.encode("utf8").replace(b"at all", b"at \xe9ll"), 5, "damaged or cut off XML ("),
    "XML: tags crossed": (
        XML.replace("</passage></document>", "</document></passage>"),
        5,
        "damaged or cut off XML (Opening and ending tag mismatch",
    ),
    "XML: no id": (XML.replace("<id>72</id>", ""), 5, "Field required in id"),
    "XML: empty id": (XML.replace("<id>72</id>", "<id/>"), 5, "a document without id"),
    "XML: no offset": (XML.replace("<offset>11</offset>", ""), 5, "Field required in passages.1.offset"),
    "XML: offset no number": (XML.replace("<offset>11<", "<offset>x<"), 5, "valid integer"),
    "XML: offset of 5000 digits": (
        XML.replace("<offset>11<", f"<offset>{'9' * 5000}<"),
        5,
        "maximum size in passages.1.offset",
    ),
    "XML: annotation without id": (XML.replace(' id="3"', ""), 2, "required in passages.1.annotations.1.id"),
    "XML: location without length": (XML.replace(' length="3"', ""), 2, "annotations.1.locations.0.length"),
    "XML: infon without key": (XML.replace(' key="novel"', ""), 2, "valid string in relations.0.infons"),
    "XML: overlap": (XML.replace("<offset>11<", "<offset>9<"), 5, "document 72 has a text at 9; expected 10 to"),
    "XML: document twice": (XML.replace("<id>72<", "<id>71<"), 5, "document 71 occurs twice"),
    "XML: markup in a text": (XML.replace("at all", "<i>at</i> all"), 5, "an element or entity within text"),
}


@pytest.mark.parametrize("content, line, message", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_named(tmp_path: Path, content: Any, line: int, message: str) -> None:
    assert content not in (XML, JSON)
    with pytest.raises(CorpusError) as caught:
        read_all(tmp_path, content)
    assert f"Dev.BioC{f', line {line}' if line else ''}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere: cannot be read"):
        list(bioc.read(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="is a folder; expected a file"):
        list(bioc.read(tmp_path))


# Nothing outside of the file is read


@pytest.mark.parametrize("declared", ['SYSTEM "{secret}"', '"secret"'], ids=["external", "internal"])
def test_entities_are_not_filled_in(tmp_path: Path, declared: str) -> None:
    secret = write(tmp_path, "secret", "secret.txt")
    entity = f"[<!ENTITY x {declared.format(secret=secret.as_uri())}>]>"
    xml = XML.replace('SYSTEM "BioC.dtd">', entity).replace("at all", "at &x; all")
    with pytest.raises(CorpusError, match="an element or entity within text") as caught:
        read_all(tmp_path, xml)
    assert "secret" not in str(caught.value)


def test_a_dtd_beside_the_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, '<!ENTITY x "secret">', "BioC.dtd")
    with pytest.raises(CorpusError) as caught:
        read_all(tmp_path, XML.replace("at all", "at &x; all"))
    assert "secret" not in str(caught.value)


def test_entities_within_entities_do_not_fill_the_memory(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'[<!ENTITY x0 "secret">{entities}]>'
    xml = XML.replace('SYSTEM "BioC.dtd">', doctype).replace('key="novel"', 'key="&x11;"')
    with pytest.raises(CorpusError, match="damaged or cut off XML"):
        read_all(tmp_path, xml)


def test_no_network_is_used(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/BioC.dtd"
        assert len(read_all(tmp_path, XML.replace('"BioC.dtd"', f'"{address}"'))) == 2
        with pytest.raises(BlockingIOError):
            server.accept()


# Damage of every kind

SEEDS = [XML, json.dumps(JSON), json.dumps(NODES), as_xml(NODES)]
TOKENS = [
    b"<",
    b">",
    b"/>",
    b'"',
    b"&x;",
    b"{",
    b"}",
    b"[]",
    b"null",
    b"-",
    b"9" * 20,
    b"</text>",
    b"<!--",
    b"\r\n",
    b",",
]
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(XML)),
        st.integers(0, 6),
        st.one_of(st.binary(max_size=4), st.sampled_from(TOKENS)),
    ),
    max_size=4,
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}), st.just([{}])
)


def assert_sound(records: List[Record]) -> None:
    for record in records:
        ids = {mention.id for mention in record.mentions}
        assert all(record.text[mention.start : mention.end].strip() for mention in record.mentions)
        assert all({rel.subject, rel.object} <= ids for rel in record.relations)
        assert all({rel.subject, rel.object} <= record.concepts - {"-"} for rel in record.concept_relations)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), edits=EDITS, end=st.integers(0, 2 * len(XML)))
def test_only_a_corpus_error_comes_out_of_any_file(tmp_path: Path, seed: str, edits: Any, end: int) -> None:
    content = seed.encode("utf8")
    for at, removed, inserted in edits:
        content = content[:at] + inserted + content[at + removed :]
    try:
        assert_sound(read_all(tmp_path, content[:end]))
    except CorpusError:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from([JSON, NODES]), value=VALUES, data=st.data())
def test_only_a_corpus_error_comes_out_of_any_json(tmp_path: Path, seed: Json, value: Any, data: Any) -> None:
    content = holder = copy.deepcopy(seed)
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], (dict, list)) or not holder[key] or data.draw(st.integers(0, 5)) == 0:
            break
        holder = holder[key]
    holder[key] = value
    try:
        assert_sound(read_all(tmp_path, content))
    except CorpusError:
        pass


# The official files


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="no official files (folder shared/corpora/biored beside the project)")
@pytest.mark.parametrize(
    "split, suffix", [("Train", "XML"), ("Dev", "XML"), ("Dev", "JSON"), ("Test", "XML"), ("Test", "JSON")]
)
def test_official_files_are_the_same_as_in_pubtator(split: str, suffix: str) -> None:
    records = list(bioc.read(OFFICIAL / f"{split}.BioC.{suffix}"))
    assert contents(records) == contents(list(pubtator.read(OFFICIAL / f"{split}.PubTator")))
    assert sum(len(record.mentions) for record in records) == {"Train": 13351, "Dev": 3533, "Test": 3535}[split]
    assert sum(len(record.concept_relations) for record in records) == {"Train": 4178, "Dev": 1162, "Test": 1163}[split]
    assert not any(record.dropped or record.notes for record in records)
    assert {record.meta["split"] for record in records} == {split}
