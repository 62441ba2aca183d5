"""A pipeline in half the space."""

import pytest
import spacy
from helpers.commands import dualre, match
from helpers.pipelines import NAME, assert_close, fresh_docs, probabilities

from spacy_dualre.models.dual_encoder import get_network


def test_a_pipeline_in_half_the_space_finds_the_same(trained, tmp_path):
    nlp = trained()
    nlp.to_disk(tmp_path / "model")
    result = dualre("shrink", tmp_path / "model", tmp_path / "small")
    assert result.exit_code == 0, result.output
    match("Wrote the pipeline to", result.output)
    weights = sum(p.numel() * p.element_size() for p in get_network(nlp.get_pipe(NAME).model).parameters())
    before, after = ((tmp_path / name / NAME / "model").stat().st_size for name in ("model", "small"))
    assert before - after == pytest.approx(weights / 2, rel=0.05)

    small = spacy.load(tmp_path / "small")
    assert all(str(p.dtype) == "torch.float32" for p in get_network(small.get_pipe(NAME).model).parameters())
    docs = fresh_docs(nlp)
    assert_close(probabilities(nlp, docs), probabilities(small, docs), tolerance=5e-3)
    # It can be trained on
    small.to_disk(tmp_path / "again")
    assert (tmp_path / "again" / NAME / "model").stat().st_size == pytest.approx(before, rel=0.01)
