"""Draws the relations of Docs for notebooks, files and the browser, as displaCy draws entities."""

import warnings
from itertools import chain
from typing import Any, Dict, Iterable, Optional, Union

from markupsafe import Markup
from spacy.displacy import get_doc_settings
from spacy.tokens import Doc, Span
from spacy.util import is_in_jupyter
from spacy.vocab import Vocab

from ...annotations.mentions import get_mentions
from ...annotations.relations import get_rels
from ...errors import Warnings
from ..templating import environment
from .drawing import draw, make_options, type_colors

_Docs = Union[Doc, Span, Iterable[Union[Doc, Span]]]


def render(
    docs: _Docs, page: bool = False, jupyter: Optional[bool] = None, options: Dict[str, Any] = {}
) -> Optional[str]:
    """Draw the relations (``Doc._.rels``) of Docs or Spans as arcs over their sentences.

    Args:
        docs: With titles in ``doc.user_data["title"]`` or "doc_id".
        page: Make a whole HTML page.
        jupyter: Show the drawing in the notebook and return None. Default: whether this is a notebook.
        options: See `Options`: "spans_key", "colors", "width", "scores", "symmetric".

    Returns:
        HTML with SVG.

    Raises:
        ValueError: An option is unknown or impossible.
    """
    given = [docs] if isinstance(docs, (Doc, Span)) else docs
    whole = [doc.as_doc(copy_user_data=True) if isinstance(doc, Span) else doc for doc in given]
    if not any(get_rels(doc) for doc in whole):
        warnings.warn(Warnings.DW600, stacklevel=2)
    settings = make_options(options)
    mentions = [get_mentions(doc, settings.spans_key) for doc in whole]
    related = (span for doc in whole for rel in get_rels(doc) for span in (rel.subject, rel.object))
    types = {span.label_ for span in chain(related, *mentions)}
    settings = settings._replace(colors=type_colors(types, settings.colors))
    rendered = []
    for doc, in_doc in zip(whole, mentions):
        pictures = draw(doc, in_doc, get_rels(doc), settings)
        values = {"pictures": pictures, "title": _title(doc), "direction": get_doc_settings(doc)["direction"]}
        rendered.append(Markup(environment.get_template("doc.html").render(values)))
    html = "\n".join(rendered)
    if page:
        first = whole[0] if whole else Doc(Vocab())
        html = environment.get_template("page.html").render(
            docs=rendered, title=_title(first) or "Relations", **get_doc_settings(first)
        )
    if jupyter or (jupyter is None and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(f'<span class="tex2jax_ignore">{html}</span>'))
        return None
    return html


def _title(doc: Doc) -> str:
    return str(doc.user_data.get("title") or doc.user_data.get("doc_id") or "")
