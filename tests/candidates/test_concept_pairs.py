"""Relations of a whole document: candidates by pairs of concepts, and the component with them."""

import itertools
from functools import partial

import numpy
import pytest
import spacy
from helpers.concept_docs import VOCAB, annotate, candidates_of, doc_of
from helpers.pipelines import DESCRIPTIONS, NAME, optimizer
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry
from transformers import AutoTokenizer

from spacy_dualre import Candidate
from spacy_dualre.annotations.mentions import get_mentions
from spacy_dualre.candidates.concept_pairs import concept_pairs
from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.instances.descriptions import parse_descriptions
from spacy_dualre.instances.maker import InstanceMaker
from spacy_dualre.instances.markers import marker_tokens
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.models.tokenize import tokenize_texts
from spacy_dualre.pipeline.decode import probabilities
from spacy_dualre.training.batcher import batch_by_candidates
from spacy_dualre.training.reader import copy_mentions

REGISTERED = "spacy-dualre.concept_pairs.v1"


def starts(doc, policy, type_pairs=None):
    return [(one.subject.start, one.object.start) for one in candidates_of(doc, policy, type_pairs)]


def concepts(doc, policy, type_pairs=None):
    """The concepts that the candidates are about."""
    return [
        tuple(f"{concept.type}:{concept.id}" for concept in candidate.about)
        for candidate in candidates_of(doc, policy, type_pairs)
    ]


@pytest.fixture
def three_concepts():
    """Of A:1 the mentions at 0 and 10, of B:2 those at 3, 8 and 14, of A:3 the one at 18."""
    places = [(0, "A", "1"), (3, "B", "2"), (8, "B", "2"), (10, "A", "1"), (14, "B", "2"), (18, "A", "3")]
    return doc_of(20, [(i, i + 1, type, id) for i, type, id in places])


# Candidates


def test_a_pair_of_concepts_is_asked_for_by_its_closest_mentions(three_concepts):
    assert starts(three_concepts, concept_pairs(mention_pairs=1)) == [(8, 10), (10, 18), (14, 18)]
    assert starts(three_concepts, concept_pairs(mention_pairs=2)) == [
        (8, 10),
        (0, 3),
        (10, 18),
        (0, 18),
        (14, 18),
        (8, 18),
    ]


def test_more_mention_pairs_than_there_are(three_concepts):
    assert len(starts(three_concepts, concept_pairs(mention_pairs=99))) == 2 * 3 + 2 * 1 + 3 * 1


def test_both_orders_of_a_directed_pair(three_concepts):
    directed = starts(three_concepts, concept_pairs(mention_pairs=1, directed=True))
    assert directed == [(8, 10), (10, 8), (10, 18), (18, 10), (14, 18), (18, 14)]


def test_most_tokens_between_the_mentions(three_concepts):
    assert starts(three_concepts, concept_pairs(max_tokens=2)) == [(8, 10), (0, 3)]
    assert starts(three_concepts, concept_pairs(max_tokens=1)) == [(8, 10)]
    assert starts(three_concepts, concept_pairs(max_tokens=0)) == []


def test_mentions_in_one_sentence_are_closer_than_those_nearer_by_tokens():
    doc = Doc(VOCAB, words=["t"] * 12, sent_starts=[i in (0, 8) for i in range(12)])
    places = [(0, "A", "1"), (7, "B", "2"), (9, "A", "1")]
    doc.spans["m"] = [Span(doc, i, i + 1, label=type, kb_id=id) for i, type, id in places]
    assert starts(doc, concept_pairs(mention_pairs=1)) == [(0, 7)]
    assert starts(doc, concept_pairs(mention_pairs=2)) == [(0, 7), (7, 9)]
    # Mentions too far apart do not stand in the way of nearer ones in another sentence
    assert starts(doc, concept_pairs(mention_pairs=1, max_tokens=3)) == [(7, 9)]


def test_type_pairs_in_either_order_unless_directed(three_concepts):
    b_to_a = frozenset({("B", "A")})
    assert starts(three_concepts, concept_pairs(mention_pairs=1), b_to_a) == [(8, 10), (14, 18)]
    assert starts(three_concepts, concept_pairs(mention_pairs=1), frozenset({("A", "B")})) == [(8, 10), (14, 18)]
    directed = concept_pairs(mention_pairs=1, directed=True)
    assert starts(three_concepts, directed, b_to_a) == [(8, 10), (14, 18)]
    assert starts(three_concepts, directed, frozenset({("A", "B")})) == [(10, 8), (18, 14)]
    assert starts(three_concepts, directed, frozenset({("B", "B")})) == []


