"""Documents with given mentions, in pipelines that find others."""

import pytest
import spacy
from helpers.pipelines import NAME, make_examples, rels
from spacy.tokens import DocBin

from spacy_dualre.cli.evaluate import evaluate
from spacy_dualre.cli.source import read_docs
from spacy_dualre.pipeline.pipelines import given_mentions
from spacy_dualre.scoring.tuning import Development
from spacy_dualre.training.reader import rel_corpus

RULERS = {
    "entity_ruler": {"overwrite_ents": True},
    "span_ruler": {"spans_key": "entities"},
    "span_ruler with entities": {
        "spans_key": "other",
        "annotate_ents": True,
        "ents_filter": {"@misc": "spacy.first_longest_spans_filter.v1"},
    },
}


@pytest.fixture(params=RULERS)
def folder(request, trained, tmp_path):
    """Annotated documents, a pipeline of relations alone, and the same behind a ruler that finds other mentions."""
    group = "entities" if request.param == "span_ruler" else None
    nlp = trained(threshold=0.0, spans_key=group)
    docs = [example.reference for example in make_examples(nlp.vocab)]
    for doc in docs:
        doc.spans["entities"] = list(doc.ents)
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    nlp.to_disk(tmp_path / "bare")
    ruler = nlp.add_pipe(request.param.split()[0], first=True, config=RULERS[request.param])
    ruler.add_patterns([{"label": "GENE", "pattern": word.text} for word in docs[0]])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path


def test_gold_mentions_are_scored(folder):
    pipelines = [spacy.load(folder / name) for name in ("bare", "pipeline")]
    bare, behind = (evaluate(nlp, list(rel_corpus(folder / "data.spacy")(nlp))) for nlp in pipelines)
    assert bare["rels_f"] > 0
    assert (behind["rels_p"], behind["rels_r"]) == (bare["rels_p"], bare["rels_r"])


def test_gold_mentions_are_tuned_on(folder):
    f = []
    for name in ("bare", "pipeline"):
        nlp = spacy.load(folder / name)
        development = Development(nlp, make_examples(nlp.vocab))
        f.append(development.measure())
        assert development.f(development.predict()) == f[-1]
    assert f[0] == f[1] > 0


def test_documents_with_mentions_are_shown_with_these(folder):
    bare, behind = (read_docs(spacy.load(folder / name), str(folder / "data.spacy")) for name in ("bare", "pipeline"))
    assert [rels(doc) for doc in behind] == [rels(doc) for doc in bare]


def test_components_are_there_again_afterwards(folder):
    nlp = spacy.load(folder / "pipeline")
    names = nlp.pipe_names
    with given_mentions(nlp):
        assert nlp.pipe_names == [NAME]
    assert nlp.pipe_names == names
