"""Pipelines: loading them, their component that finds relations, and those that find its mentions."""

from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from spacy.language import Language
from spacy.training import Example
from spacy.util import get_model_meta, get_package_path, is_package, load_model_from_config

from ..errors import Errors, Unavailable
from ..instances.descriptions import read_descriptions
from .component import DualEncoderRel
from .configs import in_words, read_config

#: What a component that finds mentions declares that it assigns.
MENTIONS = frozenset({"doc.ents", "doc.spans"})


def load_pipeline(path: Union[str, Path], overrides: Mapping[str, Any] = {}) -> Language:
    """Load a trained pipeline from a folder or an installed package, as `spacy.load` does.

    Args:
        overrides: Settings of its config, such as {"components.dual_encoder_rel.threshold": 0.7}. A dict replaces the
            stored one; `spacy.load` would look for each of its keys.

    Raises:
        ValueError: There is no pipeline, it has no such setting, or it cannot be loaded. Names the part to blame.
    """
    with _loading(path):
        folder = _in_package(str(path)) if is_package(str(path)) else Path(path)
    if not (folder / "config.cfg").is_file():
        raise ValueError(Errors.DR005.format(path=path, hint="Expected a trained pipeline, a folder with config.cfg."))
    config = read_config(folder / "config.cfg", overrides)
    with _loading(folder / "meta.json"):
        meta = get_model_meta(folder)
    given = f" with {', '.join(overrides)}" if overrides else ""
    with _loading(f"{folder / 'config.cfg'}{given}", Errors.DR175):
        nlp = load_model_from_config(config, meta=meta)
    try:
        return nlp.from_disk(folder, overrides=dict(overrides))
    except Unavailable:
        raise
    except Exception:
        # Again part by part, to name the one that fails
        parts = ["vocab", "tokenizer", *nlp.component_names]
        for part in parts:
            with _loading(folder / part):
                nlp.from_disk(folder, exclude=[other for other in parts if other != part])
        raise


@contextmanager
def _loading(path: Union[str, Path], message: str = Errors.DR176) -> Iterator[None]:
    """Whatever is raised becomes a ValueError that names the path."""
    try:
        yield
    except Unavailable:
        raise
    except Exception as err:
        if str(err).startswith("[DR") and str(path) in str(err):
            raise
        raise ValueError(message.format(path=path, problem=in_words(err).rstrip("."))) from err


def find_component(nlp: Language) -> Tuple[str, DualEncoderRel]:
    """Find the first component for relations and its name. Raises ValueError if there is none."""
    for name, component in nlp.pipeline:
        if isinstance(component, DualEncoderRel):
            return name, component
    raise ValueError(Errors.DR172.format(names=", ".join(nlp.pipe_names) or "none"))


def ask_about(nlp: Language, path: Optional[Path]) -> None:
    """Put the predicates of a file of descriptions in place of the pipeline's own, unless there is no path.

    Raises:
        ValueError: The file is not usable, or the pipeline has a classifier for its predicates.
    """
    if path is not None:
        find_component(nlp)[1].set_labels(read_descriptions(path))


def components_before(nlp: Language, name: str) -> List[str]:
    """The names of the components before one."""
    return nlp.pipe_names[: nlp.pipe_names.index(name)]


def finds_mentions(nlp: Language, name: str) -> bool:
    """Whether a component declares that it finds mentions."""
    return bool(MENTIONS.intersection(nlp.get_pipe_meta(name).assigns))


def check_finds_mentions(nlp: Language) -> None:
    """Raise ValueError if no component before the relations finds mentions where they are read from."""
    rel_name, rel = find_component(nlp)
    # doc.ents are read if there is no span group
    where = {"doc.ents"} if rel.spans_key is None else MENTIONS
    for name in components_before(nlp, rel_name):
        what = set(nlp.get_pipe_meta(name).assigns)
        # A component may not declare what it assigns, and a span ruler does not declare entities
        if not what or where & what or rel.spans_key is None and getattr(nlp.get_pipe(name), "annotate_ents", False):
            return
    names = ", ".join(nlp.pipe_names)
    raise ValueError(Errors.DR400.format(name=rel_name, source=rel.mentions_from, names=names))


def sentence_splitters(nlp: Language, rel_name: str) -> List[str]:
    """The components that may start sentences in documents with given mentions: those before the relations, without
    what finds mentions. A sentencizer is added to the pipeline if nothing before the relations starts sentences.
    """
    before = components_before(nlp, rel_name)
    doc = nlp.make_doc("One is here. Two is there.")
    for name in before:
        doc = nlp.get_pipe(name)(doc)
    if doc.has_annotation("SENT_START"):
        return [name for name in before if not finds_mentions(nlp, name)]
    nlp.add_pipe("sentencizer", name="dualre_sentencizer", first=True)
    return ["dualre_sentencizer"]


def given_mentions(nlp: Language) -> AbstractContextManager:
    """Disable the components that find mentions, so that documents keep the ones they have."""
    return nlp.select_pipes(disable=[name for name in nlp.pipe_names if finds_mentions(nlp, name)])


def predict_examples(nlp: Language, examples: Sequence[Example], keep_mentions: bool = True) -> None:
    """Send the predicted Docs of examples through a pipeline, by default with the mentions they have."""
    with given_mentions(nlp) if keep_mentions else nullcontext():
        for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples])):
            example.predicted = doc


def _in_package(name: str) -> Path:
    """The folder of the pipeline in a package, which is imported for the code that it may bring along."""
    folder = get_package_path(name)
    meta = get_model_meta(folder)
    return folder / f"{meta['lang']}_{meta['name']}-{meta['version']}"
