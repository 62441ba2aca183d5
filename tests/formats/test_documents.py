"""Documents to extract from, in every format."""

import gzip
import io
import os
import sys

import pytest
import spacy
from helpers.pipelines import make_doc
from spacy.tokens import DocBin

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats import files
from spacy_dualre.formats.documents import Documents
from spacy_dualre.formats.files import STDIN, Options

BIOC = (
    "<?xml version='1.0'?><!DOCTYPE collection SYSTEM 'BioC.dtd'><collection><source/><date/><key/>"
    "<document><id>1</id><passage><offset>0</offset><text>Aspirin works.</text>"
    "<annotation id='T1'><infon key='type'>CHEMICAL</infon><location offset='0' length='7'/><text>Aspirin</text>"
    "</annotation></passage></document>"
    "<document><id/><passage><offset>0</offset><text>x</text></passage></document>"
    "<document><id>3</id><passage><offset>0</offset><text>Nothing.</text></passage></document></collection>"
)
PUBMED = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN" "https://example.org/pubmed.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">12</PMID><Article><ArticleTitle>Of <i>COX-1</i>.</ArticleTitle>
<Abstract><AbstractText Label="AIM">To  know
more.</AbstractText><AbstractText Label="UNLABELLED">It is.</AbstractText><AbstractText/></Abstract></Article>
<CommentsCorrectionsList><CommentsCorrections><PMID>99</PMID></CommentsCorrections></CommentsCorrectionsList>
</MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><Article><ArticleTitle>No id.</ArticleTitle></Article></MedlineCitation></PubmedArticle>
<PubmedBookArticle><BookDocument><PMID>13</PMID><Book><BookTitle>Book</BookTitle></Book>
<Abstract><AbstractText>Chapter.</AbstractText></Abstract></BookDocument></PubmedBookArticle>
</PubmedArticleSet>"""


def read(path, format=None, **options):
    """The records, and the messages of those that cannot be read."""
    records, problems = [], []
    for document in Documents(path, format, Options(**options)):
        if isinstance(document, CorpusError):
            problems.append(str(document))
        else:
            records.append(document)
    return records, problems


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


def contents(records):
    return [(record.id, record.text) for record in records]


def test_a_text_file_is_one_document_with_its_line_ends(tmp_path):
    (record,), problems = read(write(tmp_path / "note.v2.txt", "\ufeffOne.\r\nTwo."))
    assert (record.id, record.text, record.mentions_given, problems) == ("note.v2", "One.\r\nTwo.", False, [])
    _, problems = read(write(tmp_path / "latin.txt", b"caf\xe9"))
    assert "latin.txt, line 1: not UTF-8" in problems[0]


def test_json_lines_of_texts_alone_or_with_mentions(tmp_path):
    lines = ['{"text": "One."}', "", '{"text": 1}', '{"id": "x", "text": "A b.", "mentions": []}', "\xff"]
    records, problems = read(write(tmp_path / "in.jsonl", "\n".join(lines).encode("latin1")))
    assert contents(records) == [("1", "One."), ("x", "A b.")]
    assert [record.mentions_given for record in records] == [False, True]
    assert ["line 3" in problems[0], "line 5: not UTF-8" in problems[1], len(problems)] == [True, True, 2]


def test_csv_finds_its_columns_and_goes_on_after_a_bad_row(tmp_path):
    table = 'PMID,Abstract\n7,"One, ""two"",\nthree."\n8\n,Last.\n'
    records, problems = read(write(tmp_path / "in.csv", table))
    assert contents(records) == [("7", 'One, "two",\nthree.'), ("5", "Last.")]
    (problem,) = problems
    assert "in.csv, line 4: 1 columns; expected 2" in problem


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_of_other_delimiters_and_line_ends(tmp_path, delimiter, line_end):
    table = (
        delimiter.join(("id", "abstract", "year")) + line_end + delimiter.join(("7", "One, two.", "2020")) + line_end
    )
    records, problems = read(write(tmp_path / "in.csv", table))
    assert not problems and contents(records) == [("7", "One, two.")]


def test_columns_by_name(tmp_path):
    path = write(tmp_path / "in.tsv", 'text\tbody\tkey\nno\t"Yes" it is.\tk1\n')
    assert contents(read(path, text_column="body", id_column="key")[0]) == [("k1", '"Yes" it is.')]
    _, problems = read(path, text_column="Body")
    assert "no column 'Body' among 'text', 'body', 'key'" in problems[0]
    _, problems = read(write(tmp_path / "two.csv", "a,b\n1,2\n"))
    assert (
        "no column with the texts among 'a', 'b', parted by comma, semicolon or tab: see --text-column" in problems[0]
    )


@pytest.mark.parametrize("header", ["id|text", "id text", "A first sentence, say."[:16]])
def test_a_single_column_is_the_text_if_it_says_so(tmp_path, header):
    path = write(tmp_path / "in.csv", f"{header}\nOne.\n")
    records, (problem,) = read(path)
    assert not records and f"line 1: no column with the texts among {header!r}, parted by comma" in problem
    assert contents(read(path, text_column=header)[0]) == [("2", "One.")]


@pytest.mark.parametrize(
    "content, problem", [(b"text\nfine\ncaf\xe9\nlast\n", "line 3: not UTF-8"), (b'text\nfine\n"a"b\nlast\n', "line 3")]
)
def test_a_damaged_row_of_a_table_is_named(tmp_path, content, problem):
    records, problems = read(write(tmp_path / "in.csv", content))
    assert [record.text for record in records] == ["fine", "last"]
    assert problem in problems[0] and len(problems) == 1


@pytest.mark.parametrize(
    "content, problem", [(b"text\xff\nfine\nlast\n", "line 1: not UTF-8"), (b'"text"s\n', "line 1"), (b"", "is empty")]
)
def test_a_table_without_a_header_that_can_be_read_is_named_once(tmp_path, content, problem):
    records, (named,) = read(write(tmp_path / "in.csv", content))
    assert not records and problem in named


def test_rows_of_empty_cells_are_no_documents(tmp_path):
    records, problems = read(write(tmp_path / "in.csv", "id,text\n1,One.\n,\n,,\n2,Two.\n"))
    assert contents(records) == [("1", "One."), ("2", "Two.")] and not problems


def test_pubmed_has_title_and_labelled_sections(tmp_path):
    records, problems = read(write(tmp_path / "in.xml", PUBMED))
    assert contents(records) == [("12", "Of COX-1. AIM: To know more. It is."), ("13", "Book Chapter.")]
    assert [record.text[at:] for record in records for at in record.breaks] == [
        "AIM: To know more. It is.",
        "It is.",
        "Chapter.",
    ]
    assert "line 9: a PubmedArticle without PMID" in problems[0] and len(problems) == 1


def test_xml_entities_are_not_filled_in(tmp_path):
    secret = write(tmp_path / "secret", "hidden")
    attack = PUBMED.replace('"https://example.org/pubmed.dtd"', f'"x" [<!ENTITY e SYSTEM "{secret.as_uri()}">]')
    records, _ = read(write(tmp_path / "in.xml", attack.replace("Of <i>", "Of &e;<i>")))
    assert not any("hidden" in record.text for record in records)


def test_xml_cut_off_gives_what_stands_before(tmp_path):
    records, problems = read(write(tmp_path / "in.xml", PUBMED[:-200]))
    assert contents(records)[0][0] == "12" and "damaged or cut off XML" in problems[-1]


def test_bioc_goes_on_after_a_bad_document(tmp_path):
    records, problems = read(write(tmp_path / "in.xml", BIOC))
    assert contents(records) == [("1", "Aspirin works."), ("3", "Nothing.")]
    assert [record.mentions_given for record in records] == [True, False]
    assert "a document without id" in problems[0] and len(problems) == 1
    json = '{"documents": [{"id": "1", "passages": [{"offset": 0, "text": "A"}]}, {"id": 2}]}'
    records, problems = read(write(tmp_path / "in.json", json))
    assert contents(records) == [("1", "A")] and "documents.1.id" in problems[0]


def test_docs_keep_tokens_sentences_and_mentions(tmp_path):
    vocab = spacy.blank("en").vocab
    annotated = make_doc(vocab, [("A-b", "X"), ("c", ""), ("D", "")], sent_starts=(0, 2))
    annotated.user_data["doc_id"] = "d1"
    bare = spacy.blank("en")("Nothing is known.")
    DocBin(docs=[annotated, bare], store_user_data=True).to_disk(tmp_path / "in.spacy")
    (first, second), problems = read(tmp_path / "in.spacy")
    assert (first.id, first.tokens, first.sentences) == ("d1", ((0, 3), (4, 5), (6, 7)), (0, 6))
    assert [(mention.start, mention.end, mention.type) for mention in first.mentions] == [(0, 3, "X")]
    assert (second.id, second.sentences, second.mentions_given, problems) == ("2", None, False, [])
    _, problems = read(write(tmp_path / "bad.spacy", b"x"))
    assert "DR304" in problems[0] and "bad.spacy: cannot be read as .spacy" in problems[0]


def test_a_folder_is_read_in_order_with_ids_that_differ(tmp_path):
    write(tmp_path / "in" / "b.csv", "text\nTwo.\n")
    write(tmp_path / "in" / "a" / "z.jsonl.gz", gzip.compress(b'{"text": "One."}\n'))
    write(tmp_path / "in" / "a" / "y.txt", "Zero.")
    write(tmp_path / "in" / "c.csv", "text\nThree.\n")
    write(tmp_path / "in" / "notes.md", "not read")
    write(tmp_path / "in" / "d.xml", "<html/>")
    documents = Documents(tmp_path / "in")
    assert contents(documents) == [
        ("a/y", "Zero."),
        ("a/z.jsonl.gz:1", "One."),
        ("b.csv:2", "Two."),
        ("c.csv:2", "Three."),
    ]
    assert documents.skipped.counts == {"file in no known format (.md)": 1, "file in no known format (.xml)": 1}


def test_the_name_of_a_file_may_be_no_utf8(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("One.")
    (document,) = Documents(tmp_path)
    assert document.id == "\ufffd" and document.text == "One."


def test_damaged_compression_is_named(tmp_path):
    path = write(tmp_path / "in.txt.gz", gzip.compress(b"One." * 1000)[:-20])
    _, problems = read(path)
    assert "in.txt.gz: cannot be read" in problems[0]


@pytest.mark.parametrize("name", ["in.txt.gz", "in.jsonl.gz", "in.xml.gz", "in.csv.gz", "in.spacy.gz"])
def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "_UNPACKED", 100_000)
    start = b"<collection><document><id>" if "xml" in name else b"text\n"
    for size, named in ((5_000_000, True), (90_000, False)):
        (tmp_path / name).write_bytes(gzip.compress(start + b"x" * size))
        _, problems = read(tmp_path / name)
        assert any(f"{name}: unpacks to more than" in problem for problem in problems) == named


def test_standard_input_needs_its_format(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "One."}\n')))
    assert contents(read(STDIN, "jsonl")[0]) == [("1", "One.")]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(BIOC.encode()))))
    assert [record.id for record in read(STDIN, "bioc")[0]] == ["1", "3"]
    with pytest.raises(ValueError, match="DR320.*--format"):
        Documents(STDIN)


def test_formats_that_cannot_be_told(tmp_path):
    path = write(tmp_path / "in.dat", "One.")
    assert contents(read(path, "text")[0]) == [("in", "One.")]
    with pytest.raises(ValueError, match="DR320.*in.dat"):
        Documents(path)
    with pytest.raises(ValueError, match="DR004.*docx"):
        Documents(path, "docx")
    with pytest.raises(ValueError, match="DR005.*gone"):
        Documents(tmp_path / "gone.txt")
