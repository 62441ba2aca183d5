"""The commands under `spacy dualre`, called as typer calls them."""

import json
import os
import shlex
import signal
from pathlib import Path

import pytest
import spacy
import srsly
from helpers.commands import dualre, match
from helpers.paths import ROOT
from helpers.pipelines import make_examples
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.main import get_command

import spacy_dualre.cli
from spacy_dualre.cli.app import COMMANDS, EXAMPLES

DEMO = ROOT / "assets" / "demo" / "dev.jsonl"


@pytest.fixture
def pipeline(trained, tmp_path):
    """A pipeline and documents on disk."""
    nlp = trained(threshold=0.0)
    nlp.to_disk(tmp_path / "pipeline")
    docs = [example.reference for example in make_examples(nlp.vocab)]
    for number, doc in enumerate(docs):
        doc.user_data["doc_id"] = f"D{number}"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    return tmp_path


def test_the_help_names_every_command_and_each_explains_itself():
    modules = {path.stem.replace("_", "-") for path in Path(spacy_dualre.cli.__file__).parent.glob("*.py")}
    assert set(COMMANDS) == modules - {"--init--", "app", "source"}
    result = dualre("--help")
    assert all(f"  {name} " in result.output and text in result.output for name, text in COMMANDS.items())
    for name in COMMANDS:
        result = dualre(name, "--help")
        assert result.exit_code == 0 and f"dualre {name} " in result.output, result.output
    assert dualre("no-command").exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_has_an_example_that_the_command_takes(name):
    line = f"  Example: python -m spacy dualre {name} {EXAMPLES[name]}"
    assert dualre(name, "--help").output.splitlines().count(line) == 1
    command = get_command(app).get_command(None, "dualre").get_command(None, name)
    context = command.context_class(command, **command.context_settings)
    values, rest, _ = command.make_parser(context).parse_args(shlex.split(EXAMPLES[name]))
    # Settings of the config are left over, each with its value
    assert rest == [] or context.ignore_unknown_options and all(option.startswith("--paths.") for option in rest[::2])
    assert all(values.get(parameter.name) for parameter in command.params if parameter.required)


def test_convert_writes_the_same_bytes_twice_and_reports(tmp_path):
    outputs = []
    for name in ("a", "b"):
        result = dualre("convert", "jsonl", DEMO, tmp_path / f"{name}.spacy", "--report", tmp_path / "report.json")
        assert result.exit_code == 0, result.output
        outputs.append((tmp_path / f"{name}.spacy").read_bytes())
    assert outputs[0] == outputs[1]
    report = srsly.read_json(tmp_path / "report.json")
    assert (report["documents"], report["mentions"], report["relations"]) == (26, 372, 133)
    assert row(result, "relations") == "133" and row(result, "documents") == "26"
    assert "Converted 26 documents to" in result.output and "Left out" not in result.output


def test_convert_with_scispacy(tmp_path):
    pytest.importorskip("scispacy", reason="the extra 'biomed' is not installed")
    options = ("--tokenizer", "scispacy", "--splitter", "pysbd")
    result = dualre("convert", "jsonl", DEMO, tmp_path / "out.spacy", *options)
    assert result.exit_code == 0, result.output
    assert row(result, "relations") == "133"


@pytest.mark.parametrize(
    "args, problem",
    [
        (("jsonlines", DEMO), "DR004.*jsonlines.*jsonl"),
        (("chemprot", "missing"), "DR340.*missing"),
        (("chemprot", DEMO), "DR340.*no such folder"),
        (("jsonl", DEMO, "--tokenizer", "words"), "DR004.*words"),
        (("jsonl", DEMO, "--splitter", "words"), "DR004.*words"),
        (("semeval", DEMO.parent), "DR322.*is a folder; expected a file"),
    ],
)
def test_convert_names_what_is_wrong(tmp_path, args, problem):
    result = dualre("convert", *args[:2], tmp_path / "out.spacy", *args[2:])
    assert result.exit_code == 1
    match(problem, result.output)
    assert not (tmp_path / "out.spacy").exists()


