"""What a pipeline makes of predicates that it was not trained on, against the same figures by other ways."""

import zlib

import numpy
import pytest
import spacy
import srsly
from helpers.commands import dualre, match
from helpers.pipelines import NAME, make_doc, make_examples
from spacy.tokens import DocBin, Span
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.lab.answers import Answers, Asked, ask, calibrated
from spacy_dualre.lab.zero_shot import Found, best_threshold, generalised, pure, zero_shot
from spacy_dualre.models.batches import possible
from spacy_dualre.scoring.tuning import cuts
from spacy_dualre.training.reader import copy_mentions, rel_corpus
from spacy_dualre.types import RelScores

OPEN = {
    "alpha": 0.0,
    "description_mode": "generic",
    "model": {
        "types_as_words": True,
        "mean_fusion": True,
        "cls_fusion": False,
        "learned_negative": True,
        "frozen_descriptions": True,
    },
}
NEW = {
    "BINDS": "{subject} does bind {object}.",
    "OXIDISES": "the enzyme {subject} oxidises {object}.",
    "UNUSED": "{subject} is a product of {object}.",
}
PREDICATES = ["BINDS", "OXIDISES"]


@pytest.fixture
def nlp(make_nlp):
    """An open pipeline that knows INHIBITS and ACTIVATES; its threshold parts what it finds."""
    return make_open(make_nlp)


