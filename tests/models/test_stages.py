"""Where the time goes is recorded while somebody asks, and costs nothing else."""

from time import sleep
from typing import Any, List

import pytest
from helpers.pipelines import NAME, fresh_docs

from spacy_dualre.models.stages import STAGES, record, stage


def test_every_stage_of_a_prediction_is_recorded(trained: Any) -> None:
    nlp = trained()
    with record() as seconds:
        list(nlp.pipe(fresh_docs(nlp)))
    assert list(seconds) == list(STAGES)
    assert all(spent > 0 for spent in seconds.values()), seconds


def test_stages_that_are_not_reached_stay_at_zero(trained: Any) -> None:
    nlp = trained(prediction="classifier")
    with record() as seconds:
        list(nlp.pipe(fresh_docs(nlp)))
    assert {name for name, spent in seconds.items() if spent == 0} == {"description encoder"}


def test_nothing_is_recorded_outside(trained: Any) -> None:
    nlp = trained()
    with record() as seconds:
        pass
    list(nlp.pipe(fresh_docs(nlp)))
    assert set(seconds.values()) == {0.0}


def test_seconds_add_up_and_wait_for_the_device() -> None:
    asked: List[str] = []
    with record(lambda: asked.append("finished")) as seconds:
        for _ in range(2):
            with stage("heads"):
                sleep(0.01)
    assert 0.02 <= seconds["heads"] < 1 and asked == ["finished"] * 2


def test_recording_ends_with_an_error() -> None:
    with pytest.raises(KeyError), record() as seconds:
        raise KeyError
    with stage("heads"):
        sleep(0.001)
    assert seconds["heads"] == 0.0


def test_recording_changes_no_relation(trained: Any) -> None:
    nlp = trained(threshold=0.0)
    expected = nlp.get_pipe(NAME).predict(fresh_docs(nlp))
    with record():
        found = nlp.get_pipe(NAME).predict(fresh_docs(nlp))
    assert [[rel[1::2] for rel in rels] for rels in found] == [[rel[1::2] for rel in rels] for rels in expected]
