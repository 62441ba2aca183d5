"""Jinja templates from the folder templates/. Values are escaped in HTML and SVG, and by `cell` in Markdown."""

from jinja2 import Environment, PackageLoader, select_autoescape

from ..annotations.mentions import mention_key
from ..writing import for_xml

#: What would end a cell of a Markdown table, or be taken for HTML or code.
_MARKUP = str.maketrans({"|": "\\|", "<": "&lt;", "[": "&#91;", "`": "'", "\n": " ", "\r": " "})

environment = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(["html", "svg"]),
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: type(value)(for_xml(value)) if isinstance(value, str) else value,
)
environment.filters.update(
    key=lambda mention: "{}-{}-{}".format(*mention_key(mention)),
    cell=lambda value: value.translate(_MARKUP),
    px=lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
    percent=lambda value: f"{100 * value:.1f}",
)
environment.globals.update(font="Arial, 'Liberation Sans', Helvetica, sans-serif", background="#ffffff")
