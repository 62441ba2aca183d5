"""Explanations of pairs of mentions, and the two commands that show a text."""

import json

import pytest
import spacy
from helpers.pipelines import NAME, make_doc, make_examples
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from typer.testing import CliRunner

import spacy_dualre.cli  # noqa: F401
from spacy_dualre.annotations.concepts import with_concept
from spacy_dualre.views.explanation import explain

POLICY = "spacy-dualre.entity_pairs.v1"


def dualre(*args, input=None):
    result = CliRunner().invoke(app, ["dualre", *map(str, args)], input=input)
    return result.exit_code, " ".join(result.output.split())


def pairs_of(explanations):
    return {(pair.subject.text, pair.object.text): pair for pair in explanations}


@pytest.fixture
def first():
    """The first document of three, through a pipeline."""

    def make(nlp, n=0):
        return nlp(make_examples(nlp.vocab)[n].predicted)

    return make


def test_a_scored_pair_has_what_was_read_all_scores_and_the_decision(trained, first):
    nlp = trained(threshold=0.0, multi_label=True)
    doc = first(nlp)
    pair = pairs_of(explain(nlp, doc))["Aspirin", "COX-1"]
    assert pair.reason is None
    assert "<S:CHEMICAL> aspirin </S:CHEMICAL>" in pair.text and "<O:GENE>" in pair.text
    assert pair.text.startswith("[CLS]") and pair.text.endswith("[SEP]")
    negative, inhibits, activates = pair.scores
    assert [score.predicate for score in pair.scores] == ["no_relation", "INHIBITS", "ACTIVATES"]
    assert inhibits.descriptions == ("Aspirin lowers the activity of COX-1.",)
    assert (inhibits.threshold, negative.probability, pair.concepts) == (0.0, 0.5, None)
    assert sum(score.classifier for score in pair.scores) == pytest.approx(1)
    odds = inhibits.similarity - negative.similarity
    assert inhibits.probability == pytest.approx(1 / (1 + 2.718281828**-odds), abs=1e-5)
    assert {rel.predicate: rel.score for rel in pair.decided} == {
        "INHIBITS": pytest.approx(inhibits.probability),
        "ACTIVATES": pytest.approx(activates.probability),
    }


def test_mapped_types_are_read_and_the_mentions_keep_their_own(trained):
    nlp = trained(threshold=0.0, type_map={"DRUG": "CHEMICAL"}, description_mode="static")
    doc = nlp(make_doc(nlp.vocab, [("Aspirin", "DRUG"), ("inhibits", ""), ("COX-1", "GENE"), ("fever", "SIGN")]))
    explained = pairs_of(explain(nlp, doc))
    pair = explained["Aspirin", "COX-1"]
    assert "<S:CHEMICAL> aspirin" in pair.text and "chemical lowers" in pair.scores[1].descriptions[0]
    assert pair.subject.label_ == "DRUG" and pair.decided == doc._.rels
    assert explained["COX-1", "Aspirin"].reason == "type pair GENE|CHEMICAL not allowed"
    assert explained["Aspirin", "fever"].reason == "type SIGN not seen in training"


def test_decisions_are_the_pipelines(trained, first):
    nlp = trained(threshold=0.0)
    doc = first(nlp, 1)
    decided = [rel for pair in explain(nlp, doc) for rel in pair.decided]
    assert decided and [r[:3] for r in sorted(decided, key=str)] == [r[:3] for r in sorted(doc._.rels, key=str)]


def test_every_pair_is_there_with_the_reason_why_it_was_not_scored(trained, first):
    nlp = trained()
    found = {key: pair.reason for key, pair in pairs_of(explain(nlp, first(nlp, 1))).items()}
    assert len(found) == 5 * 4
    assert found["Isoprenaline", "ADRB1"] is None
    assert found["ADRB1", "Isoprenaline"] == "type pair GENE|CHEMICAL not allowed"
    assert found["Isoprenaline", "ADRB2"] == "other sentence"


@pytest.mark.parametrize(
    "policy, reason",
    [
        ({"max_tokens": 1}, "more than 1 tokens apart"),
        ({"type_pairs": "all", "overlapping": False}, "overlapping mentions"),
    ],
)
def test_reasons_are_the_policys(trained, policy, reason):
    nlp = trained(candidates={"@misc": POLICY, **policy}, spans_key=None)
    doc = make_doc(nlp.vocab, [("a", "CHEMICAL"), ("b", ""), ("c", ""), ("d", "GENE")])
    nlp.get_pipe(NAME).spans_key = "all"
    doc.spans["all"] = [*doc.ents, Span(doc, 0, 2, label="GENE")]
    assert reason in {pair.reason for pair in explain(nlp, doc)}