def make_open(make_nlp, threshold=None, **settings):
    nlp = make_nlp(**{**OPEN, **settings})
    examples = make_examples(nlp.vocab)
    rel = nlp.get_pipe(NAME)
    rel.initialize(
        lambda: examples, nlp=nlp, descriptions={label: f"{{subject}} {label} {{object}}" for label in TRAINED}
    )
    rel.model._func = opinions
    own = rel.label_data
    rel.set_labels(NEW)
    between = all_cuts(nlp)
    rel.threshold = between[len(between) // 2]
    rel.set_labels(own)
    return nlp


def opinions(model, query, is_train):
    """Scores that depend on the texts alone, as if it had learnt some: a random network's differ too little."""

    def number(*texts):
        return 4 * zlib.crc32(repr((texts, 2)).encode()) / 2**32

    mask = possible(query.instances)
    similarity = [
        [number(one.text.words, one.text.marks, templates and templates[0].template) for templates in one.descriptions]
        for one in query.instances
    ]
    logits = numpy.zeros((len(mask), 1), dtype="float32")
    return RelScores(numpy.array(similarity, dtype="float32"), logits, mask, mask), lambda d_scores: []


def all_cuts(nlp):
    """A threshold between any two scores."""
    rel = nlp.get_pipe(NAME)
    before, rel.threshold = rel.threshold, 0.0
    scores = [one.score for doc in nlp.pipe(new_docs(nlp)) for one in doc._.rels]
    rel.threshold = before
    return cuts(numpy.array(scores), 100)


TRAINED = ["INHIBITS", "ACTIVATES"]
WORDS = ["bind", "oxidises", "blocks", "product", "enzyme", "raises", "lowers", "receptor"]


def make_new(vocab, predicates=PREDICATES, n=12):
    """Documents with the predicates in turn: two in one sentence, one across sentences, one without a relation, ..."""
    docs = []
    for i in range(n):
        words = [("Aspirin", "CHEMICAL"), (WORDS[i % 8], ""), ("COX-1", "GENE"), ("and", ""), (WORDS[i * 3 % 8], "")]
        words += [(".", ""), ("warfarin", "CHEMICAL"), (WORDS[i * 5 % 8], ""), ("COX-3", "GENE"), (".", "")]
        gold = [] if i % 4 == 3 else [((0, 3) if i % 4 == 2 else (2, 3) if i % 3 == 1 else (0, 1))]
        relations = [(subject, predicates[i % len(predicates)], object) for subject, object in gold]
        docs.append(make_doc(vocab, words, relations, sent_starts=(0, 6)))
    return [Example(copy_mentions(doc), doc) for doc in docs]


def new_docs(nlp):
    return [example.predicted for example in make_new(nlp.vocab)]


def measure(nlp, **settings):
    return zero_shot(nlp, make_new(nlp.vocab), NEW, **settings)


def made(odds, gold, labels="AB", documents=None):
    """Answers as they come from a model: odds of the labels, and the gold predicates of each pair."""
    documents = documents or range(len(gold))
    pairs = [Asked(number, None, True, set(predicates)) for number, predicates in zip(documents, gold)]
    return Answers(list(labels), pairs, numpy.array([[0.0, *row] for row in odds]))


# Arithmetic


def test_pure_by_hand():
    # Five pairs, four of them related: answered A, A, A, C; the first two and the last are right
    odds = [[3, 1, 0], [-1, -2, -5], [2, 1, 1], [9, 9, 9], [0, 0, 4]]
    scores = pure(made(odds, ["A", "A", "B", "", "C"], "ABC"))
    assert scores["pairs"] == 4 and scores["unanswered"] == 0
    plain = scores["plain"]
    assert plain["accuracy"] == plain["f"] == 3 / 4
    assert plain["per_type"]["A"] == {"p": 2 / 3, "r": 1, "f": 0.8, "tp": 2, "predicted": 3, "gold": 2}
    assert plain["per_type"]["B"] == {"p": 0, "r": 0, "f": 0, "tp": 0, "predicted": 0, "gold": 1}
    assert plain["macro_f"] == pytest.approx((0.8 + 0 + 1) / 3)
    # Precision of A and C, which were predicted; recall of all
    p, r = (2 / 3 + 1) / 2, (1 + 0 + 1) / 3
    assert plain["f_of_means"] == pytest.approx(2 * p * r / (p + r))


def test_a_pair_without_any_answer_is_wrong():
    scores = pure(made([[1, 0], [-numpy.inf] * 2], ["A", "B"]))
    assert (scores["unanswered"], scores["plain"]["accuracy"]) == (1, 0.5)
    assert scores["plain"]["per_type"]["A"]["predicted"] == 1


def test_a_pair_with_two_predicates_is_right_with_either():
    plain = pure(made([[1, 0], [0, 1]], ["AB", "AB"]))["plain"]
    assert plain["accuracy"] == 1 and plain["r"] == 0.5 and plain["p"] == 1


def test_calibration_takes_the_pull_of_a_predicate_away():
    # A lies 5 too high; each pair leans to its own predicate
    odds = numpy.array([[6.0, 0.0], [5.0, 1.0], [6.0, 0.0], [5.0, 1.0]])
    answers = made(odds, "ABAB")
    scores = pure(answers)
    assert (scores["plain"]["accuracy"], scores["calibrated"]["accuracy"]) == (0.5, 1)
    found = calibrated(answers).odds
    # The mean of all stays, so that a threshold means the same
    numpy.testing.assert_allclose(found[:, 1:], odds - [2.5, -2.5])
    assert not found[:, 0].any() and found[:, 1:].mean() == odds.mean()


def test_calibration_leaves_out_impossible_predicates():
    inf = numpy.inf
    found = calibrated(made([[4, -inf, 1], [-inf, -inf, 3]], "AB", "ABC")).odds
    # The means are 4 and 2, their mean is 3; B has none
    assert found.tolist() == [[0, 3, -inf, 2], [0, -inf, -inf, 4]]


def test_best_threshold_is_that_of_all_possible_ones():
    random = numpy.random.default_rng(0)
    for _ in range(200):
        n = int(random.integers(1, 12))
        # Few distinct scores, so that many are equal
        found = [Found(i, {("A", i)}, float(random.integers(1, 9)) / 10) for i in range(n)]
        gold = [{("A", i)} for i in range(n + 3) if random.random() < 0.5]
        n_gold = sum(map(len, gold))
        every = set().union(*gold)

        def f(threshold, found=found, every=every, n_gold=n_gold):
            taken = [one for one in found if one.score >= threshold]
            return 2 * sum(one.keys <= every for one in taken) / max(len(taken) + n_gold, 1)

        best = max(f(i / 20) for i in range(21))
        threshold = best_threshold(found, gold, 0.55)
        assert f(threshold) == pytest.approx(best)
        assert best > 0 or threshold == 0.55
    assert best_threshold([], [{("A", 0)}], 0.55) == 0.55


def test_best_threshold_lies_between_the_scores():
    found = [Found(0, {("A", 0)}, 0.8), Found(1, {("A", 1)}, 0.4)]
    assert best_threshold(found, [{("A", 0)}], 0.5) == pytest.approx(0.6)


def test_generalised_by_hand():
    # C, D and E were trained, and get 6 where they are right; A, B, and P, which plays one of these, get 2 there, less
    # than the 4 that C gets beside them
    def odds(gold):
        return [
            [(6 if label in "CDE" else 2) * (label == one) or 4 * (label == "C" and one in "ABP") for label in "ABCDEP"]
            for one in gold
        ]

    unseen = made(odds("ABAB"), "ABAB", "ABCDEP")
    of_trained = made(odds("PDPCPDPCED"), "PDPCPDPCED", "ABCDEP")
    half_of = numpy.array([0] * 4 + [1] * 6)
    scores = generalised(unseen, of_trained, "AB", "CDE", "P", half_of)
    # C is chosen for all of A and B; of the trained predicates, D, C, E and D are scored
    assert scores["plain"] == {"unseen": 0, "trained": pytest.approx((1 / 3 + 1 + 1) / 3), "harmonic_mean": 0}
    assert scores["pairs"] == [4, 4] and scores["played_unseen"] == ["P"]
    # The rivals are ahead of P by 2 where it is right, and by 6 where they are
    assert scores["constant"] == 4
    assert scores["with_constant"] == {"unseen": 1, "trained": 1, "harmonic_mean": 1}


def test_a_constant_that_gains_nothing_is_not_taken():
    # C is farther ahead where P is right
    answers = made([[3, 2], [4, 2], [3, 2], [4, 2]], "CPCP", "CP")
    scores = generalised(answers.select("CP", lambda pair: pair.gold == {"P"}), answers, "P", "C", "P", numpy.zeros(4))
    assert (scores["constant"], scores["plain"]) == (0, scores["with_constant"])


# A pipeline


def test_pure_agrees_with_the_argmax_of_each_pair(nlp):
    examples = make_new(nlp.vocab)
    rel = nlp.get_pipe(NAME)
    own = rel.label_data
    scores = measure(nlp)["pure"]
    assert rel.label_data == own
    rel.set_labels({label: NEW[label] for label in PREDICATES})
    # All pairs are candidates of this pipeline, whatever their sentences
    rel.candidates = type(rel.candidates)(max_sentences=None, type_pairs="all")
    similar = {
        (example.predicted.text, candidate.subject.text, candidate.object.text): row[1:]
        for example in examples
        for scored in rel.stream([example.predicted])
        for candidate, row in zip(scored.candidates, scored.scores.similarity)
    }
    gold = [
        (similar[example.reference.text, one.subject.text, one.object.text], one.predicate)
        for example in examples
        for one in example.reference._.rels
    ]
    mean = numpy.mean([row for row, _ in gold], axis=0)
    for kind, offsets in (("plain", 0), ("calibrated", mean)):
        answers = [PREDICATES[int((row - offsets).argmax())] for row, _ in gold]
        right = [answer == predicate for answer, (_, predicate) in zip(answers, gold)]
        assert scores[kind]["accuracy"] == sum(right) / len(gold)
        for label in PREDICATES:
            of_label = scores[kind]["per_type"][label]
            assert of_label["predicted"] == answers.count(label)
            assert of_label["tp"] == sum(answer == label for answer, ok in zip(answers, right) if ok)
    assert scores["pairs"] == 9 and scores["unanswered"] == 0


CONCEPTS = {"@misc": "spacy-dualre.concept_pairs.v1", "mention_pairs": 2, "type_pairs": "all"}
SETTINGS = {
    "one": {},
    "symmetric": {"symmetric": ["BINDS"]},
    "several": {"multi_label": True},
    "undirected": {"candidates": {"@misc": "spacy-dualre.entity_pairs.v1", "directed": False}},
    "concepts": {"candidates": CONCEPTS},
    "mapped": {"type_map": {"GENE": "CHEMICAL"}, "candidates": CONCEPTS},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_rejection_agrees_with_evaluation(make_nlp, settings):
    symmetric = settings.get("symmetric", [])
    nlp = make_open(make_nlp, **{key: value for key, value in settings.items() if key != "symmetric"})
    rel = nlp.get_pipe(NAME)
    rel.symmetric = set(symmetric)
    scores = measure(nlp, seed=1)["rejection"]
    rel.set_labels({label: NEW[label] for label in PREDICATES})
    examples = make_new(nlp.vocab)
    expected = nlp.evaluate(examples)
    everything = all_cuts(nlp)
    found = scores["plain"]["threshold"]
    assert found["thresholds"] == [rel.threshold] * 2
    for name in ("p", "r", "f", "macro_f"):
        assert found[name] == pytest.approx(expected[f"rels_{name}"])
    assert 0 < sum(one["predicted"] for one in found["per_type"].values()) and scores["relations"] == 9
    # Each half at the threshold of the other
    best = scores["plain"]["best_threshold"]
    assert set(best["thresholds"]) != {rel.threshold} and 0 < best["f"] < 1
    half_of = numpy.random.default_rng(1).permutation(len(examples)) % 2
    halves = [[one for one, number in zip(examples, half_of) if number == half] for half in (0, 1)]
    for half, threshold in enumerate(best["thresholds"]):
        rel.threshold = threshold
        rel.set_annotations(docs := [one.predicted for one in halves[half]], rel.predict(docs))
        f = nlp.evaluate(halves[1 - half])["rels_f"]
        for other in everything:
            rel.threshold = other
            assert nlp.evaluate(halves[1 - half])["rels_f"] <= f + 1e-9
    expected = rel.score(examples)
    for name in ("p", "r", "f", "macro_f"):
        assert best[name] == pytest.approx(expected[f"rels_{name}"])


def test_gold_pairs_without_candidate_are_asked_about_and_missed(nlp):
    scores = measure(nlp)
    # Those between the two sentences
    assert scores["rejection"]["relations_without_candidate"] == 3
    assert scores["pure"]["pairs"] == 9
    answers = ask(nlp, make_new(nlp.vocab))
    assert [pair.is_candidate for pair in answers.pairs if pair.gold].count(False) == 3
    assert numpy.isfinite(answers.odds).all()
    # Each pair of a document comes once
    assert len({(pair.document, pair.candidate[:2]) for pair in answers.pairs}) == len(answers.pairs)


def test_documents_are_counted(nlp):
    scores = measure(nlp)
    counts = ("documents", "documents_without_relations", "documents_left_out")
    assert [scores[name] for name in counts] == [12, 3, 0]
    assert scores["predicates"] == PREDICATES and scores["known_to_the_pipeline"] == []
    scores = measure(nlp, predicates=["OXIDISES", "UNUSED"])
    assert [scores[name] for name in counts] == [6, 3, 6]
    assert scores["pure"]["plain"]["per_type"].keys() == {"OXIDISES", "UNUSED"}
    # Averaged over those in gold
    of_oxidises = scores["pure"]["plain"]["per_type"]["OXIDISES"]
    assert scores["pure"]["plain"]["macro_f"] == of_oxidises["f"] and of_oxidises["gold"] == 3


def test_the_same_again_and_other_halves_with_another_seed(nlp):
    trained = make_new(nlp.vocab, TRAINED)
    first, again = (measure(nlp, trained_examples=trained) for _ in range(2))
    assert first == again
    others = [measure(nlp, seed=seed)["rejection"]["plain"]["best_threshold"]["thresholds"] for seed in range(4)]
    assert len(set(map(tuple, others))) > 1
    # What needs no trained predicates is the same without them
    without = measure(nlp)
    assert first["pure"]["plain"] == without["pure"]["plain"]
    assert first["rejection"]["candidates"] == without["rejection"]["candidates"]
    assert first["rejection"]["plain"]["threshold"]["f"] == without["rejection"]["plain"]["threshold"]["f"]


def test_generalised_agrees_with_the_argmax_of_all(nlp):
    unseen, trained = make_new(nlp.vocab), make_new(nlp.vocab, [*TRAINED, "UNUSED"], n=24)
    mixed = make_new(nlp.vocab, ["BINDS"], n=2)
    scores = zero_shot(nlp, unseen, NEW, trained_examples=[*trained, *mixed])["generalised"]
    assert (scores["documents"], scores["documents_left_out"]) == (24, 2)
    # That which the pipeline does not know plays the unseen one
    assert scores["played_unseen"] == ["UNUSED"]
    rel = nlp.get_pipe(NAME)
    own = {label: rel.label_data[label] for label in TRAINED}
    rel.set_labels({**NEW, **own})
    labels = [*PREDICATES, "UNUSED", *TRAINED]
    half_of = numpy.random.default_rng(0).permutation(24) % 2

    def rows(examples, keep):
        answers = ask(nlp, examples).select(labels, lambda pair: pair.gold)
        return [
            (row[1:], *pair.gold) for pair, row in zip(answers.pairs, answers.odds) if keep(pair.document, *pair.gold)
        ]

    def harmonic(rows, one, other, constant):
        means = []
        answered = []
        for row, predicate in rows:
            values = {label: value - constant * (label in other) for label, value in zip(labels, row)}
            answered.append((max([*one, *other], key=values.get), predicate))
        for group in (one, other):
            fs = []
            for label in group:
                tp = sum(answer == predicate == label for answer, predicate in answered)
                n = sum((answer == label) + (predicate == label) for answer, predicate in answered)
                if any(predicate == label for _, predicate in answered):
                    fs.append(2 * tp / n)
            means.append(sum(fs) / len(fs))
        return means, 2 * means[0] * means[1] / sum(means) if sum(means) else 0

    scored = rows(unseen, lambda *_: True)
    scored += rows(trained, lambda number, predicate: half_of[number] == 1 and predicate in TRAINED)
    assert scores["pairs"] == [9, len(scored) - 9]
    for way, constant in (("plain", 0.0), ("with_constant", scores["constant"])):
        means, mean = harmonic(scored, PREDICATES, TRAINED, constant)
        assert [scores[way][name] for name in ("unseen", "trained")] == pytest.approx(means)
        assert scores[way]["harmonic_mean"] == pytest.approx(mean)
    # No constant does better on the other half
    found_on = rows(trained, lambda number, predicate: half_of[number] == 0)
    best = harmonic(found_on, ["UNUSED"], TRAINED, scores["constant"])[1]
    assert best > 0 and best >= max(
        harmonic(found_on, ["UNUSED"], TRAINED, constant)[1] for constant in numpy.linspace(-10, 10, 401)
    )


def test_half_of_the_trained_predicates_play_the_unseen_ones_if_all_are_trained(nlp):
    scores = measure(nlp, trained_examples=make_new(nlp.vocab, TRAINED))["generalised"]
    (player,) = scores["played_unseen"]
    assert player in TRAINED
    players = {
        measure(nlp, trained_examples=make_new(nlp.vocab, TRAINED), seed=seed)["generalised"]["played_unseen"][0]
        for seed in range(5)
    }
    assert players == set(TRAINED)


def test_described_predicates_that_no_training_document_had_are_unseen(nlp):
    rel = nlp.get_pipe(NAME)
    examples = make_examples(nlp.vocab)
    for example in examples:
        example.reference.user_data["corpus"] = "made-up"
    with pytest.warns(UserWarning, match="DW162"):
        rel.initialize(lambda: examples, nlp=nlp, descriptions=NEW)
    # They play the unseen ones, and all have the pipeline's descriptions
    trained = make_new(nlp.vocab, [*TRAINED, "UNUSED"])
    scores = zero_shot(nlp, make_new(nlp.vocab), trained_examples=trained)
    assert scores["known_to_the_pipeline"] == [] and scores["generalised"]["played_unseen"] == ["UNUSED"]
    assert scores["pure"] == measure(nlp)["pure"]
    assert rel.cfg["of_corpus"] == {"made-up": sorted(TRAINED)}


def test_a_corpus_reader_that_restricts_documents_does_not_restrict_what_is_asked(nlp, tmp_path):
    docs = [example.reference for example in make_new(nlp.vocab, ["BINDS"])]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "new.spacy")
    examples = list(rel_corpus(tmp_path / "new.spacy", only=["BINDS"])(nlp))
    answers = ask(nlp, examples)
    assert answers.labels == TRAINED and numpy.isfinite(answers.odds).all()


def test_predicates_that_the_pipeline_knows_are_named(nlp):
    scores = zero_shot(nlp, make_examples(nlp.vocab), {**NEW, **{label: NEW["BINDS"] for label in TRAINED}})
    assert scores["known_to_the_pipeline"] == TRAINED


def test_mentions_of_unknown_types_are_unanswered(make_nlp):
    nlp = make_open(make_nlp, model={**OPEN["model"], "types_as_words": False})
    example = make_new(nlp.vocab)[0]
    doc = example.reference
    doc.ents = [Span(doc, span.start, span.end, label="DRUG" if span.start == 0 else span.label_) for span in doc.ents]
    doc._.rels = [Relation(doc.ents[0], "BINDS", doc.ents[1]), Relation(doc.ents[2], "BINDS", doc.ents[3])]
    with pytest.warns(UserWarning, match="DW165.*DRUG"):
        scores = zero_shot(nlp, [Example(copy_mentions(doc), doc)], NEW)
    assert (scores["pure"]["pairs"], scores["pure"]["unanswered"], scores["pure"]["plain"]["accuracy"]) == (2, 1, 0.5)
    assert scores["rejection"]["relations_without_candidate"] == 1


def test_sentences_are_those_of_the_pipeline(nlp):
    nlp.add_pipe("sentencizer", first=True)
    docs = [example.reference for example in make_new(nlp.vocab)]
    expected = measure(nlp)
    for doc in docs:
        for token in doc:
            token.is_sent_start = None
    scores = zero_shot(nlp, [Example(copy_mentions(doc), doc) for doc in docs], NEW)
    assert scores["rejection"]["candidates"] == expected["rejection"]["candidates"]
    assert scores["pure"] == expected["pure"]


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"descriptions": {"BINDS": NEW["BINDS"]}}, "DR724.*OXIDISES"),
        ({"descriptions": {}}, "DR724.*BINDS, OXIDISES"),
        ({"descriptions": {**NEW, "BINDS": "binds"}}, "DR048.*BINDS"),
        ({"predicates": ["UNUSED"]}, "DR725.*12 documents.*UNUSED"),
        ({"examples": []}, "DR725.*0 documents.*any"),
        ({"trained": ["INHIBITS"]}, "DR726.*INHIBITS"),
        ({"trained": ["UNUSED"]}, "DR726.*UNUSED"),
        ({"trained": ["BINDS"]}, "DR726.*none"),
        ({"trained": ["INHIBITS", "STRANGE"]}, "DR724.*STRANGE"),
    ],
)
def test_what_cannot_be_measured_is_named(nlp, given, problem):
    examples = given.get("examples", make_new(nlp.vocab))
    trained = make_new(nlp.vocab, given["trained"]) if "trained" in given else ()
    own = nlp.get_pipe(NAME).label_data
    with pytest.raises(ValueError, match=problem):
        zero_shot(nlp, examples, given.get("descriptions", NEW), given.get("predicates", ()), trained)
    assert nlp.get_pipe(NAME).label_data == own