def row(result, name):
    """What the printed table says behind a name."""
    lines = [line.split() for line in result.output.splitlines()]
    (found,) = [words[-1] for words in lines if words[:-1] == name.split()]
    return found


def load(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def write_semeval(path, *sentences, label="Cause-Effect(e1,e2)"):
    blocks = [f'{number}\t"{text}"\n{label}\nComment:\n\n' for number, text in enumerate(sentences, 1)]
    path.write_text("".join(blocks), encoding="utf8")
    return path


GOOD, HALF, EMPTY = "<e1>Rain</e1> makes <e2>mud</e2>", "<e1> </e1> makes <e2>mud</e2>", "<e1> </e1> or <e2> </e2>"
BLANKS = "mention: nothing but blanks"


@pytest.fixture
def damaged(tmp_path):
    """Of three sentences, the second has a mention, and with it a relation, that cannot be used."""
    return write_semeval(tmp_path / "MADE_UP.TXT", GOOD, HALF, GOOD)


def test_convert_warns_of_what_was_left_out(tmp_path, damaged):
    args = (tmp_path / "out.spacy", "--report", tmp_path / "new" / "report.json")
    result = dualre("convert", "semeval", damaged, *args)
    assert result.exit_code == 0, result.output
    match(rf"Left out: {BLANKS}, 1 times, first at .*MADE_UP.TXT, line 5, document 2, mention e1", result.output)
    match("Left out: relation: argument was dropped, 1 times, first at .*line 5, document 2", result.output)
    report = srsly.read_json(tmp_path / "new" / "report.json")
    assert report["dropped"] == {BLANKS: 1, "relation: argument was dropped": 1}
    assert report["dropped_first"][BLANKS].endswith("MADE_UP.TXT, line 5, document 2, mention e1 (0 to 1)")
    assert (report["documents"], report["mentions"], report["relations"]) == (3, 5, 2)
    assert [len(doc._.rels) for doc in load(tmp_path / "out.spacy")] == [1, 0, 1]


def test_convert_strictly_fails_at_the_first_loss_and_writes_nothing(tmp_path, damaged):
    args = (tmp_path / "out.spacy", "--strict", "--report", tmp_path / "report.json", "--dev", tmp_path / "dev.spacy")
    result = dualre("convert", "semeval", damaged, *args)
    assert result.exit_code == 1
    match("DR305.*MADE_UP.TXT, line 5, document 2, mention e1 .* mention left out: nothing but blanks", result.output)
    assert sorted(tmp_path.iterdir()) == [damaged]


@pytest.mark.parametrize(
    "text, offsets, is_wrong",
    [
        ("\U0001f600\U0001f680 Kim Ode meets Oda Bel at noon, says Bo.", [(5, 12), (19, 26)], True),
        ("\U0001f600\U0001f680 Kim Ode meets Oda Bel at noon, says Bo.", [(3, 10), (17, 24)], False),
        ("Nierentransplantation und Lebertransplantation.", [(0, 6), (6, 21)], False),
        ("\u91d1\u5fb7\u5728\u6ce2\u58eb\u987f\u5de5\u4f5c\u3002", [(1, 2), (3, 6)], False),
    ],
    ids=["UTF-16", "code points", "parts of words", "script without blanks"],
)
def test_convert_warns_of_offsets_that_count_something_else(tmp_path, text, offsets, is_wrong):
    mentions = [{"start": start, "end": end, "type": "X"} for start, end in offsets]
    srsly.write_jsonl(tmp_path / "in.jsonl", [{"text": text, "mentions": mentions}])
    result = dualre("convert", "jsonl", tmp_path / "in.jsonl", tmp_path / "out.spacy")
    assert result.exit_code == 0 and ("DW360" in result.output) == is_wrong
    if is_wrong:
        match("in.jsonl: 2 of 2 mentions begin and end within a word", result.output)
    result = dualre("convert", "jsonl", tmp_path / "in.jsonl", tmp_path / "strict.spacy", "--strict")
    assert result.exit_code == is_wrong and (tmp_path / "strict.spacy").exists() != is_wrong


def test_convert_strictly_is_the_same_where_nothing_is_lost(tmp_path):
    for options in ((), ("--strict",)):
        result = dualre("convert", "jsonl", DEMO, tmp_path / f"{len(options)}.spacy", *options)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "0.spacy").read_bytes() == (tmp_path / "1.spacy").read_bytes()


