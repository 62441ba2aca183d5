"""The project file, run as a user runs it, on a random encoder and a few training steps."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from spacy.util import load_config

pytestmark = pytest.mark.slow

#: Corpora that somebody may have put into assets/
IGNORED = ("chemprot_*", "BIORED.zip", "BioRED", "*.tar.gz", "processed_data", "SemEval2010*")
FEW_STEPS = {
    "components.dual_encoder_rel.model.run.max_length": 96,
    "training.max_steps": 4,
    "training.eval_frequency": 2,
    "training.logger.progress_bar": None,
    "corpora.train.limit": 12,
}


def copy_project(folder):
    """The project, all of whose trainings have a few steps."""
    for name in ("project.yml", "configs", "assets/demo"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for path in (folder / "configs").glob("*.cfg"):
        config = load_config(path)
        known = {name: value for name, value in FEW_STEPS.items() if _has_section(config, name)}
        load_config(path, overrides=known).to_disk(path, interpolate=False)
    plan = srsly.read_yaml(folder / "project.yml")
    plan["vars"].update(mention_steps=4, corpus_mention_steps=4)
    srsly.write_yaml(folder / "project.yml", plan)


@pytest.fixture
def project(tmp_path, encoder):
    """A copy of the project with a random encoder in it."""
    copy_project(tmp_path)
    shutil.copytree(encoder, tmp_path / "assets" / "random")
    return tmp_path


def _has_section(config, name):
    """Whether a setting of this dotted name can be overridden."""
    for part in name.split(".")[:-1]:
        config = config.get(part)
        if not config or "source" in config:
            return False
    return True


def run(project, *args):
    command = [sys.executable, "-m", "spacy", "project", "run", args[0], ".", *args[1:]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=300)


def test_missing_corpus_says_what_to_put_where(project):
    shutil.copytree(
        ROOT / "assets" / "chemprot", project / "assets" / "chemprot", ignore=shutil.ignore_patterns(*IGNORED)
    )
    result = run(project, "convert-chemprot")
    assert result.returncode != 0
    output = " ".join((result.stdout + result.stderr).split())
    assert "assets/chemprot/chemprot_training" in output
    assert "abstracts" in output


def write_chemprot(folder):
    """The demo corpus in ChemProt's format, with one of its groups for each predicate."""
    groups = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
    predicates = list(srsly.read_json(ROOT / "assets" / "demo" / "descriptions.json"))[1:]
    for name, split in (("train", "training"), ("dev", "development"), ("test", "test_gs")):
        lines = {"abstracts": [], "entities": [], "gold_standard": []}
        for document in srsly.read_jsonl(ROOT / "assets" / "demo" / f"{name}.jsonl"):
            id, text, start = document["id"], document["text"], document["sentences"][1]
            lines["abstracts"].append((id, text[: start - 1], text[start:]))
            for mention in document["mentions"]:
                type = {"CHEMICAL": "CHEMICAL", "GENE": "GENE-Y"}[mention["type"]]
                lines["entities"].append((id, mention["id"], type, mention["start"], mention["end"], mention["text"]))
            for rel in document["rels"]:
                group = groups[predicates.index(rel["predicate"])]
                lines["gold_standard"].append((id, group, f"Arg1:{rel['subject']}", f"Arg2:{rel['object']}"))
        (folder / f"chemprot_{split}").mkdir()
        for what, rows in lines.items():
            text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
            (folder / f"chemprot_{split}" / f"{split}_{what}.tsv").write_text(text)


def write_biored(folder):
    for split in ("Train", "Dev", "Test"):
        documents = []
        for i in range(8):
            title, abstract = f"Zorbin and fever {i}.", "The drug stops it. Zorbin raises QXA1."
            start = len(title) + 1
            mentions = [(0, "Zorbin", "ChemicalEntity", "D1"), (11, "fever", "DiseaseOrPhenotypicFeature", f"D9{i}")]
            mentions += [
                (start + 19, "Zorbin", "ChemicalEntity", "D1"),
                (start + 33, "QXA1", "GeneOrGeneProduct", "77"),
            ]
            documents += [f"{i}|t|{title}", f"{i}|a|{abstract}"]
            documents += [f"{i}\t{at}\t{at + len(text)}\t{text}\t{type}\t{id}" for at, text, type, id in mentions]
            documents += [f"{i}\tNegative_Correlation\tD9{i}\tD1\tNovel", f"{i}\tPositive_Correlation\tD1\t77\tNo", ""]
        (folder / "BioRED").mkdir(exist_ok=True)
        (folder / "BioRED" / f"{split}.PubTator").write_text("\n".join(documents) + "\n")


def write_scierc(folder):
    (folder / "processed_data" / "json").mkdir(parents=True)
    for split in ("train", "dev", "test"):
        rows = [
            {
                "doc_key": f"d{i}",
                "sentences": [["We", "use", "parsers", "and", "taggers", "for", "translation", "."]],
                "ner": [[[2, 2, "Method"], [4, 4, "Method"], [6, 6, "Task"]]],
                "relations": [[[4, 4, 2, 2, "CONJUNCTION"], [2, 2, 6, 6, "USED-FOR"]]],
                "clusters": [],
            }
            for i in range(8)
        ]
        srsly.write_jsonl(folder / "processed_data" / "json" / f"{split}.json", rows)


def write_semeval(folder):
    for name, start in (("training/TRAIN_FILE", 1), ("testing_keys/TEST_FILE_FULL", 101)):
        blocks = []
        for i in range(start, start + 40):
            sentence = f"Number {i}: the <e1>rain</e1> brought <e2>mud</e2>."
            label = ("Cause-Effect(e1,e2)", "Other", "Product-Producer(e2,e1)")[i % 3]
            blocks.append(f'{i}\t"{sentence}"\r\n{label}\r\nComment:\r\n\r\n')
        path = folder / "SemEval2010_task8_all_data" / f"SemEval2010_task8_{name}.TXT"
        path.parent.mkdir(parents=True)
        path.write_text("".join(blocks), newline="")


