"""Pictures of relations: what is drawn, and, in a browser, where."""

import json
import re
import sys
import types
from itertools import chain, combinations

import pytest
import spacy
from helpers.pipelines import make_doc
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from spacy.tokens import Doc, Span

from spacy_dualre import Relation
from spacy_dualre.views.visualize import render
from spacy_dualre.views.visualize.arcs import make_arcs
from spacy_dualre.views.visualize.drawing import type_colors
from spacy_dualre.views.visualize.fonts import shorten, text_width
from spacy_dualre.views.visualize.lines import lay_out


def related(lang="en", words=None, mentions=(), rels=(), sent_starts=(0,), key="all"):
    """A Doc with mentions (start, end, type) in a span group, and relations by number of mention."""
    nlp = spacy.blank(lang)
    doc = Doc(nlp.vocab, words=words, sent_starts=[i in sent_starts for i in range(len(words))])
    spans = [Span(doc, start, end, label=type) for start, end, type in mentions]
    doc.spans[key] = spans
    doc._.rels = [Relation(spans[s], predicate, spans[o], score) for s, predicate, o, score in rels]
    return doc


@pytest.fixture
def simple():
    words = "Zileuton inhibits ALOX5 , and montelukast blocks CYSLTR1 .".split() + "It also binds COX2 .".split()
    return related(
        words=words,
        mentions=[(0, 1, "CHEMICAL"), (2, 3, "GENE"), (5, 6, "CHEMICAL"), (7, 8, "GENE"), (12, 13, "GENE")],
        rels=[(0, "INHIBITS", 1, 0.99), (2, "BLOCKS", 3, 0.8), (0, "BINDS", 4, 0.7), (3, "NEXT_TO", 1, 0.6)],
        sent_starts=(0, 9),
    )


@pytest.fixture
def nested():
    return related(
        words="The human growth factor receptor blocker X binds EGFR .".split(),
        mentions=[
            *[(1, 5, "GENE"), (1, 6, "CHEMICAL"), (2, 4, "A_TYPE_WITH_A_LONG_NAME"), (4, 7, "CROSSING")],
            *[(1, 5, "PROTEIN"), (8, 9, "GENE")],
        ],
        rels=[(1, "TARGETS", 0, 0.9), (0, "SAME", 4, 0.8), (2, "A", 5, 0.7), (5, "B", 2, 0.7), (3, "C", 5, 0.6)],
    )


@pytest.fixture
def hebrew():
    return related(
        "he",
        words="דנה כהן עובדת ב New York Labs מאז 2019 .".split() + "היא גרה ב חיפה .".split(),
        mentions=[(0, 2, "PERSON"), (4, 7, "ORG"), (13, 14, "GPE")],
        rels=[(0, "WORKS_FOR", 1, 0.9), (0, "LIVES_IN", 2, 0.7)],
        sent_starts=(0, 10),
    )


@pytest.fixture
def long():
    words = ["A", "x" * 300, "binds", *["word"] * 60, "to", "B", "and", "C", "."]
    return related(
        words=words,
        mentions=[(1, 2, "CHEMICAL"), (64, 65, "GENE"), (66, 67, "GENE")],
        rels=[(0, "BINDS", 1, 0.9), (0, "BINDS", 2, 0.9), (1, "LONG_NAME_" * 20, 2, 0.9), (2, "Q", 1, 0.9)],
    )


# Without a browser


def test_every_relation_and_mention_is_drawn(simple):
    html = render(simple, jupyter=False)
    assert html.count('class="dualre-sentence"') == 2
    assert html.count('class="dualre-mention"') == 5
    # One of them crosses the sentences and is drawn in two halves, each naming the other end
    assert html.count('class="dualre-arc"') == 5
    assert "INHIBITS 0.99" in html and "BINDS 0.70 → COX2 [2]" in html and "Zileuton [1] → BINDS 0.70" in html


def test_entities_without_relations_are_drawn_too_and_the_span_group_takes_their_place(simple):
    doc = make_doc(spacy.blank("en").vocab, [("Aspirin", "CHEMICAL"), ("and", ""), ("COX-1", "GENE")], [(0, "P", 1)])
    doc.spans["more"] = [Span(doc, 1, 2, label="WORD")]
    doc._.rels = []
    with pytest.warns(UserWarning, match="DW600"):
        assert render(doc, jupyter=False).count("dualre-mention") == 2
        assert render(doc, jupyter=False, options={"spans_key": "more"}).count("dualre-mention") == 1


def test_colors_are_displacys_those_of_the_options_and_distinct_for_unknown_types():
    colors = type_colors(["PERSON", "GENE", "CHEMICAL"], {"GENE": "#123456"})
    assert colors["PERSON"] == "#aa9cfc" and colors["GENE"] == "#123456"
    assert len(set(type_colors(["A", "B", "C"]).values())) == 3


