"""Small valid inputs, one for each format, all of the same made-up documents."""

import json
from pathlib import Path
from typing import Any, Dict

import spacy
from helpers.pipelines import DESCRIPTIONS, make_examples
from spacy.tokens import DocBin

TEXT = "Zorbin lowers quexia. It spares NA."
_MENTIONS = [(0, 6, "CHEMICAL", "C1"), (14, 20, "DISEASE", "D2"), (32, 34, "GENE", "G3")]


def _lines(*values: Any) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


_JSONL = {
    "id": "d1",
    "text": TEXT,
    "mentions": [
        {"id": f"T{start}", "start": start, "end": end, "type": type, "kb_id": id, "text": TEXT[start:end]}
        for start, end, type, id in _MENTIONS
    ],
    "rels": [{"subject": "T0", "predicate": "LOWERS", "object": "T14", "score": 0.75}],
    "sentences": [0, 22],
    "tokens": [[0, 6], [7, 13], [14, 20], [20, 21], [22, 24], [25, 31], [32, 34], [34, 35]],
    "meta": {"note": "made up"},
}
_BIOC = {
    "source": "own",
    "date": "2020",
    "key": "none",
    "documents": [
        {
            "id": "d1",
            "infons": {},
            "passages": [
                {
                    "offset": 0,
                    "infons": {"type": "title"},
                    "text": TEXT,
                    "annotations": [
                        {
                            "id": f"T{start}",
                            "infons": {"type": type, "identifier": id},
                            "text": TEXT[start:end],
                            "locations": [{"offset": start, "length": end - start}],
                        }
                        for start, end, type, id in _MENTIONS
                    ],
                    "relations": [
                        {
                            "id": "R1",
                            "infons": {"type": "LOWERS"},
                            "nodes": [{"refid": "T0", "role": "s"}, {"refid": "T14", "role": "o"}],
                        }
                    ],
                }
            ],
            "relations": [{"id": "R2", "infons": {"type": "SPARES", "entity1": "C1", "entity2": "G3"}}],
        }
    ],
}
_BIOC_XML = (
    "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM \"BioC.dtd\">\n<collection><source>own</source>"
    '<date>2020</date><key>none</key><document><id>d1</id><passage><infon key="type">title</infon><offset>0</offset>'
    f"<text>{TEXT}</text>"
    + "".join(
        f'<annotation id="T{start}"><infon key="type">{type}</infon><infon key="identifier">{id}</infon>'
        f'<location offset="{start}" length="{end - start}"/><text>{TEXT[start:end]}</text></annotation>\n'
        for start, end, type, id in _MENTIONS
    )
    + '<relation id="R1"><infon key="type">LOWERS</infon><node refid="T0" role="s"/><node refid="T14" role="o"/>'
    "</relation></passage></document></collection>"
)
_BRAT = (
    "".join(f"T{n}\t{type} {start} {end}\t{TEXT[start:end]}\n" for n, (start, end, type, _) in enumerate(_MENTIONS, 1))
    + "N1\tReference T1 MESH:C1\tzorbin\nR1\tLOWERS Arg1:T1 Arg2:T2\nT9\tSPARES 25 31\tspares\n"
    "E1\tSPARES:T9 Agent:T1\nA1\tNegated E1\n*\tEquiv T1 T3\n#1\tAnnotatorNotes R1\tscore 0.5\n"
)
_CHEMPROT = {
    "test_abstracts.tsv": "7\tZorbin lowers\tquexia. It spares NA.\n8\tNothing\tis here.\n",
    "test_entities.tsv": "7\tT1\tCHEMICAL\t0\t6\tZorbin\n7\tT2\tGENE-Y\t14\t20\tquexia\n7\tT3\tGENE-N\t32\t34\tNA\n",
    "test_relations.tsv": "7\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T2\n7\tCPR:10\tN \tNOT\tArg1:T1\tArg2:T3\n",
    "test_gold_standard.tsv": "7\tCPR:4\tArg1:T1\tArg2:T2\n",
}
_DRUGPROT = {
    "training_abstracs.tsv": _CHEMPROT["test_abstracts.tsv"],
    "training_entities.tsv": _CHEMPROT["test_entities.tsv"],
    "training_relations.tsv": "7\tINHIBITOR\tArg1:T1\tArg2:T2\n7\tPART-OF\tArg1:T1\tArg2:T3\n",
}
_DDI = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<document id="D.d1">\n'
    '    <sentence id="s0" text="Zorbin lowers quexia.">\n'
    '        <entity id="e0" charOffset="0-5" type="drug" text="Zorbin"/>\n'
    '        <entity id="e1" charOffset="7-12;14-19" type="group" text="lowers quexia"/>\n'
    '        <pair id="p0" e1="e0" e2="e1" ddi="true" type="effect"/>\n    </sentence>\n</document>\n'
)
_DOCCANO = {
    "id": 7,
    "text": TEXT,
    "entities": [
        {"id": start, "label": type, "start_offset": start, "end_offset": end} for start, end, type, _ in _MENTIONS
    ],
    "relations": [{"id": 5, "from_id": 0, "to_id": 14, "type": "LOWERS"}],
    "Comments": [],
}
_SPANS = [
    {"start": start, "end": end, "token_start": token, "token_end": token, "label": type}
    for token, (start, end, type, _) in zip((0, 2, 6), _MENTIONS)
]
_PRODIGY = {
    "text": TEXT,
    "tokens": [
        {"text": TEXT[start:end], "start": start, "end": end, "id": number, "ws": TEXT[end : end + 1] == " "}
        for number, (start, end) in enumerate(_JSONL["tokens"])  # type: ignore[arg-type]
    ],
    "spans": _SPANS,
    "relations": [{"head": 0, "child": 2, "head_span": _SPANS[0], "child_span": _SPANS[1], "label": "LOWERS"}],
    "answer": "accept",
}
_LABEL_STUDIO = {
    "id": 7,
    "data": {"text": TEXT, "source": "own"},
    "annotations": [
        {
            "id": 1,
            "was_cancelled": False,
            "result": [
                *(
                    {
                        "id": f"r{start}",
                        "from_name": "label",
                        "to_name": "text",
                        "type": "labels",
                        "value": {"start": start, "end": end, "text": TEXT[start:end], "labels": [type]},
                    }
                    for start, end, type, _ in _MENTIONS
                ),
                {"type": "relation", "from_id": "r0", "to_id": "r14", "direction": "left", "labels": ["LOWERED-BY"]},
                {"id": "r0", "from_name": "sure", "to_name": "text", "type": "choices", "value": {"choices": ["yes"]}},
            ],
        }
    ],
    "predictions": [],
}
_PUBMED = (
    '<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD//EN" "https://example.org/pubmed.dtd">\n'
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>12</PMID><Article><ArticleTitle>Of <i>quexia</i>."
    '</ArticleTitle><Abstract><AbstractText Label="AIM">To know more.</AbstractText></Abstract></Article>\n'
    "</MedlineCitation></PubmedArticle><PubmedBookArticle><BookDocument><PMID>13</PMID><Book><BookTitle>Book"
    "</BookTitle></Book></BookDocument></PubmedBookArticle></PubmedArticleSet>"
)
_PUBTATOR = (
    "71|t|Zorbin lowers quexia.\n71|a|It spares NA.\n71\t0\t6\tZorbin\tChemical\tC1\n"
    "71\t14\t20\tquexia\tDisease\tD2,D3\n71\t32\t34\tNA\tGene\t-\n71\tLowers\tC1\tD2\tNovel\n\n"
    "72|t|No concept\n72|a|Nothing at all.\n"
)
_SCIERC = {
    "doc_key": "X1",
    "sentences": [["Zorbin", "lowers", "quexia", "."], ["It", "spares", "-LRB-", "NA", "-RRB-", "."]],
    "ner": [[[0, 0, "Material"], [2, 2, "Task"]], [[7, 7, "Method"]]],
    "relations": [[[0, 0, 2, 2, "USED-FOR"]], []],
    "clusters": [[[0, 0], [4, 4]]],
}
_SEMEVAL = (
    '1\t"A <e1>yeti</e1> built the <e2>igloo</e2>."\r\nProduct-Producer(e2,e1)\r\nComment: Made.\r\n\r\n'
    '2\t"<e1>Fog</e1> hides <e2>lamps</e2>"\r\nOther\r\nComment:\r\n\r\n'
)
_CSV = (
    "id,text,subject,subject_type,predicate,object,object_type\n"
    f'd1,"{TEXT}",Zorbin,CHEMICAL,LOWERS,quexia,DISEASE\nd2,"An ""odd"", text.",odd,X,,text,Y\n'
)
_RELATIONS = (
    "document,subject_text,subject_type,subject_start,subject_end,subject_kb_id,predicate,object_text,object_type,"
    "object_start,object_end,object_kb_id,score,sentence,sentence_start\n"
    "d1,Zorbin,CHEMICAL,0,6,C1,LOWERS,quexia,DISEASE,14,20,D2,0.75,Zorbin lowers quexia.,0\n"
)
_UBIAI = {
    "documentName": "d1",
    "document": TEXT,
    "tokens": [
        {
            "text": TEXT[start:end],
            "start": start,
            "end": end,
            "token_start": token,
            "token_end": token,
            "entityLabel": type,
        }
        for token, (start, end, type, _) in zip((0, 2, 6), _MENTIONS)
    ],
    "relations": [{"head": 0, "child": 2, "relationLabel": "LOWERS"}],
}
_WORDS = [[TEXT[start:end] for start, end in _JSONL["tokens"]]]  # type: ignore[union-attr]
_INDICES = ((0, 1), (2, 3), (6, 7))
_DOCRED = {
    "title": "Zorbin, or none",
    "sents": _WORDS,
    "vertexSet": [
        [{"name": TEXT[start:end], "sent_id": 0, "pos": pos, "type": type}]
        for pos, (start, end, type, _) in zip(_INDICES, _MENTIONS)
    ],
    "labels": [{"h": 0, "t": 1, "r": "P1", "evidence": [0]}],
}
_FEWREL = {"tokens": _WORDS[0], "h": ["zorbin", "C1", [[0]]], "t": ["quexia", "D2", [[2], [6]]]}
_OPENNRE = {
    role: {"name": TEXT[start:end], "id": id, "pos": [start, end]}
    for role, (start, end, _, id) in zip(("h", "t"), _MENTIONS)
}
_SPERT = {
    "tokens": _WORDS[0],
    "entities": [
        {"type": type, "start": first, "end": end} for (first, end), (_, _, type, _) in zip(_INDICES, _MENTIONS)
    ],
    "relations": [{"type": "LOWERS", "head": 0, "tail": 1}],
    "orig_id": "d1",
}
_WEBNLG = (
    '<?xml version="1.0"?>\n<benchmark><entries><entry category="A" eid="Id1" size="1"><modifiedtripleset>\n'
    '<mtriple>Zorbin | lowers | "quexia"</mtriple>\n</modifiedtripleset>\n'
    f'<lex comment="good" lid="Id1" lang="en">{TEXT}</lex>\n<lex comment="toFix" lid="Id2">Zorbin</lex>\n'
    "</entry></entries></benchmark>"
)
_BOTH = "{subject} binds {object}."
_DESCRIPTIONS = {**DESCRIPTIONS, "BINDS": {"CHEMICAL|GENE": [_BOTH, f"Often, {_BOTH}"], "*": _BOTH}}