def test_a_classifier_cannot_be_asked(trained):
    with pytest.raises(ValueError, match="DR182.*alpha = 0"):
        measure(trained())


# The command


@pytest.fixture
def saved(nlp, tmp_path):
    """A pipeline, documents and descriptions on disk."""
    nlp.to_disk(tmp_path / "pipeline")
    for name, predicates in (("new", PREDICATES), ("trained", TRAINED)):
        docs = [example.reference for example in make_new(nlp.vocab, predicates)]
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / f"{name}.spacy")
    srsly.write_json(tmp_path / "new.json", NEW)
    return tmp_path


def call(folder, *options, data="new.spacy"):
    return dualre("zero-shot", folder / "pipeline", folder / data, "--descriptions", folder / "new.json", *options)


def test_command_writes_and_prints(saved):
    result = call(saved, "--output", saved / "made" / "scores.json")
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(saved / "made" / "scores.json")
    assert scores == srsly.json_loads(srsly.json_dumps(measure(spacy.load(saved / "pipeline"))))
    for words in (f"{100 * scores['pure']['plain']['accuracy']:.1f}", "calibrated, other half's best"):
        assert words in result.output
    match(
        "12 documents, 3 of them without relations, 0 left out .* 9 gold relations, 3 without a candidate",
        result.output,
    )
    assert "harmonic" not in result.output and "DW829" not in result.output


