"""Trainings that start from a trained pipeline: what is taken over, what starts anew, and what is refused."""

import gc
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
import torch
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    make_examples,
    optimizer,
    probabilities,
    train,
)
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example

from spacy_dualre import Relation
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.pipelines import load_pipeline
from spacy_dualre.training.reader import copy_mentions

OPEN = {
    "cls_fusion": False,
    "mean_fusion": True,
    "types_as_words": True,
    "learned_negative": True,
    "frozen_descriptions": True,
    "frozen_embeddings": True,
}
#: Every weight is trained.
FREE = {**OPEN, "frozen_descriptions": False, "frozen_embeddings": False}
#: No predicate and no type of the pipelines that are started from.
OTHER = {"BLOCKS": "{subject} stops {object}.", "STARTS": "{subject} sets off {object}."}
NEW_NAMES = {"INHIBITS": "BLOCKS", "ACTIVATES": "STARTS", "CHEMICAL": "Drug", "GENE": "ProteinComplex"}


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def other_examples(nlp: Language) -> List[Example]:
    """The three documents with other predicates and types."""
    examples = []
    for example in make_examples(nlp.vocab):
        doc = example.reference
        rels = [(rel.subject.start, NEW_NAMES[rel.predicate], rel.object.start) for rel in doc._.rels]
        doc.ents = [Span(doc, ent.start, ent.end, label=NEW_NAMES[ent.label_]) for ent in doc.ents]
        at = {ent.start: ent for ent in doc.ents}
        doc._.rels = [Relation(at[subject], predicate, at[object]) for subject, predicate, object in rels]
        examples.append(Example(copy_mentions(doc), doc))
    return examples


@pytest.fixture
def make(make_nlp: Callable[..., Language]) -> Callable[..., Language]:
    """A pipeline without a classifier that is not initialised; the keywords are the model's."""

    def made(**model: Any) -> Language:
        policy = {"@misc": "spacy-dualre.entity_pairs.v1", "type_pairs": "all"}
        return make_nlp(model={**OPEN, **model}, alpha=0.0, description_mode="generic", candidates=policy)

    return made


@pytest.fixture
def old(make: Callable[..., Language], tmp_path: Path) -> Callable[..., Path]:
    """The folder of a pipeline that was trained for some steps."""

    def made(folder: str = "old", **model: Any) -> Path:
        nlp = make(**model)
        nlp.get_pipe(NAME).initialize(lambda: make_examples(nlp.vocab), nlp=nlp, descriptions=DESCRIPTIONS)
        train(nlp, 3)
        nlp.to_disk(tmp_path / folder)
        return tmp_path / folder

    return made


@pytest.fixture
def start(make: Callable[..., Language]) -> Callable[..., Language]:
    """A pipeline that was initialised from another's folder on other predicates and types, and not trained."""

    def made(folder: Any, **model: Any) -> Language:
        nlp = make(name=str(folder), **model)
        nlp.get_pipe(NAME).initialize(lambda: other_examples(nlp), nlp=nlp, descriptions=OTHER)
        return nlp

    return made


def assert_same(left: Language, right: Language, tolerance: float = 1e-6) -> None:
    assert_close(probabilities(left, fresh_docs(left)), probabilities(right, fresh_docs(right)), tolerance)


def asked(folder: Path) -> Language:
    """A stored pipeline that is asked about the other predicates."""
    nlp = load_pipeline(folder)
    nlp.get_pipe(NAME).set_labels(OTHER)
    return nlp


# What is taken over


@pytest.mark.parametrize(
    "before, after",
    [
        ({}, {}),
        (FREE, FREE),
        ({}, FREE),
        (FREE, {}),
        (FREE, {"lora_rank": 2}),
        ({}, {"lora_rank": 2}),
        ({"lora_rank": 2}, {}),
        ({**FREE, "lora_rank": 2}, {"lora_rank": 3}),
        ({**FREE, "shared_encoder": True}, FREE),
        ({**FREE, "shared_encoder": True}, {**FREE, "shared_encoder": True}),
        ({"packed": True}, {"packed": True}),
    ],
    ids=str,
)
def test_without_a_step_it_scores_as_before(
    old: Callable[..., Path], start: Callable[..., Language], before: Dict[str, Any], after: Dict[str, Any]
) -> None:
    folder = old(**before)
    assert_same(start(folder, **after), asked(folder))


