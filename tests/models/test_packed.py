"""Markers beside the text: what they see, that candidates do not see each other, training, and which encoders can."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy
import pytest
import spacy
import torch
from helpers.letters import LetterTokenizer, marked_texts
from helpers.pipelines import (
    DESCRIPTIONS,
    NAME,
    assert_close,
    fresh_docs,
    make_doc,
    make_examples,
    optimizer,
    overfit,
    probabilities,
    rels,
    save_bert,
    train,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc
from transformers import (
    AlbertConfig,
    AutoModel,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
)

from spacy_dualre.candidates.entity_pairs import entity_pairs
from spacy_dualre.instances.descriptions import parse_descriptions
from spacy_dualre.instances.maker import InstanceMaker
from spacy_dualre.models.dual_encoder import get_batches, get_network
from spacy_dualre.models.pieces import Pieces
from spacy_dualre.models.pytorch.device import to_device
from spacy_dualre.models.pytorch.network import hidden_states
from spacy_dualre.models.tokenize import _block, tokenize_levitated, tokenize_texts
from spacy_dualre.types import Instance, MarkedText, Query

PACKED = {"packed": True}


@pytest.fixture
def packed(make_nlp: Callable[..., Language]) -> Callable[..., Language]:
    """A pipeline with markers beside the text, initialised on the three documents; the keywords are the model's."""

    def make(settings: Dict[str, Any] = {}, **model: Any) -> Language:
        nlp = make_nlp(model={**PACKED, **model}, **settings)
        examples = make_examples(nlp.vocab)
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
        return nlp

    return make


def network(nlp: Language) -> Any:
    return get_network(nlp.get_pipe(NAME).model)


def states(net: Any, batches: Any) -> Tuple[torch.Tensor, torch.Tensor]:
    """The states at the start markers of subject and object, end to end, and at [CLS], of all pairs."""
    hidden = [(batch, hidden_states(net.text_encoder, batch)) for batch in to_device(batches, torch.device("cpu"))]
    marks = [found[batch.rows[:, None], batch.marks].flatten(1) for batch, found in hidden]
    return torch.cat(marks), torch.cat([found[batch.rows, 0] for batch, found in hidden])


def many_mentions(nlp: Language, n: int, filler: int = 1) -> Doc:
    """A sentence with n drugs, each followed by a gene: n * n candidates."""
    words = [("in", ""), ("platelets", "")]
    for i in range(n):
        words += [(f"Aspirin{i}", "CHEMICAL"), ("inhibits", ""), (f"COX-{i}", "GENE"), *[("platelets", "")] * filler]
    return make_doc(nlp.vocab, words)


def instances(nlp: Language, docs: List[Doc]) -> List[Instance]:
    rel = nlp.get_pipe(NAME)
    make = InstanceMaker(list(rel.label_data), parse_descriptions(rel.label_data), 100, "adapted")
    return make([candidate for doc in docs for candidate in rel.get_candidates(doc)])


# What a marker sees


