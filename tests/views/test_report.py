"""Error reports: numbers that can be computed by hand, and what is written."""

import pytest
import spacy
import srsly
from helpers.pipelines import DESCRIPTIONS, NAME, make_doc, make_examples
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.annotations.concepts import with_concept
from spacy_dualre.pipeline.pipelines import find_component
from spacy_dualre.training.reader import copy_mentions
from spacy_dualre.views.report import make_page, numbers, worst_mistakes, write_report
from spacy_dualre.views.report.outcomes import Item, Outcomes, find_outcomes

# Two sentences of 5 and 4 tokens with four mentions: a b in the first, c d in the second
DOC = make_doc(
    spacy.blank("en").vocab,
    [("a", "X"), ("is", ""), ("near", ""), ("b", "Y"), (".", ""), ("c", "X"), ("<hr>", ""), ("d", "Y"), (".", "")],
    sent_starts=(0, 5),
)
A, B, C, D = DOC.ents


def item(subject, predicate, object, gold=True, predicted=True, probability=0.5, uncovered=None):
    place = (0, (subject.start, object.start))
    return Item(Relation(subject, predicate, object), "doc", place, gold, predicted, probability, uncovered)


@pytest.fixture
def outcomes():
    """7 pairs were asked for. Gold: P(a,b) found, Q(c,d) mistaken for P, P(b,a) missed, P(a,d) has no candidate."""
    items = [
        item(A, "P", B, probability=0.9),
        item(C, "Q", D, predicted=False, probability=0.2),
        item(C, "P", D, gold=False, probability=0.8),
        item(B, "P", A, predicted=False, probability=0.1),
        item(A, "P", D, predicted=False, probability=None, uncovered="other sentence"),
        item(D, "Q", C, gold=False, probability=0.6),
    ]
    scored = [(0.9, True), (0.8, False), (0.6, False), (0.1, True), (0.1, False), (0.05, False), (0.0, False)]
    return Outcomes(1, ("P", "Q"), items, scored, 7)


def test_precision_and_recall_count_gold_without_a_candidate(outcomes):
    found = numbers.to_json(outcomes)
    assert found["all"] == {
        "p": pytest.approx(1 / 3), "r": pytest.approx(1 / 4), "f": pytest.approx(2 / 7),
        "tp": 1, "predicted": 3, "gold": 4,
    }  # fmt: skip
    assert found["false_negatives"] == {"scored": 2, "no_candidate": {"other sentence": 1}}


def test_the_confusion_matrix_names_what_has_no_candidate(outcomes):
    matrix = numbers.confusion(outcomes)
    assert matrix["rows"] == ["no_relation", "P", "Q"]
    assert matrix["columns"] == ["no_relation", "P", "Q", "no candidate"]
    # 7 pairs, of which 4 places have a gold or predicted relation
    assert matrix["counts"] == [[3, 0, 1, 0], [1, 1, 0, 1], [0, 1, 0, 0]]


def test_a_place_with_several_predicates_counts_the_right_ones_first(outcomes):
    items = [
        item(A, "P", B),
        item(A, "Q", B, predicted=False),
        item(A, "R", B, gold=False),
        item(A, "S", B, gold=False),
    ]
    matrix = numbers.confusion(Outcomes(1, ("P", "Q", "R", "S"), items, [], pairs=1))
    assert matrix["counts"] == [
        *([0, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]),
        *([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]),
    ]


def test_a_gold_predicate_that_the_pipeline_does_not_know_has_a_row_of_its_own(outcomes):
    outcomes.items.append(item(A, "NEW", C, predicted=False, probability=None, uncovered="x"))
    matrix = numbers.confusion(outcomes)
    assert matrix["rows"][-1] == "NEW" and matrix["counts"][-1] == [0, 0, 0, 1]


def test_the_precision_recall_curve_has_a_point_for_each_threshold_that_finds_more(outcomes):
    curve = numbers.precision_recall(outcomes.scored, n_gold=4)
    # Of the two at 0.1 one is gold: five found, two right
    assert [(point["threshold"], point["p"], point["r"]) for point in curve] == [(0.9, 1.0, 0.25), (0.1, 0.4, 0.5)]
    assert numbers.precision_recall([], 0) == []


