"""What a pipeline needs, has, knows and lacks, alone and for documents."""

import pytest
from helpers.commands import dualre, match
from helpers.pipelines import NAME, make_doc, make_examples
from spacy.tokens import DocBin
from spacy.vocab import Vocab

PATTERNS = [{"label": "CHEMICAL", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX-1"}]


@pytest.fixture
def saved(trained, tmp_path):
    """Saves a trained pipeline behind these components, with settings of the component."""

    def save(*components, **settings):
        nlp = trained(**settings)
        for name, config, patterns in components:
            component = nlp.add_pipe(name, config=config, before=NAME)
            if patterns:
                component.add_patterns(patterns)
        nlp.to_disk(tmp_path / "model")
        return tmp_path / "model"

    return save


def data(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def test_a_pipeline_alone(saved):
    result = dualre("check", saved())
    assert result.exit_code == 0
    match("knows: predicates: INHIBITS, ACTIVATES types: CHEMICAL, GENE pairs: CHEMICAL and GENE", result.output)
    match("needs: mentions in doc.ents .*lacks: ner, span_ruler or the like", result.output)
    match("needs: sentences .*lacks: sentencizer or the like", result.output)
    assert "documents:" not in result.output


def test_what_comes_before_it_is_named(saved):
    # A random network may find nothing, which would be said too
    made = saved(("sentencizer", {}, []), ("entity_ruler", {}, PATTERNS), threshold=0.0)
    result = dualre("check", made, "Aspirin inhibits COX-1.")
    assert result.exit_code == 0
    match("found by: entity_ruler needs: sentences started by: sentencizer", result.output)
    match("documents: 1, 0 without mentions, 0 without sentences mentions: CHEMICAL 1, GENE 1", result.output)
    match("candidates: 1 relations", result.output)
    assert "lacks" not in result.output


@pytest.mark.parametrize("type_map, exit_code", [({}, 1), ({"DRUG": "CHEMICAL"}, 0)])
def test_types_that_it_does_not_know(saved, type_map, exit_code):
    patterns = [{"label": "DRUG", "pattern": "Aspirin"}, {"label": "GENE", "pattern": "COX-1"}]
    components = [("sentencizer", {}, []), ("entity_ruler", {}, patterns)]
    result = dualre("check", saved(*components, type_map=type_map), "Aspirin inhibits COX-1.")
    assert result.exit_code == exit_code
    if exit_code:
        match("lacks: a type_map for DRUG of 'entity_ruler'", result.output)
        match("lacks: pairs for mentions of unknown types: DRUG 1.*candidates: 0.*DR837", result.output)
    else:
        assert "lacks" not in result.output


def test_a_text_without_mentions(saved):
    result = dualre("check", saved(), "Aspirin inhibits COX-1.")
    assert result.exit_code == 1
    match("documents: 1, 1 without mentions, 1 without sentences.*mentions: none.*DR837", result.output)


def test_documents_with_gold_relations(saved, tmp_path):
    model = saved()
    docs = [example.reference for example in make_examples(Vocab())]
    other = [("Aspirin", "CHEMICAL"), ("binds", ""), ("COX-1", "GENE"), (".", ""), ("KIT", "GENE"), (".", "")]
    rels = [(0, "BINDS", 1), (0, "INHIBITS", 2), (1, "INHIBITS", 0)]
    docs.append(make_doc(docs[0].vocab, other, rels, sent_starts=(0, 4)))
    result = dualre("check", model, data(tmp_path / "data.spacy", docs))
    assert result.exit_code == 0, result.output
    match("documents: 4, 0 without mentions, 0 without sentences", result.output)
    match("candidates: 8 relations.*gold: 7 relations.*lacks: the predicates BINDS", result.output)
    match("lacks: candidates for gold relations: .*1 other sentence", result.output)
    match("lacks: candidates for gold relations: .*1 type pair GENE.CHEMICAL not allowed", result.output)
    result = dualre("check", model, tmp_path / "data.spacy", "--limit", 3)
    match("documents: 3, .*gold: 4 relations", result.output)
    assert "gold relations:" not in result.output


def test_documents_without_sentences(saved, tmp_path):
    doc = make_doc(Vocab(), [("Aspirin", "CHEMICAL"), ("inhibits", ""), ("COX-1", "GENE")], sent_starts=())
    result = dualre("check", saved(), data(tmp_path / "data.spacy", [doc]))
    match("⚠ documents: 1, 0 without mentions, 1 without sentences", result.output)
    assert result.exit_code == 0