def test_a_type_has_one_color_in_all_documents(simple, nested):
    html = render([simple, nested], jupyter=False, options={"spans_key": "all"})
    fills = set(
        re.findall(r'fill="(#\w+)" stroke="#ffffff"><title>EGFR GENE|fill="(#\w+)" stroke="#ffffff"><title>COX2', html)
    )
    assert len({first or second for first, second in fills}) == 1 and len(fills) == 2


def test_everything_is_escaped():
    doc = related(words=["<i>a</i>", "&", '"b"'], mentions=[(0, 1, "<T>"), (2, 3, "U'")], rels=[(0, "<p>", 1, 0.5)])
    doc.user_data["title"] = "<script>"
    html = render(doc, page=True, jupyter=False)
    for raw in ("<i>", "<T>", "<p>", "<script>", '"b"'):
        assert raw not in html
    assert "&lt;i&gt;a&lt;/i&gt;" in html and "&lt;p&gt; 0.50" in html


def test_options_leave_out_scores_and_set_the_width(simple):
    html = render(simple, jupyter=False, options={"scores": False, "width": 400})
    assert "0.99</text>" not in html and ">INHIBITS</text>" in html
    assert set(re.findall(r'role="img"[^>]*? width="(\d+)"', html)) == {"400"}


@pytest.mark.parametrize("options, code", [({"compact": True}, "DR004.*compact"), ({"width": 10}, "DR002.*width")])
def test_impossible_options_are_refused(simple, options, code):
    with pytest.raises(ValueError, match=code):
        render(simple, options=options)


def test_symmetric_predicates_have_no_arrow_heads(simple):
    def heads(**options):
        return render(simple, jupyter=False, options={"spans_key": "all", **options}).count("dualre-head")

    symmetric = {rel.predicate for rel in simple._.rels}
    assert heads() > 0 and heads(symmetric=symmetric) == 0
    assert "→" not in render(simple, jupyter=False, options={"spans_key": "all", "symmetric": symmetric, "width": 200})


def test_a_span_a_doc_without_sentences_and_an_empty_one_can_be_drawn(simple):
    assert "INHIBITS" in render(simple[0:9], jupyter=False) and "COX2" not in render(simple[0:9], jupyter=False)
    with pytest.warns(UserWarning, match="DW600"):
        assert "svg" not in render(Doc(simple.vocab), jupyter=False)
        assert "dualre-number" not in render(Doc(simple.vocab, words=["a", "b"]), page=True, jupyter=False)


def test_a_notebook_shows_it(simple, monkeypatch):
    shown = []
    notebook = types.SimpleNamespace(HTML=lambda html: html, display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(display=notebook))
    assert render(simple, jupyter=True) is None
    assert shown[0].startswith('<span class="tex2jax_ignore">') and "INHIBITS" in shown[0]


def test_text_is_measured_by_its_characters():
    assert text_width("ab", 10) == pytest.approx(11.12)
    assert text_width("e\u0301", 10) == text_width("é", 10) == text_width("e", 10)
    assert shorten("abcdef", 10, 1000) == "abcdef" and text_width(shorten("abcdef" * 9, 10, 50), 10) <= 50


@given(st.text(max_size=20), st.integers(12, 100))
def test_as_much_of_a_text_is_kept_as_there_is_room_for(text, width):
    fitting = [text, *(f"{text[:n]}…" for n in range(len(text) - 1, -1, -1))]
    assert shorten(text, 10, width) == next(one for one in fitting if text_width(one, 10) <= width)


def test_pictures_are_well_formed_whatever_the_text():
    words = ["a\x01b", "\ufffe", "<&>", "]]>"]
    html = render(related(words=words, mentions=[(0, 2, "T\x0b"), (2, 4, "U")], rels=[(0, "P\x0c", 1, 0.9)]))
    (picture,) = re.findall("<svg.*</svg>", html, re.DOTALL)
    text = "".join(etree.fromstring(picture).itertext())
    assert "a\ufffdb" in text and "<&>" in text and "P\ufffd" in text


WORDS = st.lists(st.sampled_from(["a", "binds", "COX-1", "w" * 120, "\n", "שלום", "語", "10"]), min_size=2, max_size=30)