def write_general(folder):
    tokens = "Number {} : Ann Lee built the Old Mill .".split()
    for split, predicates in (("train", ("P84", "P40")), ("val", ("P26", "P39"))):
        instances = {
            predicate: [
                {
                    "tokens": [token.format(i) for token in tokens],
                    "h": ["old mill", "Q1", [[7, 8]]],
                    "t": ["ann lee", "Q2", [[3, 4]]],
                }
                for i in range(40)
            ]
            for predicate in predicates
        }
        srsly.write_json(folder / "fewrel" / f"{split}_wiki.json", instances)
    names = {"P84": "architect", "P40": "child", "P26": "spouse", "P39": "position held"}
    srsly.write_json(folder / "fewrel" / "pid2name.json", {id: [name, ""] for id, name in names.items()})
    document = {
        "title": "Ann",
        "sents": [["Ann", "lives", "in", "Rome", ".", "She", "likes", "Rome", "."]],
        "vertexSet": [
            [{"name": "Ann", "sent_id": 0, "pos": [0, 1], "type": "PER"}],
            [
                {"name": "Rome", "sent_id": 0, "pos": [3, 4], "type": "LOC"},
                {"name": "Rome", "sent_id": 0, "pos": [7, 8], "type": "LOC"},
            ],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P551", "evidence": []}],
    }
    srsly.write_json(folder / "redocred" / "train_revised.json", [document])
    srsly.write_json(folder / "redocred" / "rel_info.json", {"P551": "residence"})


def test_general_workflow(project):
    """The predicates held out take no part in training, and the pipeline takes others."""
    folder = project / "assets" / "general"
    shutil.copytree(ROOT / "assets" / "general", folder, ignore=shutil.ignore_patterns(*IGNORED))
    for name in ("fewrel", "redocred"):
        (folder / name).mkdir()
    write_general(folder)
    # The only one that is asked about in the dev documents, so that some are right after a few steps
    config = project / "configs" / "general.cfg"
    load_config(config, overrides={"relations.unseen": ["architect"]}).to_disk(config, interpolate=False)
    result = run(project, "general", "--vars.encoder", "assets/random")
    assert result.returncode == 0, result.stdout + result.stderr
    (trained,) = re.findall("  gold relations: (.*)", result.stdout + result.stderr)
    assert "child" in trained and "residence" in trained and "architect" not in trained
    nlp = spacy.load(project / "training" / "general" / "pipeline")
    rel = nlp.get_pipe("dual_encoder_rel")
    assert {"architect", "residence", "spouse"} < set(rel.labels)
    rel.set_labels({"BUILT": "The person {subject} built the house {object}."})
    rel.threshold = 0.0
    doc = spacy.tokens.Doc(nlp.vocab, words="Ann built a house .".split(), sent_starts=[True, *[False] * 4])
    doc.spans["entities"] = [spacy.tokens.Span(doc, 0, 1, label="PERSON"), spacy.tokens.Span(doc, 3, 4, label="HOUSE")]
    assert [r.predicate for r in nlp(doc)._.rels] == ["BUILT"] * 2


@pytest.mark.parametrize(
    "corpus, encoder_variable, write, gold, documents",
    [
        ("chemprot", "biomedical", write_chemprot, "chemprot_test_gs/test_gs_gold_standard.tsv", 38),
        ("biored", "biomedical", write_biored, "BioRED/Test.PubTator", 8),
        ("scierc", "general", write_scierc, "processed_data/json/test.json", 8),
        ("semeval", "general", write_semeval, "*/*_testing_keys/TEST_FILE_FULL.TXT", 40),
    ],
)
def test_workflow_of_each_corpus(project, corpus, encoder_variable, write, gold, documents):
    folder = project / "assets" / corpus
    shutil.copytree(ROOT / "assets" / corpus, folder, ignore=shutil.ignore_patterns(*IGNORED))
    write(folder)
    result = run(project, corpus, f"--vars.{encoder_variable}", "assets/random", "--vars.scispacy", "")
    assert result.returncode == 0, result.stdout + result.stderr
    trained = project / "training" / corpus
    scores = srsly.read_json(trained / "scores.json")
    assert (scores["protocol"], scores["documents"]) == (corpus, documents)
    assert scores["rels_f_interval"][0] <= scores["rels_f"] <= scores["rels_f_interval"][1]
    assert len((trained / "relations.jsonl").read_text().splitlines()) == documents

    if corpus in ("chemprot", "semeval"):  # one with mentions that nest, one without
        result = run(project, f"pipeline-{corpus}")
        assert result.returncode == 0, result.stdout + result.stderr
        scores_of_text = srsly.read_json(trained / "pipeline_scores.json")
        assert scores_of_text["documents"] == documents and {"rels_f", "ents_f"} < set(scores_of_text)

    (gold_path,) = folder.glob(gold)
    arguments = ["score", corpus, gold_path, trained / "predictions.txt", gold_path, "-o", project / "again.json"]
    command = [sys.executable, "-m", "spacy", "dualre", *map(str, arguments)]
    scored = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert scored.returncode == 0, scored.stdout + scored.stderr
    again = srsly.read_json(project / "again.json")
    assert again["predictions"][0]["rels_f"] == pytest.approx(scores["rels_f"])
    assert again["predictions"][1]["rels_f"] == 1.0
    assert 0 < again["p_value"] <= 1