def test_types_that_training_did_not_see_are_named(trained):
    nlp = trained()
    doc = make_doc(nlp.vocab, [("a", "CHEMICAL"), ("b", "PLANET")])
    with pytest.warns(UserWarning, match="DW165"):
        assert {pair.reason for pair in explain(nlp, doc)} == {"type PLANET not seen in training"}


def test_each_pair_comes_once_where_relations_have_no_direction(trained, first):
    nlp = trained(candidates={"@misc": POLICY, "directed": False}, threshold=0.0)
    explained = explain(nlp, first(nlp))
    assert [(p.subject.text, p.object.text) for p in explained] == [
        *[("Aspirin", "COX-1"), ("Aspirin", "COX-3"), ("COX-1", "COX-3")]
    ]
    assert all(pair.decided for pair in explained[:2])


def test_pairs_for_which_closer_mentions_stand_are_named(trained):
    nlp = trained(candidates={"@misc": "spacy-dualre.concept_pairs.v1", "mention_pairs": 1})
    doc = make_doc(nlp.vocab, [("a", "CHEMICAL"), ("b", "GENE"), ("and", ""), ("b", "GENE")])
    reasons = [pair.reason for pair in explain(nlp, doc)]
    assert reasons == [
        None,
        "closer mentions represent this pair of concepts",
        "type pair GENE|GENE not allowed",
    ]


@pytest.mark.parametrize("policy", ["entity_pairs", "concept_pairs"])
def test_a_mention_of_two_concepts_has_an_explanation_for_each(trained, policy):
    concepts = {"concepts": True} if policy == "entity_pairs" else {}
    nlp = trained(candidates={"@misc": f"spacy-dualre.{policy}.v1", "directed": True, **concepts}, threshold=0.0)
    doc = make_doc(nlp.vocab, [("a", "CHEMICAL"), ("b", "GENE")])
    doc.ents = [with_concept(doc.ents[0], "C1"), with_concept(doc.ents[1], "G1,G2")]
    scored = [pair for pair in explain(nlp, nlp(doc)) if pair.reason is None]
    assert [(pair.subject.text, pair.object.text) for pair in scored] == [("a", "b"), ("a", "b")]
    assert [pair.to_json()["concepts"] for pair in scored] == [["C1", "G1"], ["C1", "G2"]]
    assert [[rel.object.kb_id_ for rel in pair.decided] for pair in scored] == [["G1"], ["G2"]]
    assert len(doc._.rels) == 2


def test_what_a_classifier_or_a_cascade_did_not_read_has_no_similarity(trained, first):
    for settings in ({"prediction": "classifier"}, {"cascade": {"predicates": 1, "negative": 0.0}}):
        nlp = trained(**settings)
        for score in pairs_of(explain(nlp, first(nlp)))["Aspirin", "COX-1"].scores:
            assert score.similarity is None and score.descriptions == () and score.possible
    nlp = trained(prediction="classifier")
    nlp.get_pipe("dual_encoder_rel").add_label("NEW", description="{subject} news {object}.")
    scores = {score.predicate: score for score in pairs_of(explain(nlp, first(nlp)))["Aspirin", "COX-1"].scores}
    assert scores["NEW"].similarity is not None and scores["NEW"].classifier is None
    assert scores["NEW"].descriptions == ("Aspirin news COX-1.",) and scores["INHIBITS"].similarity is None


def test_predicates_without_a_description_for_the_types_are_impossible(trained, first):
    nlp = trained()
    nlp.get_pipe("dual_encoder_rel").add_label("NEW", description={"GENE|GENE": "{subject} news {object}."})
    scores = {score.predicate: score for score in pairs_of(explain(nlp, first(nlp)))["Aspirin", "COX-1"].scores}
    assert not scores["NEW"].possible and scores["NEW"].similarity is None and scores["NEW"].probability == 0


def test_a_pipeline_without_the_component_is_refused_and_without_mentions_there_are_no_pairs(trained):
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match="DR172.*sentencizer"):
        nlp.add_pipe("sentencizer")
        explain(nlp, nlp("text"))
    nlp = trained()
    assert explain(nlp, nlp("some text")) == []


# Commands


