"""The model card, and the package that carries it."""

import pytest
import spacy
import srsly
from helpers.pipelines import DESCRIPTIONS, NAME
from spacy.cli._util import app
from spacy.cli.package import package
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre import __version__
from spacy_dualre.views.card import model_card

SCORES = {
    "documents": 26,
    "rels_p": 0.5,
    "rels_r": 0.25,
    "rels_f": 1 / 3,
    "rels_macro_f": 0.3,
    "rels_per_type": {"INHIBITS": {"p": 0.5, "r": 0.25, "f": 1 / 3}},
}
META = {"description": "Made up.", "license": "CC BY 4.0", "author": "Nobody", "sources": [{"name": "Three sentences"}]}


def card(*args):
    return CliRunner().invoke(app, ["dualre", "card", *map(str, args)])


@pytest.fixture
def pipeline(trained, tmp_path):
    """The folder of a pipeline whose meta.json is complete."""
    nlp = trained()
    nlp.meta.update(META)
    nlp.to_disk(tmp_path / "pipeline")
    srsly.write_json(tmp_path / "scores.json", SCORES)
    return tmp_path / "pipeline"


def test_a_card_says_what_the_pipeline_finds_and_where_it_is_from(pipeline):
    text = model_card(spacy.load(pipeline), SCORES)
    for label in set(DESCRIPTIONS) - {"no_relation"}:
        assert f"| `{label}` | yes | {DESCRIPTIONS[label]} |" in text
    assert "no_relation" not in text and "CHEMICAL and GENE" in text
    for part in ("Made up.", "`CC BY 4.0`", "Nobody", "Three sentences", "### Limits", "### Intended Use"):
        assert part in text
    assert "Measured on 26 documents with gold mentions" in text
    assert "| all relations | 50.0 | 25.0 | 33.3 |" in text and "| mentions |" not in text
    assert "Relations across sentences are not found" in text


def test_scores_on_raw_text_have_those_of_the_mentions(trained):
    text = model_card(trained(), {**SCORES, "ents_p": 0.9, "ents_r": 0.8, "ents_f": 0.85})
    assert "found by the pipeline in raw text" in text and "| mentions | 90.0 | 80.0 | 85.0 |" in text


def test_templates_for_pairs_of_types_do_not_break_the_table(trained):
    nlp = trained()
    templates = ["{subject} binds {object}.", "{object} is bound by {subject}."]
    nlp.get_pipe(NAME).add_label("BINDS", {"CHEMICAL|GENE": templates})
    (row,) = (line for line in model_card(nlp).splitlines() if line.startswith("| `BINDS`"))
    first, second = templates
    assert row == f"| `BINDS` | yes | CHEMICAL\\|GENE: {first}<br>CHEMICAL\\|GENE: {second} |"


def test_names_and_templates_are_no_markup(trained):
    nlp = trained()
    nlp.get_pipe(NAME).add_label("A|`B`\n", "{subject} <img src=x> and ![{object}](http://y)\nor `not`.")
    (row,) = (line for line in model_card(nlp).splitlines() if line.startswith("| `A\\|"))
    expected = "{subject} &lt;img src=x> and !&#91;{object}](http://y) or 'not'."
    assert row == f"| `A\\|'B' ` | yes | {expected} |"


def test_only_a_pipeline_that_finds_no_mentions_says_so(trained):
    nlp = trained(spans_key="entities")
    said = "put a component before it that writes them to `doc.spans['entities']`"
    assert said in model_card(nlp)
    nlp.add_pipe("entity_ruler", first=True)
    assert said not in model_card(nlp)


def test_a_package_requires_this_one_and_carries_the_card(pipeline, tmp_path):
    result = card(pipeline, "--scores", tmp_path / "scores.json")
    assert result.exit_code == 0 and "DW828" not in result.output, result.output
    package(pipeline, tmp_path, name="rels", version="1.2.3", create_sdist=False)
    folder = tmp_path / "xx_rels-1.2.3"
    assert "### Relations" in (folder / "README.md").read_text()
    requirements = srsly.read_json(folder / "meta.json")["requirements"]
    (ours,) = (requirement for requirement in requirements if requirement.startswith("spacy-dualre"))
    assert ours.startswith(f"spacy-dualre>={__version__},<")


def test_the_command_says_what_is_missing_and_keeps_what_is_there(trained, tmp_path):
    trained().to_disk(tmp_path / "pipeline")
    result = card(tmp_path / "pipeline")
    assert result.exit_code == 0
    assert "description, license, author, sources" in " ".join(result.output.split())
    (tmp_path / "pipeline" / "README.md").write_text("mine")
    assert card(tmp_path / "pipeline").exit_code == 1
    assert (tmp_path / "pipeline" / "README.md").read_text() == "mine"
    assert card(tmp_path / "pipeline", "--force").exit_code == 0
    assert (tmp_path / "pipeline" / "README.md").read_text() != "mine"


def test_what_is_no_pipeline_with_relations_is_named(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    assert "DR172" in card(tmp_path / "blank").output
    assert card(tmp_path / "nothing").exit_code == 2


def test_the_component_may_have_another_name(trained):
    nlp = spacy.blank("en")
    nlp.add_pipe(NAME, name="relations", source=trained())
    assert "`relations` relates the mentions" in model_card(nlp)


def test_what_are_no_scores_is_named(pipeline):
    path = pipeline.parent / "other.json"
    for content in ("{damaged", "[1]", '{"ents_f": 1}'):
        path.write_text(content)
        result = card(pipeline, "--scores", path)
        assert (
            result.exit_code == 1
            and "[DR844]" in result.output
            and "other.json contains no scores" in " ".join(result.output.split())
        )
