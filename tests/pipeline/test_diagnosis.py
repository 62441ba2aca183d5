"""Which gold relations have a candidate, and why the others have none."""

from collections import Counter

import pytest
from helpers.concept_docs import annotate, doc_of
from helpers.pipelines import DESCRIPTIONS, NAME
from spacy.training import Example

from spacy_dualre.candidates.concept_pairs import concept_pairs
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.pipeline.diagnosis import LISTED, Diagnosis, diagnose
from spacy_dualre.training.reader import copy_mentions

POLICY = concept_pairs()


def counts(gold, policy=POLICY, type_pairs=None, lost=(), symmetric=frozenset("P"), is_possible=lambda *_: True):
    """The diagnosis of one document; the predicted one lacks some of the mentions."""
    mentions = [
        (0, 1, "A", "1"),
        (2, 3, "B", "2"),
        (4, 5, "A", "1"),
        (6, 7, "B", "-"),
        (8, 9, "C", "3"),
        (9, 10, "B", "2,4"),
    ]
    reference = doc_of(10, mentions, gold)
    predicted = doc_of(10, [mention for i, mention in enumerate(mentions) if i not in lost])
    return diagnose([Example(predicted, reference)], policy, "m", type_pairs, set(symmetric), is_possible)


def test_covered_relations():
    report = counts([(0, "P", 1)])
    assert not report.uncovered and (report.relations.total(), report.mentions.total()) == (1, 6)
    # 1 and 2 have four pairs of mentions, of which three are asked for; 1 and 3, 1 and 4, 2 and 3 have two, the others
    # one
    assert (report.positives, report.candidates) == (3, 3 + 2 + 2 + 2 + 1 + 1)


@pytest.mark.parametrize(
    "gold, settings, reason",
    [
        ((0, "P", 3), {}, "mention without a concept"),
        ((3, "P", 0), {}, "mention without a concept"),
        ((0, "P", 2), {}, "subject and object are one concept"),
        ((0, "P", 4), {"type_pairs": frozenset({("A", "B")})}, "type pair A|C not allowed"),
        ((0, "P", 4), {"policy": concept_pairs(max_tokens=2)}, "closest mentions more than 2 tokens apart"),
        ((4, "P", 0), {"lost": [4]}, "entity missing on the predicted document"),
    ],
)
def test_reasons_of_gold_relations_without_a_candidate(gold, settings, reason):
    report = counts([gold], **settings)
    assert dict(report.uncovered) == {reason: 1} and report.positives == 0


@pytest.mark.parametrize("gold, positives", [((0, "P", 1), 1), ((1, "P", 0), 1), ((0, "P", 5), 2)])
def test_a_relation_of_a_missing_mention_is_covered_by_other_mentions_of_its_concepts(gold, positives):
    report = counts([gold], lost=[0, 1])
    assert not report.uncovered and report.positives == positives


def test_a_concept_that_is_on_no_mention_is_missing():
    assert dict(counts([(0, "P", 1)], lost=[1, 5]).uncovered) == {"entity missing on the predicted document": 1}


def test_a_gold_mention_without_a_concept_is_told_whatever_the_predicted_one_has():
    reference = doc_of(4, [(0, 1, "A", "-"), (2, 3, "B", "2")], [(0, "P", 1)])
    predicted = doc_of(4, [(0, 1, "A", "1"), (2, 3, "B", "2")])
    report = diagnose([Example(predicted, reference)], POLICY, "m", None, {"P"}, lambda label, subject, object: True)
    assert dict(report.uncovered) == {"mention without a concept": 1}


def test_a_directed_relation_needs_its_direction():
    policy = concept_pairs(directed=True)
    one_way = frozenset({("A", "B")})
    assert not counts([(0, "P", 1)], policy, one_way, symmetric=()).uncovered
    assert counts([(1, "P", 0)], policy, one_way, symmetric=()).uncovered == {"type pair B|A not allowed": 1}


def test_a_predicate_without_direction_needs_a_description_in_one_order_of_the_types():
    def from_a_to_b(label, subject, object):
        return (label, subject.label_, object.label_) == ("P", "A", "B")

    both_ways = entity_pairs(concepts=True, max_sentences=None)
    for gold in (0, "P", 1), (1, "P", 0):
        report = counts([gold], both_ways, is_possible=from_a_to_b)
        # 1 has two mentions and 2 has two; those of B and A have no description, and so no loss
        assert not report.uncovered and report.positives == 4
    assert not counts([(0, "P", 1)], both_ways, symmetric=(), is_possible=from_a_to_b).uncovered
    report = counts([(1, "P", 0)], both_ways, symmetric=(), is_possible=from_a_to_b)
    assert report.uncovered == {"predicate has no description for these types": 1} and report.positives == 0


def test_the_reason_is_that_of_the_order_that_may_be_a_candidate():
    one_way = frozenset({("A", "B")})
    near = entity_pairs(max_tokens=0)
    report = counts([(1, "P", 0)], near, one_way)
    assert report.uncovered == {"more than 0 tokens apart": 1}
    assert counts([(1, "P", 0)], near, one_way, symmetric=()).uncovered == {"type pair B|A not allowed": 1}


def test_of_many_predicates_the_most_frequent_are_listed():
    relations = Counter({f"P{n:03}": n for n in range(1, 401)})
    *_, mentions, listed = str(Diagnosis(mentions=Counter(B=1, A=1, C=2), relations=relations)).splitlines()
    assert mentions == "  mentions: C 2, A 1, B 1"
    assert listed.startswith("  gold relations: P400 400, P399 399, ") and listed.endswith(
        f", P381 381, 380 others {sum(range(381))}"
    )
    assert len(listed.split(", ")) == LISTED + 1
    few = Diagnosis(relations=Counter(dict(list(relations.items())[:LISTED])))
    assert str(few).endswith("P002 2, P001 1")


def test_gold_without_candidates_is_said_at_initialisation(make_nlp):
    nlp = make_nlp(candidates={"@misc": "spacy-dualre.concept_pairs.v1"})
    text = "Aspirin|CHEMICAL|C1 inhibits COX-1|GENE|G1 and beta-1|GENE|- and Aspirin|CHEMICAL|C1 ."
    doc = annotate(nlp.vocab, text, [(0, "INHIBITS", 1), (0, "INHIBITS", 2), (0, "ACTIVATES", 3)])
    with pytest.warns(UserWarning, match="DW163.*2 of 3.*1 mention without a concept") as caught:
        nlp.get_pipe(NAME).initialize(lambda: [Example(copy_mentions(doc), doc)], nlp=nlp, descriptions=DESCRIPTIONS)
    assert any("1 subject and object are one concept" in str(warning.message) for warning in caught)