def test_candidates_are_about_a_single_concept_each():
    doc = doc_of(6, [(0, 1, "A", "1,2"), (4, 5, "B", "3,4")])
    assert concepts(doc, concept_pairs()) == [("A:1", "B:3"), ("A:1", "B:4"), ("A:2", "B:3"), ("A:2", "B:4")]
    assert all((one.subject, one.object) == tuple(doc.spans["m"]) for one in candidates_of(doc, concept_pairs()))
    assert concepts(doc, concept_pairs(directed=True))[:2] == [("A:1", "B:3"), ("B:3", "A:1")]


def test_concepts_of_one_mention_are_a_pair_only_through_other_mentions():
    assert candidates_of(doc_of(2, [(0, 1, "A", "1,2")]), concept_pairs()) == []
    doc = doc_of(5, [(0, 1, "A", "1,2"), (3, 4, "A", "1,2")])
    assert concepts(doc, concept_pairs()) == [("A:1", "A:2")]
    assert starts(doc, concept_pairs()) == [(0, 3)]


def test_a_mention_without_a_concept_is_in_no_candidate():
    assert concepts(doc_of(6, [(0, 1, "A", "1"), (2, 3, "B", "-"), (4, 5, "B", "2")]), concept_pairs()) == [
        ("A:1", "B:2")
    ]
    assert candidates_of(doc_of(6, [(0, 1, "A", "-"), (2, 3, "B", "-")]), concept_pairs()) == []


def test_mentions_without_ids_are_told_apart_by_their_surface_form():
    doc = Doc(VOCAB, words=["Aspirin", "x", "COX", "x", "x", "aspirin", "cox"])
    doc.spans["m"] = [Span(doc, i, i + 1, label=type) for i, type in [(0, "A"), (2, "B"), (5, "A"), (6, "B")]]
    (candidate,) = candidates_of(doc, concept_pairs(mention_pairs=1))
    assert [span.text for span in candidate[:2]] == ["aspirin", "cox"]
    assert candidate.about == (("A", "aspirin"), ("B", "cox"))
    assert starts(doc, concept_pairs(mention_pairs=2)) == [(5, 6), (0, 2)]


def test_nested_mentions_are_a_pair_and_identical_spans_are_none():
    nested = doc_of(4, [(0, 3, "A", "1"), (1, 2, "B", "2"), (2, 4, "C", "3")])
    assert starts(nested, concept_pairs()) == [(0, 1), (0, 2), (1, 2)]
    identical = doc_of(8, [(0, 1, "A", "1"), (0, 1, "B", "2"), (6, 7, "B", "2")])
    assert starts(identical, concept_pairs()) == [(0, 6)]


def test_no_mentions_no_candidates():
    for policy in (concept_pairs(), concept_pairs(directed=True)):
        assert candidates_of(doc_of(3, []), policy) == []
        assert candidates_of(doc_of(3, [(1, 2, "A", "1")]), policy) == []
        assert list(policy(Doc(VOCAB), [], None)) == []


KB_IDS = ["", "1", "2", "1,2", "-"]


@st.composite
def documents(draw):
    """Tokens that are all x, so that mentions of a type and length without ids are one concept."""
    n_tokens = draw(st.integers(1, 12))
    mention = st.tuples(st.integers(0, n_tokens - 1), st.integers(1, 4), st.sampled_from("AB"), st.sampled_from(KB_IDS))
    boundaries = {0, *draw(st.sets(st.integers(0, n_tokens - 1)))}
    doc = Doc(VOCAB, words=["x"] * n_tokens, sent_starts=[i in boundaries for i in range(n_tokens)])
    doc.spans["m"] = [
        Span(doc, start, min(start + length, n_tokens), label=type, kb_id=id)
        for start, length, type, id in draw(st.lists(mention, max_size=7))
    ]
    return doc


POLICIES = st.builds(
    concept_pairs,
    mention_pairs=st.integers(1, 4),
    max_tokens=st.none() | st.integers(0, 5),
    directed=st.booleans(),
)
TYPE_PAIRS = st.none() | st.frozensets(st.tuples(st.sampled_from("AB"), st.sampled_from("AB")))