def test_tables_group_by_predicate_and_types(outcomes):
    found = numbers.to_json(outcomes)
    rows = {
        key: [(name, row["tp"], row["predicted"], row["gold"]) for name, row in found[key].items()]
        for key in ("per_predicate", "per_type_pair")
    }
    assert rows["per_predicate"] == [("P", 1, 2, 3), ("Q", 0, 1, 1)]
    assert rows["per_type_pair"] == [("X|Y", 1, 2, 3), ("Y|X", 0, 1, 1)]


def test_the_worst_mistakes_come_first(outcomes):
    worst = worst_mistakes(outcomes)
    assert [(i.relation.predicate, i.probability) for i in worst["false_positives"]] == [("P", 0.8), ("Q", 0.6)]
    assert [(i.relation.predicate, i.probability) for i in worst["false_negatives"]] == [("P", 0.1), ("Q", 0.2)]
    assert [i.uncovered for i in worst["no_candidate"]] == ["other sentence"]
    assert len(worst_mistakes(outcomes, n=1)["false_positives"]) == 1


def test_the_page_shows_mistakes_in_their_sentences_and_escapes_them(outcomes):
    page = make_page(outcomes, numbers.to_json(outcomes))
    assert "doc: c → d: predicted P 0.800, gold Q" in page
    assert "doc: b → a: gold P 0.100, predicted no relation" in page
    assert "doc: a → d: gold P, not scored: other sentence" in page and "1 had no candidate (other sentence)" in page
    # Pictures: two false positives, two false negatives, and both sentences of the last
    assert page.count("dualre-sentence") == 6 and "&lt;hr&gt;" in page and "<hr>" not in page


@pytest.fixture
def predicted(trained):
    """A pipeline, and the examples that have gone through it; one more gold relation has no candidate."""

    def make(**settings):
        nlp = trained(**settings)
        examples = make_examples(nlp.vocab)
        gold = examples[1].reference
        gold._.rels = [*gold._.rels, Relation(gold.ents[0], "INHIBITS", gold.ents[4])]
        for example in examples:
            nlp(example.predicted)
        return nlp, examples

    return make


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"threshold": 0.0, "multi_label": True},
        {"threshold": 0.0, "symmetric": ["INHIBITS"]},
        {"threshold": 0.0, "candidates": {"@misc": "spacy-dualre.entity_pairs.v1", "directed": False}},
        {"threshold": 0.0, "candidates": {"@misc": "spacy-dualre.concept_pairs.v1"}},
    ],
)
def test_the_numbers_are_the_scorers(predicted, settings):
    nlp, examples = predicted(**settings)
    _, rel = find_component(nlp)
    outcomes = find_outcomes(rel, examples)
    scores, found = rel.score(examples), numbers.to_json(outcomes)["all"]
    assert found["predicted"] > 0
    assert (found["p"], found["r"], found["f"]) == pytest.approx((scores["rels_p"], scores["rels_r"], scores["rels_f"]))
    matrix = numbers.confusion(outcomes)
    assert sum(matrix["counts"][0][1:3]) + sum(map(sum, matrix["counts"][1:])) >= found["gold"]
    # What was decided is what was scored
    for one in outcomes.items:
        if one.is_predicted:
            assert one.probability == pytest.approx(one.relation.score, abs=1e-5) or one.is_gold


@pytest.mark.parametrize("policy", ["entity_pairs", "concept_pairs"])
def test_the_numbers_are_the_scorers_where_found_mentions_have_no_concepts(trained, policy):
    nlp = trained(threshold=0.0, candidates={"@misc": f"spacy-dualre.{policy}.v1"})
    rel, examples = nlp.get_pipe(NAME), make_examples(nlp.vocab)
    for example in examples:
        gold = example.reference
        # One mention of two concepts in each document
        linked = {(e.start, e.end): with_concept(e, f"C{i},D" if i == 0 else f"C{i}") for i, e in enumerate(gold.ents)}
        gold._.rels = [
            Relation(linked[r.subject.start, r.subject.end], r.predicate, linked[r.object.start, r.object.end])
            for r in gold._.rels
        ]
        gold.ents = list(linked.values())
        example.predicted = nlp(example.predicted)
    outcomes = find_outcomes(rel, examples)
    scores, found = rel.score(examples), numbers.to_json(outcomes)["all"]
    assert found["tp"] > 0
    assert (found["p"], found["r"], found["f"]) == pytest.approx((scores["rels_p"], scores["rels_r"], scores["rels_f"]))
    assert not any(one.uncovered for one in outcomes.items)


