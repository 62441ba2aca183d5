"""Names in written graphs."""

from typing import NamedTuple


class Naming(NamedTuple):
    """Names in written graphs.

    Attributes:
        base_uri: What the URIs of all RDF resources start with. The default is no registered namespace, hence "x-".
        title: Title of the HTML page.
    """

    base_uri: str = "urn:x-spacy-dualre:"
    title: str = "Knowledge graph"


DEFAULT = Naming()