def places_of_concepts(doc):
    """The places of each concept, by (type, id or surface form)."""
    places = {}
    for mention in get_mentions(doc, "m"):
        for id in {"": [mention.text], "-": []}.get(mention.kb_id_, mention.kb_id_.split(",")):
            places.setdefault((mention.label_, id), []).append((mention.start, mention.end))
    return places


def gap(one, other):
    return min(max(abs(i - j) - 1, 0) for i in range(*one) for j in range(*other))


def closeness(doc, one, other):
    """Sentences apart, tokens between, places."""
    sentence = [number for number, sent in enumerate(doc.sents) for _ in sent]
    apart = min(abs(sentence[i] - sentence[j]) for i in range(*one) for j in range(*other))
    return apart, gap(one, other), one, other


def expected_candidates(doc, policy, type_pairs):
    """What the settings mean: the two concepts, sorted, and the places of subject and object."""
    places = places_of_concepts(doc)
    found = []
    for first, second in itertools.combinations(places, 2):
        # Each pair of places with the types there: the first ones, where both concepts have both places
        types = {}
        for one, other in itertools.product(places[first], places[second]):
            if one < other:
                types.setdefault((one, other), (first[0], second[0]))
            elif other < one:
                types.setdefault((other, one), (second[0], first[0]))
        near = [pair for pair in types if policy.max_tokens is None or gap(*pair) <= policy.max_tokens]
        for pair in sorted(near, key=lambda pair: closeness(doc, *pair))[: policy.mention_pairs]:
            for order in (1, -1) if policy.directed else (1,):
                possible = {types[pair][::order]} if policy.directed else {types[pair], types[pair][::-1]}
                if type_pairs is None or possible & type_pairs:
                    found.append((tuple(sorted((first, second))), pair[::order]))
    return found


@given(documents(), POLICIES, TYPE_PAIRS)
@settings(max_examples=100, deadline=None)
def test_candidates_are_the_pairs_that_the_settings_mean(doc, policy, type_pairs):
    found = [
        (tuple(sorted(candidate.about)), tuple((span.start, span.end) for span in candidate[:2]))
        for candidate in candidates_of(doc, policy, type_pairs)
    ]
    assert sorted(found) == sorted(expected_candidates(doc, policy, type_pairs))


@given(documents(), POLICIES, TYPE_PAIRS)
@settings(max_examples=100, deadline=None)
def test_pairs_of_concepts_come_in_text_order_with_their_closest_mentions_first(doc, policy, type_pairs):
    candidates = candidates_of(doc, policy, type_pairs)
    assert all(isinstance(candidate, Candidate) for candidate in candidates)
    order = list(places_of_concepts(doc))

    def key(candidate):
        pair = sorted(order.index(concept) for concept in candidate.about)
        places = sorted((span.start, span.end) for span in candidate[:2])
        return pair, closeness(doc, *places), candidate.subject.start_char > candidate.object.start_char

    assert sorted(map(key, candidates)) == list(map(key, candidates))
    if not policy.directed:
        assert all((s.start, s.end) < (o.start, o.end) for s, o, _ in candidates)


# Reasons


WITHIN_SENTENCES = st.builds(
    entity_pairs,
    concepts=st.just(True),
    max_sentences=st.sampled_from([0, 1, None]),
    max_tokens=st.sampled_from([0, 3, None]),
    directed=st.booleans(),
    overlapping=st.booleans(),
)


@given(documents(), POLICIES | WITHIN_SENTENCES, TYPE_PAIRS)
@settings(max_examples=100, deadline=None)
def test_mentions_have_a_reason_exactly_if_they_cannot_speak_for_a_pair_of_concepts(doc, policy, type_pairs):
    """Farther mentions have none although the closest ones speak in their place."""
    candidates = candidates_of(doc, policy, type_pairs)
    assert all(policy.why_not(*candidate[:2], type_pairs) is None for candidate in candidates)
    assert all(candidate.about in policy.pairs(*candidate[:2]) for candidate in candidates)
    asked_for = {candidate.about for candidate in candidates}
    if not policy.directed:
        asked_for |= {pair[::-1] for pair in asked_for}
    mentions = get_mentions(doc, "m")
    for subject, object in itertools.product(mentions, mentions):
        if policy.why_not(subject, object, type_pairs) is None:
            assert asked_for & set(policy.pairs(subject, object))


