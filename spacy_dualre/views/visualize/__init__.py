"""Pictures of the relations of Docs, in notebooks, files and the browser, as displaCy makes them of entities."""

import warnings
from typing import Any, Dict, Iterable, List, Optional, Union
from wsgiref import simple_server

from markupsafe import Markup
from spacy.displacy import get_doc_settings
from spacy.tokens import Doc, Span
from spacy.util import find_available_port, is_in_jupyter, minify_html

from ...annotations.mentions import get_mentions, mention_key
from ...annotations.relations import get_rels
from ...errors import Errors, Warnings
from ...pipeline.diagnosis import logger
from .drawing import draw, type_colors
from .templates import DOC, PAGE

_Docs = Union[Doc, Span, Iterable[Union[Doc, Span]]]
_OPTIONS: Dict[str, Any] = {"spans_key": None, "colors": {}, "width": 760, "scores": True, "symmetric": ()}
#: Narrower than this not even a label has room.
_NARROWEST = 200


def render(
    docs: _Docs,
    page: bool = False,
    minify: bool = False,
    jupyter: Optional[bool] = None,
    options: Dict[str, Any] = {},
) -> Optional[str]:
    """The relations (``Doc._.rels``) of Docs or Spans as arcs over their sentences, as HTML with SVG.

    page: a whole page. minify: without indentation. jupyter: show it in the notebook and give None; None: find out.
    options: "spans_key": draw the mentions in ``doc.spans[spans_key]`` in place of ``doc.ents``; those of relations are
    drawn anyway. "colors": {entity type: CSS colour}. "width": of a line in pixels, 760 if not given. "scores": whether
    they stand at the arcs. "symmetric": predicates without direction, which get no arrow heads. A title is taken from
    ``doc.user_data["title"]`` or, without one, "doc_id".

    The two mentions of a relation that stand in different lines or sentences get half an arc each, which names the
    other one and the number of its sentence. Raises ValueError for an unknown or impossible option.
    """
    settings = _settings(options)
    given = [docs] if isinstance(docs, (Doc, Span)) else docs
    whole: List[Doc] = [doc.as_doc(copy_user_data=True) if isinstance(doc, Span) else doc for doc in given]
    if not any(get_rels(doc) for doc in whole):
        warnings.warn(Warnings.DW600, stacklevel=2)
    types = {mention.label_ for doc in whole for mention in _mentions(doc, settings["spans_key"])}
    colors = type_colors(sorted(types), settings["colors"])
    rendered = [_render(doc, colors, settings) for doc in whole]
    html = "\n".join(rendered)
    if page:
        first = get_doc_settings(whole[0]) if whole else {"lang": "en", "direction": "ltr"}
        html = PAGE.render(docs=rendered, title=(_title(whole[0]) if whole else "") or "Relations", **first).strip()
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
    """Show what `render` gives in the browser, until it is interrupted (Ctrl+C). The address is logged.

    auto_select_port: take the next free port where this one is in use; else that raises ValueError.
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


def _settings(options: Dict[str, Any]) -> Dict[str, Any]:
    for name in options:
        if name not in _OPTIONS:
            raise ValueError(Errors.DR004.format(name="option", value=name, known=", ".join(_OPTIONS)))
    settings = {**_OPTIONS, **options}
    if settings["width"] < _NARROWEST:
        raise ValueError(Errors.DR002.format(name="width", low=_NARROWEST, value=settings["width"]))
    return settings


def _mentions(doc: Doc, spans_key: Optional[str]) -> List[Span]:
    """The distinct mentions of a Doc in text order, those of its relations among them."""
    arguments = [span for rel in get_rels(doc) for span in (rel.subject, rel.object)]
    distinct = {mention_key(span): span for span in [*arguments, *get_mentions(doc, spans_key)]}
    return [distinct[key] for key in sorted(distinct)]


def _render(doc: Doc, colors: Dict[str, str], settings: Dict[str, Any]) -> Markup:
    mentions = _mentions(doc, settings["spans_key"])
    pictures = draw(
        *(doc, mentions, get_rels(doc), colors, settings["width"], settings["scores"]), symmetric=settings["symmetric"]
    )
    html = DOC.render(pictures=pictures, title=_title(doc), direction=get_doc_settings(doc)["direction"])
    return Markup(html.strip())


def _title(doc: Doc) -> str:
    return str(doc.user_data.get("title") or doc.user_data.get("doc_id") or "")
