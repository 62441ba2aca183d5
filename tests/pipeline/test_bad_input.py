"""Bad input and extreme input: a clear error or a defined result, never a traceback from the depths."""

import random
import shutil
import warnings

import pytest
import spacy
import srsly
from helpers.pipelines import DESCRIPTIONS, make_doc, make_examples, optimizer
from spacy.training import Example

from spacy_dualre import Relation

NAME = "dual_encoder_rel"


def initialize(nlp, examples, **settings):
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, **{"descriptions": DESCRIPTIONS, **settings})


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"prediction": "best"}, "DR004.*prediction"),
        ({"alpha": 1.5}, "DR001"),
        ({"threshold": -0.1}, "DR001"),
        ({"threshold": {"INHIBITS": 0.5}}, "threshold"),
        ({"max_candidates_per_batch": 0}, "DR002.*max_candidates_per_batch"),
        ({"context": -1}, "DR002.*context"),
        ({"negatives_per_positive": -1.0}, "DR163"),
        ({"description_mode": "none"}, "DR004.*description_mode"),
    ],
)
def test_setting_out_of_range(make_nlp, settings, code):
    with pytest.raises(ValueError, match=code):
        make_nlp(**settings)


def test_misspelt_setting(make_nlp):
    with pytest.raises(ValueError, match="treshold"):
        make_nlp(treshold=0.5)


def test_symmetric_names_an_unknown_predicate(trained):
    with pytest.raises(ValueError, match="DR162.*symmetric.*INHIBTS"):
        trained(symmetric=["INHIBTS"])


def test_not_initialised(make_nlp):
    nlp = make_nlp()
    with pytest.raises(ValueError, match="DR101"):
        nlp(make_examples(nlp.vocab)[0].predicted)


def test_nothing_to_learn(make_nlp):
    nlp = make_nlp()
    doc = make_doc(nlp.vocab, [("Aspirin", "CHEMICAL"), ("works", "")])
    with pytest.raises(ValueError, match="DR168"):
        initialize(nlp, [Example(doc.copy(), doc)], descriptions=None)


def test_relations_missing_on_the_reference_documents(make_nlp):
    nlp = make_nlp()
    examples = make_examples(nlp.vocab)
    # As in a DocBin without user data
    for example in examples:
        example.reference.user_data.clear()
    with pytest.raises(ValueError, match="DR174.*3 training documents.*convert rel-component.*store_user_data"):
        initialize(nlp, examples)


def test_entities_missing_on_the_predicted_documents(make_nlp):
    nlp = make_nlp()
    references = [example.reference for example in make_examples(nlp.vocab)]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in references]
    with pytest.raises(ValueError, match="DR169.*4 entity missing"):
        initialize(nlp, examples)


