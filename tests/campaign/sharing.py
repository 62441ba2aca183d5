"""One pipeline is used by several threads, and by worker processes. It finds what it finds alone."""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any, Dict, Iterator, List

from helpers.pipelines import rels
from spacy.language import Language

from spacy_dualre.pipeline.pipelines import load_pipeline

from .ground import Ground, make_text
from .trials import Attempt, Campaign, Trial

_THREADS = 4
_TEXTS = 40
#: Settings of the component, by name.
_SETTINGS: Dict[str, Dict[str, Any]] = {
    "plain": {},
    "packed": {"model.run.packed": True},
    "cascade": {"cascade": {"predicates": 1, "negative": 0.9}},
    "forgetful": {"model.run.description_memory": 2, "max_candidates_per_batch": 3},
}


def campaigns(ground: Ground, rounds: int) -> List[Campaign]:
    """So many rounds of threads with each of several settings, and of processes."""
    return [
        Campaign(name, tried, partial(_rounds, name, run, ground, rounds), 120)
        for name, tried, run in (
            ("threads", f"nlp.pipe in {_THREADS} threads", _in_threads),
            ("workers", "nlp.pipe(n_process=2)", _in_processes),
        )
    ]


def _rounds(kind: str, run: Any, ground: Ground, rounds: int) -> Iterator[Trial]:
    for name, settings in _SETTINGS.items():
        for number in range(rounds):
            yield Trial(f"{kind}/{name}-{number}", partial(_compare, run, ground, settings))


def _compare(run: Any, ground: Ground, settings: Dict[str, Any], attempt: Attempt) -> None:
    nlp = load_pipeline(ground.pipeline, {f"components.dual_encoder_rel.{key}": settings[key] for key in settings})
    texts = [make_text(attempt.random) for _ in range(_TEXTS)]
    attempt.tell(f"{_TEXTS} texts, {settings or 'no settings'}")
    expected = found_in(nlp, texts, 8)
    assert any(expected)
    run(nlp, texts, expected, attempt.random)


def _in_threads(nlp: Language, texts: List[str], expected: List[Any], random: Random) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    orders = [random.sample(range(len(texts)), len(texts)) for _ in range(_THREADS)]
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            runs = [pool.submit(found_in, nlp, [texts[i] for i in order], 1 + order[0] % 9) for order in orders]
            found = [run.result() for run in runs]
    finally:
        sys.setswitchinterval(before)
    for order, of_thread in zip(orders, found):
        wrong = [i for i, one in zip(order, of_thread) if one != expected[i]]
        assert not wrong, f"{len(wrong)} of {len(order)} texts differ, such as: {texts[wrong[0]]}"


def _in_processes(nlp: Language, texts: List[str], expected: List[Any], random: Random) -> None:
    found = found_in(nlp, texts, random.randint(1, 9), n_process=2)
    wrong = [i for i, one in enumerate(found) if one != expected[i]]
    assert len(found) == len(texts) and not wrong, f"{len(wrong)} of {len(texts)} texts differ"


def found_in(nlp: Language, texts: List[str], batch_size: int, n_process: int = 1) -> List[Any]:
    """The relations of each text."""
    return [rels(doc) for doc in nlp.pipe(texts, batch_size=batch_size, n_process=n_process)]