def test_convert_fails_where_no_mention_is_of_use(tmp_path):
    source = write_semeval(tmp_path / "MADE_UP.TXT", EMPTY, EMPTY)
    result = dualre("convert", "semeval", source, tmp_path / "out.spacy")
    assert result.exit_code == 1
    match(r"DR819.*None of the mentions could be used: 4 were left out \(nothing but blanks\)", result.output)
    match("the first at .*MADE_UP.TXT, line 1, document 1, mention e1", result.output)
    assert "offsets" not in result.output
    assert not (tmp_path / "out.spacy").exists()


def test_convert_leaves_texts_out_that_are_too_long_unless_they_are_allowed(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "long", "text": "A text."}\n{"id": "short", "text": "Short"}\n')
    for limit, n in ((6, 1), (7, 2)):
        result = dualre("convert", "jsonl", source, tmp_path / "out.spacy", "--max-length", limit)
        assert result.exit_code == 0
        match(f"Converted {n} documents", result.output)
        assert ("longer than 6 characters" in " ".join(result.output.split())) == (n == 1)
    result = dualre("convert", "jsonl", source, tmp_path / "none.spacy", "--max-length", 1)
    match("DR819.*None of the documents could be used: 2 were left out .longer than 1 ch.*document long", result.output)
    assert result.exit_code == 1 and not (tmp_path / "none.spacy").exists()


def test_convert_names_the_first_of_offsets_that_are_all_wrong(tmp_path):
    documents = list(srsly.read_jsonl(DEMO))
    for document in documents:
        for mention in document["mentions"]:
            mention.update(start=mention["start"] + 1, end=mention["end"] + 1)
    srsly.write_jsonl(tmp_path / "shifted.jsonl", documents)
    result = dualre("convert", "jsonl", tmp_path / "shifted.jsonl", tmp_path / "out.spacy")
    assert result.exit_code == 1
    match(r"DR820.*: 372 were left out \(.*offsets do not match the text.*shifted.jsonl, line \d+, doc", result.output)
    match("offsets count characters from 0 with exclusive ends", result.output)
    assert not (tmp_path / "out.spacy").exists()


def test_convert_takes_a_corpus_without_mentions(tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "plain_abstracts.tsv").write_text("1\tTitle\tAbstract.\n", encoding="utf8")
    (folder / "plain_entities.tsv").write_text("", encoding="utf8")
    result = dualre("convert", "chemprot", folder, tmp_path / "out.spacy")
    assert result.exit_code == 0, result.output
    assert [doc.text for doc in load(tmp_path / "out.spacy")] == ["Title Abstract."]


@pytest.mark.parametrize("content", ["\n", "\n\r\n\n"])
def test_convert_fails_where_there_is_no_document(tmp_path, content):
    (tmp_path / "blank.txt").write_text(content, encoding="utf8")
    result = dualre("convert", "semeval", tmp_path / "blank.txt", tmp_path / "out.spacy")
    assert result.exit_code == 1
    match("DR303.*blank.txt: contains no document", result.output)
    assert not (tmp_path / "out.spacy").exists()


def split_ids(tmp_path, name, *options):
    """Ids of the documents that were kept and that were held out."""
    kept, held_out = tmp_path / name / "train.spacy", tmp_path / name / "dev.spacy"
    result = dualre("convert", "jsonl", DEMO, kept, "--dev", held_out, *options)
    assert result.exit_code == 0, result.output
    assert row(result, "documents") == "26"
    return tuple([doc.user_data["doc_id"] for doc in load(path)] for path in (kept, held_out))


