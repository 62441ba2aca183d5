"""A pipeline that was stored by an earlier version of the same release line loads and predicts as it did then."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from helpers.pipelines import DESCRIPTIONS, NAME, make_examples, train
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

import spacy_dualre

DATA = Path(__file__).parents[1] / "data"
#: One folder for each release line, at most 300 kB.
STORED = sorted(DATA.glob("pipeline-*"))


def store(folder: Path, encoder: str) -> None:
    """Train a pipeline for a few steps, and store it with what it predicts.

    Each folder was made like this, with the first version of its release line. Once that is released, the folder is
    never made again, because all later versions of the line must load it.

    Args:
        folder: An empty folder.
        encoder: A random encoder that `save_bert` made. Its path is stored too, but not used again.
    """
    # A language whose tokenizer has few rules to store
    nlp = spacy.blank("xx")
    model = {"@architectures": "spacy-dualre.DualEncoder.v1", "name": encoder}
    # Every predicate of every candidate comes out
    settings = {"symmetric": ["INHIBITS"], "threshold": 0.0, "multi_label": True}
    rel = nlp.add_pipe(NAME, config={"model": model, **settings})
    examples = make_examples(nlp.vocab)
    rel.initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
    train(nlp, steps=15)
    docs = [example.predicted for example in make_examples(nlp.vocab)]
    expected = [{**to_json(doc), "relations": relations(nlp(doc))} for doc in docs]
    nlp.to_disk(folder / "pipeline")
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf8")


def to_json(doc: Doc) -> Dict[str, Any]:
    """The words, sentences and mentions of a Doc."""
    return {
        "words": [token.text for token in doc],
        "sent_starts": [bool(token.is_sent_start) for token in doc],
        "mentions": [[ent.start, ent.end, ent.label_] for ent in doc.ents],
    }


def from_json(vocab: Vocab, stored: Dict[str, Any]) -> Doc:
    """The Doc again."""
    doc = Doc(vocab, words=stored["words"], sent_starts=stored["sent_starts"])
    doc.ents = [Span(doc, start, end, label=label) for start, end, label in stored["mentions"]]
    return doc


def relations(doc: Doc) -> List[List[Any]]:
    """Subject, predicate, object and score of each relation."""
    return sorted([r.subject.start, r.predicate, r.object.start, round(r.score, 6)] for r in doc._.rels)


def test_this_release_line_has_a_stored_pipeline() -> None:
    line = ".".join(spacy_dualre.__version__.split(".")[:2])
    assert DATA / f"pipeline-{line}" in STORED


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_stored_pipeline_predicts_what_it_did(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 300_000
    nlp = spacy.load(folder / "pipeline")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf8"))
    assert {rel[1] for stored in expected for rel in stored["relations"]} == set(nlp.get_pipe(NAME).labels)
    for stored in expected:
        found = relations(nlp(from_json(nlp.vocab, stored)))
        assert [rel[:3] for rel in found] == [rel[:3] for rel in stored["relations"]]
        # Processors and versions of torch round differently
        assert [rel[3] for rel in found] == pytest.approx([rel[3] for rel in stored["relations"]], abs=1e-3)


def test_what_is_stored_can_be_made(tmp_path: Path, encoder: str) -> None:
    store(tmp_path, encoder)
    made, stored = ({path.relative_to(folder) for path in folder.rglob("*")} for folder in (tmp_path, STORED[-1]))
    assert made == stored