@pytest.mark.parametrize(
    "settings, subject, object, reason",
    [
        ({}, 0, 1, "type pair A|C not allowed"),
        ({"directed": True}, 2, 0, "type pair B|A not allowed"),
        ({}, 0, 3, "mention without a concept"),
        ({}, 1, 1, "type pair C|C not allowed"),
        ({}, 0, 4, "subject and object are one concept"),
        ({"max_tokens": 3}, 0, 2, "closest mentions more than 3 tokens apart"),
        ({}, 0, 5, "subject and object are one mention"),
        ({}, 0, 2, None),
        ({"max_tokens": 4}, 0, 2, None),
        ({}, 2, 0, None),
        ({}, 6, 7, None),
        ({}, 6, 8, None),
    ],
)
def test_reason_of_a_pair_that_is_no_candidate(settings, subject, object, reason):
    single = [(0, "A", "1"), (2, "C", "9"), (5, "B", "2"), (6, "B", "-"), (7, "A", "1"), (0, "B", "3")]
    several = [(8, "A", "1,4"), (9, "A", "4,1"), (10, "A", "1,4")]
    doc = doc_of(11, [(i, i + 1, type, id) for i, type, id in single + several])
    spans = doc.spans["m"]
    type_pairs = frozenset({("A", "B"), ("A", "A")})
    assert concept_pairs(**settings).why_not(spans[subject], spans[object], type_pairs) == reason


# Settings


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"mention_pairs": 0}, "'mention_pairs'.*0"),
        ({"mention_pairs": -3}, "'mention_pairs'.*-3"),
        ({"mention_pairs": 1.5}, "'mention_pairs'.*1.5"),
        ({"max_tokens": -1}, "'max_tokens'.*-1"),
        ({"type_pairs": "some"}, "'type_pairs'.*'some'"),
        ({"type_pairs": []}, "'type_pairs'"),
        ({"type_pairs": [["A"]]}, "'type_pairs'"),
    ],
)
def test_bad_setting_is_named(setting, message):
    with pytest.raises(ValueError, match=message):
        concept_pairs(**setting)


def test_registered_policy_comes_from_a_config():
    chosen = {"mention_pairs": 2, "max_tokens": 100, "type_pairs": [["A", "B"]], "directed": True}
    resolved = registry.resolve({"candidates": {"@misc": REGISTERED, **chosen}})["candidates"]
    assert resolved == concept_pairs(**chosen) != concept_pairs()
    assert registry.resolve({"candidates": {"@misc": REGISTERED}})["candidates"] == concept_pairs()


def test_component_takes_the_policy_in_place_of_the_default_one(make_nlp):
    nlp = make_nlp(candidates={"@misc": REGISTERED, "mention_pairs": 2})
    assert nlp.get_pipe(NAME).candidates == concept_pairs(mention_pairs=2)


# What a relation is about


def test_pairs_are_those_of_all_concepts():
    doc = doc_of(8, [(0, 1, "A", "1,2"), (3, 4, "B", "3"), (5, 6, "B", "-"), (7, 8, "B", "")])
    several, one, none, unlinked = doc.spans["m"]
    policy = concept_pairs()
    assert policy.pairs(several, one) == [(("A", "1"), ("B", "3")), (("A", "2"), ("B", "3"))]
    assert policy.pairs(one, several) == [pair[::-1] for pair in policy.pairs(several, one)]
    assert policy.pairs(several, none) == policy.pairs(none, one) == []
    assert policy.pairs(one, unlinked) == [(("B", "3"), ("B", "t7"))]


def test_pairs_are_equal_over_other_tokens_and_places():
    reference, predicted = Doc(VOCAB, words=["New", "York", "UN"]), Doc(VOCAB, words=["UN", "in", "new york"])
    gold = Span(reference, 0, 2, label="GPE"), Span(reference, 2, 3, label="ORG", kb_id="Q1065")
    found = Span(predicted, 2, 3, label="GPE"), Span(predicted, 0, 1, label="ORG", kb_id="Q1065")
    assert concept_pairs().pairs(*gold) == concept_pairs().pairs(*found)


# The component


