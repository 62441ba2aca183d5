"""How things are called in the outputs."""

from typing import NamedTuple


class Naming(NamedTuple):
    """base_uri: what the names of all resources in RDF start with. title: of the page.

    The "x-" of the default says that it is not a registered namespace.
    """

    base_uri: str = "urn:x-spacy-dualre:"
    title: str = "Knowledge graph"


DEFAULT = Naming()