def by_hand(
    nlp: Language, text: str, spans: List[Tuple[int, int]], seen: Optional[List[int]] = None
) -> Tuple[torch.Tensor, torch.Tensor]:
    """Hidden states of the two start markers of one candidate, end to end, and of [CLS]: the text alone through the
    encoder, then the four markers layer by layer, each looking at the text's states and at their own.

    spans: where the subject, a drug, and the object, a gene, are, in pieces of the text with [CLS]. seen: the pieces
    that the markers see; None: all.
    """
    encoder = network(nlp).text_encoder
    tokenizer = get_batches(nlp.get_pipe(NAME).model).pieces.tokenizer
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    of_text = encoder(input_ids=ids, output_hidden_states=True).hidden_states
    markers = tokenizer.convert_tokens_to_ids(["<S:CHEMICAL>", "</S:CHEMICAL>", "<O:GENE>", "</O:GENE>"])
    table = encoder.embeddings
    # Encoders of the RoBERTa kind count from behind the position of the padding
    first = getattr(table, "padding_idx", -1) + 1
    places = torch.tensor([place + first for start, end in spans for place in (start, end - 1)])
    states = table.word_embeddings(torch.tensor(markers)) + table.position_embeddings(places)
    states = table.LayerNorm(states + table.token_type_embeddings.weight[0])
    for layer, pieces in zip(encoder.encoder.layer, of_text, strict=False):
        attention = layer.attention.self
        heads = attention.num_attention_heads

        def split(x: torch.Tensor, heads: int = heads) -> torch.Tensor:
            return x.view(len(x), heads, -1).transpose(0, 1)

        visible = pieces[0] if seen is None else pieces[0, seen]
        everything = torch.cat([visible, states])
        query, key, value = (
            split(attention.query(states)),
            split(attention.key(everything)),
            attention.value(everything),
        )
        weights = (query @ key.transpose(1, 2) / key.shape[-1] ** 0.5).softmax(-1)
        context = (weights @ split(value)).transpose(0, 1).flatten(1)
        attended = layer.attention.output.LayerNorm(layer.attention.output.dense(context) + states)
        grown = torch.nn.functional.gelu(layer.intermediate.dense(attended))
        states = layer.output.LayerNorm(layer.output.dense(grown) + attended)
    return states[[0, 2]].flatten(), of_text[-1][0, 0]


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta", "two layers"])
def test_markers_see_the_text_and_their_own_pair(
    packed: Callable[..., Language], encoders: Dict[str, Path], tmp_path: Path, kind: str
) -> None:
    folder = encoders[kind] if kind in encoders else save_bert(tmp_path / "deep", lowercase=True, layers=2)
    nlp = packed(name=str(folder))
    doc = many_mentions(nlp, 3)
    given = instances(nlp, [doc])
    model = nlp.get_pipe(NAME).model
    maker, tokenizer = get_batches(model), get_batches(model).pieces.tokenizer
    batches, order, _ = maker.texts(given)
    assert [len(batch.ids) for batch in batches] == [1] and len(given) == 9
    net = network(nlp).eval()
    text = " ".join(token.text for token in doc)
    n_pieces = [
        len(tokenizer((" " if i else "") + token.text, add_special_tokens=False)["input_ids"])
        for i, token in enumerate(doc)
    ]
    assert sum(n_pieces) + 2 == len(tokenizer(text)["input_ids"])
    ends = numpy.cumsum(n_pieces) + 1
    with torch.no_grad():
        marks, cls = states(net, batches)
        for place, instance in zip(order, given, strict=True):
            spans = [(int(ends[m.start] - n_pieces[m.start]), int(ends[m.end - 1])) for m in instance.text.marks]
            expected, expected_cls = by_hand(nlp, text, spans)
            torch.testing.assert_close(marks[place], expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(cls[place], expected_cls, atol=1e-5, rtol=1e-5)
    assert (marks - marks[0]).abs().max() > 1e-2


@pytest.mark.parametrize("context", [0, 14])
def test_candidates_across_sentences_share_the_text_and_see_their_own_part(
    packed: Callable[..., Language], tmp_path: Path, context: int
) -> None:
    nlp = packed({"context": context}, name=str(save_bert(tmp_path / "deep", lowercase=True, layers=2)))
    words = [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE"), ("in", ""), ("platelets", "")]
    words += [("losartan", "CHEMICAL"), ("but", ""), ("not", ""), ("in", ""), ("platelets", ""), ("COX-2", "GENE")]
    words += [("in", ""), ("platelets", ""), ("not", ""), ("inhibits", "")]
    doc = make_doc(nlp.vocab, words, sent_starts=[0, 5, 10])
    rel, model = nlp.get_pipe(NAME), nlp.get_pipe(NAME).model
    rel.candidates = entity_pairs(max_sentences=2, type_pairs=[["CHEMICAL", "GENE"]])
    make = InstanceMaker(list(rel.label_data), parse_descriptions(rel.label_data), context, "adapted")
    given = make(rel.get_candidates(doc))
    # The words that are read of each candidate: its sentences and the context around them
    windows = {0: [(0, 5), (0, 15), (0, 10), (5, 15)], 14: [(0, 10), (0, 15), (0, 12), (3, 15)]}[context]
    assert [i.text.window for i in given] == windows and [i.text.crossing for i in given] == [False, True, True, True]
    model.predict(Query(given))
    batches, order, _ = get_batches(model).texts(given)
    tokenizer, net = get_batches(model).pieces.tokenizer, network(nlp).eval()
    n_pieces = [len(tokenizer(token.text, add_special_tokens=False)["input_ids"]) for token in doc]
    assert sum(len(batch.ids) for batch in batches) == 2
    with torch.no_grad():
        marks, cls = states(net, batches)
        for place, instance in zip(order, given, strict=True):
            text = instance.text
            first, last = (0, len(doc)) if text.crossing else text.window
            starts = numpy.concatenate([[0], numpy.cumsum(n_pieces[first:last])]) + 1
            spans = [(int(starts[m.start - first]), int(starts[m.end - first])) for m in text.marks]
            own = range(int(starts[text.window[0] - first]), int(starts[text.window[1] - first]))
            expected = by_hand(nlp, doc[first:last].text, spans, [0, *own, int(starts[-1])])
            torch.testing.assert_close(marks[place], expected[0], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(cls[place], expected[1], atol=1e-5, rtol=1e-5)


def test_candidates_across_more_than_a_block_are_read_alone(packed: Callable[..., Language]) -> None:
    nlp = packed(max_length=48)
    words = [("Aspirin", "CHEMICAL"), *[("platelets", "")] * 3000, ("COX-1", "GENE"), ("losartan", "CHEMICAL")]
    doc = make_doc(nlp.vocab, words, sent_starts=[0, 1500, 3002])
    rel = nlp.get_pipe(NAME)
    rel.candidates = entity_pairs(max_sentences=None, type_pairs=[["CHEMICAL", "GENE"]])
    given = instances(nlp, [doc])
    assert [instance.text.crossing for instance in given] == [True, True]
    scores = rel.model.predict(Query(given))
    batches, _, _ = get_batches(rel.model).texts(given)
    assert sum(len(batch.ids) for batch in batches) == 2 and scores.shortened.words == 2
    assert numpy.isfinite(scores.similarity).all() and scores.shortened.mentions == 0
    for i, instance in enumerate(given):
        alone = rel.model.predict(Query([instance]))
        numpy.testing.assert_allclose(scores.logits[i], alone.logits[0], atol=1e-5)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 60), st.integers(0, 30), st.integers(0, 60), st.integers(1, 40))
def test_a_window_that_is_not_too_long_is_in_a_block(start: int, length: int, rest: int, budget: int) -> None:
    end, total = start + length, start + length + rest
    begin = _block(start, end, total, budget)
    if begin is None:
        assert length > budget - budget // 2
    else:
        assert 0 <= begin <= start and end <= begin + budget
        # Nothing but the text's end shortens a block, and there are few
        assert begin + budget <= max(total, budget)
        assert begin % max(budget // 2, 1) == 0 or begin == total - budget


@pytest.mark.parametrize("per_pass", [1, 2, 4, 64])
@pytest.mark.parametrize("kind, mean_fusion", [("bert-uncased", False), ("roberta", False), ("bert-uncased", True)])
def test_scores_do_not_depend_on_which_candidates_share_a_pass(
    packed: Callable[..., Language],
    encoders: Dict[str, Path],
    kind: str,
    mean_fusion: bool,
    per_pass: int,
) -> None:
    nlp = packed(name=str(encoders[kind]), batch_tokens=300, mean_fusion=mean_fusion)
    model = nlp.get_pipe(NAME).model
    given = instances(nlp, [*fresh_docs(nlp), many_mentions(nlp, 3), many_mentions(nlp, 2, filler=9)])
    alone = [model.predict(Query([instance])) for instance in given]
    get_batches(model).per_pass = per_pass
    together = model.predict(Query(given))
    for i, one in enumerate(alone):
        numpy.testing.assert_allclose(together.similarity[i], one.similarity[0], atol=1e-5)
        numpy.testing.assert_allclose(together.logits[i], one.logits[0], atol=1e-5)
    assert numpy.ptp(together.logits, axis=0).min() > 1e-2


def test_passes_may_be_longer_than_the_encoder_has_positions(packed: Callable[..., Language]) -> None:
    nlp = packed({"context": 0})
    given = instances(nlp, [many_mentions(nlp, 9)])
    model = nlp.get_pipe(NAME).model
    scores = model.predict(Query(given))
    batches, _, _ = get_batches(model).texts(given)
    assert len(given) == 81 and max(batch.ids.shape[1] for batch in batches) > 130
    for i in (0, 40, 80):
        alone = model.predict(Query([given[i]]))
        numpy.testing.assert_allclose(scores.similarity[i], alone.similarity[0], atol=1e-5)


# Training, and storing what was trained


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
def test_overfitting_and_round_trip(
    packed: Callable[..., Language], encoders: Dict[str, Path], tmp_path: Path, kind: str
) -> None:
    nlp = packed(name=str(encoders[kind]))
    examples, loss = overfit(nlp)
    assert loss < 0.1
    assert nlp.evaluate(examples)["rels_f"] == 1.0
    expected = [rels(doc) for doc in nlp.pipe(fresh_docs(nlp))]
    assert any(expected)
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert get_batches(loaded.get_pipe(NAME).model).packed
    assert_close(probabilities(loaded, fresh_docs(loaded)), probabilities(nlp, fresh_docs(nlp)))
    assert [rels(doc) for doc in loaded.pipe(fresh_docs(loaded))] == expected


def test_scores_are_not_those_of_markers_in_the_text(packed: Callable[..., Language], tmp_path: Path) -> None:
    nlp = packed()
    nlp.to_disk(tmp_path / "pipeline")
    config = {f"components.{NAME}.model.run.packed": False}
    exact = spacy.load(tmp_path / "pipeline", config=config)
    found, expected = probabilities(nlp, fresh_docs(nlp)), probabilities(exact, fresh_docs(exact))
    assert max(numpy.abs(found[key] - expected[key]).max() for key in found) > 1e-3


# Encoders


OTHERS: Dict[str, Callable[..., Any]] = {
    "distilbert": lambda **sizes: DistilBertConfig(dim=16, n_layers=2, hidden_dim=32, n_heads=2, **sizes),
    "deberta": lambda **sizes: DebertaV2Config(
        hidden_size=16, num_hidden_layers=2, relative_attention=True, position_biased_input=False, **sizes
    ),
    "deberta with positions": lambda **sizes: DebertaV2Config(hidden_size=16, num_hidden_layers=2, **sizes),
    "albert": lambda **sizes: AlbertConfig(embedding_size=8, hidden_size=16, num_hidden_layers=2, **sizes),
    "mpnet": lambda **sizes: MPNetConfig(hidden_size=16, num_hidden_layers=2, **sizes),
    "modernbert": lambda **sizes: ModernBertConfig(hidden_size=16, num_hidden_layers=2, **sizes),
    "electra": lambda **sizes: ElectraConfig(embedding_size=8, hidden_size=16, num_hidden_layers=2, **sizes),
}


def save_other(folder: Path, encoder: str, kind: str) -> str:
    shutil.copytree(encoder, folder)
    vocab_size = len(Path(encoder, "vocab.txt").read_text().splitlines())
    sizes = {"vocab_size": vocab_size, "num_attention_heads": 2, "max_position_embeddings": 130}
    config = OTHERS[kind](intermediate_size=32, pad_token_id=0, **sizes)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    return str(folder)


def test_a_vocabulary_may_be_larger_than_the_tokenizers(
    packed: Callable[..., Language], encoder: str, tmp_path: Path
) -> None:
    shutil.copytree(encoder, tmp_path / "larger")
    config = BertConfig.from_pretrained(encoder)
    config.vocab_size += 40
    BertModel(config).save_pretrained(tmp_path / "larger")
    nlp = packed(name=str(tmp_path / "larger"))
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert_close(probabilities(loaded, fresh_docs(loaded)), probabilities(nlp, fresh_docs(nlp)))


@pytest.mark.parametrize("kind", sorted(OTHERS.keys() - {"electra"}))
def test_encoders_whose_pieces_cannot_be_placed_are_refused(
    packed: Callable[..., Language], encoder: str, tmp_path: Path, kind: str
) -> None:
    with pytest.raises(ValueError, match=r"DR108.*other.*packed = false"):
        packed(name=save_other(tmp_path / "other", encoder, kind))


def test_encoder_whose_pieces_cannot_be_placed_is_refused_at_loading(
    make_nlp: Callable[..., Language], encoder: str, tmp_path: Path
) -> None:
    nlp = make_nlp(model={"name": save_other(tmp_path / "other", encoder, "mpnet")})
    examples = make_examples(nlp.vocab)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    nlp.to_disk(tmp_path / "pipeline")
    setting = {f"components.{NAME}.model.run.packed": True}
    loaded = spacy.load(tmp_path / "pipeline", config=setting)
    with pytest.raises(ValueError, match="DR108.*other"):
        loaded(fresh_docs(loaded)[0])


def test_other_encoders_with_positions_are_trained(
    packed: Callable[..., Language], encoder: str, tmp_path: Path
) -> None:
    nlp = packed(name=save_other(tmp_path / "other", encoder, "electra"))
    before = nlp.update(make_examples(nlp.vocab), sgd=optimizer())[NAME]
    assert train(nlp, steps=60)[1] < before / 2


# From words to ids


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
def test_a_text_that_is_too_long_keeps_the_marked_mentions(
    packed: Callable[..., Language], encoders: Dict[str, Path], kind: str
) -> None:
    nlp = packed(name=str(encoders[kind]), max_length=48)
    filler = [("platelets", "")] * 200
    words = [*filler, ("Aspirin", "CHEMICAL"), *filler, ("COX-1", "GENE"), *filler, ("losartan", "CHEMICAL"), *filler]
    given = instances(nlp, [make_doc(nlp.vocab, words)])
    model = nlp.get_pipe(NAME).model
    tokenizer = get_batches(model).pieces.tokenizer
    scores = model.predict(Query(given))
    assert numpy.isfinite(scores.similarity).all() and scores.shortened.words == 2 and scores.shortened.mentions == 0
    batches, order, _ = get_batches(model).texts(given)
    found = [(batch, row, start) for batch in batches for row, (start, _) in zip(batch.rows, batch.marks, strict=True)]
    for place, names in zip(order, (("Aspirin", "COX-1"), ("losartan", "COX-1")), strict=True):
        batch, row, start = found[place]
        assert start <= 48 and batch.mask[row, 0].sum() == start
        places = batch.positions[row, start : start + 4] - get_batches(model).first_position
        for name, first, last in zip(names, places[::2], places[1::2], strict=True):
            pieces = tokenizer(" " + name, add_special_tokens=False)["input_ids"]
            assert batch.ids[row, first : last + 1].tolist() == pieces


@settings(max_examples=300, deadline=None)
@given(marked_texts(), st.integers(8, 60))
def test_the_text_is_shortened_as_with_markers_in_it(text: MarkedText, max_length: int) -> None:
    pieces = Pieces(LetterTokenizer())
    ids, _ = pieces.markers([text])
    beside, shortened = tokenize_levitated([text], pieces, max_length)
    within, shortened_within = tokenize_texts([text], pieces, max_length + 4)
    markers = [ids[token] for token in ("<S:C>", "</S:C>", "<O:G>", "</O:G>")]
    assert beside.ids.tolist() == [i for i in within.ids.tolist() if i not in markers]
    assert shortened == shortened_within and beside.lengths.tolist() == [len(beside.ids)]
    assert beside.marker_ids is not None and beside.marker_positions is not None
    assert beside.marker_ids.tolist() == [markers]
    # The places of the first and the last piece of each mention that is left
    for mark, first, last in zip(text.marks, *beside.marker_positions[0].reshape(2, 2).T, strict=True):
        left = [i for i in beside.ids.tolist() if chr(i) in "".join(text.words[mark.start : mark.end])]
        if left:
            assert beside.ids[first : last + 1].tolist() == left
        assert 1 <= first <= last < len(beside.ids)


def test_candidates_of_one_window_share_a_sequence(packed: Callable[..., Language]) -> None:
    nlp = packed()
    given = [
        instance.text for instance in instances(nlp, [many_mentions(nlp, 2), many_mentions(nlp, 2), *fresh_docs(nlp)])
    ]
    tokenizer = get_batches(nlp.get_pipe(NAME).model).pieces.tokenizer
    sequences, shortened = tokenize_levitated(given, Pieces(tokenizer), 128)
    # The second is the first again; each of the others has its own, with all of its sentences around
    assert sequences.rows.tolist() == [0] * 8 + [1, 1, 2, 2, 2, 3, 3]
    assert len(sequences.lengths) == shortened.total == 4
