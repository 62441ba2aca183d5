"""The page: its layout, what it is made of, and what it does in a browser."""

import json
import re
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy
import pytest
from helpers.graphs import ASPIRIN, COX, NASTY, document, merge, nasty_graph
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_dualre.graph import KnowledgeGraph, write
from spacy_dualre.graph.knowledge_graph import Evidence
from spacy_dualre.graph.layout import force_directed, layout, side_by_side
from spacy_dualre.graph.page import pieces

# What is made


def test_a_sentence_is_cut_where_mentions_start_and_end() -> None:
    apart = Evidence("a", "Does aspirin act on COX-1?", 100, 126, (105, 112), (120, 125), 0.5)
    assert pieces(apart) == [("Does ", ""), ("aspirin", "s"), (" act on ", ""), ("COX-1", "o"), ("?", "")]
    nested = Evidence("a", "COX-1 inhibitor 😀", 0, 17, (0, 15), (0, 5), 0.5)
    assert pieces(nested) == [("COX-1", "so"), (" inhibitor", "s"), (" 😀", "")]


@given(st.text(min_size=1, max_size=12), st.data())
@settings(max_examples=30, deadline=None)
def test_the_pieces_are_the_sentence(text: str, data) -> None:
    offsets = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
    subject, object = data.draw(offsets), data.draw(offsets)
    cut = pieces(Evidence("a", text, 0, len(text), subject, object, 0.5))
    assert "".join(piece for piece, _ in cut) == text
    for role, (start, end) in (("s", subject), ("o", object)):
        assert "".join(piece for piece, roles in cut if role in roles) == text[start:end]


def test_nothing_in_a_text_becomes_html(tmp_path: Path) -> None:
    write(nasty_graph(), tmp_path / "kg.html")
    page = (tmp_path / "kg.html").read_text(encoding="utf8")
    assert page.count("</script>") == 2 and page.count("<script") == 2 and "<b>" not in page
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', page)[1])
    assert any(NASTY in node["type"] for node in data["nodes"])


def test_the_page_asks_for_nothing_from_elsewhere(tmp_path: Path) -> None:
    write(nasty_graph(), tmp_path / "kg.html")
    page = (tmp_path / "kg.html").read_text(encoding="utf8")
    assert not re.search(r"https?://|@import|url\(|\bfetch\(|\bimport\b", page)
    assert "default-src 'none'" in page


def test_the_layout_keeps_nodes_apart_and_neighbours_close() -> None:
    path = numpy.array([(i, i + 1) for i in range(11)])
    places = layout(12, path)
    assert places == layout(12, path[::-1, ::-1])
    xy = numpy.array(places)
    distance = numpy.linalg.norm(xy[:, None] - xy[None], axis=-1)
    steps = distance[range(11), range(1, 12)]
    assert 20 < steps.min() and steps.max() < 150 and distance[0, 11] > 3 * steps.max()
    # Wider than high
    assert numpy.ptp(xy[:, 0]) > numpy.ptp(xy[:, 1])


def test_parts_do_not_overlap() -> None:
    parts = [
        force_directed(n, numpy.array([(0, i) for i in range(1, n)], dtype=int).reshape(-1, 2))
        for n in (30, 9, 9, 3, 2, 2, 1)
    ]
    boxes = [(xy.min(0), xy.max(0)) for xy in side_by_side(parts)]
    for number, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:number]:
            assert (low > other_high).any() or (high < other_low).any()


def test_a_node_with_itself_only_has_a_place() -> None:
    assert layout(1, numpy.array([(0, 0)])) == [[0.0, 0.0]]


def test_a_graph_without_nodes_has_no_places() -> None:
    assert layout(0, numpy.zeros((0, 2), dtype=int)) == []


# What it does


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[[KnowledgeGraph], Any]]:
    """Opens the page of a graph; no error, dialog or request may come of it."""
    page = browser.new_page(viewport={"width": 1300, "height": 800})
    wrong = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)

    def open_page(graph: KnowledgeGraph) -> Any:
        write(graph, tmp_path / "kg.html")
        page.goto((tmp_path / "kg.html").as_uri())
        return page

    yield open_page
    page.close()
    assert wrong == []


IBUPROFEN = ("Ibuprofen", "CHEMICAL", "")
PAIR = [document("a", (ASPIRIN, "INHIBITS", COX, 0.5)), document("b", (ASPIRIN, "INHIBITS", COX, 0.9))]
STAR = [*PAIR, document("c", (IBUPROFEN, "BINDS", COX, 0.7))]


