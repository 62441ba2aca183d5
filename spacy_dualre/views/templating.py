"""Jinja templates from the folder templates/. Values are escaped in HTML and SVG, but not in Markdown."""

from jinja2 import Environment, PackageLoader, select_autoescape

from ..annotations.mentions import mention_key

environment = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(["html", "svg"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(
    key=lambda mention: "{}-{}-{}".format(*mention_key(mention)),
    px=lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
    percent=lambda value: f"{100 * value:.1f}",
)
environment.globals.update(font="Arial, 'Liberation Sans', Helvetica, sans-serif", background="#ffffff")
