"""Fixtures: random one-layer encoders on disk, and pipelines with them."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import spacy
import torch
from helpers.pipelines import (
    DESCRIPTIONS,
    in_blocks,
    make_examples,
    save_bert,
    save_roberta,
)
from spacy.language import Language

# The networks here are tiny: more threads only wait for each other.
torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Random networks are the same whatever tests ran before."""
    spacy.util.fix_random_seed(0)


def pytest_configure(config: pytest.Config) -> None:
    """pytest-xdist keeps the order of the files, see below."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Whatever is shown in a browser is slow. Tests of the whole project take longest, and so come first."""
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """Folders of random one-layer encoders by kind."""
    folder = tmp_path_factory.mktemp("encoders")
    return {
        "bert-uncased": save_bert(folder / "bert-uncased", lowercase=True),
        "bert-cased": save_bert(folder / "bert-cased", lowercase=False),
        "roberta": save_roberta(folder / "roberta"),
    }


@pytest.fixture(scope="session")
def encoder(encoders: Dict[str, Path]) -> str:
    """The folder of one random one-layer encoder."""
    return str(encoders["bert-uncased"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, the system's own."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    path = next(filter(None, found), None)
    if path is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on the path")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def make_nlp(encoder: str) -> Callable[..., Language]:
    """A blank pipeline with the component on a random encoder.

    The keywords are the component's settings; those of the model may be given without the name of their block.
    """

    def make(model: Dict[str, Any] = {}, **settings: Any) -> Language:
        # Not "en", whose tokenizer takes most of the time
        nlp = spacy.blank("xx")
        architecture = {"@architectures": "spacy-dualre.DualEncoder.v1", "name": encoder, **in_blocks(model)}
        nlp.add_pipe("dual_encoder_rel", config={"model": architecture, **settings})
        return nlp

    return make


@pytest.fixture
def trained(make_nlp: Callable[..., Language]) -> Callable[..., Language]:
    """The same, initialised on the three documents."""

    def make(**settings: Any) -> Language:
        nlp = make_nlp(**settings)
        examples = make_examples(nlp.vocab)
        # Before this test, encoders that all tests share may have been made or not
        spacy.util.fix_random_seed(0)
        nlp.get_pipe("dual_encoder_rel").initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
        return nlp

    return make