# Gold stands at one pair of mentions, and not at the closest one.
TEXTS = [
    (
        "Aspirin|CHEMICAL|C1 inhibits COX-1|GENE|G1 in platelets . The receptor COX-1|GENE|G1 was measured . "
        "We saw warfarin|CHEMICAL|C2 and later Aspirin|CHEMICAL|C1 .",
        [(0, "INHIBITS", 2)],
    ),
    (
        "Isoprenaline|CHEMICAL|C3 activates beta-1|GENE|G2 here . The enzyme is beta-1|GENE|G2 while "
        "warfarin|CHEMICAL|C2 does not bind .",
        [(0, "ACTIVATES", 2)],
    ),
    (
        "losartan|CHEMICAL|C4 blocks AT1|GENE|G3,G4 . Here propranolol|CHEMICAL|- and the product of "
        "losartan|CHEMICAL|C4 was measured .",
        [(3, "INHIBITS", 1)],
    ),
    ("warfarin|CHEMICAL|C2 has nothing to do with COX-1|GENE|G1 .", []),
]
GOLD = [
    [("C1", "INHIBITS", "G1")],
    [("C3", "ACTIVATES", "G2")],
    [("C4", "INHIBITS", "G3"), ("C4", "INHIBITS", "G4")],
    [],
]


