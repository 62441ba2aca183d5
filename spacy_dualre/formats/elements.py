"""XML element by element, safely: nothing is fetched, no entity is expanded, and elements are freed after use."""

from pathlib import Path
from typing import Any, BinaryIO, Iterator, Tuple

from ..errors import Errors
from ..records.record import Place

#: A file may name a DTD, which must not be fetched, and define entities, which must not be expanded.
_SAFELY = {"resolve_entities": False, "load_dtd": False, "no_network": True, "huge_tree": False}


def read_elements(file: BinaryIO, path: Path, *tags: str) -> Iterator[Tuple[Place, Any]]:
    """The elements with one of these tags, each whole until the next one is taken.

    Raises CorpusError naming file and line if the XML is damaged.
    """
    from lxml import etree

    try:
        for _, element in etree.iterparse(file, tag=tags, remove_comments=True, remove_pis=True, **_SAFELY):
            yield Place(path, element.sourceline or 0), element
            _forget(element)
    except etree.XMLSyntaxError as err:
        raise Place(path, err.lineno or 0).error(Errors.DR329, problem=err.msg) from err


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
