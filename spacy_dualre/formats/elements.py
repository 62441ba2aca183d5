"""XML element by element, safely: nothing is fetched, no entity is filled in, and what was read is forgotten."""

from pathlib import Path
from typing import Any, BinaryIO, Iterator, Tuple

from lxml import etree

from ..records.record import Place, corpus_error

#: A file may say where its DTD is. Neither that nor anything else is fetched, and no entity is filled in.
_SAFELY = {"resolve_entities": False, "load_dtd": False, "no_network": True, "huge_tree": False}


def read_elements(file: BinaryIO, path: Path, *tags: str) -> Iterator[Tuple[Place, Any]]:
    """The elements with one of these tags, each whole until the next one is taken. path: for messages.

    Raises CorpusError naming file and line where the XML is damaged.
    """
    try:
        for _, element in etree.iterparse(file, tag=tags, remove_comments=True, remove_pis=True, **_SAFELY):
            yield Place(path, element.sourceline or 0), element
            _forget(element)
    except etree.XMLSyntaxError as err:
        raise corpus_error(path, f"damaged XML ({err.msg})", err.lineno or 0) from err


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