def test_command_with_trained_data_and_settings(saved):
    options = ("--predicates", "OXIDISES, UNUSED", "--trained-data", saved / "trained.spacy", "--seed", 1)
    output = ("--output", saved / "scores.json", "--components.dual_encoder_rel.threshold", "0.25")
    result = call(saved, *options, *output)
    assert result.exit_code == 0, result.output
    scores = srsly.read_json(saved / "scores.json")
    assert scores["predicates"] == ["OXIDISES", "UNUSED"] and scores["seed"] == 1
    assert scores["rejection"]["plain"]["threshold"]["thresholds"] == [0.25, 0.25]
    assert scores["generalised"]["documents"] == 12
    match("harmonic mean .* trained ones less .* Played unseen: (INHIBITS|ACTIVATES)", result.output)


def test_command_names_what_is_wrong(saved):
    result = call(saved, data="missing.spacy")
    assert result.exit_code == 1
    match("DR005.*missing.spacy", result.output)
    result = call(saved, "--trained-data", saved / "missing.spacy")
    assert result.exit_code == 1
    match("DR005.*missing.spacy", result.output)
    result = dualre("zero-shot", saved / "pipeline", saved / "new.spacy")
    assert result.exit_code == 1
    match("DR724.*BINDS, OXIDISES", result.output)


def test_command_warns_of_predicates_that_may_have_been_trained(saved):
    result = dualre("zero-shot", saved / "pipeline", saved / "trained.spacy")
    assert result.exit_code == 0
    match("DW829.*INHIBITS, ACTIVATES", result.output)