@pytest.fixture
def pipeline(trained, tmp_path):
    """A pipeline that finds two mentions, and documents with mentions."""
    nlp = trained(threshold=0.0)
    docs = [example.reference for example in make_examples(nlp.vocab)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    nlp.to_disk(tmp_path / "bare")
    patterns = [{"label": "CHEMICAL", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX-1"}]
    nlp.add_pipe("entity_ruler", first=True).add_patterns(patterns)
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path


TEXT = "Aspirin inhibits COX-1."


def test_explain_prints_tables(pipeline):
    code, output = dualre("explain", pipeline / "pipeline", TEXT)
    assert code == 0, output
    assert "Aspirin (CHEMICAL) -> COX-1 (GENE)" in output and "Aspirin lowers the activity of COX-1." in output
    assert "decided: " in output and "<S:CHEMICAL>" in output
    assert "Not scored, type pair GENE|CHEMICAL not allowed: COX-1 (GENE) -> Aspirin (CHEMICAL)" in output


def test_explain_gives_json_of_one_pair_of_a_text_file_and_of_the_standard_input(pipeline):
    (pipeline / "text.txt").write_text(TEXT, encoding="utf8")
    options = ("--json", "--subject", "Aspirin", "--object", "COX-1")
    for source, input in ((pipeline / "text.txt", None), ("-", TEXT)):
        code, output = dualre("explain", pipeline / "pipeline", source, *options, input=input)
        assert code == 0, output
        (document,) = json.loads(output[output.index("[ {") :])
        (pair,) = document["pairs"]
        assert (pair["subject"]["start"], pair["object"]["text"]) == (0, "COX-1")
        assert {score["predicate"] for score in pair["scores"]} == {"no_relation", "INHIBITS", "ACTIVATES"}


def test_explain_reads_documents_with_mentions(pipeline):
    code, output = dualre("explain", pipeline / "bare", pipeline / "data.spacy", "--limit", 2)
    assert code == 0 and "Document 1" in output and "Document 2" in output and "Document 3" not in output


@pytest.mark.parametrize("command", ["explain", "visualize"])
def test_texts_without_mentions_are_refused_and_among_others_they_are_not(pipeline, command):
    options = ("--output", pipeline / "page.html") if command == "visualize" else ()
    for name, text in (("bare", TEXT), ("pipeline", "Nothing here.")):
        code, output = dualre(command, pipeline / name, text, *options)
        assert code == 1 and "DR833" in output and "doc.ents" in output
    nlp = spacy.load(pipeline / "pipeline")
    docs = DocBin(docs=[nlp.make_doc("Nothing here."), nlp(TEXT)])
    docs.to_disk(pipeline / "mixed.spacy")
    code, output = dualre(command, pipeline / "pipeline", pipeline / "mixed.spacy", "--limit", "0", *options)
    assert code == 0, output


def test_a_folder_of_documents_is_read_and_another_file_is_no_text(pipeline):
    (pipeline / "folder").mkdir()
    (pipeline / "data.spacy").rename(pipeline / "folder" / "data.spacy")
    code, output = dualre("explain", pipeline / "bare", pipeline / "folder", "--limit", 2)
    assert code == 0 and "Document 1" in output and "Document 2" in output, output
    (pipeline / "notes.md").write_text(TEXT)
    code, output = dualre("explain", pipeline / "pipeline", pipeline / "notes.md")
    assert code == 1 and "DR836" in output and "notes.md" in output


def test_a_text_may_be_longer_than_names_of_files(pipeline):
    code, output = dualre("explain", pipeline / "pipeline", f"{TEXT} {'Nothing here. ' * 100}")
    assert code == 0 and "Aspirin (CHEMICAL) -> COX-1 (GENE)" in output, output


@pytest.mark.parametrize(
    "args, problem",
    [
        (("pipeline", "Nothing here."), "DR833"),
        (("pipeline", "每天3.5毫克/公斤"), "DR833"),  # a text of a script without blanks is no path
        (("pipeline", "missing.txt"), "DR324"),
        (("pipeline", "missing.spacy"), "DR005"),
        (("pipeline", "abstracts/missing"), "DR836"),
        (("pipeline", "missing.text"), "DR836"),
        (("pipeline", " "), "DR833"),
        (("pipeline", ""), "DR833"),
        (("pipeline", TEXT, "--subject", "warfarin"), "DR834"),
        (("missing", TEXT), "DR005"),
    ],
)
def test_explain_says_what_is_wrong(pipeline, args, problem):
    code, output = dualre("explain", pipeline / args[0], *args[1:])
    assert code == 1 and problem in output


def test_visualize_writes_a_page(pipeline):
    for name, source in (("pipeline", TEXT), ("bare", pipeline / "data.spacy")):
        page = pipeline / "new" / f"{name}.html"
        code, output = dualre("visualize", pipeline / name, source, "--output", page)
        assert code == 0, output
        assert "dualre-arc" in page.read_text(encoding="utf8")
    assert "3 documents" in output


def test_evaluate_writes_a_report(pipeline):
    code, output = dualre("evaluate", pipeline / "bare", pipeline / "data.spacy", "--report", pipeline / "report")
    assert code == 0, output
    assert (pipeline / "report" / "index.html").exists()
    code, output = dualre("evaluate", pipeline / "bare", pipeline / "data.spacy", "--report", pipeline / "data.spacy")
    assert code == 1 and "DR824" in output