@pytest.mark.slow
@given(WORDS, st.data(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_whatever_the_text_nothing_leaves_the_lines_and_no_labels_meet(words, data, rtl):
    place = st.integers(0, len(words) - 1)
    drawn = data.draw(st.lists(st.tuples(place, place, st.sampled_from(["A", "LONG_TYPE"])), min_size=2, max_size=6))
    keys = sorted({(min(a, b), max(a, b) + 1, type) for a, b, type in drawn})
    starts = data.draw(st.sets(place)) | {0}
    doc = related(words=words, mentions=keys, sent_starts=starts)
    mentions = list(doc.spans["all"])
    rels = [Relation(one, "PREDICATE", other, 0.5) for one in mentions for other in mentions if one != other][:12]
    lines = lay_out(doc, mentions, 400, rtl)
    over_lines = make_arcs(rels, lines, 400, rtl, True, ())
    assert [piece.token for line in lines for piece in line.pieces if piece.before >= 0] == sorted(
        piece.token for line in lines for piece in line.pieces
    ), "all pieces, in order"
    text = "".join(piece.text for line in lines for piece in line.pieces)
    assert text == "".join(shorten(word, 15, 320) for word in words if word.strip())
    for line in lines:
        assert all(-0.01 <= piece.x and piece.x + piece.width <= 400.01 for piece in line.pieces)
    for arc in chain.from_iterable(over_lines):
        for box, x in zip(arc.boxes, arc.x, strict=True):
            assert box is None or box.left - 0.01 <= x <= box.right + 0.01
    for arcs in over_lines:
        for arc, other in combinations(arcs, 2):
            if arc.level == other.level:
                assert abs(arc.label_x - other.label_x) >= (arc.label_width + other.label_width) / 2


# In a browser


@pytest.fixture
def show(browser):
    """Open Docs in a window and give what the browser says of the places of things."""
    script = """() => {
        const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
        const all = (selector, of) => [...document.querySelectorAll(selector)].map(of);
        const point = (path, at) => {
            const p = path.getPointAtLength(at ? path.getTotalLength() : 0);
            const q = new DOMPoint(p.x, p.y).matrixTransform(path.getScreenCTM());
            return [q.x, q.y];
        };
        return JSON.stringify({
            width: document.documentElement.scrollWidth,
            mentions: all('.dualre-mention', e => [e.dataset.mention, box(e)]),
            labels: all('.dualre-label', box),
            texts: all('.dualre-sentence text', e => [e.textContent, box(e)]),
            arcs: all('.dualre-arc', e => [e.dataset.subject, e.dataset.object,
                point(e.querySelector('.dualre-line'), 0), point(e.querySelector('.dualre-head'), 0)]),
        });
    }"""

    def show(docs, width=800, **options):
        page = browser.new_page(viewport={"width": width, "height": 600})
        page.set_content(render(docs, page=True, jupyter=False, options={"spans_key": "all", **options}))
        found = json.loads(page.evaluate(script))
        page.close()
        return found

    return show


@pytest.mark.parametrize("name", ["simple", "nested", "hebrew", "long"])
def test_arcs_end_at_their_mentions_and_labels_do_not_overlap(name, show, request):
    doc = request.getfixturevalue(name)
    found = show(doc)
    assert found["width"] <= 800, "no page-wide overflow"
    for subject, object, start, tip in found["arcs"]:
        touched = [touches(found, subject, start), touches(found, object, tip)]
        # Half an arc touches one of its mentions
        assert any(touched) and (all(touched) or len(found["arcs"]) > len(doc._.rels))
    assert sum(
        touches(found, subject, start) + touches(found, object, tip) for subject, object, start, tip in found["arcs"]
    ) == 2 * len(doc._.rels), "both ends of every relation are drawn"
    for i, one in enumerate(found["labels"]):
        assert not any(overlap(one, other) for other in found["labels"][:i])


def touches(found, mention, point):
    boxes = [box for key, box in found["mentions"] if key == mention]
    return any(box[0] - 1 <= point[0] <= box[2] + 1 and abs(point[1] - box[1]) <= 1.5 for box in boxes)


def overlap(one, other, tolerance=1):
    across = min(one[2], other[2]) - max(one[0], other[0])
    return across > tolerance and min(one[3], other[3]) - max(one[1], other[1]) > tolerance


def test_words_do_not_overlap_in_any_script(show, simple, hebrew, nested):
    for doc in (simple, hebrew, nested):
        texts = [box for _, box in show(doc)["texts"]]
        for i, one in enumerate(texts):
            assert not any(overlap(one, other, 2.5) for other in texts[:i])


def test_right_to_left_starts_at_the_right_and_keeps_names_of_the_other_direction_readable(show, hebrew):
    left = {text: box[0] for text, box in show(hebrew)["texts"]}
    assert left["דנה"] > left["כהן"] > left["עובדת"] > left["Labs"] > left["York"] > left["New"] > left["2019"]


def test_a_narrow_window_makes_it_smaller(show, long):
    assert show(long, width=420)["width"] <= 420
