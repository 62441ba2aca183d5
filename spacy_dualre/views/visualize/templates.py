"""The markup, as Jinja templates that escape whatever is put into them."""

from jinja2 import Environment

_FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"

# No colon or quotation mark of the styles comes from a text. The height is left to the width, so that the picture gets
# smaller where there is less room.
_PICTURE = """
{%- macro words(x, y, width, size, text, style="") -%}
<text x="{{ x|px }}" y="{{ y|px }}" font-size="{{ size }}" text-anchor="middle" textLength="{{ width|px }}" \
lengthAdjust="spacingAndGlyphs" style="white-space: pre; {{ style }}">{{ text }}</text>
{%- endmacro -%}
<svg xmlns="http://www.w3.org/2000/svg" class="dualre-sentence" role="img" aria-label="{{ picture.text }}" \
width="{{ picture.width|px }}" height="{{ picture.height|px }}" \
viewBox="0 0 {{ picture.width|px }} {{ picture.height|px }}" \
direction="{{ picture.direction }}" font-family="{{ font }}" \
style="display: block; max-width: 100%; height: auto; margin: 0 0 0.6rem 0; direction: {{ picture.direction }}">
{%- if picture.number %}
    <text class="dualre-number" x="{{ picture.number_x|px }}" y="{{ picture.lines[0].y|px }}" font-size="11" \
text-anchor="middle" fill="#9ca3af">{{ picture.number }}</text>
{%- endif %}
    <g transform="translate({{ picture.offset|px }}, 0)">
{%- for line in picture.lines %}
{%- for box in line.boxes %}
        <rect class="dualre-mention" data-mention="{{ box.key }}" x="{{ box.x|px }}" y="{{ box.y|px }}" \
width="{{ box.width|px }}" height="{{ box.height|px }}" rx="4" fill="{{ box.color }}" stroke="#ffffff">\
<title>{{ box.title }}</title></rect>
{%- if box.label %}
        {{ words(box.label_x, box.label_y, box.label_width, box.label_size, box.label, bold) }}
{%- endif %}
{%- endfor %}
{%- for word in line.words %}
        {{ words(word.x, line.y, word.width, text_size, word.text) }}
{%- endfor %}
{%- for arc in line.arcs %}
        <g class="dualre-arc" data-subject="{{ arc.subject }}" data-object="{{ arc.object }}" stroke="#6b7280">\
<title>{{ arc.title }}</title>
            <path class="dualre-line" d="{{ arc.path }}" fill="none" stroke-width="1.3"/>
{%- if arc.head %}
            <path class="dualre-head" d="{{ arc.head }}" fill="#6b7280" stroke="none"/>
{%- endif %}
        </g>
{%- endfor %}
{%- for arc in line.arcs %}
        <rect x="{{ (arc.label_x - arc.label_width / 2 - 2)|px }}" y="{{ (arc.label_y - 10)|px }}" \
width="{{ (arc.label_width + 4)|px }}" height="12.5" fill="{{ background }}"/>
        <g class="dualre-label" fill="#1f2937">\
{{ words(arc.label_x, arc.label_y, arc.label_width, label_size, arc.label) }}</g>
{%- endfor %}
{%- endfor %}
    </g>
</svg>
"""

_DOC = """
<div class="dualre" style="background: {{ background }}; color: #000000; direction: {{ direction }}">
{%- if title %}
<h2 style="margin: 0 0 0.5rem 0">{{ title }}</h2>
{%- endif %}
{%- for picture in pictures %}
{{ picture }}
{%- endfor %}
</div>
"""

_PAGE = """
<!DOCTYPE html>
<html lang="{{ lang }}">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>{{ title }}</title>
    </head>
    <body style="font-size: 16px; font-family: {{ font }}; margin: 0; padding: 2rem 1.5rem; direction: {{ direction }}">
{%- for doc in docs %}
<figure style="margin: 0 0 3rem 0">{{ doc }}</figure>
{%- endfor %}
</body>
</html>
"""

environment = Environment(autoescape=True)
environment.filters["px"] = lambda value: f"{value:.2f}".rstrip("0").rstrip(".")
environment.globals.update(font=_FONT, background="#ffffff", bold="font-weight: bold; opacity: 0.75")
PICTURE, DOC, PAGE = map(environment.from_string, (_PICTURE, _DOC, _PAGE))
