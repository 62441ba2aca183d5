"""Small pipelines with random one-layer encoders, and a few annotated Docs."""

from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy
import spacy
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, BertTokenizerFast, RobertaConfig, RobertaModel, RobertaTokenizerFast

from spacy_dualre import Relation
from spacy_dualre.models.blocks import NETWORK, RUN
from spacy_dualre.pipeline import decode
from spacy_dualre.training.reader import copy_mentions

NAME = "dual_encoder_rel"


SENTENCES = [
    "Aspirin inhibits COX-1 in platelets, while warfarin does not bind the serotonin transporter.",
    "Isoprenaline activates the beta-1 receptor, and propranolol blocks the beta-2 receptor.",
    "The enzyme CYP2C9 oxidises losartan; its product blocks the AT1 receptor.",
]


DESCRIPTIONS = {
    "no_relation": "{subject} has nothing to do with {object}.",
    "INHIBITS": "{subject} lowers the activity of {object}.",
    "ACTIVATES": "{subject} raises the activity of {object}.",
}


SIZES: Dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 130,
}


def save_bert(folder: Path, lowercase: bool, layers: int = 1, positions: int = 128) -> Path:
    """A random encoder with a WordPiece tokenizer."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(_texts(), trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    folder.mkdir(parents=True)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("\n".join(piece for piece, _ in vocabulary), encoding="utf8")
    BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=lowercase, model_max_length=positions).save_pretrained(
        folder
    )
    torch.manual_seed(0)
    sizes = {**SIZES, "num_hidden_layers": layers, "max_position_embeddings": positions + 2}
    config = BertConfig(vocab_size=len(vocabulary), **sizes)
    BertModel(config).save_pretrained(folder)
    return folder


def save_roberta(folder: Path) -> Path:
    """A random encoder with a byte-level BPE tokenizer."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    folder.mkdir(parents=True)
    RobertaTokenizerFast(tokenizer_object=tokenizer, model_max_length=128).save_pretrained(folder)
    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=tokenizer.get_vocab_size(), pad_token_id=1, **SIZES)
    RobertaModel(config).save_pretrained(folder)
    return folder


def _texts() -> List[str]:
    words = "subject object end of chemical gene has a relation to there is no between and"
    return [*SENTENCES, *DESCRIPTIONS.values(), words] * 3


def in_blocks(model: Dict[str, Any]) -> Dict[str, Any]:
    """Settings of the model, with those of the network and the run in the blocks that configs have."""
    own = {key: value for key, value in model.items() if key not in NETWORK and key not in RUN}
    blocks = {
        block: {key: value for key, value in model.items() if key in known}
        for block, known in (("network", NETWORK), ("run", RUN))
    }
    return {**{block: values for block, values in blocks.items() if values}, **own}


def make_doc(
    vocab: Any,
    text_with_types: Sequence[Tuple[str, str]],
    relations: Sequence[Tuple[int, str, int]] = (),
    sent_starts: Sequence[int] = (0,),
) -> Doc:
    """A Doc from (token, entity type or "") pairs: each typed token is a mention; relations by number of mention."""
    words = [word for word, _ in text_with_types]
    starts = [i in sent_starts for i in range(len(words))] if sent_starts else None
    doc = Doc(vocab, words=words, sent_starts=starts)
    doc.ents = [Span(doc, i, i + 1, label=type) for i, (_, type) in enumerate(text_with_types) if type]
    doc._.rels = [Relation(doc.ents[s], predicate, doc.ents[o]) for s, predicate, o in relations]
    return doc


def make_examples(vocab: Any) -> List[Example]:
    """Three annotated documents with two predicates and unrelated pairs; the predicted Docs have the mentions only."""
    docs = [
        make_doc(
            vocab,
            [
                ("Aspirin", "CHEMICAL"),
                ("inhibits", ""),
                ("COX-1", "GENE"),
                ("but", ""),
                ("not", ""),
                ("COX-3", "GENE"),
                (".", ""),
            ],
            [(0, "INHIBITS", 1)],
        ),
        make_doc(
            vocab,
            [
                ("Isoprenaline", "CHEMICAL"),
                ("activates", ""),
                ("ADRB1", "GENE"),
                ("and", ""),
                ("warfarin", "CHEMICAL"),
                (".", ""),
            ]
            + [("Propranolol", "CHEMICAL"), ("inhibits", ""), ("ADRB2", "GENE"), (".", "")],
            [(0, "ACTIVATES", 1), (3, "INHIBITS", 4)],
            sent_starts=(0, 6),
        ),
        make_doc(
            vocab,
            [
                ("CYP2C9", "GENE"),
                ("was", ""),
                ("measured", ""),
                (";", ""),
                ("losartan", "CHEMICAL"),
                ("activates", ""),
                ("AGTR1", "GENE"),
                (".", ""),
            ],
            [(1, "ACTIVATES", 2)],
        ),
    ]
    return [Example(copy_mentions(doc), doc) for doc in docs]


def optimizer(learn_rate: float = 5e-3) -> Any:
    """AdamW for a few steps on a small encoder."""
    return registry.get("optimizers", "spacy-dualre.AdamW.v1")(learn_rate)


def train(nlp, steps):
    """Train on the three documents; gives their examples and the last loss."""
    spacy.util.fix_random_seed(0)
    examples = make_examples(nlp.vocab)
    sgd = optimizer()
    for _ in range(steps):
        losses = nlp.update(examples, sgd=sgd)
    return examples, losses[NAME]


def overfit(nlp, most=500):
    """Train on the three documents until they are learned; gives their examples and the largest of the last ten losses.

    How many steps it takes depends on how a processor rounds, so it is no fixed number.
    """
    spacy.util.fix_random_seed(0)
    examples = make_examples(nlp.vocab)
    sgd = optimizer()
    losses = []
    while len(losses) < most and max([1.0, *losses][-10:]) >= 0.05:
        losses.append(nlp.update(examples, sgd=sgd)[NAME])
    return examples, max(losses[-10:])


class Score(float):
    """A score that equals others up to what the composition of a batch does to the last digits of a float32.

    Rounding would not do: two scores that differ in the last digit can lie on both sides of a border.
    """

    def __eq__(self, other):
        return abs(self - other) <= 1e-5

    __hash__ = None


def rels(doc):
    """A Doc's relations as texts with their scores."""
    return [(r.subject.text, r.predicate, r.object.text, Score(r.score)) for r in doc._.rels]


def fresh_docs(nlp, n=1):
    """The three documents n times, with mentions only."""
    return [example.predicted for _ in range(n) for example in make_examples(nlp.vocab)]


def probabilities(nlp, docs):
    """The probabilities of each pair of mentions, by their texts."""
    return {
        (scored.doc.text, candidate.subject.text, candidate.object.text): row
        for scored in nlp.get_pipe(NAME).stream(docs)
        for candidate, row in zip(scored.candidates, decode.probabilities(scored.odds))
    }


def assert_close(left, right, tolerance=1e-5):
    """The same keys, and values that differ by at most the tolerance."""
    assert left.keys() == right.keys()
    for key in left:
        numpy.testing.assert_allclose(left[key], right[key], atol=tolerance, rtol=1e-4)