def click_canvas(page: Any, right: float = 0) -> None:
    """Click into the middle of the picture, or so many pixels to the right of it."""
    box = page.locator("canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2)


def test_a_click_on_an_edge_shows_its_sentences_with_both_mentions_marked(show: Callable) -> None:
    page = show(merge(PAIR))
    # Two nodes: the middle of the picture is the middle of their edge
    click_canvas(page)
    details = page.locator("#details")
    assert "2 sentences in 2 documents; best score 0.90, pooled 0.95" in details.inner_text()
    assert details.locator("article p").all_inner_texts() == ["Aspirin acts on COX-1."] * 2
    assert details.locator("article footer").all_inner_texts() == ["b\nscore 0.90", "a\nscore 0.50"]
    assert details.locator("mark.s").all_inner_texts() == ["Aspirin"] * 2
    assert details.locator("mark.o").all_inner_texts() == ["COX-1"] * 2
    page.keyboard.press("Escape")
    assert details.locator("mark").count() == 0


def test_evidence_that_was_not_kept_is_said(show: Callable) -> None:
    page = show(merge(PAIR, evidence=1))
    click_canvas(page)
    assert "1 more sentence not kept" in page.inner_text("#details")


def test_a_click_on_a_node_shows_its_relations(show: Callable) -> None:
    page = show(merge(PAIR))
    # The two nodes are 60 apart or so, twice as large
    shot = page.locator("canvas").screenshot()
    for right in range(20, 200, 8):
        click_canvas(page, right)
        if page.locator("#details h3").count():
            break
    assert "1 relation" in page.inner_text("#details h3 >> nth=0")
    assert page.locator("canvas").screenshot() != shot


def test_search_finds_names_forms_and_identifiers(show: Callable) -> None:
    page = show(merge(STAR))
    found = page.locator("#found button")
    for words, labels in (("PROFEN", ["Ibuprofen"]), ("p23219", ["COX-1"]), ("in", ["Aspirin"]), ("zzz", [])):
        page.fill("#search", words)
        assert [text.split("\n")[0] for text in found.all_inner_texts()] == labels
    assert "Nothing found" in page.inner_text("#found")
    page.fill("#search", "cox")
    page.keyboard.press("Enter")
    assert page.inner_text("#details h2") == "COX-1"
    # All of it by keyboard: from the node to an edge to its evidence
    page.locator("#details li button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#details mark").count() == 4


def test_filters_hide_relations(show: Callable) -> None:
    page = show(merge(STAR))
    status = page.locator("#status")
    assert status.inner_text() == "2 of 2 relations between 3 of 3 concepts"
    before = page.locator("canvas").screenshot()
    page.locator("#predicates label", has_text="BINDS").click()
    assert status.inner_text() == "1 of 2 relations between 2 of 3 concepts"
    page.wait_for_timeout(100)
    assert page.locator("canvas").screenshot() != before
    page.fill("#search", "ibu")
    assert "Nothing found" in page.inner_text("#found")
    page.click('button.none[data-for="predicates"]')
    assert status.inner_text() == "0 of 2 relations between 0 of 3 concepts"
    page.click('button.all[data-for="predicates"]')
    page.fill("#score", "0.8")
    assert (
        status.inner_text() == "1 of 2 relations between 2 of 3 concepts" and page.inner_text("#score-value") == "0.80"
    )
    page.fill("#score", "0")
    page.fill("#support", "2")
    assert status.inner_text() == "1 of 2 relations between 2 of 3 concepts"
    page.locator("#types label", has_text="GENE").click()
    assert status.inner_text() == "0 of 2 relations between 0 of 3 concepts"


def test_texts_full_of_traps_are_shown_as_they_are(show: Callable) -> None:
    page = show(nasty_graph())
    page.fill("#search", "alert(1)")
    page.locator("#found button").first.click()
    page.locator("#details li button").first.click()
    marks = page.locator("mark").all_text_contents()
    assert f"x{NASTY}x" in marks and "cox1" in marks


def test_keys_wheel_and_dragging_move_the_picture(show: Callable) -> None:
    page = show(merge(STAR))
    canvas = page.locator("canvas")
    canvas.focus()
    shots = []
    for act in (
        lambda: None,
        lambda: page.keyboard.press("ArrowRight"),
        lambda: page.keyboard.press("+"),
        lambda: (page.mouse.move(650, 300), page.mouse.wheel(0, 300)),
        lambda: (page.mouse.move(650, 700), page.mouse.down(), page.mouse.move(500, 600), page.mouse.up()),
    ):
        act()
        page.wait_for_timeout(100)
        shots.append(canvas.screenshot())
    assert len(set(shots)) == len(shots)


@pytest.mark.slow
def test_two_thousand_nodes(show: Callable) -> None:
    facts = [
        ((f"drug {i}", "CHEMICAL", ""), "P", (f"gene {i // 40 if i % 2 else i}", "GENE", ""), 0.5) for i in range(1350)
    ]
    facts += [
        ((f"drug {i}", "CHEMICAL", ""), "Q", (f"drug {i * 7 % 1350}", "CHEMICAL", ""), 0.5) for i in range(0, 1350, 3)
    ]
    graph = merge([document("a", *facts)])
    assert len(graph.nodes) >= 2000
    page = show(graph)
    assert page.inner_text("#status").startswith(f"{len(graph.edges)} of {len(graph.edges)} relations")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -600)
    page.fill("#search", "gene 17")
    page.locator("#found button").first.click()
    page.locator("#details li button").first.click()
    assert page.locator("mark").count() == 2
