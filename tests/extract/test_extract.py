"""From documents to relations: mentions given and found, and a work that is cut off and goes on."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import spacy
import srsly
from helpers.commands import match
from helpers.pipelines import NAME
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import DocBin
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.extract import Extraction, Journal, part_of
from spacy_dualre.formats import all_formats, function, names
from spacy_dualre.formats.documents import Documents
from spacy_dualre.records.record import Place, Record

TEXTS = ["Aspirin inhibits COX-1.", "Warfarin inhibits COX-1. Aspirin activates ADRB1.", "Nothing is here."]
PATTERNS = {"Aspirin": "CHEMICAL", "Warfarin": "CHEMICAL", "COX-1": "GENE", "ADRB1": "GENE"}


@pytest.fixture(scope="module")
def pipelines():
    """Folders of pipelines by their ruler."""
    return {}


@pytest.fixture
def make_pipeline(trained, pipelines, tmp_path, tmp_path_factory):
    """A pipeline on disk that gives each pair of a chemical and a gene of a sentence a relation."""

    def make(ruler="entity_ruler"):
        if ruler not in pipelines:
            nlp = trained(threshold=0.0)
            if ruler is not None:
                patterns = [{"label": label, "pattern": text} for text, label in PATTERNS.items()]
                config = {"spans_key": "entities"} if ruler == "span_ruler" else {}
                nlp.add_pipe(ruler, first=True, config=config).add_patterns(patterns)
            pipelines[ruler] = tmp_path_factory.mktemp("pipeline")
            nlp.to_disk(pipelines[ruler])
        return shutil.copytree(pipelines[ruler], tmp_path / "pipeline")

    return make


@pytest.fixture
def texts(tmp_path):
    """Three texts, of which two have relations."""
    path = tmp_path / "in.jsonl"
    srsly.write_jsonl(path, [{"id": f"D{number}", "text": text} for number, text in enumerate(TEXTS)])
    return path


def extract(*args, **settings):
    return CliRunner().invoke(app, ["dualre", "extract", *map(str, args)], **settings)


def done(*args, **settings):
    result = extract(*args, **settings)
    assert result.exit_code == 0, result.output
    return result


def triples(path):
    return [
        [(rel["subject"]["text"], rel["object"]["text"]) for rel in document["rels"]]
        for document in srsly.read_jsonl(path)
    ]


EXPECTED = [[("Aspirin", "COX-1")], [("Warfarin", "COX-1"), ("Aspirin", "ADRB1")], []]


def test_texts_become_triples(make_pipeline, texts, tmp_path):
    result = done(make_pipeline(), texts, tmp_path / "new" / "out.jsonl", "--show", "1")
    assert triples(tmp_path / "new" / "out.jsonl") == EXPECTED
    assert "Document D0" in result.stdout and "Document D1" not in result.stdout
    assert "No mentions, and so no relations, in 1 of 3 documents" in result.stderr
    documents = list(srsly.read_jsonl(tmp_path / "new" / "out.jsonl"))
    assert documents[1]["sentences"] == [0, 25] and "tokens" not in documents[1]
    assert documents[0]["meta"] == {"model": "xx_pipeline", "version": "0.0.0"}
    assert not part_of(tmp_path / "new" / "out.jsonl").exists()


@pytest.mark.parametrize("processes", [1, 2])
def test_given_mentions_stay_among_documents_whose_mentions_are_found(make_pipeline, tmp_path, processes):
    given = {
        "id": "given",
        "text": "Aspirin or Ibuprofen inhibits COX-1.",
        "mentions": [
            {"id": "a", "start": 11, "end": 20, "type": "CHEMICAL", "kb_id": "D2"},
            {"id": "b", "start": 30, "end": 35, "type": "GENE"},
        ],
        "meta": {"source": "made up"},
    }
    rows = [{"text": TEXTS[0]}, given, {"text": TEXTS[0], "mentions": []}, {"text": TEXTS[1]}, given]
    srsly.write_jsonl(tmp_path / "in.jsonl", rows)
    args = ("--n-process", processes, "--batch-size", 2)
    done(make_pipeline(), tmp_path / "in.jsonl", tmp_path / "out.jsonl", *args)
    assert triples(tmp_path / "out.jsonl") == [
        EXPECTED[0],
        [("Ibuprofen", "COX-1")],
        [],
        EXPECTED[1],
        [("Ibuprofen", "COX-1")],
    ]
    found = list(srsly.read_jsonl(tmp_path / "out.jsonl"))
    assert [(m["id"], m.get("kb_id")) for m in found[1]["mentions"]] == [("a", "D2"), ("b", None)]
    assert found[1]["meta"] == {"source": "made up", "model": "xx_pipeline", "version": "0.0.0"}
    assert found[1]["sentences"] == [0] and found[2]["mentions"] == []


def test_standard_output_is_utf8_whatever_the_locale(make_pipeline, tmp_path):
    (tmp_path / "in.txt").write_text("Aspirin inhibits COX-1, not TNF-\u03b1.", encoding="utf8")
    runner = CliRunner(charset="cp1252")
    result = runner.invoke(app, ["dualre", "extract", str(make_pipeline()), str(tmp_path / "in.txt")])
    assert result.exit_code == 0
    assert "TNF-\u03b1" in json.loads(result.stdout_bytes.decode("utf8"))["text"]


def test_long_forms_of_given_mentions_are_used_and_kept(trained, tmp_path):
    text = "Acetylsalicylic acid or ASA inhibits COX-1."
    mentions = [
        {"start": 0, "end": 20, "type": "CHEMICAL"},
        {"start": 24, "end": 27, "type": "CHEMICAL", "long_form": "acetylsalicylic acid"},
        {"start": 37, "end": 42, "type": "GENE"},
    ]
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": text, "mentions": mentions}])
    # Of the two mentions of one concept the closer one has the relation
    policy = {"@misc": "spacy-dualre.concept_pairs.v1", "mention_pairs": 1}
    trained(threshold=0.0, candidates=policy).to_disk(tmp_path / "concepts")
    done(tmp_path / "concepts", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert triples(tmp_path / "out.jsonl") == [[("ASA", "COX-1")]]
    (found,) = srsly.read_jsonl(tmp_path / "out.jsonl")
    assert [mention.get("long_form") for mention in found["mentions"]] == [None, "acetylsalicylic acid", None]


def test_given_mentions_are_found_anew_if_asked_for(make_pipeline, tmp_path):
    path = tmp_path / "in.jsonl"
    gene = {"start": 17, "end": 22, "type": "GENE"}
    # The second document has a mention that cannot be used, which does not matter then
    broken = {"start": 17, "end": 99, "type": "GENE"}
    srsly.write_jsonl(path, [{"text": TEXTS[0], "mentions": [gene]}, {"text": TEXTS[0], "mentions": [broken]}])
    pipeline = make_pipeline()
    assert "DW826" in done(pipeline, path, tmp_path / "given.jsonl").output
    assert triples(tmp_path / "given.jsonl") == [[], []]
    result = done(pipeline, path, tmp_path / "found.jsonl", "--no-gold-mentions")
    assert triples(tmp_path / "found.jsonl") == [[("Aspirin", "COX-1")]] * 2 and "DW826" not in result.output


def test_a_span_group_is_read_where_the_component_reads_one(make_pipeline, texts, tmp_path):
    setting = f"--components.{NAME}.spans_key"
    done(make_pipeline("span_ruler"), texts, tmp_path / "out.jsonl", setting, "entities")
    assert triples(tmp_path / "out.jsonl") == EXPECTED


def test_sentences_of_the_pipeline_are_kept(make_pipeline, texts, tmp_path):
    path = make_pipeline()
    nlp = spacy.load(path)
    nlp.add_pipe("sentencizer", first=True, config={"punct_chars": ["activates"]})
    nlp.to_disk(path)
    done(path, texts, tmp_path / "out.jsonl")
    assert next(doc["sentences"] for doc in srsly.read_jsonl(tmp_path / "out.jsonl") if doc["id"] == "D1") == [0, 43]


def test_entities_are_read_where_no_component_writes_the_span_group(make_pipeline, texts, tmp_path):
    setting = f"--components.{NAME}.spans_key"
    done(make_pipeline("entity_ruler"), texts, tmp_path / "out.jsonl", setting, "entities", "--gpu", "-1")
    assert triples(tmp_path / "out.jsonl") == EXPECTED


@pytest.mark.parametrize("ruler, key, source", [(None, None, "doc.ents"), (None, "sc", r"doc.spans\['sc'\]")])
def test_nothing_that_finds_mentions_is_said_before_the_work(make_pipeline, texts, ruler, key, source):
    nlp = spacy.load(make_pipeline(ruler))
    nlp.get_pipe(NAME).spans_key = key
    extraction = Extraction(nlp, print)
    with pytest.raises(ValueError, match=f"DR400.*{source}"):
        next(extraction.read(Documents(texts)))


def test_a_pipeline_without_the_component(texts, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    result = extract(tmp_path / "blank", texts, tmp_path / "out.jsonl")
    assert result.exit_code == 1 and "DR172" in result.output
    assert not part_of(tmp_path / "out.jsonl").exists()


def test_what_cannot_be_read_is_named_and_the_rest_is_done(make_pipeline, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "Aspirin inhibits COX-1."}\n{"txt": 1}\n{"text": ""}\n')
    (tmp_path / "in" / "b.txt").write_text("x " * 600)
    (tmp_path / "in" / "c.txt").write_text(TEXTS[0])
    (tmp_path / "in" / "d.doc").touch()
    path = make_pipeline()
    nlp = spacy.load(path)
    nlp.max_length = 1000
    problems = []
    extraction = Extraction(nlp, problems.append)
    records = extraction.read(Documents(tmp_path / "in"))
    assert [record.id for record in extraction.extract(records, 8)] == ["a.jsonl:1", "a.jsonl:3", "c"]
    assert len(problems) == extraction.tally.broken == 2
    assert "a.jsonl, line 2" in problems[0] and "b.txt, document b: 1200 characters, more than 1000" in problems[1]
    result = extract(path, tmp_path / "in", tmp_path / "out.jsonl")
    assert result.exit_code == 1 and "a.jsonl, line 2" in result.stderr and "DR826" in result.output
    assert "file in no known format (.doc), 1 times" in result.stderr
    assert len(triples(tmp_path / "out.jsonl")) == 4


@pytest.mark.parametrize("mentions", [{}, {"mentions": []}], ids=["bare", "annotated"])
def test_the_longest_text_is_the_users(make_pipeline, tmp_path, mentions):
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": "x" * 30, **mentions}, {"text": "y", **mentions}])
    path = make_pipeline()
    result = extract(path, tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--max-length", "29")
    assert result.exit_code == 1 and "DR409" in result.stderr and "document 1: 30 characters" in result.stderr
    assert len(list(srsly.read_jsonl(tmp_path / "out.jsonl"))) == 1
    done(path, tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--max-length", "30")
    assert len(list(srsly.read_jsonl(tmp_path / "out.jsonl"))) == 2


def test_mentions_that_cannot_be_used_are_counted(make_pipeline, tmp_path):
    mentions = [{"start": 0, "end": 7, "type": "CHEMICAL", "text": "Asparin"}]
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": TEXTS[0], "mentions": mentions}])
    result = done(make_pipeline(), tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert "mention: offsets do not match the text, 1 times, first at" in result.stderr


def test_nested_mentions_are_kept_and_counted_where_the_component_cannot_see_them(make_pipeline, tmp_path):
    mentions = [{"start": 0, "end": end, "type": "CHEMICAL"} for end in (7, 16)]
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": TEXTS[0], "mentions": mentions}])
    result = done(make_pipeline(), tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert "nested mention, which doc.ents cannot hold: in no relation, 1 times" in result.stderr
    (document,) = srsly.read_jsonl(tmp_path / "out.jsonl")
    assert [mention["end"] for mention in document["mentions"]] == [7, 16]


def test_the_threshold_is_the_users(make_pipeline, texts, tmp_path):
    done(make_pipeline(), texts, tmp_path / "out.csv", "--threshold", "1")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize("output", [(), ("-",)])
def test_standard_input_and_output(make_pipeline, texts, output):
    path = make_pipeline()
    result = done(path, "-", *output, "--format", "jsonl", input=texts.read_text())
    documents = [srsly.json_loads(line) for line in result.stdout.splitlines()]
    assert [len(document["rels"]) for document in documents] == [1, 2, 0]
    result = extract(path, texts, "--to", "brat")
    assert result.exit_code == 1 and "DR825" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("name", ["documents.jsonl", "run.json", "output", "out.jsonl.part"])
def test_an_output_may_have_any_name(make_pipeline, texts, tmp_path, name):
    model = make_pipeline()
    for _ in range(2):
        done(model, texts, tmp_path / name, "--to", "jsonl")
        assert triples(tmp_path / name) == EXPECTED


@pytest.mark.parametrize("exists", [False, True])
def test_a_link_stays_and_what_it_points_to_is_written(make_pipeline, texts, tmp_path, exists):
    model = make_pipeline()
    (tmp_path / "far").mkdir()
    if exists:
        (tmp_path / "far" / "out.jsonl").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "out.jsonl")
    done(model, texts, tmp_path / "link", "--to", "jsonl")
    assert (tmp_path / "link").is_symlink() and triples(tmp_path / "far" / "out.jsonl") == EXPECTED
    (tmp_path / "near").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "near")
    done(model, texts, tmp_path / "folder", "--to", "brat")
    assert (tmp_path / "folder").is_symlink() and (tmp_path / "near" / "D0.ann").exists()


def test_a_device_is_not_replaced(texts, tmp_path, make_pipeline):
    os.mkfifo(tmp_path / "out.jsonl")
    result = extract(make_pipeline(), texts, tmp_path / "out.jsonl")
    assert result.exit_code == 1 and "DR873" in result.output and (tmp_path / "out.jsonl").is_fifo()


def test_the_journal_is_not_read_as_input(tmp_path, texts):
    part = part_of(tmp_path / "out.jsonl")
    part.mkdir()
    for source in (part, shutil.copy(texts, part / "documents.jsonl")):
        result = extract("no-pipeline", source, tmp_path / "out.jsonl", "--resume")
        assert result.exit_code == 1 and "DR830" in result.output


@pytest.mark.parametrize("output", [".", "in.jsonl", "new/out.jsonl"])
def test_the_output_is_not_read_as_input(tmp_path, texts, output):
    source = texts if output == "in.jsonl" else tmp_path
    before = texts.read_bytes()
    result = extract("no-pipeline", source, tmp_path / output, "--to", "jsonl")
    assert result.exit_code == 1 and "DR830" in result.output
    assert texts.read_bytes() == before and list(tmp_path.iterdir()) == [texts]


@pytest.mark.parametrize("name", [name for name in names("write") if name != "csv"])
def test_every_format_can_be_written_and_extracted_from_again(make_pipeline, texts, tmp_path, name):
    path, first = make_pipeline(), tmp_path / f"first{[*all_formats()[name].outputs, ''][0]}"
    done(path, texts, first, "--to", name)
    if name in ("jsonl", "bioc", "spacy"):
        done(path, first, tmp_path / "second.jsonl")
        assert triples(tmp_path / "second.jsonl") == EXPECTED


@Language.component("test_fails_on_some")
def fails_on_some(doc):
    if "poison" in doc.text:
        raise KeyError("poison")
    return doc


class Loses:
    """Loses Docs, as an error handler that only writes a log does."""

    def __call__(self, doc):
        return doc

    def pipe(self, docs, batch_size):
        return (doc for doc in docs if "poison" not in doc.text)


@Language.factory("test_loses_some")
def loses_some(nlp, name):
    return Loses()


@pytest.fixture
def failing(make_pipeline):
    """A function that makes a pipeline that fails on documents with the word poison."""

    def make(component="test_fails_on_some", **place):
        path = make_pipeline()
        nlp = spacy.load(path)
        nlp.add_pipe(component, **place)
        nlp.to_disk(path)
        return path

    return make


def write_texts(path, *texts):
    srsly.write_jsonl(path, [{"id": f"D{number}", "text": text} for number, text in enumerate(texts)])
    return path


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("place", [{"first": True}, {"last": True}])
def test_a_document_on_which_a_component_fails_is_named_and_the_rest_is_done(failing, tmp_path, place, processes):
    texts = write_texts(tmp_path / "in.jsonl", TEXTS[0], "poison", TEXTS[1], "poison too", TEXTS[2])
    result = extract(failing(**place), texts, tmp_path / "out.jsonl", "--n-process", processes)
    assert result.exit_code == 1 and "DR826" in result.output and not part_of(tmp_path / "out.jsonl").exists()
    assert triples(tmp_path / "out.jsonl") == EXPECTED
    for number in (1, 3):
        assert f"in.jsonl, line {number + 1}, document D{number}: the pipeline refuses it (KeyError: 'poison')" in (
            result.stderr
        )


@pytest.mark.parametrize("place", [{"first": True}, {"last": True}])
def test_a_document_that_a_component_loses_is_named(failing, tmp_path, place):
    texts = write_texts(tmp_path / "in.jsonl", TEXTS[0], "poison", TEXTS[2])
    result = extract(failing("test_loses_some", **place), texts, tmp_path / "out.jsonl")
    assert result.exit_code == 1 and "document D1: the pipeline refuses it" in result.stderr
    assert len(triples(tmp_path / "out.jsonl")) == 2


def test_a_wrong_setting_is_no_document_s_fault(make_pipeline, texts, tmp_path):
    result = extract(make_pipeline(), texts, tmp_path / "out.jsonl", f"--components.{NAME}.symmetric", '["NONE"]')
    assert result.exit_code == 1 and "DR162" in result.output and "D0" not in result.output
    assert not part_of(tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("processes", [1, 2])
def test_words_do_not_stay_in_memory(make_pipeline, tmp_path, processes):
    nlp = spacy.load(make_pipeline())
    extraction = Extraction(nlp, print)
    rows = [{"text": f"Aspirin inhibits COX-1 in unseen{n}."} for n in range(8)]
    rows += [{**rows[0], "mentions": [{"start": 0, "end": 7, "type": f"T{n}"}]} for n in range(2)]
    srsly.write_jsonl(tmp_path / "in.jsonl", rows)
    before = len(nlp.vocab.strings)
    found = list(extraction.extract(extraction.read(Documents(tmp_path / "in.jsonl")), 2, processes))
    assert [len(record.relations) for record in found] == [1] * 8 + [0] * 2
    assert [record.id for record in found] == [str(n) for n in range(1, 11)]
    assert len(nlp.vocab.strings) <= before + 1


# A work that is cut off


@pytest.fixture
def cut_off(make_pipeline, texts, tmp_path, monkeypatch):
    """Arguments of a work that has done one document and the half of the second."""
    args = (make_pipeline(), texts, tmp_path / "out.jsonl", "--batch-size", 1)
    add = Journal.add

    def add_one(journal, record):
        if record.id == "D1":
            raise OSError(28, "No space left on device")
        add(journal, record)

    monkeypatch.setattr(Journal, "add", add_one)
    result = extract(*args)
    assert result.exit_code == 1 and "No space left on device" in result.output
    monkeypatch.undo()
    documents = part_of(args[2]) / "documents.jsonl"
    assert [document["id"] for document in srsly.read_jsonl(documents)] == ["D0"]
    with documents.open("a") as file:
        file.write('{"id": "D1", "text": "Warf')
    return args


def test_it_goes_on_after_a_half_line(cut_off, tmp_path):
    result = done(*cut_off, "--resume")
    assert "(1 of them done before)" in " ".join(result.output.split())
    assert triples(tmp_path / "out.jsonl") == EXPECTED and not part_of(tmp_path / "out.jsonl").exists()
    resumed = (tmp_path / "out.jsonl").read_bytes()
    done(*cut_off)
    assert (tmp_path / "out.jsonl").read_bytes() == resumed


def test_it_is_not_overwritten_unasked(cut_off):
    result = extract(*cut_off)
    assert result.exit_code == 1 and "DR401" in result.output
    assert (part_of(cut_off[2]) / "documents.jsonl").stat().st_size


@pytest.mark.parametrize("change", ["text", "id", "meta", "mentions", "fewer"])
def test_it_refuses_an_input_that_has_changed(cut_off, texts, change):
    rows = list(srsly.read_jsonl(texts))
    changed = {"meta": {"corpus": "changed"}, "mentions": []}
    rows[0] = {**rows[0], change: changed.get(change, "Changed.")}
    if change == "fewer":
        rows = []
    srsly.write_jsonl(texts, rows)
    result = extract(*cut_off, "--resume")
    assert result.exit_code == 1 and "DR403" in result.output and "'D0'" in result.output
    assert (part_of(cut_off[2]) / "documents.jsonl").stat().st_size


def test_it_refuses_another_model_or_other_settings(cut_off):
    result = extract(*cut_off, "--resume", "--threshold", "0.3")
    assert result.exit_code == 1 and "DR402" in result.output and "settings" in result.output
    nlp = spacy.load(cut_off[0])
    nlp.get_pipe(NAME).add_label("NEW", "{subject} is new to {object}.")
    nlp.to_disk(cut_off[0])
    result = extract(*cut_off, "--resume")
    assert result.exit_code == 1 and "DR402" in result.output and "files" in result.output


def test_broken_documents_do_not_shift_what_was_done(cut_off, texts):
    texts.write_text('{"broken\n' + texts.read_text())
    result = extract(*cut_off, "--resume")
    assert result.exit_code == 1 and "DR826" in result.output
    assert triples(cut_off[2]) == EXPECTED


def test_documents_that_failed_before_are_not_tried_again_but_named(failing, tmp_path, monkeypatch):
    texts = write_texts(tmp_path / "in.jsonl", "poison", TEXTS[0], "more poison", TEXTS[1], TEXTS[2], "poison at last")
    args = (failing(), texts, tmp_path / "out.jsonl", "--batch-size", 2)
    add = Journal.add
    monkeypatch.setattr(Journal, "add", lambda journal, one: add(journal, one) if one.id != "D4" else stop())
    result = extract(*args)
    assert result.exit_code == 1 and "DR829" in result.output
    monkeypatch.undo()
    result = extract(*args, "--resume")
    assert (
        result.exit_code == 1
        and "DR826" in result.output
        and "2 of them done before" in " ".join(result.output.split())
    )
    assert result.stderr.count("DR871") == 2 and result.stderr.count("DR408") == 1
    assert triples(tmp_path / "out.jsonl") == EXPECTED


def stop(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("to", ["jsonl", "brat"])
@pytest.mark.parametrize("function", ["os.replace", "shutil.rmtree", "pathlib.Path.unlink"])
@pytest.mark.parametrize("status", [0, 1])
def test_an_output_that_is_only_to_be_moved_or_cleared_up_is_complete(
    make_pipeline, texts, tmp_path, monkeypatch, to, function, status
):
    if status:
        texts.write_text(texts.read_text() + "unreadable\n")
    args = (make_pipeline(), texts, tmp_path / "out", "--to", to)
    assert extract(*args).exit_code == status
    expected = contents(tmp_path / "out")
    (shutil.rmtree if to == "brat" else os.remove)(tmp_path / "out")
    real = shutil.rmtree

    def fail(path, *args, **settings):
        if function != "shutil.rmtree" or str(path).endswith(".part"):
            stop()
        real(path, *args, **settings)

    monkeypatch.setattr(function, fail)
    assert "DR829" in extract(*args).output
    monkeypatch.undo()
    assert "DR401" in extract(*args).output
    result = extract(*args, "--resume")
    assert result.exit_code == status and "already complete" in result.output
    # As the call that ended there would have said
    assert ("DR826" in result.output) == bool(status)
    match("it came: 1. Finished documents: 3." if status else "", result.output)
    assert contents(tmp_path / "out") == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out", "pipeline"]


def contents(path):
    return {one.name: one.read_bytes() for one in (path.iterdir() if path.is_dir() else [path])}


def run_slowly(args, monkeypatch):
    add = Journal.add
    monkeypatch.setattr(Journal, "add", lambda journal, document: (add(journal, document), time.sleep(0.2)))
    os._exit(extract(*args).exit_code)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_a_signal_ends_it_and_it_goes_on(make_pipeline, tmp_path, monkeypatch, kind):
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"id": str(n), "text": TEXTS[0]} for n in range(40)])
    args = (make_pipeline(), tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--batch-size", 1)
    work = multiprocessing.get_context("fork").Process(target=run_slowly, args=(args, monkeypatch))
    work.start()
    documents = part_of(tmp_path / "out.jsonl") / "documents.jsonl"
    while work.is_alive() and not (documents.exists() and documents.stat().st_size):
        time.sleep(0.05)
    os.kill(work.pid, kind)
    work.join(30)
    assert work.exitcode == (-kind if kind == signal.SIGKILL else 128 + kind)
    assert 0 < len(list(srsly.read_jsonl(documents))) < 40
    done(*args, "--resume")
    assert [document["id"] for document in srsly.read_jsonl(tmp_path / "out.jsonl")] == [str(n) for n in range(40)]


# Worker processes


@Language.component("test_dies_in_a_worker")
def dies_in_a_worker(doc):
    if "poison" in doc.text and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return doc


@Language.component("test_leaves_its_process_id")
def leaves_its_process_id(doc):
    (Path(os.environ["TEST_PROCESSES"]) / str(os.getpid())).touch()
    time.sleep(0.1)
    return doc


def test_a_killed_worker_is_noticed_and_it_goes_on(failing, tmp_path):
    texts = write_texts(tmp_path / "in.jsonl", *[TEXTS[0]] * 8, "poison", *TEXTS)
    args = (failing("test_dies_in_a_worker"), texts, tmp_path / "out.jsonl", "--batch-size", 1)
    result = extract(*args, "--n-process", 2)
    assert result.exit_code == 1 and "DR404" in result.output
    assert len(list(srsly.read_jsonl(part_of(tmp_path / "out.jsonl") / "documents.jsonl"))) in range(1, 9)
    done(*args, "--resume")
    assert triples(tmp_path / "out.jsonl") == [*EXPECTED[:1] * 8, [], *EXPECTED]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(failing, tmp_path, monkeypatch, kind):
    texts = write_texts(tmp_path / "in.jsonl", *[TEXTS[0]] * 200)
    (tmp_path / "processes").mkdir()
    monkeypatch.setenv("TEST_PROCESSES", str(tmp_path / "processes"))
    args = (failing("test_leaves_its_process_id"), texts, tmp_path / "out.jsonl", "--batch-size", 1, "--n-process", 2)
    work = multiprocessing.get_context("fork").Process(target=lambda: os._exit(extract(*args).exit_code))
    work.start()
    documents = part_of(tmp_path / "out.jsonl") / "documents.jsonl"
    while work.is_alive() and not (documents.exists() and documents.stat().st_size):
        time.sleep(0.05)
    workers = [int(path.name) for path in (tmp_path / "processes").iterdir() if int(path.name) != work.pid]
    assert len(workers) == 2
    os.kill(work.pid, kind)
    work.join(30)
    assert work.exitcode == (-kind if kind == signal.SIGKILL else 128 + kind)
    give_up = time.time() + 30
    while any(is_alive(worker) for worker in workers):
        assert time.time() < give_up
        time.sleep(0.05)
    assert 0 < len(list(srsly.read_jsonl(documents))) < 200


def is_alive(process):
    try:
        # A process that nobody waits for remains as a zombie
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_workers_and_a_gpu_are_refused(texts, tmp_path):
    result = extract("no-pipeline", texts, tmp_path / "out.jsonl", "--n-process", 2, "--gpu-id", 0)
    assert result.exit_code == 1 and "DR876" in result.output


@pytest.mark.slow
def test_workers_may_be_started_anew(make_pipeline, texts, monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_context", lambda *_: multiprocessing.context.SpawnContext())
    extraction = Extraction(spacy.load(make_pipeline()), print)
    found = list(extraction.extract(extraction.read(Documents(texts)), 1, 2))
    assert [len(record.relations) for record in found] == [1, 2, 0]


# The journal


RUN = {"model": "en_x", "version": "1.0"}
DOCUMENT = Record("1", "é", Place(Path("made-up")))
LINE = {"id": "1", "text": "é", "mentions": [], "rels": [], "meta": {"spacy_dualre_inputs": []}}


def test_a_line_that_fails_leaves_nothing_that_is_read(tmp_path):
    with Journal(tmp_path / "out.jsonl", RUN) as journal:
        assert list(journal.done()) == []
        journal.add(DOCUMENT)
        raw = journal._file

        class Full:
            def write(self, data):
                if len(data) < 20:
                    raise OSError(28, "No space left on device")
                return raw.write(data[: len(data) - 10])

            def __getattr__(self, name):
                return getattr(raw, name)

        journal._file = Full()
        with pytest.raises(OSError, match="No space"):
            journal.add(DOCUMENT)
        journal._file = raw
    with Journal(tmp_path / "out.jsonl", RUN, resume=True) as journal:
        assert [record.id for record, _ in journal.done()] == ["1"]
    assert list(srsly.read_jsonl(tmp_path / "out.jsonl.part" / "documents.jsonl")) == [LINE]


def test_a_journal_in_which_nothing_is_goes(tmp_path):
    with Journal(tmp_path / "out.jsonl", RUN) as journal:
        list(journal.done())
    assert list(tmp_path.iterdir()) == []


def test_damage_in_the_middle_is_named(tmp_path):
    with Journal(tmp_path / "out.jsonl", RUN) as journal:
        list(journal.done())
        journal.add(DOCUMENT)
    path = tmp_path / "out.jsonl.part" / "documents.jsonl"
    path.write_text("\0\0\n" + path.read_text())
    with pytest.raises(ValueError, match="DR406.*line 1"):
        with Journal(tmp_path / "out.jsonl", RUN, resume=True) as journal:
            list(journal.done())
    assert path.exists()


def test_only_one_process_writes_a_journal(tmp_path):
    with Journal(tmp_path / "out.jsonl", RUN) as journal:
        list(journal.done())
        journal.add(DOCUMENT)
        with pytest.raises(ValueError, match="DR875"):
            Journal(tmp_path / "out.jsonl", RUN, resume=True)
    Journal(tmp_path / "out.jsonl", RUN, resume=True)


@pytest.mark.parametrize(
    "files, code",
    [
        ({}, ""),
        ({"run.json": ""}, ""),
        ({"documents.jsonl": ""}, ""),
        ({"run.json": "{", "documents.jsonl": ""}, ""),
        ({"documents.jsonl": "{"}, "DR406.*run.json"),
        ({"run.json": "", "documents.jsonl": "{}\n"}, "DR406.*run.json"),
        ({"run.json": "[1]", "documents.jsonl": "{}\n"}, "DR406.*run.json"),
        ({"run.json": "{}", "documents.jsonl": "{}\n"}, "DR402.*model"),
        ({"run.json": json.dumps({"model": "en_x", "version": "1.0"}), "documents.jsonl": "{}\n"}, "DR406.*line 1"),
        ({"run.json": json.dumps({"model": "en_x", "version": "1.0"}), "documents.jsonl": '{"text": ""}\n'}, "DR406"),
        ({"precious.txt": ""}, "DR874"),
        (None, "DR874"),
    ],
)
def test_an_odd_journal_is_named_or_has_nothing_done(tmp_path, files, code):
    folder = tmp_path / "out.jsonl.part"
    if files is None:
        folder.touch()
    else:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    if code:
        with pytest.raises(ValueError, match=code):
            with Journal(tmp_path / "out.jsonl", RUN, resume=True) as journal:
                list(journal.done())
        assert folder.exists()
    else:
        with Journal(tmp_path / "out.jsonl", RUN, resume=True) as journal:
            assert list(journal.done()) == []
            journal.add(DOCUMENT)
        assert srsly.read_json(folder / "run.json") == RUN


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path):
    (tmp_path / "out" / "precious").mkdir(parents=True)
    with pytest.raises(ValueError, match="DR405"):
        Journal(tmp_path / "out", RUN)
    assert (tmp_path / "out" / "precious").exists()


@pytest.mark.parametrize("note", ["", "{", "[]", '{"run": {}}'])
def test_a_note_that_is_cut_off_says_nothing(tmp_path, note):
    with Journal(tmp_path / "out.jsonl", RUN) as journal:
        list(journal.done())
        journal.add(DOCUMENT)
    (tmp_path / "out.jsonl.part" / "made.json").write_text(note)
    with Journal(tmp_path / "out.jsonl", RUN, resume=True) as journal:
        assert not journal.complete and [record.id for record, _ in journal.done()] == ["1"]


def test_a_file_that_is_no_note_is_left_alone(tmp_path):
    (tmp_path / "out.jsonl.made").write_text("precious")
    with pytest.raises(ValueError, match="DR874.*out.jsonl.made"):
        Journal(tmp_path / "out.jsonl", RUN, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl.made"]


def test_finishing_again_gives_the_same(tmp_path, monkeypatch):
    with Journal(tmp_path / "out", RUN) as journal:
        list(journal.done())
        journal.add(DOCUMENT)
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
        with pytest.raises(OSError, match="No space"):
            journal.finish(function("brat", "write"))
        monkeypatch.undo()
        assert journal.finish(function("brat", "write")) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "1.txt").read_text(encoding="utf8") == "é"


def test_docs_with_mentions_are_extracted_from_as_they_are(make_pipeline, tmp_path):
    path = make_pipeline(None)
    nlp = spacy.load(path)
    doc = nlp.make_doc(TEXTS[0])
    doc.ents = [doc.char_span(0, 7, label="CHEMICAL"), doc.char_span(17, 22, label="GENE")]
    DocBin(docs=[doc]).to_disk(tmp_path / "in.spacy")
    extraction = Extraction(nlp, print)
    records = extraction.read(Documents(tmp_path / "in.spacy"))
    (record,) = extraction.extract(records, 1)
    assert list(map(record.covered, record.mentions)) == ["Aspirin", "COX-1"]
    assert record.id == "1" and record.tokens == ((0, 7), (8, 16), (17, 22), (22, 23))


def test_after_a_full_disk_the_command_goes_on(make_pipeline, texts, tmp_path, monkeypatch):
    model, output, add = make_pipeline(), tmp_path / "out.jsonl", Journal.add

    def until_it_is_full(journal, record):
        if record.id == "D1":
            raise OSError(errno.ENOSPC, "No space left on device")
        add(journal, record)

    monkeypatch.setattr(Journal, "add", until_it_is_full)
    result = extract(model, texts, output)
    assert result.exit_code == 1 and "DR829" in result.output and "--resume" in result.output
    monkeypatch.undo()
    assert "1 of them done before" in " ".join(done(model, texts, output, "--resume").output.split())
    assert triples(output) == EXPECTED
