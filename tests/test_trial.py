import pytest
from conftest import DESCRIPTIONS, NAME, make_examples

@pytest.mark.parametrize("settings", [dict(label_smoothing=0.1), dict(distillation=0.5), dict(r_drop=1.0), dict(margin=1.0), dict(batch_negatives=True), dict(static_share=0.5), dict(one_template=True), dict(sampled_predicates=1, batch_negatives=True), dict(sampled_predicates=1, r_drop=1.0),
  {"model": {"mark_pooling":"span"}},{"model": {"mark_pooling":"ends"}},{"model": {"shared_layers":1}},{"model": {"random_markers":True}},{"model": {"temperature_at_start":5.0}}])
def test_trial(make_nlp, settings, tmp_path):
    nlp = make_nlp(**settings)
    examples = make_examples(nlp.vocab)
    sgd = nlp.initialize(lambda: examples) if False else None
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    from spacy_dualre.optimizer import adamw
    sgd = adamw(5e-3, layer_lr_decay=0.9, layers=2)
    losses = [nlp.update(examples, sgd=sgd)[NAME] for _ in range(60)]
    assert min(losses[-5:]) < 0.8 * losses[0], losses
    nlp.to_disk(tmp_path / "x")
    import spacy
    again = spacy.load(tmp_path / "x")
    a = [d._.rels for d in nlp.pipe([e.reference.copy() for e in examples])]
    b = [d._.rels for d in again.pipe([e.reference.copy() for e in examples])]
    assert [len(x) for x in a] == [len(x) for x in b]