def test_convert_holds_documents_out(tmp_path):
    dualre("convert", "jsonl", DEMO, tmp_path / "all.spacy")
    everything = [doc.user_data["doc_id"] for doc in load(tmp_path / "all.spacy")]
    kept, held_out = split_ids(tmp_path, "a", "--dev-fraction", "0.3")
    assert 2 <= len(held_out) <= 14
    assert sorted(kept + held_out) == sorted(everything) and not set(kept) & set(held_out)
    assert [id for id in everything if id in kept] == kept and [id for id in everything if id in held_out] == held_out
    assert split_ids(tmp_path, "b", "--dev-fraction", "0.3", "--seed", "0") == (kept, held_out)
    assert (tmp_path / "a" / "dev.spacy").read_bytes() == (tmp_path / "b" / "dev.spacy").read_bytes()
    assert split_ids(tmp_path, "c", "--dev-fraction", "0.3", "--seed", "1") != (kept, held_out)


def test_convert_counts_what_it_wrote_where(tmp_path):
    args = (tmp_path / "train.spacy", "--dev", tmp_path / "dev.spacy", "--dev-fraction", "0")
    result = dualre("convert", "jsonl", DEMO, *args)
    match(r"Converted 26 documents to \S*train.spacy.*Converted 0 documents to \S*dev.spacy", result.output)
    assert load(tmp_path / "dev.spacy") == []


def test_convert_does_not_hold_out_into_the_output_itself(tmp_path):
    (tmp_path / "folder").mkdir()
    same = tmp_path / "folder" / ".." / "out.spacy"
    result = dualre("convert", "jsonl", DEMO, tmp_path / "out.spacy", "--dev", same)
    assert result.exit_code == 1
    match("DR842.*out.spacy: is also the output, .*Give --dev another path", result.output)
    assert not (tmp_path / "out.spacy").exists()


@pytest.mark.parametrize("dev", ["out/dev", "."])
def test_convert_does_not_hold_out_where_the_output_is_read(tmp_path, dev):
    result = dualre("convert", "jsonl", DEMO, tmp_path / "out", "--dev", tmp_path / dev)
    assert result.exit_code == 1 and list(tmp_path.iterdir()) == []
    match("one is inside the other. Give --dev another path", result.output)


@pytest.mark.parametrize("name", ["there.spacy", "out.json", "file"])
def test_convert_refuses_outputs_that_nothing_would_read_before_it_starts(tmp_path, name):
    (tmp_path / "there.spacy").mkdir()
    (tmp_path / "file").touch()
    for paths in ((tmp_path / name,), (tmp_path / "fine.spacy", "--dev", tmp_path / name)):
        result = dualre("convert", "jsonl", DEMO, *paths)
        assert result.exit_code == 1
        match(f"DR841.*{name}: expected the name of a .spacy file", result.output)
    assert not (tmp_path / "fine.spacy").exists()


def test_convert_with_a_config(tmp_path):
    config = tmp_path / "cut.cfg"
    config.write_text(
        '[nlp]\nlang = "en"\npipeline = ["s"]\n[components]\n[components.s]\nfactory = "sentencizer"\n', encoding="utf8"
    )
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "One sentence. Another one! A third?"}\n', encoding="utf8")
    for name, options in (("a.spacy", ("--pipeline", config)), ("b.spacy", ())):
        result = dualre("convert", "jsonl", source, tmp_path / name, *options)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.spacy").read_bytes() == (tmp_path / "b.spacy").read_bytes()
    assert len(list(load(tmp_path / "a.spacy")[0].sents)) == 3
    result = dualre("convert", "jsonl", DEMO, tmp_path / "c.spacy", "--pipeline", tmp_path / "no.cfg")
    assert result.exit_code == 1
    match("DR301.*no.cfg", result.output)


@pytest.mark.parametrize("option, value", [("--dev-fraction", "1.5"), ("--dev-fraction", "-1")])
def test_convert_refuses_numbers_out_of_range(tmp_path, option, value):
    result = dualre("convert", "jsonl", DEMO, tmp_path / "out.spacy", option, value)
    assert result.exit_code == 2 and not (tmp_path / "out.spacy").exists()