def _docbin() -> bytes:
    docs = [example.reference for example in make_examples(spacy.blank("xx").vocab)]
    for number, doc in enumerate(docs):
        doc.user_data.update({"doc_id": f"d{number}", "corpus": "own", "breaks": [0]})
        doc.spans["entities"] = list(doc.ents)
    return DocBin(docs=docs, store_user_data=True).to_bytes()


def _tutorial() -> bytes:
    docs = [example.reference for example in make_examples(spacy.blank("xx").vocab)]
    for doc in docs:
        firsts = [mention.start for mention in doc.ents]
        doc.user_data = {("._.", "rel", None, None): {(a, b): {"P": float(a < b)} for a in firsts for b in firsts}}
    return DocBin(docs=docs, store_user_data=True).to_bytes()


#: Of each format, the files to read; of brat and the like, a folder of them.
INPUTS: Dict[str, Dict[str, bytes]] = {
    "bioc": {"in.json": json.dumps(_BIOC).encode()},
    "bioc-xml": {"in.xml": _BIOC_XML.encode()},
    "brat": {"a.txt": TEXT.encode(), "a.ann": _BRAT.encode()},
    "chemprot": {name: text.encode() for name, text in _CHEMPROT.items()},
    "csv": {"in.csv": _CSV.encode()},
    "ddi": {"in.xml": _DDI.encode()},
    "doccano": {"in.jsonl": _lines(_DOCCANO, {"text": TEXT, "entities": []})},
    "docred": {"in.json": json.dumps([_DOCRED, {**_DOCRED, "title": "d2"}]).encode()},
    "drugprot": {name: text.encode() for name, text in _DRUGPROT.items()},
    "fewrel": {"in.json": json.dumps({"P1": [_FEWREL, _FEWREL], "P2": [_FEWREL]}).encode()},
    "jsonl": {"in.jsonl": _lines(_JSONL, {"text": TEXT})},
    "label-studio": {"in.json": json.dumps([_LABEL_STUDIO, {**_LABEL_STUDIO, "id": 8}]).encode()},
    "opennre": {
        "in.txt": _lines(
            {"text": TEXT, **_OPENNRE, "relation": "LOWERS"},
            {"token": _WORDS[0], "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}, "relation": "NA"},
        )
    },
    "prodigy": {"in.jsonl": _lines(_PRODIGY, {**_PRODIGY, "text": TEXT, "answer": "reject"})},
    "pubmed": {"in.xml": _PUBMED.encode()},
    "pubtator": {"in.pubtator": _PUBTATOR.encode()},
    "rel-component": {"in.spacy": _tutorial()},
    "scierc": {"in.json": _lines(_SCIERC, {**_SCIERC, "doc_key": "X2"})},
    "semeval": {"in.txt": _SEMEVAL.encode()},
    "spacy": {"in.spacy": _docbin()},
    "spert": {"in.json": json.dumps([_SPERT, {**_SPERT, "orig_id": 2}]).encode()},
    "text": {"in.txt": f"{TEXT}\r\nÜber α.\n".encode()},
    "tsv": {"in.tsv": f"id\ttext\nd1\t{TEXT}\nd2\tNothing.\n".encode()},
    "ubiai": {"in.json": json.dumps([_UBIAI, {**_UBIAI, "documentName": "d2"}]).encode()},
    "webnlg": {"in.xml": _WEBNLG.encode()},
    "relations": {"in.csv": _RELATIONS.encode()},
    # A small file must not take much memory
    "far-relations": {"in.csv": _RELATIONS.replace(",0\n", ",999999900\n").encode()},
    "descriptions": {"in.json": json.dumps(_DESCRIPTIONS).encode()},
}


def write_input(name: str, folder: Path) -> Path:
    """Write the files of an input. Returns what is to be read: the only file, or the folder."""
    for file, data in INPUTS[name].items():
        (folder / file).write_bytes(data)
    return folder if len(INPUTS[name]) > 1 else folder / file
