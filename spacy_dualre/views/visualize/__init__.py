"""Draws the relations of Docs for notebooks, files and the browser, as displaCy draws entities."""

import warnings
from typing import Any, Dict, Iterable, List, Optional, Union
from wsgiref import simple_server

from markupsafe import Markup
from spacy.displacy import get_doc_settings
from spacy.tokens import Doc, Span
from spacy.util import find_available_port, is_in_jupyter, minify_html

from ...annotations.mentions import get_mentions, mention_key
from ...annotations.relations import get_rels
from ...errors import Warnings
from ...pipeline.diagnosis import logger
from ..templating import environment
from .drawing import draw, type_colors
from .options import Options, make_options

_Docs = Union[Doc, Span, Iterable[Union[Doc, Span]]]


def render(
    docs: _Docs,
    page: bool = False,
    minify: bool = False,
    jupyter: Optional[bool] = None,
    options: Dict[str, Any] = {},
) -> Optional[str]:
    """Draw the relations (``Doc._.rels``) of Docs or Spans as arcs over their sentences.

    If the two mentions of a relation are on different lines or in different sentences, each gets half an arc that names
    the other mention and the number of its sentence.

    Args:
        docs: With titles in ``doc.user_data["title"]`` or "doc_id".
        page: Make a whole HTML page.
        minify: Leave out indentation.
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
    types = {mention.label_ for doc in whole for mention in _mentions(doc, settings)}
    settings = settings._replace(colors=type_colors(types, settings.colors))
    rendered = [_render(doc, settings) for doc in whole]
    html = "\n".join(rendered)
    if page:
        first = get_doc_settings(whole[0]) if whole else {"lang": "en", "direction": "ltr"}
        title = (_title(whole[0]) if whole else "") or "Relations"
        html = environment.get_template("page.html").render(docs=rendered, title=title, **first)
    if minify:
        html = minify_html(html)
    if jupyter or (jupyter is None and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(f'<span class="tex2jax_ignore">{html}</span>'))
        return None
    return html


def serve(
    docs: _Docs,
    page: bool = True,
    minify: bool = False,
    options: Dict[str, Any] = {},
    port: int = 5000,
    host: str = "localhost",
    auto_select_port: bool = False,
) -> None:
    """Serve the result of `render` over HTTP until interrupted (Ctrl+C), and log the address.

    If the port is in use, take the next free one (`auto_select_port`) or raise ValueError.
    """
    html = (render(docs, page=page, minify=minify, jupyter=False, options=options) or "").encode("utf8")

    def app(environ: Dict[str, Any], start_response: Any) -> List[bytes]:
        start_response("200 OK", [("Content-type", "text/html; charset=utf-8")])
        return [html]

    port = find_available_port(port, host, auto_select_port)
    with simple_server.make_server(host, port, app) as server:
        logger.info("Serving on http://%s:%d, stop with Ctrl+C", host, port)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


def _mentions(doc: Doc, options: Options) -> List[Span]:
    """The distinct mentions of a Doc in text order, including those of its relations."""
    arguments = [span for rel in get_rels(doc) for span in (rel.subject, rel.object)]
    distinct = {mention_key(span): span for span in [*arguments, *get_mentions(doc, options.spans_key)]}
    return [distinct[key] for key in sorted(distinct)]


def _render(doc: Doc, options: Options) -> Markup:
    pictures = draw(doc, _mentions(doc, options), get_rels(doc), options)
    direction = get_doc_settings(doc)["direction"]
    return Markup(
        environment.get_template("doc.html").render(pictures=pictures, title=_title(doc), direction=direction)
    )


def _title(doc: Doc) -> str:
    return str(doc.user_data.get("title") or doc.user_data.get("doc_id") or "")