def test_convert_writes_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_dualre.records.shards.SHARD_SIZE", 10)
    dualre("convert", "jsonl", DEMO, tmp_path / "all.spacy")
    args = (tmp_path / "shards", "--dev", tmp_path / "dev", "--dev-fraction", "0")
    result = dualre("convert", "jsonl", DEMO, *args)
    assert result.exit_code == 0, result.output
    shards = [load(path) for path in sorted((tmp_path / "shards").iterdir())]
    assert [len(docs) for docs in shards] == [10, 10, 6]
    assert [doc.text for docs in shards for doc in docs] == [doc.text for doc in load(tmp_path / "all.spacy")]
    assert [path.name for path in (tmp_path / "dev").iterdir()] == ["00001.spacy"]


@pytest.mark.parametrize("options, corpus", [((), "jsonl"), (("--corpus", "made up"), "made up")])
def test_convert_says_which_corpus(tmp_path, options, corpus):
    held_out = tmp_path / "dev.spacy"
    result = dualre("convert", "jsonl", DEMO, tmp_path / "out.spacy", "--dev", held_out, *options)
    assert result.exit_code == 0, result.output
    docs = [*load(tmp_path / "out.spacy"), *load(held_out)]
    assert len(docs) == 26 and {doc.user_data["corpus"] for doc in docs} == {corpus}


def test_convert_reports_counts_of_each_kind(tmp_path):
    source = write_semeval(tmp_path / "MADE_UP.TXT", GOOD, GOOD.replace("Rain", " Rain"))
    result = dualre("convert", "semeval", source, tmp_path / "out.spacy")
    assert result.exit_code == 0, result.output
    assert row(result, "Cause-Effect") == "2" and row(result, "ENTITY") == "4"
    assert row(result, "blanks cut off at the ends of a mention") == "1"
    assert "relations across sentences" not in result.output, "what did not occur is not printed"


def test_evaluate_prints_a_table_and_writes_json(pipeline):
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--output", pipeline / "scores.json")
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(pipeline / "scores.json")
    # Threshold 0: every one of the 7 candidates becomes a relation, each of the 4 gold relations has one with some
    # predicate.
    assert scores["documents"] == 3
    right = round(scores["rels_p"] * 7)
    assert scores["rels_r"] == pytest.approx(right / 4)
    assert "all (micro)" in result.output
    assert f"{100 * scores['rels_f']:.1f}" in result.output


def test_evaluate_without_gold_mentions_needs_the_pipeline_to_find_them(pipeline):
    args = ("evaluate", pipeline / "pipeline", pipeline / "data.spacy", "--no-gold-mentions", "-o", pipeline / "s.json")
    result = dualre(*args)
    assert result.exit_code == 1 and "DR400" in result.output
    assert not (pipeline / "s.json").exists()


def test_evaluate_does_not_count_found_mentions_by_ids(pipeline):
    args = ("--no-gold-mentions", "--protocol", "biored")
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "data.spacy", *args)
    assert result.exit_code == 1
    match("DR822.*--protocol", result.output)


def test_evaluate_names_a_pipeline_without_the_component(pipeline):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(pipeline / "without")
    result = dualre("evaluate", pipeline / "without", pipeline / "data.spacy", "-o", pipeline / "s.json")
    assert result.exit_code == 1 and not (pipeline / "s.json").exists()
    match("DR172.*sentencizer", result.output)


def test_evaluate_with_gold_mentions_needs_some(pipeline):
    nlp = spacy.blank("en")
    DocBin(docs=[nlp.make_doc("Aspirin inhibits COX-1.")]).to_disk(pipeline / "texts.spacy")
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "texts.spacy")
    assert result.exit_code == 1
    match("DR823.*texts.spacy.*--no-gold-mentions", result.output)


@pytest.mark.parametrize("command", ["evaluate", "explain", "visualize"])
def test_damaged_documents_are_named(pipeline, command):
    (pipeline / "bad.spacy").write_bytes(b"damaged")
    result = dualre(command, pipeline / "pipeline", pipeline / "bad.spacy")
    assert result.exit_code == 1
    match("DR304.*bad.spacy", result.output)


