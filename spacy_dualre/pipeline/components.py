"""The component of a pipeline that finds relations, and those that find its mentions."""

from contextlib import AbstractContextManager
from typing import List, Set, Tuple

from spacy.language import Language

from ..errors import Errors
from .component import DualEncoderRel

#: What a component that finds mentions says that it assigns.
MENTIONS = frozenset({"doc.ents", "doc.spans"})


def find_component(nlp: Language) -> Tuple[str, DualEncoderRel]:
    """The first component of a pipeline that finds relations, with its name. Raises ValueError where there is none."""
    for name, component in nlp.pipeline:
        if isinstance(component, DualEncoderRel):
            return name, component
    raise ValueError(Errors.DR172.format(names=", ".join(nlp.pipe_names) or "none"))


def components_before(nlp: Language, name: str) -> List[str]:
    """The names of the components before one."""
    return nlp.pipe_names[: nlp.pipe_names.index(name)]


def assigned(nlp: Language, name: str) -> Set[str]:
    """What a component says that it assigns."""
    return set(nlp.get_pipe_meta(name).assigns)


def finds_mentions(nlp: Language, name: str) -> bool:
    """Whether a component says that it finds mentions."""
    return bool(MENTIONS & assigned(nlp, name))


def given_mentions(nlp: Language) -> AbstractContextManager:
    """Within it, documents keep the mentions that they have: components that say that they find some are disabled."""
    return nlp.select_pipes(disable=[name for name in nlp.pipe_names if finds_mentions(nlp, name)])