NO_DROPOUT = {
    "dropout": 0.0,
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


def examples_of(vocab):
    docs = [annotate(vocab, text, relations) for text, relations in TEXTS]
    return [Example(copy_mentions(doc), doc) for doc in docs]


def fresh_docs(vocab):
    return [example.predicted for example in examples_of(vocab)]


def triples(doc, directed):
    """The relations between concepts; the chemical, C, before the gene, G, where they have no direction."""
    found = [(rel.subject.id, rel.predicate, rel.object.id) for rel in doc._.concept_rels]
    return sorted(found if directed else [(min(s, o), p, max(s, o)) for s, p, o in found])


@pytest.fixture
def trained(make_nlp):
    def make(steps=0, threshold=0.5, **policy):
        spacy.util.fix_random_seed(0)
        nlp = make_nlp(model=NO_DROPOUT, candidates={"@misc": REGISTERED, **policy}, threshold=threshold)
        examples = examples_of(nlp.vocab)
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
        sgd = optimizer()
        # The random encoders differ from run to run, and so does how fast they learn: without dropout the loss tells.
        for _ in range(steps):
            if nlp.update(examples, sgd=sgd)[NAME] < 0.02:
                break
        return nlp

    return make


def assert_same(found, expected):
    """The same relations, with scores that are equal but for rounding."""
    assert [[row[:-1] for row in rels] for rels in found] == [[row[:-1] for row in rels] for rels in expected]
    scores = [[row[-1] for rels in docs for row in rels] for docs in (found, expected)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def full(doc):
    return [
        (r.subject.start, r.subject.kb_id_, r.predicate, r.object.start, r.object.kb_id_, r.score) for r in doc._.rels
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy",
    [
        {"mention_pairs": 1},
        {"@misc": "spacy-dualre.entity_pairs.v1", "concepts": True, "directed": True},
    ],
    ids=["undirected", "within sentences"],
)
def test_overfitting_and_io(trained, tmp_path, policy):
    nlp = trained(steps=500, **policy)
    directed = policy.get("directed", False)
    examples = examples_of(nlp.vocab)
    assert nlp.evaluate(examples)["rels_f"] == 1.0
    docs = list(nlp.pipe(fresh_docs(nlp.vocab)))
    assert [triples(doc, directed) for doc in docs] == GOLD
    assert [len(doc._.rels) for doc in docs] == [1, 1, 2, 0]
    # Right, although shown on other mentions than gold's
    (found,), (gold,) = docs[0]._.rels, examples[0].reference._.rels
    assert {found.subject.start, found.object.start} != {gold.subject.start, gold.object.start}

    expected = [full(doc) for doc in docs]
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert loaded.get_pipe(NAME).candidates == nlp.get_pipe(NAME).candidates
    assert_same([full(doc) for doc in loaded.pipe(fresh_docs(loaded.vocab))], expected)


def targets_of(pipe, examples):
    """The candidates that training asks for, with their gold predicates."""
    candidates, rows = pipe.training_targets(examples)
    return [
        (candidate, [label for label, share in zip(pipe.labels, row[1:], strict=True) if share])
        for candidate, row in zip(candidates, rows, strict=True)
    ]


def ids(candidate):
    return tuple(concept.id for concept in candidate.about)


def test_every_mention_pair_of_the_concepts_gets_the_target(trained):
    pipe = trained(mention_pairs=9).get_pipe(NAME)
    found = {}
    for candidate, predicates in targets_of(pipe, examples_of(pipe.vocab)):
        found.setdefault(tuple(sorted(ids(candidate))), []).append(predicates)
    assert found == {
        ("C1", "G1"): [["INHIBITS"]] * 4,
        ("C2", "G1"): [[]] * 3,
        ("C3", "G2"): [["ACTIVATES"]] * 2,
        ("C2", "G2"): [[]] * 2,
        ("C4", "G3"): [["INHIBITS"]] * 2,
        ("C4", "G4"): [["INHIBITS"]] * 2,
    }


def test_a_directed_predicate_is_the_target_of_its_direction_only(trained):
    pipe = trained(mention_pairs=9, directed=True, type_pairs="all").get_pipe(NAME)
    found = [(*ids(candidate), *targets) for candidate, targets in targets_of(pipe, examples_of(pipe.vocab)[:1])]
    assert found.count(("C1", "G1", "INHIBITS")) == found.count(("G1", "C1")) == 4
    assert sum(len(row) > 2 for row in found) == 4


@pytest.mark.parametrize("size", [1, 2, 5])
def test_one_relation_for_each_pair_of_concepts_whatever_the_slices(trained, size, monkeypatch):
    nlp = trained(threshold=0.0, mention_pairs=3)
    expected = [full(doc) for doc in nlp.pipe(fresh_docs(nlp.vocab))]
    assert [len(rels) for rels in expected] == [2, 2, 2, 1]
    pipe = nlp.get_pipe(NAME)
    pipe.max_candidates_per_batch = 1
    monkeypatch.setattr(pipe, "stream", partial(pipe.stream, at_least=size))
    assert_same([full(doc) for doc in nlp.pipe(fresh_docs(nlp.vocab))], expected)


def test_the_strongest_mention_pair_decides(trained):
    nlp = trained(threshold=0.0, mention_pairs=3)
    doc = fresh_docs(nlp.vocab)[0]
    (scored,) = nlp.get_pipe(NAME).stream([doc])
    of_pair = [i for i, candidate in enumerate(scored.candidates) if set(ids(candidate)) == {"C1", "G1"}]
    pooled = probabilities(scored.odds[of_pair]).max(axis=0)
    (rel,) = [rel for rel in nlp(doc)._.rels if {rel.subject.kb_id_, rel.object.kb_id_} == {"C1", "G1"}]
    assert len(of_pair) == 3
    assert rel.score == pytest.approx(pooled[1:].max(), abs=1e-5)


@pytest.mark.parametrize("policy", [REGISTERED, "spacy-dualre.entity_pairs.v1"])
def test_a_mention_of_two_concepts_has_a_candidate_scores_and_a_relation_for_each(trained, policy):
    nlp = trained(threshold=0.0, **{"@misc": policy}, **({} if policy == REGISTERED else {"concepts": True}))
    pipe = nlp.get_pipe(NAME)
    doc = annotate(nlp.vocab, "losartan|CHEMICAL|C4 blocks AT1|GENE|G3,G4 .")
    (scored,) = pipe.stream([doc])
    assert [ids(candidate) for candidate in scored.candidates] == [("C4", "G3"), ("C4", "G4")]
    assert scored.odds.shape == (2, 3) and numpy.isfinite(scored.odds).all()
    assert len(scored.instances) == len(scored.scores.similarity) == len(scored.scores.logits) == 2
    (found,) = pipe.predict([doc])
    assert [(rel.subject.kb_id_, rel.object.kb_id_) for rel in found] == [("C4", "G3"), ("C4", "G4")]
    expected = probabilities(scored.odds)[:, 1:].max(axis=1)
    assert [rel.score for rel in found] == pytest.approx(expected, abs=1e-6)
    assert [(rel.subject.id, rel.object.id) for rel in nlp(doc)._.concept_rels] == [("C4", "G3"), ("C4", "G4")]
    assert [ent.kb_id_ for ent in doc.ents] == ["C4", "G3,G4"]


def test_a_document_that_is_given_twice_is_asked_once(trained):
    nlp = trained(threshold=0.0)
    one, other = fresh_docs(nlp.vocab)[:2]
    expected = [full(nlp(doc)) for doc in fresh_docs(nlp.vocab)[:2]]
    assert_same([full(doc) for doc in nlp.pipe([one, other, one])], [*expected, expected[0]])


@pytest.mark.parametrize("symmetric, n", [(["INHIBITS", "ACTIVATES"], 1), ([], 2)])
def test_both_directions_of_a_symmetric_predicate_are_one_relation_on_whatever_mentions(trained, symmetric, n):
    nlp = trained(directed=True, type_pairs="all", mention_pairs=9)
    pipe = nlp.get_pipe(NAME)
    pipe.symmetric = set(symmetric)
    doc = annotate(nlp.vocab, "Aspirin|CHEMICAL|C1 and COX-1|GENE|G1 , Aspirin|CHEMICAL|C1 .")
    candidates = list(pipe.get_candidates(doc))
    # The drug speaks for one direction where it stands first, the gene for the other
    sure = {(0, 2): 3.0, (2, 4): 2.0}
    odds = [[0.0, sure.get((one.subject.start, one.object.start), -5.0), -5.0] for one in candidates]
    doc._.rels = pipe.decide(candidates, numpy.array(odds))
    assert [(rel.subject.start, rel.object.start) for rel in doc._.rels] == [(0, 2), (2, 4)][:n]
    assert {rel.predicate for rel in doc._.rels} == {"INHIBITS"} and len(doc._.concept_rels) == n


def test_documents_without_candidates(trained):
    nlp = trained(threshold=0.0)
    texts = ["nothing here .", "Aspirin|CHEMICAL|C1 works .", "Aspirin|CHEMICAL|- inhibits COX-1|GENE|G1 ."]
    docs = [Doc(nlp.vocab), *(annotate(nlp.vocab, text) for text in texts)]
    assert [(doc._.rels, doc._.concept_rels) for doc in nlp.pipe(docs)] == [((), ())] * 4


def test_mentions_far_apart_stay_in_what_the_model_reads(trained):
    nlp = trained(threshold=0.0)
    filler = "was measured in platelets . " * 300
    doc = annotate(nlp.vocab, f"{filler} Aspirin|CHEMICAL|C1 {filler} COX-1|GENE|G1 {filler}")
    with pytest.warns(UserWarning, match="DW166.*, 0 of them within a mention"):
        (rel,) = nlp(doc)._.rels
    assert (rel.subject.text, rel.object.text) == ("Aspirin", "COX-1")


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
@pytest.mark.parametrize("between", [30, 600, 3000])
def test_both_distant_mentions_are_read_whole(encoders, kind, between):
    tokenizer = AutoTokenizer.from_pretrained(encoders[kind])
    markers = marker_tokens(["CHEMICAL", "GENE"])
    tokenizer.add_tokens(markers, special_tokens=True)
    filler = " ".join(["measured", "in", "platelets", "."] * (between // 4))
    text = f"{filler} Isoprenaline|CHEMICAL|C1 {filler} serotonin|GENE|G1 {filler}"
    doc = annotate(VOCAB, text)
    candidates = list(concept_pairs()(doc, doc.ents, None))
    make_instances = InstanceMaker(list(DESCRIPTIONS), parse_descriptions(DESCRIPTIONS), 100, "adapted", False)
    texts = [instance.text for instance in make_instances(candidates)]
    sequences, shortened = tokenize_texts(texts, Pieces(tokenizer), 64)
    read = sequences.ids.tolist()
    assert sequences.lengths.tolist() == [len(read)] == [64]
    assert (shortened.words, shortened.mentions) == (1, 0)
    for role, type, word in (("S", "CHEMICAL", "Isoprenaline"), ("O", "GENE", "serotonin")):
        start, end = (tokenizer.convert_tokens_to_ids(f"<{slash}{role}:{type}>") for slash in ("", "/"))
        pieces = read[read.index(start) + 1 : read.index(end)]
        assert pieces == tokenizer(" " + word, add_special_tokens=False)["input_ids"]
    # What is left is the text around both of them
    marks = [read.index(tokenizer.convert_tokens_to_ids(marker)) for marker in ("</S:CHEMICAL>", "<O:GENE>")]
    assert marks[1] - marks[0] > 10


# Concepts with the candidates of entity_pairs: all mention pairs of a sentence

IN_SENTENCES = entity_pairs(concepts=True)
ANYWHERE = entity_pairs(concepts=True, max_sentences=None, directed=False)


def test_all_mention_pairs_are_asked_for_but_those_of_one_concept(three_concepts):
    found = concepts(three_concepts, ANYWHERE)
    assert sorted(found) == sorted(
        [("A:1", "B:2")] * 4 + [("B:2", "A:1")] * 2 + [("A:1", "A:3")] * 2 + [("B:2", "A:3")] * 3
    )
    assert ANYWHERE.why_not(*(three_concepts.spans["m"][i] for i in (0, 3)), None) == (
        "subject and object are one concept"
    )
    assert len(candidates_of(three_concepts, entity_pairs(max_sentences=None, directed=False))) == 6 * 5 / 2


def test_a_mention_of_several_concepts_is_asked_for_with_each_but_not_with_itself():
    doc = doc_of(4, [(0, 1, "A", "1,2"), (2, 3, "B", "3"), (3, 4, "A", "1")])
    found = concepts(doc, ANYWHERE)
    assert found == [("A:1", "B:3"), ("A:2", "B:3"), ("A:2", "A:1"), ("B:3", "A:1")]


def test_mentions_without_an_id_stand_for_themselves():
    # A surface form twice, and once looked up in vain
    doc = doc_of(6, [(0, 1, "A", ""), (1, 2, "B", "2"), (2, 3, "A", ""), (3, 4, "A", "-"), (4, 5, "B", "2")])
    linked, unlinked = doc.spans["m"][1], doc.spans["m"][0]
    assert IN_SENTENCES.pairs(unlinked, linked) == entity_pairs().pairs(unlinked, linked)
    candidates = candidates_of(doc, ANYWHERE)
    odds = numpy.arange(2.0 * len(candidates)).reshape(-1, 2)
    shown, rows = ANYWHERE.pool(candidates, odds)
    assert shown == candidates and (rows == odds).all() and len(candidates) == 9


def test_gold_of_concepts_is_the_target_of_all_their_mention_pairs_in_a_sentence(trained):
    pipe = trained(**{"@misc": "spacy-dualre.entity_pairs.v1", "concepts": True}).get_pipe(NAME)
    found = [
        (*ids(candidate), candidate.subject.start, predicates)
        for candidate, predicates in targets_of(pipe, examples_of(pipe.vocab))
    ]
    assert found == [
        ("C1", "G1", 0, ["INHIBITS"]),
        ("C3", "G2", 0, ["ACTIVATES"]),
        ("C2", "G2", 10, []),
        ("C4", "G3", 0, ["INHIBITS"]),
        ("C4", "G4", 0, ["INHIBITS"]),
        ("C2", "G1", 0, []),
    ]


# Scores and diagnosis


def scored(policy, gold, predicted):
    """rels_p and rels_r of relations between the mentions of one document, as the component scores them."""
    mentions = [(0, 1, "A", "1"), (2, 3, "B", "2"), (4, 5, "A", "1"), (6, 7, "B", "2,3"), (8, 9, "B", "-")]
    docs = [doc_of(10, mentions, relations) for relations in (predicted, gold)]
    scores = registry.get("scorers", "spacy-dualre.rel_scorer.v1")()([Example(*docs)], pairs=policy.pairs)
    return scores["rels_p"], scores["rels_r"]


@pytest.mark.parametrize("policy", [concept_pairs(directed=True), IN_SENTENCES])
def test_relations_are_right_if_their_concepts_are(policy):
    assert scored(policy, [(0, "P", 1)], [(2, "P", 1)]) == (1.0, 1.0)
    assert scored(policy, [(0, "P", 1), (2, "P", 1)], [(2, "P", 1)]) == (1.0, 1.0)
    assert scored(policy, [(0, "P", 1)], [(1, "P", 0)]) == (0.0, 0.0)
    assert scored(policy, [(0, "P", 1)], [(0, "Q", 1)]) == (0.0, 0.0)


def test_each_concept_of_a_mention_counts():
    policy = concept_pairs(directed=True)
    assert scored(policy, [(0, "P", 3)], [(2, "P", 1)]) == (1.0, 0.5)
    assert scored(policy, [(0, "P", 1)], [(2, "P", 3)]) == (0.5, 1.0)


# Batches


def test_batches_cut_through_the_mention_pairs_and_lose_none(trained):
    pipe = trained(mention_pairs=3).get_pipe(NAME)
    examples = examples_of(pipe.vocab)
    every = sorted(predicates for _, predicates in targets_of(pipe, examples))
    batches = list(batch_by_candidates(6, pipe.candidates)(examples))
    shares = [[predicates for _, predicates in targets_of(pipe, batch)] for batch in batches]
    assert [len(targets) for targets in shares[:-1]] == [2] * (len(shares) - 1)
    assert sorted(predicates for targets in shares for predicates in targets) == every
    assert len(every) == 14
