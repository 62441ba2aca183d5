"""Drawing options."""

from typing import Any, Collection, Dict, Mapping, NamedTuple, Optional

from ...errors import Errors

#: Narrower lines, in pixels, have no room for labels.
_NARROWEST = 200


class Options(NamedTuple):
    """How relations are drawn.

    Attributes:
        spans_key: Draw the mentions in ``doc.spans[spans_key]`` instead of ``doc.ents``, and always those of relations.
        colors: CSS colours by entity type.
        width: Of a line, in pixels.
        symmetric: Predicates without direction, drawn without arrow heads.
    """

    spans_key: Optional[str] = None
    colors: Mapping[str, str] = {}
    width: float = 760
    scores: bool = True
    symmetric: Collection[str] = ()


def make_options(values: Dict[str, Any]) -> Options:
    """Make options. Raises ValueError for an unknown option or a width that is too small."""
    for name in values:
        if name not in Options._fields:
            raise ValueError(Errors.DR004.format(name="option", value=name, known=", ".join(Options._fields)))
    options = Options(**values)
    if options.width < _NARROWEST:
        raise ValueError(Errors.DR002.format(name="width", low=_NARROWEST, value=options.width))
    return options