def test_no_entities_at_all(make_nlp):
    nlp = make_nlp()
    doc = make_doc(nlp.vocab, [("nothing", "")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="DR170"):
            nlp.get_pipe(NAME).initialize(lambda: [Example(doc.copy(), doc)], nlp=nlp, labels=DESCRIPTIONS)


def test_gold_without_candidates_is_reported_by_reason(make_nlp):
    nlp = make_nlp()
    examples = make_examples(nlp.vocab)
    words = [("A", "CHEMICAL"), (".", ""), ("B", "GENE"), (".", "")]
    other_sentence = make_doc(nlp.vocab, words, [(0, "INHIBITS", 1)], sent_starts=(0, 2))
    examples.append(Example(make_doc(nlp.vocab, words, sent_starts=(0, 2)), other_sentence))
    with pytest.warns(UserWarning, match="DW163.*1 of 5 gold relations.*1 other sentence"):
        initialize(nlp, examples)


def test_gold_with_an_impossible_predicate_is_reported(make_nlp):
    nlp = make_nlp()
    described = {**DESCRIPTIONS, "ACTIVATES": {"GENE|GENE": "{subject} activates {object}."}}
    with pytest.warns(UserWarning, match="DW163.*2 of 4 gold relations.*2 predicate has no description"):
        initialize(nlp, make_examples(nlp.vocab), descriptions=described)


def test_labels_and_descriptions_that_do_not_match(make_nlp):
    nlp = make_nlp()
    with pytest.warns(UserWarning) as caught:
        initialize(
            nlp,
            make_examples(nlp.vocab),
            descriptions={"INHIBITS": "{subject} inhibits {object}", "BINDS": "{subject} binds {object}"},
        )
    messages = " ".join(str(warning.message) for warning in caught)
    assert "DW161" in messages and "'ACTIVATES'" in messages
    assert "DW162" in messages and "'BINDS'" in messages
    assert set(nlp.get_pipe(NAME).labels) == {"INHIBITS", "BINDS", "ACTIVATES"}


def test_description_without_placeholder(make_nlp):
    nlp = make_nlp()
    with pytest.raises(ValueError, match="DR048.*INHIBITS.*lacks {object}"):
        initialize(nlp, make_examples(nlp.vocab), descriptions={"INHIBITS": "{subject} inhibits it"})


def test_negative_description_must_hold_for_every_pair_of_types(make_nlp):
    nlp = make_nlp()
    described = {**DESCRIPTIONS, "no_relation": {"CHEMICAL|GENE": "{subject}, {object}"}}
    with pytest.raises(ValueError, match="DR166"):
        initialize(nlp, make_examples(nlp.vocab), descriptions=described)


def test_unknown_label_in_gold_after_initialisation(trained):
    nlp = trained()
    examples = make_examples(nlp.vocab)
    doc = examples[1].reference
    doc.user_data["doc_id"] = "D17"
    doc._.rels = [doc._.rels[0]._replace(predicate="COOKS")]
    with pytest.raises(ValueError, match="DR150.*D17.*COOKS"):
        nlp.update(examples, sgd=optimizer())


def test_relation_to_a_span_that_does_not_exist(trained):
    nlp = trained()
    doc, other = (example.reference for example in make_examples(nlp.vocab)[:2])
    with pytest.raises(ValueError, match="DR020.*span of this Doc"):
        doc._.rels = [Relation(doc.ents[0], "INHIBITS", other.ents[0])]
    with pytest.raises(ValueError, match="DR021"):
        doc._.rels = ["Aspirin inhibits COX-1"]


def test_gold_relation_between_spans_that_are_no_mentions_counts_as_missing(trained):
    nlp = trained(threshold=1.0)
    example = make_examples(nlp.vocab)[0]
    doc = example.reference
    doc._.rels = [Relation(doc[1:2], "INHIBITS", doc[3:4])]
    assert nlp.update([example], sgd=optimizer())[NAME] > 0
    scores = nlp.evaluate([example])
    assert scores["rels_r"] == 0.0 and scores["rels_f"] == 0.0


def test_type_that_was_never_seen_is_left_out_once(trained):
    nlp = trained(threshold=0.0, candidates={"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"})
    words = [("Aspirin", "CHEMICAL"), ("in", ""), ("Basel", "CITY"), ("hits", ""), ("COX-1", "GENE")]
    with pytest.warns(UserWarning, match="DW165.*CITY") as caught:
        docs = [nlp(make_doc(nlp.vocab, words)) for _ in range(2)]
    assert len(caught) == 1
    assert [{span.text for rel in doc._.rels for span in (rel.subject, rel.object)} for doc in docs] == [
        {"Aspirin", "COX-1"}
    ] * 2


def test_three_hundred_entities_in_one_doc(trained):
    nlp = trained(threshold=0.0)
    words = [(f"w{i}", "CHEMICAL" if i % 2 else "GENE") for i in range(300)]
    doc = make_doc(nlp.vocab, words, sent_starts=range(0, 300, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(nlp(doc)._.rels) == 30 * 25


def test_mention_longer_than_the_window(trained):
    nlp = trained(threshold=0.0)
    doc = make_doc(nlp.vocab, [("long", "")] * 400 + [("hits", ""), ("COX-1", "GENE")])
    long_mention = spacy.tokens.Span(doc, 0, 400, label="CHEMICAL")
    doc.ents = [long_mention, *doc.ents]
    with pytest.warns(UserWarning, match="DW166.*within a mention"):
        (rel,) = nlp(doc)._.rels
    assert (rel.subject.start, rel.subject.end, rel.object.text) == (0, 400, "COX-1")


def test_sentence_of_three_thousand_tokens(trained):
    nlp = trained(threshold=0.0)
    words = [("Aspirin", "CHEMICAL"), *[("and", "")] * 3000, ("COX-1", "GENE")]
    with pytest.warns(UserWarning, match="DW166"):
        assert len(nlp(make_doc(nlp.vocab, words))._.rels) == 1


def damaged(data, rng):
    """The bytes cut, with a few bits flipped, or without a part."""
    data, place = bytearray(data), rng.randrange(len(data))
    way = rng.choice(["cut", "flip", "drop"])
    if way == "flip":
        for _ in range(20):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(data)
    return bytes(data[:place] if way == "cut" else data[:place] + data[place + 20 :])


def test_damaged_bytes_are_said_to_be(trained):
    """Whatever the libraries below raise; a few bits of the weights may change unseen."""
    rel = trained().get_pipe(NAME)
    stored = srsly.msgpack_loads(rel.to_bytes(exclude=["vocab"]))
    stored["cfg"] = stored["cfg"].encode()
    rng, n_refused = random.Random(0), 0
    for i in range(60):
        part = "cfg" if i % 4 == 0 else "model"
        try:
            rel.from_bytes(srsly.msgpack_dumps({**stored, part: damaged(stored[part], rng)}), exclude=["vocab"])
        except ValueError as err:
            assert "DR171" in str(err) and err.__cause__ is not None
            n_refused += 1
    assert n_refused > 30


def test_a_bug_is_not_taken_for_damage(trained, monkeypatch):
    rel = trained().get_pipe(NAME)
    data = rel.to_bytes()

    def bug(*args, **kwargs):
        raise NameError("name 'x' is not defined")

    monkeypatch.setattr(type(rel.model), "from_bytes", bug)
    with pytest.raises(NameError):
        rel.from_bytes(data)


@pytest.mark.parametrize("damage", ["missing cfg", "missing model", "cut model", "broken cfg", "foreign model"])
def test_damaged_model_folder(trained, tmp_path, damage):
    nlp = trained()
    nlp.to_disk(tmp_path / "pipeline")
    folder = tmp_path / "pipeline" / NAME
    what, file = damage.split()
    if what == "missing":
        (folder / file).unlink()
    elif what == "cut":
        (folder / file).write_bytes((folder / file).read_bytes()[:5000])
    elif what == "broken":
        (folder / file).write_text("{")
    else:
        shutil.copy(tmp_path / "pipeline" / "tokenizer", folder / file)
    with pytest.raises(ValueError, match=f"DR171.*{NAME}"):
        spacy.load(tmp_path / "pipeline")


@pytest.mark.parametrize("content", [None, "empty folder", "config only"])
def test_wrong_encoder_folder(make_nlp, encoder, tmp_path, content):
    folder = tmp_path / "wrong"
    if content:
        folder.mkdir()
    if content == "config only":
        shutil.copy(f"{encoder}/config.json", folder)
    nlp = make_nlp(model={"name": str(folder)})
    with pytest.raises(ValueError, match="DR102.*wrong"):
        initialize(nlp, make_examples(nlp.vocab))