def test_the_scores_are_not_those_of_the_encoder(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    folder = old()
    bare = start(load_pipeline(folder).config["components"][NAME]["model"]["name"])
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_same(bare, asked(folder), 1e-4)


def test_a_shared_encoder_is_that_of_texts(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    folder = old()
    shared, before = network(start(folder, **FREE, shared_encoder=True)), network(load_pipeline(folder))
    found, expected = shared.text_encoder.state_dict(), before.text_encoder.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)


def test_heads_of_another_size_and_meaning_start_anew(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    folder = old()
    before = network(load_pipeline(folder)).state_dict()

    heads = ["text_projection.weight", "description_projection.bias", "norm.weight", "temperature", "negative"]

    def new(**model: Any) -> List[str]:
        state = network(start(folder, **model)).state_dict()
        return [name for name in heads if name in state and not torch.equal(state[name], before[name])]

    assert new() == []
    assert new(cls_fusion=True) == ["description_projection.bias"]
    assert new(learned_negative=False) == []
    assert new(mean_fusion=False) == heads


def test_markers_of_its_types_start_from_words(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    folder = old()
    nlp = start(folder, types_as_words=False)
    assert nlp.get_pipe(NAME).model.attrs["entity_types"] == ["Drug", "ProteinComplex", ""]
    markers = network(nlp).text_encoder.get_input_embeddings().markers.weight
    assert len(markers) == 12 and markers.detach().std() > 0
    assert other_examples(nlp)[0].predicted.ents and list(nlp.get_pipe(NAME).stream([other_examples(nlp)[0].predicted]))


def test_the_limit_holds_unless_it_is_set(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    folder = old(max_length=40)
    limits = [start(folder, **model).get_pipe(NAME).model.attrs["max_length"] for model in ({}, {"max_length": 64})]
    assert limits == [40, 64]
    with pytest.raises(ValueError, match="DR104.*128 pieces"):
        start(folder, max_length=129)


# What comes of it


@pytest.mark.parametrize("model", [{}, {"lora_rank": 4}, {**FREE, "lora_rank": 4}], ids=str)
def test_other_predicates_and_types_are_learnt(
    old: Callable[..., Path], start: Callable[..., Language], tmp_path: Path, model: Dict[str, Any]
) -> None:
    nlp = start(old(**FREE), **model)
    examples, sgd = other_examples(nlp), optimizer()
    losses = [nlp.update(examples, sgd=sgd)[NAME] for _ in range(40)]
    assert losses[-1] < losses[0] / 2
    shutil.rmtree(tmp_path / "old")
    nlp.to_disk(tmp_path / "new")
    assert_same(load_pipeline(tmp_path / "new"), nlp)


def test_a_classifier_may_be_added(make_nlp: Callable[..., Language], old: Callable[..., Path]) -> None:
    nlp = make_nlp(model={"name": str(old()), **OPEN})
    nlp.get_pipe(NAME).initialize(lambda: make_examples(nlp.vocab), nlp=nlp, descriptions=DESCRIPTIONS)
    assert network(nlp).classifier.out_features == 3
    examples, sgd = make_examples(nlp.vocab), optimizer()
    losses = [nlp.update(examples, sgd=sgd)[NAME] for _ in range(20)]
    assert losses[-1] < losses[0] * 0.8


# Without the frozen weights


@pytest.mark.parametrize("model", [{}, {"lora_rank": 2}, {**FREE, "lora_rank": 2}], ids=str)
@pytest.mark.parametrize("stored_whole", [True, False])
def test_frozen_weights_come_from_the_pipeline(
    old: Callable[..., Path],
    start: Callable[..., Language],
    tmp_path: Path,
    model: Dict[str, Any],
    stored_whole: bool,
) -> None:
    folder = old(store_frozen=stored_whole)
    nlp = start(folder, **model, store_frozen=False)
    nlp.update(other_examples(nlp), sgd=optimizer())
    nlp.to_disk(tmp_path / "new")
    expected = probabilities(nlp, fresh_docs(nlp))
    del nlp
    loaded = load_pipeline(tmp_path / "new")
    assert_close(probabilities(loaded, fresh_docs(loaded)), expected, 1e-7)
    # What is loaded would be shared
    del loaded
    gc.collect()
    # Of other weights, other sizes, and gone
    for other in (old("other", **FREE), old("shared", **FREE, shared_encoder=True)):
        shutil.rmtree(folder)
        other.rename(folder)
        with pytest.raises(ValueError, match=r"DR111.*old.*model\.name"):
            load_pipeline(tmp_path / "new")
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match="DR102"):
        load_pipeline(tmp_path / "new")


def test_weights_with_merged_adapters_are_stored(
    old: Callable[..., Path], start: Callable[..., Language], tmp_path: Path
) -> None:
    folder = old(lora_rank=2)
    nlp = start(folder, store_frozen=False)
    nlp.to_disk(tmp_path / "new")
    shutil.rmtree(folder)
    assert_same(load_pipeline(tmp_path / "new"), nlp)


def test_a_pipeline_over_the_one_that_it_lacks_is_refused(
    old: Callable[..., Path], start: Callable[..., Language]
) -> None:
    folder = old()
    start(folder, store_frozen=False).to_disk(folder)
    gc.collect()
    with pytest.raises(ValueError, match=r"DR117.*old"):
        load_pipeline(folder)


# What can be started from


def test_an_installed_package_is_read_and_not_imported(
    old: Callable[..., Path], start: Callable[..., Language], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old()
    package = tmp_path / "site" / "xx_general"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    shutil.copytree(folder, package / "xx_general-1.0.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    assert_same(start("xx_general"), asked(folder))


def test_it_may_find_mentions_too(old: Callable[..., Path], start: Callable[..., Language], tmp_path: Path) -> None:
    folder = old()
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(NAME, source=load_pipeline(folder))
    nlp.to_disk(tmp_path / "both")
    assert_same(start(tmp_path / "both"), asked(folder))


def without_component(folder: Path) -> None:
    shutil.rmtree(folder)
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(folder)


def damaged_config(folder: Path) -> None:
    (folder / "config.cfg").write_text("[components")


def damaged_weights(folder: Path) -> None:
    path = folder / NAME / "model"
    path.write_bytes(path.read_bytes()[:5000])


def missing_weights(folder: Path) -> None:
    (folder / NAME / "model").unlink()


@pytest.mark.parametrize(
    "change, code",
    [
        (without_component, "DR115"),
        (damaged_config, "DR113"),
        (damaged_weights, "DR113"),
        (missing_weights, "DR113"),
        (shutil.rmtree, "DR102"),
    ],
)
def test_what_cannot_be_read_is_named(
    old: Callable[..., Path], start: Callable[..., Language], change: Callable[[Path], Any], code: str
) -> None:
    folder = old()
    change(folder)
    with pytest.raises(ValueError, match=code) as raised:
        start(folder)
    assert repr(str(folder)) in str(raised.value) and "model.name" in str(raised.value)


def test_one_that_was_never_trained_is_refused(
    make: Callable[..., Language], start: Callable[..., Language], tmp_path: Path
) -> None:
    make().to_disk(tmp_path / "new")
    with pytest.raises(ValueError, match="DR115"):
        start(tmp_path / "new")


def test_one_with_markers_of_its_types_is_refused(old: Callable[..., Path], start: Callable[..., Language]) -> None:
    with pytest.raises(ValueError, match="DR116.*types_as_words"):
        start(old(types_as_words=False))


@pytest.mark.parametrize("block", ["tokenizer_config", "transformer_config"])
def test_settings_of_an_encoder_are_refused(
    old: Callable[..., Path], start: Callable[..., Language], block: str
) -> None:
    with pytest.raises(ValueError, match=f"DR114.*{block}"):
        start(old(), **{block: {"x": 1}})