def test_gold_without_a_candidate_is_named(predicted):
    nlp, examples = predicted()
    outcomes = find_outcomes(find_component(nlp)[1], examples)
    assert [one.uncovered for one in outcomes.items if one.uncovered] == ["other sentence"]
    assert outcomes.pairs == len(outcomes.scored) == 7


def test_gold_that_could_not_be_found_says_why(trained):
    nlp = trained(candidates={"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"})
    words = [("a", "CHEMICAL"), ("b", "GENE"), ("c", "PLANET")]
    gold = make_doc(nlp.vocab, words, [(0, "ORBITS", 1), (0, "INHIBITS", 2), (1, "INHIBITS", 0)])
    missing = make_doc(nlp.vocab, words[:2], [(0, "INHIBITS", 1)])
    examples = [Example(copy_mentions(gold), gold), Example(make_doc(nlp.vocab, [("a", ""), ("b", "")]), missing)]
    with pytest.warns(UserWarning, match="DW165"):
        outcomes = find_outcomes(find_component(nlp)[1], examples)
    assert {(one.relation.predicate, one.uncovered) for one in outcomes.items} == {
        ("ORBITS", "predicate ORBITS not known to the pipeline"),
        ("INHIBITS", "type PLANET not seen in training"),
        ("INHIBITS", None),
        ("INHIBITS", "entity missing on the predicted document"),
    }


TYPED = {**DESCRIPTIONS, "INHIBITS": {"CHEMICAL|CHEMICAL": "{subject} lowers the effect of {object}."}}


@pytest.mark.parametrize("cascade", [None, {"predicates": 1, "negative": 0.0}])
@pytest.mark.parametrize("multi_label", [False, True])
def test_gold_that_its_candidate_was_not_asked_for_says_so(make_nlp, multi_label, cascade):
    nlp = make_nlp(threshold=0.0, multi_label=multi_label, cascade=cascade)
    rel, examples = nlp.get_pipe(NAME), make_examples(nlp.vocab)
    reason = "predicate has no description for these types"
    with pytest.warns(UserWarning, match=f"DW163.*2 {reason}"):
        rel.initialize(lambda: examples, nlp=nlp, descriptions=TYPED)
    for example in examples:
        nlp(example.predicted)
    outcomes = find_outcomes(rel, examples)
    found = numbers.to_json(outcomes)
    missed = 0 if cascade is None else 2
    assert found["false_negatives"] == {"scored": missed, "no_candidate": {reason: 2}}
    # The cascade reads nothing at all, so that no threshold finds anything; that was asked for nevertheless
    assert len(outcomes.scored) == (outcomes.pairs if cascade is None else 0)
    assert [point["r"] for point in found["precision_recall"]][-1:] == ([0.5] if cascade is None else [])


def test_gold_of_other_corpora_predicates_says_so(make_nlp):
    nlp = make_nlp(predicates_per_corpus=True)
    rel, examples = nlp.get_pipe(NAME), make_examples(nlp.vocab)[::2]
    for example, corpus in zip(examples, ("inhibition", "activation")):
        example.reference.user_data["corpus"] = corpus
        example.predicted.user_data["corpus"] = "inhibition"
    rel.initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    outcomes = find_outcomes(rel, examples)
    assert [(one.relation.predicate, one.uncovered) for one in outcomes.items if one.is_gold] == [
        ("INHIBITS", None),
        ("ACTIVATES", "predicate that only other corpora have"),
    ]


def test_a_report_is_written(predicted, tmp_path):
    nlp, examples = predicted(threshold=0.0)
    write_report(nlp, examples, tmp_path / "new" / "report")
    files = {path.name: path for path in (tmp_path / "new" / "report").iterdir()}
    assert set(files) == {"index.html", "report.json"}
    assert srsly.read_json(files["report.json"])["all"]["gold"] == 5
    assert "<polyline" in files["index.html"].read_text(encoding="utf8")


def test_a_report_on_documents_without_mentions_has_nothing_in_it(trained, tmp_path):
    nlp = trained()
    doc = make_doc(nlp.vocab, [("Nothing", "")])
    write_report(nlp, [Example(copy_mentions(doc), doc)], tmp_path)
    assert srsly.read_json(tmp_path / "report.json")["pairs"] == 0
