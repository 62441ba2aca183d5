"""Jinja templates from the folder templates/. Values are escaped in HTML and SVG, but not in Markdown."""

from jinja2 import Environment, PackageLoader, select_autoescape
from spacy.tokens import Span

from ..annotations.mentions import mention_key


def _key(mention: Span) -> str:
    """The name of a mention in data attributes."""
    return "{}-{}-{}".format(*mention_key(mention))


def _pixels(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


environment = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(["html", "svg"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(key=_key, px=_pixels, percent=lambda value: f"{100 * value:.1f}")
environment.globals.update(font="Arial, 'Liberation Sans', Helvetica, sans-serif", background="#ffffff")