@pytest.mark.filterwarnings("ignore:.*W090")
def test_no_documents_are_no_scores(pipeline):
    (pipeline / "empty").mkdir()
    result = dualre("evaluate", pipeline / "pipeline", pipeline / "empty")
    assert result.exit_code == 1
    match("DR714.*empty", result.output)


@pytest.mark.parametrize("command", ["evaluate", "explain", "extract", "visualize"])
def test_code_is_imported_before_the_pipeline_is_loaded(pipeline, command):
    (pipeline / "code.py").write_text("raise RuntimeError('this is imported')")
    result = dualre(command, pipeline / "pipeline", pipeline / "data.spacy", "--code", pipeline / "code.py")
    assert result.exit_code == 1 and "this is imported" in str(result.output) + str(result.exception)


@pytest.mark.parametrize("command", ["evaluate", "extract"])
def test_the_end_is_no_damage(pipeline, monkeypatch, command):
    def load(*args, **settings):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as err:
            raise ImportError("protobuf is needed, says transformers whatever is raised here") from err

    monkeypatch.setattr("spacy_dualre.models.wrapper.AutoTokenizer.from_pretrained", load)
    output = (pipeline / "out.jsonl",) if command == "extract" else ()
    result = dualre(command, pipeline / "pipeline", pipeline / "data.spacy", *output)
    assert result.exit_code == 128 + signal.SIGTERM
    assert "DR" not in result.output and "protobuf" not in result.output


def test_extract_writes_one_document_a_line(pipeline):
    output = pipeline / "out" / "rels.jsonl"
    result = dualre("extract", pipeline / "pipeline", pipeline / "data.spacy", output, "--show", "1")
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in output.read_text(encoding="utf8").splitlines()]
    assert [record["id"] for record in records] == ["D0", "D1", "D2"]
    assert [len(record["rels"]) for record in records] == [2, 3, 2]
    for record in records:
        for rel in record["rels"]:
            for span in (rel["subject"], rel["object"]):
                assert record["text"][span["start"] : span["end"]] == span["text"]
            assert rel["subject"]["type"] == "CHEMICAL" and rel["object"]["type"] == "GENE"
            assert 0 <= rel["score"] <= 1
    assert "Document D0" in result.output and "Document D1" not in result.output


@pytest.mark.parametrize("command, n", [("evaluate", 0), ("extract", 1)])
def test_missing_files_are_named(pipeline, command, n):
    output = (pipeline / "out.jsonl",) * n
    result = dualre(command, pipeline / "no-pipeline", pipeline / "data.spacy", *output)
    assert result.exit_code == 1
    match("DR005.*no-pipeline", result.output)
    result = dualre(command, pipeline / "pipeline", pipeline / "no-data.spacy", *output)
    assert result.exit_code == 1
    match("DR005.*no-data", result.output)


@pytest.mark.parametrize(
    "command, work",
    [
        (["evaluate", "MODEL", "DATA", "-o"], "evaluate.load_pipeline"),
        (["evaluate", "MODEL", "DATA", "--predictions"], "evaluate.load_pipeline"),
        (["benchmark", "MODEL", "DATA", "-o"], "benchmark.load_pipeline"),
        (["card", "MODEL", "-o"], "card.load_pipeline"),
        (["visualize", "MODEL", "DATA", "-o"], "visualize.load_pipeline"),
        (["score", "chemprot", "DATA", "DATA", "-o"], "score.score"),
        (["results", "MODEL", "-o"], "results.write_tables"),
        (["results", "MODEL", "--json"], "results.write_tables"),
    ],
)
def test_an_output_that_cannot_be_written_is_said_before_the_work(pipeline, monkeypatch, command, work):
    monkeypatch.setattr(f"spacy_dualre.cli.{work}", lambda *args: pytest.fail("worked first"))
    paths = {"MODEL": pipeline / "pipeline", "DATA": pipeline / "data.spacy"}
    result = dualre(*(paths.get(part, part) for part in command), pipeline / "data.spacy" / "out.json")
    assert result.exit_code == 1, result.output
    assert "DR824" in result.output and "out.json" in result.output
