"""XML read safely: nothing is fetched, and no entity in a text is expanded."""

from pathlib import Path
from typing import Any, BinaryIO, Iterator, Tuple

from ..errors import Errors
from ..records.record import Place

_SAFELY = {"resolve_entities": False, "load_dtd": False, "no_network": True, "huge_tree": False}


def read_elements(file: BinaryIO, path: Path, *tags: str) -> Iterator[Tuple[Place, Any]]:
    """Iterate over the elements with these tags. Each is freed when the next one is taken.

    Raises CorpusError naming file and line if the XML is damaged.
    """
    from lxml import etree

    try:
        for _, element in etree.iterparse(file, tag=tags, remove_comments=True, remove_pis=True, **_SAFELY):
            yield Place(path, element.sourceline or 0), element
            _free(element)
    except etree.XMLSyntaxError as err:
        raise Place(path, err.lineno or 0).error(Errors.DR329, problem=err.msg) from err


def parse_xml(text: str, path: Path) -> Any:
    """The outermost element, whatever encoding the text declares. Raises as `read_elements`."""
    from lxml import etree

    try:
        return etree.fromstring(text.encode(), etree.XMLParser(encoding="utf8", **_SAFELY))
    except etree.XMLSyntaxError as err:
        raise Place(path, err.lineno or 0).error(Errors.DR329, problem=err.msg) from err


def _free(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
