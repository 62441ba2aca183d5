"""Training in mixed precision, on any processor: about the loss of float32, whatever the network."""

import itertools
from typing import Any, Callable, Dict

import pytest
import spacy
from helpers.pipelines import NAME, make_examples
from spacy.language import Language

from spacy_dualre.models import dual_encoder

CHOICES = [
    dict(zip(("cls_fusion", "mean_fusion", "learned_negative"), values))
    for values in itertools.product([False, True], repeat=3)
]


@pytest.mark.parametrize("network", CHOICES, ids=str)
def test_the_loss_is_about_the_same(
    trained: Callable[..., Language], monkeypatch: pytest.MonkeyPatch, network: Dict[str, Any]
) -> None:
    # bfloat16 is right without instructions for it too, only slow
    monkeypatch.setattr(dual_encoder, "has_bfloat16", lambda device: True)
    losses = []
    for mixed in (False, True):
        nlp = trained(model={"dropout": 0.0, "mixed_precision": mixed, **network})
        spacy.util.fix_random_seed(0)
        losses.append(nlp.update(make_examples(nlp.vocab))[NAME])
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.1)
