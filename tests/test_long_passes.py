"""A pass over a text with the markers beside it may be longer than any text that the encoder reads."""

import pytest
from conftest import NAME, make_doc, make_examples


@pytest.mark.parametrize("kind", ["bert-uncased", "roberta"])
def test_markers_beside_a_text_of_full_length(make_nlp, encoders, kind):
    architecture = {"@architectures": "spacy-dualre.PackedDualEncoder.v1", "name": str(encoders[kind])}
    nlp = make_nlp(model=architecture, threshold=0.0)
    examples = make_examples(nlp.vocab)
    nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp)
    far_apart = [("Aspirin", "CHEMICAL"), *[("in", "")] * 140, ("COX-1", "GENE")]
    (doc,) = nlp.pipe([make_doc(nlp.vocab, far_apart)])
    assert [(rel.subject.text, rel.object.text) for rel in doc._.rels] == [("Aspirin", "COX-1")]
